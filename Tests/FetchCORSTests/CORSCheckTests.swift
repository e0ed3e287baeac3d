import FetchCORS
import HTTPExchange
import TestSupport
import Testing

/// The facts of web-platform-tests `cors/origin.htm`, `cors-multiple-origins` and
/// `credentials-flag.htm`, and of Chromium's access check table.
struct CORSCheckTests {
  static let origin = "http://www.app.example:8080"

  private func faults(
    _ values: [String], credentials: String? = nil, origin: String = Self.origin, engine: Engine
  ) -> [BlockedReason] {
    let fields =
      values.map { ("Access-Control-Allow-Origin", $0 as String?) }
      + (credentials.map { [("Access-Control-Allow-Credentials", $0)] } ?? [])
    let findings = corsCheck(
      origin: origin, includesCredentials: credentials != nil, response: .complete(fields),
      httpVersion: "HTTP/1.1", engine: engine)
    #expect(findings.missing.isEmpty)
    return findings.faults.map(\.reason)
  }

  @Test(
    "two lines of which one is shown are refused, whatever the other says",
    arguments: Engine.allCases)
  func countedLines(engine: Engine) {
    for shown in ["*", Self.origin] {
      let response = MessageEvidence(
        coverage: .only([.accessControlAllowOrigin: .exact]),
        fields: [
          HeaderField(.accessControlAllowOrigin, nil),
          HeaderField(.accessControlAllowOrigin, shown),
        ])
      let findings = corsCheck(
        origin: Self.origin, includesCredentials: false, response: response,
        httpVersion: "HTTP/1.1", engine: engine)
      #expect(findings.faults.map(\.reason) == [.multipleAllowOriginValues])
      #expect(findings.missing.isEmpty)
    }
  }

  @Test(
    "these spellings of Allow-Origin are accepted",
    arguments: [
      "*", " * ", "\t*", "*\t ", "http://www.app.example:8080", " http://www.app.example:8080",
      "http://www.app.example:8080   ", "\thttp://www.app.example:8080\t",
      "\r\nhttp://www.app.example:8080",
    ], Engine.allCases)
  func accepted(value: String, engine: Engine) {
    #expect(faults([value], engine: engine) == [])
  }

  @Test(
    "these spellings of Allow-Origin are refused",
    arguments: [
      "//www.app.example:8080", "://www.app.example:8080", "ftp://www.app.example:8080",
      "http:://www.app.example:8080", "http:/www.app.example:8080", "http:www.app.example:8080",
      "http://www.app.example:8080/", "http://www.app.example:8080//",
      "http://www.app.example:8080/orders", "http://www.app.example:8080?",
      "http://www.app.example:8080#", "http://www.app.example", "http://www.app.example:",
      "http://www.app.example:80", "http://www.app.example:8081", "http://www.app.example:08080",
      "http://app.example:8080", "https://www.app.example:8080", "HTTP://www.app.example:8080",
      "http://WWW.APP.EXAMPLE:8080", "Http://www.app.example:8080", "www.app.example:8080",
      "www.app.example", "http://user@www.app.example:8080", "http://*.app.example:8080",
      "http://www.app.example:*", "http://*", "*://www.app.example:8080", "**", "* *", "*,",
      "\"*\"", "'*'", "\\*", "[*]", "*.app.example", "", " ", "null", "NULL", "Null", "true",
      "undefined", "-", ".", "//", "http://", "http", "host",
      "\"http://www.app.example:8080\"", "'http://www.app.example:8080'",
      "<http://www.app.example:8080>", "http://www.app.example:8080\u{0}",
      "http://www.app.example:8080;", "http://www.app.example:8080,",
      ",http://www.app.example:8080", ", http://www.app.example:8080",
      "http://www.app.example:8080, http://www.app.example:8080",
      "http://www.app.example:8080,http://www.app.example:8080",
      "http://www.app.example:8080 http://www.app.example:8080",
      "*, http://www.app.example:8080", "http://www.app.example:8080, *",
      "* http://www.app.example:8080", "http://a.example http://www.app.example:8080",
      "http://www.app.example:8080\u{E9}", "http://www.\u{E4}pp.example:8080",
      "http://www.app.example:8080\u{F7E9}", "http://www.app.example.:8080",
      "http://www.app.example%3A8080", "http://www.app.example:8080\u{301}",
    ], Engine.allCases)
  func refused(value: String, engine: Engine) {
    #expect(faults([value], engine: engine).count == 1)
    #expect(faults([value], credentials: "true", engine: engine).count == 1)
  }

