internal import FetchCORS
internal import HTTPExchange

// Which request a preflight belongs to, and what a request without one rests on.

extension Browser {
  /// What the preflight did to the cache, and whether it can have passed at all.
  func replayCache(
    _ exchange: Exchange, _ reading: ExchangeReading, _ call: OpenCall
  ) {
    guard let answer = reading.answer else { return }
    let engine = engine ?? .standard
    let key = CacheKey(origin: answer.origin, url: exchange.url)
    call.outlook = reading.outlook(engine)
    switch call.outlook {
    case .passes:
      updateCache(key, size: exchange.approximateBytesOnceRead) {
        $0.store(answer, at: exchange.endInterval.lowerBound)
      }
    case .refused where engine.differences.failedPreflightClearsCache:
      updateCache(key) { $0.clear() }
    case .refused, .doubtful:
      break
    }
  }

  /// Tells a simple request from one that the preflight cache let through.
  func kindWithoutPreflight(
    _ exchange: Exchange, _ headers: ScriptHeaders, _ traits: ExchangeTraits
  ) -> CallKind {
    guard !isSafelistedMethod(exchange.method) || !headers.unsafeNames.isEmpty else {
      return .simple
    }
    let key = CacheKey(origin: traits.origin ?? "null", url: exchange.url)
    let isCached =
      cache(key)?.allows(
        method: exchange.method, unsafeNames: headers.unsafeNames, at: exchange.startInterval)
      ?? false
    return isCached ? .cached : .preflightUnseen
  }

  /// The waiting preflight that announced this request.
  func preflighted(
    _ exchange: Exchange, _ traits: ExchangeTraits, _ headers: ScriptHeaders
  ) -> OpenCall? {
    guard !awaitingRequest.isEmpty,
      let candidates = awaitingRequest[exchange.url]
    else { return nil }
    var best: (call: OpenCall, score: Int)?
    for call in candidates {
      guard let score = call.match(exchange, traits, headers) else { continue }
      if best.map({ score > $0.score }) ?? true { best = (call, score) }
    }
    guard let best else { return nil }
    if isExplainedOtherwise(exchange, headers, traits, than: best.call.outlook) {
      return nil
    }
    return best.call
  }

  /// Whether a request is better explained without a preflight that is refused or doubtful: the
  /// cache answers, or, beside a refused one, the request is simple.
  private func isExplainedOtherwise(
    _ exchange: Exchange, _ headers: ScriptHeaders, _ traits: ExchangeTraits,
    than outlook: OpenCall.PreflightOutlook
  ) -> Bool {
    let isSimple = isSafelistedMethod(exchange.method) && headers.unsafeNames.isEmpty
    switch outlook {
    case .passes: return false
    case .refused where isSimple: return true
    case .doubtful where isSimple: return false
    default: return kindWithoutPreflight(exchange, headers, traits) == .cached
    }
  }

  /// A doubtful preflight that was followed passed: from now on the cache holds it.
  func rememberProved(_ call: OpenCall) {
    guard call.outlook == .doubtful, let answer = call.answer, let preflight = call.preflight else {
      return
    }
    let key = CacheKey(origin: answer.origin, url: preflight.url)
    updateCache(key) { $0.store(answer, at: preflight.endInterval.lowerBound) }
  }
}

extension OpenCall {
  /// How well its waiting preflight fits a request; `nil` when it cannot be the request's own.
  func match(
    _ exchange: Exchange, _ traits: ExchangeTraits, _ headers: ScriptHeaders,
    toleratesClocks: Bool = false
  ) -> Int? {
    guard let preflight = preflight else { return nil }
    if let method = answer?.question.method, method != exchange.method { return nil }
    if let origin = preflight.request.first(.origin), let own = traits.origin, origin != own,
      // Firefox keeps the page's origin on the preflight of a later hop.
      !(evidence.hops.count > 1 && (own == "null" || origin == "null"))
    {
      return nil
    }
    // Stamps that were computed from an end and a duration are off by a step each.
    let slack = 2 * max(exchange.resolution.nanoseconds, preflight.resolution.nanoseconds)
    guard
      toleratesClocks
        || exchange.startInterval.upperBound.advanced(by: slack) >= preflight.endInterval.lowerBound
    else { return nil }
    var score = outlook.rawValue * 100
    if var asked = askedNames {
      // A redirect to another origin takes Authorization away after WebKit and Firefox asked for it.
      if evidence.hops.count > 1 { asked.removeAll { $0 == .authorization } }
      if let carries = headers.carries(asked) {
        guard carries else { return nil }
        score += headers.unsafeNames.allSatisfy(asked.contains) ? 40 : 0
        // Of two that fit, the one that asked for more explains more of the request.
        score += min(asked.count, 30)
      }
    }
    if preflight.startedAt == nil
      || preflight.endInterval.upperBound <= exchange.startInterval.upperBound
    {
      score += 1
    }
    return score
  }
}
