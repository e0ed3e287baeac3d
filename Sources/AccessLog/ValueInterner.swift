internal import Bytes
internal import HTTPExchange

/// What is done to a value before it is kept.
enum ValueKind: UInt8 {
  case plain
  /// Only its presence is kept.
  case hidden
  case referer
  case authorization
  case location
  case authenticate
  case origin
  case headerNames
  /// An address without its port.
  case address
  /// An address that surely has a port behind it.
  case addressAndPort
  /// `HTTP/2.0` is `HTTP/2`.
  case version

  init(request name: HeaderName) {
    self =
      switch name {
      case .referer: .referer
      case .authorization: .authorization
      case .origin: .origin
      case .accessControlRequestHeaders: .headerNames
      default: Redaction.requestValue(name, "x") == nil ? .hidden : .plain
      }
  }

  init(response name: HeaderName) {
    self =
      switch name {
      case .location: .location
      case .accessControlAllowOrigin: .origin
      case .wwwAuthenticate: .authenticate
      default: Redaction.responseValue(name, "x") == nil ? .hidden : .plain
      }
  }
}

/// Keeps values that come again and again, as user agents and origins do, so that each is made
/// into a text once: a table from the bytes as logged to the finished text.
final class ValueInterner {
  let escaping: Escaping
  private let table: ByteTable<String?>

  /// An interner for the values of a few lines, or of many.
  init(escaping: Escaping, isForFewLines: Bool = false) {
    self.escaping = escaping
    table = ByteTable(
      entries: isForFewLines ? 16 : AccessLogLimits.internedValues,
      bytes: isForFewLines ? 2048 : AccessLogLimits.internedBytes, free: nil)
  }

  /// The text of a value as it may be kept; `nil` when only its presence may.
  @inline(__always)
  func text(_ start: ByteView, _ kind: ValueKind) -> String? {
    if kind == .hidden { return nil }
    guard start.count <= AccessLogLimits.internedValueBytes else { return make(start, kind) }
    let hash = ByteTable<String?>.hash(start, seed: UInt64(kind.rawValue))
    if let known = table.find(start, hash) { return known }
    let text = make(start, kind)
    table.insert(start, hash, text)
    return text
  }

  /// The text of a value that will hardly come again.
  func decoded(_ start: ByteView) -> String {
    ValueEscapes.text(start, escaping)
  }

  private func make(_ start: ByteView, _ kind: ValueKind) -> String? {
    let text = decoded(start)
    switch kind {
    case .plain, .hidden: return Redaction.withoutJWTs(text)
    case .origin: return Redaction.requestValue(.origin, text)
    case .headerNames: return Redaction.requestValue(.accessControlRequestHeaders, text)
    case .referer: return Redaction.requestValue(.referer, text)
    case .authorization: return Redaction.requestValue(.authorization, text)
    case .location: return Redaction.responseValue(.location, text)
    case .authenticate: return Redaction.responseValue(.wwwAuthenticate, text)
    case .address: return Self.address(text)
    case .addressAndPort:
      guard !text.hasPrefix("["), let colon = text.lastIndex(of: ":") else {
        return Self.address(text)
      }
      return ClientAddress.canonical(String(text[..<colon]))
    case .version:
      guard text.hasPrefix("HTTP/") else { return nil }
      return text == "HTTP/2.0" ? "HTTP/2" : text == "HTTP/3.0" ? "HTTP/3" : text
    }
  }

  /// `203.0.113.9:4711` and `[2001:DB8:0::1]:4711` as the address alone, in one spelling.
  static func address(_ text: String) -> String {
    ClientAddress.canonical(text)
  }
}
