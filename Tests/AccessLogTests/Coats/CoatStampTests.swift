import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// Lines without a time of their own, of which the coat tells one.
@Suite struct CoatStampTests {
  private static let json =
    #"{"method":"PUT","uri":"/a","status":200,"origin":"https://a.example","took":3}"#
  private static let escaped = json.replacing("\"", with: "\\\"")

  /// A line in each coat that tells a time, and that time.
  static let coated: [(coat: String, line: String, time: String)] = [
    (
      "docker",
      #"{"log":"\#(escaped)\n","stream":"stdout","time":"2026-11-23T18:54:34.930123456Z"}"#,
      "2026-11-23T18:54:34.930123456Z"
    ),
    ("cri", "2026-11-23T19:54:34.93+01:00 stdout F \(json)", "2026-11-23T18:54:34.930000000Z"),
    ("timestamped", "2026-11-23T18:54:34.930Z \(json)", "2026-11-23T18:54:34.930000000Z"),
    (
      "journal-json",
      #"{"__REALTIME_TIMESTAMP":"1795460074930123","SYSLOG_IDENTIFIER":"app","MESSAGE":"\#(escaped)"}"#,
      "2026-11-23T18:54:34.930123000Z"
    ),
    (
      "journal",
      "__REALTIME_TIMESTAMP=1795460074930123\nSYSLOG_IDENTIFIER=app\nMESSAGE=\(json)\n",
      "2026-11-23T18:54:34.930123000Z"
    ),
    (
      "filebeat", #"{"@timestamp":"2026-11-23T18:54:34.930Z","message":"\#(escaped)"}"#,
      "2026-11-23T18:54:34.930000000Z"
    ),
    // Fluent Bit's own stamp, and that of the runtime beside it, which is nearer.
    (
      "filebeat", #"{"date":1795460075.5,"log":"\#(escaped)"}"#,
      "2026-11-23T18:54:35.500000000Z"
    ),
    (
      "docker",
      #"{"@timestamp":"2026-11-23T18:54:39Z","time":"2026-11-23T18:54:34.9Z","stream":"stdout","logtag":"F","log":"\#(escaped)"}"#,
      "2026-11-23T18:54:34.900000000Z"
    ),
    // What `aws logs filter-log-events` gives for each event.
    (
      "filebeat",
      #"{"timestamp":1795460074930,"message":"\#(escaped)","ingestionTime":1795460079000}"#,
      "2026-11-23T18:54:34.930000000Z"
    ),
    (
      "syslog-5424", "<190>1 2026-11-23T18:54:34.930Z web-1 app 7 - - \(json)",
      "2026-11-23T18:54:34.930000000Z"
    ),
    ("syslog", "<190>Nov 23 18:54:34 web-1 app[7]: \(json)", "2026-11-23T18:54:34.000000000Z"),
    (
      "syslog", "2026-11-23T18:54:34.930+00:00 web-1 app[7]: \(json)",
      "2026-11-23T18:54:34.930000000Z"
    ),
  ]

