import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

/// Each bound of `CaptureLimits` is reached, says so, and costs nothing but what lies beyond it.
///
/// Those of single messages and streams stand beside their parsers' tests.
@Suite("Limits of captures")
struct CaptureLimitsTests {
  /// Segments of many connections, without a file around them.
  private final class Flood {
    let builder: ExchangeBuilder
    let connections: Connections
    var next: [Int: (UInt32, UInt32)] = [:]
    var time: Int64 = 0

    init(keys: TLSKeyLog = TLSKeyLog()) {
      var options = IngestOptions()
      options.keepsAll = true
      builder = ExchangeBuilder(source: "flood", options: options)
      connections = Connections(builder: builder, keys: TLSKeys(keys))
    }

    /// One segment of a connection, whose number tells its client's address and port.
    func send(
      _ connection: Int, by side: Conversation.Side = .client, _ bytes: [UInt8], skipping: Int = 0
    ) {
      var (client, server) = next[connection] ?? (1, 1)
      let isClient = side == .client
      var segment = Segment()
      let far = Address(ipv4: UInt32(connection >> 14))
      let near = Address(ipv4: .max)
      segment.source = isClient ? far : near
      segment.destination = isClient ? near : far
      let port = UInt16(1024 + connection & 0x3FFF)
      segment.sourcePort = isClient ? port : 80
      segment.destinationPort = isClient ? 80 : port
      if isClient { client &+= UInt32(skipping) } else { server &+= UInt32(skipping) }
      segment.sequence = isClient ? client : server
      time += 1000
      bytes.withByteView {
        segment.payload = $0
        _ = connections.receive(segment, Mark(time: time, number: UInt64(time / 1000)))
      }
      if isClient { client &+= UInt32(bytes.count) } else { server &+= UInt32(bytes.count) }
      next[connection] = (client, server)
    }

    func send(_ connection: Int, _ text: String) {
      send(connection, Array(text.utf8))
    }

    /// What was found when all is over, and whether nothing is held any more.
    func finish() -> [Exchange] {
      connections.finishAll()
      #expect(connections.heldBytes == 0 && connections.openBytes == 0)
      #expect(connections.partialBytes == 0 && connections.tableBytes == 0)
      #expect(connections.requestCount == 0 && connections.tls.active == 0)
      #expect(connections.table.count == 0)
      return builder.takeExchanges()
    }
  }

  @Test("all bounds together leave room below half a gigabyte")
  func sum() {
    let bytes =
      CaptureLimits.heldBytes + CaptureLimits.openRequestBytes + CaptureLimits.partialHeadBytes
      + CaptureLimits.headerTableBytes + CaptureLimits.tlsHeldBytes
      + CaptureLimits.connections
      * (MemoryLayout<Flow>.size + 2 * MemoryLayout<PacketCapture.Stream>.size)
      + CaptureLimits.rememberedHosts * CaptureLimits.rememberedHostLength * 4
    #expect(bytes < 448 << 20, "\(bytes >> 20) MiB")
  }

  @Test("interfaces beyond the limit are named as damage, and their packets counted")
  func interfaces() throws {
    var builder = CaptureBuilder()
    builder.addFrame(CaptureBuilder.frame(.ethernet, [1]), interface: CaptureLimits.interfaces)
    let list = [CaptureBuilder.Interface](
      repeating: .init(.ethernet), count: CaptureLimits.interfaces + 1)
    let record = try Reading(builder.pcapng(list)).record
    #expect(record.skipped == ["unknown-interface": 1])
    #expect(record.damages.map(\.what) == ["a section has more than 4096 interfaces"])
    #expect(record.damages.allSatisfy { $0.offset != nil })
  }

