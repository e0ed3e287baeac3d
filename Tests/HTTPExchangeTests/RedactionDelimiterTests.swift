import HTTPExchange
import Testing

@Suite("Delimiters of secrets in URLs")
struct RedactionDelimiterTests {
  @Test(
    "a secret is found whatever stands around it",
    arguments: [
      "/?token=hunter2", "/?a=1&token=hunter2", "/?token=hunter2&a=1", "/?a&&token=hunter2&",
      "/?token=\u{301}hunter2", "/?a=1&\u{301}=2&token=hunter2", "/?a=b=c&token=hunter2",
    ])
  func delimiters(url: String) {
    let redacted = Redaction.url(url)
    #expect(!redacted.contains("hunter2"))
    #expect(redacted.contains("token=~"))
    #expect(redacted.utf8.count { $0 == UInt8(ascii: "&") } == url.utf8.count { $0 == 38 })
  }

  @Test(
    "what is no secret stays as it is",
    arguments: ["/", "/?", "/?a", "/?a=", "/?a=1&b=2", "/?token=", "/?=&=&", "/a=b?c"])
  func plain(url: String) {
    #expect(Redaction.url(url) == url)
  }
}
