import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// Logs that are one JSON text: what exports and pretty-printers make of lines of JSON.
@Suite struct ObjectScannerTests {
  private static func object(_ number: Int) -> [(String, String)] {
    [
      ("time", "\"2026-11-23T18:54:\(10 + number)Z\""), ("method", "\"PUT\""),
      ("uri", "\"/orders/\(number)?a={[\\\"\""), ("status", "200"),
      ("origin", "\"https://a.example\""), ("tags", "[{\"x\":1},{\"y\":\"}\"}]"),
    ]
  }

  private static func compact(_ number: Int) -> String {
    "{" + object(number).map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
  }

  private static func pretty(_ number: Int, indent: String = "") -> String {
    let members = object(number).map { "\(indent)  \"\($0.0)\": \($0.1)" }
    return "{\n" + members.joined(separator: ",\n") + "\n\(indent)}"
  }

  /// Four objects in every arrangement in which programs write them.
  static let texts: [(name: String, shape: ObjectScanner.Shape, text: String)] = [
    ("jq -s -c", .array, "[" + (0..<4).map(compact).joined(separator: ",") + "]\n"),
    ("a line each", .array, "[\n" + (0..<4).map(compact).joined(separator: ",\n") + "\n]\n"),
    ("comma first", .array, "[ " + (0..<4).map(compact).joined(separator: "\n, ") + "\n]"),
    (
      "jq -s", .array,
      "[\n  " + (0..<4).map { pretty($0, indent: "  ") }.joined(separator: ",\n  ") + "\n]\n"
    ),
    ("jq .", .spread, (0..<4).map { pretty($0) }.joined(separator: "\n") + "\n"),
    (
      "CRLF", .spread,
      (0..<4).map { pretty($0) }.joined(separator: "\n").replacing("\n", with: "\r\n") + "\r\n"
    ),
    (
      "in one object", .member,
      #"{"next":null,"more":{"a":[1,"{"]},"Records":["#
        + (0..<4).map(compact).joined(separator: ",")
        + #"],"count":4}"#
    ),
    (
      "in one object, printed", .member,
      "{\n  \"events\": [\n    "
        + (0..<4).map { pretty($0, indent: "    ") }.joined(separator: ",\n    ") + "\n  ]\n}\n"
    ),
  ]

  private func read(_ text: String) throws -> LogReading? {
    let bytes = Array(text.utf8)
    guard let format = LogReader.recognizes(bytes, choice: .automatic) else { return nil }
    let reading = try LogReading(bytes, format)
    #expect(reading.addsUp)
    return reading
  }

  /// What an exchange says apart from where it stands.
  private func content(_ exchange: Exchange) -> Exchange {
    var exchange = exchange
    exchange.id.source = ""
    return exchange
  }

  @Test("a JSON text of any shape is read as its objects on lines are", arguments: texts)
  func shapes(name: String, shape: ObjectScanner.Shape, text: String) throws {
    let lines = try #require(try read((0..<4).map(Self.compact).joined(separator: "\n") + "\n"))
    #expect(lines.record.format == "json" && lines.exchanges.count == 4)
    for mark in ["", "\u{FEFF}", "\n"] {
      let reading = try #require(try read(mark + text))
      #expect(reading.record.format == "json in \(shape.name)")
      #expect(reading.exchanges.map(content) == lines.exchanges.map(content))
      #expect(reading.record.damageCount == 0, "\(reading.record.damages)")
    }
    let format = try #require(LogReader.recognizes(Array(text.utf8), choice: .automatic))
    let first = LogReader.firstTime(
      in: Array(text.utf8), format: format, options: IngestOptions(), writtenBy: 0)
    #expect(first == lines.exchanges.first?.time)
    let named = LogReader.recognizes(Array(text.utf8), choice: .format(.jsonLines))
    #expect(named?.description == "json in \(shape.name)")
  }

