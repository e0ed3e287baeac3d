import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("TCP connections")
struct ConnectionsTests {
  @Test("a connection that was found last is not found once it is forgotten")
  func forgotten() {
    var table = FlowTable()
    func key(_ port: UInt32) -> FlowKey {
      var key = FlowKey()
      key.ports = port
      return key
    }
    for port in 1...2000 as ClosedRange<UInt32> {
      #expect(table.find(key(port)) == nil)
      let flow = table.insert(key(port), at: 0)
      #expect(table.find(key(port)) == flow)
      #expect(table.find(key(port)) == flow)
      table.remove(flow)
      #expect(table.find(key(port)) == nil)
      let other = table.insert(key(port + 10_000), at: 0)
      #expect(table.find(key(port)) == nil)
      #expect(table.find(key(port + 10_000)) == other)
      if port > 1 { #expect(table.find(key(port + 9999)) != nil) }
    }
    while let flow = table.oldest { table.remove(flow) }
  }

  @Test("segments in any order give the stream in order")
  func reordering() throws {
    let text = request("/reordered", "Origin: http://a.example", "X-Filler: 0123456789")
    for seed in 0..<40 {
      var generator = SeededGenerator(seed: UInt64(seed))
      let file = capture { builder, talk in
        builder.add(talk.send(.client, text, inPiecesOf: 9).shuffled(using: &generator))
        builder.add(
          talk.send(.server, response(200, body: 90), inPiecesOf: 11)
            .shuffled(using: &generator))
      }
      let reading = try Reading(file.pcap())
      #expect(reading.summaries == ["GET /reordered 200"], "seed \(seed)")
      #expect(reading.exchanges.first?.request.first(.origin) == "http://a.example")
      #expect(reading.exchanges.first?.request.coverage == .complete)
      #expect(reading.early == 0)
    }
  }

  @Test("retransmissions and overlaps are read once")
  func retransmissions() throws {
    let file = capture { builder, talk in
      let first = talk
      let segment = talk.send(.client, request("/one"))
      builder.add([segment, segment])
      builder.add(
        first.packet(.client, Array((request("/one") + request("/two")).utf8)))
      talk.advance(.client, request("/two").utf8.count)
      let answer = talk.send(.server, response(200) + response(201))
      builder.add([answer, answer])
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /one 200", "GET /two 201"])
    #expect(reading.record.notes["retransmissions"] == 2)
    #expect(reading.record.skipped["tcp-retransmission"] == 2)
    #expect(reading.isBalanced)
  }

  @Test("of bytes that come twice while held the first copy counts, and a difference is noted")
  func differing() throws {
    let file = capture { builder, talk in
      let start = talk.clientNext
      let text = Array(request("/true").utf8)
      let other = Array(request("/fake").utf8)
      builder.add(talk.packet(.client, Array(text[3...]), sequence: start &+ 3))
      builder.add(talk.packet(.client, Array(other[3...]), sequence: start &+ 3))
      builder.add(talk.packet(.client, Array(text[..<3]), sequence: start))
      talk.advance(.client, text.count)
      builder.add(talk.send(.server, response(200)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /true 200"])
    #expect(reading.record.notes["retransmissions-that-differ"] == 1)
  }

  @Test(
    "sequence numbers wrap around", arguments: [0xFFFF_FFF0, 0xFFFF_FFFF, 0x7FFF_FFFA] as [UInt32])
  func wrap(initial: UInt32) throws {
    let file = capture(Conversation(clientInitial: initial, serverInitial: initial)) {
      builder, talk in
      for index in 0..<3 {
        builder.add(talk.send(.client, request("/\(index)"), inPiecesOf: 7).reversed())
        builder.add(talk.send(.server, response(200, body: 40), inPiecesOf: 13).reversed())
      }
    }
    #expect(
      try Reading(file.pcap()).summaries == ["GET /0 200", "GET /1 200", "GET /2 200"])
  }

  @Test("a response that the client received and the capture lost is a gap, no client that gave up")
  func unseenEnd() throws {
    for closesByServer in [false, true] {
      let file = capture { builder, talk in
        builder.add(talk.send(.client, request("/lost")))
        talk.advance(.server, response(200).utf8.count)
        let close = talk.close(by: closesByServer ? .server : .client)
        builder.add(closesByServer ? close : [close[0]])
      }
      let reading = try Reading(file.pcap())
      #expect(reading.summaries == ["GET /lost gap"])
      #expect(reading.record.notes["gaps"] == 1)
      #expect(
        reading.record.notes["gap-bytes"]
          == UInt64(response(200).utf8.count - (closesByServer ? 0 : 1)))
    }
    // The number of a FIN that was lost is no byte.
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/closed")))
      talk.advance(.server, 1)
      builder.add(talk.close(by: .client)[0])
    }
    #expect(try Reading(file.pcap()).summaries == ["GET /closed clientClosed"])
  }

  @Test("a gap costs the exchange that it hits, and no other")
  func gap() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/before")))
      builder.add(talk.send(.server, response(200)))
      builder.add(talk.send(.client, request("/hit")))
      talk.advance(.server, response(200).utf8.count)
      builder.add(talk.acknowledge(.client))
      builder.add(talk.send(.client, request("/after")))
      builder.add(talk.send(.server, response(204)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /before 200", "GET /hit gap", "GET /after 204"])
    #expect(reading.record.notes["gaps"] == 1)
  }

  @Test("a request lost in a gap leaves its response without a request")
  func requestGap() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/before")))
      builder.add(talk.send(.server, response(200)))
      talk.advance(.client, request("/lost").utf8.count)
      builder.add(talk.send(.server, response(404)))
      builder.add(talk.send(.client, request("/after")))
      builder.add(talk.send(.server, response(204)))
    }
    #expect(
      try Reading(file.pcap()).summaries == ["GET /before 200", "- - 404", "GET /after 204"])
  }

