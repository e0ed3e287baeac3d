import TestSupport
import Testing

@testable import HTTPExchange

struct EdgeURLTests {
  private func url(
    scheme: String? = "http", host: String? = "api.example", port: UInt16? = nil,
    target: String = "/x", trusting: Bool = false, _ request: [(String, String?)]
  ) -> RequestURL {
    RequestURL(
      hopScheme: scheme, host: host, port: port, target: target, request: .complete(request),
      trustsForwarded: trusting)
  }

  @Test("a hop without signs of a terminator is the browser's own")
  func plain() {
    #expect(url([]).description == "http://api.example/x")
    #expect(url([]).known == ["scheme", "host", "port"])
    #expect(url(scheme: "https", host: "api.example:8443", []).port == 8443)
    #expect(url([("Origin", "http://app.example")]).known == ["scheme", "host", "port"])
    // Chromium sends this one in clear text as well.
    #expect(url([("Sec-Fetch-Mode", "cors")]).known == ["scheme", "host", "port"])
  }

  @Test(
    "what is no scheme of HTTP is not recorded, so that the record can be read back",
    arguments: ["0.000 http", "", "ftp", "http:", "ws"])
  func noScheme(scheme: String) {
    let url = url(scheme: scheme, host: "api.example:8080", [])
    #expect(url.known == ["host", "port"])
    #expect(RequestURL(url.description, known: url.known) == url)
  }

  @Test(
    "behind a terminator scheme and default port are unrecorded",
    arguments: [
      ("Origin", "https://app.example"), ("Sec-Fetch-Site", "cross-site"),
      ("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.9"),
      ("X-Forwarded-Host", "api.example"), ("Forwarded", "for=192.0.2.9"),
    ])
  func terminator(name: String, value: String) {
    #expect(url([(name, value)]).known == ["host"])
    // A port in Host is the browser's.
    #expect(url(host: "api.example:8443", [(name, value)]).known == ["host", "port"])
    // A hop that is TLS itself needs no guess.
    #expect(url(scheme: "https", [(name, value)]).known == ["scheme", "host", "port"])
  }

  @Test("secure pages may call this machine itself in clear text")
  func loopback() {
    let page = [("Origin", "https://app.example" as String?)]
    for host in ["localhost:3000", "api.localhost", "127.0.0.1:80", "[::1]:80"] {
      #expect(url(host: host, page).scheme == "http")
    }
    #expect(url(host: "127.evil.example", page).scheme == nil)
  }

  @Test("forwarding headers that are trusted give the browser's URL")
  func trusted() {
    #expect(
      url(trusting: true, [("X-Forwarded-Proto", "https")]).description == "https://api.example/x")
    #expect(
      url(
        host: "10.0.0.5:8080", trusting: true,
        [
          ("X-Forwarded-Proto", "https, http"), ("X-Forwarded-Host", "api.example, inner"),
          ("X-Forwarded-Port", "8443"),
        ]
      ).description == "https://api.example:8443/x")
    #expect(
      url(
        host: "10.0.0.5:8080", trusting: true,
        [
          ("Forwarded", "for=192.0.2.9;proto=https;host=\"api.example:444\", for=10.0.0.1")
        ]
      ).description == "https://api.example:444/x")
  }

  @Test("a forwarding header that does not name the scheme does not prove it")
  func trustedWithoutProto() {
    #expect(url(trusting: true, [("X-Forwarded-For", "192.0.2.9")]).known == ["host"])
    #expect(url(trusting: true, [("Origin", "https://app.example")]).known == ["host"])
    #expect(
      url(trusting: true, [("X-Forwarded-Proto", "gopher")]).known == ["host"])
    #expect(url(trusting: true, []).known == ["scheme", "host", "port"])
  }

  @Test("an absolute-form target overrides Host")
  func absoluteForm() {
    #expect(
      url(host: "proxy.example", target: "https://api.example:8443/x", []).description
        == "https://api.example:8443/x")
    #expect(url(target: "*", []).description == "http://api.example/*")
    #expect(url(host: nil, target: "/x", []).description == "http:///x")
  }

  @Test(
    "the address of a forwarded client stands without port and brackets",
    arguments: [
      ("192.0.2.9", "192.0.2.9" as String?), ("192.0.2.9:4711", "192.0.2.9"),
      ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]:4711", "2001:db8::1"),
      ("[2001:db8::1]", "2001:db8::1"), ("fe80::1", "fe80::1"), ("::1", "::1"),
      ("::ffff:192.0.2.9", "192.0.2.9"), ("_hidden", "_hidden"), ("unknown", nil),
      ("[oops", "[oops"),
    ])
  func address(text: String, expected: String?) {
    #expect(Forwarded.address(text) == expected)
    #expect(Forwarded(.complete([("X-Forwarded-For", text)])).client == expected)
    #expect(Forwarded(.complete([("X-Forwarded-For", " \(text) , 10.0.0.1")])).client == expected)
    #expect(Forwarded(.complete([("Forwarded", "For=\"\(text)\"; proto=http")])).client == expected)
  }

  private static let quoted: [(String, Forwarded)] = [
    (
      #"for="203.0.113.9;proto=http";host="a.example,b.example";proto=https, for=10.0.0.1;host=c.example"#,
      Forwarded(proto: "https", host: "a.example,b.example", client: "203.0.113.9;proto=http")
    ),
    (
      #"for=203.0.113.9;by="a\",\"b";proto=https;host=a.example,for=10.0.0.1"#,
      Forwarded(proto: "https", host: "a.example", client: "203.0.113.9")
    ),
    (
      #"host="a.ex\ample\\";for="[2001:db8::1]:4711";proto=HTTPS"#,
      Forwarded(proto: "https", host: #"a.example\"#, client: "2001:db8::1")
    ),
    (
      #"for="203.0.113.9, for=198.51.100.1;proto=https"#,
      Forwarded(proto: nil, host: nil, client: nil)
    ),
  ]

  @Test(
    "a quoted string of Forwarded holds commas, semicolons and quotation marks", arguments: quoted)
  func quotedStrings(value: String, expected: Forwarded) {
    #expect(Forwarded(.complete([("Forwarded", value)])) == expected)
  }

  @Test(
    "no prefix of a Forwarded value invents a scheme or host that it does not hold",
    arguments: quoted)
  func quotedPrefixes(value: String, whole: Forwarded) {
    for count in 0...value.utf8.count {
      for start in ["", "\"", "\\\"", ";,\"", "x=\"\\"] {
        let text = start + String(decoding: Array(value.utf8.prefix(count)), as: UTF8.self)
        let forwarded = Forwarded(.complete([("Forwarded", text)]))
        #expect(["http", "https", nil].contains(forwarded.proto))
        // What stands inside of a string, or in a later element, is no pair of its own.
        #expect(forwarded.host != "c.example" && forwarded.client != "10.0.0.1")
        if start.isEmpty { #expect(forwarded.client != "198.51.100.1") }
      }
    }
  }

  @Test("Forwarded comes before the fields that it replaced")
  func precedence() {
    let forwarded = Forwarded(
      .complete([
        ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "b.example"),
        ("Forwarded", "PROTO=HTTPS ; host = a.example; junk; =; by=\"x"),
      ]))
    #expect(forwarded.proto == "https")
    #expect(forwarded.host == "a.example")
    #expect(forwarded.client == nil)
    #expect(Forwarded(.complete([("Forwarded", ""), ("X-Forwarded-Port", "70000")])).port == nil)
  }
}
