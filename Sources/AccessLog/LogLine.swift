internal import Bytes

/// A line whose fields, or the first of them, were found.
struct Line {
  /// The line, or a buffer that begins with it.
  let base: ByteView
  let end: Int
  /// Kept alive by whoever made the line: it is asked several times for each.
  @safe unowned(unsafe) let layout: LineLayout
  /// The same of the table that all lines of an interpreter share.
  @safe unowned(unsafe) let fields: FixedTable<FieldRange>

  /// The bytes of a field; none where it has no value.
  @inline(__always)
  func bytes(_ range: FieldRange) -> ByteView {
    range.count > 0 ? base.part(Int(range.start), Int(range.end)) : ByteView()
  }

  /// Whether a field says that there is no value.
  @inline(__always)
  func isAbsent(_ field: Int) -> Bool {
    let range = fields[field]
    switch range.count {
    case ..<0: return true
    case 0: return layout.escaping.emptyIsAbsent
    case 1: return layout.escaping.dashIsAbsent && base[Int(range.start)] == UInt8(ascii: "-")
    default: return false
    }
  }

  /// Whether a block of header fields is there; an empty one is no message's.
  func hasBlock(_ field: Int) -> Bool { fields[field].count > 2 }

  /// Whether a member stands in the line, be it without a value.
  func isNamed(_ field: Int) -> Bool { fields[field].start >= 0 }

  /// Whether a flag says yes.
  func isFlagSet(_ field: Int) -> Bool {
    guard fields[field].count > 0 else { return false }
    for text in ["-", "0", "no", "false", "absent", "off"] as [StaticString]
    where equals(field, text) { return false }
    return true
  }

  @inline(__always)
  func equals(_ field: Int, _ text: StaticString) -> Bool {
    let range = fields[field]
    return range.count == text.utf8CodeUnitCount
      && base.has(text, at: Int(range.start))
  }
}