  @Test("a gap inside a body of known length costs nothing")
  func gapInBody() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/one")))
      builder.add(talk.send(.server, response(200, body: 0).replacing("th: 0", with: "th: 3000")))
      talk.advance(.server, 1000)
      builder.add(talk.send(.server, String(repeating: "x", count: 1000)))
      talk.advance(.server, 1000)
      builder.add(talk.acknowledge(.client))
      builder.add(talk.send(.client, request("/two")))
      builder.add(talk.send(.server, response(201)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /one 200", "GET /two 201"])
    #expect(reading.record.notes["gaps"] == 2)
  }

  @Test("a hole that nobody acknowledges is given up after a while")
  func unacknowledged() throws {
    var builder = CaptureBuilder()
    var talk = Conversation()
    builder.add(talk.send(.client, request("/one")))
    talk.advance(.client, 100)
    builder.add(talk.send(.client, request("/two")))
    builder.time += 3_000_000_000
    builder.add(talk.send(.client, request("/three")))
    let reading = try Reading(builder.pcap())
    #expect(
      reading.summaries == ["GET /one unanswered", "GET /two unanswered", "GET /three unanswered"])
    #expect(reading.record.notes["one-sided-connections"] == 1)
    #expect(reading.record.notes["connections-without-start"] == 1)
  }

  @Test("a connection that began before the capture is picked up at the next message")
  func midStream() throws {
    let file = capture(opens: false) { builder, talk in
      builder.add(talk.send(.server, "the end of a body that nobody saw the beginning of"))
      builder.add(talk.send(.client, request("/one")))
      builder.add(talk.send(.server, response(200)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /one 200"])
  }

  @Test("a new SYN between the same ends is a new connection")
  func portReuse() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/one")))
      talk = Conversation(clientInitial: 777_000, serverInitial: 888_000)
      builder.add(talk.open())
      builder.add(talk.send(.client, request("/two")))
      builder.add(talk.send(.server, response(200)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /one unanswered", "GET /two 200"])
    #expect(reading.record.notes["reused-ports"] == 1)
    #expect(reading.record.notes["connections"] == 2)
  }

  @Test("the ending says who closed the connection before the response")
  func endings() throws {
    let server = capture { builder, talk in
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.close(by: .server))
    }
    #expect(try Reading(server.pcap()).summaries == ["GET / serverClosed"])
    let client = capture { builder, talk in
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.packet(.client, [], flags: Conversation.rst))
    }
    #expect(try Reading(client.pcap()).summaries == ["GET / clientClosed"])
    let reset = capture { builder, talk in
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.packet(.server, [], flags: Conversation.rst | Conversation.ack))
    }
    #expect(try Reading(reset.pcap()).summaries == ["GET / serverClosed"])
    let half = capture { builder, talk in
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.packet(.client, [], flags: Conversation.fin | Conversation.ack))
      talk.advance(.client, 1)
      builder.add(talk.send(.server, response(200)))
    }
    #expect(try Reading(half.pcap()).summaries == ["GET / 200"])
  }

