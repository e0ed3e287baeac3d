internal import FetchCORS
internal import HTTPExchange

/// Calls of one page to one host that were probably blocked, all for the same suspicion.
struct LikelyCase {
  private(set) var origin: String
  private(set) var host: String
  /// Routes by calls; without a suspicion there is one.
  private(set) var routes = NamedCounts()
  private(set) var likely: String?
  private(set) var missing: [String]
  private(set) var suspicion: Suspicion?
  private(set) var tally: Tally

  /// Host and route as one reads them; of several routes how many there are.
  var placeText: String {
    routes.only.map { Answer.place(host: host, route: $0) }
      ?? Answer.place(host: host, route: "") + " (\(routes.distinct.text) routes)"
  }

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
        cases[place].routes.add(group.route, group.tally.count)
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
    routes.add(group.route, group.tally.count)
    likely = group.likely
    missing = group.missing
    suspicion = group.suspicion
    tally = group.tally
    // The number of other calls that a text may name changes from run to run.
    let parts = [
      group.origin, group.host, group.suspicion == nil ? group.route : "",
      group.suspicion.map { "\($0.cause) \($0.explanation.fix)" }
        ?? Answer.reason(group.likely).filter { !$0.isNumber },
    ]
    id = String(
      Redaction.digest(parts.map { "\($0.utf8.count):\($0)" }.joined().utf8).prefix(10))
  }
}
