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
///
/// A value like any other. What it was found to be lies in an allocation that calls which are judged
/// alike share, and the rest in one of its own: a copy of all of it would cost two dozen reference
/// counts.
public struct Call: Hashable, Sendable {
  private var parts: CallParts

  /// When its first exchange began (ended, where only that is stamped).
  public var time: EventTime {
    get { parts.time }
    set { ownParts.time = newValue }
  }
  /// How finely that is told.
  public var resolution: TimeResolution {
    get { parts.resolution }
    set { ownParts.resolution = newValue }
  }
  /// What is said of it.
  public var verdict: Verdict {
    get { parts.judgement.verdict }
    set { ownJudgement.verdict = newValue }
  }
  /// What an undetermined call probably was, and from what; a report adds it.
  public var likely: String? {
    get { parts.late?.likely }
    set { ownParts.late = .init(likely: newValue, cause: cause, incident: incident) }
  }
  /// At which response it failed; `nil` unless blocked or contradicted.
  public var phase: Phase? {
    get { parts.judgement.phase }
    set { ownJudgement.phase = newValue }
  }
  /// Redirects followed before the failing exchange, or before the last one.
  public var hop: Int {
    get { parts.judgement.hop }
    set { ownJudgement.hop = newValue }
  }
  /// Why it failed.
  public var reason: BlockedReason? {
    get { parts.judgement.reason }
    set { ownJudgement.reason = newValue }
  }
  /// The method, header or origin that failed.
  public var parameter: String? {
    get { parts.judgement.parameter }
    set { ownJudgement.parameter = newValue }
  }
  /// The name of the cause; a report adds it.
  public var cause: String? {
    get { parts.late?.cause }
    set { ownParts.late = .init(likely: likely, cause: newValue, incident: incident) }
  }
  /// The page's origin, as its first request gave it; where no source records that, the one that
  /// `Referer` names, or an empty text.
  public var origin: String {
    get { parts.judgement.origin }
    set { ownJudgement.origin = newValue }
  }
  /// The method of the first hop.
  public var method: String {
    get { parts.judgement.method }
    set { ownJudgement.method = newValue }
  }
  /// The URL of the first hop.
  public var url: RequestURL {
    get { parts.url }
    set { ownParts.url = newValue }
  }
  /// The browser's address.
  public var client: String {
    get { parts.sender.forwardedFor ?? parts.sender.client }
    set {
      ownParts.sender = Sender(client: newValue, forwardedFor: nil, userAgent: userAgent)
    }
  }
  /// `chromium`, `firefox`, `webkit`, or `unknown`.
  public var engine: String {
    get { parts.judgement.engine }
    set { ownJudgement.engine = newValue }
  }
  /// The browser's user agent, where recorded.
  public var userAgent: String? {
    get { parts.sender.userAgent }
    set {
      ownParts.sender = Sender(client: client, forwardedFor: nil, userAgent: newValue)
    }
  }
  /// How the actual request came to be sent.
  public var kind: CallKind {
    get { parts.judgement.kind }
    set { ownJudgement.kind = newValue }
  }
  /// What is known of its credentials mode.
  public var credentials: CredentialsEvidence {
    get { parts.judgement.credentials }
    set { ownJudgement.credentials = newValue }
  }
  /// What is known of its mode.
  public var mode: ModeEvidence {
    get { parts.judgement.mode }
    set { ownJudgement.mode = newValue }
  }
  /// What the verdict would need to know, such as `credentials` or `actual-request`.
  public var missing: [String] {
    get { parts.judgement.missing }
    set { ownJudgement.missing = newValue }
  }
  /// What was taken for granted: `not-credentialed`, `single-line`.
  public var assumes: [String] {
    get { parts.judgement.assumes }
    set { ownJudgement.assumes = newValue }
  }
  /// Further faults of the failing response, as codes.
  public var otherFaults: [String] {
    get { parts.judgement.otherFaults }
    set { ownJudgement.otherFaults = newValue }
  }
  /// The standard's verdict where the caller's engine departs from it.
  public var standardVerdict: Verdict? {
    get { parts.judgement.standardVerdict }
    set { ownJudgement.standardVerdict = newValue }
  }
  /// What the caller's console said, reconstructed in the engine's wording, never observed.
  public var message: String? {
    get { parts.message }
    set { ownParts.message = newValue }
  }
  /// The identifier of the incident that it belongs to; a report adds it.
  public var incident: String? {
    get { parts.late?.incident }
    set { ownParts.late = .init(likely: likely, cause: cause, incident: newValue) }
  }
  /// Every world in which the outcome differs; empty when there is only one.
  public var worlds: [WorldOutcome] {
    get { parts.judgement.worlds }
    set { ownJudgement.worlds = newValue }
  }
  /// Its exchanges in order.
  public var exchanges: [CallExchange] {
    get { parts.exchanges }
    set { ownParts.exchanges = newValue }
  }

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
    parts = CallParts(
      time: time, resolution: resolution, url: url,
      sender: Sender(client: client, forwardedFor: nil, userAgent: userAgent), message: message,
      exchanges: exchanges,
      judgement: CallJudgement(
        verdict: verdict, phase: phase, hop: hop, reason: reason, parameter: parameter,
        origin: origin, method: method, engine: engine, kind: kind, credentials: credentials,
        mode: mode, missing: missing, assumes: assumes, otherFaults: otherFaults,
        standardVerdict: standardVerdict, worlds: worlds))
  }

  /// The same finding on another call, which begins with the first of those exchanges.
  init(as other: Call, exchanges: [CallExchange]) {
    let first = exchanges[0].exchange
    parts = CallParts(
      time: first.time, resolution: first.resolution, url: first.url, sender: first.sender,
      message: other.message, exchanges: exchanges, judgement: other.parts.judgement)
  }

  private var ownParts: CallParts {
    mutating get {
      if !isKnownUniquelyReferenced(&parts) { parts = CallParts(parts) }
      return parts
    }
  }

  private var ownJudgement: CallJudgement {
    mutating get {
      let parts = ownParts
      if !isKnownUniquelyReferenced(&parts.judgement) {
        parts.judgement = CallJudgement(parts.judgement)
      }
      return parts.judgement
    }
  }

  /// The preflight of the failing hop, or the last one that was seen.
  public var preflight: Exchange? { last(.preflight) }

  /// The actual request of the failing hop, or the last one that was seen.
  public var request: Exchange? { last(.request) }

  private func last(_ role: CallExchange.Role) -> Exchange? {
    let exchanges = exchanges
    let isOfHop = exchanges.lastIndex { $0.role == role && $0.hop == hop }
    return
      (isOfHop ?? exchanges.lastIndex { $0.role == role && (reason == nil || $0.hop <= hop) })
      .map { exchanges[$0].exchange }
  }

  /// The response that decides: the failing one, or the last.
  public var decidingResponse: Exchange? {
    phase == .preflight ? preflight : request ?? preflight
  }

  /// Whether all parts are equal.
  public static func == (left: Self, right: Self) -> Bool {
    left.parts === right.parts || left.parts.isEqual(to: right.parts)
  }

  /// Hashes what tells calls apart.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(time)
    hasher.combine(url)
    hasher.combine(client)
  }
}

