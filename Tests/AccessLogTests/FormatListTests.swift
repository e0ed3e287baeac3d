import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// Every format of the list, with lines of it that stand beside the tests: what is added to the list
/// needs its `Lines/Formats/NAME.log`.
@Suite struct FormatListTests {
  private static func lines(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try [UInt8](
      Data(contentsOf: folder.appendingPathComponent("Lines/Formats/\(name).log")))
  }

  static let names = LogFormat.all.map(\.name)

  @Test("every format has lines that are known for it, and reads all of them", arguments: names)
  func known(name: String) throws {
    let bytes = try Self.lines(name)
    let listed = try #require(LogFormat.named(name))
    let choice = listed.isRecognizedAlone ? FormatChoice.automatic : .format(listed)
    let format = try #require(LogReader.recognizes(bytes, choice: choice))
    #expect(format.name == name)
    let reading = try LogReading(bytes, format)
    #expect(reading.addsUp)
    #expect(reading.record.damageCount == 0)
    #expect(!reading.exchanges.isEmpty)
    for exchange in reading.exchanges {
      #expect(!exchange.method.isEmpty)
      #expect(exchange.startedAt != nil || exchange.endedAt != nil)
      #expect(exchange.url.target.hasPrefix("/") || exchange.method == "OPTIONS")
    }
    #expect(
      LogReader.firstTime(
        in: bytes, format: format, options: IngestOptions(), writtenBy: 1_800_000_000)
        == reading.exchanges.first?.time)
  }

  @Test("of every format it is said where its lines come from", arguments: names)
  func origin(name: String) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let text = try String(
      contentsOf: folder.appendingPathComponent("Lines/README.md"), encoding: .utf8)
    let rows = text.split(separator: "\n").filter {
      $0.hasPrefix("|") && $0.contains("`\(name).log`")
    }
    #expect(rows.count == 1)
    let isWritten = rows.first?.contains("written after") == true
    let format = try #require(LogFormat.named(name))
    // Formats of programs that can be run here are recorded.
    if format.summary.contains("after the documentation") { #expect(isWritten) }
  }

  @Test(
    "every format says what it hides or how to log more, and none says it twice", arguments: names)
  func described(name: String) throws {
    let format = try #require(LogFormat.named(name))
    #expect(!format.summary.isEmpty && !format.summary.hasSuffix("."))
    #expect(Set(format.hides).count == format.hides.count)
    #expect(format.hides.allSatisfy { !$0.hasSuffix(".") })
    if let configuration = format.configuration {
      #expect(configuration.hasSuffix("\n"))
    }
  }

  @Test("every prefix of its lines is read without loss", arguments: names)
  func prefixes(name: String) throws {
    let bytes = try Self.lines(name)
    let format = try #require(LogFormat.named(name))
    // Each reading has tables of its own to make, so that not every byte is an end.
    for end in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 20)) {
      let reading = try LogReading(Array(bytes[..<end]), format)
      #expect(reading.addsUp)
    }
  }

  @Test("changed bytes neither stop the reading nor lose a line", arguments: names)
  func mutations(name: String) throws {
    let bytes = try Self.lines(name)
    let format = try #require(LogFormat.named(name))
    var random = SeededGenerator(state: name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
    let hostile = Array("\"\\{}[]|,:%#\t \n\0\u{7F}-".utf8) + [0xC3, 0xFF]
    for _ in 0..<10 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: changed[place] = hostile.randomElement(using: &random) ?? 0
        case 1: changed.remove(at: place)
        default: changed.insert(hostile.randomElement(using: &random) ?? 0, at: place)
        }
      }
      let reading = try LogReading(changed, format)
      #expect(reading.addsUp)
    }
  }

  @Test("a field that a format does not record is never presented as absent", arguments: names)
  func unrecorded(name: String) throws {
    let bytes = try Self.lines(name)
    let listed = try #require(LogFormat.named(name))
    let format = try #require(
      LogReader.recognizes(
        bytes, choice: listed.isRecognizedAlone ? .automatic : .format(listed)))
    let text = String(decoding: bytes, as: UTF8.self).lowercased()
    for exchange in try LogReading(bytes, format).exchanges {
      for (name, message) in [
        (HeaderName.origin, exchange.request),
        (.accessControlAllowOrigin, exchange.response),
        (.accessControlAllowHeaders, exchange.response),
      ] where message.evidence(of: name) == .absent {
        // Absent is only what is there in the log under some name.
        let short = name == .origin ? "origin" : name == .accessControlAllowOrigin ? "acao" : "acah"
        let isNamed =
          text.contains(name.description) || text.contains(short)
          || text.contains(name.description.replacingOccurrences(of: "-", with: "_"))
        #expect(isNamed || listed.recordsAllFields || listed.requestFields[name] != nil)
      }
    }
  }
}
