import FetchCORS
import HTTPExchange
import TestSupport
import Testing

/// The facts of web-platform-tests `cors-preflight-status`, `-star`, `-response-validation`,
/// `preflight-failure.htm` and `request-headers.htm`, and of Chromium's preflight result tables.
struct CORSPreflightFetchTests {
  private func faults(
    method: String = "GET", names: [String] = [], methods: String? = nil, headers: String? = nil,
    credentials: Bool = false, status: Int = 204, location: String? = nil,
    forces: Bool = false, engine: Engine
  ) -> [Fault] {
    var fields: [(String, String?)] = [
      ("Access-Control-Allow-Origin", "https://app.example"),
      ("Access-Control-Allow-Credentials", "true"),
    ]
    if let methods { fields.append(("Access-Control-Allow-Methods", methods)) }
    if let headers { fields.append(("Access-Control-Allow-Headers", headers)) }
    if let location { fields.append(("Location", location)) }
    return corsPreflightFetch(
      PreflightQuestion(method: method, headerNames: names), origin: "https://app.example",
      includesCredentials: credentials, forcesPreflight: forces, status: status,
      response: .complete(fields), engine: engine
    ).faults
  }

  @Test("only 200 to 299 are ok statuses", arguments: Engine.allCases)
  func statuses(engine: Engine) {
    for status in 100...999 {
      let found = faults(status: status, engine: engine)
      #expect(found.isEmpty == (200...299).contains(status))
      #expect(found.allSatisfy { $0.reason == .invalidStatus })
    }
  }

