import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// What stands around lines: each coat has a sample of the same twelve lines in `CoatedLines`.
///
/// Those of the journal, of syslog and of Docker were written by journalctl, rsyslogd and dockerd, the
/// others after the producers' documentation.
@Suite("Coats around log lines")
struct CoatTests {
  private static func sample(_ coat: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
    return try [UInt8](
      Data(contentsOf: folder.appendingPathComponent("CoatedLines/\(coat).log")))
  }

  /// The first twelve lines of requests of a browser, as nginx wrote them; one holds no request.
  private static func plainLines() throws -> [String] {
    try BrowserLines.bytes("h2-cors").split(separator: 0x0A).prefix(12)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  private func reading(
    _ bytes: [UInt8], _ choice: FormatChoice = .automatic
  ) throws -> (reading: LogReading, format: LogFormat) {
    let format = try #require(LogReader.recognizes(bytes, choice: choice))
    return (try LogReading(bytes, format), format)
  }

  /// What an exchange says apart from where it stands.
  private func content(_ exchange: Exchange) -> Exchange {
    var exchange = exchange
    exchange.id = ExchangeID(source: "", number: 1)
    return exchange
  }

  /// A text as JSON writes it.
  private func escaped(_ text: some StringProtocol) -> String {
    String(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n")
  }

  @Test("every coat has its sample, is recognised, and hides nothing", arguments: LogCoat.all)
  func samples(coat: LogCoat) throws {
    let bytes = try Self.sample(coat.name)
    let (reading, format) = try reading(bytes)
    #expect(format.coats.map(\.name) == [coat.name])
    #expect(reading.record.format == "key-value in \(coat.name)")
    #expect(reading.addsUp)
    #expect(reading.record.damageCount == 0, "\(reading.record.damages)")
    #expect(reading.record.skipped["other-output"] == 1)
    var plain = try LogReading(
      Array(try Self.plainLines().joined(separator: "\n").utf8), .keyValue
    ).exchanges.map(content)
    if coat.name == "journal" || coat.name == "journal-json" {
      // One line was given bytes that are no UTF-8, which the journal writes in another way.
      plain[6].userAgent = plain[6].userAgent.map { "caf" + WireText.decode([0xE9, 0x01]) + $0 }
    }
    #expect(reading.exchanges.map(content) == plain)
    let first = LogReader.firstTime(
      in: bytes, format: format, options: IngestOptions(), writtenBy: 1_800_000_000)
    #expect(first == plain.first?.time)
  }

  @Test("an exchange is found on the line of the file that it begins on", arguments: LogCoat.all)
  func numbers(coat: LogCoat) throws {
    let bytes = try Self.sample(coat.name)
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    let (reading, _) = try reading(bytes)
    #expect(Set(reading.exchanges.map(\.id.number)).count == reading.exchanges.count)
    for exchange in reading.exchanges {
      let number = Int(exchange.id.number)
      // An entry of the journal begins with its first field.
      let count = coat.name == "journal" ? 14 : 1
      let text = lines[(number - 1)..<min(number - 1 + count, lines.count)]
        .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
      // JSON writes some bytes of a query in another way, and the journal some lines whole.
      let path = String(exchange.url.target.prefix { $0 != "?" })
      #expect(
        text.contains(path) || text.contains("\"MESSAGE\":["), "\(number): \(path)")
    }
  }

  @Test(
    "no prefix and no change of a sample is fatal, and all lines add up", arguments: LogCoat.all)
  func hostile(coat: LogCoat) throws {
    let bytes = try Self.sample(coat.name)
    let (_, format) = try reading(bytes)
    for end in stride(from: 0, to: bytes.count, by: 97) {
      #expect(try LogReading(Array(bytes[..<end]), format).addsUp, "\(end) bytes")
    }
    var random = SeededGenerator(state: 7)
    for _ in 0..<150 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed.remove(at: place)
        default:
          changed.insert([0x0A, 0x22, 0x5C, 0x20].randomElement(using: &random) ?? 0, at: place)
        }
      }
      #expect(try LogReading(changed, format).addsUp)
    }
  }

  @Test("parts of lines are joined within their stream, while another one writes between them")
  func streams() throws {
    let lines = try Self.plainLines()
    func cri(_ stream: String, _ tag: String, _ text: some StringProtocol) -> String {
      "2026-11-23T18:54:34.930123456Z \(stream) \(tag) \(text)\n"
    }
    let text =
      cri("stdout", "P", lines[1].prefix(100)) + cri("stderr", "P", lines[2].prefix(50))
      + cri("stdout", "F", lines[1].dropFirst(100)) + cri("stderr", "F", lines[2].dropFirst(50))
      + cri("stdout", "F", lines[3])
    let (reading, _) = try reading(Array(text.utf8))
    #expect(reading.exchanges.map(\.id.number) == [1, 2, 5])
    #expect(reading.record.skipped == ["line-part": 2])
    #expect(reading.addsUp)
    #expect(reading.record.damageCount == 0)
  }

  @Test("a line whose last part is missing is cut, and one that only lacks its line feed is read")
  func unfinished() throws {
    let lines = try Self.plainLines()
    func docker(_ text: String) -> String {
      "{\"log\":\"\(escaped(text))\",\"stream\":\"stdout\",\"time\":\"2026-11-23T18:54:34.9Z\"}\n"
    }
    let start = docker(lines[1] + "\n")
    let whole = try reading(Array((start + docker(lines[2])).utf8)).reading
    #expect(whole.exchanges.map(\.id.number) == [1, 2])
    #expect(whole.record.damageCount == 0 && whole.addsUp)
    let cut = try reading(Array((start + docker(String(lines[2].prefix(90)))).utf8)).reading
    #expect(cut.exchanges.map(\.id.number) == [1])
    #expect(cut.record.skipped == ["cut-line": 1])
    let damage = try #require(cut.record.damages.first)
    #expect(damage.number == 2 && damage.offset == UInt64(start.utf8.count))
    #expect(cut.addsUp)
  }

  @Test("a joined line over the limit is skipped with its place, and memory stays bounded")
  func longJoined() throws {
    let lines = try Self.plainLines()
    let part = "2026-11-23T18:54:34.9Z stdout P " + String(repeating: "x", count: 300_000) + "\n"
    let end = "2026-11-23T18:54:34.9Z stdout F end\n"
    let good = "2026-11-23T18:54:34.9Z stdout F \(lines[1])\n"
    let text = good + String(repeating: part, count: 20) + end + good
    let (reading, _) = try reading(Array(text.utf8))
    #expect(reading.exchanges.map(\.id.number) == [1, 23])
    #expect(reading.record.skipped == ["line-part": 20, "line-too-long": 1])
    #expect(reading.record.damages.first?.number == 2)
    #expect(reading.addsUp)
  }

  @Test("of more parted lines than are kept the first is given up, and nothing is lost silently")
  func manyStreams() throws {
    let lines = try Self.plainLines()
    var text = ""
    func journal(_ stream: Int, _ part: some StringProtocol, isPartial: Bool) -> String {
      "{\"__REALTIME_TIMESTAMP\":\"1\",\"SYSLOG_IDENTIFIER\":\"nginx\",\"_STREAM_ID\":\"s"
        + "\(stream)\"" + (isPartial ? ",\"_LINE_BREAK\":\"line-max\"" : "")
        + ",\"MESSAGE\":\"\(escaped(part))\"}\n"
    }
    let count = AccessLogLimits.partedLines + 5
    text += journal(-1, lines[1], isPartial: false)
    for stream in 0..<count { text += journal(stream, lines[1].prefix(80), isPartial: true) }
    for stream in 0..<count { text += journal(stream, lines[1].dropFirst(80), isPartial: false) }
    let (reading, _) = try reading(Array(text.utf8))
    #expect(reading.exchanges.count == AccessLogLimits.partedLines + 1)
    // Both halves of the five that were given up are said to be no lines.
    #expect(reading.record.skipped["unreadable-line"] == 10)
    #expect(reading.record.damageCount == 10)
    #expect(reading.addsUp)
  }

  @Test("coats on top of each other are taken off one by one")
  func nested() throws {
    var text = ""
    for line in try Self.plainLines() {
      let syslog = escaped("<190>Nov 23 18:58:42 edge-1 nginx[7]: \(line)")
      text +=
        "2026-11-23T18:54:34.9Z stdout F {\"log\":\"\(syslog)\\n\",\"stream\":\"stdout\","
        + "\"time\":\"2026-11-23T18:54:34.9Z\"}\n"
    }
    let (reading, format) = try reading(Array(text.utf8))
    #expect(format.coats.map(\.name) == ["cri", "docker", "syslog"])
    #expect(reading.record.format == "key-value in syslog in docker in cri")
    #expect(reading.exchanges.count == 11)
    #expect(reading.addsUp && reading.record.damageCount == 0)
  }

  @Test("JSON lines are found inside of JSON, and a named format under a coat")
  func jsonInside() throws {
    var docker = ""
    let lines = try BrowserLines.bytes("h2-json").split(separator: 0x0A)
    for line in lines {
      let text = String(decoding: line, as: UTF8.self)
      guard text.utf8.elementsEqual(line) else { continue }
      docker += "{\"log\":\"\(escaped(text))\\n\",\"stream\":\"stdout\",\"time\":\"2026\"}\n"
    }
    let (automatic, format) = try reading(Array(docker.utf8))
    #expect(format.name == "json" && format.coats.map(\.name) == ["docker"])
    #expect(automatic.exchanges.count >= 10 && automatic.record.damageCount == 0)
    let (named, _) = try reading(Array(docker.utf8), .format(.jsonLines))
    #expect(named.exchanges == automatic.exchanges)
  }

  @Test("what a shipper says of parts counts more than a line feed that it took away")
  func fluentBit() throws {
    var text = ""
    for line in try Self.plainLines() {
      text +=
        "{\"time\":\"x\",\"stream\":\"stdout\",\"logtag\":\"F\",\"log\":\"\(escaped(line))\"}\n"
    }
    #expect(try reading(Array(text.utf8)).reading.exchanges.count == 11)
    let without = text.replacing(",\"logtag\":\"F\"", with: "")
    #expect(try reading(Array(without.utf8)).reading.exchanges.count == 11)
  }

  @Test("lines that cannot be read are damage when their sender writes the log, else another's")
  func senders() throws {
    let lines = try Self.plainLines()
    func syslog(_ program: String, _ text: String) -> String {
      "Nov 23 18:58:42 edge-1 \(program)[7]: \(text)\n"
    }
    let text =
      syslog("nginx", "rubbish") + syslog("sshd", "Accepted publickey")
      + lines[..<5].map { syslog("nginx", $0) }.joined() + syslog("nginx", "more rubbish")
      + syslog("cron", "job")
    let (reading, _) = try reading(Array(text.utf8))
    #expect(reading.exchanges.count == 5)
    #expect(reading.record.skipped == ["unreadable-line": 2, "other-output": 2])
    #expect(reading.record.damages.map(\.number) == [1, 8])
    #expect(reading.addsUp)
  }

  @Test("lines without the coat between those with it are read as they are")
  func mixed() throws {
    let lines = try Self.plainLines()
    let text =
      lines[..<10].map { "2026-11-23T18:54:34.9Z stdout F \($0)\n" }.joined()
      + lines[10...].joined(separator: "\n")
    #expect(try reading(Array(text.utf8)).reading.exchanges.count == 11)
  }

  @Test("a dump in the journal is passed over, and lines inside it are none")
  func journalDump() throws {
    let line = try Self.plainLines()[1]
    var dump = Array(String(repeating: line + "\n", count: 5).utf8)
    dump += [UInt8](repeating: 0, count: 3_000_000)
    dump += Array("\n\nMESSAGE=\(line)\n\n".utf8)
    var bytes = Array("__CURSOR=a\n__REALTIME_TIMESTAMP=1\nMESSAGE=\(line)\n\n".utf8)
    bytes += Array("__CURSOR=b\n__REALTIME_TIMESTAMP=1\nCOREDUMP\n".utf8)
    bytes += (0..<8).map { UInt8(truncatingIfNeeded: dump.count >> (8 * $0)) } + dump
    bytes += Array("\nMESSAGE=dumped\n\n__CURSOR=c\nMESSAGE=\(line)\n\n".utf8)
    let (reading, _) = try reading(bytes)
    // A run of bytes longer than a line can be is not followed; what stands behind it is.
    #expect(reading.exchanges.count >= 2)
    #expect(reading.addsUp)
  }
}
