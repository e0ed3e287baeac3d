extension RequestURL {
  /// The URL that the browser used, judged from a request as it was seen on some hop.
  ///
  /// Behind a TLS terminator the wire says `http` where the browser said `https`. Signs of one are
  /// forwarding headers, an `Origin` of `https` (a secure page cannot call `http`, loopback aside),
  /// and Fetch metadata, which browsers send to trustworthy URLs only. Then scheme and default port
  /// are unrecorded, unless forwarding headers are trusted.
  ///
  /// - Parameters:
  ///   - scheme: the scheme of this hop; `nil` when not recorded. Anything but `http` and `https` is
  ///     what a damaged or made-up log line has in its place, and counts as not recorded.
  ///   - host: the value of `Host` or `:authority`, or what a log prints for it.
  ///   - port: a port that is recorded apart from the host.
  ///   - target: the request target, already redacted.
  ///   - request: the recorded header fields.
  ///   - trustsForwarded: whether forwarding headers are believed.
  public init(
    hopScheme scheme: String?, host: String?, port: UInt16? = nil, target: String,
    request: MessageEvidence, trustsForwarded: Bool
  ) {
    var scheme = scheme == "http" || scheme == "https" ? scheme : nil
    var host = host
    var port = port
    var target = target
    if target.utf8.first != UInt8(ascii: "/"), let url = RequestURL(target),
      let absoluteHost = url.host
    {
      // An absolute-form target overrides Host: RFC 9112, section 3.2.2.
      scheme = url.scheme ?? scheme
      host = url.port.map { "\(absoluteHost):\($0)" } ?? absoluteHost
      target = url.target
    }
    let authority = host.flatMap { Origin.split(authority: $0) }
    if trustsForwarded {
      let forwarded = Forwarded(request)
      let named = forwarded.host.flatMap { Origin.split(authority: $0) }
      let edge = named ?? authority
      if forwarded.proto == nil, scheme == "http", request.showsTerminator(host: edge?.host) {
        // Forwarded by somebody who does not say from which scheme.
        self.init(
          scheme: nil, host: edge?.host, port: edge?.port ?? forwarded.port, target: target)
        return
      }
      scheme = forwarded.proto ?? scheme
      port = named == nil && forwarded.proto == nil ? port : nil
      port = edge?.port ?? forwarded.port ?? port
      let page = request.first(.origin).flatMap { Origin($0) }
      if scheme == "http", page?.scheme == "https", edge.map({ !Self.isLoopback($0.host) }) ?? false
      {
        // A secure page cannot call it in clear text: a second proxy named its own hop.
        self.init(scheme: nil, host: edge?.host, port: port, target: target)
        return
      }
      let isRewritten =
        named == nil && forwarded.proto != nil
        && edge.map { ClientAddress.isInternalHost($0.host) } ?? false
        && page.map { !ClientAddress.isInternalHost($0.host) } ?? false
      if isRewritten {
        // The scheme is the browser's, the host is the one behind: together they are no URL of anybody.
        self.init(scheme: nil, host: edge?.host, port: nil, target: target)
        return
      }
      // Proxies that name the host leave out the port as often as not.
      let isPortDropped = port == nil && forwarded.proto != nil && page?.host == edge?.host
      self.init(
        scheme: scheme, host: edge?.host,
        port: port ?? (isPortDropped ? nil : scheme.flatMap(Origin.defaultPort(of:))),
        target: target)
      return
    }
    if scheme == "http", request.showsTerminator(host: authority?.host) {
      scheme = nil
      port = nil
    }
    self.init(
      scheme: scheme, host: authority?.host,
      port: authority.flatMap {
        $0.port ?? port ?? scheme.flatMap(Origin.defaultPort(of:))
      }, target: target)
  }

  /// Whether a host is this machine itself, which secure pages may call in clear text.
  static func isLoopback(_ host: String) -> Bool {
    host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]"
      || (host.hasPrefix("127.") && host.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) })
  }
}

/// The numbers of the names that tell of other hops.
private struct TerminatorSigns {
  static let shared = TerminatorSigns()

  /// A bit for each name that only another hop writes.
  let ofHops = HeaderNameSet([.xForwardedProto, .forwarded, .xForwardedFor, .xForwardedHost])
}

