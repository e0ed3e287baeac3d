internal import Bytes

/// The bytes of a header block that is not whole yet, or that waits for its response.
///
/// A copy of it shares its memory, so only one of them is added to.
struct HeadBuffer {
  private var store: ByteStore?
  private(set) var count = 0
  private var capacity = 0

  /// The bytes, good until more are added or all copies of this are gone.
  @inline(__always)
  var bytes: ByteView { store?.view(0..<count) ?? ByteView() }

  /// Adds bytes at the end.
  mutating func append(_ bytes: ByteView) {
    guard bytes.count > 0 else { return }
    reserve(bytes.count)
    store?.write(bytes, at: count)
    count += bytes.count
  }

  /// Makes room for `length` more bytes.
  mutating func reserve(_ length: Int) {
    guard count + length > capacity else { return }
    capacity = max(count + length, capacity * 2, 256)
    let larger = ByteStore(capacity: capacity)
    larger.write(bytes, at: 0)
    store = larger
  }

  /// Adds a byte, for which ``reserve(_:)`` must have made room.
  @inline(__always)
  mutating func append(_ byte: UInt8) {
    store?.write(byte, at: count)
    count += 1
  }

  /// Keeps the first bytes only.
  mutating func cut(to count: Int) {
    self.count = min(self.count, count)
  }

  /// The memory without its bytes, for others; `nil` when there is none, or more than most blocks need.
  mutating func takeMemory() -> HeadBuffer? {
    guard store != nil, capacity <= 4096 else { return nil }
    var empty = self
    empty.count = 0
    self = HeadBuffer()
    return empty
  }

  /// Gives up the memory, which stays until here whatever was done with the bytes.
  mutating func deallocate() {
    withExtendedLifetime(store) {}
    self = HeadBuffer()
  }
}
