internal import Bytes
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
    /// Whether hardly two responses have the same value.
    var isOfOneMessage: Bool
  }

  /// A place in the table: a name in lower case, and the number of its entry.
  private struct Place {
    var name: ByteView
    /// For each of its bytes the bit that upper case lacks: 0x20 for a letter, else 0.
    var caseBits: ByteView
    var index: Int
  }

  /// Fields of requests that say nothing about a call: how it was transported, and what has a place
  /// of its own in an exchange.
  private static let droppedInRequests = [
    "user-agent", "host", "accept-encoding", "connection", "content-length", "keep-alive", "te",
    "transfer-encoding", "proxy-connection",
  ]

  /// What becomes of each known field, by its number.
  let entries: FixedTable<Entry>
  /// The places of names by hash; those without a name are empty.
  private let places: FixedTable<Place>
  /// The memory of all names, which the places refer to.
  private let texts: ByteStore
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
    let nothing = Entry(
      name: .origin, isKeptInRequests: false, isDroppedInRequests: false, isKeptInResponses: false,
      isOfOneMessage: false)
    entries = FixedTable(repeating: nothing, count: names.count)
    places = FixedTable(
      repeating: Place(name: ByteView(), caseBits: ByteView(), index: -1), count: Self.mask + 1)
    let texts = ByteStore(capacity: names.reduce(0) { $0 + 2 * $1.description.utf8.count })
    self.texts = texts
    var end = 0
    for (index, name) in names.enumerated() {
      entries[index] = Entry(
        name: name, isKeptInRequests: name.isKeptInRequests,
        isDroppedInRequests: Self.droppedInRequests.contains(name.description),
        isKeptInResponses: name.isKeptInResponses, isOfOneMessage: name.isOfOneMessage)
      let text = Array(name.description.utf8)
      let nameEnd = end + text.count
      text.withByteView { texts.write($0, at: end) }
      text.map { $0 &- 97 < 26 ? 0x20 : 0 }.withByteView { texts.write($0, at: nameEnd) }
      let known = Place(
        name: texts.view(end..<nameEnd), caseBits: texts.view(nameEnd..<nameEnd + text.count),
        index: index)
      end = nameEnd + text.count
      var place = Self.hash(known.name)
      while places[place].index >= 0 { place = (place + 1) & Self.mask }
      places[place] = known
    }
    userAgent = names.firstIndex(of: .userAgent) ?? -1
    host = names.firstIndex(of: .host) ?? -1
  }

  /// The number of the entry with that name; `nil` when it has none.
  @inline(__always)
  func find(_ name: ByteView) -> Int? {
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
  private static func equals(_ known: Place, _ name: ByteView) -> Bool {
    let count = name.count
    guard count >= 8 else {
      for index in 0..<count where known.name[index] != lowered(name[index]) { return false }
      return true
    }
    var offset = 0
    while true {
      // All three have `count` bytes, of which eight stand at any offset that comes up.
      let word = unsafe name.uncheckedWord(offset) | known.caseBits.uncheckedWord(offset)
      guard unsafe word == known.name.uncheckedWord(offset) else { return false }
      if offset == count - 8 { return true }
      // The last eight bytes overlap those before.
      offset = min(offset + 8, count - 8)
    }
  }

  /// Length, first, middle and last characters tell nearly all names apart.
  @inline(__always)
  private static func hash(_ name: ByteView) -> Int {
    let count = name.count
    var hash = UInt32(truncatingIfNeeded: count) &* 0x9E37_79B1
    hash = (hash ^ UInt32(name[0] | 0x20)) &* 0x85EB_CA6B
    hash = (hash ^ UInt32(name[count / 2] | 0x20)) &* 0xC2B2_AE35
    hash = (hash ^ UInt32(name[count - 2] | 0x20)) &* 0x85EB_CA6B
    hash = (hash ^ UInt32(name[count - 1] | 0x20)) &* 0xC2B2_AE35
    return Int(hash >> 20) & mask
  }
}
