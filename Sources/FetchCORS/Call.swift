public import HTTPExchange

/// What is said of a call.
public enum Verdict: String, CaseIterable, Hashable, Sendable {
  /// The page could read the response, in every world that the evidence leaves.
  case allowed
  /// It could not, in every world.
  case blocked
  /// It depends on what the evidence does not hold.
  case undetermined
  /// The evaluator says blocked, but the client went on.
  case contradicted
}

/// How the actual request came to be sent.
public enum CallKind: String, CaseIterable, Hashable, Sendable {
  /// It needed no preflight.
  case simple
  /// A preflight was seen before it.
  case preflighted
  /// The preflight cache answered.
  case cached
  /// A preflight without an actual request.
  case preflightOnly = "preflight-only"
  /// It needed a preflight, and the evidence holds none.
  case preflightUnseen = "preflight-unseen"
}

/// What is known of a request's credentials mode.
public enum CredentialsEvidence: String, Hashable, Sendable {
  case include
  case notInclude = "not-include"
  case unknown
}

/// What is known of a request's mode.
public enum ModeEvidence: String, Hashable, Sendable {
  case cors, unknown
}

/// A verdict in one world that the evidence allows.
public struct WorldOutcome: Hashable, Sendable {
  /// What is taken to be so: `credentials=include`, `mode=no-cors`.
  public var assuming: [String]
  /// The verdict there.
  public var verdict: Verdict
  /// At which response it fails.
  public var phase: Phase?
  /// Redirects followed before that response.
  public var hop: Int
  /// Why it fails.
  public var reason: BlockedReason?
  /// The method, header or origin that fails.
  public var parameter: String?

  /// An outcome of those parts.
  public init(
    assuming: [String], verdict: Verdict, phase: Phase? = nil, hop: Int = 0,
    reason: BlockedReason? = nil, parameter: String? = nil
  ) {
    self.assuming = assuming
    self.verdict = verdict
    self.phase = phase
    self.hop = hop
    self.reason = reason
    self.parameter = parameter
  }
}

/// One exchange of a call and what it was in it.
public struct CallExchange: Hashable, Sendable {
  /// What an exchange was in a call.
  public enum Role: String, Sendable {
    case preflight, request
  }

  /// What it was.
  public var role: Role
  /// Redirects that were followed before it.
  public var hop: Int
  /// The exchange itself.
  public var exchange: Exchange

  /// An exchange in that role.
  public init(role: Role, hop: Int, exchange: Exchange) {
    self.role = role
    self.hop = hop
    self.exchange = exchange
  }
}

/// What a page asked for once, with the verdict on it.
///
/// Written as `"schema":"postflight.call/1"`; see `CallRecord.swift` for the columns.
public struct Call: Hashable, Sendable {
  /// When its first exchange began (ended, where only that is stamped).
  public var time: EventTime
  /// How finely that is told.
  public var resolution: TimeResolution
  /// What is said of it.
  public var verdict: Verdict
  /// What an undetermined call probably was, and from what; a report adds it.
  public var likely: String?
  /// At which response it failed; `nil` unless blocked or contradicted.
  public var phase: Phase?
  /// Redirects followed before the failing exchange, or before the last one.
  public var hop: Int
  /// Why it failed.
  public var reason: BlockedReason?
  /// The method, header or origin that failed.
  public var parameter: String?
  /// The name of the cause; a report adds it.
  public var cause: String?
  /// The page's origin, as its first request gave it.
  public var origin: String
  /// The method of the first hop.
  public var method: String
  /// The URL of the first hop.
  public var url: RequestURL
  /// The browser's address.
  public var client: String
  /// `chromium`, `firefox`, `webkit`, or `unknown`.
  public var engine: String
  /// The browser's user agent, where recorded.
  public var userAgent: String?
  /// How the actual request came to be sent.
  public var kind: CallKind
  /// What is known of its credentials mode.
  public var credentials: CredentialsEvidence
  /// What is known of its mode.
  public var mode: ModeEvidence
  /// What the verdict would need to know, such as `credentials` or `actual-request`.
  public var missing: [String]
  /// What was taken for granted: `not-credentialed`, `single-line`.
  public var assumes: [String]
  /// Further faults of the failing response, as codes.
  public var otherFaults: [String]
  /// The standard's verdict where the caller's engine departs from it.
  public var standardVerdict: Verdict?
  /// What the caller's console said, reconstructed in the engine's wording, never observed.
  public var message: String?
  /// The identifier of the incident that it belongs to; a report adds it.
  public var incident: String?
  /// Every world in which the outcome differs; empty when there is only one.
  public var worlds: [WorldOutcome]
  /// Its exchanges in order.
  public var exchanges: [CallExchange]

  /// A call of those parts; what only a report knows is left out.
  public init(
    time: EventTime, resolution: TimeResolution, verdict: Verdict, phase: Phase? = nil,
    hop: Int = 0, reason: BlockedReason? = nil, parameter: String? = nil, origin: String,
    method: String, url: RequestURL, client: String, engine: String, userAgent: String?,
    kind: CallKind, credentials: CredentialsEvidence = .unknown, mode: ModeEvidence = .unknown,
    missing: [String] = [], assumes: [String] = [], otherFaults: [String] = [],
    standardVerdict: Verdict? = nil, message: String? = nil, worlds: [WorldOutcome] = [],
    exchanges: [CallExchange]
  ) {
    self.time = time
    self.resolution = resolution
    self.verdict = verdict
    self.phase = phase
    self.hop = hop
    self.reason = reason
    self.parameter = parameter
    self.origin = origin
    self.method = method
    self.url = url
    self.client = client
    self.engine = engine
    self.userAgent = userAgent
    self.kind = kind
    self.credentials = credentials
    self.mode = mode
    self.missing = missing
    self.assumes = assumes
    self.otherFaults = otherFaults
    self.standardVerdict = standardVerdict
    self.message = message
    self.worlds = worlds
    self.exchanges = exchanges
  }

  /// The preflight of the failing hop, or the last one that was seen.
  public var preflight: Exchange? { last(.preflight) }

  /// The actual request of the failing hop, or the last one that was seen.
  public var request: Exchange? { last(.request) }

  private func last(_ role: CallExchange.Role) -> Exchange? {
    let all = exchanges.filter { $0.role == role }
    return (all.last { $0.hop == hop } ?? (reason == nil ? all.last : all.last { $0.hop <= hop }))?
      .exchange
  }

  /// The response that decides: the failing one, or the last.
  public var decidingResponse: Exchange? {
    phase == .preflight ? preflight : request ?? preflight
  }
}
