import HTTPExchange
import Testing

@testable import AccessLog

@Suite struct EscapingTests {
  static let line = "1795460074.930 GET /a 200 "

  @Test(
    "nginx's default undoes its hexadecimal escapes and nothing else",
    arguments: [
      (#"a\x22b\x5Cc"#, #"a"b\c"#), (#"caf\xC3\xA9"#, "café"), (#"\n"#, #"\n"#),
      (#"a\xZZ"#, #"a\xZZ"#),
      (#"\"#, #"\"#),
    ])
  func nginxDefault(logged: String, value: String) throws {
    let found = try exchange(
      Self.line + "\"\(logged)\"", "$msec $request_method $request_uri $status \"$http_origin\"")
    #expect(found?.request.evidence(of: .origin) == .recorded([value], .firstLine))
  }

  @Test("in nginx's default a quotation mark ends the field")
  func quotationMarks() throws {
    let pattern = "$msec $request_method $request_uri $status \"$http_origin\" \"$http_referer\""
    #expect(try exchange(Self.line + "\"a\" x\" \"-\"", pattern) == nil)
    #expect(try exchange(Self.line + "\"a b\" \"-\"", pattern) != nil)
  }

  @Test(
    "nginx's json escapes are undone",
    arguments: [
      (#"a\"b\\c"#, #"a"b\c"#), (#"\n\r\t\b\f"#, "\n\r\t\u{8}\u{C}"), (#"\u0001"#, "\u{1}"),
      (#"\x41"#, #"\x41"#), ("-", "-"),
    ])
  func nginxJSON(logged: String, value: String) throws {
    let found = try exchange(
      "{\"m\":1795460074.930,\"r\":\"GET /a HTTP/1.1\",\"s\":200,\"o\":\"\(logged)\"}",
      "escape=json '{\"m\":$msec,\"r\":\"$request\",\"s\":$status,\"o\":\"$http_origin\"}'")
    #expect(
      found?.request.evidence(of: .origin) == .recorded([value], [.firstLine, .absentOrEmpty]))
  }

  @Test("in nginx's json nothing is absent or empty, and bytes stay as they are")
  func nginxJSONBytes() throws {
    let pattern =
      "escape=json '{\"m\":$msec,\"r\":\"$request\",\"v\":\"$sent_http_vary\",\"x\":$upstream_status}'"
    let head = Array("{\"m\":1795460074.930,\"r\":\"GET /a HTTP/1.1\",\"v\":\"".utf8)
    let absent = try exchange(head + Array("\",\"x\":}".utf8), pattern)
    #expect(absent?.response.evidence(of: .vary) == .absent)
    let raw = try exchange(head + [0xE9] + Array("\",\"x\":502, 200}".utf8), pattern)
    #expect(WireText.bytes(of: try #require(raw?.response.first(.vary))) == [0xE9])
  }

  @Test("without escapes a line that reads in two ways is counted, not guessed")
  func forgery() throws {
    let pattern =
      "escape=none '$msec\t$request_method\t$request_uri\t$status\t$http_origin\t$http_user_agent'"
    guard case .format(let format) = try FormatChoice(argument: pattern) else { return }
    let lines = [
      "1795460074.930\tGET\t/a\t200\thttps://app.example.com\tx",
      "1795460074.931\tGET\t/a\t200\thttps://app.example.com\tx\ty",
      "1795460074.931\tGET\t/a\t200\t\tx",
    ]
    let reading = try LogReading(Array(lines.joined(separator: "\n").utf8), format, keepsAll: false)
    #expect(reading.exchanges.map(\.userAgent) == ["x"])
    #expect(reading.record.skipped == ["ambiguous-line": 1])
    #expect(reading.record.passedOver == ["no-origin": 1])
    #expect(reading.record.damages.first?.number == 2)
    #expect(reading.addsUp)
  }

  @Test("a JSON null is no value, and the text null is one")
  func null() throws {
    func origin(_ value: String) throws -> HeaderEvidence? {
      let line =
        "{\"time\":\"2026-11-23T18:54:34Z\",\"method\":\"GET\",\"uri\":\"/a\",\"status\":200,\"origin\":\(value)}"
      return try LogReading(Array(line.utf8), .jsonLines).exchanges.first?.request.evidence(
        of: .origin)
    }
    #expect(try origin("null") == .absent)
    #expect(try origin("\"\"") == .absent)
    #expect(try origin("\"null\"") == .recorded(["null"], [.firstLine, .absentOrEmpty]))
    #expect(try origin("{\"a\":[\"}\"]}") == .unrecorded)
    #expect(try origin(#""\ud83d\ude00\/\xe9""#).map { "\($0)" }?.contains("😀/") == true)
  }
}
