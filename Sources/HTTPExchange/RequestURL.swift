/// The URL of a request, as far as the evidence tells it.
///
/// Scheme, host and port are what the *browser* used. What was not seen at its edge is `nil`.
public struct RequestURL: Hashable, Sendable, CustomStringConvertible {
  /// `http` or `https`; `nil` when not recorded.
  public var scheme: String?
  /// In lower case; `nil` when not recorded.
  public var host: String?
  /// The effective port; `nil` when not recorded.
  public var port: UInt16?
  /// Path and query as they were sent, secrets replaced, without a fragment.
  public var target: String

  /// A URL of those parts.
  public init(scheme: String?, host: String?, port: UInt16?, target: String) {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.target = target
  }

  /// The URL that a request with that `Host` value has.
  ///
  /// A port in `hostHeader` is the browser's; without one it is the scheme's default, and unknown
  /// where the scheme is.
  public init(scheme: String?, hostHeader: String?, target: String) {
    let authority = hostHeader.flatMap { Origin.split(authority: $0) }
    self.init(
      scheme: scheme, host: authority?.host,
      port: authority.flatMap { $0.port ?? scheme.flatMap(Origin.defaultPort(of:)) },
      target: target)
  }

  /// The origin of the URL, when all three parts are known.
  public var origin: Origin? {
    guard let scheme, let host, let port else { return nil }
    return Origin(scheme: scheme, host: host, port: port)
  }

  /// Which of `scheme`, `host` and `port` are recorded, in that order.
  public var known: [String] {
    [(scheme != nil, "scheme"), (host != nil, "host"), (port != nil, "port")]
      .compactMap { $0.0 ? $0.1 : nil }
  }

  /// `http://host:8080/path?query`; unknown parts are left out: `//host/path`, `/path`.
  public var description: String {
    guard let host else { return target }
    let prefix = scheme.map { "\($0)://" } ?? "//"
    guard let port, port != scheme.flatMap(Origin.defaultPort(of:)) else {
      return prefix + host + target
    }
    return "\(prefix)\(host):\(port)\(target)"
  }

  /// Reads what ``description`` wrote.
  ///
  /// - Parameter known: the parts that were recorded; `nil` takes each part that is written, and
  ///   the default port of a scheme that is.
  public init?(_ text: String, known: [String]? = nil) {
    guard let slashes = text.firstRange(of: "//"),
      slashes.lowerBound == text.startIndex || text[..<slashes.lowerBound].hasSuffix(":"),
      !text[..<slashes.lowerBound].contains("/")
    else {
      self.init(scheme: nil, host: nil, port: nil, target: text)
      return
    }
    let scheme =
      slashes.lowerBound == text.startIndex
      ? nil : String(text[..<slashes.lowerBound].dropLast()).asciiLowercased
    let rest = text[slashes.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    guard let (host, port) = Origin.split(authority: rest[..<end]) else { return nil }
    var target = String(rest[end...])
    if let fragment = target.firstIndex(of: "#") { target = String(target[..<fragment]) }
    if !target.hasPrefix("/") { target = "/" + target }
    let isPortKnown = known?.contains("port") ?? true
    self.init(
      scheme: scheme, host: host,
      port: port ?? (isPortKnown ? scheme.flatMap(Origin.defaultPort(of:)) : nil),
      target: target)
  }

  /// Resolves a `Location` value against this URL; the fragment is dropped.
  ///
  /// - Returns: `nil` when the value is no URL with the scheme `http` or `https`, or when the URL
  ///   depends on a part that is not recorded.
  /// - Standard: <https://fetch.spec.whatwg.org/#concept-response-location-url>
  public func resolving(location: String) -> RequestURL? {
    var text = Substring(location)
    if let fragment = text.firstIndex(of: "#") { text = text[..<fragment] }
    if let colon = text.firstIndex(of: ":"), Self.isScheme(text[..<colon]) {
      let scheme = String(text[..<colon]).asciiLowercased
      guard scheme == "http" || scheme == "https" else { return nil }
      let rest = text[text.index(after: colon)...].drop { $0 == "/" || $0 == "\\" }
      return RequestURL("\(scheme)://\(Self.withoutUserInfo(rest))")
    }
    if text.hasPrefix("//") || text.hasPrefix("\\\\") {
      let rest = Self.withoutUserInfo(text.dropFirst(2))
      guard var url = RequestURL("\(scheme ?? "http")://\(rest)") else { return nil }
      if scheme == nil {
        url.scheme = nil
        url.port = nil
      }
      return url
    }
    var url = self
    let path = target.prefix { $0 != "?" }
    if text.hasPrefix("/") {
      url.target = Self.removingDotSegments(String(text))
    } else if text.hasPrefix("?") {
      url.target = String(path) + text
    } else if text.isEmpty {
      return self
    } else {
      let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
      url.target = Self.removingDotSegments(String(folder) + text)
    }
    return url
  }

  private static func isScheme(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, (65...90).contains(first) || (97...122).contains(first)
    else { return false }
    return text.utf8.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
        || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
  }

  private static func withoutUserInfo(_ text: Substring) -> Substring {
    let end = text.firstIndex { $0 == "/" || $0 == "?" || $0 == "\\" } ?? text.endIndex
    guard let at = text[..<end].lastIndex(of: "@") else { return text }
    return text[text.index(after: at)...]
  }

  private static func removingDotSegments(_ target: String) -> String {
    let query = target.firstIndex(of: "?") ?? target.endIndex
    let path = target[..<query]
    guard path.contains("/.") else { return target }
    var kept: [Substring] = []
    let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
    for (index, segment) in segments.enumerated() {
      let isLast = index == segments.count - 1
      switch segment.lowercased() {
      case ".", "%2e":
        if isLast { kept.append("") }
      case "..", ".%2e", "%2e.", "%2e%2e":
        if !kept.isEmpty { kept.removeLast() }
        if isLast { kept.append("") }
      default:
        kept.append(segment)
      }
    }
    return "/" + kept.joined(separator: "/") + target[query...]
  }
}
