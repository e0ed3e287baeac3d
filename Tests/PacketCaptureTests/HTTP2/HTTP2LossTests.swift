import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("HTTP/2 with losses")
struct HTTP2LossTests {
  static let cors = [("access-control-allow-origin", "https://app.example")]

  /// Three requests with their responses, of which some bytes are not captured.
  static func talk(
    _ lose: (inout HTTP2Talk, _ side: Conversation.Side, _ index: Int, _ bytes: [UInt8]) -> Bool
  ) throws -> Reading {
    var talk = HTTP2Talk()
    for index in 0..<4 {
      let stream = UInt32(index * 2 + 1)
      let request = talk.client.request(stream, "/\(index)", [("origin", "https://app.example")])
      if !lose(&talk, .client, index, request) { talk.say(.client, request) }
      let response =
        talk.server.response(stream, 200, cors, ends: false) + Frames.data(stream, 2000)
      if !lose(&talk, .server, index, response) { talk.say(.server, response) }
    }
    return try talk.reading()
  }

  @Test("a gap inside a body costs nothing")
  func body() throws {
    let reading = try Self.talk { talk, side, index, bytes in
      guard side == .server, index == 1 else { return false }
      talk.say(.server, Array(bytes.prefix(bytes.count - 1500)))
      talk.miss(.server, Array(bytes.suffix(1500).prefix(1000)))
      talk.say(.server, Array(bytes.suffix(500)))
      return true
    }
    #expect(reading.summaries == ["GET /0 200", "GET /1 200", "GET /2 200", "GET /3 200"])
    #expect(reading.record.notes["gaps"] == 1)
    #expect(reading.record.notes["unknown-fields"] == nil)
    #expect(reading.isBalanced && reading.early == 0)
  }

  @Test("a response that is lost costs itself and what later ones refer to")
  func lostResponse() throws {
    let reading = try Self.talk { talk, side, index, bytes in
      guard side == .server, index == 0 else { return false }
      talk.miss(.server, bytes)
      return true
    }
    #expect(reading.summaries.sorted() == ["GET /0 gap", "GET /1 200", "GET /2 200", "GET /3 200"])
    for exchange in reading.exchanges where exchange.status != nil {
      #expect(exchange.response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
      #expect(exchange.request.coverage == .complete)
    }
    #expect(reading.record.notes["unknown-fields"] == 3)
    #expect(reading.record.notes["resynchronised"] == 1)
    #expect(reading.isBalanced && reading.early == 0)
  }