  @Test(
    "two lines are refused, even of the same value",
    arguments: [
      ["*", "*"], ["", "*"], ["*", ""], [origin, origin], [origin, ""], ["", origin],
      [origin, "*"], ["*", origin], [origin, "http://a.example"], ["http://a.example", origin],
      [origin, "null"],
    ], Engine.allCases)
  func twoLines(values: [String], engine: Engine) {
    #expect(faults(values, engine: engine).count == 1)
  }

  @Test(
    "null is matched by null alone",
    arguments: [
      ("null", true), (" null\t", true), ("*", true), ("NULL", false), ("Null", false),
      ("null/", false), ("\"null\"", false), ("null,", false), ("", false), ("file://", false),
      ("http://null", false),
    ], Engine.allCases)
  func nullOrigin(value: (String, Bool), engine: Engine) {
    #expect(faults([value.0], origin: "null", engine: engine).isEmpty == value.1)
  }

  @Test(
    "with credentials Allow-Credentials is true or nothing",
    arguments: [
      ("true", true), (" true", true), ("true\t", true), ("\ttrue ", true), ("TRUE", false),
      ("True", false), ("true,", false), ("true, true", false), ("true,true", false),
      ("\"true\"", false), ("'true'", false), ("1", false), ("yes", false), ("", false),
      ("false", false), ("*", false), ("true;", false), ("t rue", false), ("true\u{301}", false),
      (origin, false),
    ], Engine.allCases)
  func allowCredentials(value: (String, Bool), engine: Engine) {
    let found = faults([Self.origin], credentials: value.0, engine: engine)
    #expect(found == (value.1 ? [] : [.invalidAllowCredentials]))
    // A star is refused first, whatever the credentials field says.
    #expect(faults(["*"], credentials: value.0, engine: engine) == [.wildcardOriginNotAllowed])
  }

  @Test(
    "Chromium tells four kinds of a wrong value apart",
    arguments: [
      ("http://a.example", BlockedReason.allowOriginMismatch), ("null", .allowOriginMismatch),
      ("http://www.app.example:8080/", .allowOriginMismatch), ("x:", .allowOriginMismatch),
      ("app.example:8080", .allowOriginMismatch), ("ftp://app.example", .allowOriginMismatch),
      ("http:app.example", .allowOriginMismatch), ("http://*.app.example", .allowOriginMismatch),
      ("http://user:pw@app.example", .allowOriginMismatch),
      ("http://b\u{FC}cher.example", .allowOriginMismatch),
      ("app.example", .invalidAllowOriginValue), ("", .invalidAllowOriginValue),
      ("**", .invalidAllowOriginValue), ("NULL", .invalidAllowOriginValue),
      ("\"*\"", .invalidAllowOriginValue), ("http://", .invalidAllowOriginValue),
      ("http://a.example:port", .invalidAllowOriginValue),
      ("http://a.example:99999", .invalidAllowOriginValue),
      ("http://a.example:80;http://b.example", .invalidAllowOriginValue),
      ("http://a.example\u{F7E9}", .invalidAllowOriginValue),
      ("//app.example", .invalidAllowOriginValue), ("1http://x", .invalidAllowOriginValue),
      ("*, *", .multipleAllowOriginValues), ("a b", .multipleAllowOriginValues),
      ("http://a.example,", .multipleAllowOriginValues),
    ])
  func chromiumKinds(value: String, reason: BlockedReason) {
    #expect(faults([value], engine: .chromium) == [reason])
  }

  @Test("a value that is equal only by canonical equivalence is another one")
  func canonicalEquivalence() {
    for engine in Engine.allCases {
      #expect(
        faults(["https://e\u{301}.example"], origin: "https://\u{E9}.example", engine: engine)
          .count == 1)
    }
  }
}
