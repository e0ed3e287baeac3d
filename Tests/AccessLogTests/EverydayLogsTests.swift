import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// What logs of real life look like when nobody prepared them.
@Suite struct EverydayLogsTests {
  private static let request = "\"GET /a HTTP/1.1\" 200 5"

  private func line(
    client: String = "203.0.113.9", time: String = "23/Nov/2026:18:54:34 +0000",
    agent: String = "Mozilla/5.0"
  ) -> String {
    "\(client) - - [\(time)] \(Self.request) \"-\" \"\(agent)\"\n"
  }

  private func read(
    _ text: String, _ choice: FormatChoice = .automatic, zone: Int = 0
  ) throws -> LogReading {
    try read(Array(text.utf8), choice, zone: zone)
  }

  private func read(
    _ bytes: [UInt8], _ choice: FormatChoice = .automatic, zone: Int = 0
  ) throws -> LogReading {
    let reading = try LogReading(
      bytes, #require(LogReader.recognizes(bytes, choice: choice)), zone: zone)
    #expect(reading.addsUp)
    return reading
  }

  @Test("a log of a single line is a log, with or without its end")
  func singleLine() throws {
    #expect(try read(line()).exchanges.count == 1)
    #expect(try read(String(line().dropLast())).exchanges.count == 1)
    #expect(try read("\u{FEFF}" + line().dropLast() + "\r\n").exchanges.count == 1)
  }

  @Test("blank lines, comments and banners stand between lines")
  func between() throws {
    let reading = try read(
      "\n# rotated\n" + line() + "   \n\t\n# by hand\r\n" + line() + "\r\n"
        + "/usr/sbin/nginx, Version: 1.22\n" + line())
    #expect(reading.exchanges.count == 3)
    #expect(reading.record.skipped["comment-line"] == 2)
    #expect(reading.record.skipped["blank-line"] == 4)
    #expect(reading.record.skipped["unreadable-line"] == 1)
  }

  @Test(
    "addresses of every kind are clients",
    arguments: [
      ("2001:db8::9", "2001:db8::9"), ("fe80::1%eth0", "fe80::1"), ("::1", "::1"),
      ("::ffff:203.0.113.9", "203.0.113.9"), ("client.example.net", "client.example.net"),
    ])
  func addresses(written: String, client: String) throws {
    #expect(try read(line(client: written)).exchanges.first?.client == client)
  }

  @Test(
    "quotation marks in user agents are what the server wrote, and close no field",
    arguments: [(#"a \"b\" c"#, #"a "b" c"#), (#"a\x22b\x5Cc"#, #"a"b\c"#), (#"x\\"#, #"x\"#)])
  func quotes(written: String, agent: String) throws {
    #expect(try read(line(agent: written)).exchanges.first?.userAgent == agent)
  }

  @Test(
    "zones of half hours, leap seconds and days that are none",
    arguments: [
      ("23/Nov/2026:18:54:34 +0530", "2026-11-23T13:24:34Z"),
      ("23/Nov/2026:18:54:34 -0330", "2026-11-23T22:24:34Z"),
      ("01/Jan/2026:00:14:59 +0545", "2025-12-31T18:29:59Z"),
      ("31/Dec/2016:23:59:60 +0000", "2017-01-01T00:00:00Z"),
      ("29/Feb/2028:00:00:00 +0000", "2028-02-29T00:00:00Z"),
    ])
  func stamps(written: String, time: String) throws {
    let exchange = try #require(try read(line(time: written)).exchanges.first)
    #expect((exchange.endedAt ?? exchange.startedAt)?.rfc3339(.second) == time)
  }

  @Test("a day or an hour that does not exist is no time")
  func impossibleTimes() throws {
    for time in [
      "32/Nov/2026:18:54:34 +0000", "23/Nov/2026:24:54:34 +0000", "23/Nom/2026:18:54:34 +0000",
      "23/Nov/2026:18:54:61 +0000", "23/Nov/26:18:54:34 +0000",
    ] {
      let reading = try read(line() + line(time: time) + line())
      #expect(reading.exchanges.count == 2)
      #expect(reading.record.skipped == ["unreadable-line": 1])
    }
  }

  @Test("UTF-16, as a Windows shell redirects it, is read as text")
  func utf16() throws {
    let text = line() + line(agent: "caf\u{E9} \u{1F9F5}")
    for (mark, isBig) in [([0xFF, 0xFE] as [UInt8], false), ([0xFE, 0xFF], true)] {
      var bytes = mark
      for unit in text.replacing("\n", with: "\r\n").utf16 {
        let high = UInt8(unit >> 8)
        let low = UInt8(unit & 0xFF)
        bytes += isBig ? [high, low] : [low, high]
      }
      let file = FileManager.default.temporaryDirectory
        .appendingPathComponent("utf16-\(UUID().uuidString).log")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data(bytes).write(to: file)
      let head = try ByteInput(path: file.path).head
      let format = try #require(LogReader.recognizes(head, choice: .automatic))
      let reading = try LogReading(path: file.path, format)
      #expect(reading.exchanges.map(\.userAgent) == ["Mozilla/5.0", "caf\u{E9} \u{1F9F5}"])
      #expect(reading.addsUp)
    }
  }

  @Test("a line of 900 KB is read, and the next one too")
  func longLine() throws {
    let long = line(agent: String(repeating: "x", count: 900_000))
    let reading = try read(line() + long + line())
    #expect(reading.exchanges.map { ($0.userAgent ?? "").utf8.count } == [11, 900_000, 11])
  }

  @Test("nested objects and arrays in JSON lines hide nothing of the rest")
  func nestedJSON() throws {
    let json =
      #"{"ctx":{"time":"no","list":[{"method":"no"},[1,2,{"x":"}"}]]},"time":"2026-11-23T18:54:34+05:30","#
      + #""tags":["a","b"],"method":"GET","uri":"/a","status":200,"origin":"https:\/\/a.example","x":null}"#
    let reading = try read(json + "\n" + json + "\n")
    #expect(reading.exchanges.count == 2)
    #expect(reading.exchanges.first?.endedAt?.rfc3339(.second) == "2026-11-23T13:24:34Z")
    #expect(reading.exchanges.first?.request.first(.origin) == "https://a.example")
  }

  @Test("lines of two servers in turn are both read, and the place is named")
  func mixed() throws {
    let json =
      #"{"time":"2026-11-23T18:54:35Z","method":"GET","uri":"/a","status":200,"origin":"https://a.example"}"#
      + "\n"
    let text = (0..<20).map { $0 % 2 == 0 ? line() : json }.joined()
    let bytes = Array(text.utf8)
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("turns-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes).write(to: file)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let reading = try LogReading(path: file.path, format, choice: .automatic)
    #expect(reading.record.used == 20)
    #expect(reading.record.warnings.count == 1)
    #expect(reading.addsUp)
  }

  @Test("HAProxy's captures in its CLF are read by a configuration, where they have no names")
  func haproxyCLF() throws {
    let configuration = """
      frontend www
          option httplog clf
          capture request header Origin len 64
          capture request header Access-Control-Request-Method len 16
          capture response header Access-Control-Allow-Origin len 64
          capture response header Access-Control-Allow-Methods len 8
      """
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("haproxy-\(UUID().uuidString).cfg")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(configuration.utf8).write(to: file)
    // Written by HAProxy 2.6 with that configuration; the path was changed to hold odd bytes.
    let preflight =
      #"<134>Nov 25 07:11:40 haproxy[8238]: 127.0.0.1 - - [25/Nov/2026:07:11:40 +0000] "OPTIONS /orders/1?q=#22\ HTTP/1.1" 204 304 "" "" 40698 999 "www~" "api" "a" 0 0 0 0 5 ---- 1 1 0 0 0 0 0 "" "" "https://app.example.com" "PUT" "https://app.example.com" "GET, PUT""#
    let unread =
      #"<134>Nov 25 07:11:40 haproxy[8238]: 127.0.0.1 - - [25/Nov/2026:07:11:40 +0000] "<BADREQ>" 400 0 "" "" 40688 701 "www" "www" "<NOSRV>" -1 -1 -1 -1 0 CR-- 1 1 0 0 0 0 0 "" "" "#
    let text = preflight + "\n" + unread + "\n"
    let reading = try read(text, try FormatChoice(argument: "@\(file.path)"))
    #expect(reading.record.skipped == ["no-request": 1])
    let exchange = try #require(reading.exchanges.first)
    #expect(exchange.url.scheme == "https")
    #expect(exchange.url.target == #"/orders/1?q="\"#)
    #expect(exchange.endedAt?.rfc3339(.millisecond) == "2026-11-25T07:11:40.005Z")
    #expect(exchange.request.first(.origin) == "https://app.example.com")
    #expect(exchange.request.first(.accessControlRequestMethod) == "PUT")
    #expect(
      exchange.response.evidence(of: .accessControlAllowOrigin)
        == .recorded(["https://app.example.com"], [.lastLine, .absentOrEmpty]))
    #expect(
      exchange.response.evidence(of: .accessControlAllowMethods)
        == .recorded(["GET, PUT"], [.lastLine, .absentOrEmpty, .cut]))
    // Without the configuration nothing says which header stands where.
    let blind = try read(text)
    #expect(blind.record.format == "haproxy-clf in syslog")
    #expect(blind.exchanges.first?.request.evidence(of: .origin) == .unrecorded)
  }

  @Test(
    "HAProxy's milliseconds in CLF are those of its wait for a request, and no part of the stamp")
  func haproxyKeepAlive() throws {
    // Requests of one connection, each with the millisecond at which it was sent in its path.
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let text = try String(
      contentsOf: folder.appendingPathComponent("Lines/haproxy-keep-alive.log"), encoding: .utf8)
    let reading = try read(text)
    #expect(reading.record.format == "haproxy-clf" && reading.exchanges.count == 4)
    let lines = text.split(separator: "\n").dropFirst()
    var disagreeing = 0
    for (exchange, line) in zip(reading.exchanges, lines) {
      let sent = try #require(Int64(exchange.url.target.dropFirst("/orders/".count)))
      let start = try #require(exchange.startedAt)
      #expect(exchange.resolution == .second)
      #expect((0..<1000).contains(sent - start.nanoseconds / 1_000_000), "\(line)")
      let printed = try #require(
        line.split(separator: " ").dropFirst(13).first.flatMap { Int64($0) })
      if abs(sent % 1000 - printed) > 200 { disagreeing += 1 }
    }
    #expect(disagreeing == 3)
  }

  @Test("a quotation mark that Traefik does not escape makes the line unread, not another one")
  func traefikQuotes() throws {
    // Written by Traefik 3.7; browsers send %22.
    let odd =
      #"127.0.0.1 - - [25/Nov/2026:07:11:43 +0000] "GET /orders/13?say="hi" HTTP/1.1" 200 3 "https://a.example/\"x\y|{z}\"" "Mozilla/5.0" 14 "api@file" "http://127.0.0.1:46255" 47ms"#
    let good = odd.replacing(#"?say="hi""#, with: "")
    let reading = try read(good + "\n" + odd + "\n" + good + "\n")
    #expect(reading.record.format == "traefik-clf")
    #expect(reading.exchanges.count == 2)
    #expect(reading.record.skipped == ["unreadable-line": 1])
    #expect(reading.exchanges.first?.request.first(.referer) == "https://a.example/…")
  }
}
