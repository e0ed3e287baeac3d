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
    // Bytes, not characters: a combining mark would make one character of `/` and itself.
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
      bytes[colon...].starts(with: "://".utf8)
    else { return nil }
    let scheme = text[..<colon]
    let authority = text[bytes.index(colon, offsetBy: 3)...]
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
    var host = Substring(authority).utf8
    var port: UInt16?
    let bracket = host.lastIndex(of: UInt8(ascii: "]"))
    if let colon = host.lastIndex(of: UInt8(ascii: ":")), bracket.map({ $0 < colon }) ?? true {
      let digits = host[host.index(after: colon)...]
      guard !digits.isEmpty, digits.count <= 5, digits.allSatisfy({ $0 >= 48 && $0 <= 57 }),
        let number = UInt16(Substring(digits))
      else { return nil }
      port = number
      host = host[..<colon]
    }
    guard let first = host.first else { return nil }
    if first == UInt8(ascii: "[") {
      guard host.count > 2, host.last == UInt8(ascii: "]"),
        host.dropFirst().dropLast().allSatisfy({ Self.isAddressByte($0) })
      else { return nil }
    } else {
      guard host.allSatisfy({ Self.isHostByte($0) }) else { return nil }
    }
    return (String(Substring(host)).asciiLowercased, port)
  }

  /// A byte of an IPv6 address: a hexadecimal digit, a colon or a dot.
  private static func isAddressByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...58, 65...70, 97...102, UInt8(ascii: "."): true
    default: false
    }
  }

  static func isSchemeByte(_ byte: UInt8) -> Bool {
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
      UInt8(ascii: "|"), UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "%"),
      UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ":"):
      false
    default: true
    }
  }
}
