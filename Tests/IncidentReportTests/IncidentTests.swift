import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

private func incidents(_ calls: [CallBuilder]) throws -> [JSONValue] {
  let json = try SchemaCheck.read(Outputs.of(calls.map(\.call)).text(.summary).utf8)
  return json["incidents"]?.elements ?? []
}

private func time(_ offset: Int64) -> String {
  EventTime(seconds: 1_790_000_000 + offset).rfc3339(.millisecond)
}

private let gateway = CallBuilder.responseFailure(502, .missingAllowOriginHeader)

@Test("one outage over several routes and pages is one incident with its reach")
func outageIsOne() throws {
  var calls: [CallBuilder] = []
  for offset in Int64(0)..<120 {
    let isDown = (40..<80).contains(offset)
    let page = "https://app\(offset % 3).example"
    let base = isDown ? gateway : CauseCase.allowed(of: page)
    calls.append(
      base.at(offset).with {
        $0.origin = page
        $0.url = "https://api.example/route\(offset % 5)"
        $0.client = "198.51.100.\(offset % 9)"
      })
  }
  let found = try incidents(calls)
  #expect(found.count == 1)
  let incident = try #require(found.first)
  #expect(incident["calls"]?.integer == 40)
  #expect(incident["routeCalls"]?.integer == 120)
  #expect(incident["origins"]?.members?.count == 3)
  #expect(incident["routes"]?.members?.map { $0.value.integer } == [8, 8, 8, 8, 8])
  #expect(incident["clients"]?.integer == 9)
  #expect(incident["course"]?["shape"]?.text == "began")
  #expect(incident["course"]?["onset"]?.text == time(40))
  #expect(incident["course"]?["end"]?.text?.prefix(19) == time(80).prefix(19))
}

@Test("two outages of different routes at different times stay two")
func outagesStayApart() throws {
  var calls: [CallBuilder] = []
  for offset in Int64(0)..<200 {
    let route = offset % 2
    let isDown = route == 0 ? (40..<80).contains(offset) : (120..<160).contains(offset)
    calls.append(
      (isDown ? gateway : .allowed).at(offset).with { $0.url = "https://api.example/route\(route)" }
    )
  }
  let found = try incidents(calls)
  #expect(found.map { $0["route"]?.text } == ["/route0", "/route1"])
  #expect(found.map { $0["course"]?["onset"]?.text } == [time(40), time(121)])
}

@Test("preflights and requests that fail for one cause are one incident")
func phasesAreOne() throws {
  let calls = (Int64(0)..<40).map { offset in
    let failing =
      offset % 2 == 0
      ? gateway : CallBuilder.preflightFailure(502, .missingAllowOriginHeader)
    return (offset < 20 ? CallBuilder.allowed : failing).at(offset)
  }
  let found = try incidents(calls)
  #expect(found.count == 1)
  #expect(
    found.first?["reasons"]?.members?.map(\.name)
      == ["MissingAllowOriginHeader", "PreflightMissingAllowOriginHeader"])
}

@Test("the blocked call that began it stands beside the last good one, not an odd one long before")
func firstBadIsTheOnset() throws {
  var calls: [CallBuilder] = []
  for offset in Int64(0)..<1200 {
    let isBad = offset == 100 || offset == 500 || offset >= 1000
    calls.append((isBad ? gateway : .allowed).at(offset))
  }
  let incident = try #require(try incidents(calls).first)
  #expect(incident["first"]?.text == time(100))
  #expect(incident["course"]?["onset"]?.text == time(1000))
  #expect(incident["lastGoodBefore"]?.text == time(999))
}

@Test("calls that come late stand in their place all the same")
func lateCalls() throws {
  // Pairing gives a preflight that nothing followed half a minute late.
  var calls: [(arrival: Int64, call: CallBuilder)] = []
  for offset in Int64(0)..<150 {
    calls.append(
      (50..<100).contains(offset)
        ? (offset + 30, CallBuilder.preflightFailure(401, .missingAllowOriginHeader).at(offset))
        : (offset, CallBuilder.allowedPreflighted.at(offset)))
  }
  calls.sort { $0.arrival < $1.arrival }
  let incident = try #require(try incidents(calls.map(\.call)).first)
  #expect(incident["course"]?["onset"]?.text == time(50))
  #expect(incident["lastGoodBefore"]?.text == time(49))
  #expect(incident["last"]?.text == time(99))
  #expect(incident["firstGoodAfter"]?.text == time(100))
}

