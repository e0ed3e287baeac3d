import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("HTTP/2 streams")
struct HTTP2StreamTests {
  /// A conversation and what it gives.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var expected: [String]
    var notes: [String: UInt64]
    var build: @Sendable (inout HTTP2Talk) -> Void

    init(
      _ name: String, _ expected: [String], _ notes: [String: UInt64] = [:],
      _ build: @escaping @Sendable (inout HTTP2Talk) -> Void
    ) {
      testDescription = name
      self.expected = expected
      self.notes = notes
      self.build = build
    }
  }

  static let cases = [
    Case("interleaved streams", ["GET /3 404", "GET /1 200", "GET /5 204"]) { talk in
      talk.say(
        .client,
        talk.client.request(1, "/1") + talk.client.request(3, "/3")
          + talk.client.request(5, "/5"))
      talk.say(.server, talk.server.response(3, 404, ends: false) + Frames.data(3, 10, ends: false))
      talk.say(.server, talk.server.response(1, 200, ends: false) + Frames.data(3, 5000))
      talk.say(.server, Frames.data(1, 0) + talk.server.response(5, 204))
    },
    Case("CONTINUATION, padding and priority", ["GET /1 200", "GET /3 200"]) { talk in
      talk.say(
        .client,
        talk.client.request(
          1, "/1", [("x-a", String(repeating: "a", count: 40))], pieces: 5, padding: 9,
          hasPriority: true) + Frames.frame(FrameType.priority, stream: 3, [0, 0, 0, 1, 5])
          + talk.client.request(3, "/3", padding: 0))
      talk.say(
        .server,
        talk.server.response(1, 200, [("server", "x")], pieces: 3, padding: 255)
          + talk.server.response(3, 200, pieces: 1))
    },
    Case(
      "a body, trailers and an interim response", ["POST /1 201", "GET /3 200"],
      ["interim-responses": 2]
    ) {
      talk in
      talk.say(
        .client,
        talk.client.request(1, "/1", method: "POST", ends: false)
          + Frames.data(1, 3000, ends: false) + talk.client.headers(1, [("x-sum", "1")]))
      talk.say(
        .server,
        talk.server.response(1, 100, ends: false)
          + talk.server.response(1, 103, [("link", "</a>")], ends: false)
          + talk.server.response(1, 201, ends: false) + Frames.data(1, 20, ends: false)
          + talk.server.headers(1, [("grpc-status", "0")]))
      talk.say(.client, talk.client.request(3, "/3"))
      talk.say(.server, talk.server.response(3, 200))
    },
    Case("unknown frames are skipped", ["GET /1 200"]) { talk in
      talk.say(
        .client,
        Frames.frame(0xBA, flags: 255, stream: 77, [1, 2, 3]) + Frames.ping
          + talk.client.request(1, "/1") + Frames.frame(0x10, [0, 0, 0, 1, 117]))
      talk.say(
        .server, Frames.frame(FrameType.windowUpdate, [0, 0, 0, 1]) + talk.server.response(1, 200))
    },
    Case("a frame longer than any was allowed", ["GET /1 200", "GET /3 200"]) { talk in
      talk.say(.client, talk.client.request(1, "/1") + talk.client.request(3, "/3"))
      talk.say(.server, talk.server.response(1, 200, ends: false))
      talk.say(.server, Frames.data(1, 90_000) + talk.server.response(3, 200))
    },
    Case(
      "a pushed response keeps the table and is counted", ["GET /1 200", "GET /3 200"],
      ["pushed-responses": 1]
    ) { talk in
      talk.say(.client, talk.client.request(1, "/1"))
      for (name, value) in [(":method", "GET"), (":path", "/pushed"), ("x-pushed", "1")] {
        talk.server.encoder.add(name, value)
      }
      talk.say(
        .server,
        Frames.frame(
          FrameType.pushPromise, flags: 0x0C, stream: 1,
          [2, 0, 0, 0, 2] + talk.server.encoder.take() + [0, 0]))
      talk.say(.server, talk.server.response(1, 200, [("x-pushed", "1")]))
      talk.say(.server, talk.server.response(2, 200))
      talk.say(.client, talk.client.request(3, "/3"))
      talk.say(.server, talk.server.response(3, 200, [("x-pushed", "1")]))
    },
    Case(
      "a refused stream is one call with its retry", ["GET /1 200"], ["refused-streams": 1]
    ) { talk in
      talk.say(.client, talk.client.request(1, "/1"))
      talk.say(.server, Frames.reset(1, 7))
      talk.say(.client, talk.client.request(3, "/1"))
      talk.say(.server, talk.server.response(3, 200))
    },
    Case(
      "so is one above the last stream of GOAWAY", ["GET /1 200"], ["refused-streams": 3]
    ) { talk in
      talk.say(
        .client,
        talk.client.request(1, "/1") + talk.client.request(3, "/3")
          + talk.client.request(5, "/5"))
      talk.say(.server, Frames.goAway(last: .max >> 1) + Frames.goAway(last: 1))
      talk.say(.client, talk.client.request(7, "/7"))
      talk.say(.server, talk.server.response(1, 200))
    },
    Case("a reset by the client", ["GET /1 clientClosed", "GET /3 200"], ["late-answers": 1]) {
      talk in
      talk.say(.client, talk.client.request(1, "/1") + Frames.reset(1, 8))
      talk.say(.server, talk.server.response(1, 200, ends: false))
      talk.say(.client, talk.client.request(3, "/3"))
      talk.say(.server, talk.server.response(3, 200))
    },
    Case("a reset by the server", ["GET /1 serverClosed", "GET /3 200"]) { talk in
      talk.say(.client, talk.client.request(1, "/1") + talk.client.request(3, "/3"))
      talk.say(
        .server, Frames.reset(1, 2) + talk.server.response(3, 200, ends: false) + Frames.reset(3, 8)
      )
    },
    Case("the server closes", ["GET /1 serverClosed", "GET /3 serverClosed"]) { talk in
      talk.say(.client, talk.client.request(1, "/1") + talk.client.request(3, "/3"))
      talk.close(by: .server)
    },
    Case("the client closes", ["GET /1 clientClosed"]) { talk in
      talk.say(.client, talk.client.request(1, "/1"))
      talk.close(by: .client)
    },
    Case("the capture ends", ["GET /1 unanswered", "GET /3 unanswered"]) { talk in
      talk.say(.client, talk.client.request(1, "/1") + talk.client.request(3, "/3"))
    },
    Case("the server's stream ends without a response", ["GET /1 serverClosed"]) { talk in
      talk.say(.client, talk.client.request(1, "/1"))
      talk.say(.server, Frames.data(1, 3))
    },
    Case("a tunnel", ["CONNECT /db.example:5432 200"], ["connect-tunnels": 1]) { talk in
      talk.say(
        .client,
        talk.client.headers(
          1, [(":method", "CONNECT"), (":authority", "db.example:5432")], ends: false))
      talk.say(.server, talk.server.response(1, 200, ends: false))
    },
  ]

  @Test("requests meet their responses", arguments: cases, [1400, 9, 1])
  func pairing(_ item: Case, _ segment: Int) throws {
    var talk = HTTP2Talk(segment: segment)
    item.build(&talk)
    let reading = try talk.reading()
    #expect(reading.summaries == item.expected)
    #expect(reading.isBalanced)
    #expect(reading.early == 0)
    #expect(reading.record.notes["http2-connections"] == 1)
    for (name, count) in item.notes { #expect(reading.record.notes[name] == count) }
    for name in ["malformed-frames", "unknown-fields", "header-blocks-damaged", "resynchronised"] {
      #expect(reading.record.notes[name] == nil)
    }
    #expect(Set(reading.exchanges.map(\.id)).count == reading.exchanges.count)
  }

  @Test("an exchange has its fields, times and URL")
  func exchange() throws {
    var talk = HTTP2Talk(segment: 50)
    let start = talk.builder.time
    talk.say(
      .client,
      talk.client.request(
        1, "/a?token=abcdefabcdefabcdefabcdef", method: "OPTIONS",
        [
          ("origin", "http://app.example"), ("access-control-request-method", "PUT"),
          ("cookie", "a=1"), ("cookie", "b=2"), ("user-agent", "Browser/1"), ("x-other", "secret"),
          ("te", "trailers"),
        ]))
    talk.say(
      .server,
      talk.server.response(
        1, 204,
        [
          ("access-control-allow-origin", "http://app.example"),
          ("access-control-allow-origin", " * "), ("x-unkept", "1"), ("set-cookie", "s=secret"),
        ]))
    let end = talk.builder.time - talk.builder.step
    let exchange = try #require(try talk.reading(keepsAll: false).exchanges.first)
    #expect(exchange.startedAt == EventTime(nanoseconds: start))
    #expect(exchange.endedAt == EventTime(nanoseconds: end))
    #expect(exchange.method == "OPTIONS" && exchange.status == 204)
    #expect(exchange.httpVersion == "HTTP/2" && exchange.ending == .complete)
    #expect(exchange.url.description.hasPrefix("http://api.example:8080/a?token=~"))
    #expect(exchange.userAgent == "Browser/1" && exchange.client == "192.0.2.1")
    #expect(exchange.request.coverage == .complete && exchange.response.coverage == .complete)
    #expect(
      exchange.request.fields.map { "\($0.name) \($0.value ?? "-")" } == [
        "origin http://app.example", "access-control-request-method PUT", "cookie -", "cookie -",
        "x-other -",
      ])
    #expect(
      exchange.response.fields.map { "\($0.name) \($0.value ?? "-")" } == [
        "access-control-allow-origin http://app.example", "access-control-allow-origin *",
        "set-cookie -",
      ])
  }

  @Test("the authority names the host of each request, and the scheme is the request's")
  func coalescing() throws {
    var talk = HTTP2Talk()
    for (index, host) in ["a.example", "b.example:444"].enumerated() {
      let stream = UInt32(index * 2 + 1)
      talk.say(
        .client,
        talk.client.headers(
          stream,
          [(":method", "GET"), (":scheme", "https"), (":authority", host), (":path", "/")]))
      talk.say(.server, talk.server.response(stream, 200))
    }
    talk.say(
      .client,
      talk.client.headers(
        5, [(":method", "GET"), (":scheme", "odd"), (":path", "/"), ("host", "c.example")]))
    let urls = try talk.reading().exchanges.map(\.url.description)
    #expect(urls == ["https://a.example/", "https://b.example:444/", "http://c.example/"])
  }

  @Test("an extended CONNECT is a websocket")
  func websocket() throws {
    var talk = HTTP2Talk()
    talk.say(
      .client,
      talk.client.headers(
        1,
        [
          (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
          (":path", "/chat"), (":authority", "a.example"), ("origin", "https://b.example"),
        ], ends: false))
    talk.say(.server, talk.server.response(1, 200, ends: false))
    let reading = try talk.reading(keepsAll: false)
    #expect(reading.summaries == ["CONNECT /chat 200"])
    #expect(reading.exchanges.first?.request.first(.upgrade) == "websocket")
    #expect(reading.record.notes["upgraded-connections"] == 1)
  }

  @Test("an upgrade makes the request that of stream 1", arguments: [0, 500], [1400, 7])
  func upgrade(_ body: Int, _ segment: Int) throws {
    var talk = HTTP2Talk(segment: segment, opens: false)
    talk.builder.add(talk.talk.open())
    let text =
      "POST /1 HTTP/1.1\r\nHost: api.example:8080\r\nOrigin: http://app.example\r\n"
      + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
      + "Content-Length: \(body)\r\n\r\n"
    talk.say(.client, Array(text.utf8) + [UInt8](repeating: 0x62, count: body / 2))
    talk.say(
      .server,
      Array("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n".utf8)
        + Frames.settings)
    talk.say(
      .client, [UInt8](repeating: 0x62, count: body - body / 2) + Frames.preface + Frames.settings)
    talk.say(
      .server,
      talk.server.response(1, 200, [("access-control-allow-origin", "*")], ends: false)
        + Frames.data(1, 10))
    talk.say(.client, talk.client.request(3, "/3"))
    talk.say(.server, talk.server.response(3, 200))
    let reading = try talk.reading()
    #expect(reading.summaries == ["POST /1 200", "GET /3 200"])
    #expect(reading.exchanges.map(\.httpVersion) == ["HTTP/2", "HTTP/2"])
    #expect(reading.exchanges[0].request.first(.origin) == "http://app.example")
    #expect(reading.exchanges[0].response.first(.accessControlAllowOrigin) == "*")
    #expect(reading.isBalanced && reading.early == 0)
    #expect(reading.record.notes["upgraded-connections"] == 1)
    #expect(reading.record.notes["http2-connections"] == 1)
  }

  @Test(
    "bytes of whatever layer are read, and its scheme is that of the exchanges",
    arguments: [1, 7, 999])
  func otherLayer(_ piece: Int) throws {
    var client = Frames()
    var server = Frames()
    var options = IngestOptions()
    options.keepsAll = true
    let builder = ExchangeBuilder(source: "test", options: options)
    let connections = Connections(builder: builder, keys: TLSKeys(TLSKeyLog()))
    let flow = connections.table.insert(FlowKey(), at: 0)
    flow.pointee.layer = .tls
    flow.pointee.isSecure = true
    connections.beginHTTP2(flow, clientSide: 0, client: .preface(leading: 0), server: .frames)
    var mark = Mark()
    func feed(_ side: Int, _ bytes: [UInt8]) {
      for start in stride(from: 0, to: bytes.count, by: piece) {
        mark.time += 1
        mark.number += 1
        bytes[start..<min(start + piece, bytes.count)].withByteView {
          connections.feedHTTP2(flow, side, $0, mark)
        }
      }
    }
    feed(
      0,
      Frames.preface
        + client.headers(
          1, [(":method", "GET"), (":authority", "a.example"), (":path", "/1")])
        + client.request(3, "/3"))
    feed(1, Frames.settings + server.response(1, 200, ends: false))
    feed(1, Array(Frames.data(1, 100).prefix(50)))
    connections.loseHTTP2(flow, 1, 59, mark)
    feed(1, server.response(3, 204))
    feed(0, client.request(5, "/5"))
    connections.loseHTTP2(flow, 1, .max, mark)
    connections.finishAll()
    let exchanges = builder.takeExchanges()
    #expect(exchanges.map(\.url.description).first == "https://a.example/1")
    #expect(exchanges.map(\.status) == [200, 204, nil])
    #expect(exchanges.map(\.ending) == [.complete, .complete, .gap])
    #expect(connections.tableBytes == 0 && connections.requestCount == 0)
  }
}
