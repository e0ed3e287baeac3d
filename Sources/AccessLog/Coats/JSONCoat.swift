internal import Bytes

/// A coat that is one JSON object a line: under which names it holds what.
struct JSONCoat: Sendable {
  /// The line; the first name that holds a text, or an array of the text's bytes.
  var texts: [StaticString]
  /// Names one of which must be there as well, so that a log that merely has such a member is not
  /// taken for a coat.
  var signs: [StaticString]
  /// Who wrote the line.
  var senders: [StaticString] = []
  /// What tells senders of one name apart.
  var containers: [StaticString] = []
  /// When the line was written; the first name that holds a text or a number.
  var stamps: [(name: StaticString, form: CoatStamp.Form)] = []
  /// Marks of a line that goes on in the next.
  var partials: [(name: StaticString, value: StaticString)] = []
  /// Whether a line that does not end in a line feed goes on in the next, unless a mark is there.
  var needsLineFeed = false

  /// Takes the coat off; `nil` when the line has another one, or none.
  func read(_ line: ByteView, _ scratch: CoatScratch) -> CoatedLine? {
    var text: (rank: Int, value: ByteView)?
    var sender: (rank: Int, value: ByteView)?
    var container: (rank: Int, value: ByteView)?
    var stamp: (rank: Int, stamp: CoatStamp)?
    var hasSign = false
    var isPartial = false
    var isMarked = false
    func take(
      _ value: ByteView, _ name: ByteView,
      _ names: [StaticString], into best: inout (rank: Int, value: ByteView)?
    ) {
      guard let rank = names.firstIndex(where: { name.equals($0) }) else { return }
      if best.map({ rank < $0.rank }) ?? true { best = (rank, value) }
    }
    let isObject = Self.forEachMember(line, line.count) { nameRange, valueRange in
      let name = line.part(nameRange)
      let value = line.part(valueRange)
      let isText = value.first == UInt8(ascii: "\"")
      if isText || value.first == UInt8(ascii: "[") { take(value, name, texts, into: &text) }
      if isText { take(value, name, senders, into: &sender) }
      take(value, name, containers, into: &container)
      if let rank = stamps.firstIndex(where: { name.equals($0.name) }),
        stamp.map({ rank < $0.rank }) ?? true
      {
        stamp = (rank, CoatStamp(Self.unquoted(value), stamps[rank].form))
      }
      if signs.contains(where: { name.equals($0) }) { hasSign = true }
      for mark in partials where name.equals(mark.name) {
        isMarked = true
        isPartial = isPartial || Self.unquoted(value).equals(mark.value)
      }
    }
    guard isObject, hasSign, let text, Self.decode(text.value, into: scratch) else { return nil }
    var content = scratch.bytes
    if content.last == 0x0A {
      content = content.part(0..<content.count - 1)
    } else if needsLineFeed, !isMarked {
      isPartial = true
    }
    return CoatedLine(
      text: isPartial ? content : content.withoutReturn, sender: Self.unquoted(sender?.value),
      container: container?.value ?? ByteView(),
      isPartial: isPartial, stamp: stamp?.stamp ?? .none)
  }

  private static func unquoted(
    _ value: ByteView?
  ) -> ByteView {
    guard let value else { return ByteView() }
    guard value.count >= 2, value.first == UInt8(ascii: "\"") else { return value }
    return value.part(1..<value.count - 1)
  }

