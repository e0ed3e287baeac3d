internal import FetchCORS
internal import HTTPExchange

/// What makes blocked calls one incident: one change would repair them all.
struct IncidentKey: Hashable {
  var origin: String
  var host: String
  var route: String
  var phase: Phase
  var reason: BlockedReason
  var cause: String

  /// Ten hexadecimal digits that are the same in every run.
  var id: String {
    let parts = [origin, host, route, phase.rawValue, reason.rawValue, cause]
    // The lengths keep two keys apart whose parts only join to the same text.
    let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
    return String(Redaction.digest(text.utf8).prefix(10))
  }
}

/// The first blocked call with the last good one before it.
struct Onset: Hashable {
  var moment: Moment
  var firstBad: Call
  /// The last allowed call of the same origin, host, route and method before it.
  var lastGood: Call?
  var explanation: CauseExplanation
}

/// The last blocked call with the first good one after it.
struct Recovery: Hashable {
  var moment: Moment
  var firstGood: Call?
}

/// A set of blocked calls that one change would repair.
///
/// ``merge(_:)`` is associative and commutative, so that results of shards and of periods add up in
/// any order.
struct Incident: Hashable {
  let key: IncidentKey
  private(set) var tally: Tally
  /// Calls of every verdict of the same origin, host and route.
  private(set) var routeCalls: UInt64
  private(set) var certainty: Certainty
  private(set) var onset: Onset
  private(set) var recovery: Recovery

  init(
    key: IncidentKey, tally: Tally, routeCalls: UInt64, certainty: Certainty, onset: Onset,
    recovery: Recovery
  ) {
    self.key = key
    self.tally = tally
    self.routeCalls = routeCalls
    self.certainty = certainty
    self.onset = onset
    self.recovery = recovery
  }

  /// Adds the calls of another part of the same incident.
  mutating func merge(_ other: Incident) {
    tally.merge(other.tally)
    routeCalls &+= other.routeCalls
    // What one part only suggests is not proved by the other.
    certainty = max(certainty, other.certainty)
    if other.onset.moment < onset.moment { onset = other.onset }
    if other.recovery.moment > recovery.moment { recovery = other.recovery }
  }

  /// Most calls first, then the earlier one, then by identifier.
  static func ranks(_ left: Incident, before right: Incident) -> Bool {
    if left.tally.count != right.tally.count { return left.tally.count > right.tally.count }
    if left.onset.moment != right.onset.moment { return left.onset.moment < right.onset.moment }
    return left.key.id < right.key.id
  }
}
