internal import Bytes

/// How a line of columns is parted.
struct ColumnRule: Hashable, Sendable {
  enum Separator: Hashable, Sendable {
    case byte(UInt8)
    /// Any run of blanks and tabs.
    case blanks
  }

  var separator: Separator
  /// Whether a value may stand in quotation marks, in which they are doubled.
  var isQuoted: Bool
  /// Columns that belong to one field, by the number of the field: a date and a time are two.
  var spans: [Int]
  /// Whether columns may follow that nobody named.
  var allowsMore = false

  /// Finds the fields of a line.
  ///
  /// - Returns: whether the line has as many columns as it should.
  func split(
    _ base: ByteView, _ end: Int, _ count: Int,
    into fields: FixedTable<FieldRange>
  ) -> Bool {
    var index = skipSeparators(base, 0, end)
    for field in 0..<count {
      var start = index
      var stop = index
      for column in 0..<spans[field] {
        guard field == 0 && column == 0 || index <= end else { return false }
        // Runs of blanks hold no empty column.
        if separator == .blanks, index >= end { return false }
        var isQuotedValue = false
        if isQuoted, index < end, base[index] == UInt8(ascii: "\"") {
          guard let quote = Self.closingQuote(base, index + 1, end),
            quote + 1 == end || isSeparator(base[quote + 1])
          else { return false }
          if spans[field] == 1 { start = index + 1 }
          stop = quote
          index = quote + 1
          isQuotedValue = true
        }
        if !isQuotedValue {
          while index < end, !isSeparator(base[index]) { index += 1 }
          stop = index
        }
        let isLast = field + 1 == count && column + 1 == spans[field]
        if index >= end {
          if !isLast { return false }
          index = end + 1
        } else {
          index = skipSeparators(base, index + 1, end)
        }
      }
      fields[field] = FieldRange(start: Int32(start), end: Int32(stop))
    }
    // A separator at the end of the line is no column more where columns are parted by runs.
    return allowsMore || index > end || (separator == .blanks && index == end)
  }

  private func skipSeparators(_ base: ByteView, _ start: Int, _ end: Int) -> Int {
    guard separator == .blanks else { return start }
    var index = start
    while index < end, isSeparator(base[index]) { index += 1 }
    return index
  }

  private func isSeparator(_ byte: UInt8) -> Bool {
    switch separator {
    case .byte(let separator): byte == separator
    case .blanks: byte == 0x20 || byte == 0x09
    }
  }

  /// The quotation mark that ends a value, in which two stand for one.
  private static func closingQuote(
    _ base: ByteView, _ start: Int, _ end: Int
  ) -> Int? {
    var index = start
    while true {
      index = base.first(UInt8(ascii: "\""), from: index, to: end)
      if index >= end { return nil }
      guard index + 1 < end, base[index + 1] == UInt8(ascii: "\"") else {
        return index
      }
      index += 2
    }
  }
}
