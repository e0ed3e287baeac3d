import Bytes

@testable import PacketCapture

/// Compresses header blocks, as senders do.
struct HeaderBlock {
  /// How a field is written.
  enum Form: CaseIterable {
    case indexed, literal, neverIndexed
  }

  var bytes: [UInt8] = []
  /// What was inserted, newest first.
  var table: [(name: String, value: String)] = []
  var limit = 4096
  var isHuffman = false

  /// A field, as a reference where one is possible and `form` is `.indexed`.
  mutating func add(_ name: String, _ value: String, _ form: Form = .indexed) {
    let entries = Self.staticFields + table
    if form == .indexed,
      let index = entries.firstIndex(where: { $0.name == name && $0.value == value })
    {
      integer(index + 1, 7, 0x80)
      return
    }
    let nameIndex = entries.firstIndex { $0.name == name }.map { $0 + 1 } ?? 0
    switch form {
    case .indexed: integer(nameIndex, 6, 0x40)
    case .literal: integer(nameIndex, 4, 0)
    case .neverIndexed: integer(nameIndex, 4, 0x10)
    }
    if nameIndex == 0 { string(name) }
    string(value)
    guard form == .indexed else { return }
    table.insert((name, value), at: 0)
    evict()
  }

  mutating func resize(_ size: Int) {
    limit = size
    integer(size, 5, 0x20)
    evict()
  }

  private mutating func evict() {
    func size() -> Int { table.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 32 } }
    while size() > limit { table.removeLast() }
  }

  /// Starts the next block of the same direction.
  mutating func take() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  mutating func integer(_ value: Int, _ prefix: Int, _ pattern: UInt8) {
    let mask = (1 << prefix) - 1
    if value < mask {
      bytes.append(pattern | UInt8(value))
      return
    }
    bytes.append(pattern | UInt8(mask))
    var rest = value - mask
    while rest >= 128 {
      bytes.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func string(_ text: String) {
    let plain = Array(text.utf8)
    let coded = isHuffman ? Self.huffman(plain) : plain
    integer(coded.count, 7, isHuffman ? 0x80 : 0)
    bytes += coded
  }

  /// The codes, counted out from their lengths.
  private static let codes: [(code: UInt64, length: Int)] = {
    var codes = [(code: UInt64, length: Int)](repeating: (0, 0), count: 257)
    var next: UInt64 = 0
    for length in 1...30 {
      next <<= 1
      for symbol in 0..<257 where Int(HuffmanCode.lengths[symbol]) == length {
        codes[symbol] = (next, length)
        next += 1
      }
    }
    return codes
  }()

  static func huffman(_ plain: [UInt8]) -> [UInt8] {
    var bits: [Bool] = []
    for byte in plain {
      let (code, length) = codes[Int(byte)]
      for shift in (0..<length).reversed() { bits.append(code >> UInt64(shift) & 1 == 1) }
    }
    while bits.count % 8 != 0 { bits.append(true) }
    return stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<start + 8].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }
  }

  static let staticFields: [(name: String, value: String)] = (1...StaticTable.count).map {
    (
      String(decoding: StaticTable.shared.name($0), as: UTF8.self),
      String(decoding: StaticTable.shared.value($0), as: UTF8.self)
    )
  }
}

/// A decoder as one direction has it.
final class DecodedDirection {
  var decoder: HPACKDecoder
  var scratch = HPACKDecoder.Scratch()
  var facts = HeaderFacts()
  var isDecoded = false

  init(isFromStart: Bool = true) {
    decoder = HPACKDecoder(isFromStart: isFromStart)
  }

  deinit {
    decoder.deallocate()
    scratch.deallocate()
  }

  /// `name: value` of each field that is known.
  func decode(_ block: [UInt8]) -> [String] {
    isDecoded = block.withByteView { decoder.decode($0, &scratch, &facts) }
    var fields: [String] = []
    FieldList.forEach(scratch.list.bytes) {
      fields.append(
        "\(String(decoding: $0, as: UTF8.self)): \(String(decoding: $1, as: UTF8.self))")
    }
    return fields
  }
}
