/// Every bound on what a capture may make the reader hold, each with its reason.
///
/// Reaching one never ends the run: what it costs is counted in the source record's notes. Those that
/// bound bytes of all connections together add up to less than half a gigabyte.
enum CaptureLimits {
  /// Captured bytes of one packet: libpcap's limit, which every writer keeps to.
  static let usualPacketLength = 256 * 1024
  /// Captured bytes of one packet where the file's snapshot length allows more: BIG TCP makes
  /// frames of 512 KiB, and a longer one is a damaged length.
  static let packetLength = 2 << 20
  /// Bytes of one pcapng block: the limit of libpcap and Wireshark.
  static let blockLength = 16 << 20
  /// Interfaces of one pcapng section; a container host has some hundred.
  static let interfaces = 4096
  /// Seconds between neighbouring packets beyond which a found packet header is not believed.
  static let resynchronisationSpan: Int64 = 30 * 86400

  /// Headers within headers: an overlay in a mirror session in a provider's tunnel is five.
  static let nesting = 8
  /// VLAN tags or MPLS labels in a row.
  static let tags = 8
  /// IPv6 extension headers in a row.
  static let extensionHeaders = 16
  /// Fragmented datagrams that are put together at once; fragments of one arrive close together.
  static let fragmentedDatagrams = 64
  /// Pieces of one fragmented datagram: 64 KiB in fragments of the least useful size.
  static let fragmentsPerDatagram = 128

  /// Connections known at once, about 600 bytes each.
  static let connections = 1 << 18
  /// Nanoseconds without a packet after which a connection is forgotten; keep-alive timeouts of
  /// servers lie between 5 s and some minutes.
  static let idleConnection: Int64 = 600_000_000_000
  /// Nanoseconds for which a closed connection is remembered, so that late copies of its packets
  /// are not taken for a new one.
  static let closedConnection: Int64 = 60_000_000_000
  /// Sequence numbers beyond which a segment cannot belong to the connection that is known: the
  /// largest window of RFC 7323 is four times this, the largest in use a sixteenth.
  static let sequenceJump = 1 << 28
  /// Bytes held behind a hole in one direction: some round trips of a fast connection.
  static let heldBytesPerStream = 1 << 20
  /// Segments held behind a hole in one direction; bounds the search for a segment's place.
  static let heldSegmentsPerStream = 1024
  /// Bytes held behind holes in all connections together, the records of the segments included.
  static let heldBytes = 48 << 20
  /// Bytes that a held segment costs beside its own.
  static let heldSegmentCost = 128
  /// Nanoseconds after which a hole is taken for a loss: a retransmission comes within a second
  /// unless several are lost as well.
  static let holeWait: Int64 = 2_000_000_000

  /// Bytes of a header block: servers accept 8 to 64 KiB.
  static let headLength = 64 * 1024
  /// Segments of one connection that may show nothing known before it is given up.
  static let undecidedSegments = 24
  /// Bytes of the first line before a peer's protocol is given up.
  static let undecidedBytes = 8 * 1024
  /// Bytes of a PROXY protocol header, additional values included.
  static let proxyHeaderLength = 4096
  /// Requests without a response on one connection; browsers do not pipeline, tools do a little.
  static let openRequestsPerConnection = 512
  /// Bytes of request headers that wait for their responses, their records included.
  static let openRequestBytes = 48 << 20
  /// Bytes that a request costs beside its header block.
  static let openRequestCost = 256
  /// Requests whose place in their connections is remembered, waited for or not.
  static let rememberedRequests = 1 << 19
  /// Bytes of all header blocks that are not whole yet.
  static let partialHeadBytes = 32 << 20
  /// Nanoseconds for which a response is waited for; proxies give up after 60 s as a rule.
  static let responseWait: Int64 = 120_000_000_000
  /// Bytes of one direction's HPACK table: what Chromium and Firefox allow; servers allow 4 KiB.
  static let headerTable = 64 * 1024
  /// Bytes of a field name that an HPACK table remembers; the longest in use have some 50.
  static let headerName = 1024
  /// Bytes of all HPACK tables; a table that would exceed them is forgotten.
  static let headerTableBytes = 48 << 20
  /// Streams of one connection whose response is not over; servers allow 100 to 250 at once.
  static let streamsPerConnection = 1024
  /// GOAWAY frames of one connection that count: a server sends two when it shuts down.
  static let goAways = 16
  /// Stream numbers that are believed where the numbers before were not seen.
  static let plausibleStream: UInt32 = 1 << 21
  /// Payload bytes of a frame unless the other side allowed more: RFC 9113, section 4.2.
  static let framePayload = 16384
  /// TLS connections that are decrypted at once, some KB each.
  static let tlsConnections = 1 << 16
  /// Bytes of records and messages of all TLS connections that are not whole yet.
  static let tlsHeldBytes = 48 << 20
  /// Bytes of a handshake message: the largest ClientHellos have some KB.
  static let tlsMessageLength = 64 * 1024
  /// Bytes of a client's records that wait for the ServerHello: the early data that servers allow.
  static let tlsWaitingBytes = 64 * 1024
  /// Records that may be lost in a gap before a direction cannot be decrypted any more.
  static let tlsRecordsAhead = 64
  /// Bytes in which a record is searched for at once.
  static let tlsSearchPiece = 32 * 1024
  /// Bytes that may be given to a cipher in vain for one direction: some gaps of the largest kind.
  static let tlsWastedBytes = 64 << 20
  /// Hosts whose TLS connections could not be read and that are named one by one.
  static let tlsNamedHosts = 256

  /// Distinct QUIC flows that are told apart; more are counted no further.
  static let quicFlows = 1 << 16
  /// Hosts whose part of a URL is remembered.
  static let rememberedHosts = 4096
  /// Bytes of a host that is worth remembering: the longest name that DNS allows, and a port.
  static let rememberedHostLength = 260
  /// Distinct kinds of skipped packets that are named; a hostile file could invent thousands.
  static let namedKinds = 256
}
