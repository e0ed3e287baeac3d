import Bytes
import HTTPExchange
import InputBytes
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Losses in TLS")
struct TLSLossTests {
  /// A capture of a session of which some packets are lost.
  private struct Lossy {
    var builder = CaptureBuilder()
    var talk = Conversation(serverPort: 443)
    var session: SyntheticTLS

    init(_ suite: SyntheticTLS.Suite) {
      session = SyntheticTLS(suite)
      builder.add(talk.open())
      builder.addHandshake(&session, &talk)
    }

    mutating func ask(_ target: String, body: Int = 5) {
      builder.add(session.seal(.client, request(target)), .client, &talk)
      builder.add(session.seal(.server, response(200, body: body)), .server, &talk)
    }

    /// Sends bytes in segments of 1000, of which those in `lost` are not captured.
    mutating func send(_ bytes: [UInt8], _ side: Conversation.Side, without lost: Range<Int>) {
      for (index, start) in stride(from: 0, to: bytes.count, by: 1000).enumerated() {
        let packet = talk.send(side, Array(bytes[start..<min(start + 1000, bytes.count)]))
        if !lost.contains(index) { builder.add(packet) }
      }
      builder.add(talk.acknowledge(side == .client ? .server : .client))
    }

    func read() throws -> Reading {
      var whole = self
      whole.builder.add(whole.talk.close())
      return try Reading(whole.builder.pcap(), keys: session.keyLog())
    }
  }

  @Test("a gap inside one record of a body costs nothing", arguments: SyntheticTLS.Suite.all)
  func insideRecord(suite: SyntheticTLS.Suite) throws {
    var capture = Lossy(suite)
    capture.ask("/before")
    let body = response(200, body: 8000)
    capture.builder.add(capture.session.seal(.client, request("/hit")), .client, &capture.talk)
    let head = capture.session.seal(.server, String(body.prefix(100)))
    capture.builder.add(head, .server, &capture.talk)
    let first = capture.session.seal(.server, String(body.dropFirst(100).prefix(4000)))
    let rest = capture.session.seal(.server, String(body.dropFirst(4100)))
    capture.send(first + rest, .server, without: 1..<3)
    capture.ask("/after")
    let reading = try capture.read()
    #expect(reading.summaries == ["GET /before 200", "GET /hit 200", "GET /after 200"])
    #expect(reading.record.notes["tls-records-lost"] == 1)
    #expect(reading.record.notes["gaps"] == 1)
    #expect(reading.isBalanced)
  }

  @Test(
    "records lost whole are counted, and their length is known", arguments: SyntheticTLS.Suite.all)
  func wholeRecords(suite: SyntheticTLS.Suite) throws {
    var capture = Lossy(suite)
    let body = Array(response(200, body: 30_000).utf8)
    capture.builder.add(capture.session.seal(.client, request("/hit")), .client, &capture.talk)
    capture.builder.add(
      capture.session.seal(.server, Array(body.prefix(100))), .server, &capture.talk)
    var records: [UInt8] = []
    for start in stride(from: 100, to: body.count, by: 700) {
      records += capture.session.seal(
        .server, Array(body[start..<min(start + 700, body.count)]))
    }
    capture.send(records, .server, without: 2..<20)
    capture.ask("/after")
    let reading = try capture.read()
    #expect(reading.summaries == ["GET /hit 200", "GET /after 200"])
    #expect((reading.record.notes["tls-records-lost"] ?? 0) > 20)
    #expect(reading.record.notes["tls-resynchronised"] == 1)
    #expect(reading.isBalanced)
  }

  @Test("a gap that holds a response costs that response alone")
  func lostResponse() throws {
    for suite in SyntheticTLS.Suite.all {
      var capture = Lossy(suite)
      capture.ask("/1")
      capture.builder.add(capture.session.seal(.client, request("/2")), .client, &capture.talk)
      capture.send(
        capture.session.seal(.server, response(200, body: 5)), .server, without: 0..<1)
      capture.ask("/3")
      let reading = try capture.read()
      #expect(reading.summaries == ["GET /1 200", "GET /2 gap", "GET /3 200"], "\(suite)")
      #expect(reading.isBalanced)
    }
  }

