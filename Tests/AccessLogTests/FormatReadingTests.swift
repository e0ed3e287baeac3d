import Bytes
import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// What single formats make of their lines.
@Suite struct FormatReadingTests {
  private func read(_ text: String, _ argument: String? = nil) throws -> LogReading {
    var choice = FormatChoice.automatic
    if let argument { choice = try FormatChoice(argument: argument) }
    let bytes = Array(text.utf8)
    return try LogReading(bytes, #require(LogReader.recognizes(bytes, choice: choice)))
  }

  private func caddy(_ request: String, _ response: String) -> String {
    #"{"ts":1795460436.25,"msg":"handled request","request":{"remote_ip":"203.0.113.9","#
      + #""proto":"HTTP/2.0","method":"GET","host":"api.example.com","uri":"/a","headers":{"#
      + request + #"}},"duration":0.25,"status":200"# + response + "}\n"
  }

  @Test("Caddy tells every line of a header, hides secrets, and its filters are noticed")
  func caddyFields() throws {
    let line = caddy(
      #""Origin":["https://app.example.com"],"Cookie":[],"User-Agent":["Mozilla/5.0"],"X-Trace":["1"]"#,
      #","resp_headers":{"Access-Control-Allow-Origin":["https://app.example.com","*"]}"#)
    let exchange = try #require(read(line).exchanges.first)
    #expect(
      exchange.response.evidence(of: .accessControlAllowOrigin)
        == .recorded(["https://app.example.com", "*"], .exact))
    #expect(exchange.request.evidence(of: .cookie) == .recorded([nil], .exact))
    #expect(exchange.request.contains(HeaderName("x-trace")))
    #expect(exchange.userAgent == "Mozilla/5.0")
    #expect(exchange.response.evidence(of: .vary) == .absent)
    #expect(exchange.startedAt?.rfc3339(.millisecond) == "2026-11-23T19:00:36.000Z")
    // No block of the response: nothing of it is known.
    let filtered = try #require(read(caddy(#""Origin":["https://a.example"]"#, "")).exchanges.first)
    #expect(filtered.response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
    // A preflight has an origin and a user agent, whatever the log shows.
    let hidden = try #require(
      read(
        caddy(
          #""Access-Control-Request-Method":["PUT"],"Sec-Fetch-Mode":["cors"]"#,
          #","resp_headers":{}"#)
      ).exchanges.first)
    #expect(hidden.request.evidence(of: .origin) == .unrecorded)
    #expect(hidden.request.coverage != .complete)
  }

  @Test("what Traefik drops is unrecorded until a line has it")
  func omittedMembers() throws {
    func line(_ more: String) -> String {
      #"{"ClientHost":"203.0.113.9","DownstreamStatus":200,"RequestMethod":"GET","RequestPath":"/a","#
        + #""RequestHost":"api.example.com","StartUTC":"2026-11-23T18:54:34.93Z""# + more + "}\n"
    }
    let origin = #","request_Origin":"https://app.example.com""#
    let dropped = try read(line("") + line(""))
    #expect(dropped.exchanges.allSatisfy { $0.request.evidence(of: .origin) == .unrecorded })
    let kept = try read(
      line(origin) + line(origin + #","downstream_Access-Control-Allow-Origin":"*""#)
        + line(origin))
    #expect(
      kept.exchanges.map { $0.response.evidence(of: .accessControlAllowOrigin) == .absent }
        == [true, false, true])
    #expect(
      kept.exchanges[1].response.evidence(of: .accessControlAllowOrigin)
        == .recorded(["*"], [.joined, .absentOrEmpty]))
  }

  @Test("a producer that writes nulls records only what a line names")
  func explicitNulls() throws {
    let mapping = "json:time=t,method=m,url=u,status=s,origin=o,acao=a"
    let named =
      #"{"t":"2026-11-23T18:54:34Z","m":"GET","u":"/a","s":200,"o":"https://a.example","a":null}"#
    let other = #"{"t":"2026-11-23T18:54:35Z","m":"GET","u":"/b","s":200,"o":"https://a.example"}"#
    let exchanges = try read(named + "\n" + other + "\n", mapping).exchanges
    #expect(exchanges[0].response.evidence(of: .accessControlAllowOrigin) == .absent)
    #expect(exchanges[1].response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
  }

