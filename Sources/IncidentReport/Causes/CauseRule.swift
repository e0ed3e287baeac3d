internal import FetchCORS
internal import HTTPExchange

/// How far the evidence carries a cause; what is surer is less.
enum Certainty: String, Comparable, Hashable {
  /// The failing exchange alone shows it.
  case proved
  /// Other calls of the same page or route speak for it.
  case likely
  /// It is the ordinary explanation, and nothing speaks against it.
  case possible

  /// A cause's sentence, which says where it is not proved.
  func qualified(_ sentence: String) -> String {
    switch self {
    case .proved: sentence
    case .likely: "Probably: \(sentence.lowercasedStart)"
    case .possible: "Possibly: \(sentence.lowercasedStart)"
    }
  }

  private var rank: Int {
    switch self {
    case .proved: 0
    case .likely: 1
    case .possible: 2
    }
  }

  static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }
}

/// What a report says of a cause, with the values of the first blocked call filled in.
struct CauseExplanation: Hashable {
  /// Lines of configuration for one server.
  struct Snippet: Hashable {
    var server: String
    var text: String
  }

  var title: String
  /// One sentence in plain words.
  var sentence: String
  var fix: String
  /// The fix as lines of configuration, where it can be written as such.
  var plan: FixPlan?
  var snippets: [Snippet] { plan?.snippets ?? [] }
  /// What speaks for it, one observation each.
  var evidence: [String]
  /// Whether the true fault is the status, which CORS only hides from the page.
  var isMasked: Bool
  /// Whether the server meant to refuse the call, so that it is no outage.
  var isRefusal = false
  /// Whether the cause lies in one page's origin, so that other pages have their own.
  var isOfOnePage = false
}

/// What other calls say about a call's route.
struct Surroundings: Hashable {
  /// Calls of the same origin, host and route.
  var calls: UInt64 = 0
  var allowed: UInt64 = 0
  /// Of those, answers of 2xx that named an allowed origin.
  var goodResponses: UInt64 = 0
  /// Of those, answers of 400 and above that passed all the same.
  var allowedErrors: UInt64 = 0
  var passedPreflights: UInt64 = 0
  var lonelyPreflights: UInt64 = 0
  /// Of undetermined calls.
  var followedPreflights: UInt64 = 0
  /// Whether requests were seen whose preflights went somewhere else, so that it may be the same with
  /// preflights and their requests.
  var isPartial = false
  var blocked: UInt64 = 0
  var corsMode: UInt64 = 0
  /// Requested headers that a preflight of this route has granted.
  var grantedHeaders: Set<String> = []
  /// Calls of other origins to the same host and route that passed.
  var otherOriginsAllowed: UInt64 = 0
  /// One such origin.
  var otherOrigin: String?
  /// Calls of the same origin to other routes of the host that passed.
  var otherRoutesAllowed: UInt64 = 0
  /// Calls of the same origin to the host that carried credentials, and all of them.
  var credentialed: UInt64 = 0
  var callsOfHost: UInt64 = 0
  /// Those of them that are proved to be CORS requests.
  var corsModeOfHost: UInt64 = 0
  /// `Server` of a good answer of the route.
  var usualServer: String?
  /// Whether a call of the same route passed before that did not have the refused header.
  var passedWithoutParameter = false
  /// Calls of other origins to the host that passed.
  var otherOriginsAllowedOfHost: UInt64 = 0
  /// The page's share of all calls to the host: 0 to 1.
  var shareOfHost = 1.0
  /// An origin that the host allows and that differs from the page's by scheme, port, `www` or case.
  var similarOrigin: String?
  /// What it differs by.
  var similarity: String?
  /// An origin of the same site that the host allows.
  var siblingOrigin: String?
  /// Whether neither the host nor any origin that it allows is of the page's site.
  var isStranger = false
}

/// All that a rule may look at and speak of.
struct CauseContext {
  var symptoms: Symptoms
  var surroundings: Surroundings
  /// The first blocked call: for values in sentences, never for decisions.
  var call: Call
  /// When these symptoms first appeared on the route.
  var firstSeen: Moment?

  var page: String { value(call.origin, limit: 80) }

  var host: String { value(call.url.host ?? "the server", limit: 80) }

  var method: String { value(call.method, limit: 30) }

  var preflightStatus: String { Self.name(of: symptoms.preflightStatus) }

  var responseStatus: String { Self.name(of: symptoms.responseStatus) }

  /// The status of the failing response.
  var status: Int? {
    symptoms.phase == .preflight ? symptoms.preflightStatus : symptoms.responseStatus
  }

  var statusName: String { Self.name(of: status) }

  /// What failed, for the middle of a sentence.
  var what: String {
    symptoms.phase == .preflight ? "the preflight OPTIONS" : "the \(method) request"
  }

  var parameter: String { call.parameter.map { value($0, limit: 80) } ?? "" }

  var allowOrigin: String { field(.accessControlAllowOrigin) }

  var server: String? {
    deciding?.response.first(.server).map { value($0, limit: 60) }
  }