extension MessageEvidence {
  /// Whether a request seen in clear text was probably sent by the browser over TLS, or through
  /// another hop: its scheme and default port are then not the browser's.
  public func showsTerminator(host: String?) -> Bool {
    let signs = TerminatorSigns.shared
    if mayContain(anyOf: signs.ofHops) { return true }
    var isOfSecurePage = contains(.secFetchSite)
    forEachValue(of: .origin) {
      isOfSecurePage = isOfSecurePage || $0?.hasPrefix("https://") ?? false
    }
    guard isOfSecurePage, let host else { return false }
    return !RequestURL.isLoopback(host)
  }
}

/// What forwarding headers say of the hop at the edge.
public struct Forwarded: Hashable, Sendable {
  /// `http` or `https`.
  public var proto: String?
  /// As written, perhaps with a port.
  public var host: String?
  /// The port that a field of its own names.
  public var port: UInt16?
  /// The client's address without a port.
  public var client: String?

  /// What was read already.
  init(proto: String?, host: String?, port: UInt16? = nil, client: String?) {
    self.proto = proto
    self.host = host
    self.port = port
    self.client = client
  }

  /// Reads `Forwarded` (RFC 7239), else the `X-Forwarded-` fields; of a list the first element
  /// counts, which the hop next to the client wrote.
  public init(_ request: MessageEvidence) {
    func firstElement(_ name: HeaderName) -> String? {
      guard let value = request.first(name) else { return nil }
      let text = Self.trimmed(value.utf8.prefix { $0 != UInt8(ascii: ",") })
      return text.isEmpty ? nil : text
    }
    if let value = request.first(.forwarded) {
      for pair in Self.firstElementPairs(value.utf8) {
        guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
        let value = Self.unquoted(Self.trimmed(pair[pair.index(after: equals)...]))
        switch Self.trimmed(pair[..<equals]).asciiLowercased {
        case "proto": proto = value.asciiLowercased
        case "host": host = value
        case "for": client = Self.address(value)
        default: break
        }
      }
    }
    proto = proto ?? firstElement(.xForwardedProto)?.asciiLowercased
    host = host ?? firstElement(.xForwardedHost)
    port = firstElement(.xForwardedPort).flatMap { UInt16($0) }
    client = client ?? firstElement(.xForwardedFor).flatMap(Self.address)
    if proto != "http", proto != "https" { proto = nil }
  }

  private static func trimmed(_ text: Substring.UTF8View) -> String {
    let start = text.drop { $0 == 0x20 || $0 == 0x09 }
    let end = start.lastIndex { $0 != 0x20 && $0 != 0x09 }
    return end.map { String(Substring(start[...$0])) } ?? ""
  }

  /// The pairs of the first element of `Forwarded`.
  ///
  /// A comma or semicolon inside of a quoted string parts nothing: RFC 7239, section 4, and RFC 9110,
  /// section 5.6.4. A pair whose string is not closed is none, and with it whatever stands in it.
  private static func firstElementPairs(_ value: String.UTF8View) -> [Substring.UTF8View] {
    var pairs: [Substring.UTF8View] = []
    var start = value.startIndex
    var index = start
    var isQuoted = false
    var isEscaped = false
    scan: while index < value.endIndex {
      let byte = value[index]
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\") where isQuoted: isEscaped = true
      case UInt8(ascii: "\""): isQuoted.toggle()
      case UInt8(ascii: ";") where !isQuoted:
        pairs.append(value[start..<index])
        start = value.index(after: index)
      case UInt8(ascii: ",") where !isQuoted: break scan
      default: break
      }
      index = value.index(after: index)
    }
    return isQuoted ? pairs : pairs + [value[start..<index]]
  }

  /// The text of a quoted string; anything else as it is.
  private static func unquoted(_ text: String) -> String {
    let bytes = text.utf8
    guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"")
    else { return text }
    let content = bytes.dropFirst().dropLast()
    guard content.contains(UInt8(ascii: "\\")) else { return String(Substring(content)) }
    var result: [UInt8] = []
    var isEscaped = false
    for byte in content {
      isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
      if !isEscaped { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// An address without brackets and port: `[2001:db8::1]:4711` is `2001:db8::1`; `nil` for
  /// `unknown`, which is no client that others could be told from.
  static func address(_ text: String) -> String? {
    guard text.asciiLowercased != "unknown" else { return nil }
    return ClientAddress.canonical(text)
  }
}