  @Test("HAProxy's captures are read by a configuration, cut values are marked, lines counted")
  func haproxy() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("haproxy-\(UUID().uuidString).cfg")
    defer { try? FileManager.default.removeItem(at: folder) }
    let configuration = """
      defaults
          option httplog
      frontend www
          capture request header Origin len 64
          capture response header Access-Control-Allow-Origin len 64
          capture response header Access-Control-Allow-Methods len 8
      """
    try Data(configuration.utf8).write(to: folder)
    let line =
      "2001:db8::1:56092 [23/Nov/2026:18:58:34.799] www~ api/a1 0/0/1/4/5 204 318 - - ---- 1/1/0/0/0 "
      + "0/0 {https://app.example.com} {*|GET, PUT} \"OPTIONS /a HTTP/2.0\"\n"
    let exchange = try #require(read(line, "@\(folder.path)").exchanges.first)
    #expect(exchange.client == "2001:db8::1")
    #expect(exchange.url.scheme == "https")
    #expect(exchange.request.first(.origin) == "https://app.example.com")
    #expect(
      exchange.response.evidence(of: .accessControlAllowMethods)
        == .recorded(["GET, PUT"], [.lastLine, .absentOrEmpty, .cut]))
    #expect(
      exchange.response.evidence(of: .accessControlAllowOrigin)
        == .recorded(["*"], [.lastLine, .absentOrEmpty]))
    // Without the configuration nothing says which header a slot holds.
    let blind = try #require(read(line).exchanges.first)
    #expect(blind.request.evidence(of: .origin) == .unrecorded)
    let counted = try #require(
      read(
        #"{"start":"2026-11-23T18:54:34Z","method":"GET","uri":"/a","status":200,"origin":"https:\/\/a.b","acao":"*","acao_n":"2"}"#
          + "\n"
      ).exchanges.first)
    #expect(
      counted.response.evidence(of: .accessControlAllowOrigin)
        == .recorded([nil, "*"], .absentOrEmpty))
    #expect(counted.request.first(.origin) == "https://a.b")
  }

  @Test("lighttpd's stored header block is several lines")
  func lighttpd() throws {
    let line =
      #"203.0.113.9 api.example.com - [23/Nov/2026:19:01:02 +0000] "GET /a HTTP/1.1" 200 12 "-" "x" "#
      + #"origin="https://a.b" acao="https://a.b\r\nAccess-Control-Allow-Origin: *""# + "\n"
    let exchange = try #require(read(line).exchanges.first)
    #expect(exchange.url.host == "api.example.com")
    guard
      case .recorded(let lines, _) = exchange.response.evidence(of: .accessControlAllowOrigin)
    else {
      Issue.record("not recorded")
      return
    }
    #expect(lines == ["https://a.b", "*"])
  }

  @Test(
    "each server's escapes are undone as it writes them",
    arguments: [
      (Escaping.percent, "a%20b%2525", "a b%25"), (.plus, "a+b", "a b"),
      (.plus, "a\"\"b", "a\"b"), (.hash, "a#22b#7C", "a\"b|"),
      (.quoteOnly, #"a\"b\\c\x"#, #"a"b\\c\x"#),
      (.zeek, #"a\x20b\"#, #"a b\"#), (.zeek, "(empty)", ""), (.raw, #"a\x20"#, #"a\x20"#),
      (.json, #"a\u00e9\/\"\x"#, #"aé/"\x"#), (.envoyJSON, #"caf\u00c3\u00a9"#, "café"),
      (.doubled, "say \"\"hi\"\"", "say \"hi\""), (.nginxJSON, #"\x41"#, #"\x41"#),
    ])
  func escapes(escaping: Escaping, written: String, text: String) {
    let bytes = Array(written.utf8)
    let read = bytes.withByteView { ValueEscapes.text($0, escaping) }
    #expect(read == text)
  }

  @Test("a log that goes on in another format is read on, and says where")
  func formatChange() throws {
    let combined =
      #"203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] "GET /a HTTP/1.1" 200 5 "-" "x""# + "\n"
    let named =
      #"203.0.113.9 - - [23/Nov/2026:18:54:35 +0000] "GET /a HTTP/1.1" 200 5 "-" "x" origin="-" acao="-""#
      + "\n"
    let text =
      String(repeating: combined, count: 30) + "rubbish\n" + String(repeating: named, count: 30)
      + String(repeating: combined, count: 3)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("mixed-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data(text.utf8).write(to: folder)
    let reading = try LogReading(path: folder.path, .combined, choice: .automatic)
    #expect(reading.addsUp)
    #expect(reading.record.used == 63)
    #expect(reading.record.skipped == ["unreadable-line": 1])
    #expect(reading.record.format == "combined, key-value")
    #expect(reading.record.warnings.count == 1)
    #expect(reading.record.warnings.first?.hasPrefix("line 32 is the first") == true)
    // What one of the formats does not record is not recorded throughout.
    #expect(reading.record.records?.contains("origin") == false)
    // Also where the head of the file is recognised by what begins further down.
    try Data((combined + combined + named + combined + named).utf8).write(to: folder)
    let early = try LogReading(
      path: folder.path, #require(LogFormat.named("key-value")), choice: .automatic)
    #expect(early.record.format == "combined, key-value")
    #expect(
      early.record.warnings
        == [
          "line 3 is the first of the format key-value; the lines before are of the format combined"
        ])
    #expect(early.record.notes["format-changes"] == 1)
    try Data((combined + combined).utf8).write(to: folder)
    let never = try LogReading(
      path: folder.path, #require(LogFormat.named("key-value")), choice: .automatic)
    #expect(never.record.format == "combined" && never.record.warnings.isEmpty)
    try Data(text.utf8).write(to: folder)
    // A format that was named is the only one.
    let alone = try LogReading(path: folder.path, .combined, choice: .format(.combined))
    #expect(alone.record.skipped == ["unreadable-line": 31])
  }

  @Test("an archive is read whole in whatever pieces it comes, and bodies cost nothing")
  func archives() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let bytes = try [UInt8](
      Data(contentsOf: folder.appendingPathComponent("Lines/Formats/har.log")))
    var whole: [[UInt8]] = []
    var scanner = HARScanner()
    bytes.withByteView { scanner.take($0) { entry, _ in whole.append(Array(entry)) } }
    #expect(whole.count == 7 && scanner.isComplete)
    for size in [1, 2, 7, 100] {
      var pieces: [[UInt8]] = []
      var scanner = HARScanner()
      for start in stride(from: 0, to: bytes.count, by: size) {
        Array(bytes[start..<min(bytes.count, start + size)]).withByteView {
          scanner.take($0) { entry, _ in pieces.append(Array(entry)) }
        }
      }
      #expect(pieces == whole)
    }
    let body = String(repeating: "x\\\"}", count: 100_000)
    let archive =
      #"{"log":{"creator":{"name":"x"},"entries":[{"startedDateTime":"2026-11-23T18:54:34.930Z","time":1,"#
      + #""request":{"method":"GET","url":"https://api.example.com/a","headers":[{"name":"Origin","value":"https://a.b"}]},"#
      + #""response":{"content":{"text":""# + body
      + #""},"status":200,"headers":[{"name":"Server","value":"x"}]}}]}}"#
    let reading = try read(archive)
    #expect(reading.exchanges.count == 1)
    #expect(reading.exchanges.first?.response.evidence(of: .accessControlAllowOrigin) == .absent)
    #expect(reading.exchanges.first?.request.evidence(of: .cookie) == .unrecorded)
    // Of a refused call the browser may leave out every header, which says nothing of the response.
    let bare = try read(
      archive.replacingOccurrences(of: #"{"name":"Server","value":"x"}"#, with: ""))
    #expect(
      bare.exchanges.first?.response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
    let cut = try read(String(archive.dropLast(3)))
    #expect(cut.record.damages.map(\.what) == ["the archive ends inside its entries"])
  }

  @Test(
    "mappings that say too little, or nothing that is known, are refused",
    arguments: [
      "json:", "json:method", "json:methode=verb", "json:time=t,method=verb", "csv:time,verbs",
      "csv:time,method", "cloudfront-realtime:timestamp,nonsense", "json:url=",
    ])
  func refusedMappings(argument: String) {
    #expect(throws: FormatError.self) { try FormatChoice(argument: argument) }
  }

  @Test("columns are read by position, by name, and nested members by their path")
  func mappings() throws {
    let csv = try read(
      "x,2026-11-23T18:54:34Z,GET,\"/a?b=\"\"c\"\"\",200,https://a.b\n",
      "csv:-,time,method,url,status,origin")
    #expect(csv.exchanges.first?.url.target == "/a?b=\"c\"")
    #expect(csv.exchanges.first?.request.first(.origin) == "https://a.b")
    #expect(csv.exchanges.first?.response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
    let json = try read(
      #"{"@t":"2026-11-23T18:54:34Z","http":{"verb":"GET","u.r":"/a","h":{"ORIGIN":"https://a.b"}},"rc":200}"#
        + "\n", #"json:time=@t,method=http.verb,url=http.u\.r,status=rc,origin=http.h.ORIGIN"#)
    #expect(json.exchanges.first?.url.target == "/a")
    #expect(json.exchanges.first?.request.first(.origin) == "https://a.b")
  }

  @Test("W3C columns follow the latest #Fields, times are UTC, blanks come back")
  func w3c() throws {
    let text = """
      #Fields: date time cs-method cs-uri-stem sc-status sc-substatus cs(User-Agent) time-taken cs-origin
      2026-11-23 18:54:34 GET /a+b 200 0 Mozilla/5.0+(X11) 250 https://a.b
      #Fields: date time cs-method sc-status cs-uri-stem sc-substatus
      2026-11-23 18:54:35 GET 200 /c 0

      """
    var options = IngestOptions()
    options.secondsFromUTC = 7200
    let bytes = Array(text.utf8)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let reading = try LogReading(bytes, format, zone: 7200)
    #expect(reading.exchanges.map(\.url.target) == ["/a+b", "/c"])
    #expect(reading.exchanges.first?.userAgent == "Mozilla/5.0 (X11)")
    #expect(reading.exchanges.first?.endedAt?.rfc3339(.second) == "2026-11-23T18:54:34Z")
    #expect(reading.exchanges[0].request.first(.origin) == "https://a.b")
    #expect(reading.exchanges[1].request.evidence(of: .origin) == .unrecorded)
  }
}
