internal import Bytes
internal import Crypto

/// Takes secrets out of what is recorded, before it leaves ingest.
///
/// A replaced text becomes `~` and twelve hexadecimal digits of its SHA-256, the same everywhere, so
/// that two requests for one URL still have one URL.
public enum Redaction {
  /// The token that stands for a secret.
  public static func token(of secret: some StringProtocol) -> String {
    "~" + digest(Array(secret.utf8)).prefix(12)
  }

  /// SHA-256 in lower-case hexadecimal digits.
  public static func digest(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in SHA256.hash(data: Array(bytes)) {
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The value of a request header as it may be kept; `nil` keeps only its presence.
  public static func requestValue(_ name: HeaderName, _ value: String) -> String? {
    switch name {
    case .cookie: nil
    case .authorization: scheme(of: value)
    case .referer: refererValue(value)
    case .origin: originValue(value)
    case .accessControlRequestHeaders: headerNames(value)
    case _ where name.isKeptInRequests: withoutJWTs(value)
    default: nil
    }
  }

  /// The value of a response header as it may be kept; `nil` keeps only its presence.
  public static func responseValue(_ name: HeaderName, _ value: String) -> String? {
    switch name {
    case .setCookie: nil
    case .wwwAuthenticate: scheme(of: value)
    case .location: url(value)
    case .accessControlAllowOrigin: originValue(value)
    default: withoutJWTs(value)
    }
  }

  /// The scheme of an `Authorization` or `WWW-Authenticate` value, `Bearer` for example; `nil` for
  /// one that is not registered: the first word of the value may then be the secret itself.
  static func scheme(of value: String) -> String? {
    let scheme = Substring(value.utf8.prefix { $0 != 0x20 && $0 != UInt8(ascii: ",") })
    return knownSchemes.contains(String(scheme).asciiLowercased) ? String(scheme) : nil
  }

  private static let knownSchemes: Set<String> = [
    "apikey", "aws4-hmac-sha256", "basic", "bearer", "concealed", "digest", "dpop", "gnap", "hmac",
    "hoba", "mutual", "negotiate", "ntlm", "oauth", "privatetoken", "scram-sha-1",
    "scram-sha-256", "token", "vapid",
  ]

  /// A `Referer` reduced to its origin, the only part that anything here needs.
  static func refererValue(_ value: String) -> String? {
    let bytes = value.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: "://".utf8)
    else { return nil }
    let start = bytes.index(colon, offsetBy: 3)
    let end = bytes[start...].firstIndex { "/?#".utf8.contains($0) } ?? bytes.endIndex
    let isOriginOnly = end == bytes.endIndex || bytes[end...].elementsEqual("/".utf8)
    guard let origin = Origin(value[..<end]) else { return nil }
    return "\(origin)/" + (isOriginOnly ? "" : "…")
  }

  /// An origin without user info and token-like values, which have no place in one.
  ///
  /// Everything else stays byte for byte: browsers compare origins so, and a fragment or a control
  /// character that a server wrote decides a verdict.
  static func originValue(_ value: String) -> String {
    let text = withoutJWTs(value)
    guard text.utf8.contains(where: { "@?#".utf8.contains($0) }) else { return text }
    let url = Substring(text)
    let start = authorityStart(url)
    let end =
      start.map { start in
        url.utf8[start...].firstIndex { "/\\?#".utf8.contains($0) } ?? url.endIndex
      } ?? url.startIndex
    return withoutUserInfo(url[..<end], from: start)
      + withoutSecrets(url[end...], separators: "?#&;", isNamed: false)
  }

  /// A URL or request target with its user info and token-like query values replaced.
  ///
  /// The fragment goes: a browser never sends it, and in a `Location` it may hold an access token.
  public static func url(_ text: String) -> String {
    if text.withByteView(isPlain) { return text }
    // URL parsers drop these before anything else, so that what they part is one token.
    var text = text
    if text.utf8.contains(where: isDropped) {
      text = String(decoding: text.utf8.filter { !isDropped($0) }, as: UTF8.self)
    }
    text = withoutJWTs(text)
    var url = Substring(text)
    if let fragment = url.utf8.firstIndex(of: UInt8(ascii: "#")) { url = url[..<fragment] }
    let start = authorityStart(url)
    let end =
      start.map { start in
        url.utf8[start...].firstIndex { "/\\?".utf8.contains($0) } ?? url.endIndex
      } ?? url.startIndex
    let query = url.utf8[end...].firstIndex(of: UInt8(ascii: "?")) ?? url.endIndex
    // Without a slash parameters may stand behind the host.
    let authority = Substring(withoutUserInfo(url[..<end], from: start))
    let host =
      authority.utf8.lastIndex(of: UInt8(ascii: "@")).map { authority.utf8.index(after: $0) }
      ?? authority.startIndex
    return authority[..<host]
      + withoutSecrets(authority[host...], separators: ";/\\", isNamed: true)
      + withoutSecrets(url[end..<query], separators: ";/\\", isNamed: true)
      + withoutSecrets(url[query...], separators: "?&;", isNamed: false)
  }

  /// Tab, line feed and carriage return.
  private static func isDropped(_ byte: UInt8) -> Bool {
    byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  /// Where user info would stand; `nil` when the URL has no authority.
  private static func authorityStart(_ url: Substring) -> String.Index? {
    func isSlash(_ byte: UInt8) -> Bool { byte == 0x2F || byte == 0x5C }
    let text = url.utf8.drop { $0 <= 0x20 }
    let end = text.firstIndex { !Origin.isSchemeByte($0) }
    if let end, text[end] == UInt8(ascii: ":"), end > text.startIndex {
      let rest = text[text.index(after: end)...]
      let scheme = String(Substring(text[..<end])).asciiLowercased
      // The special schemes need no slashes; `user:password@host` is an authority without a scheme.
      let isSpecial = ["http", "https", "ws", "wss", "ftp"].contains(scheme)
      guard isSpecial || rest.first.map(isSlash) == true else { return text.startIndex }
      return rest.drop(while: isSlash).startIndex
    }
    guard text.prefix(2).count == 2, text.prefix(2).allSatisfy(isSlash) else { return nil }
    return text.drop(while: isSlash).startIndex
  }

  private static func withoutUserInfo(_ text: Substring, from start: String.Index?) -> String {
    guard let start, let at = text.utf8[start...].lastIndex(of: UInt8(ascii: "@")) else {
      return String(text)
    }
    let userInfo = text[start..<at]
    let rest = text[text.utf8.index(after: at)...]
    // "@" and ":@" are no credentials to a URL parser, and stay what they are.
    if userInfo.isEmpty || userInfo.utf8.elementsEqual(":".utf8) { return String(text) }
    return text[..<start] + replaced(userInfo) + "@" + rest
  }

  /// Replaces the secret values of `name=value` pairs, and what stands alone if its shape is that
  /// of a token.
  ///
  /// - Parameter isNamed: whether only pairs count, as in a path, where `;jsessionid=…` is one.
  private static func withoutSecrets(
    _ text: Substring, separators: String, isNamed: Bool
  ) -> String {
    guard !text.isEmpty, !isNamed || text.utf8.contains(UInt8(ascii: ";")) else {
      return String(text)
    }
    var result = ""
    var isParameter = !isNamed
    var start = text.startIndex
    func piece(_ end: String.Index) -> String {
      let pair = text[start..<end]
      guard isParameter, !pair.isEmpty else { return String(pair) }
      guard let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")) else {
        return !isNamed && hasTokenShape(pair) ? replaced(pair) : String(pair)
      }
      let value = pair[pair.utf8.index(after: equals)...]
      guard !value.isEmpty, isSecret(name: pair[..<equals], value: value) else {
        return String(pair)
      }
      return pair[..<equals] + "=" + replaced(value)
    }
    var index = text.startIndex
    while index < text.endIndex {
      let next = text.utf8.index(after: index)
      if separators.utf8.contains(text.utf8[index]) {
        result += piece(index)
        result += text[index..<next]
        isParameter = !isNamed || text.utf8[index] == UInt8(ascii: ";")
        start = next
      }
      index = next
    }
    return result + piece(text.endIndex)
  }

  /// The token of a text, or the text itself where it is one already.
  private static func replaced(_ text: Substring) -> String {
    let isToken =
      text.utf8.first == UInt8(ascii: "~") && text.utf8.count == 13
      && text.utf8.dropFirst().allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    // Encoded as a browser sends it, so that a Location and the request after it agree.
    return isToken ? String(text) : token(of: RequestURL.encodedQuery(text))
  }

  /// Whether a URL surely holds nothing to replace, told by one look at its bytes.
  ///
  /// Nearly every URL of a log goes this way; the others are taken apart.
  private static func isPlain(_ url: ByteView) -> Bool {
    var isQuery = false
    var start = 0
    var equals = -1
    for index in 0...url.count {
      let byte = index < url.count ? url[index] : UInt8(ascii: "&")
      switch byte {
      case UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: ";"), UInt8(ascii: "\\"), 0..<0x20:
        return false
      case UInt8(ascii: "="):
        if equals < 0 { equals = index }
      case UInt8(ascii: "/") where !isQuery, UInt8(ascii: "?"), UInt8(ascii: "&"):
        // Shorter ones have the shape of no token.
        guard index - start < 24 else { return false }
        if isQuery, equals > 0, mayBeSecretName(url.part(start, equals)) { return false }
        isQuery = isQuery || byte == UInt8(ascii: "?")
        start = index + 1
        equals = -1
      default:
        break
      }
    }
    return true
  }

