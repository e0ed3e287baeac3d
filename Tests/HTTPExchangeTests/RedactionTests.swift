import TestSupport
import Testing

@testable import HTTPExchange

struct RedactionTests {
  static let secret = "s3cr3tValue"

  @Test(
    "no secret survives in a URL",
    arguments: [
      "https://user:s3cr3tValue@edge.example/x", "https://s3cr3tValue@edge.example/x",
      "//user:s3cr3tValue@edge.example/x", "\\\\user:s3cr3tValue@edge.example/x",
      "https:user:s3cr3tValue@edge.example/x", "https:/user:s3cr3tValue@edge.example/x",
      "https:\\\\user:s3cr3tValue@edge.example", "https:////user:s3cr3tValue@edge.example/x",
      "ftp://user:s3cr3tValue@edge.example/x", "user:s3cr3tValue@edge.example:443",
      "  https://user:s3cr3tValue@edge.example/x", "ht\ttps://user:s3cr3tValue@edge.example/x",
      "https://user:s3cr3tValue@\u{301}edge.example/x",
      "https://user:s3cr3tValue@a@edge.example/x",
      "/x?token=s3cr3tValue", "/x?a=1&access_token=s3cr3tValue&b=2", "/x?ACCESS_TOKEN=s3cr3tValue",
      "/x?a=1;token=s3cr3tValue", "?password=s3cr3tValue", "/x?token=\u{301}s3cr3tValue",
      "/x?%74oken=s3cr3tValue", "/x?user%5Bpassword%5D=s3cr3tValue",
      "/x?user[password]=s3cr3tValue",
      "/x?reset_token=s3cr3tValue", "/x?X-Amz-Signature=s3cr3tValue", "/x?code=s3cr3tValue",
      "/x?api-key=s3cr3tValue", "/x?token=a=s3cr3tValue", "/x?a?token=s3cr3tValue",
      "/cb#access_token=s3cr3tValue", "https://app.example/cb#id_token=s3cr3tValue&state=1",
      "/x?a=b#s3cr3tValue", "/app;jsessionid=s3cr3tValue", "/app;jsessionid=s3cr3tValue/y?z",
      "/x?ticket=s3cr3tValue", "/x?sid=s3cr3tValue", "/reset/eyJhbGciOiJIUzI1NiJ9.s3cr3tValue",
      "/x/eyJhbGciOiJIUzI1NiJ9.s3cr3tValue/y?z=1", "/go%2FeyJhbGciOiJIUzI1NiJ9.s3cr3tValue",
      "https://edge.example/eyJhbGciOiJIUzI1NiJ9.s3cr3tValue",
      "https://user:pw@edge.example;token=s3cr3tValue",
      "user:pw@edge.example;jsessionid=s3cr3tValue",
      "/x/eyJhbGciOi\rJIUzI1NiJ9.s3cr3tValue", "/x/eyJhbGciOiJIUzI1\n\tNiJ9.s3cr3tValue",
    ])
  func noSecretInURL(text: String) {
    let redacted = Redaction.url(text)
    #expect(!redacted.contains(Self.secret), "\(redacted)")
    // What was replaced once is left alone, so that a record can pass through twice.
    #expect(Redaction.url(redacted) == redacted)
  }

  @Test(
    "a value with the shape of a token is replaced whatever its name is",
    arguments: [
      "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "0123456789abcdef0123456789abcdef",
      "0123456789ABCDEF0123456789ABCDEF", "AbCdEfGhIjKlMnOpQrStUv12", "Ab1-Ab2_Ab3.Ab4~Ab5+Ab6/Ab",
    ])
  func shape(value: String) {
    #expect(Redaction.url("/x?q=\(value)") == "/x?q=\(Redaction.token(of: value))")
    #expect(!Redaction.url("/x?\(value)").contains(value))
  }

  @Test(
    "what is no secret stays as it is",
    arguments: [
      "/", "/x?q=hello&page=2", "/x?id=3f2504e0-4f89-11d3-9a0c-0305e82c3301", "/@scope/pkg",
      "/x?redirect=/login&empty=&=", "/img/photo@2x.png", "photo@2x.png", "/x;v=1/y;w=2?z;q",
      "https://@edge.example/x?q", "https://:@edge.example/x", "", "?", "/a?b", "/%40x", "/x?q=é",
      "/x?name=O'Brien", "/keyJournalEntriesOfAllTheCustomers", "/eyJournals", "/x/eyJ",
    ])
  func harmless(text: String) {
    #expect(Redaction.url(text) == text)
  }

  @Test("a list of header names holds names only, and stays malformed where it was")
  func headerNames() {
    func kept(_ value: String) -> String? {
      Redaction.requestValue(.accessControlRequestHeaders, value)
    }
    #expect(kept("content-type, x-a,,x-b") == "content-type, x-a,,x-b")
    for value in [
      "x-a,authorization: Bearer s3cr3tValue,x-b", "x-a,token=s3cr3tValue,x-b",
      "x-a,x?access_token=s3cr3tValue,x-b",
    ] {
      let list = kept(value) ?? ""
      #expect(list.hasPrefix("x-a,(~") && list.hasSuffix("),x-b"))
      #expect(!list.contains("s3cr3t"))
      #expect(kept(list) == list)
    }
    let name = kept("x-a,eyJhbGciOiJIUzI1NiJ9.s3cr3tValue")
    #expect(name?.hasPrefix("x-a,~") == true && name?.contains("s3cr3t") == false)
  }

