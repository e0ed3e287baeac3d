public import HTTPExchange

/// What one browser remembers of preflights for one origin and URL.
///
/// The evidence does not show the cache, only preflights that were sent: replaying it tells a cached
/// call from one whose preflight was not seen.
///
/// - Standard: <https://fetch.spec.whatwg.org/#concept-cache>
public struct CORSPreflightCache: Sendable {
  private struct Grant: Sendable {
    /// A method, or a header name in lower case.
    var name: String
    var isMethod: Bool
    var begins: EventTime
    var expires: EventTime
  }

  private var grants: [Grant] = []
  private let engine: Engine

  /// Grants that are kept: a preflight names a few, and nothing bounds what a response lists.
  private static let maximumGrants = 64

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
    let question = answer.question
    let seconds = min(maxAge(answer.response), rules.maxAgeCap)
    // One that is not to be cached replaces the entry all the same, but Firefox looks no further.
    if seconds <= 0, engine == .firefox { return }
    if rules.mergesCacheEntries { grants.removeAll { $0.expires <= time } } else { clear() }
    let expires = time.advanced(by: Int64(seconds * 1_000_000_000))
    // It passed, so what it asked for stands in the part of a list that the evidence does not show.
    for method in answer.methods.known { add(method, isMethod: true, time, expires) }
    if !answer.methods.isWhole, let method = question.method {
      add(method, isMethod: true, time, expires)
    }
    for name in answer.headerNames.known {
      add(name.asciiLowercased, isMethod: false, time, expires)
    }
    if !answer.headerNames.isWhole {
      for name in question.headerNames ?? [] {
        add(name.asciiLowercased, isMethod: false, time, expires)
      }
    }
  }

  private mutating func add(
    _ name: String, isMethod: Bool, _ begins: EventTime, _ expires: EventTime
  ) {
    if let index = grants.firstIndex(where: { $0.isMethod == isMethod && $0.name == name }) {
      grants[index].begins = min(grants[index].begins, begins)
      grants[index].expires = expires
    } else if grants.count < Self.maximumGrants {
      grants.append(Grant(name: name, isMethod: isMethod, begins: begins, expires: expires))
    }
  }

  /// Whether a request may be sent without asking again.
  ///
  /// - Parameter interval: when the request can have begun.
  public func allows(
    method: String, unsafeNames: [HeaderName], at interval: ClosedRange<EventTime>
  ) -> Bool {
    let rules = engine.differences
    func isGranted(_ name: String, isMethod: Bool) -> Bool {
      let hasWildcard =
        rules.cachesWildcard
        && (name != "authorization" || rules.cachedWildcardCoversAuthorization)
      return grants.contains {
        $0.isMethod == isMethod && ($0.name == name || (hasWildcard && $0.name == "*"))
          && $0.begins <= interval.upperBound && $0.expires > interval.lowerBound
      }
    }
    let isExempt = isSafelistedMethod(method) && !(rules.headNeedsCachedMethod && method == "HEAD")
    return (isExempt || isGranted(method, isMethod: true))
      && unsafeNames.allSatisfy { isGranted($0.description, isMethod: false) }
  }

  /// Forgets everything.
  public mutating func clear() {
    grants = []
  }

  /// Seconds for which the answer may be reused, before the engine's cap.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#cors-preflight-fetch-0>, steps 7.8 to 7.10.
  private func maxAge(_ response: MessageEvidence) -> Double {
    let rules = engine.differences
    let text: String
    switch CombinedValue(response.evidence(of: .accessControlMaxAge)) {
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