  @Test(
    "a redirect needs one of its statuses and a Location",
    arguments: [300, 301, 302, 303, 304, 305, 306, 307, 308, 309])
  func redirects(status: Int) {
    let isRedirect = [301, 302, 303, 307, 308].contains(status)
    for engine in [Engine.standard, .chromium, .firefox] {
      let found = faults(status: status, location: "/x", engine: engine)
      #expect(found.map(\.reason) == [isRedirect ? .disallowedRedirect : .invalidStatus])
    }
    #expect(
      faults(status: status, location: "/x", engine: .webkit).map(\.reason) == [.invalidStatus])
  }

  @Test(
    "a method is listed, safelisted or covered by a star",
    arguments: [
      ("GET", nil, true), ("HEAD", nil, true), ("POST", nil, true), ("PUT", nil, false),
      ("GET", "", true), ("POST", "PUT", true), ("HEAD", "DELETE", true), ("PUT", "PUT", true),
      ("PUT", "put", false), ("put", "PUT", false), ("put", "put", true), ("PATCH", "patch", false),
      ("patch", "PATCH", false), ("PATCH", "PATCH", true), ("DELETE", "GET,DELETE", true),
      ("DELETE", "GET, DELETE", true), ("DELETE", "DELETE,GET", true), ("DELETE", ",DELETE,", true),
      ("DELETE", " ,\t, DELETE ,", true), ("DELETE", "DELETES", false), ("DELETE", "DELET", false),
      ("QUERY", "QUERY", true), ("X-SYNC", "X-SYNC, GET", true), ("Get", "GET", false),
      ("get", nil, false), ("post", "POST", false), ("OPTIONS", "OPTIONS", true),
      ("PUT", "*", true), ("*", "*", true), ("PUT", "GET, *", true), ("PUT", "**", false),
    ], Engine.allCases)
  func methods(row: (method: String, list: String?, passes: Bool), engine: Engine) {
    let found = faults(method: row.method, methods: row.list, engine: engine)
    #expect(
      found
        == (row.passes ? [] : [Fault(.methodDisallowedByPreflightResponse, row.method)]))
  }

  @Test(
    "with credentials a star is the name of a method",
    arguments: [("PUT", false), ("*", true), ("GET", true)], Engine.allCases)
  func methodStar(row: (method: String, passes: Bool), engine: Engine) {
    #expect(
      faults(method: row.method, methods: "*", credentials: true, engine: engine).isEmpty
        == row.passes)
  }

  @Test(
    "header names are listed in any case or covered by a star",
    arguments: [
      (["x-a"], "x-a", true), (["x-a"], "X-A", true), (["X-A"], "x-a", true), (["x-a"], nil, false),
      (["x-a"], "", false), (["x-a"], "x-b", false), (["x-a", "x-b"], "x-b,x-a", true),
      (["x-a", "x-b"], "x-a", false), (["x-a"], "x-a,", true), (["x-a"], ",,x-a", true),
      (["x-a"], "x-a ,\tx-b", true), (["x-a"], "*", true), (["x-a"], "x-b, *", true),
      (["*"], "*", true), (["x-a"], "x-ab", false), (["content-type"], "Content-Type", true),
      (["authorization"], "Authorization", true), (["authorization"], "*, AUTHORIZATION", true),
      ([], nil, true), ([], "x-a", true), (["accept"], "accept", true),
    ] as [([String], String?, Bool)], Engine.allCases)
  func headerNames(row: (names: [String], list: String?, passes: Bool), engine: Engine) {
    let found = faults(names: row.names, headers: row.list, engine: engine)
    #expect(found.isEmpty == row.passes)
    #expect(found.allSatisfy { $0.reason == .headerDisallowedByPreflightResponse })
  }

  @Test(
    "with credentials a star is the name of a header",
    arguments: [(["x-a"], false), (["*"], true), ([], true)] as [([String], Bool)], Engine.allCases)
  func headerStar(row: (names: [String], passes: Bool), engine: Engine) {
    #expect(
      faults(names: row.names, headers: "*", credentials: true, engine: engine).isEmpty
        == row.passes)
  }

  @Test("a star covers Authorization everywhere but in the standard", arguments: Engine.allCases)
  func authorization(engine: Engine) {
    for name in ["authorization", "Authorization"] {
      #expect(
        faults(names: [name], headers: "*", engine: engine).isEmpty == (engine != .standard))
      #expect(!faults(names: [name], headers: "*", credentials: true, engine: engine).isEmpty)
    }
  }

  @Test(
    "a list with something that is no token fails the preflight",
    arguments: [
      "GET PUT", "GET; PUT", "GET;PUT", "\"GET\"", "'GET, PUT", "GET/PUT", "GET:PUT", "(GET)",
      "GET, PUT DELETE", "[GET]", "{GET}", "<GET>", "GET=1", "GET,\\", "GET?", "GET@", "GÉT",
      "GET\u{F7E9}", "GET, \u{1}", "GET\u{7F}", "PUT, G ET", "x-a, x b", ",;", "GET,\u{301}PUT",
    ], Engine.allCases)
  func badLists(list: String, engine: Engine) {
    guard list != "'GET, PUT" else {
      // An apostrophe may stand in a token.
      #expect(faults(methods: list, headers: list, engine: engine).isEmpty)
      return
    }
    #expect(
      faults(methods: list, engine: engine) == [Fault(.invalidAllowMethodsPreflightResponse, list)])
    #expect(
      faults(headers: list, engine: engine) == [Fault(.invalidAllowHeadersPreflightResponse, list)])
    // Both are told, the methods first.
    #expect(
      faults(methods: list, headers: list, engine: engine).map(\.reason) == [
        .invalidAllowMethodsPreflightResponse, .invalidAllowHeadersPreflightResponse,
      ])
  }

  @Test("every byte that may stand in a token may stand in a list")
  func tokenBytes() {
    let allowed = Set(
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    for byte in UInt8(0x21)...0xFF where byte != UInt8(ascii: ",") {
      let list = WireText.decode([0x78, byte, 0x78])
      #expect(faults(headers: list, engine: .standard).isEmpty == allowed.contains(byte))
    }
  }

  @Test("a forced preflight without a list of methods counts as one that lists the method")
  func forced() {
    #expect(faults(method: "PUT", forces: true, engine: .standard).isEmpty)
    #expect(!faults(method: "PUT", methods: "GET", forces: true, engine: .standard).isEmpty)
    #expect(!faults(method: "PUT", methods: "", forces: true, engine: .standard).isEmpty)
  }

  @Test(
    "a question is read from the request of a preflight",
    arguments: [
      ("content-type,x-a", ["content-type", "x-a"]), ("x-a", ["x-a"]), ("", []),
      (" x-a , X-B,, ", ["x-a", "X-B"]), ("x-a;x-b", ["x-a;x-b"]),
    ] as [(String, [String])])
  func question(text: String, names: [String]) {
    let question = PreflightQuestion(
      .complete([
        ("Access-Control-Request-Method", "PUT"), ("Access-Control-Request-Headers", text),
      ]))
    #expect(question == PreflightQuestion(method: "PUT", headerNames: names))
  }
}