  var deciding: Exchange? { call.decidingResponse }

  /// All lines of a field of the failing response.
  func field(_ name: HeaderName, of exchange: Exchange? = nil) -> String {
    let fields = (exchange ?? deciding)?.response.fields.filter { $0.name == name } ?? []
    return fields.prefix(4).map { value($0.value ?? "(present)", limit: 120) }
      .joined(separator: " | ")
  }

  func value(_ text: String, limit: Int = 120) -> String {
    DisplayText.visible(text, limit: limit)
  }

  static func name(of status: Int?) -> String {
    guard let status else { return "no answer" }
    let names = [
      200: "OK", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
      304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
      400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
      405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
      408: "Request Timeout", 413: "Content Too Large", 415: "Unsupported Media Type",
      422: "Unprocessable Content", 429: "Too Many Requests", 499: "client closed",
      500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
      503: "Service Unavailable", 504: "Gateway Timeout",
    ]
    return names[status].map { "\(status) \($0)" } ?? String(status)
  }
}

/// How one cause is recognised and spoken of.
struct CauseRule: Sendable {
  /// In kebab case; the value of the column `cause`.
  var id: String
  var title: String
  /// What it needs to see, in words.
  var needs: String
  /// Whether the true fault is a status that the page cannot see.
  var isMasked = false
  /// Whether such calls are refused on purpose, and are no outage.
  var isRefusal = false
  /// Whether the cause lies in one page's origin.
  var isOfOnePage = false
  /// Rules that say more where both apply, so that this one is silent then.
  var givesWayTo: Set<String> = []
  /// Decides from symptoms and other calls alone.
  var applies: @Sendable (Symptoms, Surroundings) -> Certainty?
  var sentence: @Sendable (CauseContext) -> String
  var fix: @Sendable (CauseContext) -> String
  var plan: @Sendable (CauseContext) -> FixPlan? = { _ in nil }

  /// Every rule; the first that applies is the cause.
  ///
  /// Refusals come first, then values that are wrong whatever the status, then redirects, then statuses that
  /// CORS only masks, then what a missing header means, then one rule per reason that always applies.
  static let all: [CauseRule] =
    RefusalCauses.rules + PolicyCauses.rules + RedirectCauses.rules + MaskedCauses.rules
    + OriginCauses.rules
    + FallbackCauses.rules

  /// The cause of a group of blocked calls.
  static func cause(
    of symptoms: Symptoms, in surroundings: Surroundings
  ) -> (rule: CauseRule, certainty: Certainty) {
    if !symptoms.signs.contains(.overflow) {
      for rule in all {
        if let certainty = rule.finds(symptoms, surroundings) { return (rule, certainty) }
      }
    }
    return (FallbackCauses.rule(for: symptoms.reason ?? .missingAllowOriginHeader), .possible)
  }

  private static let byID = Dictionary(all.map { ($0.id, $0) }) { first, _ in first }

  /// How sure the rule is of its cause; `nil` when it does not see it, or another says more.
  func finds(_ symptoms: Symptoms, _ surroundings: Surroundings) -> Certainty? {
    guard let certainty = applies(symptoms, surroundings) else { return nil }
    let isSilent = givesWayTo.contains { id in
      Self.byID[id].map { $0.applies(symptoms, surroundings) != nil } ?? false
    }
    return isSilent ? nil : certainty
  }

  /// The rule with its words filled in.
  func explanation(_ context: CauseContext) -> CauseExplanation {
    let plan = plan(context)
    return CauseExplanation(
      title: title, sentence: sentence(context),
      fix: plan == nil ? fix(context) : Self.located(fix(context), context), plan: plan,
      evidence: Self.evidence(context), isMasked: isMasked, isRefusal: isRefusal,
      isOfOnePage: isOfOnePage)
  }

  /// A fix of the server's side with the host that has to be changed.
  private static func located(_ fix: String, _ context: CauseContext) -> String {
    guard context.call.url.host != nil, !fix.contains(context.host) else { return fix }
    return "At \(context.host): \(fix.lowercasedStart)"
  }

  /// Observations about the first failing answer; counts come with ``Reach``.
  private static func evidence(_ context: CauseContext) -> [String] {
    let around = context.surroundings
    var lines: [String] = []
    if let first = context.firstSeen, context.symptoms.parameter != nil {
      lines.append(
        "\(context.parameter) was refused for the first time at \(DisplayText.time(first)).")
    }
    if let usual = around.usualServer, let server = context.server,
      context.value(usual, limit: 60) != server
    {
      lines.append(
        "The failing answer names the server \(server), good ones \(context.value(usual, limit: 60))."
      )
    }
    var seen: Set<String> = []
    let other = context.call.otherFaults.filter { seen.insert($0).inserted }.prefix(4)
      .map { context.value($0, limit: 60) }
    if !other.isEmpty {
      lines.append("The same answer has further faults: \(other.joined(separator: ", ")).")
    }
    return lines
  }
}
