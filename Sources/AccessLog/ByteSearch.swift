internal import Bytes

/// Searches that know how servers write values.
enum ByteSearch {
  /// The place of the `"` that ends a value in which a backslash escapes the next byte; -1 when
  /// there is none.
  @inline(__always)
  static func closingQuote(
    in base: ByteView, from start: Int, to end: Int
  ) -> Int {
    var quote = base.first(UInt8(ascii: "\""), from: start, to: end)
    while quote < end {
      if quote == start || base[quote &- 1] != UInt8(ascii: "\\") { return quote }
      var backslashes = 0
      while quote &- backslashes > start,
        base[quote &- backslashes &- 1] == UInt8(ascii: "\\")
      {
        backslashes &+= 1
      }
      if backslashes & 1 == 0 { return quote }
      quote = base.first(UInt8(ascii: "\""), from: quote &+ 1, to: end)
    }
    return -1
  }
}
