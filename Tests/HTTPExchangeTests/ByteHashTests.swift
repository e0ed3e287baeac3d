import Bytes
import HTTPExchange
import Testing

@Suite("Hashes of bytes")
struct ByteHashTests {
  private func hash(_ bytes: [UInt8], seed: UInt64 = 1) -> UInt64 {
    bytes.withByteView { ByteHash.of($0, seed: seed) }
  }

  @Test(
    "texts that differ in one byte spread over a small table",
    arguments: [1, 3, 7, 8, 9, 12, 16, 23, 40])
  func spreads(count: Int) {
    for position in 0..<count {
      var places: Set<UInt64> = []
      for value in 0..<UInt8(64) {
        var bytes = [UInt8](repeating: 0x61, count: count)
        bytes[position] = value
        places.insert(hash(bytes) & 4095)
      }
      // 64 balls in 4096 places hardly meet.
      #expect(places.count > 55, "byte \(position) of \(count)")
    }
  }

  @Test("length and seed count")
  func lengthAndSeed() {
    #expect(hash([0]) != hash([0, 0]))
    #expect(hash([1, 2, 3], seed: 1) != hash([1, 2, 3], seed: 2))
  }
}
