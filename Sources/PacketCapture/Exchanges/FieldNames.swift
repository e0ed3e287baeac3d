internal import HTTPExchange

/// The header field names that have a meaning here, found by their bytes in any case.
struct FieldNames {
  /// What becomes of a field.
  struct Entry {
    var name: HeaderName
    /// The name in lower case.
    var bytes: [UInt8]
    /// Whether a request's value is kept.
    var isKeptInRequests: Bool
    /// Whether not even the name of it is kept in a request.
    var isDroppedInRequests: Bool
    /// Whether a response's field is kept.
    var isKeptInResponses: Bool
  }

  /// Fields of requests that say nothing about a call: how it was transported, and what has a place
  /// of its own in an exchange.
  private static let droppedInRequests = [
    "user-agent", "host", "accept-encoding", "connection", "content-length", "keep-alive", "te",
    "transfer-encoding", "proxy-connection",
  ]

  private let entries: [Entry]
  /// Places of entries by hash, -1 for none.
  private let places: [Int16]
  private static let mask = 1023
  /// Names with meanings of their own.
  let userAgent: Int
  let host: Int

  /// All known names.
  init() {
    var names = HeaderName.known
    for text in Self.droppedInRequests where !names.contains(HeaderName(text)) {
      names.append(HeaderName(text))
    }
    entries = names.map { name in
      Entry(
        name: name, bytes: Array(name.description.utf8),
        isKeptInRequests: name.isKeptInRequests,
        isDroppedInRequests: Self.droppedInRequests.contains(name.description),
        isKeptInResponses: name.isKeptInResponses)
    }
    var places = [Int16](repeating: -1, count: Self.mask + 1)
    for (index, entry) in entries.enumerated() {
      var place = entry.bytes.withUnsafeBytes { Self.hash($0) }
      while places[place] >= 0 { place = (place + 1) & Self.mask }
      places[place] = Int16(index)
    }
    self.places = places
    userAgent = names.firstIndex(of: .userAgent) ?? -1
    host = names.firstIndex(of: .host) ?? -1
  }

  /// The entry with that number.
  @inline(__always)
  func entry(_ index: Int) -> Entry { entries[index] }

  /// The number of the entry with that name; `nil` when it has none.
  @inline(__always)
  func find(_ name: UnsafeRawBufferPointer) -> Int? {
    guard name.count > 1 else { return nil }
    var place = Self.hash(name)
    while true {
      let index = Int(places[place])
      guard index >= 0 else { return nil }
      if equals(entries[index].bytes, name) { return index }
      place = (place + 1) & Self.mask
    }
  }

  @inline(__always)
  private func equals(_ bytes: [UInt8], _ name: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == name.count else { return false }
    for index in 0..<bytes.count where bytes[index] != lowered(name[index]) { return false }
    return true
  }

  /// Length, first, second and last characters tell nearly all names apart.
  private static func hash(_ name: UnsafeRawBufferPointer) -> Int {
    let count = name.count
    var hash = UInt32(count) &* 0x9E37_79B1
    hash = (hash ^ UInt32(name[0] | 0x20)) &* 0x85EB_CA6B
    hash = (hash ^ UInt32(name[count / 2] | 0x20)) &* 0xC2B2_AE35
    hash = (hash ^ UInt32(name[count - 2] | 0x20)) &* 0x85EB_CA6B
    hash = (hash ^ UInt32(name[count - 1] | 0x20)) &* 0xC2B2_AE35
    return Int(hash >> 20) & mask
  }
}
