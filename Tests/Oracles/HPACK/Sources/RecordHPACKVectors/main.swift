// Writes vectors for the tests of our HPACK decoder to standard output, one JSON object a line:
// what NIOHPACK's encoder makes of random fields, then what its decoder says of other blocks in
// their place. The same on every machine, for one version of NIOHPACK.

import Foundation

/// Blocks that mutation hardly finds, as the first of a connection.
let handwritten: [(title: String, bytes: [UInt8])] = [
  ("nothing", []),
  ("index 0", [0x80]),
  ("the last static index", [0xBD]),
  ("the first dynamic index", [0xBE]),
  ("an indexed pseudo-header field without a value", [0x81]),
  ("an empty name", [0x00, 0x00, 0x01, 0x61]),
  ("an empty Huffman-coded name", [0x40, 0x80, 0x01, 0x61]),
  ("an empty value", [0x00, 0x01, 0x61, 0x00]),
  ("an empty Huffman-coded value", [0x00, 0x01, 0x61, 0x80]),
  ("a name index of 15 in six bytes", [0x0F, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01, 0x61]),
  ("a name index of 15 in seven bytes", [0x0F, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x01, 0x61]),
  (
    "a length of 127 in eight bytes",
    [0x00, 0x01, 0x61, 0x7F, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]
      + [UInt8](repeating: 0x62, count: 127)
  ),
  ("an integer of 2^35", [0xFF, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
  (
    "an integer that overflows 64 bits",
    [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]
  ),
  ("padding of zeros", [0x00, 0x01, 0x61, 0x81, 0x18]),
  ("padding of a whole byte", [0x00, 0x01, 0x61, 0x82, 0x1F, 0xFF]),
  ("padding alone", [0x00, 0x01, 0x61, 0x81, 0xFF]),
  ("padding of seven bits", [0x00, 0x01, 0x61, 0x81, 0x7F]),
  ("the end of string, coded", [0x00, 0x01, 0x61, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
  ("bytes that are no UTF-8", [0x00, 0x01, 0x61, 0x03, 0xFF, 0x62, 0xC3]),
  ("a size of 4096", [0x3F, 0xE1, 0x1F, 0x82]),
  ("a size of 65536", [0x3F, 0xE1, 0xFF, 0x03, 0x82]),
  ("a size of 65537", [0x3F, 0xE2, 0xFF, 0x03, 0x82]),
  ("two sizes", [0x20, 0x3F, 0xE1, 0x1F, 0x82]),
  ("three sizes", [0x20, 0x21, 0x3F, 0xE1, 0x1F, 0x82]),
  ("sizes alone", [0x20, 0x3F, 0xE1, 0x1F]),
  ("a size behind a field", [0x82, 0x3F, 0xE1, 0x1F]),
  ("a size between fields", [0x82, 0x20, 0x84]),
  ("an entry that does not fit", [0x3F, 0x03, 0x40, 0x01, 0x61, 0x02, 0x62, 0x63, 0xBE]),
  ("an entry that just fits", [0x3F, 0x04, 0x40, 0x01, 0x61, 0x02, 0x62, 0x63, 0xBE]),
  (
    "a name of the entry that the field evicts",
    [0x3F, 0x05, 0x40, 0x01, 0x61, 0x01, 0x62, 0x7E, 0x03, 0x63, 0x64, 0x65, 0xBE]
  ),
]

let encoder = JSONEncoder()
encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]

func write(_ vector: some Encodable) throws {
  FileHandle.standardOutput.write(try encoder.encode(vector) + Data("\n".utf8))
}

let connections = try (0..<34).map { try Oracle.connection(UInt64($0)) }
for connection in connections { try write(connection) }
for (title, bytes) in handwritten { try write(try Oracle.forgery(title, Data(bytes))) }
var generator = SeededGenerator(seed: 7541)
var forgeries = 0
while forgeries < 330 {
  let number = generator.number(below: connections.count)
  let blocks = connections[number].blocks
  let place = generator.number(below: blocks.count)
  guard !blocks[place].bytes.isEmpty, blocks[place].bytes.count < 250 else { continue }
  // Now and then a whole block out of another connection, which knows other indices.
  let other = generator.pick(generator.pick(connections).blocks).bytes
  let bytes =
    generator.chance(1, in: 10) && other.count < 250
    ? other : Oracle.damaged(blocks[place].bytes, &generator)
  try write(try Oracle.forgery(nil, bytes, at: place, of: number, in: connections))
  forgeries += 1
}
