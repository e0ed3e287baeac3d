internal import FetchCORS
internal import HTTPExchange

/// What would be the cause of an undetermined call, supposing that it was blocked.
///
/// Nothing here makes a call more blocked than it is: it only says what to look at.
struct Suspicion: Hashable {
  var cause: String
  var explanation: CauseExplanation

  /// The suspicion about a group of calls that ``Likely`` takes to be blocked; `nil` when the
  /// evidence leaves several reasons.
  init?(_ finding: Finding, _ around: Surroundings) {
    guard let call = Self.supposed(finding.first) else { return nil }
    let symptoms = Symptoms(call)
    let rule = CauseRule.cause(of: symptoms, in: around).rule
    cause = rule.id
    explanation = rule.explanation(
      CauseContext(
        symptoms: symptoms, surroundings: around, call: call, firstSeen: finding.firstMoment))
  }

  /// The call as it would be if it was blocked.
  private static func supposed(_ call: Call) -> Call? {
    var call = call
    call.verdict = .blocked
    if call.kind == .preflightOnly, let preflight = call.preflight {
      call.phase = .preflight
      if let status = preflight.status, !(200...299).contains(status) {
        call.reason = .invalidStatus
        return call
      }
      // The log shows one line of a list, and that one does not grant what was asked for.
      if call.missing.contains(HeaderName.accessControlAllowHeaders.description) {
        call.reason = .headerDisallowedByPreflightResponse
        call.parameter = refusedName(preflight)
        return call
      }
      if call.missing.contains(HeaderName.accessControlAllowMethods.description) {
        call.reason = .methodDisallowedByPreflightResponse
        call.parameter = preflight.request.first(.accessControlRequestMethod)
        return call
      }
    }
    let blocked = call.worlds.filter { $0.verdict == .blocked }
    guard let first = blocked.first, let reason = first.reason, let phase = first.phase,
      blocked.allSatisfy({ $0.reason == reason && $0.phase == phase })
    else { return nil }
    call.reason = reason
    call.phase = phase
    call.parameter = first.parameter
    return call
  }

  /// The first requested header that the recorded line does not list.
  private static func refusedName(_ preflight: Exchange) -> String? {
    func names(_ text: String?) -> [String] {
      (text ?? "").split(separator: ",").prefix(64).map { String($0.filter { $0 != " " }) }
    }
    let granted = Set(
      names(preflight.response.first(.accessControlAllowHeaders)).map(\.asciiLowercased))
    return names(preflight.request.first(.accessControlRequestHeaders)).first {
      !granted.contains($0.asciiLowercased)
    }
  }
}