  /// Reads bytes as a file that was written last at the end of November 2026, or when told.
  private func read(
    _ text: String, _ choice: FormatChoice = .automatic, writtenBy: Int64 = 1_796_000_000,
    zone: Int = 0
  ) throws -> (reading: LogReading, first: EventTime?)? {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("stamps-\(UUID().uuidString).log")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(text.utf8).write(to: file)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: TimeInterval(writtenBy))],
      ofItemAtPath: file.path)
    let input = try ByteInput(path: file.path)
    guard let format = LogReader.recognizes(input.head, choice: choice) else { return nil }
    var options = IngestOptions()
    options.secondsFromUTC = zone
    let reading = try LogReading(path: file.path, format, choice: choice, zone: zone)
    #expect(reading.addsUp)
    return (
      reading,
      LogReader.firstTime(
        in: input.head, format: format, options: options, writtenBy: input.writtenBy)
    )
  }

  @Test(
    "a line without a time has that of its coat, as an end that is no finer than a second",
    arguments: coated)
  func stamped(coat: String, line: String, time: String) throws {
    let (reading, first) = try #require(try read(line + "\n" + line + "\n"))
    #expect(reading.record.format == "json in \(coat)")
    #expect(reading.exchanges.count == 2)
    let exchange = try #require(reading.exchanges.first)
    #expect(exchange.endedAt?.rfc3339(.nanosecond) == time)
    #expect(exchange.startedAt == nil && exchange.timeBasis == .end)
    #expect(exchange.resolution == .second)
    #expect(first == exchange.endedAt)
    #expect(reading.record.firstAt == exchange.endedAt)
    #expect(reading.record.notes["stamped-by-coat"] == 2)
    #expect(reading.record.warnings.contains { $0.contains("no time of its own") })
    // Which year it was, only the file's own date says, and that is said.
    let lacksYear = coat == "syslog" && !line.contains("2026")
    #expect(reading.record.notes["stamps-without-year"] == (lacksYear ? 2 : nil))
    #expect(reading.record.warnings.contains { $0.hasPrefix("2 times name no year") } == lacksYear)
  }

  @Test("a time of its own is the line's, whatever its coat says")
  func ownTime() throws {
    let line = Self.coated[0].line.replacing(
      "{\\\"method", with: "{\\\"time\\\":\\\"2026-11-23T18:54:33Z\\\",\\\"method")
    let (reading, _) = try #require(try read(line + "\n"))
    #expect(reading.exchanges.first?.endedAt?.rfc3339(.second) == "2026-11-23T18:54:33Z")
    #expect(reading.record.notes["stamped-by-coat"] == nil && reading.record.warnings.isEmpty)
  }

  @Test("without a coat that tells a time, lines without one are no log")
  func noTime() throws {
    #expect(try read(Self.json + "\n") == nil)
    #expect(try read("api  | \(Self.json)\nweb  | \(Self.json)\n") == nil)
    #expect(try read("<190>1 - web-1 app 7 - - \(Self.json)\n") == nil)
  }

  @Test("of coats upon each other the inner one tells the time, where it can")
  func nested() throws {
    let docker = Self.coated[0].line
    let (inner, _) = try #require(
      try read("2026-11-23T18:54:39.1Z stdout F \(docker)\n"))
    #expect(inner.record.format == "json in docker in cri")
    #expect(inner.exchanges.first?.endedAt?.rfc3339(.second) == "2026-11-23T18:54:34Z")
    let (outer, first) = try #require(
      try read("api  | 2026-11-23T18:54:34.930Z \(Self.json)\n"))
    #expect(outer.record.format == "json in timestamped in compose")
    #expect(first?.rfc3339(.millisecond) == "2026-11-23T18:54:34.930Z")
  }

  @Test("a line in parts has the time of its first part")
  func parts() throws {
    let half = Self.json.utf8.count / 2
    let (reading, _) = try #require(
      try read(
        "2026-11-23T18:54:34.1Z stdout P \(Self.json.prefix(half))\n"
          + "2026-11-23T18:54:34.9Z stdout F \(Self.json.dropFirst(half))\n"))
    #expect(reading.exchanges.first?.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:34.100Z")
  }

  @Test(
    "a stamp without year and zone is of the last year that is not behind the file's own time",
    arguments: [
      ("Dec 31 23:59:59", 1_798_761_600 as Int64, 0, "2026-12-31T23:59:59Z"),
      ("Jan  1 00:00:03", 1_798_761_600, 0, "2027-01-01T00:00:03Z"),
      ("Jan  3 00:00:03", 1_798_761_600, 0, "2026-01-03T00:00:03Z"),
      ("Feb 29 12:00:00", 1_798_761_600, 0, "2024-02-29T12:00:00Z"),
      ("Nov 23 18:54:34", 1_796_000_000, 19_800, "2026-11-23T13:24:34Z"),
    ])
  func years(stamp: String, writtenBy: Int64, zone: Int, time: String) throws {
    let (reading, _) = try #require(
      try read("\(stamp) web-1 app[7]: \(Self.json)\n", writtenBy: writtenBy, zone: zone))
    #expect(reading.exchanges.first?.endedAt?.rfc3339(.second) == time)
  }

  @Test("a stamp that is no time makes the line unread, not one of another time")
  func impossible() throws {
    let good = "Nov 23 18:54:34 web-1 app[7]: \(Self.json)\n"
    for stamp in ["Nov 31 18:54:34", "Nov 23 25:54:34", "Feb 30 00:00:00"] {
      let (reading, _) = try #require(
        try read(good + "\(stamp) web-1 app[7]: \(Self.json)\n" + good + good))
      #expect(reading.exchanges.count == 3)
      #expect(reading.record.skipped == ["unreadable-line": 1])
    }
  }

  @Test(
    "patterns and mappings without a time are read under a coat, and in none they are refused",
    arguments: [
      (
        #"$remote_addr "$request" $status "$http_origin""#,
        #"203.0.113.9 "GET /a HTTP/1.1" 200 "https://a.example""#
      ),
      (#"%h "%r" %>s "%{Origin}i""#, #"203.0.113.9 "GET /a HTTP/1.1" 200 "https://a.example""#),
      (
        #"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% "%REQ(ORIGIN)%""#,
        #"203.0.113.9 GET /a 200 "https://a.example""#
      ),
      (
        #"$context.identity.sourceIp $context.httpMethod $context.path $context.status $context.authorizer.origin"#,
        "203.0.113.9 GET /a 200 https://a.example"
      ),
      (
        "json:client=c,method=m,url=u,status=s,origin=o",
        #"{"c":"203.0.113.9","m":"GET","u":"/a","s":200,"o":"https://a.example"}"#
      ),
      ("csv:client,method,url,status,origin", "203.0.113.9,GET,/a,200,https://a.example"),
    ])
  func patterns(pattern: String, line: String) throws {
    let choice = try FormatChoice(argument: pattern)
    #expect(try read(line + "\n", choice) == nil)
    let (reading, _) = try #require(
      try read("2026-11-23T18:54:34.93Z stdout F \(line)\n", choice))
    let exchange = try #require(reading.exchanges.first)
    #expect(exchange.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:34.930Z")
    #expect(exchange.client == "203.0.113.9" && exchange.url.target == "/a")
    #expect(exchange.request.first(.origin) == "https://a.example")
  }

  @Test("a log in a coat that goes on in lines without a time is read on")
  func change() throws {
    let timed = Self.json.replacing("{", with: #"{"time":"2026-11-23T18:54:33Z","#)
    func cri(_ line: String, _ second: Int) -> String {
      "2026-11-23T18:54:\(second).5Z stdout F \(line)\n"
    }
    let text =
      (10..<20).map { cri(timed, $0) }.joined() + (20..<30).map { cri(Self.json, $0) }.joined()
    let (reading, _) = try #require(try read(text))
    #expect(reading.exchanges.count == 20)
    #expect(reading.record.notes["stamped-by-coat"] == 10)
    #expect(reading.exchanges.last?.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:29.500Z")
  }

  @Test("no prefix and no change of stamps is fatal, and all lines add up", arguments: coated)
  func hostile(coat: String, line: String, time: String) throws {
    let bytes = Array((line + "\n" + line + "\n").utf8)
    guard let format = LogReader.recognizes(bytes, choice: .automatic) else { return }
    var random = SeededGenerator(state: 11)
    for _ in 0..<60 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let place = Int.random(in: 0..<min(90, changed.count), using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: changed[place] = UInt8.random(in: 0...255, using: &random)
        case 1: changed.remove(at: place)
        default: changed.insert(UInt8.random(in: 0x20...0x3A, using: &random), at: place)
        }
      }
      #expect(try LogReading(changed, format).addsUp)
      _ = LogReader.firstTime(
        in: changed, format: format, options: IngestOptions(), writtenBy: .max / 2)
    }
    for count in 0..<bytes.count { #expect(try LogReading(Array(bytes[..<count]), format).addsUp) }
  }
}
