internal import Bytes
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
  private var entries: FixedTable<Entry>
  private let bytes: ByteStore
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
    bytes = ByteStore(capacity: byteLimit)
  }

  private static func freeEntries(_ count: Int, _ free: Value) -> FixedTable<Entry> {
    FixedTable(repeating: Entry(hash: 0, start: 0, count: 0, value: free), count: count)
  }

  /// The value of a key; `nil` when it is not there.
  @inline(__always)
  func find(
    _ key: ByteView, _ hash: UInt64
  ) -> Value? {
    var place = Int(truncatingIfNeeded: hash) & mask
    for _ in 0..<AccessLogLimits.probes {
      if entries[place].hash == hash, Int(entries[place].count) == key.count,
        bytes.view(Int(entries[place].start)..<Int(entries[place].start) + key.count).equals(key)
      {
        return entries[place].value
      }
      if entries[place].hash == 0 { return nil }
      place = (place &+ 1) & mask
    }
    return nil
  }

  /// Puts in a key that is not there.
  func insert(_ key: ByteView, _ hash: UInt64, _ value: Value) {
    let count = key.count
    guard count <= byteLimit else { return }
    if used >= capacity, capacity < limit { grow() }
    if used >= capacity || filled + count > byteLimit { clear() }
    var place = Int(truncatingIfNeeded: hash) & mask
    for _ in 0..<AccessLogLimits.probes {
      if entries[place].hash == 0 {
        entries[place] = Entry(
          hash: hash, start: Int32(filled), count: Int32(count), value: value)
        bytes.write(key, at: filled)
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
  static func hash(_ key: ByteView, seed: UInt64) -> UInt64 {
    ByteHash.of(key, seed: seed) | 1 << 63
  }
}