  /// Whether ``isSecret(name:value:)`` may take the name of a parameter for that of a secret.
  private static func mayBeSecretName(_ name: ByteView) -> Bool {
    for start in name.indices {
      switch name[start] | 0x20 {
      case UInt8(ascii: "%") | 0x20: return true
      // What the parts of secret names begin with.
      case UInt8(ascii: "a"), UInt8(ascii: "b"), UInt8(ascii: "c"), UInt8(ascii: "j"),
        UInt8(ascii: "p"), UInt8(ascii: "s"), UInt8(ascii: "t"):
        let rest = name.from(start)
        if secretParts.contains(where: { begins(rest, with: $0) }) { return true }
      default: break
      }
    }
    return secretNameBytes.contains { $0.count == name.count && begins(name, with: $0) }
  }

  private static func begins(
    _ text: ByteView, with part: [UInt8]
  ) -> Bool {
    guard text.count >= part.count else { return false }
    for offset in part.indices {
      let byte = text[offset]
      guard (byte &- 65 < 26 ? byte | 0x20 : byte) == part[offset] else { return false }
    }
    return true
  }

  private static let secretNameBytes = secretNames.map { Array($0.utf8) }

  private static let secretNames: Set<String> = [
    "auth", "authorization", "code", "csrf", "key", "nonce", "otp", "pass", "pwd", "sid", "sig",
    "state", "ticket", "xsrf",
  ]

