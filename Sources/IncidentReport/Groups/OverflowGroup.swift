internal import FetchCORS

/// Calls of routes that could not be told apart for lack of room.
struct OverflowGroup {
  /// What stands for the origin, host and route of such calls.
  static let name = "(others)"

  let verdict: Verdict
  let phase: Phase
  let reason: BlockedReason
  private var tally = Tally()
  private var first: Finding
  private var last: Finding

  init(_ finding: Finding) {
    verdict = finding.symptoms.verdict
    phase = finding.symptoms.phase ?? .response
    reason = finding.symptoms.reason ?? .missingAllowOriginHeader
    first = finding
    last = finding
  }

  /// Which group a call belongs to when its own is gone.
  static func index(verdict: Verdict, phase: Phase?, reason: BlockedReason?) -> UInt8 {
    guard verdict == .blocked else { return 255 }
    let reasons = BlockedReason.allCases
    let number = reasons.firstIndex(of: reason ?? .missingAllowOriginHeader) ?? 0
    return UInt8(clamping: number + (phase == .preflight ? reasons.count : 0))
  }

  mutating func add(_ finding: Finding) {
    tally.merge(finding.tally)
    if finding.firstMoment < first.firstMoment { first = finding }
    if finding.lastMoment > last.lastMoment { last = finding }
  }

  var incident: Incident {
    let rule = FallbackCauses.rule(for: reason)
    let context = CauseContext(
      symptoms: Symptoms(overflowOf: first.symptoms), surroundings: Surroundings(),
      call: first.first)
    var explanation = rule.explanation(context)
    explanation.title = "Routes with few calls, added up"
    explanation.sentence =
      "There were more pages and routes than can be told apart; these are the calls of those with "
      + "the fewest, which have the reason in common and need not have one cause."
    explanation.fix = "Narrow the input by origin, URL or time to see them one by one."
    explanation.evidence = []
    return Incident(
      key: IncidentKey(
        origin: Self.name, host: Self.name, route: Self.name, phase: phase, reason: reason,
        cause: rule.id),
      tally: tally, routeCalls: 0, certainty: .possible,
      onset: Onset(
        moment: first.firstMoment, firstBad: first.first, lastGood: nil, explanation: explanation),
      recovery: Recovery(moment: last.lastMoment, firstGood: nil))
  }
}