/// The parts of one call.
///
/// Written to only while one call alone refers to them, through that call, whose exclusive access is
/// checked already.
private final class CallParts: @unchecked Sendable {
  /// What a report adds; few calls have it.
  final class Late: Sendable, Equatable {
    let likely: String?
    let cause: String?
    let incident: String?

    init(likely: String? = nil, cause: String? = nil, incident: String? = nil) {
      self.likely = likely
      self.cause = cause
      self.incident = incident
    }

    static func == (left: Late, right: Late) -> Bool {
      left.likely == right.likely && left.cause == right.cause && left.incident == right.incident
    }
  }

  @safe @exclusivity(unchecked) var time: EventTime
  @safe @exclusivity(unchecked) var resolution: TimeResolution
  @safe @exclusivity(unchecked) var url: RequestURL
  @safe @exclusivity(unchecked) var sender: Sender
  @safe @exclusivity(unchecked) var message: String?
  @safe @exclusivity(unchecked) var exchanges: [CallExchange]
  @safe @exclusivity(unchecked) var judgement: CallJudgement
  @safe @exclusivity(unchecked) var late: Late?

  init(
    time: EventTime, resolution: TimeResolution, url: RequestURL, sender: Sender,
    message: String?, exchanges: [CallExchange], judgement: CallJudgement, late: Late? = nil
  ) {
    self.time = time
    self.resolution = resolution
    self.url = url
    self.sender = sender
    self.message = message
    self.exchanges = exchanges
    self.judgement = judgement
    self.late = late
  }

