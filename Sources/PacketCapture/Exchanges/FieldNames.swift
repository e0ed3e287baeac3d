internal import HTTPExchange

/// The header field names that have a meaning here, found by their bytes in any case.
struct FieldNames {
  /// What becomes of a field.
  struct Entry {
    var name: HeaderName
    /// Whether a request's value is kept.
    var isKeptInRequests: Bool
    /// Whether not even the name of it is kept in a request.
    var isDroppedInRequests: Bool
    /// Whether a response's field is kept.
    var isKeptInResponses: Bool
  }

  /// A place in the table: a name in lower case, and the number of its entry.
  private struct Place {
    var name: UnsafeRawBufferPointer
    /// For each of its bytes the bit that upper case lacks: 0x20 for a letter, else 0.
    var caseBits: UnsafeRawBufferPointer
    var index: Int
  }

  /// Fields of requests that say nothing about a call: how it was transported, and what has a place
  /// of its own in an exchange.
  private static let droppedInRequests = [
    "user-agent", "host", "accept-encoding", "connection", "content-length", "keep-alive", "te",
    "transfer-encoding", "proxy-connection",
  ]

  private let entries: UnsafeMutablePointer<Entry>
  private let count: Int
  /// The places of names by hash; those without a name are empty.
  private let places: UnsafeMutablePointer<Place>
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
    count = names.count
    entries = .allocate(capacity: count)
    places = .allocate(capacity: Self.mask + 1)
    places.initialize(
      repeating: Place(
        name: UnsafeRawBufferPointer(start: nil, count: 0),
        caseBits: UnsafeRawBufferPointer(start: nil, count: 0), index: -1),
      count: Self.mask + 1)
    for (index, name) in names.enumerated() {
      (entries + index).initialize(
        to: Entry(
          name: name, isKeptInRequests: name.isKeptInRequests,
          isDroppedInRequests: Self.droppedInRequests.contains(name.description),
          isKeptInResponses: name.isKeptInResponses))
      let text = Array(name.description.utf8)
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
      copy.copyBytes(from: text)
      let caseBits = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 1)
      caseBits.copyBytes(from: text.map { $0 &- 97 < 26 ? 0x20 : 0 })
      var place = Self.hash(UnsafeRawBufferPointer(copy))
      while places[place].index >= 0 { place = (place + 1) & Self.mask }
      places[place] = Place(
        name: UnsafeRawBufferPointer(copy), caseBits: UnsafeRawBufferPointer(caseBits),
        index: index)
    }
    userAgent = names.firstIndex(of: .userAgent) ?? -1
    host = names.firstIndex(of: .host) ?? -1
  }

  /// Frees all memory.
  func deallocate() {
    for place in 0...Self.mask {
      places[place].name.deallocate()
      places[place].caseBits.deallocate()
    }
    places.deallocate()
    entries.deinitialize(count: count)
    entries.deallocate()
  }

  /// The entry with that number.
  @inline(__always)
  func entry(_ index: Int) -> UnsafePointer<Entry> { UnsafePointer(entries + index) }

  /// The number of the entry with that name; `nil` when it has none.
  @inline(__always)
  func find(_ name: UnsafeRawBufferPointer) -> Int? {
    guard name.count > 1 else { return nil }
    var place = Self.hash(name)
    while true {
      let known = places[place]
      guard known.index >= 0 else { return nil }
      if known.name.count == name.count, Self.equals(known, name) { return known.index }
      place = (place + 1) & Self.mask
    }
  }

  /// Whether a name of the same length is that of a place, in any case.
  @inline(__always)
  private static func equals(_ known: Place, _ name: UnsafeRawBufferPointer) -> Bool {
    let count = name.count
    guard count >= 8 else {
      for index in 0..<count where known.name[index] != lowered(name[index]) { return false }
      return true
    }
    var offset = 0
    while true {
      let word = name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let bits = known.caseBits.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      guard
        word | bits == known.name.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      else { return false }
      if offset == count - 8 { return true }
      // The last eight bytes overlap those before.
      offset = min(offset + 8, count - 8)
    }
  }

  /// Length, first, middle and last characters tell nearly all names apart.
  @inline(__always)
  private static func hash(_ name: UnsafeRawBufferPointer) -> Int {
    let count = name.count
    var hash = UInt32(truncatingIfNeeded: count) &* 0x9E37_79B1
    hash = (hash ^ UInt32(name[0] | 0x20)) &* 0x85EB_CA6B
    hash = (hash ^ UInt32(name[count / 2] | 0x20)) &* 0xC2B2_AE35
    hash = (hash ^ UInt32(name[count - 2] | 0x20)) &* 0x85EB_CA6B
    hash = (hash ^ UInt32(name[count - 1] | 0x20)) &* 0xC2B2_AE35
    return Int(hash >> 20) & mask
  }
}
