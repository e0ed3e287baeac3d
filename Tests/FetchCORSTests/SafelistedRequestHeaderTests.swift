import HTTPExchange
import TestSupport
import Testing

@testable import FetchCORS

/// The facts of web-platform-tests `cors-safelisted-request-header`,
/// `cors-preflight-not-cors-safelisted` and `simple-requests.htm`, and of Chromium's byte loops.
struct SafelistedRequestHeaderTests {
  static let unsafeBytes = Set("\"():<>?@[\\]{}".utf8).union(
    Array(0...8) + Array(10...31) + [0x7F] as [UInt8])

  @Test("every byte is safelisted or not as the standard says", arguments: Engine.allCases)
  func bytes(engine: Engine) {
    let language = Set(
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz *,-.;=".utf8)
    for byte in UInt8.min...UInt8.max {
      // Bytes beyond ASCII stand for themselves or for one that is not UTF-8: both are beyond.
      let text = WireText.decode([byte])
      #expect(
        isSafelistedRequestHeader("Accept", text, engine: engine)
          == !Self.unsafeBytes.contains(byte))
      #expect(
        isSafelistedRequestHeader("Accept-Language", text, engine: engine)
          == language.contains(byte))
      #expect(
        isSafelistedRequestHeader("content-language", text, engine: engine)
          == language.contains(byte))
      #expect(
        isSafelistedRequestHeader("Content-Type", "text/plain;a=" + text, engine: engine)
          == !Self.unsafeBytes.contains(byte))
      #expect(!isSafelistedRequestHeader("x-a", text, engine: engine))
    }
  }

  @Test(
    "content types",
    arguments: [
      ("text/plain", true), ("TEXT/PLAIN", true), ("text/plain;charset=utf-8", true),
      ("text/plain; charset=UTF-8", true), (" text/plain ", true), ("text/plain ;x=y", true),
      ("text/plain;", true), ("text/plain;;", true), ("text/plain;parameter", true),
      ("multipart/form-data", true), ("multipart/form-data; boundary=----x", true),
      ("MultiPart/Form-Data", true), ("application/x-www-form-urlencoded", true),
      ("application/x-www-form-urlencoded;charset=windows-1252", true),
      ("text/plain;\u{301}x", true), ("text/plain;charset=é", true),
      ("text/plain,", false), ("text/plain,x/y", false), ("text/plain, text/plain", false),
      ("text/plain ,", false), ("text/html", false), ("application/json", false),
      ("application/json;charset=utf-8", false), ("text/plain\"", false),
      ("text/plain;a=\"b\"", false),
      ("text/plain; charset=(utf-8)", false), ("text/ plain", false), ("text /plain", false),
      ("textplain", false), ("text/", false), ("/plain", false), ("", false), ("*/*", false),
      ("text/plainx", false), ("multipart/mixed", false), ("text/\u{301}plain", false),
      ("application/x-www-form-urlencoded,", false), ("application/csp-report", false),
    ])
  func contentTypes(value: String, isSafelisted: Bool) {
    for engine in Engine.allCases {
      #expect(isSafelistedRequestHeader("content-type", value, engine: engine) == isSafelisted)
    }
  }

  @Test(
    "ranges",
    arguments: [
      ("bytes=0-", true), ("bytes=0-255", true), ("bytes=255-255", true), ("bytes=09-10", true),
      ("bytes=00000000000000000000009-10", true),
      ("bytes=99999999999999999999-99999999999999999999", true), ("bytes=10-9", false),
      ("bytes=99999999999999999999-9", false), ("bytes=-500", false), ("bytes=-", false),
      ("bytes=", false), ("bytes", false), ("", false), ("bytes=0-255,300-400", false),
      ("bytes = 0-255", false), ("bytes= 0-255", false), ("bytes=0 -255", false),
      ("bytes=0- 255", false), ("bytes=0-255 ", false), (" bytes=0-255", false),
      ("bytes=+0-255", false), ("bytes=0-2-5", false), ("bytes=a-b", false), ("bytes:0-", false),
      ("items=0-", false), ("bytes=\u{665}-", false),
    ])
  func ranges(value: String, isSafelisted: Bool) {
    #expect(isSafelistedRequestHeader("Range", value) == isSafelisted)
    #expect(isSafelistedRequestHeader("Range", "BYTES=0-") == false)
  }

  @Test("a value of 128 bytes is safelisted, one of 129 is not", arguments: Engine.allCases)
  func length(engine: Engine) {
    for (name, start) in [
      ("accept", ""), ("accept-language", ""), ("content-type", "text/plain;a="),
    ] {
      let most = start + String(repeating: "1", count: 128 - start.utf8.count)
      #expect(isSafelistedRequestHeader(name, most, engine: engine))
      #expect(!isSafelistedRequestHeader(name, most + "1", engine: engine))
      // Bytes count, not characters.
      let accented = start + String(repeating: "é", count: (128 - start.utf8.count) / 2)
      #expect(
        isSafelistedRequestHeader(name, accented, engine: engine) == (name != "accept-language"))
      #expect(!isSafelistedRequestHeader(name, accented + "é", engine: engine))
    }
  }

  @Test("safelisted values of 1024 bytes together need no preflight, 1025 do")
  func total() {
    // Eight values of 128 bytes; the ninth of no byte, then of one.
    let names = ["accept", "accept-language", "content-language", "ACCEPT"]
    var headers = (0..<8).map { index in
      (name: names[index % 4], value: String(repeating: "1", count: 128))
    }
    headers.append((name: "content-language", value: ""))
    #expect(corsUnsafeRequestHeaderNames(headers) == [])
    headers[8].value = "1"
    for engine in Engine.allCases {
      #expect(
        corsUnsafeRequestHeaderNames(headers, engine: engine)
          == (engine == .webkit ? [] : ["accept", "accept-language", "content-language"]))
    }
    headers.append((name: "X-A", value: ""))
    #expect(corsUnsafeRequestHeaderNames(headers, engine: .webkit) == ["x-a"])
  }

  @Test("names are in lower case, sorted by bytes and stand once")
  func names() {
    #expect(
      corsUnsafeRequestHeaderNames([
        ("X-B", "1"), ("x_a", "1"), ("x-a", "1"), ("Accept", "*/*"), ("X-A", "2"),
        ("Content-Type", "application/json"), ("DNT", "1"), ("Last-Event-ID", "1"),
      ]) == ["content-type", "dnt", "last-event-id", "x-a", "x-b", "x_a"])
    #expect(corsUnsafeRequestHeaderNames([]) == [])
  }

  @Test(
    "client hints need a preflight everywhere but in Chromium",
    arguments: [
      ("DPR", "2", true), ("DPR", "1.5", true), ("DPR", "x", false), ("DPR", "-1", false),
      ("Width", "800", true), ("Viewport-Width", "800", true), ("Save-Data", "on", true),
      ("Save-Data", "off", false), ("Device-Memory", "4", true), ("ECT", "4g", true),
      ("ECT", "5g", false), ("RTT", "100", true), ("Downlink", "1.7", true),
      ("Sec-CH-UA", "x", true),
    ])
  func clientHints(name: String, value: String, inChromium: Bool) {
    #expect(isSafelistedRequestHeader(name, value, engine: .chromium) == inChromium)
    for engine in [Engine.standard, .firefox, .webkit] {
      #expect(!isSafelistedRequestHeader(name, value, engine: engine))
    }
  }

  @Test(
    "methods are safelisted with their case",
    arguments: [
      ("GET", true), ("HEAD", true), ("POST", true), ("get", false), ("Post", false),
      ("PUT", false), ("OPTIONS", false), ("", false), ("GET ", false),
    ])
  func methods(method: String, isSafelisted: Bool) {
    #expect(isSafelistedMethod(method) == isSafelisted)
  }

  @Test(
    "what the wire shows of script",
    arguments: [
      (["Content-Type": "application/json"], ["content-type"]),
      (["Content-Type": "text/plain"], []), (["X-Trace": "1"], ["x-trace"]),
      (["X-Trace": "1", "X-Forwarded-For": "192.0.2.9"], []),
      (["X-Trace": "1", "CF-Ray": "1"], []), (["X-Trace": "1", "via": "1.1 x"], []),
      (["Content-Type": "application/json", "Via": "1.1 x"], ["content-type"]),
      (["Cookie": "a"], []), (["Sec-GPC": "1", "Alt-Used": "x", "Priority": "u=1"], []),
      (["traceparent": "x", "x-request-id": "1", "baggage": "a"], []),
      (["Accept": "a\"b"], ["accept"]),
      (["If-None-Match": "x", "Authorization": "Bearer"], []),
    ] as [([String: String], Set<String>)])
  func scriptHeaders(fields: [String: String], names: Set<String>) {
    let request = MessageEvidence.complete(
      fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    #expect(Set(ScriptHeaders(request).unsafeNames.map(\.description)) == names)
    let all = fields.keys.map { HeaderName($0) }
    #expect(ScriptHeaders(request).carries(all) == true)
    #expect(ScriptHeaders(request).carries([HeaderName("x-not-there")]) == false)
    #expect(ScriptHeaders(request.truncated(after: 9)).carries(all) == nil)
  }
}
