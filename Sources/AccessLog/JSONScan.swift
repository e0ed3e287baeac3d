internal import Bytes

/// Finds the members of a JSON object in raw bytes, tolerant of what servers write that is not
/// JSON: escapes such as `\xe9`, bytes that are not UTF-8, and members without a value.
enum JSONScan {
  /// A member: its name without quotation marks, and its whole value.
  struct Member {
    var name: Range<Int>
    var value: Range<Int>
    /// Whether the value is a text, number or name: no object, no array.
    var isScalar: Bool
  }

  /// The members of the object that a line is; `nil` when the line is none.
  static func members(
    _ base: ByteView, _ end: Int
  ) -> [Member]? {
    var members: [Member] = []
    var stop = 0
    let isWhole = forEachMember(base, 0, end, endsAt: &stop) { name, value in
      guard members.count <= AccessLogLimits.fields else { return }
      let first = base[value.lowerBound]
      members.append(
        Member(
          name: name, value: value,
          isScalar: first != UInt8(ascii: "{") && first != UInt8(ascii: "[")))
    }
    guard isWhole, members.count <= AccessLogLimits.fields, blank(base, stop, end) == end
    else { return nil }
    return members
  }

  /// Gives the members of the object that begins at a place, each with its whole value.
  ///
  /// - Parameter stop: where the object ends.
  /// - Returns: whether it is an object, and ends before `end`.
  @inline(__always)
  static func forEachMember(
    _ base: ByteView, _ start: Int, _ end: Int, endsAt stop: inout Int,
    _ body: (_ name: Range<Int>, _ value: Range<Int>) -> Void
  ) -> Bool {
    var index = blank(base, start, end)
    guard index < end, base[index] == UInt8(ascii: "{") else { return false }
    index = blank(base, index + 1, end)
    if index < end, base[index] == UInt8(ascii: "}") {
      stop = index + 1
      return true
    }
    while true {
      guard index < end, base[index] == UInt8(ascii: "\"") else { return false }
      let nameEnd = ByteSearch.closingQuote(in: base, from: index + 1, to: end)
      guard nameEnd >= 0 else { return false }
      let name = index + 1..<nameEnd
      index = blank(base, nameEnd + 1, end)
      guard index < end, base[index] == UInt8(ascii: ":") else { return false }
      index = blank(base, index + 1, end)
      guard index < end else { return false }
      let valueEnd = endOfValue(base, index, end)
      guard valueEnd >= 0 else { return false }
      // The value may be nothing, as nginx prints a variable that is not there.
      body(name, index..<valueEnd)
      index = blank(base, valueEnd, end)
      guard index < end else { return false }
      switch base[index] {
      case UInt8(ascii: ","): index = blank(base, index + 1, end)
      case UInt8(ascii: "}"):
        stop = index + 1
        return true
      default: return false
      }
    }
  }

  /// Gives the elements of the array that begins at a place.
  ///
  /// - Returns: whether it is an array, and ends before `end`.
  static func forEachElement(
    _ base: ByteView, _ start: Int, _ end: Int, _ body: (_ value: Range<Int>) -> Void
  ) -> Bool {
    var index = blank(base, start, end)
    guard index < end, base[index] == UInt8(ascii: "[") else { return false }
    index = blank(base, index + 1, end)
    if index < end, base[index] == UInt8(ascii: "]") { return true }
    while true {
      let valueEnd = endOfValue(base, index, end)
      guard valueEnd > index else { return false }
      body(index..<valueEnd)
      index = blank(base, valueEnd, end)
      guard index < end else { return false }
      switch base[index] {
      case UInt8(ascii: ","): index = blank(base, index + 1, end)
      case UInt8(ascii: "]"): return true
      default: return false
      }
    }
  }

  /// The end of the value that begins at `start`; -1 when it has none.
  static func endOfValue(_ base: ByteView, _ start: Int, _ end: Int) -> Int {
    guard start < end else { return -1 }
    switch base[start] {
    case UInt8(ascii: "\""):
      let quote = ByteSearch.closingQuote(in: base, from: start + 1, to: end)
      return quote < 0 ? -1 : quote + 1
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      return endOfNested(base, start, end)
    default:
      var index = start
      while index < end {
        switch base[index] {
        case UInt8(ascii: "}"), UInt8(ascii: "]"): return index
        case UInt8(ascii: ","):
          // nginx joins the times of several upstreams with ", ", and JSON members with a comma
          // alone or with a comma before a quotation mark.
          let next = blank(base, index + 1, end)
          if next >= end || base[next] == UInt8(ascii: "\"") || next == index + 1 { return index }
          index = next
        case UInt8(ascii: "\""): return -1
        default: index += 1
        }
      }
      return -1
    }
  }

  private static func endOfNested(
    _ base: ByteView, _ start: Int, _ end: Int
  ) -> Int {
    var depth = 0
    var index = start
    while index < end {
      switch base[index] {
      case UInt8(ascii: "\""):
        let quote = ByteSearch.closingQuote(in: base, from: index + 1, to: end)
        if quote < 0 { return -1 }
        index = quote
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        if depth > AccessLogLimits.jsonDepth { return -1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if depth == 0 { return index + 1 }
      default:
        break
      }
      index += 1
    }
    return -1
  }

  @inline(__always)
  static func blank(_ base: ByteView, _ start: Int, _ end: Int) -> Int {
    var index = start
    while index < end, base[index] == 0x20 || base[index] == 0x09 || base[index] == 0x0D {
      index &+= 1
    }
    return index
  }
}
