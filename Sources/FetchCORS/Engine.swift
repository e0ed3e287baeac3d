internal import Bytes

/// A browser engine, or the standard itself.
public enum Engine: String, CaseIterable, Hashable, Sendable {
  case standard, chromium, firefox, webkit

  /// The engines that browsers ship.
  public static let shipping: [Engine] = [.chromium, .firefox, .webkit]

  /// The engine that a user agent names; `nil` when it names none of the three.
  ///
  /// Every browser on iOS runs on WebKit, whatever else it calls itself.
  public init?(userAgent: String) {
    let bytes = Array(userAgent.utf8)
    func names(_ part: StaticString) -> Bool {
      bytes.containsBytes(ByteView(part))
    }
    if names("iPhone") || names("iPad") || names("iPod") {
      self = .webkit
    } else if names("Firefox/") || (names("Gecko/") && !names("AppleWebKit/")) {
      self = .firefox
    } else if names("Chrome/") || names("Chromium/") {
      self = .chromium
    } else if names("AppleWebKit/") {
      self = .webkit
    } else {
      return nil
    }
  }

  /// Where the engine departs from the standard.
  public var differences: EngineDifferences { EngineDifferences.of(self) }
}

/// What an engine does that the standard does not say, measured with Chromium 156, Firefox 153 and
/// WebKitGTK 2.50 in November 2026 unless another date stands beside it.
///
/// A new difference is a member here, its value in ``of(_:)`` and one use.
public struct EngineDifferences: Hashable, Sendable {
  /// `*` in `Access-Control-Allow-Headers` covers `Authorization`.
  ///
  /// No engine ships the standard's
  /// rule (whatwg/fetch issue 1278).
  public var wildcardCoversAuthorization = false
  /// The status of a preflight is looked at before its CORS check.
  public var checksStatusFirst = false
  /// A redirected preflight is told apart from one with another bad status.
  public var namesPreflightRedirect = true
  /// A redirected preflight is refused before its CORS check.
  public var refusesPreflightRedirectFirst = false
  /// Over HTTP/2, empty lines of `Access-Control-Allow-Origin` beside others are ignored.
  public var ignoresEmptyAllowOriginLinesOverHTTP2 = false
  /// A preflight keeps the page's origin after a redirect that turns the request's into `null`.
  public var preflightKeepsOriginAfterRedirect = false
  /// A redirect back to the page's own origin, in a chain that began there, needs an answer that
  /// allows credentials, unless the request omits them.
  public var redirectHomeNeedsCredentials = false
  /// Client hints and `Save-Data` set by script need no preflight.
  public var safelistsClientHints = false
  /// `Access-Control-Max-Age` at most, in seconds.
  public var maxAgeCap: Double = 86_400
  /// A `Max-Age` that cannot be parsed means "do not cache" instead of 5 seconds.
  public var malformedMaxAgeDisablesCache = false
  /// One cache entry per method and header is kept and merged over time; else a later preflight
  /// replaces the entry of its URL.
  public var mergesCacheEntries = false
  /// A cached `*` answers for any method or header.
  public var cachesWildcard = true
  /// A cached `*` answers for `Authorization` as well.
  public var cachedWildcardCoversAuthorization = false
  /// `Access-Control-Max-Age` may have a sign: `+600` is 600, and -1 is not cached instead of 5.
  public var readsSignedMaxAge = false
  /// A `Max-Age` beyond 64 bits means the cap instead of 5 seconds.
  public var capsHugeMaxAge = false
  /// A failed preflight drops what was cached for its URL.
  public var failedPreflightClearsCache = true
  /// A refused actual response drops what was cached for its URL.
  public var refusedResponseClearsCache = true
  /// A GET needs no cached method, but HEAD does.
  public var headNeedsCachedMethod = false

  static func of(_ engine: Engine) -> EngineDifferences {
    var rules = EngineDifferences()
    switch engine {
    case .standard:
      rules.mergesCacheEntries = true
      rules.capsHugeMaxAge = true
    case .chromium:
      rules.wildcardCoversAuthorization = true
      rules.refusesPreflightRedirectFirst = true
      rules.safelistsClientHints = true
      rules.readsSignedMaxAge = true
      rules.maxAgeCap = 7200
      rules.refusedResponseClearsCache = false
    case .firefox:
      rules.wildcardCoversAuthorization = true
      rules.ignoresEmptyAllowOriginLinesOverHTTP2 = true
      rules.preflightKeepsOriginAfterRedirect = true
      rules.malformedMaxAgeDisablesCache = true
      rules.mergesCacheEntries = true
      rules.capsHugeMaxAge = true
      rules.cachesWildcard = false
      rules.headNeedsCachedMethod = true
    case .webkit:
      rules.wildcardCoversAuthorization = true
      rules.checksStatusFirst = true
      rules.namesPreflightRedirect = false
      rules.redirectHomeNeedsCredentials = true
      rules.readsSignedMaxAge = true
      rules.cachedWildcardCoversAuthorization = true
      rules.maxAgeCap = 600
      rules.failedPreflightClearsCache = false
      rules.refusedResponseClearsCache = false
    }
    return rules
  }
}

extension [UInt8] {
  /// Whether these bytes stand somewhere among them.
  fileprivate func containsBytes(_ part: ByteView) -> Bool {
    guard count >= part.count else { return false }
    return (0...(count - part.count)).contains { start in
      self[start] == part[0] && self[start..<(start + part.count)].elementsEqual(part)
    }
  }
}
