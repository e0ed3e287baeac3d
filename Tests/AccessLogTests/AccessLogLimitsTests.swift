import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// Each bound of `AccessLogLimits` is reached, says so, and costs nothing but what lies beyond it.
///
/// That of a line stands beside the reader's tests.
@Suite("Limits of access logs")
struct AccessLogLimitsTests {
  private static let start =
    #"{"time":"2026-11-23T18:54:34Z","method":"GET","uri":"/a","status":200"#

  private func readJSON(_ lines: [String]) throws -> LogReading {
    try LogReading(Array((lines.joined(separator: "\n") + "\n").utf8), .jsonLines)
  }

  @Test("a format of more fields than the limit is refused at the first beyond it")
  func formatFields() throws {
    let most = "$msec $request " + String(repeating: "$status ", count: AccessLogLimits.fields - 2)
    #expect(throws: Never.self) { try FormatChoice(argument: most) }
    let error = #expect(throws: FormatError.self) { try FormatChoice(argument: most + "$host") }
    #expect(error?.reason.contains("\(AccessLogLimits.fields)") == true)
    #expect(error?.column == most.utf8.count + 1)
    let apache = "%t %r " + String(repeating: "%s ", count: AccessLogLimits.fields - 1)
    #expect(throws: FormatError.self) { try FormatChoice(argument: apache) }
  }

  @Test("a JSON line of more members than the limit is counted as unreadable, and the next is read")
  func jsonMembers() throws {
    func line(_ members: Int) -> String {
      Self.start + (4..<members).map { ",\"m\($0)\":1" }.joined() + "}"
    }
    let reading = try readJSON([
      line(AccessLogLimits.fields), line(AccessLogLimits.fields + 1), line(8),
    ])
    #expect(reading.exchanges.map(\.id.number) == [1, 3])
    #expect(reading.record.skipped == ["unreadable-line": 1])
    #expect(reading.addsUp)
  }

  @Test("JSON that nests deeper than the limit is counted as unreadable")
  func jsonDepth() throws {
    func line(_ depth: Int) -> String {
      Self.start + ",\"x\":" + String(repeating: "[", count: depth)
        + String(repeating: "]", count: depth) + "}"
    }
    let reading = try readJSON([
      line(AccessLogLimits.jsonDepth), line(AccessLogLimits.jsonDepth + 1), line(100_000), line(1),
    ])
    #expect(reading.exchanges.map(\.id.number) == [1, 4])
    #expect(reading.record.skipped == ["unreadable-line": 2])
  }

  @Test("lines of more layouts than are remembered are all read")
  func layouts() throws {
    let count = AccessLogLimits.layouts + 40
    let lines = (0..<count).map { Self.start + ",\"extra-\($0)\":1}" }
    let reading = try readJSON(lines + lines)
    #expect(reading.exchanges.count == 2 * count)
    #expect(reading.addsUp)
  }

  @Test("a format is recognised by the first lines, of which a share has to fit")
  func recognition() {
    let good = LogReaderTests.good
    func recognized(good count: Int, of all: Int, bad: String = "x y z") -> String? {
      let lines = (0..<all).map { $0 % (all / max(count, 1)) == 0 ? good : bad }
      let text = lines.joined(separator: "\n") + "\n"
      return LogReader.recognizes(Array(text.utf8), choice: .automatic)?.name
    }
    #expect(recognized(good: 25, of: 100) == "combined")
    #expect(recognized(good: 20, of: 100) == nil)
    let late =
      String(repeating: "x\n", count: AccessLogLimits.recognitionLines)
      + String(repeating: good + "\n", count: 100)
    #expect(LogReader.recognizes(Array(late.utf8), choice: .automatic) == nil)
  }

  @Test("a file too large for a configuration is refused with its name")
  func configuration() throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("large-\(UUID().uuidString).conf")
    try Data(repeating: 0x0A, count: AccessLogLimits.configurationBytes + 1).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let error = #expect(throws: FormatError.self) { try FormatChoice(argument: "@\(file.path)") }
    #expect(error?.file == file.path)
    #expect(error?.reason == "too large for a configuration file")
  }

  @Test("values and hosts beyond those that are kept for reuse are the same as those within")
  func reuse() throws {
    let pattern =
      "$msec $request_method $scheme://$http_host$request_uri $status \"$http_user_agent\""
    guard case .format(let format) = try FormatChoice(argument: pattern) else { return }
    let count = AccessLogLimits.internedValues + 2000
    let longAgent = String(repeating: "a", count: AccessLogLimits.internedValueBytes)
    let longHost = String(repeating: "h", count: AccessLogLimits.baseURLBytes)
    let lines = (0..<count).map { number in
      let suffix = number % 50 == 0 ? longHost : "example"
      let agent = number % 50 == 1 ? longAgent : "agent"
      return "1795460074.930 GET https://n\(number).\(suffix)/ 200 \"\(agent) \(number)\""
    }
    let reading = try LogReading(Array(lines.joined(separator: "\n").utf8), format)
    #expect(reading.exchanges.count == count)
    for (number, exchange) in reading.exchanges.enumerated() {
      let suffix = number % 50 == 0 ? longHost : "example"
      let agent = number % 50 == 1 ? longAgent : "agent"
      if exchange.url.host != "n\(number).\(suffix)" || exchange.userAgent != "\(agent) \(number)" {
        Issue.record("line \(number): \(exchange.url) \(exchange.userAgent ?? "")")
      }
    }
  }
}
