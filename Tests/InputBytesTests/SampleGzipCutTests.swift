import Foundation
import InputBytes
import Testing

/// The smallest packed sample, cut at every length.
@Suite("Packed files that end anywhere")
struct SampleGzipCutTests {
  @Test(
    "at every length what was packed before the cut is delivered, and the cut is named",
    arguments: ["firefox-calls.log.gz"])
  func everyLength(name: String) throws {
    let file = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("SampleCaptures/\(name)")
    let stored = try [UInt8](Data(contentsOf: file))
    let whole = try ByteInputTests.read(stored)
    #expect(whole.damage == nil && whole.bytes.count > 4 * stored.count)
    var before = 0
    for length in 2..<stored.count {
      let cut = try ByteInputTests.read(Array(stored.prefix(length)))
      #expect(cut.compression == "gzip")
      let isPrefix = whole.bytes.prefix(cut.bytes.count).elementsEqual(cut.bytes)
      #expect(isPrefix && cut.bytes.count >= before, "\(length) bytes")
      #expect(cut.damage?.offset == UInt64(cut.bytes.count), "\(length) bytes")
      before = cut.bytes.count
    }
    // Of the last bytes only the checksum is missing.
    #expect(before == whole.bytes.count)
  }
}
