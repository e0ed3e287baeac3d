import Bytes
import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import PacketCapture

/// The samples, cut at every length that there is.
///
/// A capture is read from its file packet by packet; what is made of the packets does not know where the
/// file ends. So every length is tried here, on the file alone, and `DamageTests` reads on from the ends of
/// packets.
@Suite("Capture files that end anywhere")
struct SampleCutTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("SampleCaptures")

  static let samples: [String] = {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { $0.hasSuffix(".pcap.gz") }.sorted()
  }()

  @Test(
    "at every length of every sample the packets before the cut are read, and the cut is named",
    arguments: samples)
  func everyLength(name: String) throws {
    let input = try ByteInput(path: Self.folder.appendingPathComponent(name).path)
    var bytes: [UInt8] = []
    while let buffer = try input.next() { bytes += buffer }
    bytes.withByteView { all in
      var file = CaptureFile()
      var position = 0
      var lengths = 0
      guard case .nothing = file.step(all.part(0, 24), &position), position == 24 else {
        Issue.record("no file header")
        return
      }
      while position < all.count {
        let start = position
        let before = file
        guard case .packet = file.step(all, &position) else {
          Issue.record("no packet at \(start)")
          return
        }
        for length in start..<position {
          var cut = before
          var place = start
          guard case .needsMore = cut.step(all.part(0, length), &place), place == start else {
            Issue.record("\(length) bytes: something was read of the packet at \(start)")
            return
          }
          cut.finish(length - place, end: UInt64(length))
          let damage = cut.damages.first
          let isRight =
            length == start
            ? cut.damageCount == 0
            : cut.damageCount == 1 && damage?.offset == UInt64(start)
              && damage?.number == before.number + 1
          if !isRight || cut.number != before.number {
            Issue.record("\(length) bytes: \(cut.damages), \(cut.number) packets")
            return
          }
          lengths += 1
        }
      }
      #expect(lengths == all.count - 24)
      #expect(file.number > 20)
    }
  }
}
