internal import FetchCORS
internal import HTTPExchange

/// Finds what other routes and pages say about a route.
struct SurroundingsIndex {
  private struct Sum {
    var calls: UInt64 = 0
    var allowed: UInt64 = 0
    var credentialed: UInt64 = 0
    var corsMode: UInt64 = 0
    /// The two origins with the lowest names that have allowed calls.
    var origins: [String] = []
  }

  private struct Pair: Hashable {
    var first: String
    var second: String
  }

  private var byRoute: [Pair: Sum] = [:]
  private var byHost: [Pair: Sum] = [:]

  init(_ groups: [RouteGroup]) {
    for group in groups {
      var sum = byRoute[Pair(first: group.host, second: group.route)] ?? Sum()
      sum.allowed &+= group.allowed
      if group.allowed > 0, sum.origins.count < 2 { sum.origins.append(group.origin) }
      byRoute[Pair(first: group.host, second: group.route)] = sum
      var host = byHost[Pair(first: group.origin, second: group.host)] ?? Sum()
      host.calls &+= group.calls
      host.allowed &+= group.allowed
      host.credentialed &+= group.credentialed
      host.corsMode &+= group.corsMode
      byHost[Pair(first: group.origin, second: group.host)] = host
    }
  }

  /// What is known around a route.
  func around(_ group: RouteGroup) -> Surroundings {
    let route = byRoute[Pair(first: group.host, second: group.route)] ?? Sum()
    let host = byHost[Pair(first: group.origin, second: group.host)] ?? Sum()
    var around = Surroundings()
    around.calls = group.calls
    around.allowed = group.allowed
    around.goodResponses = group.goodResponses
    around.allowedErrors = group.allowedErrors
    around.passedPreflights = group.passedPreflights
    around.lonelyPreflights = group.lonelyPreflights
    around.blocked = group.blocked
    around.corsMode = group.corsMode
    around.grantedHeaders = group.grantedHeaders
    around.otherOriginsAllowed = route.allowed - group.allowed
    around.otherOrigin = route.origins.first { $0 != group.origin }
    around.otherRoutesAllowed = host.allowed - group.allowed
    around.credentialed = host.credentialed
    around.callsOfHost = host.calls
    around.corsModeOfHost = host.corsMode
    around.usualServer = group.anyGood?.request?.response.first(.server)
    return around
  }
}