  @Test("a lost request leaves its response alone, and names unknown in later ones")
  func lostRequest() throws {
    let reading = try Self.talk { talk, side, index, bytes in
      guard side == .client, index == 0 else { return false }
      talk.miss(.client, bytes)
      return true
    }
    #expect(reading.summaries == ["- - 200", "GET /1 200", "GET /2 200", "GET /3 200"])
    let later = reading.exchanges[2]
    #expect(later.url.host == nil)
    #expect(later.request.evidence(of: .origin) == .unrecorded)
    #expect(
      later.response.evidence(of: .accessControlAllowOrigin)
        == .recorded(["https://app.example"], .exact))
    #expect(reading.isBalanced && reading.early == 0)
  }

  @Test("a gap inside a header block keeps the frames behind it", arguments: [10, 14, 25])
  func cutBlock(_ length: Int) throws {
    let reading = try Self.talk { talk, side, index, bytes in
      guard side == .server, index == 0 else { return false }
      talk.say(.server, Array(bytes.prefix(length)))
      talk.miss(.server, Array(bytes[length..<length + 3]))
      talk.say(.server, Array(bytes[(length + 3)...]))
      return true
    }
    #expect(reading.exchanges.count == 4)
    #expect(reading.record.notes["resynchronised"] == nil)
    let first = try #require(reading.exchanges.first { $0.url.target == "/0" })
    #expect(first.ending == .gap)
    #expect(first.response.coverage == .truncated)
    #expect(reading.isBalanced && reading.early == 0)
  }

  @Test(
    "a connection that began before the capture gives what can be known", arguments: [false, true])
  func midway(_ isResized: Bool) throws {
    var talk = HTTP2Talk(opens: false)
    // Seen by nobody.
    _ = talk.client.request(1, "/before", [("origin", "https://app.example")])
    _ = talk.server.response(1, 200, Self.cors)
    for index in 0..<3 {
      let stream = UInt32(index * 2 + 3)
      if isResized, index == 1 {
        for size in [0, 4096] {
          talk.client.encoder.resize(size)
          talk.server.encoder.resize(size)
        }
      }
      talk.say(
        .client,
        talk.client.request(
          stream, "/\(index)", [("origin", "https://app.example"), ("x-new", "1")]))
      talk.say(.server, talk.server.response(stream, 200, Self.cors + [("server", "s")]))
    }
    let reading = try talk.reading()
    #expect(reading.summaries == ["GET /0 200", "GET /1 200", "GET /2 200"])
    #expect(reading.record.notes["http2-connections"] == 1)
    #expect(reading.record.notes["http2-connections-without-start"] == 1)
    for (index, exchange) in reading.exchanges.enumerated() {
      let isKnown = isResized && index > 0
      #expect(exchange.response.first(.server) == "s")
      #expect(exchange.request.contains(HeaderName("x-new")))
      #expect(exchange.url.host == (isKnown ? "api.example" : nil))
      #expect(exchange.request.coverage == (isKnown ? .complete : .truncated))
      #expect(
        exchange.response.evidence(of: .accessControlAllowOrigin)
          == (isKnown ? .recorded(["https://app.example"], .exact) : .unrecorded))
    }
    #expect(reading.isBalanced && reading.early == 0)
  }

  @Test("frames of which nothing can be decoded are counted as such")
  func notDecoded() throws {
    var talk = HTTP2Talk(opens: false)
    for _ in 0..<3 { talk.say(.server, Frames.ping + Frames.data(77, 30, ends: false)) }
    let reading = try talk.reading()
    #expect(reading.exchanges.isEmpty)
    #expect(reading.record.notes["http2-connections-not-decoded"] == 1)
    #expect(reading.record.notes["http2-connections"] == nil)
  }

  @Test("an idle connection hides nothing")
  func idle() throws {
    var talk = HTTP2Talk(opens: false)
    for _ in 0..<3 {
      talk.say(.client, Frames.ping)
      talk.say(.server, Frames.ping)
    }
    let reading = try talk.reading()
    #expect(reading.record.notes["http2-connections-not-decoded"] == nil)
    #expect(reading.record.notes["http2-connections"] == 1)
  }

  @Test("a server that speaks first is HTTP/2 too")
  func serverFirst() throws {
    var talk = HTTP2Talk(opens: false)
    talk.builder.add(talk.talk.open())
    talk.say(.server, Frames.settings)
    talk.say(.client, Frames.preface + Frames.settings + talk.client.request(1, "/1"))
    talk.say(.server, talk.server.response(1, 200, Self.cors))
    talk.say(.client, talk.client.request(3, "/3"))
    talk.say(.server, talk.server.response(3, 200, Self.cors))
    let reading = try talk.reading()
    #expect(reading.summaries == ["GET /1 200", "GET /3 200"])
    #expect(reading.exchanges.allSatisfy { $0.response.coverage == .complete })
    #expect(reading.record.notes["http2-connections-without-start"] == nil)
  }

  // MARK: Limits and hostile input

  @Test("more streams than are believed are given out and counted")
  func streamLimit() throws {
    var talk = HTTP2Talk()
    let extra = 70
    for index in 0..<(CaptureLimits.streamsPerConnection + extra) {
      talk.say(.client, talk.client.request(UInt32(index * 2 + 1), "/\(index)"))
    }
    let reading = try talk.reading()
    #expect(reading.exchanges.count == CaptureLimits.streamsPerConnection + extra)
    #expect(reading.record.notes["stream-limit-reached"] == UInt64(extra))
    #expect(reading.isBalanced && reading.early == 0)
  }

  @Test("streams whose end is never seen make room for others")
  func endlessStreams() throws {
    var talk = HTTP2Talk()
    for index in 0..<3000 {
      let stream = UInt32(index * 2 + 1)
      talk.say(.client, talk.client.request(stream, "/\(index)"))
      talk.say(.server, talk.server.response(stream, 200, ends: false))
    }
    let reading = try talk.reading()
    #expect(reading.exchanges.count == 3000)
    #expect(reading.exchanges.allSatisfy { $0.status == 200 && $0.startedAt != nil })
    #expect(reading.record.notes["stream-limit-reached"] == nil)
  }

  @Test("a flood of CONTINUATION frames is cut, and the connection goes on")
  func continuationFlood() throws {
    var talk = HTTP2Talk()
    talk.say(.client, talk.client.request(1, "/1"))
    for index in 0..<200 {
      talk.server.encoder.add("x-\(index)", String(repeating: "v", count: 1000))
    }
    talk.say(.server, Frames.headers(1, [0x88] + talk.server.encoder.take(), pieces: 400))
    talk.say(.client, talk.client.request(3, "/3"))
    talk.say(.server, Frames.headers(3, [0x89]))
    let reading = try talk.reading()
    #expect(reading.summaries == ["GET /1 200", "GET /3 204"])
    #expect(reading.exchanges[0].response.coverage == .truncated)
    #expect(reading.record.notes["header-blocks-too-long"] == 1)
    #expect(reading.isBalanced)
  }

  @Test("a flood that never ends is not kept")
  func endlessFlood() throws {
    var talk = HTTP2Talk(segment: 1400)
    let block = [UInt8](repeating: 0x82, count: 1000)
    talk.say(.client, Frames.frame(FrameType.headers, flags: 1, stream: 1, block))
    for _ in 0..<300 { talk.say(.client, Frames.frame(FrameType.continuation, stream: 1, block)) }
    let reading = try talk.reading()
    #expect(reading.isBalanced && reading.early == 0)
    #expect(reading.record.notes["header-blocks-too-long"] == 1)
  }

  @Test("a frame between those of a header block costs the block")
  func interruptedBlock() throws {
    var talk = HTTP2Talk()
    let block = talk.client.request(1, "/1", pieces: 2)
    let first = 9 + Int(block[2])
    talk.say(.client, Array(block[..<first]) + Frames.ping + Array(block[first...]))
    talk.say(.client, talk.client.request(3, "/3"))
    talk.say(.server, talk.server.response(3, 200))
    let reading = try talk.reading()
    #expect(reading.record.notes["malformed-frames"] == 1)
    #expect(reading.summaries.contains("GET /3 200"))
    #expect(reading.isBalanced)
  }

  /// All bytes of a conversation in both directions.
  static func conversation() -> [(Conversation.Side, [UInt8])] {
    var client = Frames()
    var server = Frames()
    server.encoder.isHuffman = true
    var steps: [(Conversation.Side, [UInt8])] = [
      (.client, Frames.preface + Frames.settings), (.server, Frames.settings + Frames.settingsAck),
    ]
    for index in 0..<4 {
      let stream = UInt32(index * 2 + 1)
      steps.append(
        (
          .client,
          client.request(
            stream, "/\(index)", [("origin", "https://a.example")], pieces: index + 1,
            padding: index)
        ))
      steps.append(
        (.server, server.response(stream, 200, cors, ends: false) + Frames.data(stream, 20)))
    }
    steps.append((.server, Frames.goAway(last: 7) + Frames.reset(7, 0)))
    return steps
  }

  @Test("any bytes may be missing or wrong", arguments: 1...300)
  func mutations(_ seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    var talk = HTTP2Talk(segment: Int.random(in: 1...60, using: &generator), opens: false)
    if seed % 3 != 0 { talk.builder.add(talk.talk.open()) }
    for (side, bytes) in Self.conversation() {
      var bytes = bytes
      switch Int.random(in: 0...5, using: &generator) {
      case 0:
        talk.miss(side, bytes)
        continue
      case 1:
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
            in: 0...255, using: &generator)
        }
      case 2:
        let start = Int.random(in: 0..<bytes.count, using: &generator)
        let end = Int.random(in: start...bytes.count, using: &generator)
        talk.say(side, Array(bytes[..<start]))
        talk.miss(side, Array(bytes[start..<end]))
        bytes = Array(bytes[end...])
      default:
        break
      }
      talk.say(side, bytes)
    }
    if seed % 2 == 0 { talk.close() }
    let reading = try talk.reading()
    #expect(reading.isBalanced)
    #expect(reading.early == 0)
    #expect(Set(reading.exchanges.map(\.id)).count == reading.exchanges.count)
  }

  @Test("every prefix of a conversation is read")
  func prefixes() throws {
    let steps = Self.conversation()
    for length in stride(from: 0, to: 500, by: 3) {
      var talk = HTTP2Talk(opens: false)
      talk.builder.add(talk.talk.open())
      var left = length
      for (side, bytes) in steps where left > 0 {
        talk.say(side, Array(bytes.prefix(left)))
        left -= bytes.count
      }
      let reading = try talk.reading()
      #expect(reading.isBalanced)
    }
  }
}
