import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// Values that break out of what they are put into, where they are not escaped.
enum Hostile {
  static let values = [
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='x",
    "</style><script>x</script>", "</textarea></title>", "{{{style}}}{{#rows}}{{/rows}}",
    "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "a,b\r\nc,\"d\"",
    // A sign that joins the next character, and marks that join the one before.
    "\u{0D4E}<b>", "<\u{0301}b>", "\"\u{0301} onload=x", "&\u{20DD}amp;", "\u{0600}\"",
    "\u{202E}evil\u{202C}", "\u{1B}[31mred\u{1B}[0m\u{07}", "\u{0}\u{1}\u{7F}\u{9B}31m",
    "\u{F780}\u{F7FF}", "a\u{200B}\u{FEFF}b", String(repeating: "\u{0301}", count: 500),
    "-->", "]]>", "https://a.example/\u{2028}\u{2029}", "",
  ]

  /// A blocked and an undetermined call with a value in every place that takes one.
  static func calls(_ value: String) -> [Call] {
    let blocked = CallBuilder().with {
      $0.origin = value
      $0.method = value
      $0.url = "https://api.example/" + value
      $0.client = value
      $0.engine = value
      $0.parameter = value
      $0.message = value
      $0.source = value + "@0123456789ab"
      $0.preflight = (
        204, [("server", value), (value, value), ("access-control-allow-origin", value)]
      )
      $0.preflightRequest = [("access-control-request-headers", value)]
      $0.response = (500, [("server", value), ("location", value), ("vary", value)])
      $0.missing = [value]
      $0.assumes = [value]
    }
    var calls: [Call] = []
    for (index, reason) in BlockedReason.allCases.enumerated() {
      calls.append(blocked.at(Int64(index * 2)).with { $0.reason = reason }.call)
      calls.append(
        blocked.at(Int64(index * 2 + 1)).with {
          $0.reason = reason
          $0.phase = .preflight
        }.call)
    }
    var good = blocked.at(0).with {
      $0.verdict = .allowed
      $0.phase = nil
      $0.reason = nil
      $0.second -= 10
    }.call
    good.otherFaults = [value]
    var unknown = blocked.at(100).with {
      $0.verdict = .undetermined
      $0.phase = nil
      $0.reason = nil
      $0.kind = .preflightOnly
      $0.preflight?.status = 403
      $0.worlds = [WorldOutcome(assuming: [value], verdict: .blocked)]
    }.call
    unknown.userAgent = value
    unknown.otherFaults = [value]
    return [good] + calls + [unknown]
  }

  static func source(_ value: String) -> SourceRecord {
    var source = SourceRecord(input: value, digest: value, kind: value, compression: value)
    source.format = value
    source.skip(value)
    source.note(value)
    source.warnings = [value]
    source.records = [value]
    source.addDamage(.init(offset: .max, number: .max, what: value))
    return source
  }

  static func outputs(_ value: String) throws -> Outputs {
    try Outputs.of(
      calls(value), sources: [source(value)], notCORS: [(value, 3)],
      options: ReportOptions(writesCalls: true))
  }
}

/// The names of the tags of a page in order, closing ones with their slash.
private func tags(of html: [UInt8]) -> [String] {
  var names: [String] = []
  var index = 0
  func isNamePart(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
      || byte == UInt8(ascii: "/") || byte == UInt8(ascii: "!")
  }
  while let open = html[index...].firstIndex(of: UInt8(ascii: "<")) {
    let end = html[(open + 1)...].firstIndex { !isNamePart($0) } ?? html.endIndex
    let name = String(decoding: html[(open + 1)..<end], as: UTF8.self)
    names.append(name)
    index = end
    if name == "script" || name == "style" {
      // Their content is ours, and a browser looks for nothing but its end there.
      while index + 1 < html.count,
        html[index] != UInt8(ascii: "<") || html[index + 1] != UInt8(ascii: "/")
      { index += 1 }
    }
  }
  return names
}

/// The tags of a page of plain values.
private let knownTags: Set<String> = {
  let plain = (try? Hostile.outputs("plain").files[.html]) ?? []
  return Set(tags(of: plain))
}()

@Test("no value from the wire opens a tag or ends an attribute", arguments: Hostile.values)
func htmlStaysWhole(_ value: String) throws {
  let html = try Hostile.outputs(value).text(.html)
  let names = tags(of: Array(html.utf8))
  #expect(Set(names).subtracting(knownTags) == [])
  #expect(names.filter { $0 == "script" }.count == 1)
  // Every attribute that a value could stand in keeps its form.
  for line in html.split(separator: "\n") where line.contains("<tr") || line.contains("<article") {
    #expect(!line.contains("onmouseover='") && !line.contains("onload=x\""))
  }
  let hidden = html.unicodeScalars.filter { scalar in
    if scalar == "\n" || (0x20..<0x7F).contains(scalar.value) { return false }
    return scalar.value < 0xA0 || scalar.properties.generalCategory == .format
      || (0xF780...0xF7FF).contains(scalar.value)
  }
  #expect(hidden.isEmpty)
}

