internal import FetchCORS
internal import HTTPExchange

/// Incidents of several routes that the same change would repair, for the answer in a sentence.
struct Repair {
  private(set) var origin: String
  private(set) var host: String
  private(set) var routes: [String]
  /// Of its incidents; the one with the most calls first.
  private(set) var ids: [String]
  private(set) var tally: Tally
  private(set) var routeCalls: UInt64
  /// Whether a good call followed everywhere.
  private(set) var isOver: Bool
  private(set) var explanation: CauseExplanation

  private struct Key: Hashable {
    var origin: String
    var host: String
    var phase: Phase
    var reason: BlockedReason
    var cause: String
    var fix: String
  }

  /// Repairs by number of calls.
  ///
  /// - Parameter incidents: ranked.
  static func all(of incidents: [Incident]) -> [Repair] {
    var places: [Key: Int] = [:]
    var repairs: [Repair] = []
    for incident in incidents {
      let key = Key(
        origin: incident.key.origin, host: incident.key.host, phase: incident.key.phase,
        reason: incident.key.reason, cause: incident.key.cause,
        fix: incident.onset.explanation.fix)
      if let place = places[key] {
        repairs[place].add(incident)
      } else {
        places[key] = repairs.count
        repairs.append(Repair(incident))
      }
    }
    // Equal ones stay in the order of their incidents.
    return repairs.enumerated().sorted {
      $0.element.tally.count != $1.element.tally.count
        ? $0.element.tally.count > $1.element.tally.count : $0.offset < $1.offset
    }.map(\.element)
  }

  /// All calls of incidents.
  static func tally(of incidents: [Incident]) -> Tally {
    incidents.reduce(into: Tally()) { $0.merge($1.tally) }
  }

  private init(_ incident: Incident) {
    origin = incident.key.origin
    host = incident.key.host
    routes = [incident.key.route]
    ids = [incident.key.id]
    tally = incident.tally
    routeCalls = incident.routeCalls
    isOver = incident.recovery.firstGood != nil
    explanation = incident.onset.explanation
  }

  /// Likely cases of one page and host.
  init(_ cases: [LikelyCase]) {
    origin = cases.first?.origin ?? ""
    host = cases.first?.host ?? ""
    var routes: [String] = []
    for route in cases.map(\.route) where !routes.contains(route) { routes.append(route) }
    self.routes = routes.isEmpty ? [""] : routes
    ids = cases.map(\.id)
    tally = cases.reduce(into: Tally()) { $0.merge($1.tally) }
    routeCalls = 0
    isOver = false
    explanation =
      cases.first?.suspicion?.explanation
      ?? CauseExplanation(
        title: "", sentence: "", fix: "", snippets: [], evidence: [], isMasked: false)
  }

  private mutating func add(_ incident: Incident) {
    if !routes.contains(incident.key.route) { routes.append(incident.key.route) }
    ids.append(incident.key.id)
    tally.merge(incident.tally)
    routeCalls &+= incident.routeCalls
    isOver = isOver && incident.recovery.firstGood != nil
  }
}

/// Calls of one route that were probably blocked, all for the same suspicion.
struct LikelyCase {
  private(set) var origin: String
  private(set) var host: String
  private(set) var route: String
  private(set) var likely: String?
  private(set) var missing: [String]
  private(set) var suspicion: Suspicion?
  private(set) var tally: Tally

  var fix: String { suspicion?.explanation.fix ?? "" }

  /// Ten hexadecimal digits that are the same in every run.
  let id: String

  /// The cases of groups that were probably blocked, most calls first.
  static func all(of groups: [LikelyGroup]) -> [LikelyCase] {
    var places: [String: Int] = [:]
    var cases: [LikelyCase] = []
    for group in groups where Likely.isBlocked(group.likely) {
      let made = LikelyCase(group)
      if let place = places[made.id] {
        cases[place].tally.merge(group.tally)
      } else {
        places[made.id] = cases.count
        cases.append(made)
      }
    }
    return cases.enumerated().sorted {
      $0.element.tally.count != $1.element.tally.count
        ? $0.element.tally.count > $1.element.tally.count : $0.offset < $1.offset
    }.map(\.element)
  }

  private init(_ group: LikelyGroup) {
    origin = group.origin
    host = group.host
    route = group.route
    likely = group.likely
    missing = group.missing
    suspicion = group.suspicion
    tally = group.tally
    // The number of other calls that a text may name changes from run to run.
    let parts = [
      group.origin, group.host, group.route,
      group.suspicion?.cause ?? Answer.reason(group.likely).filter { !$0.isNumber },
    ]
    id = String(
      Redaction.digest(parts.map { "\($0.utf8.count):\($0)" }.joined().utf8).prefix(10))
  }
}