  @Test("origins and other values keep no user info and no JWT")
  func otherValues() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.s3cr3tValue"
    let values = [
      Redaction.requestValue(.origin, "https://user:s3cr3tValue@edge.example"),
      Redaction.responseValue(.accessControlAllowOrigin, "https://user:s3cr3tValue@edge.example"),
      Redaction.requestValue(.accept, "text/plain;key=\(jwt)"),
      Redaction.requestValue(.xRequestID, jwt), Redaction.responseValue(.via, "1.1 \(jwt)"),
    ]
    #expect(values.allSatisfy { $0?.contains("s3cr3t") == false })
    #expect(values[0] == values[1])
  }

  @Test("the same secret has the same token everywhere")
  func sameToken() {
    let token = Redaction.token(of: "abc")
    #expect(token == "~ba7816bf8f01")
    #expect(Redaction.url("/x?token=abc") == "/x?token=\(token)")
    #expect(Redaction.url("https://abc@h/") == "https://\(token)@h/")
    // A Location as the server wrote it, and the request after it as the browser encodes it.
    #expect(Redaction.url("/x?token=a b\u{E9}") == Redaction.url("/x?token=a%20b%C3%A9"))
    #expect(Redaction.token(of: "abd") != token)
  }

  @Test("a redacted Location leads to the redacted target of the next request")
  func locationMatchesTarget() throws {
    let base = try #require(RequestURL("https://api.example/a"))
    let location = Redaction.responseValue(
      .location, "https://u:p@edge.example/cb;jsessionid=1?code=s3cr3tValue&x=a b#t")
    let next = Redaction.url("/cb;jsessionid=1?code=s3cr3tValue&x=a%20b")
    #expect(base.resolving(location: location ?? "")?.target == next)
  }

  @Test("of credentials in headers only the scheme is kept")
  func headers() {
    #expect(Redaction.requestValue(.cookie, "sid=s3cr3tValue") == nil)
    #expect(Redaction.responseValue(.setCookie, "sid=s3cr3tValue") == nil)
    #expect(Redaction.requestValue(.authorization, "Bearer s3cr3tValue") == "Bearer")
    #expect(Redaction.requestValue(.authorization, "basic dXNlcg==") == "basic")
    #expect(
      Redaction.requestValue(.authorization, "AWS4-HMAC-SHA256 Credential=x") == "AWS4-HMAC-SHA256")
    for value in [
      "s3cr3tValue", "hunter two", "secret", "", " ", "Bearer\ts3cr3tValue", "Bearer,x",
    ] {
      let kept = Redaction.requestValue(.authorization, value)
      #expect(kept == nil || kept == "Bearer", "\(value)")
    }
    #expect(Redaction.responseValue(.wwwAuthenticate, "Basic realm=\"x\"") == "Basic")
    #expect(Redaction.requestValue(HeaderName("x-api-key"), "s3cr3tValue") == nil)
    #expect(Redaction.requestValue(.origin, "https://app.example") == "https://app.example")
    #expect(Redaction.responseValue(.server, "nginx") == "nginx")
  }

  @Test(
    "a Referer is reduced to its origin",
    arguments: [
      ("https://app.example/", "https://app.example/" as String?),
      ("https://app.example", "https://app.example/"),
      ("https://app.example/reset?token=s3cr3tValue", "https://app.example/…"),
      ("https://app.example?token=s3cr3tValue", "https://app.example/…"),
      ("https://app.example#s3cr3tValue", "https://app.example/…"),
      ("https://user:s3cr3tValue@app.example/", nil), ("s3cr3tValue", nil), ("", nil),
      ("https://app.example/\u{301}s3cr3tValue", "https://app.example/…"),
      ("about:blank", nil),
    ])
  func referer(value: String, expected: String?) {
    #expect(Redaction.requestValue(.referer, value) == expected)
  }

  @Test(
    "an origin that is not well written stays byte for byte, since browsers compare bytes",
    arguments: [
      "https://a.example#", "https://a.example#x", "https://a.example/\n*", "https://a.example\t",
      "https://a.example?", "https://a.example/;x", "null", "*", "https://a.example:443",
    ])
  func origins(value: String) {
    #expect(Redaction.responseValue(.accessControlAllowOrigin, value) == value)
    #expect(Redaction.requestValue(.origin, value) == value)
  }

  @Test("mutated URLs are redacted without a trap and settle at once")
  func hostile() {
    var generator = SeededGenerator(seed: 4)
    let sample = Array("https://user:pw@edge.example/a;b=c?token=abc&q=1#f".utf8)
    var bytes = sample
    for round in 0..<5000 {
      if round % 25 == 0 { bytes = sample }
      bytes = bytes.mutated(&generator)
      let once = Redaction.url(WireText.decode(bytes))
      #expect(Redaction.url(once) == once, "\(bytes)")
    }
    for length in 0...sample.count { _ = Redaction.url(WireText.decode(sample.prefix(length))) }
  }
}
