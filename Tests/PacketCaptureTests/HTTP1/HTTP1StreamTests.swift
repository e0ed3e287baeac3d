import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("HTTP/1 streams")
struct HTTP1StreamTests {
  /// Texts of client and server in turn.
  static func reading(_ texts: [String], piece: Int = .max) throws -> Reading {
    let file = capture { builder, talk in
      for (index, text) in texts.enumerated() where !text.isEmpty {
        builder.add(
          talk.send(index % 2 == 0 ? .client : .server, text, inPiecesOf: min(piece, 1400)))
      }
    }
    return try Reading(file.pcap())
  }

  /// A conversation and what it gives.
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var texts: [String]
    var expected: [String]

    init(_ name: String, _ texts: [String], _ expected: [String]) {
      testDescription = name
      self.texts = texts
      self.expected = expected
    }
  }

  static let cases = [
    Case(
      "keep-alive", [request("/1"), response(200, body: 3), request("/2"), response(404)],
      ["GET /1 200", "GET /2 404"]),
    Case(
      "pipelining",
      [
        request("/1") + request("/2") + request("/3"),
        response(200, body: 9) + response(201) + response(202, body: 1),
      ],
      ["GET /1 200", "GET /2 201", "GET /3 202"]),
    Case(
      "chunked with an extension and trailers",
      [
        request("/1"),
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
          + "5;a=b\r\nhello\r\n1F\r\n\(String(repeating: "H", count: 31))\r\n0\r\nX: y\r\n\r\n",
        request("/2"), response(200),
      ], ["GET /1 200", "GET /2 200"]),
    Case(
      "a chunked request",
      [
        "POST /up HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nGET\r\n0\r\n\r\n"
          + request("/2"),
        response(200) + response(200),
      ], ["POST /up 200", "GET /2 200"]),
    Case(
      "a request with a body",
      [
        "PUT /1 HTTP/1.1\r\nContent-Length: 14\r\n\r\nGET / HTTP/1.1" + request("/2"),
        response(200) + response(201),
      ], ["PUT /1 200", "GET /2 201"]),
    Case(
      "HEAD, 204 and 304 have no body",
      [
        "HEAD /1 HTTP/1.1\r\n\r\n" + request("/2") + request("/3") + request("/4"),
        "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
          + "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n" + response(200),
      ],
      ["HEAD /1 200", "GET /2 204", "GET /3 304", "GET /4 200"]),
    Case(
      "interim responses do not answer",
      [
        request("/1"),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
          + response(200),
      ], ["GET /1 200"]),
    Case(
      "101 ends HTTP",
      [
        request("/ws", "Upgrade: websocket"),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}",
        request("/not-http"),
      ], ["GET /ws 101"]),
    Case(
      "CONNECT opens a tunnel in which HTTP is found again",
      [
        "CONNECT a.example:80 HTTP/1.1\r\n\r\n", "HTTP/1.1 200 Connection established\r\n\r\n",
        request("/inner"), response(200),
      ], ["CONNECT /a.example:80 200", "GET /inner 200"]),
    Case(
      "a refused CONNECT opens none",
      ["CONNECT a.example:80 HTTP/1.1\r\n\r\n", response(403), request("/2"), response(200)],
      ["CONNECT /a.example:80 403", "GET /2 200"]),
    Case(
      "a body to the end of the connection",
      [request("/1"), "HTTP/1.0 200 OK\r\n\r\nbody HTTP/1.1 500 in it"], ["GET /1 200"]),
    Case(
      "bare line feeds and odd spacing",
      [
        "OPTIONS  /1  HTTP/1.1 \nHost : h\nOrigin:http://a.example\n\n",
        "HTTP/1.1   200\nContent-Length :\t 3\n\nabcHTTP/1.1 500 x\n\n",
      ], ["OPTIONS /1 200", "- - 500"]),
    Case(
      "empty lines between messages",
      [
        "\r\n\r\n" + request("/1") + "\r\n" + request("/2"),
        response(200) + "\r\n" + response(201),
      ], ["GET /1 200", "GET /2 201"]),
    Case(
      "more empty lines than anybody sends",
      [String(repeating: "\r\n", count: 30) + request("/1"), response(200)], ["GET /1 200"]),
    Case(
      "control characters are in no target, and a tab is no space",
      [
        "GET\t/a HTTP/1.1\r\nHost: h\r\n\r\nGET /\u{1} HTTP/1.1\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
      ], ["- - 400"]),
    Case(
      "as much white space in a status line as anybody sends",
      [
        request("/1") + request("/2"),
        "HTTP/1.1         200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.10 404\r\n\r\n",
      ], ["GET /1 200", "GET /2 404"]),
    Case(
      "a response before the request is whole",
      ["POST /1 HTTP/1.1\r\nContent-Length: 100000\r\n\r\nabc", response(413)], ["POST /1 413"]),
    Case(
      "equal lengths in a list are one",
      [
        request("/1"),
        "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\nabc" + response(201),
      ],
      ["GET /1 200", "- - 201"]),
    Case(
      "text that is no HTTP",
      ["EHLO example.org\r\n", "250 OK\r\n", "QUIT\r\n", "221 bye\r\n"], []),
  ]

  @Test("conversations", arguments: cases)
  func conversations(_ sample: Case) throws {
    let reading = try Self.reading(sample.texts)
    #expect(reading.summaries == sample.expected)
    #expect(reading.isBalanced)
    #expect(reading.early == 0)
  }

  @Test("conversations in segments of one to forty bytes give the same", arguments: cases)
  func pieces(_ sample: Case) throws {
    for piece in [1, 2, 3, 5, 7, 16, 40] {
      let reading = try Self.reading(sample.texts, piece: piece)
      #expect(reading.summaries == sample.expected, "pieces of \(piece)")
    }
  }

  @Test("a request behind bytes that are none is found at a segment's start, and counted")
  func behindOther() throws {
    let greeting = try Self.reading([
      "\u{5}\u{1}\u{0}", "\u{5}\u{0}", "\u{5}\u{1}\u{0}\u{1}", "\u{5}\u{0}", request("/1"),
      response(200),
    ])
    #expect(greeting.summaries == ["GET /1 200"])
    #expect(greeting.record.notes["resynchronised"] ?? 0 > 0)
    // Cut anywhere, no other request is made of it.
    let text = "BHEAD /\u{6}\u{9}\u{0}HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
    for piece in 1...40 {
      let reading = try Self.reading([text, response(200)], piece: piece)
      let requests = reading.exchanges.map(\.method).filter { !$0.isEmpty }
      #expect(requests.isEmpty || requests == ["HEAD"], "pieces of \(piece)")
      if !requests.isEmpty { #expect(reading.record.notes["resynchronised"] ?? 0 > 0) }
    }
  }

  @Test("a connection that shows nothing known for as long as the limit is given up, and counted")
  func undecided() throws {
    func reading(_ segments: Int, _ text: String) throws -> Reading {
      let file = capture { builder, talk in
        builder.add(talk.open())
        for _ in 0..<segments { builder.add(talk.send(.client, text)) }
        builder.add(talk.send(.client, request("/1")))
        builder.add(talk.send(.server, response(200)))
      }
      return try Reading(file.pcap())
    }
    let found = try reading(CaptureLimits.undecidedSegments - 1, "\u{1}\u{2}\u{3}")
    #expect(found.summaries == ["GET /1 200"])
    let lost = try reading(CaptureLimits.undecidedSegments, "\u{1}\u{2}\u{3}")
    #expect(lost.summaries.isEmpty && lost.record.notes["other-connections"] == 1)
    // One line that never ends, of which each piece may be the beginning of a request.
    let pieces = CaptureLimits.undecidedBytes / 1000 + 2
    let endless = try reading(
      pieces, String(repeating: "x", count: 32) + String(repeating: "y", count: 968))
    #expect(endless.isBalanced)
  }

  @Test("half a method behind lost bytes is no method")
  func halfMethod() throws {
    for (rest, isFound) in [("NS /2", false), ("PROPFIND /2", true), ("OPTIONS /2", true)] {
      let file = capture { builder, talk in
        builder.add(talk.open())
        builder.add(talk.send(.client, request("/1")))
        builder.add(talk.send(.server, response(200)))
        _ = talk.send(.client, "OPTIO")
        builder.add(talk.send(.client, "\(rest) HTTP/1.1\r\nHost: h\r\n\r\n"))
        builder.add(talk.send(.server, response(204)))
      }
      let reading = try Reading(file.pcap())
      let methods = reading.exchanges.map(\.method).filter { !$0.isEmpty && $0 != "GET" }
      #expect(methods.isEmpty == !isFound, "\(rest): \(methods)")
      #expect(reading.record.notes["gaps"] == 1, "\(rest)")
      #expect(isFound || reading.record.notes["bytes-that-are-not-http"] ?? 0 > 0)
    }
  }

  @Test("a head without an end is bounded")
  func endlessHead() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, "GET /bomb HTTP/1.1\r\n"))
      for index in 0..<2000 {
        builder.add(talk.send(.client, "X-\(index): \(String(repeating: "y", count: 90))\r\n"))
      }
      builder.add(talk.send(.client, "\r\n"))
      builder.add(talk.send(.server, response(431)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /bomb 431"])
    #expect(reading.exchanges.first?.request.coverage == .truncated)
    #expect(reading.record.notes["header-blocks-too-long"] == 1)
  }

  @Test("more pipelined requests than the limit are given out")
  func pipelineLimit() throws {
    let many = CaptureLimits.openRequestsPerConnection + 1
    let file = capture { builder, talk in
      for index in 0..<many { builder.add(talk.send(.client, request("/\(index)"))) }
    }
    let reading = try Reading(file.pcap())
    #expect(reading.exchanges.count == many)
    #expect(reading.record.notes["pipeline-limit-reached"] == 1)
  }

  @Test(
    "other protocols are counted",
    arguments: [
      ([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3] as [UInt8], "tls-connections")
    ])
  func others(start: [UInt8], note: String) throws {
    for piece in [1, 2, start.count] {
      let file = capture { builder, talk in
        for index in stride(from: 0, to: start.count, by: piece) {
          builder.add(
            talk.send(.client, Array(start[index..<min(index + piece, start.count)])))
        }
        builder.add(talk.send(.server, [22, 3, 3, 0, 5, 1, 2, 3, 4, 5]))
      }
      let reading = try Reading(file.pcap())
      #expect(reading.record.notes[note] == 1, "pieces of \(piece)")
      #expect(reading.record.warnings.count == 1)
      #expect(reading.exchanges.isEmpty)
    }
  }

  @Test("QUIC flows are counted once each")
  func quic() throws {
    var builder = CaptureBuilder()
    for index in 0..<6 {
      let client: [UInt8] = [10, 0, 0, UInt8(index % 2)]
      builder.add(Conversation.udp(client, [10, 9, 9, 9], ports: (5000, 443), [0xC0, 1, 2]))
      builder.add(Conversation.udp([10, 9, 9, 9], client, ports: (443, 5000), [0xC0, 1, 2]))
    }
    let reading = try Reading(builder.pcap())
    #expect(reading.record.notes["quic-connections"] == 2)
    #expect(reading.record.skipped["quic"] == 12)
  }

  @Test("a PROXY protocol header is skipped, and names the client")
  func proxyProtocol() throws {
    let binary: [UInt8] =
      Array("\r\n\r\n\0\r\nQUIT\n".utf8) + [
        0x21, 0x11, 0, 12, 203, 0, 113, 9, 1, 1, 1, 1, 1, 1, 0, 80,
      ]
    for header in [
      Array("PROXY TCP4 203.0.113.9 192.0.2.2 4711 80\r\n".utf8), binary,
    ] {
      for piece in [1, 5, 4000] {
        let file = capture { builder, talk in
          let bytes = header + Array(request("/").utf8)
          for start in stride(from: 0, to: bytes.count, by: piece) {
            builder.add(
              talk.send(.client, Array(bytes[start..<min(start + piece, bytes.count)])))
          }
          builder.add(talk.send(.server, response(200)))
        }
        let reading = try Reading(file.pcap())
        #expect(reading.summaries == ["GET / 200"])
        #expect(reading.exchanges.first?.forwardedFor == "203.0.113.9", "pieces of \(piece)")
      }
    }
    let v6 = try Self.reading([
      "PROXY TCP6 2001:db8::9 ::1 4711 80\r\n" + request("/"), response(200),
    ])
    #expect(v6.exchanges.first?.forwardedFor == "2001:db8::9")
  }

  @Test("randomly changed conversations are read without a crash")
  func mutations() throws {
    var generator = SeededGenerator(seed: 3)
    for round in 0..<200 {
      let sample = Self.cases[round % Self.cases.count]
      let file = capture { builder, talk in
        for (index, text) in sample.texts.enumerated() {
          var bytes = Array(text.utf8)
          for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            bytes[position] = UInt8.random(in: 0...255, using: &generator)
          }
          var start = 0
          while start < bytes.count {
            let end = min(bytes.count, start + Int.random(in: 1...60, using: &generator))
            let segment = talk.send(index % 2 == 0 ? .client : .server, Array(bytes[start..<end]))
            // Some are lost, some come twice.
            let copies = [0, 1, 1, 1, 1, 1, 1, 2].randomElement(using: &generator) ?? 1
            for _ in 0..<copies { builder.add(segment) }
            start = end
          }
        }
      }
      let reading = try Reading(file.pcap())
      #expect(reading.isBalanced, "round \(round)")
    }
  }
}
