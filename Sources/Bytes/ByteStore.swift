/// Memory for a number of bytes that never changes, written to by hand and read as a view.
///
/// Freed with the last value that refers to it, so that nobody has to.
@safe
public struct ByteStore {
  @usableFromInline final class Memory: ManagedBuffer<Void, UInt8> {}

  @usableFromInline let memory: Memory
  /// How many bytes fit.
  public let capacity: Int

  /// Room for so many bytes, which are not set.
  @inlinable
  public init(capacity: Int) {
    precondition(capacity >= 0)
    // `create` makes an object of the class that it is asked of.
    memory = unsafe unsafeDowncast(
      Memory.create(minimumCapacity: capacity) { _ in }, to: Memory.self)
    self.capacity = capacity
  }

  /// The bytes of a range that was written to, which must lie within; good for as long as the store.
  @inlinable
  @inline(__always)
  public func view(_ range: Range<Int>) -> ByteView {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    // Within, as was just seen; the memory of the object is where it is until the object goes.
    return unsafe memory.withUnsafeMutablePointerToElements {
      unsafe ByteView(UnsafeRawPointer($0 + range.lowerBound), count: range.count)
    }
  }

  /// Writes bytes, for which there must be room from `offset` on; they may be some of the store's own.
  @inlinable
  @inline(__always)
  public func write(_ bytes: ByteView, at offset: Int) {
    precondition(offset >= 0 && capacity &- offset >= bytes.count)
    // Within, as was just seen.
    unsafe memory.withUnsafeMutablePointerToElements { start in
      unsafe UnsafeMutableRawPointer(start + offset)
        .copyMemory(from: bytes.base, byteCount: bytes.count)
    }
  }

  /// Writes one byte at an offset, which must lie within.
  @inlinable
  @inline(__always)
  public func write(_ byte: UInt8, at offset: Int) {
    precondition(offset >= 0 && offset < capacity)
    // Within, as was just seen.
    unsafe memory.withUnsafeMutablePointerToElements { unsafe $0[offset] = byte }
  }
}