  @Test("more records lost than are tried ends the direction, and says so")
  func tooMany() throws {
    var capture = Lossy(.aes128)
    capture.ask("/1")
    var records: [UInt8] = []
    for _ in 0...(CaptureLimits.tlsRecordsAhead + 10) {
      records += capture.session.seal(.server, "lost")
    }
    capture.send(records, .server, without: 0..<1000)
    capture.ask("/2")
    let reading = try capture.read()
    #expect(reading.summaries == ["GET /1 200", "GET /2 gap"])
    #expect(reading.isBalanced)
  }

  @Test("a KeyUpdate in a gap is found out")
  func lostUpdate() throws {
    var capture = Lossy(.aes128)
    capture.ask("/1")
    capture.send(capture.session.updateKey(.server), .server, without: 0..<1)
    capture.ask("/2")
    capture.ask("/3")
    let reading = try capture.read()
    // The answer to /2 was read although it is not known what else was lost before it.
    #expect(reading.summaries == ["GET /1 200", "GET /2 200", "GET /3 200"])
  }

  @Test("a gap in the certificates costs nothing")
  func lostCertificate() throws {
    for suite in SyntheticTLS.Suite.all {
      var session = SyntheticTLS(suite)
      var builder = CaptureBuilder()
      var talk = Conversation(serverPort: 443)
      builder.add(talk.open())
      for (index, turn) in session.handshake().enumerated() {
        guard index == 1 else {
          builder.add(turn, index % 2 == 0 ? .client : .server, &talk)
          continue
        }
        builder.add(talk.send(.server, Array(turn[..<1200])))
        _ = talk.send(.server, Array(turn[1200..<2000]))
        builder.add(talk.send(.server, Array(turn[2000...])))
      }
      builder.add(session.seal(.client, request("/")), .client, &talk)
      builder.add(session.seal(.server, response(200)), .server, &talk)
      builder.add(talk.close())
      let reading = try Reading(builder.pcap(), keys: session.keyLog())
      #expect(reading.summaries == ["GET / 200"], "\(suite)")
      // No data can have been among it: nothing of HTTP is lost.
      #expect(reading.record.notes["resynchronised"] == nil)
      #expect(reading.isBalanced)
    }
  }

  @Test("a gap in the hello ends the decryption")
  func lostHello() throws {
    var session = SyntheticTLS(.aes128)
    session.serverName = String(repeating: "a", count: 200)
    var builder = CaptureBuilder()
    var talk = Conversation(serverPort: 443)
    builder.add(talk.open())
    let turns = session.handshake()
    builder.add(talk.send(.client, Array(turns[0][..<100])))
    _ = talk.send(.client, Array(turns[0][100..<150]))
    builder.add(talk.send(.client, Array(turns[0][150...])))
    builder.add(turns[1], .server, &talk)
    builder.add(turns[2], .client, &talk)
    let reading = try Reading(builder.pcap(), keys: session.keyLog())
    #expect(reading.exchanges.isEmpty)
    #expect(reading.isBalanced)
    #expect(reading.record.notes["tls-decrypted"] == nil)
    #expect(reading.record.warnings.count == 2)
  }

  @Test("a record that was damaged costs itself alone")
  func damaged() throws {
    for suite in SyntheticTLS.Suite.all {
      var capture = Lossy(suite)
      capture.ask("/1")
      let body = Array(response(200, body: 300).utf8)
      capture.builder.add(capture.session.seal(.client, request("/2")), .client, &capture.talk)
      for start in stride(from: 0, to: body.count, by: 100) {
        var record = capture.session.seal(
          .server, Array(body[start..<min(start + 100, body.count)]))
        if start == 100 { record[40] ^= 1 }
        capture.builder.add(record, .server, &capture.talk)
      }
      capture.ask("/3")
      let reading = try capture.read()
      #expect(reading.summaries == ["GET /1 200", "GET /2 200", "GET /3 200"], "\(suite)")
      #expect(reading.record.notes["tls-records-not-opened"] == 1)
    }
  }

