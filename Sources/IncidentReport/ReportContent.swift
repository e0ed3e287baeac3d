internal import FetchCORS
internal import HTTPExchange

/// Undetermined calls of one route with the same symptoms.
struct LikelyGroup: Hashable {
  var origin: String
  var host: String
  var route: String
  var likely: String?
  var missing: [String]
  var tally: Tally
  /// What to look at if these calls were blocked, which is not said of those that were probably not.
  var suspicion: Suspicion?

  static func ranks(_ left: LikelyGroup, before right: LikelyGroup) -> Bool {
    if left.tally.count != right.tally.count { return left.tally.count > right.tally.count }
    guard let first = left.tally.first, let other = right.tally.first else { return false }
    return first < other
  }
}

/// All that the outputs speak of, in no format yet.
struct ReportContent {
  /// Records of inputs that are kept, and their bytes, roughly: who writes a stream chooses both.
  static let maximumSources = 2000
  static let maximumSourceBytes = 16 << 20

  var totals = ReportTotals()
  var timeline = Timeline()
  var kinds: [UInt64] = Array(repeating: 0, count: CallKind.allCases.count)
  var engines = EngineCounts()
  var blockedEngines = EngineCounts()
  var reasons: [String: UInt64] = [:]
  var assumptions = CountedTexts(limit: 64)
  var missing = CountedTexts(limit: 64)
  var notCORS = CountedTexts(limit: 64)
  /// Calls whose engine departs from the standard, by engine and both verdicts.
  var disagreements = CountedTexts(limit: 64)
  var blockedClients = DistinctCount(limit: 10_000)
  /// Calls that are allowed without any assumption.
  var allowedOutright: UInt64 = 0
  var first: EventTime?
  var last: EventTime?
  var resolution = TimeResolution.second
  var sources: [SourceRecord] = []
  private var sourceBytes = 0
  var omittedSources: UInt64 = 0
  var routes: UInt64 = 0
  var foldedRoutes: UInt64 = 0
  var foldedCalls: UInt64 = 0
  /// Outages and faults, ranked; what the server refused on purpose is in ``refusals``.
  var incidents: [Incident] = []
  /// Blocked calls that the server meant to refuse (pages that it does not know, scanners), ranked.
  var refusals: [Incident] = []
  /// Response headers of calls that passed which the page cannot read: a warning of its own.
  var exposure = Exposure()
  var likely: [LikelyGroup] = []
  /// Those of them that were probably blocked, as reports speak of them.
  var likelyCases: [LikelyCase] = []

  mutating func count(_ call: Call) {
    switch call.verdict {
    case .allowed:
      totals.allowed &+= 1
      if call.assumes.isEmpty { allowedOutright &+= 1 }
    case .blocked:
      totals.blocked &+= 1
      blockedClients.insert(call.client)
      blockedEngines.add(call.engine)
      if let reason = call.reason {
        reasons[reason.code(in: call.phase ?? .response), default: 0] &+= 1
      }
    case .undetermined: totals.undetermined &+= 1
    case .contradicted: totals.contradicted &+= 1
    }
    kinds[Self.index(of: call.kind)] &+= 1
    engines.add(call.engine)
    for name in call.assumes.prefix(8) { assumptions.add(Self.short(name)) }
    for name in call.missing.prefix(8) { missing.add(Self.short(name)) }
    if let standard = call.standardVerdict, standard != call.verdict {
      let engine = EngineCounts.names.contains(call.engine) ? call.engine : "unknown"
      disagreements.add(
        "\(engine): \(call.verdict.rawValue), the standard: \(standard.rawValue)")
    }
    if first.map({ call.time < $0 }) ?? true { first = call.time }
    if last.map({ call.time > $0 }) ?? true { last = call.time }
    if call.resolution.nanoseconds < resolution.nanoseconds { resolution = call.resolution }
  }

  private static func short(_ text: String) -> String {
    text.utf8.count <= 60 ? text : DisplayText.visible(text, limit: 50)
  }