  @Test("as many tags and extension headers as the limit are read, and one more is counted")
  func headers() throws {
    let packet = Conversation(
      client: [UInt8](repeating: 1, count: 16), server: [UInt8](repeating: 2, count: 16)
    )
    .packet(.client, Array("x".utf8))
    func skipped(tags: Int, extensions: Int) throws -> [String: UInt64] {
      var builder = CaptureBuilder()
      var inner = Array(packet[..<40])
      if extensions > 0 {
        inner[6] = 60
        for index in 0..<extensions {
          inner += [index == extensions - 1 ? 6 : 60, 0, 1, 4, 0, 0, 0, 0]
        }
        let length = packet.count - 40 + 8 * extensions
        inner.replaceSubrange(4..<6, with: CaptureBuilder.big16(length))
      }
      inner += packet[40...]
      var type: [UInt8] = [0x86, 0xDD]
      for _ in 0..<tags {
        inner = [0, 1] + type + inner
        type = [0x81, 0]
      }
      builder.addFrame(CaptureBuilder.ethernet(type, inner))
      return try Reading(builder.pcap()).record.skipped
    }
    #expect(try skipped(tags: CaptureLimits.tags, extensions: 0) == ["tcp-other": 1])
    #expect(try skipped(tags: CaptureLimits.tags + 1, extensions: 0) == ["nested-too-deeply": 1])
    #expect(
      try skipped(tags: 0, extensions: CaptureLimits.extensionHeaders) == ["tcp-other": 1])
    #expect(
      try skipped(tags: 0, extensions: CaptureLimits.extensionHeaders + 1)
        == ["nested-too-deeply": 1])
  }

  /// A fragment of 8 bytes of a datagram.
  private func fragment(_ identification: Int, _ index: Int) -> [UInt8] {
    var packet = Conversation.ip(
      [192, 0, 2, 1], [198, 51, 100, 7], protocol: 6, [UInt8](repeating: 0, count: 8))
    packet.replaceSubrange(4..<6, with: CaptureBuilder.big16(identification))
    packet.replaceSubrange(6..<8, with: CaptureBuilder.big16(0x2000 | index))
    return packet
  }

  @Test("datagrams of which fragments are missing push each other out, and are counted")
  func datagrams() throws {
    var builder = CaptureBuilder()
    for number in 0..<2 * CaptureLimits.fragmentedDatagrams { builder.add(fragment(number, 0)) }
    let record = try Reading(builder.pcap()).record
    #expect(record.notes["datagrams-incomplete"] == UInt64(2 * CaptureLimits.fragmentedDatagrams))
    #expect(record.skipped == ["ip-fragment": UInt64(2 * CaptureLimits.fragmentedDatagrams)])
  }

  @Test("a datagram in more pieces than the limit is incomplete")
  func fragments() throws {
    var builder = CaptureBuilder()
    // Every second piece, so that none can be joined.
    for index in 0..<2 * CaptureLimits.fragmentsPerDatagram { builder.add(fragment(1, 2 * index)) }
    let reading = try Reading(builder.pcap())
    #expect(reading.record.notes["datagrams-incomplete"] == 1)
    #expect(reading.isBalanced)
  }

  @Test("a flood of connections pushes out the oldest, which is counted")
  func connections() {
    let flood = Flood()
    flood.send(0, request("/first"))
    for number in 1...CaptureLimits.connections + 9 { flood.send(number, [0x7F]) }
    #expect(flood.connections.table.count == CaptureLimits.connections)
    #expect(flood.connections.counts.evicted == 10)
    #expect(flood.finish().map(\.url.target) == ["/first"])
  }

  @Test(
    "connections without a packet for long are forgotten, which is counted, and give what they held"
  )
  func idle() {
    let flood = Flood()
    for number in 0..<10 { flood.send(number, request("/\(number)")) }
    flood.time += CaptureLimits.idleConnection
    // A leap of that size is no day, and the next new connection makes room.
    flood.send(100, request("/late"))
    #expect(flood.connections.counts.idle == 10)
    #expect(flood.connections.table.count == 1)
    #expect(flood.finish().count == 11)
  }

  @Test("segments held in all connections together are bounded, and giving up is counted")
  func held() {
    let flood = Flood()
    let payload = [UInt8](repeating: 0x41, count: 60_000)
    var number = 0
    while flood.connections.heldBytes <= CaptureLimits.heldBytes {
      flood.send(number, request("/\(number)"))
      for index in 0..<16 { flood.send(number, payload, skipping: index == 0 ? 100 : 0) }
      number += 1
    }
    flood.connections.expire()
    #expect(flood.connections.heldBytes <= CaptureLimits.heldBytes)
    #expect(flood.connections.counts.heldLimit > 0)
    #expect(flood.finish().count == number)
  }

  @Test("segments held behind one hole are bounded in number")
  func heldSegments() {
    let flood = Flood()
    flood.send(0, request("/"))
    for index in 0...CaptureLimits.heldSegmentsPerStream {
      flood.send(0, [0x41], skipping: index == 0 ? 100 : 0)
    }
    #expect(flood.connections.counts.heldLimit == 1)
    #expect(flood.connections.heldBytes == 0)
    #expect(flood.finish().count == 1)
  }

  @Test("header blocks that wait for responses are given out once they are too many bytes")
  func openRequests() {
    let flood = Flood()
    let long = request("/", "X-Filler: " + String(repeating: "x", count: 60_000))
    let count = CaptureLimits.openRequestBytes / 60_000 + 40
    for number in 0..<count { flood.send(number, long) }
    flood.connections.expire()
    #expect(flood.connections.openBytes <= CaptureLimits.openRequestBytes)
    #expect(flood.connections.counts.overdue > 0)
    #expect(flood.finish().count == count)
  }

  @Test("header blocks that are not whole are bounded together, and counted")
  func partialHeads() {
    let flood = Flood()
    let part = "GET / HTTP/1.1\r\nX-Filler: " + String(repeating: "x", count: 60_000)
    let count = CaptureLimits.partialHeadBytes / 60_000 + 40
    for number in 0..<count { flood.send(number, part) }
    #expect(flood.connections.partialBytes <= CaptureLimits.partialHeadBytes)
    #expect(flood.connections.counts.longHeads > 0)
    #expect(flood.finish().count == count)
  }

  @Test("a PROXY protocol header as long as the limit is skipped, a longer one is none")
  func proxyHeader() throws {
    func reading(_ length: Int) throws -> Reading {
      let header =
        Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [0x21, 0x11] + CaptureBuilder.big16(length - 16)
        + [203, 0, 113, 9, 1, 1, 1, 1, 1, 1, 0, 80] + [UInt8](repeating: 0, count: length - 28)
      var builder = CaptureBuilder()
      var talk = Conversation()
      builder.add(talk.open())
      builder.add(talk.send(.client, header + Array(request("/").utf8)))
      builder.add(talk.send(.server, response(200)))
      return try Reading(builder.pcap())
    }
    let longest = try reading(CaptureLimits.proxyHeaderLength)
    #expect(longest.summaries == ["GET / 200"])
    #expect(longest.exchanges.first?.forwardedFor == "203.0.113.9")
    let longer = try reading(CaptureLimits.proxyHeaderLength + 1)
    #expect(longer.summaries == ["- - 200"])
    #expect(longer.record.notes["resynchronised"] == 1)
    #expect(longer.record.notes["responses-without-request"] == 1)
    #expect(longer.isBalanced)
  }

  @Test("requests whose place is remembered are bounded")
  func rememberedRequests() {
    let flood = Flood()
    let perConnection = CaptureLimits.openRequestsPerConnection - 1
    let text = String(repeating: "GET / HTTP/1.1\r\n\r\n", count: perConnection)
    let bytes = Array(text.utf8)
    let count = CaptureLimits.rememberedRequests / perConnection + 2
    var found = 0
    for number in 0..<count {
      flood.send(number, bytes)
      flood.connections.expire()
      found += flood.builder.takeExchanges().count
    }
    #expect(flood.connections.requestCount <= CaptureLimits.rememberedRequests)
    #expect(flood.connections.counts.evicted > 0)
    #expect(found + flood.finish().count == count * perConnection)
  }

  @Test("HPACK tables are bounded together, and those that are forgotten are counted")
  func tables() {
    let flood = Flood()
    var number = 0
    while flood.connections.counts.forgottenTables == 0, number < 4096 {
      var frames = Frames()
      var bytes = Frames.preface + Frames.settings
      frames.encoder.resize(CaptureLimits.headerTable)
      for index in 0..<4 {
        bytes += frames.request(
          UInt32(2 * index + 1), "/", [("x-\(index)", String(repeating: "x", count: 15_000))])
      }
      flood.send(number, bytes)
      #expect(flood.connections.tableBytes <= CaptureLimits.headerTableBytes)
      number += 1
    }
    #expect(flood.connections.counts.forgottenTables > 0)
    #expect(flood.finish().count == 4 * number)
  }

  @Test("only the first GOAWAY frames of a connection count")
  func goAways() {
    let flood = Flood()
    var client = Frames()
    flood.send(
      0, Frames.preface + Frames.settings + client.request(1, "/") + client.request(3, "/"))
    var server = Frames.settings
    for index in 0..<UInt32(CaptureLimits.goAways) { server += Frames.goAway(last: 1000 - index) }
    server += Frames.goAway(last: 1)
    flood.send(0, by: .server, server)
    #expect(flood.connections.counts.refusedStreams == 0)
    #expect(flood.finish().count == 2)
  }

  // MARK: TLS

  /// The first bytes of a connection that some key log knows.
  private static let session = SyntheticTLS(.aes128)

  @Test("more TLS connections than are decrypted at once are counted as closed by the limit")
  func tlsConnections() {
    let flood = Flood(keys: Self.session.keyLog())
    let record = Self.session.record(22, [1])
    for number in 0..<CaptureLimits.tlsConnections + 3 { flood.send(number, record) }
    #expect(flood.connections.tls.active == CaptureLimits.tlsConnections)
    _ = flood.finish()
    #expect(flood.connections.tls.closed["tls-limit-reached"] == 3)
  }

  @Test("records that are not whole are bounded together")
  func tlsHeld() {
    let flood = Flood(keys: Self.session.keyLog())
    let hello = Self.session.record(22, Self.session.clientHello)
    let part = [22, 3, 3, 0x40, 0] + [UInt8](repeating: 0, count: 16_000)
    var number = 0
    while flood.connections.tls.closed["tls-limit-reached"] == nil, number < 20_000 {
      flood.send(number, hello + part)
      #expect(flood.connections.tls.heldBytes <= CaptureLimits.tlsHeldBytes + 1 << 16)
      number += 1
    }
    #expect(flood.connections.tls.closed["tls-limit-reached"] != nil)
    _ = flood.finish()
  }

  @Test("a handshake message beyond the limit ends the decryption, not the run")
  func tlsMessage() {
    let flood = Flood(keys: Self.session.keyLog())
    let length = CaptureLimits.tlsMessageLength + 1
    flood.send(
      0, Self.session.record(22, [1, UInt8(length >> 16)] + CaptureBuilder.big16(length & 0xFFFF)))
    #expect(flood.connections.tls.heldBytes == 0)
    _ = flood.finish()
    #expect(flood.connections.tls.closed.values.reduce(0, +) == 1)
  }

  @Test("a client's records wait for the ServerHello up to a bound")
  func tlsWaiting() {
    let flood = Flood(keys: Self.session.keyLog())
    flood.send(0, Self.session.record(22, Self.session.clientHello))
    let record = Self.session.record(23, [UInt8](repeating: 0, count: 16_000))
    for _ in 0..<CaptureLimits.tlsWaitingBytes / 16_000 + 4 { flood.send(0, record) }
    #expect(flood.connections.tls.heldBytes <= 2 * CaptureLimits.tlsWaitingBytes)
    _ = flood.finish()
  }

  @Test("what is given to a cipher in vain is bounded, and costs one direction of one connection")
  func tlsWasted() throws {
    func reading(garbage: Int) throws -> Reading {
      var session = SyntheticTLS(.aes128)
      var builder = CaptureBuilder()
      var talk = Conversation(serverPort: 443)
      builder.add(talk.open())
      builder.addHandshake(&session, &talk)
      builder.add(session.seal(.client, request("/1")), .client, &talk)
      builder.add(session.seal(.server, response(200)), .server, &talk)
      // A gap, behind which nothing that looks like a record can be opened.
      _ = talk.send(.server, [UInt8](repeating: 0, count: 500))
      let record = [23, 3, 3, 0x3E, 0x80] + [UInt8](repeating: 0x55, count: 16_000)
      for _ in 0..<garbage { builder.add(record, .server, &talk) }
      builder.add(session.seal(.client, request("/2")), .client, &talk)
      builder.add(session.seal(.server, response(201)), .server, &talk)
      builder.add(talk.close())
      return try Reading(builder.pcap(), keys: session.keyLog())
    }
    // Each candidate is tried with as many numbers as records may be lost, under two keys at most.
    let perRecord = 16_005 * CaptureLimits.tlsRecordsAhead
    let few = try reading(garbage: CaptureLimits.tlsWastedBytes / perRecord / 8)
    #expect(few.summaries.contains("GET /2 201"), "\(few.summaries)")
    #expect(few.record.notes["tls-directions-given-up"] == nil)
    let many = try reading(garbage: CaptureLimits.tlsWastedBytes / perRecord + 8)
    #expect(!many.summaries.contains("GET /2 201"))
    #expect(many.summaries.contains("GET /1 200") && many.summaries.count == 2)
    #expect(many.record.notes["tls-directions-given-up"] == 1)
    #expect(many.isBalanced)
  }

  @Test("hosts whose connections stayed closed are named one by one up to a bound")
  func tlsHosts() {
    var session = Self.session
    let flood = Flood(keys: session.keyLog(without: Array(session.secrets.keys.dropFirst())))
    let count = CaptureLimits.tlsNamedHosts + 20
    for number in 0..<count {
      session.serverName = "host-\(number).example"
      flood.send(number, session.record(22, session.clientHello))
      flood.send(number, by: .server, session.record(22, session.serverHello()))
    }
    _ = flood.finish()
    #expect(flood.connections.tls.reasons.count <= CaptureLimits.tlsNamedHosts + 1)
    #expect(flood.connections.tls.closed.values.reduce(0, +) == UInt64(count))
  }

  // MARK: Counts

  @Test("QUIC flows are told apart up to a bound, and all their packets are counted")
  func quic() throws {
    var builder = CaptureBuilder(link: .raw)
    let payload = [0xC0, 0, 0, 0, 1, 8] + [UInt8](repeating: 1, count: 30)
    let count = CaptureLimits.quicFlows + 5
    for number in 0..<count {
      builder.add(
        Conversation.udp(
          [10, 1, UInt8(number >> 12), 1], [198, 51, 100, 7], ports: (40_000 + number & 0xFFF, 443),
          payload))
    }
    let record = try Reading(builder.pcap()).record
    #expect(record.notes["quic-connections"] == UInt64(CaptureLimits.quicFlows))
    #expect(record.skipped["quic"] == UInt64(count))
  }

  @Test("kinds of packets that nobody knows are named up to a bound, and all are counted")
  func kinds() throws {
    var builder = CaptureBuilder()
    for type in 0..<2 * CaptureLimits.namedKinds {
      builder.addFrame(CaptureBuilder.ethernet(CaptureBuilder.big16(0xB000 + type), [0]))
    }
    let reading = try Reading(builder.pcap())
    #expect(reading.record.skipped.count <= CaptureLimits.namedKinds + 1)
    #expect(reading.record.skipped["not-ip"] ?? 0 > 0)
    #expect(reading.isBalanced)
  }

  @Test("hosts are remembered up to a number and a length, and all come to their URLs")
  func hosts() {
    let flood = Flood()
    let long = String(repeating: "a", count: CaptureLimits.rememberedHostLength + 1)
    for number in 0..<CaptureLimits.rememberedHosts + 10 {
      flood.send(
        number, "GET / HTTP/1.1\r\nHost: \(number % 2 == 0 ? long : "h").n\(number).example\r\n\r\n"
      )
    }
    let hosts = Set(flood.finish().compactMap(\.url.host))
    #expect(hosts.count == CaptureLimits.rememberedHosts + 10)
    #expect(flood.builder.rememberedHosts == CaptureLimits.rememberedHosts / 2 + 5)
  }
}
