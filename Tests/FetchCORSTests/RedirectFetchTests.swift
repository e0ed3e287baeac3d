import HTTPExchange
import TestSupport
import Testing

@testable import FetchCORS

struct RedirectFetchTests {
  private func step(
    _ location: String?, from: String = "https://api.example/a/b", status: Int = 302,
    initiator: String = "https://app.example", isCORS: Bool = true, count: Int = 0
  ) throws -> RedirectStep {
    let url = try #require(RequestURL(from))
    return httpRedirectFetch(
      from: url, status: status, response: .complete(location.map { [("Location", $0)] } ?? []),
      initiator: initiator, isCORS: isCORS, redirectCount: count)
  }

  @Test("five statuses redirect, and only with a Location")
  func statuses() throws {
    for status in 100...599 {
      let redirects = [301, 302, 303, 307, 308].contains(status)
      #expect(isRedirectStatus(status) == redirects)
      #expect((try step("/x", status: status) == .none) == !redirects)
      #expect(try step(nil, status: status) == .none)
    }
  }

  /// The facts of web-platform-tests `cors-redirect-credentials` and `redirect-userinfo.htm`.
  @Test(
    "user info in a redirect",
    arguments: ["user:secret@", "user@", ":secret@", "user:@"])
  func userInfo(userInfo: String) throws {
    for status in [301, 302, 303, 307, 308] {
      // To another origin than the page's, and back home once the tainting is cors: refused.
      for target in ["https://\(userInfo)edge.example/", "https://\(userInfo)api.example/"] {
        let refused = RedirectStep.refused(.redirectContainsCredentials, target)
        #expect(try step(target, status: status) == refused)
        #expect(try step(target, status: status, isCORS: false) == refused)
      }
      let home = "https://\(userInfo)app.example/"
      #expect(
        try step(home, status: status) == .refused(.redirectContainsCredentials, home))
      // Within the page's own origin: followed.
      let url = try #require(RequestURL("https://app.example/"))
      #expect(
        try step(home, from: "https://app.example/x", status: status, isCORS: false) == .follow(url)
      )
    }
  }

  @Test("no user info in a redirect", arguments: ["", "@", ":@"])
  func noUserInfo(userInfo: String) throws {
    let url = try #require(RequestURL("https://edge.example/"))
    #expect(try step("https://\(userInfo)edge.example/") == .follow(url))
  }

  @Test(
    "where a Location leads to",
    arguments: [
      ("https://edge.example:8443/x?y#z", "https://edge.example:8443/x?y"),
      ("c", "https://api.example/a/c"),
      ("/x y", "https://api.example/x%20y"), ("//edge.example", "https://edge.example/"),
      ("", "https://api.example/a/b"), ("?q", "https://api.example/a/b?q"),
      (
        "/login?next=https://u:p@app.example/",
        "https://api.example/login?next=https://u:p@app.example/"
      ),
      ("http:/\\edge.example", "http://edge.example/"),
    ])
  func followed(location: String, url: String) throws {
    #expect(try step(location) == .follow(try #require(RequestURL(url))))
  }

  @Test(
    "where a Location cannot lead to",
    arguments: [
      ("https://", BlockedReason.invalidRedirect), ("https://a b/", .invalidRedirect),
      ("https://a.example:x/", .invalidRedirect), ("//", .invalidRedirect),
      ("data:,x", .unsafeRedirect), ("about:blank", .unsafeRedirect), ("ftp://x/", .unsafeRedirect),
      ("httpx://x/", .unsafeRedirect), ("javascript:1", .unsafeRedirect),
      ("mailto:a@b.example", .unsafeRedirect), ("view-source:http://x/", .unsafeRedirect),
    ])
  func refused(location: String, reason: BlockedReason) throws {
    #expect(try step(location) == .refused(reason, location))
    // The scheme is looked at before the count.
    #expect(try step(location, count: 20) == .refused(reason, location))
  }

  @Test("twenty redirects are followed")
  func count() throws {
    #expect(try step("/x", count: 19) == .follow(try #require(RequestURL("https://api.example/x"))))
    #expect(try step("/x", count: 20) == .refused(.tooManyRedirects, "/x"))
  }

  @Test("what is not recorded of a Location stays open")
  func unrecorded() throws {
    let url = try #require(RequestURL("https://api.example/a"))
    let unknown = RequestURL(scheme: nil, host: "api.example", port: nil, target: "/a")
    let whole = MessageEvidence.complete([("Location", "https:x")])
    func step(_ response: MessageEvidence, from url: RequestURL) -> RedirectStep {
      httpRedirectFetch(
        from: url, status: 302, response: response, initiator: "https://app.example", isCORS: true,
        redirectCount: 0)
    }
    #expect(step(.unseen, from: url) == .unrecorded)
    #expect(step(whole.recorded(only: [.location: .presence]), from: url) == .unrecorded)
    #expect(step(whole.recorded(only: [.location: .cut]), from: url) == .unrecorded)
    #expect(step(whole, from: unknown) == .unrecorded)
    #expect(
      step(.complete([("Location", "/a"), ("Location", "/b")]), from: url)
        == .refused(.invalidRedirect, "/a"))
    #expect(
      step(.complete([("Location", "/a"), ("Location", "/a")]), from: url)
        == .follow(try #require(RequestURL("https://api.example/a"))))
  }

  @Test(
    "the method after a redirect",
    arguments: [
      ("GET", 301, "GET"), ("POST", 301, "GET"), ("POST", 302, "GET"), ("POST", 303, "GET"),
      ("POST", 307, "POST"), ("POST", 308, "POST"), ("PUT", 301, "PUT"), ("PUT", 302, "PUT"),
      ("PUT", 303, "GET"), ("HEAD", 303, "HEAD"), ("GET", 303, "GET"), ("DELETE", 303, "GET"),
      ("PUT", 307, "PUT"), ("post", 302, "post"), ("POST", 200, "POST"),
    ])
  func method(method: String, status: Int, after: String) {
    #expect(methodAfterRedirect(method, status: status) == after)
  }
}

struct EngineTests {
  @Test(
    "an engine is told by its user agent",
    arguments: [
      (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        Engine.chromium as Engine?
      ),
      (
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
        .chromium
      ),
      (
        "Mozilla/5.0 (X11) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0 Safari/537.36",
        .chromium
      ),
      ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", .firefox),
      (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
        .webkit
      ),
      (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1",
        .webkit
      ),
      (
        "Mozilla/5.0 (iPad; CPU OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
        .webkit
      ),
      ("curl/8.5.0", nil), ("", nil), ("okhttp/4.12.0", nil), ("PostmanRuntime/7.39", nil),
    ])
  func userAgent(text: String, engine: Engine?) {
    #expect(Engine(userAgent: text) == engine)
  }

  @Test("the standard departs from itself nowhere but in what it leaves open")
  func standard() {
    var rules = EngineDifferences()
    rules.mergesCacheEntries = true
    rules.capsHugeMaxAge = true
    #expect(Engine.standard.differences == rules)
    #expect(Set(Engine.allCases.map(\.differences)).count == Engine.allCases.count)
  }
}
