public import HTTPExchange

/// What one browser remembers of preflights for one origin and URL.
///
/// The evidence does not show the cache, only preflights that were sent: replaying it tells a cached
/// call from one whose preflight was not seen.
///
/// - Standard: <https://fetch.spec.whatwg.org/#concept-cache>
public struct CORSPreflightCache: Sendable {
  /// One preflight that passed: everything that its answer lists is granted for as long.
  private struct Grant: Sendable {
    var answer: PreflightAnswer
    var begins: EventTime
    var expires: EventTime
  }

  /// In the order of their preflights.
  private var grants: [Grant] = []
  private let engine: Engine

  /// Preflights that are kept for one origin and URL, where the engine keeps more than the last.
  private static let maximumGrants = 16

  /// An empty cache with an engine's rules.
  public init(engine: Engine) {
    self.engine = engine
  }

  /// Whether nothing is remembered that still holds at that time.
  public func isExpired(at time: EventTime) -> Bool {
    !grants.contains { $0.expires > time }
  }

  /// Remembers a preflight that passed.
  ///
  /// - Parameter time: when its response was complete; the earliest that is possible.
  public mutating func store(_ answer: PreflightAnswer, at time: EventTime) {
    let rules = engine.differences
    let seconds = min(maxAge(answer.maxAge), rules.maxAgeCap)
    // One that is not to be cached replaces the entry all the same, but Firefox looks no further.
    if seconds <= 0, engine == .firefox { return }
    if rules.mergesCacheEntries {
      grants.removeAll { $0.expires <= time }
      if grants.count == Self.maximumGrants { grants.removeFirst() }
    } else {
      clear()
    }
    grants.append(
      Grant(
        answer: answer, begins: time, expires: time.advanced(by: Int64(seconds * 1_000_000_000))))
  }

  /// Whether a request may be sent without asking again.
  ///
  /// - Parameter interval: when the request can have begun.
  public func allows(
    method: String, unsafeNames: [HeaderName], at interval: ClosedRange<EventTime>
  ) -> Bool {
    let rules = engine.differences
    /// Of several preflights that list it the last one counts.
    func isGranted(_ lists: (PreflightAnswer) -> Bool) -> Bool {
      grants.last { lists($0.answer) }.map {
        $0.begins <= interval.upperBound && $0.expires > interval.lowerBound
      } ?? false
    }
    let isExempt = isSafelistedMethod(method) && !(rules.headNeedsCachedMethod && method == "HEAD")
    guard
      isExempt || isGranted({ $0.grants(method: method) })
        || (rules.cachesWildcard && isGranted { $0.grants(method: "*") })
    else { return false }
    return unsafeNames.allSatisfy { name in
      if isGranted({ $0.grants(headerName: name.description) }) { return true }
      return rules.cachesWildcard
        && (name != .authorization || rules.cachedWildcardCoversAuthorization)
        && isGranted { $0.grants(headerName: "*") }
    }
  }

  /// Forgets everything.
  public mutating func clear() {
    grants = []
  }

  /// Seconds for which the answer may be reused, before the engine's cap.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#cors-preflight-fetch-0>, steps 7.8 to 7.10.
  private func maxAge(_ field: CombinedValue) -> Double {
    let rules = engine.differences
    let text: String
    switch field {
    case .value(let value), .oneLine(let value): text = value
    case .unrecorded, .absent, .prefix: return 5
    }
    var digits = Substring(text)
    var isNegative = false
    if rules.readsSignedMaxAge, let sign = text.first, sign == "+" || sign == "-" {
      isNegative = sign == "-"
      digits = digits.dropFirst()
    }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return rules.malformedMaxAgeDisablesCache ? 0 : 5
    }
    if isNegative { return 0 }
    guard let seconds = UInt64(digits) else { return rules.capsHugeMaxAge ? rules.maxAgeCap : 5 }
    return Double(seconds)
  }
}
