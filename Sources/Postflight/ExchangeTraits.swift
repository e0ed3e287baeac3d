internal import FetchCORS
internal import HTTPExchange

/// What an exchange can be in a call, as far as it tells by itself.
final class ExchangeTraits {
  enum Role {
    /// `OPTIONS` with `Origin` and `Access-Control-Request-Method`, or one that may have them.
    case preflight
    /// A request with an `Origin`.
    case request
    /// A redirect without an `Origin`: perhaps the first hop of a call that then crosses origins.
    case redirectWithoutOrigin
    /// A request of a log that does not record `Origin`.
    case unrecordedOrigin
  }

  let role: Role
  /// The value of `Origin`.
  let origin: String?
  /// The kind to count it as, when CORS has nothing to say of it whatever stands around it.
  let passedOver: String?
  /// The kind to count it as when no redirect led to it, because it is, or may be, same-origin.
  let sameOriginKind: String?

  /// - Parameters:
  ///   - isBrowser: whether the user agent names a browser; `nil` when it names nothing.
  ///   - origins: parsed origins, since the same few occur again and again.
  init(_ exchange: Exchange, isBrowser: Bool?, _ origins: inout OriginTable) {
    let request = exchange.request
    let recordsOrigin = request.records(.origin)
    origin = request.first(.origin)
    let isOptions = exchange.method == "OPTIONS"
    var passedOver: String?
    if !Self.canBeBrowser(exchange, isBrowser) {
      passedOver = "not-a-browser"
    } else if exchange.method.isEmpty {
      passedOver = "no-method"
    }
    if isOptions, origin != nil,
      request.contains(.accessControlRequestMethod)
        || !request.records(.accessControlRequestMethod)
    {
      role = .preflight
      sameOriginKind = nil
    } else if isOptions, !recordsOrigin {
      role = .preflight
      sameOriginKind = nil
    } else if !recordsOrigin {
      role = .unrecordedOrigin
      sameOriginKind = nil
    } else if origin == nil {
      role = .redirectWithoutOrigin
      sameOriginKind = nil
      if isOptions {
        passedOver = passedOver ?? "options-without-origin"
      } else if !(exchange.status.map(isRedirectStatus) ?? false) {
        passedOver = passedOver ?? "no-origin"
      }
    } else {
      role = .request
      sameOriginKind = Self.sameOriginKind(exchange, origin.flatMap { origins.parsed($0) })
    }
    self.passedOver = passedOver
  }

  /// Whether a browser can have sent it: what names itself otherwise is a tool, and CORS binds
  /// browsers only.
  private static func canBeBrowser(_ exchange: Exchange, _ isBrowser: Bool?) -> Bool {
    if let isBrowser { return isBrowser || exchange.request.contains(.secFetchMode) }
    // Every browser names itself; a source that records all fields would show it.
    return exchange.request.coverage != .complete
  }

  /// Why a request with an `Origin` crosses no origins, as far as the evidence tells.
  private static func sameOriginKind(_ exchange: Exchange, _ origin: Origin?) -> String? {
    switch exchange.request.first(.secFetchSite) {
    case "same-origin": return "same-origin"
    case "same-site", "cross-site": return nil
    default: break
    }
    guard let parsed = origin else { return nil }
    guard let host = exchange.url.host else { return "target-not-recorded" }
    guard host == parsed.host else {
      return mayBeRewritten(exchange, host, parsed) ? "target-not-recorded" : nil
    }
    if let own = exchange.url.origin { return own == parsed ? "same-origin" : nil }
    // Equal hosts that differ at most in what was not recorded.
    if let scheme = exchange.url.scheme, scheme != parsed.scheme { return nil }
    if let port = exchange.url.port, port != parsed.port, isProvedByOrigin(exchange) { return nil }
    return "same-host"
  }
}

extension ExchangeTraits {
  /// Whether a proxy may have put an internal host in the place of the browser's, as servers that
  /// end TLS do unless they are told not to.
  ///
  fileprivate static func mayBeRewritten(
    _ exchange: Exchange, _ host: String, _ origin: Origin
  ) -> Bool {
    !isProvedByOrigin(exchange) && exchange.url.scheme != "https"
      && ClientAddress.isInternalHost(host) && !ClientAddress.isInternalHost(origin.host)
  }

  /// Whether an `Origin` alone says that a request crosses origins: a `GET` or `HEAD` within one has
  /// none, all other methods have it always.
  fileprivate static func isProvedByOrigin(_ exchange: Exchange) -> Bool {
    exchange.method == "GET" || exchange.method == "HEAD"
  }
}

/// Origins that were parsed, by their text.
struct OriginTable {
  /// Texts that are kept: real traffic has a few, a flood any number.
  private static let limit = 4096
  /// Bytes of a text that is worth keeping.
  private static let textLimit = 512

  private var table: [String: Origin?] = [:]

  /// The origin of that serialisation; `nil` for `null` and anything that is none.
  mutating func parsed(_ text: String) -> Origin? {
    if let known = table[text] { return known }
    if table.count >= Self.limit { table.removeAll() }
    let origin = Origin(text)
    guard text.utf8.count <= Self.textLimit else { return origin }
    table[text] = .some(origin)
    return origin
  }
}
