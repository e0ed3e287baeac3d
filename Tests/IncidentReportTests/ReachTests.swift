import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// Two routes of which a cause blocks some calls; the methods and headers differ by call.
private var mixed: [Call] {
  (0..<60).map { index in
    let isBad = (20..<40).contains(index)
    let method = index % 3 == 0 ? "GET" : "PATCH"
    let header = index % 2 == 0 ? "authorization" : "x-release"
    var call =
      isBad
      ? CallBuilder.preflightFailure(401, .missingAllowOriginHeader, [("server", "nginx")])
      : CallBuilder.allowedPreflighted
    call = call.at(Int64(index) * 5).with {
      $0.method = method
      $0.url = "https://api.example/accounts/\(index % 4 == 0 ? "me" : "all")"
      $0.preflightRequest = [
        ("access-control-request-method", method), ("access-control-request-headers", header),
      ]
    }
    return call.call
  }
}

@Test("the numbers of an incident of several routes add up")
func numbersAddUp() throws {
  let html = try Outputs.of(mixed).text(.html)
  #expect(html.contains("33% of 60 there"))
  #expect(html.contains("Of the 40 other calls of this page to these 2 routes, all passed"))
  #expect(html.contains("Calls were blocked; none since 14:16:35, and 20 good calls after that"))
}

@Test("a fix allows every method and header that calls of the incident's routes use")
func fixesBreakNothing() throws {
  let html = try Outputs.of(mixed).text(.html)
  let start = try #require(html.firstRange(of: "<pre><code>"))
  let code = html[start.upperBound...].prefix { $0 != "<" }
  for name in ["GET", "PATCH", "authorization", "x-release"] {
    #expect(code.contains(name), "\(name)")
  }
  // What the last good preflight allowed stays allowed.
  let allowed = CallBuilder.allowedPreflighted.preflight?.fields ?? []
  for (name, value) in allowed where name == "access-control-allow-headers" {
    #expect(!ServerFix.tokens(value).isEmpty)
    for token in ServerFix.tokens(value) { #expect(code.contains(token), "\(token)") }
  }
}

@Test("a reach says of every other call what became of it")
func reachNamesTheRest() {
  var reach = Reach()
  (reach.pages, reach.routes) = (2, 1)
  (reach.calls, reach.allowed, reach.blocked) = (100, 60, 30)
  #expect(
    reach.evidence(blocked: 20) == [
      "Of the 80 other calls of these 2 pages to this route, 60 passed, 10 were blocked for other "
        + "causes, of 10 it is not known."
    ])
  reach.calls = 20
  #expect(reach.evidence(blocked: 20) == ["No call of these 2 pages to this route passed."])
}
