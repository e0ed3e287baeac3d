import Bytes
import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// The same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &+ 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

@Test("equal input gives equal bytes")
func outputsAreDeterministic() throws {
  let options = ReportOptions(writesCalls: true)
  let first = try Morning.outputs(options)
  let second = try Morning.outputs(options)
  #expect(first == second)
  #expect(first.files.keys.count == 5)
}

@Test("finishing twice gives the same again")
func finishingTwice() throws {
  let builder = ReportBuilder()
  for call in Morning.calls { try builder.add(call) }
  var files: [[ReportFile: [UInt8]]] = [[:], [:]]
  for index in 0..<2 {
    try builder.finish { files[index][$0, default: []].append(contentsOf: $1) }
  }
  #expect(files[0] == files[1])
}

@Test("calls.ndjson is written only when it is asked for")
func callsAreOptional() throws {
  #expect(try Morning.outputs().files[.calls] == nil)
  let lines = try Morning.outputs(ReportOptions(writesCalls: true)).text(.calls)
    .split(separator: "\n")
  #expect(lines.count == Morning.calls.count)
}

@Test("a stream of calls, sources and traffic gives the same report as the values themselves")
func streamGivesTheSame() throws {
  let direct = try Morning.outputs(ReportOptions(writesCalls: true))
  let builder = ReportBuilder(options: ReportOptions(writesCalls: true))
  var writer = JSONWriter()
  for call in Morning.calls { call.write(to: &writer) }
  for source in Morning.sources { source.write(to: &writer) }
  TrafficRecord(counts: ["same-origin": 12_000, "navigation": 321]).write(to: &writer)
  TrafficRecord(counts: ["same-origin": 345]).write(to: &writer)
  for line in writer.bytes.split(separator: UInt8(ascii: "\n")) {
    try builder.add(Array(line).withByteView { try CallStreamRecord(line: $0) })
  }
  var files: [ReportFile: [UInt8]] = [:]
  try builder.finish { files[$0, default: []].append(contentsOf: $1) }
  #expect(files == direct.files)
}

@Test("a line that is no record is refused with a reason")
func linesAreChecked() throws {
  for (line, reason) in [
    ("{\"schema\":\"postflight.exchange/1\"}", "a record of the schema \"postflight.exchange/1\""),
    ("{}", "no member \"schema\""),
    ("{\"schema\":\"postflight.traffic/1\"}", "no member \"counts\" that is an object"),
    (
      "{\"schema\":\"postflight.traffic/1\",\"counts\":{\"a\":-1}}",
      "a count of \"counts\" is no whole number"
    ),
    ("nonsense", "no JSON value at byte 0 of the line"),
  ] {
    #expect(throws: RecordError(reason)) {
      try Array(line.utf8).withByteView { try CallStreamRecord(line: $0) }
    }
  }
  let huge =
    "{\"schema\":\"postflight.traffic/1\",\"counts\":{\"a\":18446744073709551615,\"a\":9}}"
  guard case .traffic(let traffic) = try CallStreamRecord(line: huge) else {
    Issue.record("no traffic")
    return
  }
  #expect(traffic.counts == ["a": .max])
}

@Test("every prefix of a record is refused or read, and never traps")
func prefixesOfRecords() {
  var writer = JSONWriter()
  CauseCase.all[0].calls[0].call.write(to: &writer)
  TrafficRecord(counts: ["same-origin": 12]).write(to: &writer)
  for line in writer.bytes.split(separator: UInt8(ascii: "\n")) {
    for end in line.indices {
      let prefix = Array(line[line.startIndex..<end])
      #expect(throws: RecordError.self) {
        try prefix.withByteView { try CallStreamRecord(line: $0) }
      }
    }
  }
}

@Test("counts do not depend on the order of the calls")
func orderDoesNotMatter() throws {
  var generator = SeededGenerator(state: 7)
  let ordered = try Morning.outputs()
  let shuffled = try Outputs.of(
    Morning.calls.shuffled(using: &generator), sources: Morning.sources,
    notCORS: [("same-origin", 12_345), ("navigation", 321)])
  #expect(ordered.totals == shuffled.totals)
  for pattern in ["\"totals\"", "\"reasons\"", "\"period\"", "\"engines\"", "\"missing\""] {
    func member(_ text: String) -> Substring? {
      text.firstRange(of: pattern).map { text[$0.lowerBound...].prefix { $0 != "}" } }
    }
    #expect(member(ordered.text(.summary)) == member(shuffled.text(.summary)))
  }
  func incidents(_ outputs: Outputs) -> [String: Int] {
    outputs.rows(.blocked).reduce(into: [:]) { $0[$1["incident"] ?? "", default: 0] += 1 }
  }
  #expect(incidents(ordered) == incidents(shuffled))
}