  @Test("a snapshot length that cuts bodies costs nothing else")
  func snapshots() throws {
    var capture = Lossy(.aes128)
    let body = Array(response(200, body: 5000).utf8)
    capture.builder.snapshotLength = 600
    for target in ["/1", "/2"] {
      capture.builder.add(
        capture.session.seal(.client, request(target)), .client, &capture.talk)
      capture.builder.add(
        capture.session.seal(.server, Array(body[..<80])), .server, &capture.talk)
      capture.builder.add(
        capture.session.seal(.server, Array(body[80...])), .server, &capture.talk)
    }
    let reading = try capture.read()
    #expect(reading.summaries == ["GET /1 200", "GET /2 200"])
    #expect((reading.record.notes["snapped-segments"] ?? 0) > 1)
  }

  // MARK: Hostile input

  @Test("every prefix of a session is read without a crash")
  func prefixes() throws {
    for suite in [SyntheticTLS.Suite.aes128, SyntheticTLS.Suite.all[3]] {
      var session = SyntheticTLS(suite)
      session.offersEarlyData = true
      let turns = session.handshake()
      let question = session.seal(.client, request("/"))
      let answer = session.seal(.server, response(200))
      let streams = [turns[0] + turns[2] + question, turns[1] + turns[3] + answer]
      for side in 0...1 {
        for length in stride(from: 1, to: streams[side].count, by: 7) {
          let connection = TLSConnection(
            keys: TLSKeys(session.keyLog()), deliver: { _, _, _ in }, miss: { _, _, _, _ in })
          for (index, stream) in streams.enumerated() {
            let part = index == side ? Array(stream[..<length]) : stream
            part.withByteView { connection.receive(index, $0, Mark()) }
          }
          connection.lose(side, .max, gapEnd: 0, Mark())
          streams[side].withByteView { connection.receive(side, $0, Mark()) }
          connection.end(side, Mark())
          #expect(connection.heldBytes < 200_000)
        }
      }
    }
  }

  @Test("mutated sessions are read without a crash, and nothing leaks")
  func mutations() throws {
    var generator = SeededGenerator(seed: 41)
    for suite in SyntheticTLS.Suite.all {
      var capture = Lossy(suite)
      for index in 0..<4 { capture.ask("/\(index)", body: 900) }
      if suite.isTLS13 {
        capture.builder.add(capture.session.updateKey(.server), .server, &capture.talk)
      }
      capture.ask("/last")
      let whole = capture.builder.pcap()
      for _ in 0..<150 {
        var bytes = whole
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
          let place = Int.random(in: 24..<bytes.count, using: &generator)
          switch Int.random(in: 0...3, using: &generator) {
          case 0: bytes[place] = .random(in: 0...255, using: &generator)
          case 1: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
          case 2: bytes.remove(at: place)
          default:
            let end = min(bytes.count, place + Int.random(in: 1...64, using: &generator))
            for index in place..<end { bytes[index] = .random(in: 0...255, using: &generator) }
          }
        }
        let reading = try Reading(bytes, keys: capture.session.keyLog())
        #expect(reading.isBalanced)
      }
    }
  }

  @Test("streams of record headers do not take quadratic time")
  func headers() throws {
    var capture = Lossy(.aes128)
    capture.ask("/1")
    capture.send([UInt8](repeating: 1, count: 1000), .server, without: 0..<1)
    let headers = [[UInt8]](repeating: [23, 3, 3, 0x3F, 0xFF], count: 80_000).flatMap { $0 }
    capture.send(headers, .server, without: 0..<0)
    let reading = try capture.read()
    #expect(reading.isBalanced)
    #expect(reading.record.notes["tls-directions-given-up"] == 1)
  }
}