  convenience init(_ other: CallParts) {
    self.init(
      time: other.time, resolution: other.resolution, url: other.url, sender: other.sender,
      message: other.message, exchanges: other.exchanges, judgement: other.judgement,
      late: other.late)
  }

  func isEqual(to other: CallParts) -> Bool {
    time == other.time
      && resolution == other.resolution
      && url == other.url
      && sender.userAgent == other.sender.userAgent
      && (sender.forwardedFor ?? sender.client)
        == (other.sender.forwardedFor ?? other.sender.client)
      && message == other.message
      && exchanges == other.exchanges
      && (late ?? Late()) == (other.late ?? Late())
      && (judgement === other.judgement || judgement.isEqual(to: other.judgement))
  }
}

/// What a call was found to be.
///
/// Written to only while the parts of one call alone refer to it, through that call.
private final class CallJudgement: @unchecked Sendable {
  @safe @exclusivity(unchecked) var verdict: Verdict
  @safe @exclusivity(unchecked) var phase: Phase?
  @safe @exclusivity(unchecked) var hop: Int
  @safe @exclusivity(unchecked) var reason: BlockedReason?
  @safe @exclusivity(unchecked) var parameter: String?
  @safe @exclusivity(unchecked) var origin: String
  @safe @exclusivity(unchecked) var method: String
  @safe @exclusivity(unchecked) var engine: String
  @safe @exclusivity(unchecked) var kind: CallKind
  @safe @exclusivity(unchecked) var credentials: CredentialsEvidence
  @safe @exclusivity(unchecked) var mode: ModeEvidence
  @safe @exclusivity(unchecked) var missing: [String]
  @safe @exclusivity(unchecked) var assumes: [String]
  @safe @exclusivity(unchecked) var otherFaults: [String]
  @safe @exclusivity(unchecked) var standardVerdict: Verdict?
  @safe @exclusivity(unchecked) var worlds: [WorldOutcome]

  init(
    verdict: Verdict, phase: Phase?, hop: Int, reason: BlockedReason?, parameter: String?,
    origin: String, method: String, engine: String, kind: CallKind,
    credentials: CredentialsEvidence, mode: ModeEvidence, missing: [String], assumes: [String],
    otherFaults: [String], standardVerdict: Verdict?, worlds: [WorldOutcome]
  ) {
    self.verdict = verdict
    self.phase = phase
    self.hop = hop
    self.reason = reason
    self.parameter = parameter
    self.origin = origin
    self.method = method
    self.engine = engine
    self.kind = kind
    self.credentials = credentials
    self.mode = mode
    self.missing = missing
    self.assumes = assumes
    self.otherFaults = otherFaults
    self.standardVerdict = standardVerdict
    self.worlds = worlds
  }

  convenience init(_ other: CallJudgement) {
    self.init(
      verdict: other.verdict, phase: other.phase, hop: other.hop, reason: other.reason,
      parameter: other.parameter, origin: other.origin, method: other.method, engine: other.engine,
      kind: other.kind, credentials: other.credentials, mode: other.mode, missing: other.missing,
      assumes: other.assumes, otherFaults: other.otherFaults,
      standardVerdict: other.standardVerdict, worlds: other.worlds)
  }

  func isEqual(to other: CallJudgement) -> Bool {
    verdict == other.verdict
      && phase == other.phase
      && hop == other.hop
      && reason == other.reason
      && parameter == other.parameter
      && origin == other.origin
      && method == other.method
      && engine == other.engine
      && kind == other.kind
      && credentials == other.credentials
      && mode == other.mode
      && missing == other.missing
      && assumes == other.assumes
      && otherFaults == other.otherFaults
      && standardVerdict == other.standardVerdict
      && worlds == other.worlds
  }
}