@Test("escaping lets no special byte through, whatever stands beside it")
func escapingIsBytewise() {
  let escape = HTMLText()
  for value in ["<\u{0301}", "\u{0D4E}<", "\"\u{200D}", "'\u{FE0F}", ">\u{20E3}", "\u{110BD}\""] {
    let bytes = Array(escape.escapeText(value).utf8)
    #expect(!bytes.contains { "<>\"'".utf8.contains($0) }, "\(value)")
  }
  #expect(escape.escapeText("a&b") == "a&amp;b")
}

@Test("a terminal is sent no control character", arguments: Hostile.values)
func terminalIsSafe(_ value: String) throws {
  let summary = try Hostile.outputs(value).summary
  for scalar in summary.unicodeScalars where scalar != "\n" {
    #expect(scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value))
    #expect(scalar.properties.generalCategory != .format)
  }
}

@Test("no field of a CSV file is a formula, and each comes back whole", arguments: Hostile.values)
func csvIsSafe(_ value: String) throws {
  let outputs = try Hostile.outputs(value)
  for file in [ReportFile.blocked, .likelyBlocked] {
    let records = CSVReader.records(outputs.text(file))
    #expect(records.count == (file == .blocked ? BlockedReason.allCases.count * 2 + 1 : 2))
    for record in records {
      #expect(record.count == Call.columns.count)
      for field in record {
        #expect(!["=", "+", "-", "@", "\t", "\r"].contains { field.utf8.first == $0.utf8.first })
      }
    }
    let guarded = ["=", "+", "-", "@", "\t", "\r"].contains { value.utf8.first == $0.utf8.first }
    let row = try #require(outputs.rows(file).first)
    #expect(row["origin"] == (guarded ? "'" : "") + value)
  }
}

@Test("fields are quoted only where RFC 4180 asks for it")
func csvQuoting() {
  func field(_ text: String) -> String {
    var bytes: [UInt8] = []
    CSVRow.append(text, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
  #expect(field("plain text") == "plain text")
  #expect(field("a,b") == "\"a,b\"")
  #expect(field("a\"b") == "\"a\"\"b\"")
  #expect(field("a\nb") == "\"a\nb\"")
  #expect(field("a\r\nb") == "\"a\r\nb\"")
  #expect(field("=1+1") == "'=1+1")
  #expect(field("=\"x\",1") == "\"'=\"\"x\"\",1\"")
  #expect(field("") == "")
  #expect(field("1=1") == "1=1")
}

@Test("calls come back out of the stream as they were written", arguments: Hostile.values)
func callsComeBack(_ value: String) throws {
  let calls = Hostile.calls(value)
  let outputs = try Hostile.outputs(value)
  let lines = outputs.text(.calls).split(separator: "\n")
  try #require(lines.count == calls.count)
  for (line, call) in zip(lines, calls) {
    // What cannot be read back is an origin or URL that is none, which replay never writes.
    guard let record = try? CallStreamRecord(line: line), case .call(var read) = record else {
      #expect(RequestURL(call.url.description) == nil || value.isEmpty)
      continue
    }
    #expect(read.incident != nil || call.verdict != .blocked)
    read.likely = nil
    read.cause = nil
    read.incident = nil
    #expect(read.parameter == call.parameter)
    #expect(read.message == call.message)
    #expect(read.verdict == call.verdict)
    #expect(read.reason == call.reason)
  }
}

@Test("an endless text is shown short, with its length")
func longValuesAreShortened() throws {
  // Only a call that is blocked and one that is not known are worth the time here.
  let long = String(repeating: "é<\"", count: 60_000)
  let calls = Hostile.calls(long)
  let outputs = try Outputs.of([calls[0], calls[1], calls[2], calls[calls.count - 1]])
  #expect(outputs.files[.html]?.count ?? .max < 2_000_000)
  #expect(outputs.summary.utf8.count < 20_000)
  #expect(DisplayText.visible(long, limit: 20).contains("(240,000 bytes)"))
  #expect(outputs.rows(.blocked).first?["origin"] == long)
}

@Test("what deceives the eye is made visible")
func displayText() {
  #expect(DisplayText.visible("a\u{202E}b") == "a\\u{202e}b")
  #expect(DisplayText.visible("a\nb\tc\u{1B}") == "a\\nb\\tc\\x1b")
  #expect(DisplayText.visible("\u{F7FF}") == "\\xff")
  #expect(DisplayText.visible("Zürich 東京") == "Zürich 東京")
  #expect(DisplayText.visible("e\u{301}\u{301}") == "e\u{301}\u{301}")
  #expect(DisplayText.visible("e\u{301}\u{301}\u{301}").hasSuffix("\\u{0301}"))
  #expect(DisplayText.grouped(1_234_567) == "1,234,567")
  #expect(DisplayText.grouped(-123) == "-123")
  #expect(DisplayText.percent(0, of: 7) == "0%")
  #expect(DisplayText.percent(1, of: 7000) == "under 1%")
  #expect(DisplayText.percent(6999, of: 7000) == "over 99%")
  #expect(DisplayText.percent(7, of: 7) == "100%")
}