@Test("the timeline does not depend on the order of the calls")
func timelineOrder() {
  var generator = SeededGenerator(state: 3)
  let times = (0..<400).map { _ in
    EventTime(seconds: Int64.random(in: -90_000...5_000_000, using: &generator))
  }
  var reference: Timeline?
  for _ in 0..<5 {
    var timeline = Timeline()
    for time in times.shuffled(using: &generator) { timeline.add(time, .blocked) }
    #expect(timeline.steps.count <= Timeline.maximumSteps)
    #expect(timeline.steps.reduce(0) { $0 + $1.blocked } == 400)
    if let reference {
      #expect(timeline.steps == reference.steps && timeline.first == reference.first)
    }
    reference = timeline
  }
}

@Test("the timeline takes every time that there is")
func timelineExtremes() {
  var timeline = Timeline()
  for nanoseconds in [Int64.min, .max, 0, -1, 1, .min + 1] {
    timeline.add(EventTime(nanoseconds: nanoseconds), .allowed)
  }
  #expect(timeline.steps.count <= Timeline.maximumSteps)
  #expect(timeline.steps.reduce(0) { $0 + $1.allowed } == 6)
  #expect(!timeline.widthText.isEmpty)
}

/// Parts of one incident, with equal and different clients, times and certainty.
private func parts(_ generator: inout SeededGenerator) -> [Incident] {
  (0..<4).map { part in
    let key = IncidentKey(
      origin: "https://app.example", host: "api.example", route: "/\(part)", phase: .response,
      reason: .missingAllowOriginHeader, cause: "no-cors-configured")
    var tally = Tally()
    var series = CallSeries()
    var first: Call?
    var last: Call?
    for index in 0..<Int.random(in: 1...400, using: &generator) {
      let offset = Int64.random(in: 0...100_000, using: &generator)
      let call = CallBuilder().with {
        $0.second += offset
        $0.number = UInt64(part * 1000 + index)
        $0.client = "client \(Int.random(in: 0...700, using: &generator))"
        $0.method = ["GET", "PUT", "PATCH"][index % 3]
        $0.parameter = "x-\(Int.random(in: 0...20, using: &generator))"
        $0.engine = ["firefox", "chromium", "?"][index % 3]
      }.call
      tally.add(call)
      series.add(call.time)
      if let moment = Moment(call) {
        if first.flatMap({ Moment($0) }).map({ moment < $0 }) ?? true { first = call }
        if last.flatMap({ Moment($0) }).map({ moment > $0 }) ?? true { last = call }
      }
    }
    let firstCall = first ?? CallBuilder().call
    let lastCall = last ?? CallBuilder().call
    let explanation = CauseExplanation(
      title: "\(part)", sentence: "", fix: "", plan: nil, evidence: [], isMasked: false)
    return Incident(
      key: key, tally: tally, routeCalls: UInt64(part * 10),
      certainty: [.proved, .likely, .possible][part % 3],
      onset: Onset(
        moment: Moment(firstCall) ?? .zero, firstBad: firstCall, lastGood: nil,
        explanation: explanation),
      peak: Onset(
        moment: Moment(lastCall) ?? .zero, firstBad: lastCall, lastGood: nil,
        explanation: explanation, strength: [3, 7, 7, 1][part]),
      recovery: Recovery(moment: Moment(lastCall) ?? .zero, firstGood: nil),
      blockedSeries: series, judgedSeries: series)
  }
}

extension Moment {
  fileprivate static var zero: Moment {
    Moment(
      time: EventTime(nanoseconds: 0), resolution: .second, id: ExchangeID(source: "", number: 0))
  }
}

@Test("incidents merge in any order and grouping", arguments: 0..<12)
func mergeIsAssociativeAndCommutative(_ seed: Int) {
  var generator = SeededGenerator(state: UInt64(seed))
  let parts = parts(&generator)
  func merged(_ left: Incident, _ right: Incident) -> Incident {
    var result = left
    result.merge(right)
    return result
  }
  let inOrder = merged(merged(merged(parts[0], parts[1]), parts[2]), parts[3])
  let inPairs = merged(merged(parts[3], parts[1]), merged(parts[0], parts[2]))
  let backwards = merged(parts[3], merged(parts[2], merged(parts[1], parts[0])))
  #expect(inOrder == inPairs)
  #expect(inOrder == backwards)
}

