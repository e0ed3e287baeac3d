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
    case _ where name.isKeptInRequests: value
    default: nil
    }
  }

  /// The value of a response header as it may be kept; `nil` keeps only its presence.
  public static func responseValue(_ name: HeaderName, _ value: String) -> String? {
    switch name {
    case .setCookie: nil
    case .wwwAuthenticate: scheme(of: value)
    case .location: url(value)
    default: value
    }
  }

  /// The scheme of an `Authorization` value, `Bearer` for example; `nil` when there is none.
  static func scheme(of value: String) -> String? {
    let scheme = value.prefix { $0 != " " && $0 != "," }
    // A value without a space may be a bare secret.
    guard scheme.endIndex < value.endIndex || isKnownScheme(scheme),
      scheme.utf8.count <= 20,
      scheme.utf8.allSatisfy({ $0 == 45 || ($0 | 0x20 >= 97 && $0 | 0x20 <= 122) })
    else { return nil }
    return String(scheme)
  }

  private static func isKnownScheme(_ scheme: Substring) -> Bool {
    ["basic", "bearer", "digest", "negotiate", "ntlm"].contains(scheme.lowercased())
  }

  /// A `Referer` reduced to its origin, the only part that anything here needs.
  static func refererValue(_ value: String) -> String? {
    guard let slashes = value.firstRange(of: "://") else { return nil }
    let rest = value[slashes.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    let isOriginOnly = end == rest.endIndex || rest[end...] == "/"
    guard let origin = Origin(value[..<end]) else { return nil }
    return "\(origin)/" + (isOriginOnly ? "" : "…")
  }

  /// A URL or request target with its user info and token-like query values replaced.
  public static func url(_ text: String) -> String {
    withoutQuerySecrets(withoutUserInfo(text))
  }

  private static func withoutUserInfo(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
    var start = text.startIndex
    guard let slashes = text.firstRange(of: "//") else {
      return text
    }
    guard !text[..<slashes.lowerBound].contains(where: { $0 == "/" || $0 == "?" }) else {
      return text
    }
    start = slashes.upperBound
    let end = text[start...].firstIndex { "/?#\\".contains($0) } ?? text.endIndex
    guard let at = text[start..<end].lastIndex(of: "@") else { return text }
    let userInfo = text[start..<at]
    // "@" and ":@" are no credentials to a URL parser: nothing secret, and nothing that counts.
    let kept = userInfo.isEmpty || userInfo == ":" ? "" : token(of: userInfo) + "@"
    return text[..<start] + kept + text[text.index(after: at)...]
  }

  private static func withoutQuerySecrets(_ text: String) -> String {
    // By bytes: a combining mark behind a delimiter would hide it from a search by characters.
    let bytes = text.utf8
    guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else { return text }
    var result: String?
    var kept = text.startIndex
    var start = bytes.index(after: mark)
    while true {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "&")) ?? bytes.endIndex
      if let equals = bytes[start..<end].firstIndex(of: UInt8(ascii: "=")) {
        let valueStart = bytes.index(after: equals)
        let value = text[valueStart..<end]
        if !value.isEmpty, isSecret(name: text[start..<equals], value: value) {
          result = (result ?? "") + text[kept..<valueStart] + token(of: value)
          kept = end
        }
      }
      if end == bytes.endIndex { break }
      start = bytes.index(after: end)
    }
    return result.map { $0 + text[kept...] } ?? text
  }

  private static let secretNames: Set<String> = [
    "access_token", "accesstoken", "api_key", "apikey", "api-key", "auth", "auth_token",
    "authorization", "bearer", "client_secret", "code", "credential", "csrf", "id_token", "jwt",
    "key", "nonce", "otp", "passwd", "password", "pwd", "refresh_token", "secret", "session",
    "session_id", "sessionid", "sid", "sig", "signature", "state", "ticket", "token", "xsrf",
    "x-amz-credential", "x-amz-security-token", "x-amz-signature", "x-goog-signature",
  ]

  /// Whether a query parameter looks like a secret: by its name, or by the shape of its value.
  static func isSecret(name: Substring, value: Substring) -> Bool {
    secretNames.contains(String(name).asciiLowercased) || hasTokenShape(value)
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
