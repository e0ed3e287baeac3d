import HTTPExchange
import Testing

struct OriginTests {
  @Test(
    "an origin is written as the standard serialises it",
    arguments: [
      ("https://app.example", "https://app.example"),
      ("HTTPS://App.Example", "https://app.example"),
      ("https://app.example:443", "https://app.example"),
      ("http://app.example:80", "http://app.example"),
      ("http://app.example:443", "http://app.example:443"),
      ("https://app.example:8443", "https://app.example:8443"),
      ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
      ("https://[::1]", "https://[::1]"),
      ("http://app_1.example", "http://app_1.example"),
      ("chrome-extension://abcdef", "chrome-extension://abcdef"),
      ("capacitor://localhost", "capacitor://localhost"),
      ("ws://app.example:80", "ws://app.example"),
    ])
  func serialised(text: String, description: String) {
    #expect(Origin(text)?.description == description)
  }

  @Test(
    "what is no tuple origin is refused",
    arguments: [
      "", "null", "*", "app.example", "//app.example", "://app.example", "https://",
      "https://app.example/", "https://app.example/path", "https://app.example?q",
      "https://app.example#f", "https://user@app.example", "https://app.example:",
      "https://app.example:65536", "https://app.example:+80", "https://app.example:8O",
      "https://app.example:123456", "https://a.example,https://b.example",
      "https://a.example https://b.example", "https://app example", "https://::1",
      "https://[::1", "https://::1]", "https://[]", "https://[zz]", "https://a[b", "https://a]b",
      "https://a:b:80", "https:\u{301}//app.example", "https://app.example/\u{301}",
      "https://app.example\u{7F}", "1http://app.example", "ht tp://app.example",
      "https:/app.example",
    ])
  func refused(text: String) {
    #expect(Origin(text) == nil)
  }

  @Test("a colon keeps its meaning when a combining mark follows it")
  func combiningMark() {
    #expect(Origin.split(authority: "api.example:\u{301}80") == nil)
    #expect(Origin.split(authority: "api.example:80\u{301}") == nil)
  }

  @Test("origins are equal when scheme, host and effective port are")
  func equality() {
    #expect(Origin("https://a.example:443") == Origin("https://A.example"))
    #expect(Origin("https://a.example") != Origin("http://a.example"))
    #expect(Origin("https://a.example") != Origin("https://a.example:444"))
    #expect(Origin("https://localhost") != Origin("https://127.0.0.1"))
  }
}
