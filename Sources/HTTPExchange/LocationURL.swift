/// What the value of a `Location` field leads to.
public enum LocationURL: Hashable, Sendable {
  /// A URL of the scheme `http` or `https`, its path and query encoded as browsers send them.
  case url(RequestURL, includesCredentials: Bool)
  /// A URL of another scheme, in lower case.
  case otherScheme(String)
  /// No URL: its host or its port cannot be parsed.
  case invalid
  /// It depends on a part of the redirecting URL that is not recorded, or its host is not ASCII.
  case unrecorded
}

extension RequestURL {
  /// Resolves a `Location` value against this URL as browsers do; the fragment is dropped.
  ///
  /// - Returns: `nil` when the value is no URL with the scheme `http` or `https`, or when the URL
  ///   depends on a part that is not recorded; ``locationURL(_:)`` tells these apart.
  /// - Standard: <https://fetch.spec.whatwg.org/#concept-response-location-url>
  public func resolving(location: String) -> RequestURL? {
    if case .url(let url, _) = locationURL(location) { url } else { nil }
  }

  /// Parses a `Location` value with this URL as its base; the fragment is dropped.
  ///
  /// - Standard: <https://url.spec.whatwg.org/#concept-basic-url-parser>
  public func locationURL(_ value: String) -> LocationURL {
    // Leading and trailing controls and spaces, and tabs and line ends anywhere, are removed.
    var text = WireText.bytes(of: value)[...]
    while let first = text.first, first <= 0x20 { text.removeFirst() }
    while let last = text.last, last <= 0x20 { text.removeLast() }
    if text.contains(where: { $0 < 0x0E }) {
      text = text.filter { $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }[...]
    }
    if let fragment = text.firstIndex(of: UInt8(ascii: "#")) { text = text[..<fragment] }
    var scheme = self.scheme
    if let colon = Self.schemeEnd(text) {
      let written = String(decoding: text[..<colon], as: UTF8.self).asciiLowercased
      guard written == "http" || written == "https" else { return .otherScheme(written) }
      text = text[(colon + 1)...]
      // `https:path` is relative to a base of the same scheme, `https:host` to any other.
      if !Self.startsWithTwoSlashes(text) {
        guard let base = self.scheme else { return .unrecorded }
        if base != written { return Self.withAuthority(text, scheme: written) }
      }
      scheme = written
    }
    if Self.startsWithTwoSlashes(text) { return Self.withAuthority(text, scheme: scheme) }
    return .url(relative(text), includesCredentials: false)
  }

  /// A URL on this one's host.
  private func relative(_ text: ArraySlice<UInt8>) -> RequestURL {
    guard let first = text.first else { return self }
    var url = self
    let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
    if first == UInt8(ascii: "?") {
      url.target = (Substring(path).isEmpty ? "/" : String(Substring(path))) + Self.query(text)
    } else if Self.isSlash(first) {
      url.target = Self.target(text)
    } else {
      let folder = path.lastIndex(of: UInt8(ascii: "/")).map { Array(path[...$0]) } ?? [0x2F]
      url.target = Self.target((folder + text)[...])
    }
    return url
  }

