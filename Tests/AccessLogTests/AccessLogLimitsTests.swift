import Bytes
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

  @Test("of a header block with more fields than the limit the rest is unknown, never absent")
  func blockFields() throws {
    func response(_ count: Int) throws -> MessageEvidence {
      let vary = (0..<count - 1).map { "\"v\($0)\"" }.joined(separator: ",")
      let line =
        #"{"level":"info","ts":1795460074.9,"logger":"http.log.access","msg":"handled request","#
        + #""request":{"remote_ip":"192.0.2.1","proto":"HTTP/2.0","method":"GET","#
        + #""host":"api.example","uri":"/a","headers":{"Origin":["https://app.example"]}},"#
        + "\"status\":200,\"resp_headers\":{\"Vary\":[\(vary)],"
        + #""Access-Control-Allow-Origin":["*"]}}"#
      let bytes = Array((line + "\n").utf8)
      let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
      return try #require(try LogReading(bytes, format).exchanges.first).response
    }
    let most = try response(AccessLogLimits.blockFields)
    #expect(most.coverage == .complete && most.first(.accessControlAllowOrigin) == "*")
    for count in [AccessLogLimits.blockFields + 1, 3 * AccessLogLimits.blockFields] {
      let more = try response(count)
      #expect(more.fields.count <= AccessLogLimits.blockFields)
      #expect(more.coverage == .truncated, "\(count) fields")
    }
  }

  // MARK: Coats

  private func composed(_ service: String, _ line: String) -> String {
    "\(service)  | \(line)\n"
  }

  @Test("a coat is decided on by the first lines alone")
  func coatTrial() {
    let lines = (0..<2 * AccessLogLimits.coatTrialLines).map { _ in
      composed("web", LogReaderTests.good)
    }
    let head = Array(lines.joined().utf8)
    func count(isTrial: Bool) -> Int {
      CoatRemoval(head, [.compose], isTrial: isTrial).text.count { $0 == 0x0A }
    }
    #expect(count(isTrial: true) == AccessLogLimits.coatTrialLines)
    #expect(count(isTrial: false) == 2 * AccessLogLimits.coatTrialLines)
  }

  @Test("senders beyond the limit share one count, and all lines of them are read")
  func senders() throws {
    func reading(_ count: Int) throws -> LogReading {
      let lines = (0..<count).map { composed("web-\($0)", LogReaderTests.good) }
      let text = lines.joined() + composed("other", "Listening on 8080")
      let format = try #require(LogReader.recognizes(Array(text.utf8), choice: .automatic))
      return try LogReading(Array(text.utf8), format)
    }
    let few = try reading(AccessLogLimits.senders - 1)
    #expect(few.exchanges.count == AccessLogLimits.senders - 1)
    #expect(few.record.skipped == ["other-output": 1] && few.record.damageCount == 0)
    // The last of them shares its place with one that does write lines of the log.
    let many = try reading(2 * AccessLogLimits.senders)
    #expect(many.exchanges.count == 2 * AccessLogLimits.senders)
    #expect(many.record.skipped == ["unreadable-line": 1] && many.record.damageCount == 1)
    #expect(few.addsUp && many.addsUp)
  }

  @Test("a service whose name is longer than any is none")
  func serviceName() {
    func coats(_ length: Int) -> [String]? {
      let line = composed(String(repeating: "w", count: length), LogReaderTests.good)
      return LogReader.recognizes(Array((line + line).utf8), choice: .automatic)?.coats.map(\.name)
    }
    #expect(coats(AccessLogLimits.serviceNameBytes) == ["compose"])
    #expect(coats(AccessLogLimits.serviceNameBytes + 1) != ["compose"])
  }

  // MARK: Inputs

  @Test("a log may change its format a few times; lines of further ones are counted as unreadable")
  func formats() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Lines/Formats")
    let samples = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".log") }.sorted()
    var text: [UInt8] = []
    var found: [String] = []
    for sample in samples where found.count < AccessLogLimits.formatsOfOneLog + 3 {
      let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent(sample)))
      let lines = bytes.split(separator: 0x0A).filter { $0.first != UInt8(ascii: "#") }
      var part: [UInt8] = []
      for line in lines.prefix(3) { part += Array(line) + [0x0A] }
      guard let format = LogReader.recognizes(part, choice: .automatic), format.coats.isEmpty,
        !found.contains(format.name)
      else { continue }
      found.append(format.name)
      text += part
    }
    try #require(found.count == AccessLogLimits.formatsOfOneLog + 3)
    let format = try #require(LogReader.recognizes(text, choice: .automatic))
    let reading = try LogReading(text, format)
    #expect(reading.addsUp)
    #expect(reading.record.skipped["unreadable-line"] ?? 0 >= 2, "\(reading.record.skipped)")
    #expect(reading.record.damageCount >= 2)
  }

  /// An archive of entries, each with more members.
  private func archive(_ entries: [String]) -> [UInt8] {
    let start =
      #"{"startedDateTime":"2026-11-25T08:00:21.9Z","time":1,"request":{"method":"GET","url":"#
      + #""http://api.example/","httpVersion":"HTTP/1.1","headers":[]},"response":{"status":200,"#
      + #""httpVersion":"HTTP/1.1","headers":[]}"#
    let list = entries.map { start + $0 + "}" }.joined(separator: ",")
    return Array(
      (#"{"log":{"version":"1.2","creator":{"name":"x"},"entries":["# + list + "]}}").utf8)
  }

  @Test("an entry of an archive that is too long is counted and named, and the next one is read")
  func archiveEntry() throws {
    let long = ",\"x\":[" + String(repeating: "1,", count: HARScanner.entryBytes / 2) + "1]"
    let bytes = archive(["", long, ""])
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let reading = try LogReading(bytes, format)
    #expect(reading.exchanges.map(\.id.number) == [1, 3])
    #expect(reading.record.skipped == ["entry-too-long": 1])
    #expect(
      reading.record.damages.map(\.what) == [
        "1 entries of more than \(HARScanner.entryBytes) bytes"
      ])
    #expect(reading.addsUp)
  }

  @Test("the text of a body costs an archive's entry nothing, however long it is")
  func archiveText() throws {
    let body = String(repeating: "b\\n", count: HARScanner.entryBytes)
    let bytes = archive(["", ",\"text\":\"\(body)\"", ""])
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let reading = try LogReading(bytes, format)
    #expect(reading.exchanges.count == 3 && reading.record.skipped == [:] && reading.addsUp)
    var scanner = HARScanner()
    var longest = 0
    bytes.withByteView { scanner.take($0) { entry, _ in longest = max(longest, entry.count) } }
    #expect(longest > HARScanner.textBytes && longest < HARScanner.textBytes + 1000)
  }

  @Test("what an input is, is decided by its first bytes alone")
  func head() {
    func recognized(_ padding: Int) -> String? {
      let comment = String(repeating: "c", count: padding)
      let text = #"{"log":{"comment":""# + comment + #"","creator":{"name":"x"},"entries":[]}}"#
      return LogReader.recognizes(Array(text.utf8), choice: .automatic)?.name
    }
    #expect(recognized(LogReader.headLimit - 100) == "har")
    #expect(recognized(LogReader.headLimit) == nil)
  }
}
