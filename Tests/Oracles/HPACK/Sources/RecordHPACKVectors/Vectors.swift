import Foundation
import NIOCore
import NIOHPACK

/// The blocks of one direction of a connection, in order, with their fields as name and value.
struct ConnectionVector: Encodable {
  struct Block: Encodable {
    var bytes: Data
    var fields: [[String]]
  }

  var isHuffman: Bool
  var blocks: [Block]
}

/// A block that stands in the place of a connection's own, and what NIOHPACK makes of it.
struct ForgeryVector: Encodable {
  /// The outcome of a block: its fields, or the name of the error.
  enum Outcome: Encodable {
    case fields([[String]])
    case failure(String)

    private enum Key: CodingKey { case fields, failure }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      switch self {
      case .fields(let fields): try container.encode(fields, forKey: .fields)
      case .failure(let name): try container.encode(name, forKey: .failure)
      }
    }
  }

  /// What it shows, for one that was written by hand.
  var title: String?
  /// The connection whose blocks come before; none for a connection's first block.
  var connection: Int?
  /// How many blocks come before.
  var place: Int
  var bytes: Data
  /// Of the block, and while there is no failure of those that follow in the connection.
  var outcomes: [Outcome]
}

/// The encoder and decoder that are taken at their word.
enum Oracle {
  /// The largest table that our decoder holds, too.
  private static let largestTable = 65536

  /// A decoder that allows a table of up to ``largestTable``, but starts with the usual 4096 bytes.
  static func decoder() throws -> HPACKDecoder {
    var decoder = HPACKDecoder(
      allocator: ByteBufferAllocator(), maxDynamicTableSize: largestTable,
      maxHeaderListSize: 1 << 20)
    var update = ByteBuffer(bytes: [0x3F, 0xE1, 0x1F])
    _ = try decoder.decodeHeaders(from: &update)
    return decoder
  }

  static func decode(_ bytes: Data, _ decoder: inout HPACKDecoder) -> ForgeryVector.Outcome {
    var buffer = ByteBuffer(bytes: bytes)
    do {
      return .fields(pairs(try decoder.decodeHeaders(from: &buffer)))
    } catch {
      return .failure("\(type(of: error))")
    }
  }

  private static func pairs(_ fields: HPACKHeaders) -> [[String]] {
    fields.map { [$0.name, $0.value] }
  }

  /// A connection of random fields.
  static func connection(_ seed: UInt64) throws -> ConnectionVector {
    var generator = SeededGenerator(seed: seed)
    let isHuffman = seed % 2 == 0
    var encoder = HPACKEncoder(allocator: ByteBufferAllocator(), useHuffmanEncoding: isHuffman)
    var decoder = try decoder()
    var connection = ConnectionVector(isHuffman: isHuffman, blocks: [])
    for _ in 0..<4 + generator.number(below: 8) {
      while generator.chance(1, in: 4) {
        let size =
          switch generator.number(below: 5) {
          case 0: 0
          case 1: generator.number(below: largestTable + 1)
          default: 32 + generator.number(below: 400)
          }
        try encoder.setDynamicTableSize(size)
      }
      let fields = RandomFields.list(longOnceIn: seed % 8 < 2 ? 25 : 5000, &generator)
      var buffer = ByteBuffer()
      try encoder.encode(headers: fields, to: &buffer)
      let block = ConnectionVector.Block(
        bytes: Data(buffer.readableBytesView), fields: pairs(fields))
      // The two halves of the oracle must agree first.
      guard case .fields(block.fields) = decode(block.bytes, &decoder) else {
        throw Disagreement(seed: seed, block: connection.blocks.count)
      }
      connection.blocks.append(block)
    }
    return connection
  }

  /// NIOHPACK's decoder does not read what its encoder wrote.
  struct Disagreement: Error {
    var seed: UInt64
    var block: Int
  }

  /// What becomes of a connection in which a block was replaced.
  static func forgery(
    _ title: String? = nil, _ bytes: Data, at place: Int = 0, of connection: Int? = nil,
    in connections: [ConnectionVector] = []
  ) throws -> ForgeryVector {
    var decoder = try decoder()
    let blocks = connection.map { connections[$0].blocks } ?? []
    for block in blocks[..<place] { _ = decode(block.bytes, &decoder) }
    var outcomes: [ForgeryVector.Outcome] = []
    for block in [bytes] + blocks[min(place + 1, blocks.count)...].prefix(2).map(\.bytes) {
      let outcome = decode(block, &decoder)
      outcomes.append(outcome)
      guard case .fields(let fields) = outcome else { break }
      // Bytes that are no UTF-8 were replaced by longer ones: entries have other sizes from here.
      if fields.joined().contains(where: { $0.unicodeScalars.contains("\u{FFFD}") }) { break }
    }
    return ForgeryVector(
      title: title, connection: connection, place: place, bytes: bytes, outcomes: outcomes)
  }

  /// Damages a block, which is not empty.
  static func damaged(_ bytes: Data, _ generator: inout SeededGenerator) -> Data {
    var damaged = bytes
    let index = generator.number(below: bytes.count)
    switch generator.number(below: 8) {
    case 0: damaged = bytes.prefix(index)
    case 1: damaged.remove(at: index)
    case 2: damaged.insert(bytes[index], at: index)
    case 3: damaged[index] = UInt8(truncatingIfNeeded: generator.next())
    case 4:
      for _ in 0..<3 {
        damaged[generator.number(below: bytes.count)] ^= 1 << UInt8(generator.number(below: 8))
      }
    default: damaged[index] ^= 1 << UInt8(generator.number(below: 8))
    }
    return damaged
  }
}
