public import HTTPExchange

/// What one browser remembers of preflights for one origin and URL.
///
/// The evidence does not show the cache, only preflights that were sent: replaying it tells a cached
/// call from one whose preflight was not seen.
///
/// - Standard: <https://fetch.spec.whatwg.org/#concept-cache>
public struct CORSPreflightCache: Sendable {
  struct Grant: Sendable {
    var begins: EventTime
    var expires: EventTime
    var exchange: ExchangeID
  }

  private var methods: [String: Grant] = [:]
  private var headerNames: [String: Grant] = [:]
  private let engine: Engine

  /// An empty cache with an engine's rules.
  public init(engine: Engine) {
    self.engine = engine
  }

  /// Whether nothing is remembered that still holds at that time.
  public func isExpired(at time: EventTime) -> Bool {
    !methods.values.contains { $0.expires > time }
      && !headerNames.values.contains { $0.expires > time }
  }

  /// Remembers a preflight that passed.
  ///
  /// - Parameter time: when its response was complete; the earliest that is possible.
  public mutating func store(
    _ question: PreflightQuestion, response: MessageEvidence, at time: EventTime, id: ExchangeID
  ) {
    let rules = engine.differences
    let seconds = maxAge(response)
    guard seconds > 0 else {
      clear()
      return
    }
    if !rules.mergesCacheEntries { clear() }
    let grant = Grant(
      begins: time,
      expires: time.advanced(by: Int64(min(seconds, rules.maxAgeCap) * 1_000_000_000)),
      exchange: id)
    for method in list(response, .accessControlAllowMethods) { methods[method] = grant }
    // A safelisted method needs no listing; the request that passed needed its own.
    if let method = question.method { methods[method] = grant }
    for name in list(response, .accessControlAllowHeaders) {
      headerNames[name.asciiLowercased] = grant
    }
    for name in question.headerNames ?? [] where rules.mergesCacheEntries || headerNames["*"] == nil
    {
      headerNames[name.asciiLowercased] = grant
    }
  }

  /// The preflight that allows a request without asking again; `nil` when none does.
  ///
  /// - Parameter interval: when the request can have begun.
  public func match(
    method: String, unsafeNames: Set<String>, at interval: ClosedRange<EventTime>
  ) -> ExchangeID? {
    let rules = engine.differences
    var source: ExchangeID?
    func holds(_ grant: Grant) -> Bool {
      grant.begins <= interval.upperBound && grant.expires > interval.lowerBound
    }
    func grant(_ table: [String: Grant], _ key: String) -> Grant? {
      if let grant = table[key], holds(grant) { return grant }
      guard rules.cachesWildcard, let grant = table["*"], holds(grant) else { return nil }
      return grant
    }
    let isExempt = isSafelistedMethod(method) && !(rules.headNeedsCachedMethod && method == "HEAD")
    if !isExempt {
      guard let grant = grant(methods, method) else { return nil }
      source = grant.exchange
    }
    for name in unsafeNames {
      guard let grant = grant(headerNames, name) else { return nil }
      source = grant.exchange
    }
    return source
  }

  /// Forgets everything.
  public mutating func clear() {
    methods.removeAll()
    headerNames.removeAll()
  }

  /// Seconds for which the answer may be reused, before the engine's cap.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#cors-preflight-fetch-0>, steps 7.8 to 7.10.
  private func maxAge(_ response: MessageEvidence) -> Double {
    let malformed: Double = engine.differences.malformedMaxAgeDisablesCache ? 0 : 5
    guard case .value(let text) = known(response, .accessControlMaxAge) else { return 5 }
    let digits =
      engine == .firefox
      ? Substring(text) : text.hasPrefix("+") ? text.dropFirst() : Substring(text)
    if text.hasPrefix("-"), text.dropFirst().utf8.allSatisfy({ (48...57).contains($0) }) {
      return 0
    }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return malformed
    }
    // A number beyond 64 bits: Firefox saturates, the others fall back to 5 seconds.
    guard let seconds = UInt64(digits) else {
      return engine == .firefox ? engine.differences.maxAgeCap : 5
    }
    return Double(seconds)
  }

  private func known(_ response: MessageEvidence, _ name: HeaderName) -> CombinedValue {
    switch CombinedValue(response.evidence(of: name)) {
    case .oneLine(let text): .value(text)
    case let other: other
    }
  }

  private func list(_ response: MessageEvidence, _ name: HeaderName) -> [String] {
    switch TokenList(name, in: response) {
    case .tokens(let tokens), .someTokens(let tokens): tokens
    default: []
    }
  }
}
