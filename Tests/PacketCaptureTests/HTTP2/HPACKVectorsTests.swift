import Foundation
import Testing

@testable import PacketCapture

/// Our decoder against NIOHPACK, which `Scripts/record-hpack-vectors` asked.
@Suite("HPACK against NIOHPACK")
struct HPACKVectorsTests {
  /// The blocks of one direction of a connection, as NIOHPACK encoded them.
  struct Connection: Decodable {
    struct Block: Decodable {
      var bytes: Data
      var fields: [[String]]
    }

    var isHuffman: Bool
    var blocks: [Block]
  }

  /// A block in the place of a connection's own, and what NIOHPACK made of it and of those behind.
  struct Forgery: Decodable {
    /// Either the fields, or the name of the error.
    struct Outcome: Decodable {
      var fields: [[String]]?
      var failure: String?
    }

    var title: String?
    var connection: Int?
    var place: Int
    var bytes: Data
    var outcomes: [Outcome]
  }

  struct Vectors {
    var connections: [Connection] = []
    var forgeries: [Forgery] = []

    init() throws {
      let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("HPACKVectors.ndjson")
      let decoder = JSONDecoder()
      for line in try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")) {
        if line.prefix(9) == Data("{\"blocks\"".utf8) {
          connections.append(try decoder.decode(Connection.self, from: line))
        } else {
          forgeries.append(try decoder.decode(Forgery.self, from: line))
        }
      }
    }
  }

  /// Name and value as our list gives them: without white space around the value.
  private static func expected(_ fields: [[String]]) -> [String] {
    fields.map { field in
      let value = field[1].drop { $0 == " " || $0 == "\t" }
      let blanks = value.reversed().prefix { $0 == " " || $0 == "\t" }.count
      return "\(field[0]): \(value.dropLast(blanks))"
    }
  }

  @Test("every block of NIOHPACK's encoder decodes to the fields that went into it")
  func encoded() throws {
    let vectors = try Vectors()
    #expect(vectors.connections.count >= 30)
    #expect(Set(vectors.connections.map(\.isHuffman)).count == 2)
    for (number, connection) in vectors.connections.enumerated() {
      let direction = DecodedDirection()
      for (place, block) in connection.blocks.enumerated() {
        let fields = direction.decode(Array(block.bytes))
        #expect(direction.isDecoded, "block \(place) of connection \(number)")
        #expect(fields == Self.expected(block.fields), "block \(place) of connection \(number)")
        #expect(direction.facts.unknownFields == 0 && !direction.decoder.table.hasUnknownTail)
      }
    }
  }

  /// What NIOHPACK refuses and we read, since an observer has to.
  private static let tolerated = [
    // The limit stands in SETTINGS of the other direction, which may not have been captured.
    "InvalidDynamicTableSize",
    // No error of the compression: the field is malformed, the fields beside it are not.
    "EmptyLiteralHeaderFieldName",
  ]

  /// What NIOHPACK reads and we refuse, as RFC 7541, section 5.1, demands of what exceeds a limit.
  private static let refused = [
    // No value below 2^32 needs more than five bytes behind the prefix.
    "a name index of 15 in seven bytes", "a length of 127 in eight bytes",
  ]

  @Test("of any other block we say what NIOHPACK's decoder says")
  func forged() throws {
    let vectors = try Vectors()
    #expect(vectors.forgeries.count >= 300)
    var decoded = 0
    var failed = 0
    for (number, forgery) in vectors.forgeries.enumerated() {
      let direction = DecodedDirection()
      let blocks = forgery.connection.map { vectors.connections[$0].blocks } ?? []
      for block in blocks.prefix(forgery.place) { _ = direction.decode(Array(block.bytes)) }
      let following = [forgery.bytes] + blocks.dropFirst(forgery.place + 1).map(\.bytes)
      for (bytes, outcome) in zip(following, forgery.outcomes) {
        let place = "forgery \(number), \(forgery.title ?? bytes.base64EncodedString())"
        let fields = direction.decode(Array(bytes))
        if let failure = outcome.failure {
          failed += 1
          let isTolerated = Self.tolerated.contains(failure)
          // One that was written by hand has no other fault.
          let isDecodedRightly =
            isTolerated ? direction.isDecoded || forgery.title == nil : !direction.isDecoded
          #expect(isDecodedRightly, "\(place): \(failure)")
        } else if Self.refused.contains(forgery.title ?? "") {
          #expect(!direction.isDecoded, "\(place)")
        } else {
          decoded += 1
          #expect(direction.isDecoded, "\(place)")
          #expect(fields == Self.expected(outcome.fields ?? []), "\(place)")
          #expect(direction.facts.unknownFields == 0, "\(place)")
        }
      }
    }
    #expect(decoded > 100 && failed > 100)
  }
}