@Test("a page that appears while the evidence runs has its first call for an onset")
func newPage() throws {
  var calls = (Int64(0)..<60).map { CallBuilder.allowed.at($0) }
  for offset in Int64(60)..<90 {
    calls.append(
      CallBuilder.responseFailure(
        200, .allowOriginMismatch, [("access-control-allow-origin", "https://app.example")]
      ).at(offset).with { $0.origin = "https://www.app.example" })
  }
  let incident = try #require(try incidents(calls).first)
  #expect(incident["cause"]?.text == "origin-spelling")
  #expect(incident["course"]?["shape"]?.text == "from-the-first-call")
  #expect(incident["course"]?["onset"]?.text == time(60))
}

@Test("onsets through the whole report are the blocked calls themselves", arguments: 0..<10)
func onsetsAreExact(_ seed: Int) throws {
  var generator = SeededGenerator(state: UInt64(seed) &* 977)
  let days: Int64 = 5
  let onset = Int64.random(in: 86_400..<(4 * 86_400), using: &generator)
  let traffic = Traffic.over(days: days, busiest: 4, &generator) { $0 >= onset ? 0.8 : 0 }
  let calls = traffic.calls.map { call in
    (call.isBlocked ? gateway : CallBuilder.allowed).at(call.second - Traffic.start)
  }
  let incident = try #require(try incidents(calls).first)
  let first = try #require(traffic.calls.first { $0.isBlocked }).second - Traffic.start
  #expect(incident["course"]?["onset"]?.text == time(first))
}

@Test("no spreadsheet takes an incident's identifier for a number")
func identifiersAreText() {
  for index in 0..<2000 {
    let key = IncidentKey(
      origin: "https://app.example", host: "api.example", route: "/\(index)", phase: .response,
      reason: .missingAllowOriginHeader, cause: "gateway-error")
    #expect(Double(key.id) == nil && key.id.count == 10)
    #expect(key.id.first?.isLetter == true && key.id.allSatisfy(\.isHexDigit))
  }
}

@Test("what unites incidents does not depend on their order")
func unitingIsOrderless() {
  var generator = SeededGenerator(state: 5)
  let parts = (0..<30).map { index -> Incident in
    var tally = Tally()
    let call = gateway.at(Int64(100 + index * 7)).with {
      $0.url = "https://api\(index % 3).example/\(index % 6)x"
      $0.client = "client \(index)"
    }.call
    tally.add(call)
    let moment = Moment(call)!
    let explanation = CauseExplanation(
      title: "", sentence: "", fix: "", plan: nil, evidence: [], isMasked: true,
      isOfOnePage: index % 2 == 0)
    let good = CallBuilder.allowed.at(
      Int64(100 + index * 7 - Int.random(in: 1...20, using: &generator)))
    let after = CallBuilder.allowed.at(
      Int64(100 + index * 7 + Int.random(in: 1...20, using: &generator)))
    return Incident(
      key: IncidentKey(
        origin: "https://app\(index % 2).example", host: "api\(index % 3).example",
        route: "/\(index)", phase: .response, reason: .missingAllowOriginHeader,
        cause: "gateway-error"),
      tally: tally, routeCalls: 3, certainty: .proved,
      onset: Onset(moment: moment, firstBad: call, lastGood: good.call, explanation: explanation),
      recovery: Recovery(moment: moment, firstGood: after.call))
  }
  let first = Set(Incident.united(parts).map(\.incident))
  for _ in 0..<10 {
    #expect(Set(Incident.united(parts.shuffled(using: &generator)).map(\.incident)) == first)
  }
  #expect(first.reduce(0) { $0 + $1.tally.count } == 30)
}

@Test("headers that the page cannot read are a warning of their own")
func hiddenHeaders() throws {
  func answer(_ status: Int, _ fields: [(String, String)]) -> CallBuilder {
    .allowed.with {
      $0.response = (status, [("access-control-allow-origin", $0.origin)] + fields)
    }
  }
  let calls = [
    answer(429, [("retry-after", "30")]), answer(200, [("retry-after", "30")]),
    answer(200, [("x-total-count", "7"), ("access-control-expose-headers", "X-Total-Count")]),
    answer(200, [("x-total-count", "7"), ("access-control-expose-headers", "*")]),
    answer(200, [("link", "<b>"), ("access-control-expose-headers", "*")]).with {
      $0.credentials = .include
    },
    answer(200, [("content-disposition", "attachment")]), answer(201, [("location", "/x")]),
    answer(200, [("content-disposition", "attachment")]),
  ]
  let outputs = try Outputs.of(calls.enumerated().map { $1.at(Int64($0)).call })
  let json = try SchemaCheck.read(outputs.text(.summary).utf8)
  let found = (json["notExposed"]?.elements ?? []).map {
    "\($0["header"]?.text ?? "") \($0["calls"]?.integer ?? 0)"
  }
  #expect(found == ["content-disposition 2", "link 1", "location 1", "retry-after 1"])
  #expect(json["incidents"]?.elements?.isEmpty == true)
}
