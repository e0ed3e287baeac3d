internal import Bytes

/// The fields of a header block that came compressed, as bytes.
///
/// ```
/// length of the name (4) | length of the value (4) | name | value   for each field
/// ```
///
/// Unlike lines they can hold any byte, so that no value can pass for a field.
enum FieldList {
  /// Bytes that a field costs beside its own.
  static let overhead = 8

  /// Adds a field.
  static func append(
    _ name: ByteView, _ value: ByteView, to list: inout HeadBuffer
  ) {
    list.reserve(overhead + name.count + value.count)
    for count in [name.count, value.count] {
      for shift in [24, 16, 8, 0] { list.append(UInt8(truncatingIfNeeded: count >> shift)) }
    }
    list.append(name)
    list.append(value)
  }

  /// Calls `body` with name and value of each field, white space around the value left out.
  static func forEach(
    _ list: ByteView,
    _ body: (_ name: ByteView, _ value: ByteView) -> Void
  ) {
    var position = 0
    while position + overhead <= list.count {
      let nameLength = Int(list.big32(position))
      let valueLength = Int(list.big32(position + 4))
      let nameEnd = position + overhead + nameLength
      guard nameEnd + valueLength <= list.count else { return }
      body(
        list.part(position + overhead, nameEnd),
        withoutBlanks(list.part(nameEnd, nameEnd + valueLength)))
      position = nameEnd + valueLength
    }
  }

  /// A value without the white space around it, which is none of it.
  static func withoutBlanks(_ value: ByteView) -> ByteView {
    var start = 0
    var end = value.count
    while start < end, isBlank(value[start]) { start += 1 }
    while end > start, isBlank(value[end - 1]) { end -= 1 }
    return value.part(start, end)
  }

  /// The value of the first field of that name.
  static func first(_ name: StaticString, in list: ByteView)
    -> ByteView?
  {
    var found: ByteView?
    forEach(list) { known, value in
      if found == nil, known.count == name.utf8CodeUnitCount, known.has(name) { found = value }
    }
    return found
  }
}

/// What a header block says, as far as anything here depends on it.
struct HeaderFacts {
  /// 0 while no `:status` was seen.
  var status: UInt16 = 0
  var hasMethod = false
  var isHead = false
  var isConnect = false
  var isOptions = false
  var hasOrigin = false
  /// Whether a CONNECT opens a protocol of its own: RFC 8441.
  var hasProtocol = false
  /// Fields that refer to what was not seen.
  var unknownFields = 0
  /// Fields in all.
  var fields = 0
  /// Whether the first field is known and no pseudo-header field.
  var beginsWithRegularField = false
  /// Whether fields were left out since the list was too long.
  var isTooLong = false

  /// Whether the block is a trailer section: no pseudo-header field can stand in it.
  ///
  /// Pseudo-header fields come first, so the first field decides, unless it is unknown.
  var isTrailers: Bool { fields == 0 || beginsWithRegularField }

  /// Notes a field.
  mutating func see(name: ByteView?, value: ByteView?) {
    fields &+= 1
    guard let name, let value else {
      unknownFields &+= 1
      return
    }
    guard name.count > 0, name[0] == UInt8(ascii: ":") else {
      if fields == 1 { beginsWithRegularField = true }
      if name.count == 6, name.hasCaseless("origin") { hasOrigin = true }
      return
    }
    // Beyond the limit each byte of a block may stand for the same value of 64 KiB of blanks.
    let text = isTooLong ? value : FieldList.withoutBlanks(value)
    if name.count == 7, name.has(":status") {
      guard text.count == 3, isDigit(text[0]), isDigit(text[1]), isDigit(text[2]) else {
        return
      }
      let number =
        UInt16(text[0] - 48) * 100 + UInt16(text[1] - 48) * 10 + UInt16(text[2] - 48)
      if number >= 100 { status = number }
    } else if name.count == 7, name.has(":method") {
      hasMethod = true
      isHead = text.count == 4 && text.has("HEAD")
      isConnect = text.count == 7 && text.has("CONNECT")
      isOptions = text.count == 7 && text.has("OPTIONS")
    } else if name.count == 9, name.has(":protocol") {
      hasProtocol = true
    }
  }
}