  @Test("a text that is cut is read as far as it goes, and the cut is named", arguments: texts)
  func cut(name: String, shape: ObjectScanner.Shape, text: String) throws {
    let bytes = Array(text.utf8)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let whole = try LogReading(bytes, format).exchanges
    for count in 0..<bytes.count {
      let reading = try LogReading(Array(bytes[..<count]), format)
      #expect(reading.addsUp)
      #expect(reading.exchanges.map(\.time) == whole.prefix(reading.exchanges.count).map(\.time))
      if reading.exchanges.count < 4, reading.record.read > UInt64(reading.exchanges.count) {
        #expect(reading.record.skipped == ["cut-line": 1])
        #expect(reading.record.damages.map(\.what) == ["the input ends inside an object"])
      }
    }
  }

  @Test("objects under a coat are its lines: events of CloudWatch, entries of Docker")
  func coats() throws {
    let line =
      #"203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"x\""#
    let events =
      #"{"events":[{"logStreamName":"s","timestamp":1795460074930,"message":"\#(line)","ingestionTime":1795460079000}],"searchedLogStreams":[]}"#
    #expect(try read(events)?.record.format == "combined in filebeat in json-object")
    let docker =
      "[{\"log\":\"\(line)\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T18:54:35Z\"}]"
    let reading = try #require(try read(docker))
    #expect(reading.record.format == "combined in docker in json-array")
    #expect(reading.exchanges.count == 1)
  }

  @Test("an object that is not closed costs itself, and the next one is read")
  func unclosed() throws {
    for indent in ["", "  "] {
      let objects = (0..<4).map { Self.pretty($0, indent: indent) }
      for broken in [
        objects[1].replacing("\n\(indent)}", with: ""),
        objects[1].replacing("\"PUT\"", with: "\"PUT"), String(objects[1].dropLast(60)),
      ] {
        let text =
          indent.isEmpty
          ? [objects[0], broken, objects[2], objects[3]].joined(separator: "\n")
          : "[\n  " + [objects[0], broken, objects[2], objects[3]].joined(separator: ",\n  ")
            + "\n]"
        let reading = try #require(try read(text))
        #expect(reading.exchanges.map(\.url.target.utf8.count) == [15, 15, 15])
        #expect(reading.record.skipped == ["unreadable-line": 1])
        let damage = try #require(reading.record.damages.first)
        #expect(damage.what == "an object that is not closed" && damage.number == 2)
        let place = Int(damage.offset ?? 0)
        #expect(Array(text.utf8)[place...].starts(with: Array(broken.utf8)))
      }
    }
  }

  @Test("what stands between objects, and an object over the limit, is counted and named")
  func others() throws {
    let long = "{\"method\": \"\(String(repeating: "x", count: AccessLogLimits.lineBytes))\"}"
    let text =
      [Self.pretty(0), "null oops", long, "12, \"a\"", Self.pretty(1)].joined(separator: "\n")
    let reading = try #require(try read(text))
    #expect(reading.exchanges.count == 2)
    #expect(reading.record.skipped == ["unreadable-line": 2, "line-too-long": 1])
    #expect(reading.record.damages.map(\.number) == [2, 3, 4])
    let open = try #require(try read("[" + Self.compact(0)))
    #expect(open.record.damages.map(\.what) == ["the list of objects is not closed"])
  }

  @Test("no change of a text is fatal, and all objects add up", arguments: texts)
  func hostile(name: String, shape: ObjectScanner.Shape, text: String) throws {
    let bytes = Array(text.utf8)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    var random = SeededGenerator(state: 3)
    for _ in 0..<150 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...10, using: &random) {
        let place = Int.random(in: 0..<changed.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed.remove(at: place)
        default:
          changed.insert(Array("{}[]\"\\,\n ".utf8).randomElement(using: &random)!, at: place)
        }
      }
      #expect(try LogReading(changed, format).addsUp)
      _ = LogReader.recognizes(changed, choice: .automatic)
    }
  }

  @Test("a text of many buffers is read whole, wherever they part it")
  func buffers() throws {
    let count = 6000
    let text = "[\n" + (0..<count).map { Self.compact($0 % 40) }.joined(separator: ",\n") + "\n]\n"
    let reading = try #require(try read(text))
    #expect(reading.exchanges.count == count && reading.record.damageCount == 0)
  }
}
