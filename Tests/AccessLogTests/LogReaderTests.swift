import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

@Suite struct LogReaderTests {
  static let good =
    "203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"x\""

  @Test("lines that are none are counted by kind and named")
  func kinds() throws {
    let lines = [Self.good, "", "   ", "# a comment", "rubbish", Self.good]
    let reading = try LogReading(Array((lines.joined(separator: "\n") + "\n").utf8), .combined)
    #expect(reading.exchanges.map(\.id.number) == [1, 6])
    #expect(reading.record.read == 6)
    #expect(
      reading.record.skipped == ["blank-line": 2, "comment-line": 1, "unreadable-line": 1])
    let damage = try #require(reading.record.damages.first)
    #expect(damage.number == 5)
    #expect(damage.offset == UInt64(Self.good.utf8.count + 1 + 1 + 4 + 12))
    #expect(reading.record.bytes == UInt64((lines.joined(separator: "\n") + "\n").utf8.count))
    #expect(reading.addsUp)
  }

  @Test("a byte order mark and carriage returns are no part of the lines")
  func windows() throws {
    let text = "\u{FEFF}" + Self.good + "\r\n" + Self.good + "\r\n"
    #expect(try LogReading(Array(text.utf8), .combined).exchanges.count == 2)
    #expect(LogReader.recognizes(Array(text.utf8), choice: .automatic)?.name == "combined")
  }

  @Test("a last line without its end counts when it is whole, and as cut when it is not")
  func lastLine() throws {
    let whole = try LogReading(Array((Self.good + "\n" + Self.good).utf8), .combined)
    #expect(whole.exchanges.count == 2)
    let cut = try LogReading(Array((Self.good + "\n" + Self.good.dropLast(3)).utf8), .combined)
    #expect(cut.exchanges.count == 1)
    #expect(cut.record.skipped == ["cut-line": 1])
    #expect(cut.record.damages.first?.offset == UInt64(Self.good.utf8.count + 1))
    #expect(cut.addsUp)
  }

  @Test("a line over the limit is skipped, and the next ones are read")
  func longLine() throws {
    for length in [AccessLogLimits.lineBytes, AccessLogLimits.lineBytes + 1, 3_000_000] {
      let long = Self.good.dropLast() + String(repeating: "y", count: length - Self.good.utf8.count)
      let text = [Self.good, long + "\"", Self.good].joined(separator: "\n")
      let reading = try LogReading(Array(text.utf8), .combined)
      let fits = length == AccessLogLimits.lineBytes
      #expect(reading.exchanges.map(\.id.number) == (fits ? [1, 2, 3] : [1, 3]))
      #expect(reading.record.skipped == (fits ? [:] : ["line-too-long": 1]))
      #expect(reading.addsUp)
    }
    let endless = [UInt8](repeating: 0x61, count: 2_500_000)
    let reading = try LogReading(endless, .combined)
    #expect(reading.record.skipped == ["line-too-long": 1])
    #expect(reading.record.read == 1)
  }

  @Test("lines that lie across buffers are read once")
  func buffers() throws {
    var text = ""
    for number in 0..<6000 {
      text += Self.good.replacingOccurrences(of: "/a", with: "/\(number)") + "\n"
    }
    let reading = try LogReading(Array(text.utf8), .combined)
    #expect(reading.exchanges.count == 6000)
    for (number, exchange) in reading.exchanges.enumerated()
    where exchange.url.target != "/\(number)" {
      Issue.record("\(exchange.url.target) in place of /\(number)")
    }
    #expect(reading.watermarks.count > 2)
    #expect(
      reading.watermarks.last == reading.record.lastAt?.advanced(by: -ExchangeBatch.reorderWindow))
  }

  @Test("of a gzip file that is cut off everything before the cut is used")
  func truncatedGzip() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let shared = folder.appendingPathComponent("../../../shared/sample-logs/nginx")
    let path = shared.appendingPathComponent("cors.truncated.log.gz").standardizedFileURL.path
    guard FileManager.default.fileExists(atPath: path) else {
      print("skipped: no \(path)")
      return
    }
    let reading = try LogReading(path: path, .keyValue)
    #expect(reading.exchanges.count == 38)
    #expect(reading.record.skipped == ["cut-line": 1])
    #expect(reading.record.damages.contains { $0.what.contains("cut off") })
    #expect(reading.addsUp)
  }

  @Test("a stamp beyond what an instant can hold is none, and moves no clock")
  func impossibleStamp() throws {
    let lines = ["4052", "2263", "1676", "0000"].map {
      Self.good.replacingOccurrences(of: "2026", with: $0)
    }
    let reading = try LogReading(
      Array((lines + [Self.good]).joined(separator: "\n").utf8), .combined)
    #expect(reading.exchanges.map(\.id.number) == [5])
    #expect(reading.record.skipped == ["unreadable-line": 4])
    #expect(reading.record.lastAt == reading.exchanges.first?.endedAt)
    let last = "9223372036.854775807 GET /a 200"
    let pattern = "$msec $request_method $request_uri $status"
    #expect(try exchange(last, pattern)?.endedAt?.nanoseconds == .max)
  }

  @Test("a request of which nothing can be read is no exchange")
  func noRequest() throws {
    let lines = [
      Self.good.replacingOccurrences(of: "GET /a HTTP/1.1", with: "-"),
      Self.good.replacingOccurrences(of: "GET /a HTTP/1.1", with: "\\x16\\x03\\x01 \\x00"),
      Self.good.replacingOccurrences(of: "GET /a HTTP/1.1", with: ""),
    ]
    let reading = try LogReading(Array(lines.joined(separator: "\n").utf8), .combined)
    #expect(reading.exchanges.isEmpty)
    #expect(reading.record.skipped == ["no-request": 3])
    #expect(reading.record.damageCount == 0)
  }

  @Test("only what CORS could concern is kept, unless all is wanted")
  func concern() throws {
    let pattern = "$msec $request_method /a $status \"$http_origin\" $request_uri"
    guard case .format(let format) = try FormatChoice(argument: pattern) else { return }
    let lines = [
      "1795460074.930 GET /a 200 \"-\" /1", "1795460074.930 GET /a 200 \"null\" /2",
      "1795460074.930 OPTIONS /a 200 \"-\" /3", "1795460074.930 GET /a 302 \"-\" /4",
      "1795460074.930 GET /a 304 \"-\" /5", "1795460074.930 GET /a 200 \"\" /6",
    ]
    let bytes = Array(lines.joined(separator: "\n").utf8)
    let some = try LogReading(bytes, format, keepsAll: false)
    #expect(some.exchanges.map(\.url.target) == ["/2", "/3", "/4", "/6"])
    #expect(some.record.passedOver == ["no-origin": 2])
    #expect(try LogReading(bytes, format).exchanges.count == 6)
    let blind = try LogReading(Array(Self.good.utf8), .combined, keepsAll: false)
    #expect(blind.exchanges.count == 1)
  }

  @Test("lines of one log share their coverage")
  func coverage() throws {
    let reading = try LogReading(Array(Self.good.utf8), .combined)
    #expect(reading.exchanges.first?.request.coverage == .only([.referer: .firstLine]))
    #expect(reading.exchanges.first?.response.coverage == .only([:]))
    #expect(reading.record.records == ["referer"])
  }

  @Test("a stamp without a zone is of the zone that was named")
  func zone() throws {
    let found = try exchange(
      "2026-11-23 18:54:34 \"GET /a HTTP/1.1\"", "%{%F %T}t \"%r\"", zone: 3600)
    #expect(found?.startedAt?.rfc3339(.second) == "2026-11-23T17:54:34Z")
  }

  @Test("JSON lines whose members come and go are all read")
  func changingMembers() throws {
    var text = ""
    for number in 0..<200 {
      var line =
        "{\"time\":\"2026-11-23T18:54:34Z\",\"method\":\"GET\",\"uri\":\"/a\",\"status\":200"
      for bit in 0..<8 where number & 1 << bit != 0 { line += ",\"x\(bit)\":\(bit)" }
      if number % 3 == 0 { line += ",\"Origin\":\"https://app.example.com\"" }
      if number % 5 == 0 { line += ",\"acao\": \"*\"" }
      text += line + "}\n"
    }
    let reading = try LogReading(Array(text.utf8), .jsonLines)
    #expect(reading.exchanges.count == 200)
    for (number, exchange) in reading.exchanges.enumerated() {
      #expect(exchange.request.contains(.origin) == (number % 3 == 0))
      #expect(exchange.response.records(.accessControlAllowOrigin) == (number % 5 == 0))
    }
  }

  @Test("one stamp far ahead of all others moves no watermark, and is counted")
  func stampFarAhead() throws {
    func line(_ day: String, _ minute: Int) -> String {
      "203.0.113.9 - - [\(day):10:\(String(minute + 100).dropFirst()):00 +0000] "
        + "\"GET /a HTTP/1.1\" 200 5 \"-\" \"x\"\n"
    }
    let lines =
      (0..<20).map { line("23/Nov/2026", $0) } + [line("23/Nov/2096", 0)]
      + (20..<40).map { line("23/Nov/2026", $0) }
    let reading = try LogReading(Array(lines.joined().utf8), .combined)
    #expect(reading.exchanges.count == 41)
    #expect(reading.record.notes["stamps-far-ahead"] == 1)
    let last = try #require(reading.exchanges.last?.time)
    #expect(reading.watermarks.max() == last.advanced(by: 0 &- ExchangeBatch.reorderWindow))
    // The span that was read holds it all the same.
    #expect(try #require(reading.record.lastAt) > last)
  }
}
