#if canImport(Glibc)
  public import Glibc
#elseif canImport(Musl)
  public import Musl
#else
  public import Darwin
#endif

/// Bytes that somebody else owns, every access to which is checked.
///
/// The byte path speaks this type, not pointers: no offset that comes from input reaches memory without
/// having been compared with ``count``, in release builds as well. What is not checked is how long the
/// bytes live, since packets, lines and header blocks are kept in records that `RawSpan` cannot be
/// stored in. Views are made in the few places that own memory; those are marked `unsafe`, say how long
/// the view is good for, and nobody keeps one beyond that.
@safe
public struct ByteView {
  @usableFromInline let base: UnsafeRawPointer
  /// How many bytes there are, 0 or more.
  public let count: Int

  /// A view of no bytes.
  @inlinable
  @inline(__always)
  public init() {
    // Never read from, since no offset is below 0; it only has to be no null pointer.
    unsafe base = UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped
    count = 0
  }

  /// A view of memory, which must stay valid and unchanged for as long as the view is used.
  @unsafe
  @inlinable
  @inline(__always)
  public init(_ memory: UnsafeRawBufferPointer) {
    guard let start = memory.baseAddress else {
      self.init()
      return
    }
    unsafe self.init(start, count: memory.count)
  }

  /// A view of `count` bytes, which must stay valid and unchanged for as long as the view is used.
  @unsafe
  @inlinable
  @inline(__always)
  public init(_ start: UnsafeRawPointer, count: Int) {
    precondition(count >= 0)
    unsafe base = start
    self.count = count
  }

  /// A text of the program itself, which is never freed.
  @inlinable
  @inline(__always)
  public init(_ text: StaticString) {
    unsafe self.init(text.utf8Start, count: text.utf8CodeUnitCount)
  }

  /// Whether there are no bytes.
  @inlinable
  @inline(__always)
  public var isEmpty: Bool { count == 0 }

