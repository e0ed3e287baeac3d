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
  /// An address without its port.
  case address
  /// `HTTP/2.0` is `HTTP/2`.
  case version

  init(request name: HeaderName) {
    self =
      switch name {
      case .referer: .referer
      case .authorization: .authorization
      default: Redaction.requestValue(name, "x") == nil ? .hidden : .plain
      }
  }

  init(response name: HeaderName) {
    self =
      switch name {
      case .location: .location
      case .wwwAuthenticate: .authenticate
      default: Redaction.responseValue(name, "x") == nil ? .hidden : .plain
      }
  }
}

/// Keeps values that come again and again, as user agents and origins do, so that each is made
/// into a text once.
///
/// An open-addressing table from the bytes as logged to the finished text. It never grows: full, it
/// begins anew, and a value that finds no place within a few probes is made without being kept.
final class ValueInterner {
  private struct Entry {
    /// 0 for a free place.
    var hash: UInt64
    var start: Int32
    var count: Int32
    var text: String?
  }

  private static let capacity = AccessLogLimits.internedValues * 2

  private let escaping: Escaping
  private let entries: UnsafeMutablePointer<Entry>
  private let bytes: UnsafeMutablePointer<UInt8>
  private var filled = 0
  private var used = 0

  init(escaping: Escaping) {
    self.escaping = escaping
    entries = .allocate(capacity: Self.capacity)
    entries.initialize(
      repeating: Entry(hash: 0, start: 0, count: 0, text: nil), count: Self.capacity)
    bytes = .allocate(capacity: AccessLogLimits.internedBytes)
  }

  deinit {
    entries.deinitialize(count: Self.capacity)
    entries.deallocate()
    bytes.deallocate()
  }

  /// The text of a value as it may be kept; `nil` when only its presence may.
  func text(_ start: UnsafePointer<UInt8>, _ count: Int, _ kind: ValueKind) -> String? {
    if kind == .hidden { return nil }
    guard count <= AccessLogLimits.internedValueBytes else { return make(start, count, kind) }
    let hash = Self.hash(start, count, kind)
    var place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    for _ in 0..<AccessLogLimits.internerProbes {
      let entry = entries + place
      if entry.pointee.hash == 0 { break }
      if entry.pointee.hash == hash, Int(entry.pointee.count) == count,
        ByteSearch.equal(bytes + Int(entry.pointee.start), start, count)
      {
        return entry.pointee.text
      }
      place = (place &+ 1) & (Self.capacity - 1)
    }
    let text = make(start, count, kind)
    if used >= AccessLogLimits.internedValues || filled + count > AccessLogLimits.internedBytes {
      clear()
      place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    }
    if entries[place].hash == 0 {
      entries[place] = Entry(hash: hash, start: Int32(filled), count: Int32(count), text: text)
      (bytes + filled).update(from: start, count: count)
      filled += count
      used += 1
    }
    return text
  }

  /// The text of a value that will hardly come again.
  func decoded(_ start: UnsafePointer<UInt8>, _ count: Int) -> String {
    ValueEscapes.text(start, count, escaping)
  }

  private func make(_ start: UnsafePointer<UInt8>, _ count: Int, _ kind: ValueKind) -> String? {
    let text = decoded(start, count)
    switch kind {
    case .plain, .hidden: return text
    case .referer: return Redaction.requestValue(.referer, text)
    case .authorization: return Redaction.requestValue(.authorization, text)
    case .location: return Redaction.responseValue(.location, text)
    case .authenticate: return Redaction.responseValue(.wwwAuthenticate, text)
    case .address: return Self.address(text)
    case .version:
      guard text.hasPrefix("HTTP/") else { return nil }
      return text == "HTTP/2.0" ? "HTTP/2" : text == "HTTP/3.0" ? "HTTP/3" : text
    }
  }

  /// `203.0.113.9:4711` and `[2001:db8::1]:4711` without brackets and port.
  static func address(_ text: String) -> String {
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      return String(text[text.index(after: text.startIndex)..<end])
    }
    guard let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon else { return text }
    return String(text[..<colon])
  }

  private func clear() {
    for place in 0..<Self.capacity where entries[place].hash != 0 {
      entries[place].hash = 0
      entries[place].text = nil
    }
    filled = 0
    used = 0
  }

  private static func hash(
    _ start: UnsafePointer<UInt8>, _ count: Int, _ kind: ValueKind
  ) -> UInt64 {
    let multiplier: UInt64 = 0x9E37_79B9_7F4A_7C15
    let raw = UnsafeRawPointer(start)
    var state = UInt64(truncatingIfNeeded: count) &* multiplier ^ UInt64(kind.rawValue) << 56
    var index = 0
    while index &+ 8 <= count {
      state = (state ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) &* multiplier
      state ^= state >> 29
      index &+= 8
    }
    var last: UInt64 = 0
    while index < count {
      last = last << 8 | UInt64(start[index])
      index &+= 1
    }
    state = (state ^ last) &* multiplier
    state ^= state >> 32
    // 0 marks a free place.
    return state | 1 << 63
  }
}
