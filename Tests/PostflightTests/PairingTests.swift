import FetchCORS
import HTTPExchange
import Testing

@testable import Postflight

@Suite("Pairing")
struct PairingTests {
  private func calls(_ exchanges: [Exchange]) -> [Call] {
    var pairing = Pairing()
    for exchange in exchanges.sorted(by: { $0.time < $1.time }) { pairing.add(exchange) }
    pairing.finish()
    return pairing.calls
  }

  @Test("a preflight meets the request that it announced")
  func preflighted() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")),
      traffic.exchange("PUT", at: 10, response: TrafficBuilder.allowing()),
    ])
    #expect(calls.map(\.kind) == [.preflighted])
    #expect(calls.map(\.verdict) == [.allowed])
    #expect(calls.first?.method == "PUT")
  }

  @Test("a preflight that fails and is followed by nothing is a blocked call")
  func blockedPreflight() {
    var traffic = TrafficBuilder()
    let calls = calls([traffic.preflight("PUT", at: 0, response: [])])
    #expect(calls.map(\.verdict) == [.blocked])
    #expect(calls.map(\.phase) == [.preflight])
    #expect(calls.map(\.reason) == [.missingAllowOriginHeader])
    #expect(calls.map(\.kind) == [.preflightOnly])
  }

  @Test("a preflight that passes and is followed by nothing is undetermined")
  func abandonedPreflight() {
    var traffic = TrafficBuilder()
    let allow = TrafficBuilder.allowing("PUT") + [("access-control-allow-credentials", "true")]
    let calls = calls([traffic.preflight("PUT", at: 0, response: allow)])
    #expect(calls.map(\.verdict) == [.undetermined])
    #expect(calls.map(\.missing) == [[MissingFact.actualRequest]])
  }

  @Test("a request after a preflight that fails in every world is contradicted, never blocked")
  func contradicted() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.preflight("PUT", at: 0, response: []),
      traffic.exchange("PUT", at: 10, response: TrafficBuilder.allowing()),
    ])
    #expect(calls.map(\.verdict) == [.contradicted])
  }

  @Test("a simple request to the URL of a refused preflight is a call of its own")
  func simpleBesideRefused() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.preflight("GET", "x-trace", at: 0, response: TrafficBuilder.allowing()),
      traffic.exchange("GET", at: 10, response: TrafficBuilder.allowing()),
    ])
    #expect(Set(calls.map(\.kind)) == [.preflightOnly, .simple])
    #expect(calls.first { $0.kind == .preflightOnly }?.verdict == .blocked)
    #expect(calls.first { $0.kind == .simple }?.verdict == .allowed)
  }

  @Test("of parallel preflights each request takes the one that asked for its headers")
  func burst() {
    var traffic = TrafficBuilder()
    let allow = TrafficBuilder.allowing("PUT", "x-a, x-b")
    let calls = calls([
      traffic.preflight("PUT", "x-a", at: 0, response: allow),
      traffic.preflight("PUT", "x-b", at: 1, response: allow),
      traffic.exchange("PUT", at: 20, request: [("x-b", nil)], response: allow),
      traffic.exchange("PUT", at: 21, request: [("x-a", nil)], response: allow),
    ])
    #expect(calls.map(\.kind) == [.preflighted, .preflighted])
    for call in calls {
      let asked = call.preflight?.request.first(.accessControlRequestHeaders) ?? ""
      #expect(call.request?.request.contains(HeaderName(asked)) == true)
    }
  }

  @Test("a request within the max-age of an earlier preflight is cached")
  func cached() {
    var traffic = TrafficBuilder()
    let allow = TrafficBuilder.allowing("PUT") + [("access-control-max-age", "600")]
    let calls = calls([
      traffic.preflight("PUT", at: 0, response: allow),
      traffic.exchange("PUT", at: 10, response: TrafficBuilder.allowing()),
      traffic.exchange("PUT", at: 60_000, response: TrafficBuilder.allowing()),
      traffic.exchange("PUT", at: 700_000, response: TrafficBuilder.allowing()),
    ])
    #expect(calls.map(\.kind) == [.preflighted, .cached, .preflightUnseen])
    #expect(calls.allSatisfy { $0.verdict == .allowed })
  }

  @Test("a pair of one pattern of paths is undetermined, whatever it would be, and says so")
  func patterns() {
    let url = "https://api.example.com/orders/{id}"
    let allow = TrafficBuilder.allowing("PUT") + [("access-control-max-age", "600")]
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.preflight("PUT", nil, url, at: 0, response: allow),
      traffic.exchange("PUT", url, at: 10, response: TrafficBuilder.allowing()),
      traffic.exchange("PUT", url, at: 1000, response: TrafficBuilder.allowing()),
      traffic.exchange("GET", url, at: 2000, response: []),
      traffic.preflight("DELETE", nil, url, at: 3000, response: []),
      traffic.exchange("DELETE", url, at: 3010, response: TrafficBuilder.allowing()),
      // A query holds what it likes.
      traffic.preflight("PUT", nil, "https://api.example.com/a?x={y}", at: 4000, response: allow),
      traffic.exchange(
        "PUT", "https://api.example.com/a?x={y}", at: 4010, response: TrafficBuilder.allowing()),
    ])
    #expect(calls.map(\.kind) == [.preflighted, .cached, .simple, .preflighted, .preflighted])
    #expect(
      calls.map(\.verdict) == [.undetermined, .undetermined, .blocked, .undetermined, .allowed])
    #expect(calls[0].missing == [MissingFact.path] && calls[1].missing == [MissingFact.path])
    #expect(calls[0].worlds.map(\.verdict) == [.allowed])
    #expect(calls[3].worlds.map(\.verdict) == [.contradicted])
    #expect(calls[3].message == nil)
  }

  @Test(
    "a log with Access-Control-Allow-Origin and no Origin names no origin, and judges none as null",
    arguments: [
      (TrafficBuilder.page, TrafficBuilder.page), (TrafficBuilder.page, "https://other.example"),
      ("null", "null"), ("*", "*"), (nil, nil), ("*", nil),
    ] as [(String?, String?)])
  func allowOriginWithoutOrigin(preflight: String?, response: String?) {
    func logged(_ exchange: Exchange) -> Exchange {
      var exchange = exchange
      exchange.request = MessageEvidence(coverage: .only([.secFetchMode: .exact]), fields: [])
      exchange.response.coverage = .only([.accessControlAllowOrigin: .exact])
      return exchange
    }
    func allowing(_ value: String?) -> [(String, String?)] {
      value.map { [("access-control-allow-origin", $0)] } ?? []
    }
    var traffic = TrafficBuilder()
    traffic.origin = nil
    let calls = calls([
      logged(traffic.exchange("OPTIONS", at: 0, status: 204, response: allowing(preflight))),
      logged(traffic.exchange("PUT", at: 10, response: allowing(response))),
    ])
    #expect(calls.count == 1)
    #expect(calls.first?.origin == "")
    #expect(calls.first?.reason == nil && calls.first?.parameter == nil)
    // Whatever the page, the star lets it read; an origin that is named depends on it.
    #expect(calls.first?.verdict == (response == "*" ? .allowed : .undetermined))
    if let response, response != "*" {
      #expect(calls.first?.missing.contains(MissingFact.origin) == true)
    }
    // Nor is a preflight alone one of null that was refused.
    let alone = self.calls([
      logged(traffic.exchange("OPTIONS", at: 0, status: 204, response: allowing(preflight)))
    ])
    #expect(alone.map(\.verdict) == [.undetermined] && alone.map(\.origin) == [""])
  }

  @Test("redirect hops are joined, and the failing hop is named")
  func redirects() {
    var traffic = TrafficBuilder()
    let first = traffic.exchange(
      "GET", at: 0, status: 302,
      response: TrafficBuilder.allowing() + [("location", "https://login.example.net/start")])
    traffic.origin = "null"
    let second = traffic.exchange("GET", "https://login.example.net/start", at: 20)
    let calls = calls([first, second])
    #expect(calls.count == 1)
    #expect(calls.first?.verdict == .blocked)
    #expect(calls.first?.hop == 1)
    #expect(calls.first?.origin == TrafficBuilder.page)
    #expect(calls.first?.url.host == "api.example.com")
  }

  @Test("a redirect of the page's own origin is the first hop of the call that it leads to")
  func redirectFromHome() {
    var traffic = TrafficBuilder()
    traffic.origin = nil
    let first = traffic.exchange(
      "GET", "https://app.example.com/go", at: 0, status: 302,
      response: [("location", "https://api.example.com/v1/orders")])
    traffic.origin = TrafficBuilder.page
    let second = traffic.exchange("GET", at: 20, response: TrafficBuilder.allowing())
    let calls = calls([first, second])
    #expect(calls.map(\.verdict) == [.allowed])
    #expect(calls.map(\.hop) == [1])
  }

  @Test("a good redirect that nobody followed is undetermined")
  func redirectNotFollowed() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.exchange(
        "GET", at: 0, status: 302,
        response: TrafficBuilder.allowing() + [("location", "https://api.example.com/next")])
    ])
    #expect(calls.map(\.verdict) == [.undetermined])
    #expect(calls.first?.missing.contains(MissingFact.redirectMode) == true)
  }

  @Test(
    "on a log that hides lines a request takes the cached grant, not an earlier doubtful preflight")
  func doubtfulBesideCached() {
    var traffic = TrafficBuilder()
    let recorded: [HeaderName: Fidelity] = [
      .accessControlAllowOrigin: .firstLine, .accessControlAllowHeaders: .firstLine,
      .accessControlAllowMethods: .firstLine, .accessControlMaxAge: .firstLine,
      .accessControlAllowCredentials: .firstLine,
    ]
    func logged(_ exchange: Exchange) -> Exchange {
      var exchange = exchange
      exchange.response.coverage = .only(recorded)
      exchange.request.coverage = .only([
        .origin: .exact, .accessControlRequestMethod: .exact, .accessControlRequestHeaders: .exact,
        .cookie: .presence,
      ])
      return exchange
    }
    let allow = TrafficBuilder.allowing("PUT", "x-a") + [("access-control-max-age", "600")]
    let calls = calls(
      [
        traffic.preflight("PUT", "x-a", at: 0, response: allow),
        traffic.exchange("PUT", at: 10, response: TrafficBuilder.allowing()),
        traffic.preflight("PUT", "x-a,x-release", at: 1000, response: allow),
        traffic.exchange("PUT", at: 5000, response: TrafficBuilder.allowing()),
      ].map(logged))
    #expect(
      calls.map(\.kind).sorted { $0.rawValue < $1.rawValue } == [
        .cached, .preflightOnly, .preflighted,
      ])
    #expect(calls.first { $0.kind == .preflightOnly }?.verdict == .undetermined)
  }

  @Test("a request that surely began before its preflight ended is not its request")
  func tooEarly() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")),
      traffic.exchange("PUT", at: 2, response: TrafficBuilder.allowing()),
    ])
    #expect(Set(calls.map(\.kind)) == [.preflightOnly, .preflightUnseen])
  }

  @Test("two browsers behind one address are told apart by their user agent")
  func keyedByBrowser() {
    var chrome = TrafficBuilder()
    var firefox = TrafficBuilder()
    firefox.userAgent = TrafficBuilder.firefox
    firefox.source = "node-b.pcap@0123456789ab"
    let calls = calls([
      chrome.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")),
      firefox.exchange("PUT", at: 10, response: TrafficBuilder.allowing()),
    ])
    #expect(Set(calls.map(\.kind)) == [.preflightOnly, .preflightUnseen])
  }

  @Test(
    "traffic that no CORS verdict applies to is counted by kind and is no call",
    arguments: [
      ("GET", [("sec-fetch-mode", "no-cors")], "no-cors"),
      ("POST", [("sec-fetch-mode", "navigate")], "navigation"),
      ("GET", [("upgrade", "websocket")], "websocket"),
      ("POST", [("upgrade-insecure-requests", "1"), ("accept", "text/html,*/*")], "navigation"),
      ("POST", [("content-type", "text/ping")], "browser-report"),
      ("POST", [("sec-fetch-site", "same-origin")], "same-origin"),
    ])
  func notCORS(method: String, fields: [(String, String)], kind: String) {
    var traffic = TrafficBuilder()
    var pairing = Pairing()
    pairing.add(traffic.exchange(method, at: 0, request: fields.map { ($0.0, $0.1) }))
    pairing.finish()
    #expect(pairing.calls.isEmpty)
    #expect(pairing.notCORS == [kind: 1])
  }

  @Test("a simple POST without the headers may be no-cors: undetermined, never blocked")
  func ambiguousMode() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.exchange("POST", at: 0, request: [("content-type", "text/plain")])
    ])
    #expect(calls.map(\.verdict) == [.undetermined])
    #expect(calls.first?.missing == [MissingFact.requestMode])
  }

  @Test("every exchange is in a call or counted as none")
  func countsAddUp() {
    var traffic = TrafficBuilder()
    var exchanges = [
      traffic.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")),
      traffic.exchange("PUT", at: 10, response: TrafficBuilder.allowing()),
      traffic.preflight("DELETE", at: 20, response: []),
      traffic.exchange("GET", at: 30, status: 302, response: [("location", "/x")]),
      traffic.exchange("GET", "https://app.example.com/", at: 40),
      traffic.exchange("GET", at: 50, status: nil),
    ]
    traffic.userAgent = "curl/8.0"
    exchanges.append(traffic.exchange("GET", at: 60))
    var pairing = Pairing()
    for exchange in exchanges { pairing.add(exchange) }
    pairing.finish()
    let inCalls = pairing.calls.reduce(0) { $0 + $1.exchanges.count }
    #expect(inCalls + Int(pairing.notCORS.values.reduce(0, +)) == exchanges.count)
  }

  @Test("an answer of 304 refreshes a stored response that could be read")
  func revalidation() {
    var traffic = TrafficBuilder()
    let calls = calls([
      traffic.exchange("GET", at: 0, response: TrafficBuilder.allowing()),
      traffic.exchange("GET", at: 1000, status: 304, request: [("if-none-match", nil)]),
      traffic.exchange(
        "GET", "https://api.example.com/other", at: 2000, status: 304,
        request: [("if-none-match", nil)]),
    ])
    #expect(calls.map(\.verdict) == [.allowed, .allowed, .undetermined])
    #expect(calls.last?.missing == [MissingFact.storedResponse])
  }

  @Test(
    "what a flood of preflights holds is bounded, each is a call, and what that costs is counted")
  func bounded() {
    var pairing = Pairing()
    var traffic = TrafficBuilder()
    let count = PairingLimits.allOpenCalls + 1000
    var callCount = 0
    var largest = 0
    for number in 0..<count {
      traffic.client = "client-\(number / 100)"
      pairing.add(
        traffic.preflight(
          "PUT", nil, "https://api.example.com/\(number % 100)", at: 0, response: []))
      callCount += pairing.takeCalls().count
      largest = max(largest, number + 1 - callCount)
    }
    #expect(largest == PairingLimits.allOpenCalls)
    #expect(pairing.notes["calls-given-up-early"] == 1000)
    pairing.finish()
    #expect(callCount + pairing.takeCalls().count == count)
  }

  @Test("large values are bounded by their bytes, not by their number")
  func boundedBytes() {
    var pairing = Pairing()
    var traffic = TrafficBuilder()
    let value = String(repeating: "x", count: 60_000)
    let count = 2000
    for number in 0..<count {
      traffic.client = "client-\(number)"
      pairing.add(
        traffic.preflight("PUT", at: 0, response: [("via", value), ("x-cache", "\(number)")]))
    }
    let given = pairing.calls.count
    #expect((count - given) * 60_000 < PairingLimits.openBytes)
    #expect(pairing.notes["calls-given-up-early"] == UInt64(given) && given > 0)
    #expect((pairing.notes["forgotten-browsers"] ?? 0) == 0)
    pairing.finish()
    #expect(pairing.calls.count == count)
  }

  @Test("lists of names are bounded by what they cost once they are read")
  func boundedNames() {
    var pairing = Pairing()
    var traffic = TrafficBuilder()
    // Two bytes of a list become some hundred.
    let names = (0..<2000).map { _ in "a" }.joined(separator: ",")
    let count = 300
    for number in 0..<count {
      traffic.client = "client-\(number)"
      pairing.add(
        traffic.preflight(
          "PUT", names, at: 0,
          response: TrafficBuilder.allowing("PUT", names) + [("x-cache", "\(number)")]))
    }
    let given = pairing.calls.count
    #expect((count - given) * 2000 * 2 * 80 < PairingLimits.openBytes)
    #expect(pairing.notes["calls-given-up-early"] == UInt64(given) && given > 0)
    pairing.finish()
    #expect(pairing.calls.count == count)
  }

  @Test("a preflight asks for thousands of names and is judged")
  func manyNames() {
    var traffic = TrafficBuilder()
    let asked = (0..<3000).map { "x-\($0)" }
    let all = calls([
      traffic.preflight(
        "PUT", asked.joined(separator: ","), at: 0,
        response: TrafficBuilder.allowing("PUT", asked.reversed().joined(separator: ",")))
    ])
    #expect(all.map(\.verdict) == [.undetermined])
    let some = calls([
      traffic.preflight(
        "PUT", asked.joined(separator: ","), at: 0,
        response: TrafficBuilder.allowing("PUT", asked.dropLast().joined(separator: ",")))
    ])
    #expect(some.map(\.verdict) == [.blocked])
    #expect(some.first?.parameter == "x-2999")
  }
}
