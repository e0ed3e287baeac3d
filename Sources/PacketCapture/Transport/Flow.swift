internal import Bytes

/// What a connection speaks, as far as its bytes have shown it.
enum Layer: UInt8 {
  case undecided
  case http1
  case http2
  /// TLS that is not decrypted, or no more.
  case tls
  case other
}

/// The two ends of a connection, the lower one first.
struct FlowKey: Equatable {
  var low = Address()
  var high = Address()
  var ports: UInt32 = 0

  /// The key of a segment's connection, and which end sent it: 0 the lower one, 1 the other.
  @inline(__always)
  static func of(_ segment: borrowing Segment) -> (key: FlowKey, side: Int) {
    let isLow =
      segment.source == segment.destination
      ? segment.sourcePort <= segment.destinationPort : segment.source < segment.destination
    var key = FlowKey()
    if isLow {
      key.low = segment.source
      key.high = segment.destination
      key.ports = UInt32(segment.sourcePort) << 16 | UInt32(segment.destinationPort)
    } else {
      key.low = segment.destination
      key.high = segment.source
      key.ports = UInt32(segment.destinationPort) << 16 | UInt32(segment.sourcePort)
    }
    return (key, isLow ? 0 : 1)
  }

  /// Mixes all bits with a seed of this process, so that nobody can choose ends that collide.
  @inline(__always)
  func hash(_ seed: UInt64) -> UInt64 {
    var hash = (low.low ^ seed) &* 0x9E37_79B9_7F4A_7C15
    hash = (hash ^ (hash >> 29) ^ high.low) &* 0xBF58_476D_1CE4_E5B9
    if low.high | high.high != 0 {
      hash = (hash ^ (hash >> 32) ^ low.high) &* 0x94D0_49BB_1331_11EB
      hash = (hash ^ (hash >> 31) ^ high.high) &* 0x9E37_79B9_7F4A_7C15
    }
    hash = (hash ^ (hash >> 30) ^ UInt64(ports)) &* 0xBF58_476D_1CE4_E5B9
    return hash ^ (hash >> 32)
  }
}

/// A segment that came before the bytes in front of it, or before what it answers.
struct HeldSegment {
  var next: RecordRef<HeldSegment>?
  var previous: RecordRef<HeldSegment>?
  var sequence: UInt32
  var count: Int
  /// A copy of the bytes; `nil` when all of them belong to a body, whose bytes nobody needs.
  var bytes: ByteStore?
  /// Bytes behind `count` that the capture left out.
  var missing: Int
  var mark: Mark
}

/// Which part of a message comes next in a stream.
enum Phase: UInt8 {
  /// The first byte of a message, or empty lines before it.
  case start
  /// More of a header block, whose beginning is kept.
  case head
  /// `remaining` bytes of a body.
  case body
  /// The line that says how long the next chunk is.
  case chunkSize
  /// The rest of that line, which nobody needs.
  case chunkExtension
  /// `remaining` bytes of a chunk.
  case chunk
  /// The line end behind a chunk.
  case chunkEnd
  /// Fields behind the last chunk; `remaining` counts the bytes of the current line.
  case trailers
  /// A body that ends with the connection.
  case untilClose
  /// Unknown, until a segment begins with a message.
  case lost
}

/// One direction of a connection.
struct Stream {
  /// The sequence number of the next byte.
  var next: UInt32 = 0
  /// The sequence number of the SYN.
  var initial: UInt32 = 0
  /// What the other side has acknowledged.
  var acknowledged: UInt32 = 0
  /// The sequence number behind the last byte.
  var end: UInt32 = 0
  var hasNext = false
  var hasInitial = false
  var hasAcknowledged = false
  var hasEnd = false
  var isClosed = false
  var hasGap = false
  /// Whether any byte was delivered.
  var hasBegun = false
  /// Whether it said something that was not understood.
  var saidOther = false

  var heldFirst: RecordRef<HeldSegment>?
  var heldLast: RecordRef<HeldSegment>?
  var heldBytes = 0
  var heldCount = 0
  /// When the oldest held segment came.
  var heldSince: Int64 = 0

  var phase = Phase.start
  var remaining: UInt64 = 0
  var head = HeadBuffer()
  var scanner = HeadScanner()
  /// The packet with the first byte of the current message.
  var began = Mark()
  var ordinal: UInt32 = 0
  /// Whether the body may be missing because the request, which was not seen, was a `HEAD`.
  var mayAnswerHead = false
}

/// One TCP connection.
struct Flow {
  var key: FlowKey
  var hash: UInt64
  /// Its two directions: what the lower end sent, then what the higher one sent.
  var streams: RecordPair<Stream>
  var layer = Layer.undecided
  /// The side that sends requests; 2 while that is not known.
  var clientSide: UInt8 = 2
  var undecidedSegments: UInt8 = 0
  var isClosed = false
  /// Whether it carried bytes, and is not yet among the counted connections of a kind.
  var isCounted = false
  var lastAt: Int64
  var older: RecordRef<Flow>?
  var newer: RecordRef<Flow>?
  /// Neighbours in the list of connections with held segments.
  var holdingBefore: RecordRef<Flow>?
  var holdingAfter: RecordRef<Flow>?
  var isHolding = false
  var isDraining = false
  /// The side that reset the connection; 2 for none.
  var resetBy: UInt8 = 2
  var firstOpen: RecordRef<OpenRequest>?
  var lastOpen: RecordRef<OpenRequest>?
  var openCount = 0
  /// The client that a PROXY protocol header names.
  var proxied = Address()
  var hasProxied = false
  /// Whether it spoke TLS; `layer` is then that of the plaintext.
  var isSecure = false
  /// What decrypts it, as long as there is something to decrypt.
  var tls: TLSConnection?
  /// The HTTP/2 on it, in clear text or decrypted; owned by the connection.
  var http2: HTTP2Connection?

  /// The address of the end on that side.
  func address(_ side: Int) -> Address {
    side == 0 ? key.low : key.high
  }
}

typealias FlowPointer = RecordRef<Flow>
