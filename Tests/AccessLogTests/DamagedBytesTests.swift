import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// NUL bytes in a log: where it was truncated while its server wrote on, or after a crash.
@Suite struct DamagedBytesTests {
  private static func line(_ number: Int) -> String {
    "203.0.113.\(number) - - [23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0\"\n"
  }

  private func read(_ bytes: [UInt8]) throws -> LogReading {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("nul-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(bytes).write(to: file)
    let input = try ByteInput(path: file.path, skipsNULs: true)
    let format = try #require(LogReader.recognizes(input.head, choice: .automatic))
    let reading = try LogReading(path: file.path, format)
    #expect(reading.addsUp)
    return reading
  }

  @Test(
    "NUL bytes before the first line are named, whatever their number, and the line is read",
    arguments: [1, 100, 65_535, 65_536, 65_537, 200_000, 3_000_000])
  func leading(count: Int) throws {
    let reading = try read(
      [UInt8](repeating: 0, count: count) + Array((Self.line(1) + Self.line(2)).utf8))
    #expect(reading.exchanges.map(\.client) == ["203.0.113.1", "203.0.113.2"])
    #expect(reading.record.notes["nul-bytes"] == UInt64(count))
    #expect(reading.record.damages.map(\.offset) == [0])
    #expect(reading.record.damageCount == 1)
    #expect(reading.record.skipped.isEmpty)
    #expect(reading.record.bytes == UInt64(count + (Self.line(1) + Self.line(2)).utf8.count))
  }

  @Test(
    "NUL bytes before a later line are named with line and offset, and the line is read",
    arguments: [1, 4096, 300_000, 2_500_000])
  func later(count: Int) throws {
    let before = Array(Self.line(1).utf8)
    let reading = try read(
      before + [UInt8](repeating: 0, count: count) + Array((Self.line(2) + Self.line(3)).utf8))
    #expect(reading.exchanges.map(\.client) == ["203.0.113.1", "203.0.113.2", "203.0.113.3"])
    #expect(reading.record.notes["nul-bytes"] == UInt64(count))
    #expect(reading.record.damages.map(\.offset) == [UInt64(before.count)])
    #expect(reading.record.damages.map(\.number) == [2])
    #expect(reading.record.skipped.isEmpty)
  }

  @Test("NUL bytes where the end of a line was lost cost that line only")
  func inside() throws {
    let half = Self.line(2).prefix(60)
    let reading = try read(
      Array((Self.line(1) + half).utf8) + [UInt8](repeating: 0, count: 500)
        + Array((Self.line(3) + Self.line(4)).utf8))
    #expect(reading.exchanges.map(\.client) == ["203.0.113.1", "203.0.113.3", "203.0.113.4"])
    #expect(reading.record.damages.map(\.number) == [2])
    #expect(reading.record.damages.map(\.offset) == [UInt64(Self.line(1).utf8.count + 60)])
    #expect(reading.record.notes["nul-bytes"] == 500)
  }

  @Test("NUL bytes at the end are named, and a line of nothing else is blank")
  func trailing() throws {
    let nuls = [UInt8](repeating: 0, count: 40)
    let text = Array(Self.line(1).utf8)
    let end = try read(text + nuls)
    #expect(end.exchanges.count == 1 && end.record.notes["nul-bytes"] == 40)
    #expect(end.record.damageCount == 1)
    let between = try read(text + nuls + [0x0A] + text)
    #expect(between.exchanges.count == 2 && between.record.skipped == ["blank-line": 1])
  }

  @Test("a file of NUL bytes alone has no head, and says how many there are")
  func nothingElse() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("nul-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(count: 150_000).write(to: file)
    let input = try ByteInput(path: file.path, skipsNULs: true)
    #expect(input.head.isEmpty && input.leadingNULs == 150_000)
    #expect(try input.next() == nil)
  }

  @Test("UTF-16 without a byte order mark is read as text", arguments: [false, true])
  func unmarkedUTF16(isBig: Bool) throws {
    var bytes: [UInt8] = []
    for unit in (Self.line(1) + Self.line(2).replacing("Mozilla", with: "caf\u{E9}\u{1F9F5}")).utf16
    {
      let pair = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
      bytes += isBig ? pair : pair.reversed()
    }
    let reading = try read(bytes)
    #expect(reading.exchanges.map(\.userAgent) == ["Mozilla/5.0", "caf\u{E9}\u{1F9F5}/5.0"])
    #expect(reading.record.damageCount == 0)
  }
}
