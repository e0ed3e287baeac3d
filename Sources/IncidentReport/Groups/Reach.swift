internal import FetchCORS
internal import HTTPExchange

/// What the calls around an incident say, counted over all of its pages and routes.
struct Reach: Hashable {
  /// Pages and routes of the incident.
  var pages = 0
  var routes = 0
  /// Calls of these pages to these routes, whatever became of them.
  var calls: UInt64 = 0
  var allowed: UInt64 = 0
  var blocked: UInt64 = 0
  /// Of the allowed ones, answers of 2xx that named an allowed origin.
  var goodResponses: UInt64 = 0
  /// Calls that passed after the last blocked one of their page and route.
  var goodAfter: UInt64 = 0
  /// Calls of other pages to these routes, and how many of them passed.
  var otherPages: UInt64 = 0
  var otherPagesAllowed: UInt64 = 0
  /// Calls of these pages to other routes of the host that passed.
  var otherRoutesAllowed: UInt64 = 0
  /// What a fix has to allow so that no call of these routes breaks by it.
  var methods: Set<String> = []
  var headers: Set<String> = []
  var credentials = false

  /// Observations for the incident whose blocked calls these are.
  func evidence(blocked own: UInt64) -> [String] {
    let page = pages == 1 ? "this page" : "these \(DisplayText.grouped(pages)) pages"
    let route = routes == 1 ? "this route" : "these \(DisplayText.grouped(routes)) routes"
    var lines: [String] = []
    let others = calls &- own
    if calls > own {
      var parts: [String] = []
      if allowed == others, allowed > 1 {
        parts.append("all passed")
      } else {
        parts.append(allowed == 0 ? "none passed" : "\(DisplayText.grouped(allowed)) passed")
      }
      if blocked > own {
        parts.append("\(DisplayText.grouped(blocked &- own)) were blocked for other causes")
      }
      let rest = others &- allowed &- (blocked &- own)
      if rest > 0, rest <= others {
        parts.append("of \(DisplayText.grouped(rest)) it is not known")
      }
      lines.append(
        "Of the \(DisplayText.counted(others, "other call")) of \(page) to \(route), "
          + parts.joined(separator: ", ")
          + (goodResponses > 0
            ? "; \(DisplayText.grouped(goodResponses)) of those that passed had a 2xx answer with "
              + "Access-Control-Allow-Origin" : "") + ".")
    } else {
      lines.append("No call of \(page) to \(route) passed.")
    }
    if otherPages > 0 {
      lines.append(
        "Other pages made \(DisplayText.counted(otherPages, "call")) to \(route); "
          + (otherPagesAllowed == 0
            ? "none passed." : "\(DisplayText.grouped(otherPagesAllowed)) passed."))
    }
    if otherRoutesAllowed > 0 {
      lines.append(
        "\(DisplayText.counted(otherRoutesAllowed, "call")) of \(page) to other routes of the host "
          + "passed.")
    }
    return lines
  }
}

/// Adds up groups of routes for incidents.
struct ReachIndex {
  /// A group that an incident has calls in, and how many passed after the last of them.
  struct Member {
    var group: Int
    var goodAfter: UInt64
  }

  private let groups: [RouteGroup]
  /// Small numbers for a group's page and route, so that incidents need not compare texts.
  private var pages: [Int] = []
  private var routes: [Int] = []
  private var groupsOfHost: [String: [Int]] = [:]
  private var pageCount = 0
  private var routeCount = 0

  init(_ groups: [RouteGroup]) {
    self.groups = groups
    var pageNumbers: [String: Int] = [:]
    var routeNumbers: [[String]: Int] = [:]
    for (index, group) in groups.enumerated() {
      pages.append(Self.number(of: group.origin, in: &pageNumbers))
      routes.append(Self.number(of: [group.host, group.template], in: &routeNumbers))
      groupsOfHost[group.host, default: []].append(index)
    }
    pageCount = pageNumbers.count
    routeCount = routeNumbers.count
  }

  private static func number<Key>(of key: Key, in numbers: inout [Key: Int]) -> Int {
    if let known = numbers[key] { return known }
    numbers[key] = numbers.count
    return numbers.count - 1
  }

  /// What is around an incident; `nil` for one without groups.
  func reach(of members: [Member], host: String) -> Reach? {
    guard !members.isEmpty else { return nil }
    var isPage = [Bool](repeating: false, count: pageCount)
    var isRoute = [Bool](repeating: false, count: routeCount)
    var goodAfter: [Int: UInt64] = [:]
    for member in members {
      isPage[pages[member.group]] = true
      isRoute[routes[member.group]] = true
      goodAfter[member.group] = min(goodAfter[member.group] ?? .max, member.goodAfter)
    }
    var reach = Reach()
    reach.pages = isPage.count { $0 }
    reach.routes = isRoute.count { $0 }
    reach.goodAfter = goodAfter.values.reduce(0, &+)
    for index in groupsOfHost[host] ?? [] {
      let group = groups[index]
      guard isRoute[routes[index]] else {
        if isPage[pages[index]] { reach.otherRoutesAllowed &+= group.allowed }
        continue
      }
      reach.methods.formUnion(group.methods)
      reach.headers.formUnion(group.askedHeaders)
      reach.headers.formUnion(group.grantedHeaders)
      if group.credentialed > 0 { reach.credentials = true }
      for preflight in group.goodPreflightAnswers {
        reach.methods.formUnion(ServerFix.tokens(preflight.first(.accessControlAllowMethods)))
        reach.headers.formUnion(ServerFix.tokens(preflight.first(.accessControlAllowHeaders)))
        if preflight.first(.accessControlAllowCredentials) == "true" { reach.credentials = true }
      }
      if isPage[pages[index]] {
        reach.calls &+= group.calls
        reach.allowed &+= group.allowed
        reach.blocked &+= group.blocked
        reach.goodResponses &+= group.goodResponses
      } else {
        reach.otherPages &+= group.calls
        reach.otherPagesAllowed &+= group.allowed
      }
    }
    return reach
  }
}
