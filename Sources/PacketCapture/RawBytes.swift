#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension UnsafeRawBufferPointer {
  /// The 16 bits at `offset`, in network order.
  @inline(__always)
  func big16(_ offset: Int) -> UInt16 {
    UInt16(self[offset]) << 8 | UInt16(self[offset + 1])
  }

  /// The 32 bits at `offset`, in network order.
  @inline(__always)
  func big32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }

  /// The 64 bits at `offset`, in network order.
  @inline(__always)
  func big64(_ offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The 16 bits at `offset`, in the byte order of the file.
  @inline(__always)
  func word16(_ offset: Int, isBig: Bool) -> UInt16 {
    isBig ? big16(offset) : big16(offset).byteSwapped
  }

  /// The 32 bits at `offset`, in the byte order of the file.
  @inline(__always)
  func word32(_ offset: Int, isBig: Bool) -> UInt32 {
    isBig ? big32(offset) : big32(offset).byteSwapped
  }

  /// The 64 bits at `offset`, in the byte order of the file.
  @inline(__always)
  func word64(_ offset: Int, isBig: Bool) -> UInt64 {
    isBig ? big64(offset) : big64(offset).byteSwapped
  }

  /// The bytes from `start` to `end`, which must lie within.
  @inline(__always)
  func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[start..<end])
  }

  /// The bytes from `start` on.
  @inline(__always)
  func from(_ start: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[start..<count])
  }

  /// Where `byte` stands first at or after `start`.
  @inline(__always)
  func position(of byte: UInt8, from start: Int) -> Int? {
    guard start < count, let base = baseAddress,
      let found = memchr(base + start, Int32(byte), count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// Whether the bytes at `offset` are these characters.
  @inline(__always)
  func has(_ text: StaticString, at offset: Int = 0) -> Bool {
    guard let base = baseAddress, offset + text.utf8CodeUnitCount <= count else { return false }
    return memcmp(base + offset, text.utf8Start, text.utf8CodeUnitCount) == 0
  }

  /// Whether the bytes at `offset` are these lower-case characters, in any case.
  @inline(__always)
  func hasCaseless(_ text: StaticString, at offset: Int = 0) -> Bool {
    let length = text.utf8CodeUnitCount
    guard offset + length <= count else { return false }
    for index in 0..<length where lowered(self[offset + index]) != text.utf8Start[index] {
      return false
    }
    return true
  }

  /// Whether two ranges hold the same bytes.
  @inline(__always)
  func equals(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let base = baseAddress, let otherBase = other.baseAddress else { return true }
    return memcmp(base, otherBase, count) == 0
  }
}

/// An ASCII letter in lower case; any other byte unchanged.
@inline(__always)
func lowered(_ byte: UInt8) -> UInt8 {
  byte &- 65 < 26 ? byte | 0x20 : byte
}
