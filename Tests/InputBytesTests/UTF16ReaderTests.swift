import TestSupport
import Testing

@testable import InputBytes

@Suite("Text of UTF-16")
struct UTF16ReaderTests {
  private static let text = "\u{FEFF}a\u{E9}\u{20AC}\u{1F9F5}\r\n"

  private static func bytes(_ text: String, isBigEndian: Bool) -> [UInt8] {
    text.utf16.flatMap { unit in
      let pair = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
      return isBigEndian ? pair : pair.reversed()
    }
  }

  @Test("both byte orders are handed on as UTF-8, plain and under gzip", arguments: [false, true])
  func byteOrders(isBigEndian: Bool) throws {
    let long = Self.text + String(repeating: "x\u{20AC}\u{1F9F5}\n", count: 100_000)
    for text in [Self.text, long] {
      let stored = Self.bytes(text, isBigEndian: isBigEndian)
      let plain = try ByteInputTests.read(stored)
      #expect(plain.bytes == Array(text.utf8))
      #expect(plain.damage == nil)
      #expect(plain.offset == UInt64(text.utf8.count))
      let packed = try ByteInputTests.read(gzipMember(stored), carry: 100)
      #expect(packed.bytes == Array(text.utf8))
      #expect(packed.compression == "gzip")
    }
  }

  @Test("halves of pairs and an odd byte are U+FFFD, and nothing else is lost")
  func damaged() throws {
    let units: [(UInt16, String)] = [
      (0xD83E, "\u{FFFD}"), (0x61, "a"), (0xDDF5, "\u{FFFD}"), (0xD83E, "\u{FFFD}"),
      (0xD83E, "\u{1F9F5}"), (0xDDF5, ""), (0xD800, "\u{FFFD}"),
    ]
    var stored: [UInt8] = [0xFF, 0xFE]
    for (unit, _) in units { stored += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
    let expected = "\u{FEFF}" + units.map(\.1).joined()
    #expect(try ByteInputTests.read(stored).bytes == Array(expected.utf8))
    let odd = try ByteInputTests.read([0xFF, 0xFE, 0x61, 0x00, 0x62])
    #expect(odd.bytes == Array("\u{FEFF}a\u{FFFD}".utf8))
    #expect(try ByteInputTests.read([0xFF, 0xFE]).bytes == Array("\u{FEFF}".utf8))
    #expect(try ByteInputTests.read([0xFF]).bytes == [0xFF])
  }
}
