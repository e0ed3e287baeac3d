/// The bytes of a header block that is not whole yet, or that waits for its response.
///
/// Plain memory, owned by whoever holds the record that it is part of.
struct HeadBuffer {
  private(set) var start: UnsafeMutableRawPointer?
  private(set) var count = 0
  private var capacity = 0

  /// The bytes.
  @inline(__always)
  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: start, count: count)
  }

  /// Adds bytes at the end.
  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return }
    reserve(bytes.count).copyMemory(from: base, byteCount: bytes.count)
    count += bytes.count
  }

  /// Room for `length` more bytes, which count once ``grow(by:)`` says how many there are.
  mutating func reserve(_ length: Int) -> UnsafeMutableRawPointer {
    if let start, count + length <= capacity { return start + count }
    let larger = max(count + length, capacity * 2, 256)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    if let start {
      memory.copyMemory(from: start, byteCount: count)
      start.deallocate()
    }
    start = memory
    capacity = larger
    return memory + count
  }

  /// Counts bytes that were written to the room of ``reserve(_:)``.
  mutating func grow(by length: Int) {
    count += min(length, capacity - count)
  }

  /// Keeps the first bytes only.
  mutating func cut(to count: Int) {
    self.count = min(self.count, count)
  }

  /// Frees the memory.
  mutating func deallocate() {
    start?.deallocate()
    self = HeadBuffer()
  }
}