  /// Reads slashes, user info, host, port, path and query.
  private static func withAuthority(_ text: ArraySlice<UInt8>, scheme: String?) -> LocationURL {
    let rest = text.drop(while: isSlash)
    let end = rest.firstIndex { isSlash($0) || $0 == UInt8(ascii: "?") } ?? rest.endIndex
    var authority = rest[..<end]
    var includesCredentials = false
    if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
      let userInfo = authority[..<at]
      includesCredentials = !userInfo.isEmpty && !userInfo.elementsEqual(":".utf8)
      authority = authority[(at + 1)...]
    }
    // An empty port is the default port.
    if authority.last == UInt8(ascii: ":") { authority.removeLast() }
    let decoded = authority.contains(UInt8(ascii: "%")) ? percentDecoded(authority) : authority
    guard decoded.allSatisfy({ $0 < 0x80 }) else { return .unrecorded }
    guard let (host, port) = Origin.split(authority: String(decoding: decoded, as: UTF8.self))
    else { return .invalid }
    let url = RequestURL(
      scheme: scheme, host: host, port: port ?? scheme.flatMap(Origin.defaultPort(of:)),
      target: target(rest[end...]))
    return .url(url, includesCredentials: includesCredentials)
  }

  /// Path and query as they are sent: slashes straightened, dot segments removed, encoded.
  private static func target(_ text: ArraySlice<UInt8>) -> String {
    let mark = text.firstIndex(of: UInt8(ascii: "?")) ?? text.endIndex
    var segments: [ArraySlice<UInt8>] = []
    let path = text[..<mark].first.map(isSlash) == true ? text[..<mark].dropFirst() : text[..<mark]
    let all = path.split(omittingEmptySubsequences: false, whereSeparator: isSlash)
    for (index, segment) in all.enumerated() {
      let isLast = index == all.count - 1
      switch String(decoding: segment.prefix(7), as: UTF8.self).asciiLowercased {
      case ".", "%2e":
        if isLast { segments.append([]) }
      case "..", ".%2e", "%2e.", "%2e%2e":
        if !segments.isEmpty { segments.removeLast() }
        if isLast { segments.append([]) }
      default:
        segments.append(segment)
      }
    }
    var result: [UInt8] = []
    for segment in segments {
      result.append(UInt8(ascii: "/"))
      append(segment, to: &result, encoding: "\"#<>?^`{}")
    }
    if segments.isEmpty { result.append(UInt8(ascii: "/")) }
    return String(decoding: result, as: UTF8.self) + query(text[mark...])
  }

  /// A query with its question mark, encoded.
  private static func query(_ text: ArraySlice<UInt8>) -> String {
    var result: [UInt8] = []
    append(text, to: &result, encoding: "\"#<>'")
    return String(decoding: result, as: UTF8.self)
  }

  /// Percent-encodes controls, the space, these characters and all that is not ASCII.
  ///
  /// - Standard: <https://url.spec.whatwg.org/#path-percent-encode-set>
  private static func append(
    _ text: ArraySlice<UInt8>, to result: inout [UInt8], encoding set: String
  ) {
    let digits = Array("0123456789ABCDEF".utf8)
    for byte in text {
      if byte <= 0x20 || byte > 0x7E || set.utf8.contains(byte) {
        result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      } else {
        result.append(byte)
      }
    }
  }

  /// A part of a query as a browser sends it.
  static func encodedQuery(_ text: Substring) -> String {
    query(WireText.bytes(of: String(text))[...])
  }

  /// A text with its percent-encoded bytes decoded.
  static func percentDecoded(_ text: Substring) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    return String(decoding: percentDecoded(Array(text.utf8)[...]), as: UTF8.self)
  }

  private static func percentDecoded(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var result: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      if text[index] == UInt8(ascii: "%"), index + 2 < text.endIndex,
        let byte = UInt8(String(decoding: text[index + 1...index + 2], as: UTF8.self), radix: 16)
      {
        result.append(byte)
        index += 3
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result[...]
  }

  private static func schemeEnd(_ text: ArraySlice<UInt8>) -> Int? {
    guard let first = text.first, (65...90).contains(first) || (97...122).contains(first),
      let end = text.firstIndex(where: { !Origin.isSchemeByte($0) }),
      text[end] == UInt8(ascii: ":")
    else { return nil }
    return end
  }

  /// A backslash counts as a slash in the special schemes.
  private static func isSlash(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\")
  }

  private static func startsWithTwoSlashes(_ text: ArraySlice<UInt8>) -> Bool {
    text.prefix(2).count == 2 && text.prefix(2).allSatisfy(isSlash)
  }
}
