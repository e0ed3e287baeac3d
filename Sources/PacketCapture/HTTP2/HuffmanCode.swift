internal import Bytes

/// The Huffman code of HPACK.
///
/// The code is canonical: codes of one length follow each other in the order of their symbols, and
/// shorter codes come first. The lengths alone therefore tell all codes.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc7541#appendix-B>
struct HuffmanCode: Sendable {
  /// The one code.
  static let shared = HuffmanCode()

  /// Bits of each symbol's code, 0 to 255 and the end of string.
  static let lengths: [UInt8] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
  ]

  private static let endOfString: UInt16 = 256
  private static let longest = 30
  /// Bits that the direct table looks at; nearly all text has shorter codes.
  private static let directBits = 10

  /// For the next ten bits the symbol and, in the upper bits, the length of its code; 0 when the
  /// code is longer.
  private let direct: [UInt32]
  /// All symbols in the order of their codes.
  private let symbols: [UInt16]
  /// For each length the code behind the last one of that length, in the upper bits of 32.
  private let ends: [UInt64]
  /// For each length the first code in the upper bits of 32, and its place among the symbols.
  private let starts: [(code: UInt64, place: Int)]

  private init() {
    var direct = [UInt32](repeating: 0, count: 1 << Self.directBits)
    var symbols: [UInt16] = []
    var ends: [UInt64] = []
    var starts: [(code: UInt64, place: Int)] = []
    var code: UInt64 = 0
    for length in 0...Self.longest {
      starts.append((code, symbols.count))
      let step: UInt64 = 1 << UInt64(32 - length)
      if length > 0 {
        for (symbol, bits) in Self.lengths.enumerated() where Int(bits) == length {
          symbols.append(UInt16(symbol))
          if length <= Self.directBits {
            let first = Int(code >> UInt64(32 - Self.directBits))
            for index in 0..<(1 << (Self.directBits - length)) {
              direct[first + index] = UInt32(length) << 16 | UInt32(symbol)
            }
          }
          code += step
        }
      }
      ends.append(code)
    }
    (self.direct, self.symbols, self.ends, self.starts) = (direct, symbols, ends, starts)
  }

  /// Bytes that the text of `count` coded bytes needs at most: the shortest code has five bits.
  static func longestText(of count: Int) -> Int { count * 8 / 5 + 1 }

  /// Decodes a string and adds it to `text`.
  ///
  /// - Returns: `false` when the string holds the end-of-string symbol, or does not end with fewer
  ///   than eight bits of it; what came before that was added.
  func decode(_ coded: ByteView, into text: inout HeadBuffer) -> Bool {
    text.reserve(Self.longestText(of: coded.count))
    var bits: UInt64 = 0
    var count = 0
    var index = 0
    while true {
      while count <= 56, index < coded.count {
        bits |= UInt64(coded[index]) << UInt64(56 - count)
        count += 8
        index += 1
      }
      guard count > 0 else { return true }
      // Behind the end stand ones, as the padding has.
      let window = UInt32(bits >> 32) | (count < 32 ? UInt32.max >> UInt32(count) : 0)
      var symbol: UInt16 = 0
      var used = 0
      let entry = direct[Int(window >> UInt32(32 - Self.directBits))]
      if entry != 0 {
        symbol = UInt16(truncatingIfNeeded: entry)
        used = Int(entry >> 16)
      } else {
        used = Self.directBits + 1
        while used < Self.longest, UInt64(window) >= ends[used] { used += 1 }
        let start = starts[used]
        symbol = symbols[start.place + Int((UInt64(window) - start.code) >> UInt64(32 - used))]
      }
      guard used <= count else {
        return count < 8 && bits >> UInt64(64 - count) == (1 << UInt64(count)) - 1
      }
      guard symbol != Self.endOfString else { return false }
      text.append(UInt8(truncatingIfNeeded: symbol))
      bits <<= UInt64(used)
      count -= used
    }
  }
}
