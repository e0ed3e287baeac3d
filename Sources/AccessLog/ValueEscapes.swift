internal import Bytes
internal import HTTPExchange

/// Undoes what a server did to the bytes of a value when it wrote them into a line.
enum ValueEscapes {
  /// The value as text; see ``HTTPExchange/WireText``.
  static func text(_ raw: ByteView, _ escaping: Escaping) -> String {
    let count = raw.count
    switch escaping {
    case .none, .raw: return WireText.decode(raw)
    case .nginxDefault, .nginxJSON, .apache, .anyText, .anyJSON, .json, .envoyJSON, .quoteOnly,
      .zeek:
      let backslash = raw.first(UInt8(ascii: "\\"), from: 0, to: count)
      guard backslash < count else {
        return escaping == .zeek && raw.elementsEqual("(empty)".utf8) ? "" : WireText.decode(raw)
      }
      return WireText.decode(undone(raw, from: backslash, escaping))
    case .hash, .hashCaptures: return WireText.decode(hexadecimal(raw, after: UInt8(ascii: "#")))
    case .percent: return WireText.decode(hexadecimal(raw, after: UInt8(ascii: "%")))
    case .plus, .doubled:
      return WireText.decode(undoubled(raw, plusIsBlank: escaping == .plus))
    }
  }

  /// How many bytes a value had before it was written, for comparing it with a limit.
  static func byteCount(_ line: Line, _ field: Int) -> Int {
    let range = line.fields[field]
    guard range.count > 0 else { return 0 }
    switch line.layout.escaping {
    case .hash, .hashCaptures:
      return hexadecimal(line.bytes(range), after: UInt8(ascii: "#")).count
    default: return range.count
    }
  }

  /// `#HH` and `%HH` as the bytes that they stand for.
  private static func hexadecimal(_ raw: ByteView, after mark: UInt8) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(raw.count)
    var index = 0
    while index < raw.count {
      if raw[index] == mark, let value = hexadecimal(raw, index + 1, 2, raw.count) {
        result.append(UInt8(truncatingIfNeeded: value))
        index += 3
      } else {
        result.append(raw[index])
        index += 1
      }
    }
    return result
  }

  private static func undoubled(_ raw: ByteView, plusIsBlank: Bool) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(raw.count)
    var index = 0
    while index < raw.count {
      let byte = raw[index]
      if byte == UInt8(ascii: "\""), index + 1 < raw.count, raw[index + 1] == byte { index += 1 }
      result.append(plusIsBlank && byte == UInt8(ascii: "+") ? 0x20 : byte)
      index += 1
    }
    return result
  }

  private static func undone(
    _ start: ByteView, from first: Int, _ escaping: Escaping
  ) -> [UInt8] {
    let count = start.count
    var result = Array(start.part(0, first))
    result.reserveCapacity(count)
    var index = first
    while index < count {
      let byte = start[index]
      guard byte == UInt8(ascii: "\\"), index + 1 < count else {
        result.append(byte)
        index += 1
        continue
      }
      let next = start[index + 1]
      let isJSON = escaping.isJSON
      switch next {
      case UInt8(ascii: "\"") where escaping == .quoteOnly:
        result.append(next)
        index += 2
        continue
      case _ where escaping == .quoteOnly:
        result.append(byte)
        index += 1
        continue
      case UInt8(ascii: "x") where !isJSON || escaping == .anyJSON:
        if let value = hexadecimal(start, index + 2, 2, count) {
          result.append(UInt8(truncatingIfNeeded: value))
          index += 4
        } else {
          result.append(byte)
          index += 1
        }
        continue
      case UInt8(ascii: "u") where isJSON:
        let (scalar, length) = unicode(start, index, count)
        if let scalar {
          if escaping == .envoyJSON, (0x80...0xFF).contains(scalar.value) {
            result.append(UInt8(scalar.value))
          } else {
            result.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
          }
          index += length
        } else {
          result.append(byte)
          index += 1
        }
        continue
      case _ where escaping == .nginxDefault || escaping == .zeek:
        // Neither writes another escape than \xHH here.
        result.append(byte)
        index += 1
        continue
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): result.append(next)
      case UInt8(ascii: "/") where isJSON: result.append(next)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "v") where !isJSON: result.append(0x0B)
      default:
        result.append(byte)
        index += 1
        continue
      }
      index += 2
    }
    return result
  }

  /// `\uXXXX`, or two that form one scalar; a lone half of a pair is left as it stands.
  private static func unicode(
    _ start: ByteView, _ index: Int, _ count: Int
  ) -> (Unicode.Scalar?, Int) {
    guard let high = hexadecimal(start, index + 2, 4, count) else { return (nil, 0) }
    if let scalar = Unicode.Scalar(high) { return (scalar, 6) }
    guard high < 0xDC00, index + 7 < count, start[index + 6] == UInt8(ascii: "\\"),
      start[index + 7] == UInt8(ascii: "u"),
      let low = hexadecimal(start, index + 8, 4, count), (0xDC00...0xDFFF).contains(low)
    else { return (nil, 0) }
    return (Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)), 12)
  }

  private static func hexadecimal(
    _ start: ByteView, _ index: Int, _ digits: Int, _ count: Int
  ) -> UInt32? {
    guard index + digits <= count else { return nil }
    var value: UInt32 = 0
    for offset in 0..<digits {
      let byte = start[index + offset]
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
