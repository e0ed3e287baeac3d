import Bytes
import TestSupport
import Testing

@testable import PacketCapture

@Suite("HPACK")
struct HPACKDecoderTests {
  /// A sequence of blocks of one direction, from the examples of RFC 7541, appendix C.
  struct Example: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var limit = 4096
    /// Each block, its fields, and the size of the table behind it.
    var blocks: [(hex: String, fields: [String], size: Int)]
  }

  static let requests: [([String], Int)] = [
    ([":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"], 57),
    (
      [
        ":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com",
        "cache-control: no-cache",
      ], 110
    ),
    (
      [
        ":method: GET", ":scheme: https", ":path: /index.html", ":authority: www.example.com",
        "custom-key: custom-value",
      ], 164
    ),
  ]

  static let responses: [([String], Int)] = [
    (
      [
        ":status: 302", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
      ], 222
    ),
    (
      [
        ":status: 307", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:21 GMT",
        "location: https://www.example.com",
      ], 222
    ),
    (
      [
        ":status: 200", "cache-control: private", "date: Mon, 21 Oct 2013 20:13:22 GMT",
        "location: https://www.example.com", "content-encoding: gzip",
        "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
      ], 215
    ),
  ]

  static func example(
    _ name: String, limit: Int = 4096, _ hex: [String], _ expected: [([String], Int)]
  ) -> Example {
    Example(
      testDescription: name, limit: limit,
      blocks: zip(hex, expected).map { ($0, $1.0, $1.1) })
  }

  static let examples = [
    example(
      "C.2.1 literal with indexing",
      ["400a637573746f6d2d6b65790d637573746f6d2d686561646572"],
      [(["custom-key: custom-header"], 55)]),
    example("C.2.2 literal", ["040c2f73616d706c652f70617468"], [([":path: /sample/path"], 0)]),
    example(
      "C.2.3 never indexed", ["100870617373776f726406736563726574"], [(["password: secret"], 0)]),
    example("C.2.4 indexed", ["82"], [([":method: GET"], 0)]),
    example(
      "C.3 requests",
      [
        "828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
      ], requests),
    example(
      "C.4 requests, Huffman-coded",
      [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
      ], requests),
    example(
      "C.5 responses", limit: 256,
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d"
          + "546e1768747470733a2f2f7777772e6578616d706c652e636f6d", "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f"
          + "6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630"
          + "303b2076657273696f6e3d31",
      ], responses),
    example(
      "C.6 responses, Huffman-coded", limit: 256,
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c7"
          + "8f0b97c8e9ae82ae43d3", "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335"
          + "dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
      ], responses),
  ]

  static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  @Test("the examples of the standard decode to their fields", arguments: examples)
  func standard(_ example: Example) {
    let direction = DecodedDirection()
    if example.limit != 4096 { _ = direction.decode([0x3F, 0xE1, 0x01]) }
    for block in example.blocks {
      #expect(direction.decode(Self.bytes(block.hex)) == block.fields)
      #expect(direction.isDecoded)
      #expect(direction.decoder.table.size == block.size)
    }
  }

  @Test(
    "integers",
    arguments: [
      ([0x0A], 5, 10), ([0x1F, 0x9A, 0x0A], 5, 1337), ([0x2A], 8, 42), ([0x1F, 0x00], 5, 31),
      ([0xFF], 7, nil), ([], 7, nil), ([0x7F, 0x80], 7, nil),
      ([0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], 7, nil),
      ([0x7F, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], 7, nil),
      ([0x1F, 0xE0, 0xFF, 0xFF, 0xFF, 0x0F], 5, 4_294_967_295),
    ] as [([UInt8], Int, Int?)])
  func integers(_ bytes: [UInt8], _ prefix: Int, _ expected: Int?) {
    var position = 0
    #expect(bytes.withByteView { HPACKDecoder.integer($0, &position, prefix) } == expected)
  }

  @Test("every byte survives the Huffman code, and its padding is checked")
  func huffman() {
    for byte in 0...255 as ClosedRange<UInt8> {
      for count in 1...3 {
        let plain = [UInt8](repeating: byte, count: count) + [UInt8(ascii: "z")]
        let coded = HeaderBlock.huffman(plain)
        var text = HeadBuffer()
        defer { text.deallocate() }
        let isWhole = coded.withByteView { HuffmanCode.shared.decode($0, into: &text) }
        #expect(isWhole && Array(text.bytes) == plain)
      }
    }
    var text = HeadBuffer()
    defer { text.deallocate() }
    // Padding of zeros, of eight ones, and the end of string itself.
    for coded: [UInt8] in [[0x18], [0x1F, 0xFF], [0xFF, 0xFF, 0xFF, 0xFC], [0xFF]] {
      #expect(!coded.withByteView { HuffmanCode.shared.decode($0, into: &text) })
    }
  }

  /// Random fields out of a small set of names, so that many refer to the table.
  static func fields(_ generator: inout SeededGenerator) -> [(String, String)] {
    (0..<Int.random(in: 0...12, using: &generator)).map { _ in
      let name =
        Bool.random(using: &generator)
        ? HeaderBlock.staticFields.randomElement(using: &generator)?.name ?? ""
        : "x-\(Int.random(in: 0...9, using: &generator))"
      let length = Int.random(in: 0...9, using: &generator) == 0 ? 700 : 7
      let value = String(
        repeating: "v\(Int.random(in: 0...5, using: &generator))",
        count: Int.random(in: 0...length, using: &generator))
      return (name, value)
    }
  }

  @Test("what was compressed comes back, whatever the size of the table", arguments: 1...40)
  func roundTrip(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var sender = HeaderBlock()
    let direction = DecodedDirection()
    for _ in 0..<60 {
      sender.isHuffman = Bool.random(using: &generator)
      if Int.random(in: 0...5, using: &generator) == 0 {
        sender.resize(
          Int.random(in: 0...9, using: &generator) == 0
            ? 0 : Int.random(in: 0...8192, using: &generator))
      }
      let fields = Self.fields(&generator)
      for (name, value) in fields {
        sender.add(
          name, value, HeaderBlock.Form.allCases.randomElement(using: &generator) ?? .literal)
      }
      let decoded = direction.decode(sender.take())
      #expect(direction.isDecoded)
      #expect(decoded == fields.map { "\($0): \($1)" })
      #expect(direction.decoder.table.count == sender.table.count)
    }
  }

  @Test("behind missed blocks every field is either right or unknown", arguments: 1...60)
  func missedBlocks(_ seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    var sender = HeaderBlock()
    let direction = DecodedDirection(isFromStart: seed % 2 == 0)
    sender.add("x-missed", "before")
    _ = seed % 2 == 0 ? direction.decode(sender.take()) : [String(sender.take().count)]
    var unknown = 0
    var known = 0
    for round in 0..<80 {
      if Int.random(in: 0...30, using: &generator) == 0 {
        sender.resize(Int.random(in: 64...4096, using: &generator))
      }
      let fields = Self.fields(&generator)
      for (name, value) in fields { sender.add(name, value) }
      let block = sender.take()
      if round % 20 == 10 {
        direction.decoder.loseTrack()
        continue
      }
      let decoded = direction.decode(block)
      #expect(direction.isDecoded)
      #expect(decoded.count + direction.facts.unknownFields == fields.count)
      unknown += direction.facts.unknownFields
      known += decoded.count
      // In order, with nothing invented.
      var rest = fields.map { "\($0): \($1)" }[...]
      for field in decoded {
        let place = rest.firstIndex(of: field)
        #expect(place != nil)
        rest = rest[(place.map { $0 + 1 } ?? rest.endIndex)...]
      }
    }
    #expect(known > unknown)
  }

  @Test("a table that leaves no room for unknown entries is known again")
  func knownAgain() {
    let direction = DecodedDirection(isFromStart: false)
    #expect(direction.decode([0xBE]) == [])
    #expect(direction.facts.unknownFields == 1)
    var sender = HeaderBlock()
    sender.resize(0)
    sender.resize(4096)
    sender.add("x-a", "1")
    #expect(direction.decode(sender.take()) == ["x-a: 1"])
    #expect(!direction.decoder.table.hasUnknownTail)
    #expect(direction.decode([0xBE, 0xBF]) == ["x-a: 1"])
    #expect(!direction.isDecoded, "there is no second entry")
    #expect(direction.decoder.table.hasUnknownTail, "an error costs the table")
  }

  @Test("the table's sizes stand before the fields, two at most")
  func tableSizes() {
    let direction = DecodedDirection()
    #expect(direction.decode([0x20, 0x3F, 0xE1, 0x1F, 0x82]) == [":method: GET"])
    #expect(direction.isDecoded)
    for block: [UInt8] in [[0x82, 0x3F, 0xE1, 0x1F, 0x84], [0x20, 0x21, 0x3F, 0xE1, 0x1F, 0x82]] {
      let direction = DecodedDirection()
      #expect(direction.decode(block) == (block[0] == 0x82 ? [":method: GET"] : []))
      #expect(!direction.isDecoded)
      #expect(direction.decoder.table.hasUnknownTail, "an error costs the table")
    }
  }

  @Test("a value under an unknown name is an unknown field, also from the table")
  func unknownName() {
    let direction = DecodedDirection(isFromStart: false)
    #expect(direction.decode([0x7F, 0x20, 0x01, 0x61, 0xBE, 0x82]) == [":method: GET"])
    #expect(direction.isDecoded)
    #expect(direction.facts.unknownFields == 2)
  }

  @Test("a list that grows too long is cut, and the table stays right")
  func longList() {
    let direction = DecodedDirection()
    var sender = HeaderBlock()
    sender.add("x-a", String(repeating: "a", count: 3000))
    sender.bytes += [UInt8](repeating: 0xBE, count: 60_000)
    sender.add("x-b", "2")
    let fields = direction.decode(sender.take())
    #expect(fields.count == 21)
    #expect(direction.isDecoded && direction.facts.isTooLong)
    #expect(direction.scratch.list.count <= CaptureLimits.headLength)
    #expect(direction.decode([0xBE]) == ["x-b: 2"])
  }

  @Test("a table larger than is held is unknown beyond that")
  func largeTable() {
    let direction = DecodedDirection()
    var sender = HeaderBlock()
    sender.resize(1 << 20)
    for index in 0..<3000 { sender.add("x-\(index)", "\(index)") }
    _ = direction.decode(sender.take())
    #expect(direction.isDecoded)
    #expect(direction.decoder.largeTables == 1)
    #expect(direction.decoder.table.size <= CaptureLimits.headerTable)
    sender.add("x-2999", "2999")
    sender.add("x-0", "0")
    #expect(direction.decode(sender.take()) == ["x-2999: 2999"])
    #expect(direction.facts.unknownFields == 1)
  }

  @Test("no prefix and no mutation of a block does harm", arguments: examples)
  func hostile(_ example: Example) {
    let blocks = example.blocks.map { Self.bytes($0.hex) }
    for block in blocks {
      for length in 0...block.count {
        let direction = DecodedDirection()
        _ = direction.decode(Array(block.prefix(length)))
      }
    }
    var generator = SeededGenerator(seed: 7)
    for _ in 0..<2000 {
      let direction = DecodedDirection(isFromStart: Bool.random(using: &generator))
      for var block in blocks {
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          block[Int.random(in: 0..<block.count, using: &generator)] = UInt8.random(
            in: 0...255, using: &generator)
        }
        let fields = direction.decode(block)
        #expect(direction.scratch.list.count <= CaptureLimits.headLength)
        #expect(fields.count <= block.count)
      }
    }
  }
}
