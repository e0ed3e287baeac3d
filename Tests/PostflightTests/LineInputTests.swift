import Foundation
import InputBytes
import TestSupport
import Testing

@testable import Postflight

@Suite("Lines of records")
struct LineInputTests {
  /// Lengths of the lines, and what the input's damage says.
  private func read(_ lengths: [Int]) throws -> (lengths: [Int], damage: String?) {
    var bytes: [UInt8] = []
    for length in lengths { bytes += [UInt8](repeating: 0x78, count: length) + [0x0A] }
    return try withTemporaryFile(bytes, named: "records.ndjson") { path in
      var lines = LineInput(try ByteInput(path: path))
      var found: [Int] = []
      do throws(InputDamage) {
        while let line = try lines.next() { found.append(line.count) }
      } catch {
        return (found, error.what)
      }
      return (found, nil)
    }
  }

  @Test(
    "a line as long as the limit is read, and one that is longer ends the input with its number")
  func longest() throws {
    let limit = LineInput.maximumLine
    let whole = try read([3, limit, 5])
    #expect(whole.lengths == [3, limit, 5] && whole.damage == nil)
    let long = try read([3, limit + 2 * ByteInput.chunkSize, 5])
    #expect(long.lengths == [3])
    #expect(long.damage == "line 2 is longer than 8 MiB")
  }

  @Test("a stage that meets a longer line says which, and that it is no record")
  func stage() throws {
    let line = [UInt8](repeating: 0x20, count: LineInput.maximumLine + 2 * ByteInput.chunkSize)
    _ = try withTemporaryFile(Array("{\"schema\":\"postflight.".utf8) + line, named: "long.ndjson")
    {
      path in
      #expect {
        _ = try replay(StageOptions(inputs: [path])) { _ in }
      } throws: { error in
        "\(error)".contains("long.ndjson") && "\(error)".contains("longer than 8 MiB")
      }
    }
  }
}
