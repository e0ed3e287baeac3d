public import Bytes

/// Writes JSON in the order in which it is told to, so that equal records are equal bytes.
public struct JSONWriter {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []
  private var needsComma = false

  /// An empty document.
  public init() {}

  /// Forgets what was written and keeps the memory.
  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  /// Ends a line.
  public mutating func endLine() {
    bytes.append(UInt8(ascii: "\n"))
    needsComma = false
  }

  /// Writes an object whose members `body` writes.
  public mutating func object(_ body: (inout JSONWriter) -> Void) {
    open("{")
    body(&self)
    close("}")
  }

  /// Writes an array whose elements `body` writes.
  public mutating func array(_ body: (inout JSONWriter) -> Void) {
    open("[")
    body(&self)
    close("]")
  }

  /// Writes the name of the next member.
  public mutating func key(_ name: String) {
    separate()
    writeQuoted(name)
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  /// Writes a member that is a text; `nil` writes `null`.
  public mutating func member(_ name: String, _ value: String?) {
    key(name)
    if let value { string(value) } else { null() }
  }

  /// Writes a member that is a number; `nil` writes `null`.
  public mutating func member(_ name: String, _ value: (some BinaryInteger)?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  /// Writes a member that is an array of texts.
  public mutating func member(_ name: String, _ values: [String]) {
    key(name)
    array { writer in for value in values { writer.string(value) } }
  }

  /// Writes a text.
  public mutating func string(_ value: String) {
    separate()
    writeQuoted(value)
    needsComma = true
  }

  /// Writes a whole number.
  public mutating func number(_ value: some BinaryInteger) {
    raw(String(value))
  }

  /// Writes `true` or `false`.
  public mutating func bool(_ value: Bool) {
    raw(value ? "true" : "false")
  }

  /// Writes `null`.
  public mutating func null() {
    raw("null")
  }

  /// Writes a text that is JSON already.
  public mutating func raw(_ text: String) {
    separate()
    bytes.append(contentsOf: text.utf8)
    needsComma = true
  }

  private mutating func open(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(ascii: bracket))
    needsComma = false
  }

  private mutating func close(_ bracket: Unicode.Scalar) {
    bytes.append(UInt8(ascii: bracket))
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
  }

  /// Control and direction characters are written as escapes, so that a record that is looked at in a
  /// terminal does nothing there.
  private mutating func writeQuoted(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    text.withByteView { utf8 in
      var copied = 0
      var index = 0
      while index < utf8.count {
        let byte = utf8[index]
        let length = Self.escapedLength(at: index, in: utf8)
        guard length > 0 else {
          index += 1
          continue
        }
        bytes.append(utf8.part(copied, index))
        if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
          bytes.append(UInt8(ascii: "\\"))
          bytes.append(byte)
        } else {
          escape(utf8.part(index, index + length))
        }
        index += length
        copied = index
      }
      bytes.append(utf8.from(copied))
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// Bytes of the character at an index if it must not stand as it is, else 0.
  private static func escapedLength(at index: Int, in utf8: ByteView) -> Int {
    switch utf8[index] {
    case 0..<0x20, 0x7F, UInt8(ascii: "\""), UInt8(ascii: "\\"): return 1
    // U+0080 to U+009F.
    case 0xC2 where index + 1 < utf8.count && utf8[index + 1] < 0xA0: return 2
    case 0xE2 where index + 2 < utf8.count:
      switch (utf8[index + 1], utf8[index + 2]) {
      // U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
      case (0x80, 0x8E...0x8F), (0x80, 0xA8...0xAE), (0x81, 0xA6...0xA9): return 3
      default: return 0
      }
    default: return 0
    }
  }

  /// Writes one character as `\u` and four digits.
  private mutating func escape(_ utf8: ByteView) {
    let lead = utf8.first ?? 0
    var scalar = UInt32(lead < 0x80 ? lead : lead < 0xE0 ? lead & 0x1F : lead & 0x0F)
    for byte in utf8.dropFirst() { scalar = scalar << 6 | UInt32(byte & 0x3F) }
    bytes.append(contentsOf: "\\u".utf8)
    for shift: UInt32 in [12, 8, 4, 0] {
      let digit = UInt8(truncatingIfNeeded: scalar >> shift & 15)
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
    }
  }
}

/// A JSON value that was read.
///
/// Objects keep their order; of a repeated name the first counts.
public enum JSONValue: Hashable, Sendable {
  case null
  case bool(Bool)
  /// The number as it was written, so that no digit is lost.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A name and its value.
  public struct Member: Hashable, Sendable {
    /// The name, escapes undone.
    public var name: String
    /// The value.
    public var value: JSONValue
  }

  /// The value of a member; `nil` when this is no object or has no such member.
  public subscript(_ name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The text, when this is one.
  public var text: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The whole number, when this is one that fits.
  public var integer: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  /// The whole number, when this is one of 0 or more that fits.
  public var unsigned: UInt64? {
    if case .number(let text) = self { UInt64(text) } else { nil }
  }

  /// The elements, when this is an array.
  public var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members, when this is an object.
  public var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }

  /// The texts of an array of texts.
  public var texts: [String]? {
    elements?.compactMap(\.text)
  }
}

/// Reads one of our own records from bytes.
///
/// Texts are taken as they stand, U+F780 to U+F7FF included; a text that is not UTF-8 is decoded as
/// ``WireText`` says.
public struct JSONReader {
  /// Where reading failed, and why.
  public struct Failure: Error, Equatable {
    /// Bytes from the start of the document.
    public var offset: Int
    /// In lower case, without a full stop.
    public var reason: String
  }

  /// Objects and arrays may nest this deep: ours nest 6 deep, and a deeper text only costs stack.
  public static let maximumDepth = 64

  private let bytes: ByteView
  private var index = 0

  /// Reads the whole of `bytes` as one value.
  public static func read(_ bytes: ByteView) throws(Failure) -> JSONValue {
    var reader = JSONReader(bytes: bytes)
    let value = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.index == bytes.count else { throw reader.failure("text after the value") }
    return value
  }

  private init(bytes: ByteView) {
    self.bytes = bytes
  }

  private func failure(_ reason: String) -> Failure {
    Failure(offset: index, reason: reason)
  }

  private mutating func skipSpace() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }

  private mutating func value(depth: Int) throws(Failure) -> JSONValue {
    guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
    skipSpace()
    guard index < bytes.count else { throw failure("the text ends where a value should be") }
    switch bytes[index] {
    case UInt8(ascii: "{"):
      index += 1
      var members: [JSONValue.Member] = []
      if take("}") { return .object(members) }
      repeat {
        skipSpace()
        let name = try string()
        guard take(":") else { throw failure("no colon after a name") }
        members.append(JSONValue.Member(name: name, value: try value(depth: depth + 1)))
      } while take(",")
      guard take("}") else { throw failure("an object does not end") }
      return .object(members)
    case UInt8(ascii: "["):
      index += 1
      var elements: [JSONValue] = []
      if take("]") { return .array(elements) }
      repeat {
        elements.append(try value(depth: depth + 1))
      } while take(",")
      guard take("]") else { throw failure("an array does not end") }
      return .array(elements)
    case UInt8(ascii: "\""):
      return .string(try string())
    case UInt8(ascii: "t"):
      return .bool(try literal("true", true))
    case UInt8(ascii: "f"):
      return .bool(try literal("false", false))
    case UInt8(ascii: "n"):
      return try literal("null", .null)
    default:
      return .number(try number())
    }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
    index += 1
    return true
  }

  private mutating func literal<Value>(
    _ text: StaticString, _ value: Value
  ) throws(Failure) -> Value {
    guard bytes.has(text, at: index) else { throw failure("no JSON value") }
    index += text.utf8CodeUnitCount
    return value
  }

  private mutating func number() throws(Failure) -> String {
    let start = index
    while index < bytes.count {
      switch bytes[index] {
      case 48...57, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
        UInt8(ascii: "E"):
        index += 1
        continue
      default: break
      }
      break
    }
    let text = WireText.decode(bytes.part(start, index))
    guard Double(text) != nil else { throw failure("no JSON value") }
    return text
  }

  private mutating func string() throws(Failure) -> String {
    guard index < bytes.count, bytes[index] == UInt8(ascii: "\"") else {
      throw failure("no text where one should be")
    }
    index += 1
    let start = index
    while index < bytes.count, bytes[index] != UInt8(ascii: "\""), bytes[index] != 0x5C {
      index += 1
    }
    if index < bytes.count, bytes[index] == UInt8(ascii: "\"") {
      defer { index += 1 }
      return decodeKeepingEscapes(bytes.part(start, index))
    }
    var unescaped = Array(bytes.part(start, index))
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        return decodeKeepingEscapes(unescaped)
      case UInt8(ascii: "\\"):
        try escape(into: &unescaped)
      default:
        unescaped.append(byte)
      }
    }
    throw failure("a text does not end")
  }

  /// Our own records hold U+F780 to U+F7FF for single bytes: those stay what they are.
  private func decodeKeepingEscapes(_ bytes: some Collection<UInt8>) -> String {
    String(validating: bytes, as: UTF8.self) ?? WireText.decode(bytes)
  }

  private mutating func escape(into text: inout [UInt8]) throws(Failure) {
    guard index < bytes.count else { throw failure("a text does not end") }
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "u"):
      var unit = try hexadecimalUnit()
      if (0xD800..<0xDC00).contains(unit), index + 1 < bytes.count, bytes[index] == 0x5C,
        bytes[index + 1] == UInt8(ascii: "u")
      {
        let start = index
        index += 2
        let low = try hexadecimalUnit()
        if (0xDC00..<0xE000).contains(low) {
          unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
        } else {
          // Half a pair: what follows it is a character of its own.
          index = start
        }
      }
      let scalar = Unicode.Scalar(unit) ?? "\u{FFFD}"
      text.append(contentsOf: Array(String(scalar).utf8))
    default: throw failure("an escape that JSON does not know")
    }
  }

  private mutating func hexadecimalUnit() throws(Failure) -> UInt32 {
    guard index + 4 <= bytes.count else { throw failure("a text does not end") }
    var value: UInt32 = 0
    for offset in 0..<4 {
      guard let digit = Character(Unicode.Scalar(bytes[index + offset])).hexDigitValue else {
        throw failure("an escape that JSON does not know")
      }
      value = value << 4 | UInt32(digit)
    }
    index += 4
    return value
  }
}