  @Test("a RST after which both ends go on is not believed")
  func ignoredReset() throws {
    let file = capture { builder, talk in
      builder.add(talk.packet(.server, [], flags: Conversation.rst))
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.send(.server, response(200)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET / 200"])
    #expect(reading.record.notes["resets-that-were-ignored"] == 1)
  }

  @Test("a first segment with the number of its SYN is read whole")
  func forgottenNumber() throws {
    let file = capture { builder, talk in
      talk.clientNext &-= 1
      talk.serverNext &-= 1
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.send(.server, response(200)))
    }
    #expect(try Reading(file.pcap()).summaries == ["GET / 200"])
  }

  @Test("data in a SYN is read")
  func dataInSYN() throws {
    let file = capture(opens: false) { builder, talk in
      let text = request("/fast")
      builder.add(talk.packet(.client, Array(text.utf8), flags: Conversation.syn))
      talk.advance(.client, text.utf8.count + 1)
      builder.add(talk.packet(.server, [], flags: Conversation.syn | Conversation.ack))
      talk.advance(.server, 1)
      builder.add(talk.send(.server, response(200)))
    }
    #expect(try Reading(file.pcap()).summaries == ["GET /fast 200"])
  }

  @Test("packets seen on two interfaces are read once")
  func duplicates() throws {
    let file = capture { builder, talk in
      for index in 0..<3 {
        let ask = talk.send(.client, request("/\(index)"))
        builder.add([ask, ask])
        let answer = talk.send(.server, response(200, body: 10))
        builder.add([answer, answer])
      }
      let end = talk.close()
      builder.add(end.flatMap { [$0, $0] })
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET /0 200", "GET /1 200", "GET /2 200"])
    #expect(reading.record.notes["connections"] == 1)
  }

  @Test("a response that stands before its request in the file is paired with it")
  func responseFirst() throws {
    let file = capture { builder, talk in
      for index in 0..<3 {
        let ask = talk.send(.client, request("/\(index)"))
        let answer = talk.send(.server, response(200 + index, body: 10))
        builder.add([answer, ask])
      }
    }
    #expect(try Reading(file.pcap()).summaries == ["GET /0 200", "GET /1 201", "GET /2 202"])
  }

  @Test("a header block cut by the snapshot length keeps the fields that are whole")
  func snapped() throws {
    var builder = CaptureBuilder()
    builder.snapshotLength = 54 + 60
    var talk = Conversation()
    builder.add(talk.open())
    builder.add(talk.send(.client, request("/one", "Origin: http://a.example", "Accept: */*")))
    builder.add(
      talk.send(.server, response(200, "Access-Control-Allow-Origin: *", "Server: s", body: 900)))
    builder.add(talk.send(.client, request("/two")))
    builder.add(talk.send(.server, "HTTP/1.1 204 No Content\r\n\r\n"))
    let reading = try Reading(builder.pcap())
    #expect(reading.summaries == ["GET /one 200", "GET /two 204"])
    let first = try #require(reading.exchanges.first)
    #expect(first.request.coverage == .truncated)
    #expect(first.response.coverage == .truncated)
    #expect(first.url.host == "api.example")
    #expect(first.response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
    #expect(reading.exchanges.last?.response.coverage == .complete)
  }

  @Test("a response that comes too late is counted, and the next ones still find their requests")
  func late() throws {
    var builder = CaptureBuilder()
    var talk = Conversation()
    var filler = Conversation(clientPort: 50000)
    builder.add(talk.open())
    builder.add(talk.send(.client, request("/late")))
    builder.time += 130_000_000_000
    // Enough bytes of other traffic that the reader's next buffer begins.
    builder.add(filler.open())
    for _ in 0..<400 { builder.add(filler.send(.client, [UInt8](repeating: 1, count: 1400))) }
    builder.add(talk.send(.server, response(200)))
    builder.add(talk.send(.client, request("/next")))
    builder.add(talk.send(.server, response(201)))
    let reading = try Reading(builder.pcap())
    #expect(reading.summaries == ["GET /late unanswered", "GET /next 201"])
    #expect(reading.record.notes["late-answers"] == 1)
    #expect(reading.record.notes["requests-waited-for-too-long"] == 1)
    #expect(reading.early == 0)
  }

  @Test("more than the limit held behind a hole is given up, not kept")
  func heldLimit() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/before")))
      talk.advance(.client, 10)
      for _ in 0..<(CaptureLimits.heldBytesPerStream / 1000 + 10) {
        builder.add(talk.send(.client, [UInt8](repeating: 65, count: 1000)))
      }
      builder.add(talk.send(.client, request("/after")))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries.last == "GET /after unanswered")
    #expect(reading.record.notes["held-limit-reached"] == 1)
  }
}
