import HTTPExchange
import TestSupport
import Testing

struct RequestURLTests {
  @Test("a URL is read back as it was written, whatever parts are known")
  func roundTrip() {
    let targets = [
      "/", "/a/b?c=d", "", "?q", "*", "//evil.example/x", "/\u{301}x", "\u{301}", "/a#b",
      "/é", "/?a=http://x.example/", "host:443", "http://x.example/", "/..", "/\u{F7FF}",
    ]
    for scheme in [nil, "http", "https"] {
      for host in [nil, "api.example", "[2001:db8::1]", "a\u{301}.example"] {
        for port: UInt16? in [nil, 80, 443, 8080] {
          for target in targets {
            let url = RequestURL(scheme: scheme, host: host, port: port, target: target)
            let again = RequestURL(url.description, known: url.known)
            #expect(again == url, "\(url) with \(url.known)")
          }
        }
      }
    }
  }

  @Test(
    "without a list of known parts a URL is what it says",
    arguments: [
      ("https://API.example/a?b#c", "https://api.example/a?b", 443 as UInt16?),
      ("http://api.example", "http://api.example/", 80),
      ("http://api.example?q", "http://api.example/?q", 80),
      ("//api.example/a", "//api.example/a", nil),
      ("//api.example:81/a", "//api.example:81/a", 81),
      ("/a//b", "/a//b", nil),
      ("/a?u=http://b.example/", "/a?u=http://b.example/", nil),
    ])
  func read(text: String, description: String, port: UInt16?) {
    let url = RequestURL(text)
    #expect(url?.description == description)
    #expect(url?.port == port)
  }

  @Test(
    "a URL whose host or port is none is refused",
    arguments: [
      "http://", "http:///a", "http://a b/", "http://a.example:x/", "http://a.example:65536/",
      "http://user@a.example/", "http://a.example\u{301}:/", "http://[::1/", "http://:80/",
    ])
  func refused(text: String) {
    #expect(RequestURL(text) == nil)
  }

  @Test("a record that contradicts its list of known parts is refused")
  func contradictingRecord() {
    #expect(RequestURL("/a", known: ["host"]) == nil)
    #expect(RequestURL("https://a.example/", known: ["scheme"]) == nil)
    #expect(RequestURL("//:x/", known: ["port"]) == nil)
  }

  @Test("a port is known only where scheme or Host tell it")
  func hostHeader() {
    #expect(RequestURL(scheme: "https", hostHeader: "A.example", target: "/").port == 443)
    #expect(RequestURL(scheme: nil, hostHeader: "a.example", target: "/").port == nil)
    #expect(RequestURL(scheme: nil, hostHeader: "a.example:8443", target: "/").port == 8443)
    #expect(RequestURL(scheme: "https", hostHeader: "a b", target: "/").host == nil)
    #expect(RequestURL(scheme: "https", hostHeader: nil, target: "/").port == nil)
    #expect(RequestURL(scheme: nil, hostHeader: "a.example", target: "/").origin == nil)
  }
}

struct LocationURLTests {
  static let base = "https://api.example:8443/v1/orders/7?page=2"

