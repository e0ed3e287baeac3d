internal import HTTPExchange

/// Values from the wire as people may safely look at them.
enum DisplayText {
  /// The text shortened and with everything that could deceive the eye made visible.
  ///
  /// Control characters, characters that turn the direction of writing, invisible ones and
  /// towers of combining marks become `\n`, `\x1b` or `\u{202e}`; bytes that are no UTF-8 become
  /// `\x` and two digits.
  ///
  /// - Parameter limit: scalars that are kept; a longer text loses its middle and says how long it was.
  static func visible(_ text: String, limit: Int = 160) -> String {
    let scalars = text.unicodeScalars
    // Bytes bound scalars from above, so that a short text is not counted.
    if text.utf8.count <= limit { return isPlain(text) ? text : escaped(scalars) }
    var end = scalars.startIndex
    guard
      scalars.formIndex(&end, offsetBy: limit, limitedBy: scalars.endIndex), end < scalars.endIndex
    else { return escaped(scalars) }
    let tailLength = limit / 4
    let head = scalars.prefix(limit - tailLength)
    let tail = scalars.suffix(tailLength)
    return escaped(head) + " … " + escaped(tail) + " (\(grouped(text.utf8.count)) bytes)"
  }

  /// Whether a text is printable ASCII, as most are.
  private static func isPlain(_ text: String) -> Bool {
    text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
  }

  private static func escaped(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var result = ""
    var marks = 0
    for scalar in scalars {
      if scalar.value >= 0x20, scalar.value < 0x7F {
        marks = 0
        result.unicodeScalars.append(scalar)
        continue
      }
      if (0xF780...0xF7FF).contains(scalar.value) {
        marks = 0
        result += "\\x" + hex(scalar.value - 0xF700, width: 2)
        continue
      }
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .spacingMark:
        marks += 1
        // Scripts need up to two marks on a letter; a third may only be a tower.
        let isShown = marks <= 2 && !scalar.properties.isDefaultIgnorableCodePoint
        if isShown { result.unicodeScalars.append(scalar) } else { result += name(of: scalar) }
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
        .paragraphSeparator:
        marks = 0
        result += name(of: scalar)
      case .spaceSeparator:
        marks = 0
        result += name(of: scalar)
      default:
        marks = 0
        if scalar.properties.isDefaultIgnorableCodePoint {
          result += name(of: scalar)
        } else {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }

  private static func name(of scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case 0x0A: "\\n"
    case 0x0D: "\\r"
    case 0x09: "\\t"
    case 0..<0x100: "\\x" + hex(scalar.value, width: 2)
    default: "\\u{" + hex(scalar.value, width: 4) + "}"
    }
  }

  private static func hex(_ value: UInt32, width: Int) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// A time as people read it, to the second: `2026-09-21 15:43:40 UTC`.
  static func time(_ moment: Moment) -> String { time(moment.time) + " UTC" }

  /// A time to the second without a zone: `2026-09-21 15:43:40`.
  static func time(_ time: EventTime) -> String {
    String(time.rfc3339(.second).dropLast()).replacing("T", with: " ")
  }

  /// A number with a comma between its thousands: `1,048,576`.
  static func grouped(_ number: some BinaryInteger) -> String {
    var result: [Character] = []
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { result.append(",") }
      result.append(digit)
    }
    return String(result.reversed())
  }

  /// A number with its noun: `1 call`, `2,000 calls`.
  static func counted(_ number: UInt64, _ noun: String) -> String {
    "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
  }

  /// A share in words: `12%`, `under 1%`, `over 99%`.
  static func percent(_ part: UInt64, of whole: UInt64) -> String {
    guard whole > 0 else { return "0%" }
    if part == 0 { return "0%" }
    if part >= whole { return "100%" }
    let share = Double(part) / Double(whole) * 100
    if share < 1 { return "under 1%" }
    if share > 99 { return "over 99%" }
    return "\(Int(share.rounded()))%"
  }
}