  private static func index(of kind: CallKind) -> Int {
    switch kind {
    case .simple: 0
    case .preflighted: 1
    case .cached: 2
    case .preflightOnly: 3
    case .preflightUnseen: 4
    }
  }

  mutating func add(_ source: SourceRecord) {
    totals.damages &+= source.damageCount
    let size = source.approximateBytes
    func fits() -> Bool {
      sources.count < Self.maximumSources && sourceBytes + size <= Self.maximumSourceBytes
    }
    // Where not all can be kept, the one with least to say makes room.
    let rank = Self.rank(source)
    while rank < 3, !fits(), let least = sources.lazy.map(Self.rank).max(), least > rank,
      let place = sources.lastIndex(where: { Self.rank($0) == least })
    {
      sourceBytes -= sources.remove(at: place).approximateBytes
      omittedSources &+= 1
    }
    if fits() {
      sources.append(source)
      sourceBytes += size
    } else {
      omittedSources &+= 1
    }
  }

  /// How much the record of an input has to say: least what was done with all of them together, then
  /// what is damaged, what is worth a word, and all others.
  static func rank(_ source: SourceRecord) -> Int {
    if source.kind == "pairing" { return 0 }
    if source.damageCount > 0 { return 1 }
    return source.warnings.isEmpty ? 3 : 2
  }

  mutating func add(
    _ finding: Finding, likely text: String?, of group: RouteGroup, _ around: Surroundings
  ) {
    if Likely.isBlocked(text) {
      totals.likelyBlocked &+= finding.tally.count
    } else if text != nil {
      totals.likelyAllowed &+= finding.tally.count
    }
    likely.append(
      LikelyGroup(
        origin: group.origin, host: group.host, route: group.template, likely: text,
        missing: finding.symptoms.missing, tally: finding.tally,
        suspicion: Likely.isBlocked(text) ? Suspicion(finding, around) : nil))
  }

  func text(_ time: EventTime) -> String { time.rfc3339(resolution) }
}

/// What evidence would decide calls that could not be judged.
enum MissingEvidence {
  /// What a name of `missing` means, and what to record in order to know it.
  static func advice(_ name: String) -> (meaning: String, advice: String) {
    switch name {
    case "credentials":
      (
        "whether the call was sent with credentials",
        "log whether a Cookie was there (nginx: a map of $http_cookie to a flag), and "
          + "Access-Control-Allow-Credentials of the answer"
      )
    case "request-mode":
      ("whether it was a CORS request at all", "log Sec-Fetch-Mode (nginx: $http_sec_fetch_mode)")
    case "redirect-mode":
      (
        "whether the page wanted to follow redirects",
        "nothing on the server's side tells; the page's code does"
      )
    case "actual-request":
      (
        "what became of the call after its preflight passed",
        "give the evidence of every server that answers for this host, and a longer stretch of time"
      )
    case "preflight":
      (
        "how its preflight was answered",
        "give the evidence of every server that answers for this host, from earlier on"
      )
    case "engine":
      ("which browser it was", "log User-Agent (nginx: $http_user_agent)")
    case "origin", "url", "scheme", "host", "port":
      (
        "the \(name) of the call",
        "log Origin, Host and the scheme at the browser's edge (nginx: $http_origin, $host, $scheme)"
      )
    default:
      field(name)
    }
  }

  /// Of a header that was not recorded, or not with all its lines.
  private static func field(_ name: String) -> (meaning: String, advice: String) {
    let shown = DisplayText.visible(name, limit: 60)
    guard name.utf8.count <= 60,
      name.utf8.allSatisfy({
        (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-")
      })
    else { return ("the value of \(shown)", "log it") }
    let variable = name.replacing("-", with: "_")
    return name.hasPrefix("access-control-request-")
      ? ("the value of \(shown)", "log it (nginx: $http_\(variable))")
      : (
        "every line of \(shown)",
        "log every line of \(shown), should there be several (nginx 1.23 or later: $sent_http_\(variable); older ones log the first)"
      )
  }
}