  @Test(
    "a Location is resolved as browsers do it",
    arguments: [
      // Absolute.
      ("https://edge.example/x", "https://edge.example/x"),
      ("http://EDGE.example", "http://edge.example/"),
      ("HTTP://edge.example:80/x", "http://edge.example/x"),
      ("https://edge.example:/x", "https://edge.example/x"),
      ("https://edge.example?q=1", "https://edge.example/?q=1"),
      ("https://edge.example/x#top", "https://edge.example/x"),
      ("https://edge.example/a/../b/./c/..", "https://edge.example/b/"),
      ("https://edge.example\\x\\y", "https://edge.example/x/y"),
      ("http:edge.example/x", "http://edge.example/x"),
      ("http:/edge.example/x", "http://edge.example/x"),
      ("http:////edge.example/x", "http://edge.example/x"),
      ("https://%65dge.example/", "https://edge.example/"),
      ("https://[2001:DB8::1]:8443/", "https://[2001:db8::1]:8443/"),
      // Of the scheme of the base, without an authority: relative.
      ("https:x", "https://api.example:8443/v1/orders/x"),
      ("https:/x", "https://api.example:8443/x"),
      // Scheme-relative.
      ("//edge.example/x", "https://edge.example/x"),
      ("//edge.example:81", "https://edge.example:81/"),
      ("\\\\edge.example\\x", "https://edge.example/x"),
      ("///edge.example/x", "https://edge.example/x"),
      ("/\\edge.example/x", "https://edge.example/x"),
      // Absolute path.
      ("/x/y?z", "https://api.example:8443/x/y?z"),
      ("/../../x", "https://api.example:8443/x"),
      ("/x/%2e%2E/y", "https://api.example:8443/y"),
      ("/x/.%2e/y/%2e", "https://api.example:8443/y/"),
      ("\\x\\y", "https://api.example:8443/x/y"),
      ("/x//y", "https://api.example:8443/x//y"),
      ("/.well-known/x", "https://api.example:8443/.well-known/x"),
      (
        "/login?next=http://user:pw@evil.example/",
        "https://api.example:8443/login?next=http://user:pw@evil.example/"
      ),
      // Relative.
      ("x", "https://api.example:8443/v1/orders/x"),
      ("./x", "https://api.example:8443/v1/orders/x"),
      ("../x", "https://api.example:8443/v1/x"),
      ("..", "https://api.example:8443/v1/"),
      (".", "https://api.example:8443/v1/orders/"),
      ("x:y/z", nil),
      ("./x:y/z", "https://api.example:8443/v1/orders/x:y/z"),
      ("1x:y", "https://api.example:8443/v1/orders/1x:y"),
      // Query only, empty, fragment only.
      ("?page=3", "https://api.example:8443/v1/orders/7?page=3"),
      ("", "https://api.example:8443/v1/orders/7?page=2"),
      ("#top", "https://api.example:8443/v1/orders/7?page=2"),
      // White space and what browsers percent-encode.
      (" /x ", "https://api.example:8443/x"),
      ("/x\ty", "https://api.example:8443/xy"),
      ("/a b?c d", "https://api.example:8443/a%20b?c%20d"),
      ("/é?é", "https://api.example:8443/%C3%A9?%C3%A9"),
      ("/\u{F7E9}", "https://api.example:8443/%E9"),
      ("/a\"<>`{}^|'", "https://api.example:8443/a%22%3C%3E%60%7B%7D%5E|'"),
      ("/?a\"<>`{}^|'", "https://api.example:8443/?a%22%3C%3E`{}^|%27"),
      ("/a%20b%zz", "https://api.example:8443/a%20b%zz"),
      ("/\u{301}x", "https://api.example:8443/%CC%81x"),
      // User info is no part of the URL that is requested.
      ("https://user:pw@edge.example/x", "https://edge.example/x"),
      ("https://a@b@edge.example/x", "https://edge.example/x"),
      // Bad.
      ("https://", nil), ("https://:80/", nil), ("https://a b/", nil), ("//", nil),
      ("https://a.example:99999/", nil), ("https://a.example:8x/", nil), ("ftp://a.example/", nil),
      ("data:text/plain,x", nil), ("javascript:alert(1)", nil), ("mailto:a@b.example", nil),
    ] as [(String, String?)])
  func resolved(location: String, expected: String?) throws {
    let base = try #require(RequestURL(Self.base))
    #expect(base.resolving(location: location)?.description == expected)
  }

  @Test(
    "credentials in a Location are those of its authority",
    arguments: [
      ("https://user:pw@edge.example/", true), ("https://user@edge.example/", true),
      ("https://:pw@edge.example/", true), ("//user@edge.example/", true),
      ("\\\\user@edge.example/", true), ("http:user@edge.example/", true),
      ("https://user:@edge.example/", true), ("https://~0123456789ab@edge.example/", true),
      ("https://@edge.example/", false), ("https://:@edge.example/", false),
      ("/login?next=https://user:pw@edge.example/", false), ("/@scope/x", false),
      ("https://edge.example/@x", false), ("https://edge.example/?u=//a@b/", false),
      ("https:user@edge.example", false), ("x@y", false),
    ])
  func credentials(location: String, included: Bool) throws {
    let base = try #require(RequestURL(Self.base))
    guard case .url(_, let includesCredentials) = base.locationURL(location) else {
      Issue.record("\(location) is no URL")
      return
    }
    #expect(includesCredentials == included)
  }

  @Test("what fails tells why")
  func failures() throws {
    let base = try #require(RequestURL(Self.base))
    #expect(base.locationURL("FTP://a.example/") == .otherScheme("ftp"))
    #expect(base.locationURL("httpx://a.example/") == .otherScheme("httpx"))
    #expect(base.locationURL("https://a.example:x/") == .invalid)
    // The form of such a host on the wire is not known here.
    #expect(base.locationURL("https://bücher.example/") == .unrecorded)
    let unknown = RequestURL(scheme: nil, host: "api.example", port: nil, target: "/a")
    #expect(unknown.locationURL("https:x") == .unrecorded)
    #expect(unknown.resolving(location: "//b.example/x")?.description == "//b.example/x")
    #expect(unknown.resolving(location: "//b.example:81/x")?.port == 81)
    #expect(unknown.resolving(location: "x")?.description == "//api.example/x")
    #expect(unknown.resolving(location: "https://b.example/x")?.port == 443)
  }

  @Test("any bytes are resolved or refused, and the result can be read back")
  func hostile() throws {
    let base = try #require(RequestURL(Self.base))
    var generator = SeededGenerator(seed: 3)
    let samples = ["https://user:pw@edge.example:8443/a/../b?c=d#e", "//x/..//%2e", "?a b", "../x"]
    for sample in samples {
      for length in 0...sample.utf8.count { _ = base.locationURL(String(sample.prefix(length))) }
      var bytes = Array(sample.utf8)
      for round in 0..<3000 {
        if round % 30 == 0 { bytes = Array(sample.utf8) }
        bytes = bytes.mutated(&generator)
        guard let url = base.resolving(location: WireText.decode(bytes)) else { continue }
        #expect(RequestURL(url.description, known: url.known) == url)
        #expect(url.target.utf8.first == UInt8(ascii: "/"))
        #expect(url.target.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
        // Once encoded, it stays as it is.
        #expect(base.resolving(location: url.description) == url)
      }
    }
  }
}