  /// Calls `body` with name and value of each member of an object.
  ///
  /// - Returns: whether the line is one object and nothing else.
  private static func forEachMember(
    _ base: ByteView, _ end: Int, _ body: (Range<Int>, Range<Int>) -> Void
  ) -> Bool {
    func afterBlanks(_ start: Int) -> Int {
      var index = start
      while index < end, base[index] == 0x20 || base[index] == 0x09 || base[index] == 0x0D {
        index += 1
      }
      return index
    }
    var index = afterBlanks(0)
    guard index < end, base[index] == UInt8(ascii: "{") else { return false }
    var members = 0
    repeat {
      index = afterBlanks(index + 1)
      guard index < end, base[index] == UInt8(ascii: "\""), members < AccessLogLimits.fields
      else { return false }
      let nameEnd = ByteSearch.closingQuote(in: base, from: index + 1, to: end)
      guard nameEnd >= 0 else { return false }
      let name = index + 1..<nameEnd
      index = afterBlanks(nameEnd + 1)
      guard index < end, base[index] == UInt8(ascii: ":") else { return false }
      index = afterBlanks(index + 1)
      let valueEnd = JSONScan.endOfValue(base, index, end)
      guard valueEnd >= 0 else { return false }
      body(name, index..<valueEnd)
      members += 1
      index = afterBlanks(valueEnd)
    } while index < end && base[index] == UInt8(ascii: ",")
    return index < end && base[index] == UInt8(ascii: "}") && afterBlanks(index + 1) == end
  }

  // MARK: Values

  /// Puts the bytes of a text, or of an array of numbers, into the scratch.
  private static func decode(
    _ value: ByteView, into scratch: CoatScratch
  ) -> Bool {
    // No escape is shorter than what it stands for.
    scratch.clear(room: value.count)
    guard value.count >= 2 else { return false }
    return value[0] == UInt8(ascii: "\"")
      ? decodeText(value.part(1..<value.count - 1), into: scratch)
      : decodeBytes(value.part(1..<value.count - 1), into: scratch)
  }

  /// `[71,69,84]`: the journal writes so what is no UTF-8.
  private static func decodeBytes(
    _ numbers: ByteView, into scratch: CoatScratch
  ) -> Bool {
    var value: Int?
    for byte in numbers {
      switch byte {
      case 48...57:
        let next = (value ?? 0) * 10 + Int(byte - 48)
        guard next < 256 else { return false }
        value = next
      case UInt8(ascii: ","):
        guard let number = value else { return false }
        scratch.put(UInt8(number))
        value = nil
      case 0x20, 0x09: continue
      default: return false
      }
    }
    guard let value else { return false }
    scratch.put(UInt8(value))
    return true
  }

  private static func decodeText(
    _ text: ByteView, into scratch: CoatScratch
  ) -> Bool {
    let backslash = UInt8(ascii: "\\")
    var index = 0
    while index < text.count {
      let place = text.place(of: backslash, from: index)
      scratch.put(text.part(index..<place))
      guard place + 1 < text.count else { return place == text.count }
      index = place + 2
      switch text[place + 1] {
      case UInt8(ascii: "n"): scratch.put(0x0A)
      case UInt8(ascii: "t"): scratch.put(0x09)
      case UInt8(ascii: "r"): scratch.put(0x0D)
      case UInt8(ascii: "b"): scratch.put(0x08)
      case UInt8(ascii: "f"): scratch.put(0x0C)
      case UInt8(ascii: "u"):
        guard var scalar = codeUnit(text, index) else { return false }
        index += 4
        if 0xD800..<0xDC00 ~= scalar, index + 1 < text.count, text[index] == backslash,
          text[index + 1] == UInt8(ascii: "u"), let low = codeUnit(text, index + 2),
          0xDC00..<0xE000 ~= low
        {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
          index += 6
        }
        // Half of a pair is no text, as for every reader of JSON.
        let text = UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}")
        for byte in text ?? UTF8.encodedReplacementCharacter { scratch.put(byte) }
      case let other: scratch.put(other)
      }
    }
    return true
  }

  private static func codeUnit(_ text: ByteView, _ start: Int) -> UInt32? {
    guard start + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for byte in text.part(start, start + 4) {
      switch byte {
      case 48...57: value = value << 4 | UInt32(byte - 48)
      case 65...70: value = value << 4 | UInt32(byte - 55)
      case 97...102: value = value << 4 | UInt32(byte - 87)
      default: return nil
      }
    }
    return value
  }
}