@Test("routes keep what is the same when identifiers change")
func routeTemplates() {
  func route(_ target: String) -> String {
    var key: [UInt8] = []
    RouteTemplate.append(target, to: &key)
    return String(decoding: key, as: UTF8.self)
  }
  #expect(route("/users/42/orders?x=1") == "/users/{id}/orders")
  #expect(route("/v1/items/550e8400-e29b-41d4-a716-446655440000") == "/v1/items/{id}")
  #expect(route("/blob/deadbeef01") == "/blob/{id}")
  #expect(route("/facade/decade") == "/facade/decade")
  #expect(route("/t/~0123456789ab/x") == "/t/{id}/x")
  #expect(route("/a/eyJhbGciOiJIUzI1NiJ9x1y2z3") == "/a/{id}")
  #expect(route("/api/v2/getUserByName") == "/api/v2/getUserByName")
  #expect(route("/log/2026-09-21") == "/log/{id}")
  #expect(route("") == "")
  #expect(route("*") == "*")
  #expect(route("/") == "/")
  let long = route("/" + String(repeating: "ä/", count: 5000))
  #expect(long.utf8.count <= RouteTemplate.maximumLength + 3)
  #expect(long.hasSuffix("…"))
  #expect(!long.contains("\u{FFFD}"))
}

@Test("onset and end stand beside the good calls around them")
func onsetAndEnd() throws {
  let bad = CallBuilder.responseFailure(502, .missingAllowOriginHeader)
  let other = CallBuilder.allowed.with { $0.method = "POST" }
  let calls = [
    CallBuilder.allowed.at(0), .allowed.at(10), other.at(11), bad.at(20), .allowed.at(30),
    bad.at(40), other.at(45), .allowed.at(50), .allowed.at(60),
  ]
  let summary = try Outputs.of(calls.map(\.call)).text(.summary)
  let json = try Array(summary.utf8).withByteView { try JSONReader.read($0) }
  let incident = try #require(json["incidents"]?.elements?.first)
  func text(_ offset: Int64) -> String {
    EventTime(seconds: 1_790_000_000 + offset).rfc3339(.millisecond)
  }
  #expect(incident["lastGoodBefore"]?.text == text(10))
  #expect(incident["first"]?.text == text(20))
  #expect(incident["last"]?.text == text(40))
  #expect(incident["firstGoodAfter"]?.text == text(50))
  #expect(incident["routeCalls"]?.integer == 9)
}

@Test("a preflight that was not needed before is itself the difference")
func preflightIsTheDifference() throws {
  let good = CallBuilder.allowed.with { $0.method = "PUT" }.call
  let bad = CallBuilder.preflightFailure(204, .headerDisallowedByPreflightResponse).call
  let parts = HeaderDifference.between(good: good, bad: bad)
  #expect(parts.count == 2)
  let line = try #require(parts.last?.lines.first)
  #expect(line.name == "preflight" && line.good == "none was needed" && line.change == .added)
  #expect(parts.last?.lines.contains { $0.name == "access-control-request-headers" } == true)
  var call = good
  call.kind = .cached
  #expect(
    HeaderDifference.between(good: call, bad: bad).last?.lines.first?.good.contains("cached")
      == true)
}

@Test("a difference of headers marks what was lost, added and changed")
func headerDifference() throws {
  let good = CallBuilder.allowed.call
  let bad = CallBuilder.responseFailure(
    502, .missingAllowOriginHeader, [("server", "gateway"), ("retry-after", "9")]
  ).call
  let response = try #require(HeaderDifference.between(good: good, bad: bad).first)
  let changes = Dictionary(response.lines.map { ($0.name, $0.change) }) { first, _ in first }
  #expect(
    changes == [
      "status": .changed, "server": .changed, "retry-after": .added, "vary": .lost,
      "access-control-allow-origin": .lost,
    ])
  var unrecorded = bad
  unrecorded.exchanges[0].exchange.response.coverage = .only([.server: .exact])
  let partly = try #require(HeaderDifference.between(good: good, bad: unrecorded).first)
  #expect(
    partly.lines.first { $0.name == "access-control-allow-origin" }?.change == .unrecorded)
}
