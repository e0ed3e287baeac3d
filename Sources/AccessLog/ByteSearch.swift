internal import Foundation

/// Searches in raw bytes that cost a few nanoseconds on the short fields of a log line.
enum ByteSearch {
  /// The place of the first `byte` from `start` on; `end` when there is none.
  @inline(__always)
  static func first(
    _ byte: UInt8, in base: UnsafePointer<UInt8>, from start: Int, to end: Int
  ) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let wanted = ones &* UInt64(byte)
    var index = start
    // Most fields end within a few words; only for long ones is a call worth its price.
    let near = min(end, start &+ 64)
    while index &+ 8 <= near {
      let word = word(base + index) ^ wanted
      let zeros = (word &- ones) & ~word & (ones << 7)
      if zeros != 0 { return index &+ zeros.trailingZeroBitCount &>> 3 }
      index &+= 8
    }
    if near < end {
      guard let found = memchr(base + index, Int32(byte), end &- index) else { return end }
      return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
    while index < end {
      if base[index] == byte { return index }
      index &+= 1
    }
    return end
  }

  /// Whether two places hold the same `count` bytes.
  @inline(__always)
  static func equal(
    _ left: UnsafePointer<UInt8>, _ right: UnsafePointer<UInt8>, _ count: Int
  ) -> Bool {
    var index = 0
    if count >= 8 {
      let last = count &- 8
      while index < last {
        if word(left + index) != word(right + index) { return false }
        index &+= 8
      }
      return word(left + last) == word(right + last)
    }
    while index < count {
      if left[index] != right[index] { return false }
      index &+= 1
    }
    return true
  }

  @inline(__always)
  private static func word(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(littleEndian: UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self))
  }

  /// The place of the `"` that ends a value in which a backslash escapes the next byte; -1 when
  /// there is none.
  @inline(__always)
  static func closingQuote(
    in base: UnsafePointer<UInt8>, from start: Int, to end: Int
  ) -> Int {
    var quote = first(UInt8(ascii: "\""), in: base, from: start, to: end)
    while quote < end {
      if quote == start || base[quote &- 1] != UInt8(ascii: "\\") { return quote }
      var backslashes = 0
      while quote &- backslashes > start,
        base[quote &- backslashes &- 1] == UInt8(ascii: "\\")
      {
        backslashes &+= 1
      }
      if backslashes & 1 == 0 { return quote }
      quote = first(UInt8(ascii: "\""), in: base, from: quote &+ 1, to: end)
    }
    return -1
  }
}
