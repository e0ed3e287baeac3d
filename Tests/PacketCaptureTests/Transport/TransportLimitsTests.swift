import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

/// The bounds of single connections, header tables and start lines: what lies beyond them is counted or
/// read anew.
@Suite("Limits of connections and start lines")
struct TransportLimitsTests {
  @Test("a copy of a packet that comes after the close is counted as such for a while")
  func closedConnection() throws {
    func skipped(after seconds: Int64) throws -> [String: UInt64] {
      var builder = CaptureBuilder()
      var talk = Conversation()
      builder.add(talk.open())
      let asked = talk.send(.client, request("/"))
      builder.add(asked)
      builder.add(talk.send(.server, response(200)))
      builder.add(talk.close())
      builder.time += seconds * 1_000_000_000
      // A new connection makes room for itself.
      var other = Conversation(clientPort: 40_002)
      builder.add(other.open())
      builder.add(other.send(.client, request("/other")))
      builder.add(other.send(.server, response(200)))
      builder.add(asked)
      let reading = try Reading(builder.pcap())
      #expect(reading.isBalanced)
      #expect(reading.summaries.filter { $0.hasSuffix("200") }.count == 2)
      return reading.record.skipped
    }
    let limit = CaptureLimits.closedConnection / 1_000_000_000
    #expect(try skipped(after: limit - 2)["tcp-after-close"] == 1)
    #expect(try skipped(after: limit + 2)["tcp-after-close"] == nil)
  }

  @Test("a segment further away than any window begins another connection, and the gap is counted")
  func sequenceJump() throws {
    func reading(_ distance: Int) throws -> Reading {
      var builder = CaptureBuilder()
      var talk = Conversation()
      builder.add(talk.open())
      builder.add(talk.send(.client, request("/1")))
      builder.add(talk.send(.server, response(200)))
      talk.advance(.client, distance)
      builder.add(talk.packet(.client, Array(request("/2").utf8)))
      return try Reading(builder.pcap())
    }
    let near = try reading(CaptureLimits.sequenceJump)
    #expect(near.record.notes["gap-bytes"] == UInt64(CaptureLimits.sequenceJump))
    let far = try reading(CaptureLimits.sequenceJump + 1)
    #expect(far.record.notes["gap-bytes"] == nil)
    #expect(far.record.notes["connections-with-gaps"] == 1)
    for reading in [near, far] {
      #expect(reading.summaries == ["GET /1 200", "GET /2 unanswered"])
      #expect(reading.isBalanced)
    }
  }

  @Test("a method is as long as the limit; a longer word begins no request")
  func method() throws {
    func reading(_ length: Int) throws -> Reading {
      var builder = CaptureBuilder()
      var talk = Conversation()
      builder.add(talk.open())
      let line = String(repeating: "M", count: length) + " /2 HTTP/1.1\r\nHost: a\r\n\r\n"
      builder.add(talk.send(.client, request("/1")))
      builder.add(talk.send(.server, response(200)))
      builder.add(talk.send(.client, line))
      builder.add(talk.send(.server, response(201)))
      return try Reading(builder.pcap())
    }
    let longest = try reading(64)
    #expect(longest.summaries.map { $0.suffix(6) } == ["/1 200", "/2 201"])
    #expect(longest.record.notes["bytes-that-are-not-http"] == nil)
    let longer = try reading(65)
    #expect(longer.summaries == ["GET /1 200", "- - 201"])
    let line = 65 + " /2 HTTP/1.1\r\nHost: a\r\n\r\n".utf8.count
    #expect(longer.record.notes["bytes-that-are-not-http"] == UInt64(line))
    #expect(longest.isBalanced && longer.isBalanced)
  }

  @Test(
    "a field whose name is too long for a header table is counted as unknown when it comes again")
  func headerName() throws {
    func reading(_ length: Int) throws -> Reading {
      var frames = Frames()
      let name = "x-" + String(repeating: "n", count: length - 2)
      let first = frames.request(1, "/1", [(name, "v")])
      // The same once more: one byte that stands for the entry.
      let second = frames.request(3, "/2", [(name, "v")])
      #expect(second.count < first.count - length)
      var builder = CaptureBuilder()
      var talk = Conversation()
      builder.add(talk.open())
      builder.add(talk.send(.client, Frames.preface + Frames.settings + first))
      builder.add(talk.send(.client, second))
      return try Reading(builder.pcap())
    }
    let longest = try reading(CaptureLimits.headerName)
    let longer = try reading(CaptureLimits.headerName + 1)
    #expect(longest.exchanges.map(\.request.coverage) == [.complete, .complete])
    #expect(longer.exchanges.map(\.request.coverage) == [.complete, .truncated])
    #expect(longest.isBalanced && longer.isBalanced)
  }

  @Test("texts are the same whether they are short enough to be remembered, pushed out or too long")
  func texts() {
    let cache = TextCache()
    for round in 0..<2 {
      for number in 0..<10_000 {
        let text = String(repeating: "x", count: number % 700) + "\(number)"
        for use in 0..<2 as Range<UInt64> {
          let found = Array(text.utf8).withByteView {
            cache.text($0, use: use) { "\(use)" + WireText.decode($0) }
          }
          #expect(found == "\(use)" + text, "round \(round)")
        }
      }
    }
  }

  @Test("a header block with more fields or bytes than the limits is built anew each time")
  func shapes() {
    func isRemembered(fields count: Int, bytes: Int) -> Bool {
      let shapes = HeaderShapes()
      func describe() {
        shapes.begin()
        for number in 0..<count { shapes.add(number, 1) }
      }
      describe()
      #expect(shapes.known == nil)
      let value = String(repeating: "x", count: bytes)
      let evidence = MessageEvidence(
        coverage: .complete, fields: [HeaderField(.cookie, value)])
      shapes.remember(evidence)
      describe()
      if let known = shapes.known { #expect(known == evidence) }
      return shapes.known != nil
    }
    #expect(isRemembered(fields: HeaderShapes.maximumFields, bytes: 1))
    #expect(!isRemembered(fields: HeaderShapes.maximumFields + 1, bytes: 1))
    #expect(isRemembered(fields: 1, bytes: HeaderShapes.maximumBytes))
    #expect(!isRemembered(fields: 1, bytes: HeaderShapes.maximumBytes + 1))
  }
}
