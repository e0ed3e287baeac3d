import FetchCORS
import HTTPExchange
import Testing

@testable import Postflight

@Suite("Browsers behind balancers and terminators")
struct BrowserKeyTests {
  private func judged(_ exchanges: [Exchange]) -> (calls: [Call], notCORS: [String: UInt64]) {
    var pairing = Pairing()
    for exchange in exchanges { pairing.add(exchange) }
    pairing.finish()
    return (pairing.takeCalls(), pairing.notCORS)
  }

  private func key(_ client: String, _ forwarded: String?) -> BrowserKey {
    var builder = TrafficBuilder()
    builder.client = client
    var exchange = builder.exchange("GET", at: 0)
    exchange.forwardedFor = forwarded
    return BrowserKey(exchange)
  }

  @Test("a forwarded client is one browser, whichever machine it came through")
  func keys() {
    #expect(key("10.0.0.1", "203.0.113.9") == key("10.0.0.2", "203.0.113.9"))
    #expect(key("10.0.0.1", "203.0.113.9") == key("203.0.113.9", nil))
    #expect(key("10.0.0.1", "203.0.113.9") != key("10.0.0.1", "203.0.113.8"))
    #expect(key("10.0.0.1", "10.1.1.1") == key("10.0.0.2", "10.1.1.1"))
    // The same internal address in two companies.
    #expect(key("198.51.100.1", "10.1.1.1") != key("198.51.100.2", "10.1.1.1"))
  }

  @Test("a preflight through one machine of a balancer meets its request through another")
  func balancer() {
    var builder = TrafficBuilder()
    var preflight = builder.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT"))
    var request = builder.exchange("PUT", at: 100, response: TrafficBuilder.allowing())
    for (index, client) in ["203.0.113.9", "203.0.113.10"].enumerated() {
      preflight.client = "10.0.0.\(index)"
      request.client = "10.0.0.\(index + 5)"
      preflight.forwardedFor = client
      request.forwardedFor = client
      let calls = judged([preflight, request]).calls
      #expect(calls.map(\.kind) == [.preflighted])
      #expect(calls.first?.client == client)
    }
    request.forwardedFor = "203.0.113.11"
    #expect(judged([preflight, request]).calls.count == 2)
  }

  /// A `POST` without an answer that allows anything, as seen behind a terminator.
  private func post(
    host: String, scheme: String? = "http", trusts: Bool, _ fields: [(String, String?)]
  ) -> Exchange {
    var builder = TrafficBuilder()
    var exchange = builder.exchange("POST", at: 0, request: fields)
    exchange.url = RequestURL(
      hopScheme: scheme, host: host, target: "/cart", request: exchange.request,
      trustsForwarded: trusts)
    return exchange
  }

  @Test(
    "a same-origin call behind a TLS terminator is never called cross-origin",
    arguments: [
      ("app.example.com", []), ("app.example.com:8080", []),
      ("app.example.com", [("X-Forwarded-Proto", "https")]),
      ("10.0.0.5:8080", []), ("127.0.0.1:3000", []), ("backend", []), ("shop.svc:80", []),
      ("[::1]:8080", []), ("localhost:9000", [("X-Forwarded-For", "203.0.113.9")]),
      ("backend", [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "app.example.com")]),
      ("backend", [("Forwarded", "for=203.0.113.9;proto=https;host=app.example.com")]),
      ("backend", [("Sec-Fetch-Site", "same-origin")]),
    ] as [(String, [(String, String?)])])
  func terminator(host: String, fields: [(String, String?)]) {
    for trusts in [false, true] {
      let result = judged([post(host: host, trusts: trusts, fields)])
      #expect(result.calls.isEmpty, "\(host), trusting \(trusts)")
      #expect(result.notCORS.values.reduce(0, +) == 1)
    }
  }

  @Test("a call that does cross origins behind a terminator stays one")
  func crossing() {
    for fields in [[], [("Sec-Fetch-Site", "same-site" as String?)]] {
      #expect(judged([post(host: "api.example.com", trusts: false, fields)]).calls.count == 1)
    }
    // The browser says so itself, whatever the host was made to.
    let told = post(host: "backend", trusts: false, [("Sec-Fetch-Site", "cross-site")])
    #expect(judged([told]).calls.count == 1)
  }
}
