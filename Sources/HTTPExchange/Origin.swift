/// A tuple origin: scheme, host and port.
///
/// - Standard: <https://html.spec.whatwg.org/#concept-origin-tuple>
public struct Origin: Hashable, Sendable, CustomStringConvertible {
  /// In lower case, `http` for example.
  public var scheme: String
  /// In lower case; an IPv6 address stands in brackets.
  public var host: String
  /// The effective port, `nil` only where the scheme has no default and none was written.
  public var port: UInt16?

  /// An origin of those parts; a missing port becomes the scheme's default.
  public init(scheme: String, host: String, port: UInt16? = nil) {
    self.scheme = scheme.asciiLowercased
    self.host = host.asciiLowercased
    self.port = port ?? Self.defaultPort(of: self.scheme)
  }

  /// Reads `scheme://host[:port]`, and refuses `null`, lists, paths and anything else.
  public init?(_ text: some StringProtocol) {
    guard let separator = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<separator.lowerBound]
    let authority = text[separator.upperBound...]
    guard let first = scheme.utf8.first, first | 0x20 >= 97, first | 0x20 <= 122,
      scheme.utf8.allSatisfy({ Self.isSchemeByte($0) }),
      let (host, port) = Self.split(authority: authority)
    else { return nil }
    self.init(scheme: String(scheme), host: host, port: port)
  }

  /// The ASCII serialisation: default port omitted, lower case, no trailing slash.
  ///
  /// - Standard: <https://html.spec.whatwg.org/#ascii-serialisation-of-an-origin>
  public var description: String {
    guard let port, port != Self.defaultPort(of: scheme) else { return "\(scheme)://\(host)" }
    return "\(scheme)://\(host):\(port)"
  }

  /// The port that a scheme has when none is written.
  public static func defaultPort(of scheme: String) -> UInt16? {
    switch scheme {
    case "http", "ws": 80
    case "https", "wss": 443
    default: nil
    }
  }

  /// Splits `host[:port]`; `nil` for anything that is not exactly that.
  public static func split(authority: some StringProtocol) -> (host: String, port: UInt16?)? {
    var host = Substring(authority)
    var port: UInt16?
    let bracket = host.lastIndex(of: "]")
    if let colon = host.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
      let digits = host[host.index(after: colon)...]
      guard !digits.isEmpty, digits.utf8.count <= 5,
        digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
        let number = UInt16(digits)
      else { return nil }
      port = number
      host = host[..<colon]
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ Self.isHostByte($0) }) else { return nil }
    if host.contains(":") {
      guard host.first == "[", host.last == "]" else { return nil }
    }
    return (String(host).asciiLowercased, port)
  }

  private static func isSchemeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    default: false
    }
  }

  private static func isHostByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0...0x20, 0x7F: false
    case UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "@"),
      UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"),
      UInt8(ascii: "|"), UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "%"):
      false
    default: true
    }
  }
}
