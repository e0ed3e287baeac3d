/// Compiles the text of a `strftime` format, with the fractions of a second that servers add to it.
enum StrftimeFormat {
  /// How a stamp of that format is written; `nil` when something in it is not known here.
  static func form(_ format: String) -> StampForm? {
    // Seconds since the epoch, with or without a fraction.
    let bytes = Array(format.utf8)
    if bytes.starts(with: "%s".utf8) {
      let rest = bytes.dropFirst(2)
      let isFraction =
        rest.first == UInt8(ascii: ".") && rest.last == UInt8(ascii: "f")
        && rest.dropFirst().first == UInt8(ascii: "%")
      return rest.isEmpty || isFraction ? .epoch(unit: 1_000_000_000) : nil
    }
    return items(bytes[...]).map { .items($0) }
  }

  /// The items of a `strftime` format; `nil` when one of them is not known here.
  private static func items(_ format: ArraySlice<UInt8>) -> [StampItem]? {
    var items: [StampItem] = []
    var index = format.startIndex
    func expand(_ text: String) -> [StampItem]? { Self.items(Array(text.utf8)[...]) }
    while index < format.endIndex {
      guard format[index] == UInt8(ascii: "%"), index + 1 < format.endIndex else {
        items.append(.literal(format[index]))
        index += 1
        continue
      }
      switch Unicode.Scalar(format[index + 1]) {
      // Envoy's fractions of a second, with their digits.
      case "1"..."9" where index + 2 < format.endIndex && format[index + 2] == UInt8(ascii: "f"):
        items.append(.fraction(digits: Int(format[index + 1]) - 48))
        index += 1
      case "f": items.append(.fraction(digits: 9))
      case "Y": items.append(.year)
      case "y": items.append(.shortYear)
      case "m": items.append(.month)
      case "b", "h": items.append(.monthName)
      case "d", "e": items.append(.day)
      case "H": items.append(.hour)
      case "M": items.append(.minute)
      case "S": items.append(.second)
      case "z": items.append(.zone)
      case "T": items += expand("%H:%M:%S") ?? []
      case "R": items += expand("%H:%M") ?? []
      case "F": items += expand("%Y-%m-%d") ?? []
      case "D": items += expand("%m/%d/%y") ?? []
      case "%": items.append(.literal(UInt8(ascii: "%")))
      case "n": items.append(.literal(0x0A))
      case "t": items.append(.literal(0x09))
      default: return nil
      }
      index += 2
    }
    return items
  }
}