  private static let secretParts = [
    "token", "secret", "passw", "apikey", "api_key", "api-key", "signature", "session",
    "credential", "jwt", "bearer", "access_key", "access-key", "accesskey",
  ].map { Array($0.utf8) }

  /// Whether a query parameter looks like a secret: by its name, or by the shape of its value.
  static func isSecret(name: Substring, value: Substring) -> Bool {
    let plain =
      name.utf8.contains(UInt8(ascii: "%")) ? RequestURL.percentDecoded(name) : String(name)
    let lower = plain.asciiLowercased
    if secretNames.contains(lower) || hasTokenShape(value) { return true }
    // By bytes: a general search of texts costs more than all the rest of a line.
    let bytes = Array(lower.utf8)
    return secretParts.contains { part in
      bytes.count >= part.count
        && (0...(bytes.count - part.count)).contains { start in
          bytes[start] == part[0] && bytes[start..<(start + part.count)].elementsEqual(part)
        }
    }
  }

  /// A JWT, 32 or more hexadecimal digits, or 24 or more letters and digits in mixed case.
  static func hasTokenShape(_ value: Substring) -> Bool {
    let bytes = value.utf8
    guard bytes.count >= 24 else { return false }
    if value.hasPrefix("eyJ") { return true }
    var digits = 0
    var upper = 0
    var lower = 0
    var isHex = true
    for byte in bytes {
      switch byte {
      case 48...57: digits += 1
      case 65...90:
        upper += 1
        isHex = isHex && byte <= 70
      case 97...122:
        lower += 1
        isHex = isHex && byte <= 102
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"),
        UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: "%"):
        isHex = false
      default: return false
      }
    }
    return isHex ? bytes.count >= 32 : digits >= 2 && upper >= 2 && lower >= 2
  }
}
