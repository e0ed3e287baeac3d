internal import Bytes

/// The dynamic table of one direction, which may be known in part only.
///
/// An observer can miss insertions: the capture began late, or lost packets. What then stands in
/// the table is unknown, and so is how much of it. The rule here:
///
/// - Entries are counted from the newest one, so those that were inserted since are known, each
///   under its true index. An index beyond them names an *unknown* entry.
/// - An entry is evicted when it and all newer ones exceed the limit. That depends on known entries
///   alone, so the known part is never too short; unknown entries, being older, are evicted before
///   any known one.
/// - Once the limit leaves no room for an unknown entry, 32 bytes at least, there is none any more,
///   and the table is known in full again.
/// - Where the limit itself was missed, or is larger than ``CaptureLimits/headerTable``, the table
///   keeps that many bytes and stays unknown beyond them. To hold an entry longer than the sender
///   does no harm, since a sender never refers to what it has evicted.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc7541#section-2.3.2>
struct DynamicTable {
  /// What stands under an index.
  enum Lookup {
    case entry(name: ByteView?, value: ByteView)
    /// An entry that was inserted unseen.
    case unknown
    /// No entry: the sender is in error, or we are.
    case none
  }

  private struct Entry {
    var start: Int
    /// -1 when the name was a reference to an unknown entry, or is too long to be kept.
    var nameCount: Int
    var valueCount: Int
    var size: Int
  }

  /// What each entry costs beside its bytes.
  private static let overhead = 32
  /// The limit before a sender announces another one.
  private static let initialLimit = 4096

  /// Oldest first; those before `first` are gone.
  private var entries: [Entry] = []
  private var first = 0
  private var memory: ByteStore?
  /// Bytes of memory that the entries' own bytes take.
  private(set) var capacity = 0
  private var end = 0
  /// The size of the known entries, names that are not known being counted as empty.
  private(set) var size = 0
  private var limit: Int
  /// Whether `limit` is the sender's.
  private var isLimitExact: Bool
  /// Whether entries that were not seen may stand behind the known ones.
  private(set) var hasUnknownTail: Bool

  /// The table of a direction that was seen from its start, or of one that was not.
  init(isFromStart: Bool) {
    limit = isFromStart ? Self.initialLimit : CaptureLimits.headerTable
    isLimitExact = isFromStart
    hasUnknownTail = !isFromStart
  }

  /// How many entries are known.
  var count: Int { entries.count - first }

  /// The entry with that index, 1 for the newest.
  func lookup(_ index: Int) -> Lookup {
    guard index >= 1, index <= count else { return hasUnknownTail ? .unknown : .none }
    let entry = entries[entries.count - index]
    let bytes = memory?.view(0..<end) ?? ByteView()
    let nameEnd = entry.start + max(entry.nameCount, 0)
    return .entry(
      name: entry.nameCount < 0 ? nil : bytes.part(entry.start, nameEnd),
      value: bytes.part(nameEnd, nameEnd + entry.valueCount))
  }

  /// Adds an entry, whose bytes may be those of an older one.
  mutating func insert(name: ByteView?, value: ByteView) {
    let size = (name?.count ?? 0) + value.count + Self.overhead
    evict(to: limit - size)
    guard size <= limit else { return }
    // A reference of one byte would copy a long name again and again.
    let name = (name?.count ?? 0) > CaptureLimits.headerName ? nil : name
    let length = (name?.count ?? 0) + value.count
    if end + length > capacity { makeRoom(length) }
    let entry = Entry(
      start: end, nameCount: name?.count ?? -1, valueCount: value.count, size: size)
    if let memory {
      if let name {
        memory.write(name, at: end)
        end += name.count
      }
      memory.write(value, at: end)
      end += value.count
    }
    entries.append(entry)
    self.size += size
    judgeTail()
    // What the bytes were copied from is needed no longer.
    retired = nil
  }

  /// Takes over the limit that a sender announces.
  mutating func resize(to newLimit: Int) {
    isLimitExact = newLimit <= CaptureLimits.headerTable
    limit = min(newLimit, CaptureLimits.headerTable)
    evict(to: limit)
    judgeTail()
  }

  /// Forgets everything: insertions or a new limit may have been missed.
  mutating func loseTrack() {
    deallocate()
    self = DynamicTable(isFromStart: false)
  }

  /// Frees the memory.
  mutating func deallocate() {
    memory = nil
    retired = nil
    capacity = 0
  }

  private mutating func evict(to allowed: Int) {
    while size > max(allowed, 0), first < entries.count {
      size -= entries[first].size
      first += 1
      // The sender still has it, if it may hold more than is held here.
      if !isLimitExact { hasUnknownTail = true }
    }
    if allowed < 0 { hasUnknownTail = !isLimitExact }
    if first > 64, first * 2 > entries.count {
      entries.removeFirst(first)
      first = 0
    }
  }

  private mutating func judgeTail() {
    if isLimitExact, limit - size < Self.overhead { hasUnknownTail = false }
  }

  /// Memory that was outgrown while an entry was still to be copied from it.
  private var retired: ByteStore?

  /// Moves the live bytes to the front of memory that fits them and `length` more, twice.
  private mutating func makeRoom(_ length: Int) {
    let start = first < entries.count ? entries[first].start : end
    let live = end - start
    let larger = max(256, (live + length) * 2)
    let fresh = ByteStore(capacity: larger)
    if let memory { fresh.write(memory.view(start..<end), at: 0) }
    for index in first..<entries.count { entries[index].start -= start }
    retired = memory
    memory = fresh
    capacity = larger
    end = live
  }
}
