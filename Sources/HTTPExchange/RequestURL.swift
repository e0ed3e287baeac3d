internal import Bytes

/// The URL of a request, as far as the evidence tells it.
///
/// Scheme, host and port are what the *browser* used. What was not seen at its edge is `nil`.
public struct RequestURL: Hashable, Sendable, CustomStringConvertible {
  /// All parts: a URL is copied far more often than it is made.
  @usableFromInline final class Parts: Sendable {
    @usableFromInline let scheme: String?
    @usableFromInline let host: String?
    @usableFromInline let port: UInt16?
    @usableFromInline let target: String
    @usableFromInline let isPattern: Bool
    /// The hash of scheme, host and port.
    private let authorityDigest: UInt64
    /// The hash of all of them: tables go by it again and again.
    let digest: UInt64

    init(_ scheme: String?, _ host: String?, _ port: UInt16?, _ target: String) {
      self.scheme = scheme
      self.host = host
      self.port = port
      self.target = target
      var digest = ByteHash.next(port.map(UInt64.init) ?? .max, host.map(ByteHash.secretly) ?? 0)
      digest = ByteHash.next(digest, scheme.map(ByteHash.secretly) ?? 0)
      authorityDigest = digest
      (isPattern, self.digest) = Self.look(at: target, digest)
    }

    /// The same with another target.
    init(_ other: Parts, target: String) {
      scheme = other.scheme
      host = other.host
      port = other.port
      self.target = target
      authorityDigest = other.authorityDigest
      (isPattern, digest) = Self.look(at: target, other.authorityDigest)
    }

    private static func look(
      at target: String, _ authorityDigest: UInt64
    ) -> (isPattern: Bool, digest: UInt64) {
      target.withByteView { bytes in
        let brace = bytes.first(UInt8(ascii: "{"), from: 0, to: bytes.count)
        return (
          brace < bytes.count && bytes.first(UInt8(ascii: "?"), from: 0, to: brace) == brace,
          ByteHash.secretly(bytes, authorityDigest)
        )
      }
    }
  }

  @usableFromInline var parts: Parts

  /// `http` or `https`; `nil` when not recorded.
  public var scheme: String? {
    @inlinable get { parts.scheme }
    set { parts = Parts(newValue, host, port, target) }
  }

  /// In lower case; `nil` when not recorded.
  public var host: String? {
    @inlinable get { parts.host }
    set { parts = Parts(scheme, newValue, port, target) }
  }

  /// The effective port; `nil` when not recorded.
  public var port: UInt16? {
    @inlinable get { parts.port }
    set { parts = Parts(scheme, host, newValue, target) }
  }

  /// Path and query as they were sent, secrets replaced, without a fragment.
  public var target: String {
    @inlinable get { parts.target }
    set { parts = Parts(parts, target: newValue) }
  }

  /// A URL of those parts; a target that does not begin with `/` gets one, unless it is empty.
  public init(scheme: String?, host: String?, port: UInt16?, target: String) {
    // Else what follows the host could not be told from it when the URL is read back.
    let isPath = target.isEmpty || target.utf8.first == UInt8(ascii: "/")
    parts = Parts(scheme, host, port, isPath ? target : "/" + target)
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

  /// Whether the path is one with placeholders, as `/users/{id}`: a log names the route and not what
  /// was asked for.
  ///
  /// Browsers send no brace in a path: the URL standard has them encoded.
  public var isPattern: Bool { parts.isPattern }

  /// By bytes: `==` of texts would take two spellings of one character for equal.
  public static func == (left: Self, right: Self) -> Bool {
    let (left, right) = (left.parts, right.parts)
    return left === right
      || left.digest == right.digest && left.port == right.port
        && left.target.hasSameBytes(as: right.target)
        && left.host.hasSameBytes(as: right.host) && left.scheme.hasSameBytes(as: right.scheme)
  }

  /// The hash of all parts, with a seed that nobody else knows.
  public var digest: UInt64 { parts.digest }

  /// Hashes all parts: some tables go by the hash alone.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(parts.digest)
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

  /// `http://host:8080/path?query`; unknown parts are left out: `//host/path`, `/path`,
  /// `https:///path`.
  public var description: String {
    guard host != nil || scheme != nil || port != nil else { return target }
    let prefix = (scheme.map { "\($0)://" } ?? "//") + (host ?? "")
    guard let port, port != scheme.flatMap(Origin.defaultPort(of:)) else { return prefix + target }
    return "\(prefix):\(port)\(target)"
  }

  /// Reads what ``description`` wrote.
  ///
  /// - Parameter known: the parts that were recorded; `nil` takes each part that is written, and
  ///   the default port of a scheme that is.
  public init?(_ text: String, known: [String]? = nil) {
    let bytes = text.utf8
    let scheme = Self.scheme(in: bytes).map { String(text[..<$0]).asciiLowercased }
    let start = scheme.map { bytes.index(bytes.startIndex, offsetBy: $0.utf8.count + 1) }
    guard known?.isEmpty != true,
      bytes[(start ?? bytes.startIndex)...].starts(with: "//".utf8)
    else {
      guard known?.isEmpty ?? true else { return nil }
      self.init(scheme: nil, host: nil, port: nil, target: text)
      return
    }
    let rest = bytes[bytes.index(start ?? bytes.startIndex, offsetBy: 2)...]
    let end = rest.firstIndex { "/?#".utf8.contains($0) } ?? rest.endIndex
    let authority = Substring(rest[..<end])
    var host: String?
    var port: UInt16?
    if known?.contains("host") == false {
      if authority.utf8.first == UInt8(ascii: ":") {
        guard let number = UInt16(authority.dropFirst()) else { return nil }
        port = number
      } else if !authority.isEmpty {
        return nil
      }
    } else {
      guard let split = Origin.split(authority: authority) else { return nil }
      (host, port) = split
    }
    var target = Substring(rest[end...])
    if known == nil {
      if let fragment = target.utf8.firstIndex(of: UInt8(ascii: "#")) {
        target = target[..<fragment]
      }
      if target.utf8.first != UInt8(ascii: "/") { target = "/" + target }
    }
    let isPortKnown = known?.contains("port") ?? true
    self.init(
      scheme: scheme, host: host,
      port: port ?? (isPortKnown ? scheme.flatMap(Origin.defaultPort(of:)) : nil),
      target: String(target))
  }

  /// Where the colon of a scheme stands that the text begins with.
  static func scheme(in bytes: String.UTF8View) -> String.Index? {
    guard let first = bytes.first, (65...90).contains(first) || (97...122).contains(first),
      let end = bytes.firstIndex(where: { !Origin.isSchemeByte($0) }),
      bytes[end] == UInt8(ascii: ":")
    else { return nil }
    return end
  }
}