  /// Calls `body` with the memory, for what a C library or another type has to read from it.
  @inlinable
  @inline(__always)
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: count))
  }

  /// The byte at an index from 0 to ``count``, which the caller has compared with that already.
  @unsafe
  @inlinable
  @inline(__always)
  public func unchecked(_ index: Int) -> UInt8 {
    assert(index >= 0 && index < count)
    return unsafe base.load(fromByteOffset: index, as: UInt8.self)
  }

  /// The eight bytes at an index in the order of this machine, which the caller knows to be there.
  @unsafe
  @inlinable
  @inline(__always)
  public func uncheckedWord(_ index: Int) -> UInt64 {
    assert(index >= 0 && index + 8 <= count)
    return unsafe base.loadUnaligned(fromByteOffset: index, as: UInt64.self)
  }

  @inlinable
  @inline(__always)
  func load<Word: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: Word.Type) -> Word {
    precondition(offset >= 0 && count &- offset >= MemoryLayout<Word>.size)
    // All of it lies within, as was just seen.
    return unsafe base.loadUnaligned(fromByteOffset: offset, as: type)
  }

  // MARK: Numbers

  /// The 16 bits at `offset`, in network order.
  @inlinable
  @inline(__always)
  public func big16(_ offset: Int) -> UInt16 { UInt16(bigEndian: load(offset, as: UInt16.self)) }

  /// The 32 bits at `offset`, in network order.
  @inlinable
  @inline(__always)
  public func big32(_ offset: Int) -> UInt32 { UInt32(bigEndian: load(offset, as: UInt32.self)) }

  /// The 64 bits at `offset`, in network order.
  @inlinable
  @inline(__always)
  public func big64(_ offset: Int) -> UInt64 { UInt64(bigEndian: load(offset, as: UInt64.self)) }

  /// The 64 bits at `offset`, the first byte the lowest.
  @inlinable
  @inline(__always)
  public func little64(_ offset: Int) -> UInt64 {
    UInt64(littleEndian: load(offset, as: UInt64.self))
  }

  /// The 16 bits at `offset`, in the byte order of the file.
  @inlinable
  @inline(__always)
  public func word16(_ offset: Int, isBig: Bool) -> UInt16 {
    isBig ? big16(offset) : big16(offset).byteSwapped
  }

  /// The 32 bits at `offset`, in the byte order of the file.
  @inlinable
  @inline(__always)
  public func word32(_ offset: Int, isBig: Bool) -> UInt32 {
    isBig ? big32(offset) : big32(offset).byteSwapped
  }

  /// The 64 bits at `offset`, in the byte order of the file.
  @inlinable
  @inline(__always)
  public func word64(_ offset: Int, isBig: Bool) -> UInt64 {
    isBig ? big64(offset) : big64(offset).byteSwapped
  }

  // MARK: Parts

  /// The bytes from `start` to `end`, which must lie within.
  @inlinable
  @inline(__always)
  public func part(_ start: Int, _ end: Int) -> ByteView {
    precondition(start >= 0 && start <= end && end <= count)
    // Within, as was just seen.
    return unsafe ByteView(base + start, count: end &- start)
  }

  /// The bytes of a range, which must lie within.
  @inlinable
  @inline(__always)
  public func part(_ range: Range<Int>) -> ByteView { part(range.lowerBound, range.upperBound) }

  /// The bytes from `start` on.
  @inlinable
  @inline(__always)
  public func from(_ start: Int) -> ByteView { part(start, count) }

  // MARK: Searching and comparing

  /// Where `byte` stands first at or after `start`.
  @inlinable
  @inline(__always)
  public func position(of byte: UInt8, from start: Int) -> Int? {
    guard start < count else { return nil }
    return position(of: byte, from: start, to: count)
  }

  /// Where `byte` stands first from `start` to `end`, which must lie within.
  @inlinable
  @inline(__always)
  func position(of byte: UInt8, from start: Int, to end: Int) -> Int? {
    precondition(start >= 0 && start <= end && end <= count)
    // Only bytes within are looked at.
    guard let found = unsafe memchr(base + start, Int32(byte), end - start) else { return nil }
    return unsafe UnsafeRawPointer(found) - base
  }

  /// Where `byte` stands first from `start` to `end`; `end` when it does not.
  @inlinable
  @inline(__always)
  public func first(_ byte: UInt8, from start: Int, to end: Int) -> Int {
    guard start < end else { return end }
    precondition(start >= 0 && end <= count)
    let ones: UInt64 = 0x0101_0101_0101_0101
    let wanted = ones &* UInt64(byte)
    var index = start
    // Most fields end within a few words; only for long ones is a call worth its price.
    let near = Swift.min(end, start &+ 64)
    while index &+ 8 <= near {
      // `near` is within, and so are the eight bytes before it.
      let word = unsafe UInt64(littleEndian: uncheckedWord(index)) ^ wanted
      let zeros = (word &- ones) & ~word & (ones << 7)
      if zeros != 0 { return index &+ zeros.trailingZeroBitCount &>> 3 }
      index &+= 8
    }
    if near < end { return position(of: byte, from: index, to: end) ?? end }
    while index < end {
      // Below `end`, which is within.
      if unsafe unchecked(index) == byte { return index }
      index &+= 1
    }
    return end
  }

  /// Whether all bytes are ASCII.
  @inlinable
  public var isASCII: Bool {
    var index = 0
    // Eight bytes from there on are there.
    while index &+ 8 <= count {
      if unsafe uncheckedWord(index) & 0x8080_8080_8080_8080 != 0 { return false }
      index &+= 8
    }
    while index < count {
      if self[index] >= 0x80 { return false }
      index &+= 1
    }
    return true
  }

  /// Whether the bytes at `offset` are these characters.
  @inlinable
  @inline(__always)
  public func has(_ text: StaticString, at offset: Int = 0) -> Bool {
    holds(ByteView(text), at: offset)
  }

  /// Whether all of the bytes are these characters.
  @inlinable
  @inline(__always)
  public func equals(_ text: StaticString) -> Bool {
    count == text.utf8CodeUnitCount && holds(ByteView(text), at: 0)
  }

  /// Whether the bytes at `offset` are those of another view.
  @inlinable
  @inline(__always)
  public func holds(_ other: ByteView, at offset: Int) -> Bool {
    let length = other.count
    guard offset >= 0, count &- offset >= length else { return false }
    // Both places hold `length` bytes, and no word goes beyond them.
    return unsafe Self.equal(base + offset, other.base, length)
  }

  /// Whether the bytes at `offset` are these lower-case characters, in any case.
  @inlinable
  @inline(__always)
  public func hasCaseless(_ text: StaticString, at offset: Int = 0) -> Bool {
    let length = text.utf8CodeUnitCount
    guard offset >= 0, count &- offset >= length else { return false }
    for index in 0..<length {
      // Below the lengths of both, as was just seen.
      guard unsafe lowered(unchecked(offset &+ index)) == text.utf8Start[index] else {
        return false
      }
    }
    return true
  }

  /// Whether two views hold the same bytes.
  @inlinable
  @inline(__always)
  public func equals(_ other: ByteView) -> Bool {
    // The counts are the same, so that no word goes beyond either.
    unsafe count == other.count && Self.equal(base, other.base, count)
  }

  /// Whether two places of `count` bytes hold the same; a word at a time, which costs less than a call.
  @inlinable
  @inline(__always)
  static func equal(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
    var index = 0
    if count >= 8 {
      let last = count &- 8
      while index < last {
        guard
          unsafe left.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            == right.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        else { return false }
        index &+= 8
      }
      return unsafe left.loadUnaligned(fromByteOffset: last, as: UInt64.self)
        == right.loadUnaligned(fromByteOffset: last, as: UInt64.self)
    }
    while index < count {
      guard
        unsafe left.load(fromByteOffset: index, as: UInt8.self)
          == right.load(fromByteOffset: index, as: UInt8.self)
      else { return false }
      index &+= 1
    }
    return true
  }
}

extension ByteView: RandomAccessCollection {
  /// 0.
  @inlinable
  @inline(__always)
  public var startIndex: Int { 0 }

  /// The same as ``count``.
  @inlinable
  @inline(__always)
  public var endIndex: Int { count }

  /// The byte at an index from 0 to ``count``; any other ends the program.
  @inlinable
  @inline(__always)
  public subscript(index: Int) -> UInt8 {
    // One comparison: what is negative is large as an unsigned number.
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
    return unsafe base.load(fromByteOffset: index, as: UInt8.self)
  }

  /// Calls `body` with the memory, for the standard library, which copies whole runs.
  @inlinable
  @inline(__always)
  public func withContiguousStorageIfAvailable<Result>(
    _ body: (UnsafeBufferPointer<UInt8>) throws -> Result
  ) rethrows -> Result? {
    // Bytes are of no other type, and `body` gets as many as there are.
    try unsafe body(
      UnsafeBufferPointer(start: base.assumingMemoryBound(to: UInt8.self), count: count))
  }
}

/// An ASCII letter in lower case; any other byte unchanged.
@inlinable
@inline(__always)
public func lowered(_ byte: UInt8) -> UInt8 {
  byte &- 65 < 26 ? byte | 0x20 : byte
}
