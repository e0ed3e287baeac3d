import HTTPExchange
import Testing

@testable import AccessLog

@Suite struct ApachePatternTests {
  @Test(
    "a pattern that cannot be compiled is refused at its column",
    arguments: [
      ("%t \"%r\" %{Origin", 10, "without its \"}\""),
      ("%t \"%r\" %>", 9, "without the letter"),
      ("%t \"%r\" %i", 9, "names no header"),
      ("%t \"%r\" %~", 9, "is no directive"),
      ("%t \\\"%r\\\" %o", 11, "names no header"),
    ])
  func errorsNameTheColumn(pattern: String, column: Int, reason: String) {
    let error = #expect(throws: FormatError.self) { try FormatChoice(argument: pattern) }
    #expect(error?.column == column)
    #expect(error?.reason.contains(reason) == true)
  }

  @Test("%t is the start of the request and %D leads to its end")
  func start() throws {
    let found = try exchange(
      "[23/Nov/2026:18:55:49 +0000] \"GET /a HTTP/1.1\" 200 1500000", "%t \"%r\" %>s %D")
    let exchange = try #require(found)
    #expect(exchange.startedAt?.rfc3339(.millisecond) == "2026-11-23T18:55:49.000Z")
    #expect(exchange.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:55:50.500Z")
    #expect(exchange.timeBasis == .both)
    #expect(exchange.resolution == .second)
  }

  @Test(
    "every form of a time is read",
    arguments: [
      ("%{sec}t", "1795460149", 1_000_000_000, 0),
      ("%{msec}t", "1795460149962", 1_000_000, 962_000_000),
      ("%{usec}t", "1795460149962706", 1000, 962_706_000),
      ("%{begin:usec}t", "1795460149962706", 1000, 962_706_000),
      ("%{%s}t", "1795460149", 1_000_000_000, 0),
      (
        "%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t", "2026-11-23T19:55:49.962+0100", 1_000_000,
        962_000_000
      ),
      (
        "%{%Y-%m-%dT%T}t.%{usec_frac}t%{%z}t", "2026-11-23T18:55:49.962706+0000", 1000,
        962_706_000
      ),
      (
        "[%{%d/%b/%Y %T}t.%{msec_frac}t %{%z}t]", "[23/Nov/2026 18:55:49.962 +0000]", 1_000_000,
        962_000_000
      ),
      ("%{%F %H:%M:%S}t", "2026-11-23 18:55:49", 1_000_000_000, 0),
      ("%{%D %T}t", "11/23/26 18:55:49", 1_000_000_000, 0),
    ])
  func times(directive: String, text: String, resolution: Int64, fraction: Int64) throws {
    let exchange = try #require(try exchange("\(text) \"GET /a HTTP/1.1\"", "\(directive) \"%r\""))
    #expect(exchange.startedAt == EventTime(seconds: 1_795_460_149, nanoseconds: fraction))
    #expect(exchange.timeBasis == .start)
    #expect(exchange.resolution.nanoseconds == resolution)
  }

  @Test("a stamp of each end tells both")
  func bothEnds() throws {
    let found = try exchange(
      "1795460149962706 1795460149964000 \"GET /a HTTP/1.1\"", "%{begin:usec}t %{end:usec}t \"%r\"")
    #expect(found?.timeBasis == .both)
    #expect(found?.endedAt == EventTime(nanoseconds: 1_795_460_149_964_000_000))
  }

  @Test(
    "durations have their unit",
    arguments: [("%D", 1000), ("%T", 1_000_000_000), ("%{ms}T", 1_000_000), ("%{us}T", 1000)])
  func durations(directive: String, unit: Int64) throws {
    let found = try exchange(
      "1795460149962706 3 \"GET /a HTTP/1.1\"", "%{usec}t \(directive) \"%r\"")
    let exchange = try #require(found)
    #expect(exchange.endedAt == exchange.startedAt?.advanced(by: 3 * unit))
  }

  @Test("every directive of a request is read")
  func directives() throws {
    let found = try exchange(
      "198.51.100.7 10.0.0.1 - joe [23/Nov/2026:18:55:49 +0000] PUT /v1/a?b=1 HTTP/1.1 200 304 - 0 "
        + "api.example.com 443 Wsx1 100% \"https://app.example.com\" \"*\"",
      "%a %{c}a %l %u %t %m %U%q %H %s %>s %b %B %v %p %{UNIQUE_ID}e 100%% "
        + "\"%{Origin}i\" \"%{Access-Control-Allow-Origin}o\"")
    let exchange = try #require(found)
    #expect(exchange.client == "198.51.100.7")
    #expect(exchange.method == "PUT")
    #expect(exchange.url.target == "/v1/a?b=1")
    #expect(exchange.url.host == "api.example.com")
    #expect(exchange.status == 304)
    #expect(exchange.httpVersion == "HTTP/1.1")
    #expect(exchange.requestID == "Wsx1")
    #expect(
      exchange.request.evidence(of: .origin) == .recorded(["https://app.example.com"], .joined))
    #expect(
      exchange.response.evidence(of: .accessControlAllowOrigin) == .recorded(["*"], .firstLine))
  }

  @Test("a field that is printed for some statuses only says nothing of the others")
  func conditions() throws {
    let found = try exchange(
      "[23/Nov/2026:18:55:49 +0000] \"GET /a HTTP/1.1\" 200 \"-\"",
      "%t \"%r\" %>s \"%400,501{Origin}i\"")
    #expect(try #require(found).request.evidence(of: .origin) == .unrecorded)
  }

  @Test(
    "escapes are undone",
    arguments: [
      (#"a\"b"#, #"a"b"#), (#"a\\b"#, #"a\b"#), (#"tab\t"#, "tab\t"), (#"caf\xc3\xa9"#, "café"),
      (#"\\x41"#, #"\x41"#), (#"\\"#, #"\"#),
    ])
  func escapes(logged: String, value: String) throws {
    let found = try exchange(
      "[23/Nov/2026:18:55:49 +0000] \"GET /a HTTP/1.1\" 200 \"\(logged)\" end",
      "%t \"%r\" %>s \"%{User-Agent}i\" end")
    #expect(found?.userAgent == value)
  }

  @Test("a byte that is no UTF-8 can be had back")
  func oddBytes() throws {
    let found = try exchange(
      "[23/Nov/2026:18:55:49 +0000] \"GET /a HTTP/1.1\" \"caf\\xe9\"", "%t \"%r\" \"%{Vary}o\"")
    let value = try #require(found?.response.first(.vary))
    #expect(WireText.bytes(of: value) == Array("caf".utf8) + [0xE9])
  }

  @Test("absent and empty are two things")
  func absence() throws {
    let pattern = "%t \"%r\" %>s \"%{Origin}i\""
    let line = "[23/Nov/2026:18:55:49 +0000] \"GET /a HTTP/1.1\" 200 "
    #expect(try exchange(line + "\"-\"", pattern)?.request.evidence(of: .origin) == .absent)
    #expect(
      try exchange(line + "\"\"", pattern)?.request.evidence(of: .origin)
        == .recorded([""], .joined))
  }

  @Test("a request line without a protocol is read as far as it goes")
  func brokenRequestLine() throws {
    let found = try exchange(
      "[23/Nov/2026:18:55:49 +0000] \"GET /v1/public/a b\" 400", "%t \"%r\" %>s")
    #expect(found?.method == "GET")
    #expect(found?.url.target == "/v1/public/a b")
    #expect(found?.httpVersion == nil)
  }
}
