internal import FetchCORS
internal import HTTPExchange

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
