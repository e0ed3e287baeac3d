internal import HTTPExchange

/// A table from short runs of bytes to values, for what comes again and again.
///
/// Open addressing over memory of its own. It begins small, since a thousand small logs may be open at
/// once, and grows up to a limit: full, it begins anew, and what finds no place within a few probes is
/// not kept, so that chosen collisions cost nothing.
final class ByteTable<Value> {
  private struct Entry {
    /// 0 for a free place.
    var hash: UInt64
    var start: Int32
    var count: Int32
    var value: Value
  }

  private let limit: Int
  private let byteLimit: Int
  /// Entries before it grows or begins anew.
  private var capacity: Int
  private var mask: Int
  private let free: Value
  private var entries: UnsafeMutablePointer<Entry>
  private let bytes: UnsafeMutablePointer<UInt8>
  private var filled = 0
  private var used = 0

  /// A table for so many entries, a power of two, whose keys have so many bytes together.
  init(entries limit: Int, bytes byteLimit: Int, free: Value) {
    self.limit = limit
    self.byteLimit = byteLimit
    self.free = free
    capacity = min(limit, 256)
    mask = capacity * 2 - 1
    entries = Self.freeEntries(mask + 1, free)
    // Memory that is not touched costs nothing.
    bytes = .allocate(capacity: byteLimit)
  }

  private static func freeEntries(_ count: Int, _ free: Value) -> UnsafeMutablePointer<Entry> {
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: count)
    entries.initialize(repeating: Entry(hash: 0, start: 0, count: 0, value: free), count: count)
    return entries
  }

  deinit {
    entries.deinitialize(count: mask + 1)
    entries.deallocate()
    bytes.deallocate()
  }

  /// The value of a key; `nil` when it is not there.
  ///
  /// The pointer is valid until the next insertion.
  @inline(__always)
  func find(
    _ start: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64
  ) -> UnsafeMutablePointer<Value>? {
    var place = Int(truncatingIfNeeded: hash) & mask
    for _ in 0..<AccessLogLimits.probes {
      let entry = entries + place
      if entry.pointee.hash == hash, Int(entry.pointee.count) == count,
        ByteSearch.equal(bytes + Int(entry.pointee.start), start, count)
      {
        let offset = MemoryLayout<Entry>.offset(of: \Entry.value) ?? 0
        return (UnsafeMutableRawPointer(entry) + offset).assumingMemoryBound(to: Value.self)
      }
      if entry.pointee.hash == 0 { return nil }
      place = (place &+ 1) & mask
    }
    return nil
  }

  /// Puts in a key that is not there.
  func insert(_ start: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64, _ value: Value) {
    guard count <= byteLimit else { return }
    if used >= capacity, capacity < limit { grow() }
    if used >= capacity || filled + count > byteLimit { clear() }
    var place = Int(truncatingIfNeeded: hash) & mask
    for _ in 0..<AccessLogLimits.probes {
      if entries[place].hash == 0 {
        entries[place] = Entry(
          hash: hash, start: Int32(filled), count: Int32(count), value: value)
        (bytes + filled).update(from: start, count: count)
        filled += count
        used += 1
        return
      }
      place = (place &+ 1) & mask
    }
  }

  private func grow() {
    let (old, oldCount) = (entries, mask + 1)
    capacity = min(limit, capacity * 4)
    mask = capacity * 2 - 1
    entries = Self.freeEntries(mask + 1, free)
    used = 0
    for index in 0..<oldCount where old[index].hash != 0 {
      var place = Int(truncatingIfNeeded: old[index].hash) & mask
      for _ in 0..<AccessLogLimits.probes {
        if entries[place].hash == 0 {
          entries[place] = old[index]
          used += 1
          break
        }
        place = (place &+ 1) & mask
      }
    }
    old.deinitialize(count: oldCount)
    old.deallocate()
  }

  private func clear() {
    for place in 0...mask where entries[place].hash != 0 {
      entries[place].hash = 0
      entries[place].value = free
    }
    filled = 0
    used = 0
  }

  /// A hash of bytes, never 0.
  @inline(__always)
  static func hash(_ start: UnsafePointer<UInt8>, _ count: Int, seed: UInt64) -> UInt64 {
    ByteHash.of(start, count, seed: seed) | 1 << 63
  }
}
