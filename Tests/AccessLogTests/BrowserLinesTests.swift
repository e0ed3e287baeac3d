import Bytes
import HTTPExchange
import Testing

@testable import AccessLog

/// The same requests of real browsers in three formats: what one log tells the others must not
/// contradict.
@Suite struct BrowserLinesTests {
  private func formats() throws -> [LogFormat] {
    try ServerConfiguration(Array(BrowserLines.configuration.utf8)).formats
  }

  private func byNumber(_ reading: LogReading) -> [UInt64: Exchange] {
    Dictionary(uniqueKeysWithValues: reading.exchanges.map { ($0.id.number, $0) })
  }

  @Test("three formats tell the same of the same requests", arguments: ["http1", "h2"])
  func formatsAgree(set: String) throws {
    let formats = try formats()
    let text = try LogReading(try BrowserLines.bytes("\(set)-cors"), formats[0])
    let json = try LogReading(try BrowserLines.bytes("\(set)-json"), formats[1])
    let combined = try LogReading(try BrowserLines.bytes("\(set)-combined"), .combined)
    for reading in [text, json, combined] {
      #expect(reading.addsUp)
      #expect(reading.record.skipped["unreadable-line"] == nil)
      #expect(reading.record.read == (set == "http1" ? 44 : 24))
    }
    let others = byNumber(json)
    let plain = byNumber(combined)
    var compared = 0
    for exchange in text.exchanges {
      guard let other = others[exchange.id.number] else { continue }
      compared += 1
      #expect(exchange.startedAt == other.startedAt)
      #expect(exchange.endedAt == other.endedAt)
      #expect(exchange.requestID == other.requestID)
      #expect(exchange.status == other.status)
      #expect(exchange.method == other.method)
      #expect(exchange.url == other.url)
      #expect(exchange.userAgent == other.userAgent)
      let fields = { (message: MessageEvidence) in
        Dictionary(message.fields.map { ($0.name, $0.value) }) { first, _ in first }
      }
      var request = fields(other.request)
      request[.referer] = nil
      #expect(fields(exchange.request) == request)
      #expect(fields(exchange.response) == fields(other.response))
      let coarse = try #require(plain[exchange.id.number])
      #expect(coarse.method == exchange.method)
      #expect(coarse.url.target == exchange.url.target)
      #expect(coarse.url.known.isEmpty)
      let end = try #require(exchange.endedAt)
      #expect(coarse.endInterval.contains(end))
    }
    #expect(compared > (set == "http1" ? 30 : 20))
  }

  @Test("both logs are known without being told, and give what the configuration gives")
  func automatic() throws {
    for (index, name, expected) in [(0, "http1-cors", "key-value"), (1, "http1-json", "json")] {
      let bytes = try BrowserLines.bytes(name)
      let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
      #expect(format.name == expected)
      let automatic = try LogReading(bytes, format, keepsAll: false)
      let told = try LogReading(bytes, try formats()[index], keepsAll: false)
      #expect(automatic.exchanges.count == told.exchanges.count)
      #expect(automatic.record.passedOver == told.record.passedOver)
      #expect(automatic.record.records == told.record.records)
      for (left, right) in zip(automatic.exchanges, told.exchanges) {
        #expect(left.startedAt == right.startedAt)
        #expect(left.url == right.url)
        #expect(left.request.fields == right.request.fields)
        #expect(left.response.fields == right.response.fields)
      }
    }
  }

  @Test(
    "a request that was refused before its header was read does not count as one without origin")
  func refused() throws {
    let reading = try LogReading(
      try BrowserLines.bytes("http1-cors"), try formats()[0], keepsAll: false)
    let refused = reading.exchanges.filter { $0.status == 400 && $0.method == "patch" }
    #expect(refused.count == 2)
    for exchange in refused {
      #expect(exchange.request.evidence(of: .origin) == .unrecorded)
      #expect(exchange.url.host == nil)
    }
  }

  @Test("what is kept does not depend on whether it was decided early", arguments: ["http1", "h2"])
  func earlyDecision(set: String) throws {
    for (index, name) in ["\(set)-cors", "\(set)-json"].enumerated() {
      let bytes = try BrowserLines.bytes(name)
      let all = try LogReading(bytes, try formats()[index])
      let some = try LogReading(bytes, try formats()[index], keepsAll: false)
      let kept = all.exchanges.filter { exchange in
        CORSConcern(
          hasOrigin: exchange.request.records(.origin)
            ? exchange.request.contains(.origin)
            : nil, isOptions: exchange.method == "OPTIONS",
          isRedirect: [301, 302, 303, 307, 308].contains(exchange.status)
        ).isKept
          || exchange.request.coverage == .truncated
      }
      #expect(some.exchanges == kept)
      #expect(some.record.exchanges == all.record.exchanges)
      #expect(some.record.skipped == all.record.skipped)
    }
  }

  @Test(
    "every prefix of a log is read to its end", arguments: ["h2-cors", "h2-json", "h2-combined"])
  func prefixes(name: String) throws {
    let bytes = Array(try BrowserLines.bytes(name).prefix(2000))
    let formats = try formats()
    for count in stride(from: 0, through: bytes.count, by: 3) {
      for format in [formats[0], formats[1], .combined, .jsonLines, .keyValue, .combinedAndMore] {
        let start = bytes[..<count].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        var options = IngestOptions()
        options.keepsAll = count % 2 == 0
        var interpreter = LineInterpreter(format: format, options: options, isForFewLines: true)
        var exchanges: [Exchange] = []
        // A copy of its own, so that the address sanitizer sees a read behind the line.
        Array(bytes[start..<count]).withByteView {
          _ = interpreter.read(
            $0, $0.count, source: "x", number: 1, keepsAll: options.keepsAll, into: &exchanges)
        }
        #expect(exchanges.count <= 1)
      }
    }
  }

  @Test("a mutated log is counted line by line", arguments: 0..<6)
  func mutations(seed: UInt64) throws {
    var random = SeededGenerator(state: seed)
    let formats = try formats()
    let files = ["http1-cors", "http1-json", "h2-combined"]
    let odd: [UInt8] = [0x22, 0x5C, 0x0A, 0x20, 0x7B, 0x7D, 0x00, 0xE9, 0x2D, 0x5B, 0x3A, 0x2C]
    for (index, name) in files.enumerated() {
      var bytes = try BrowserLines.bytes(name)
      for _ in 0..<200 {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[place] = odd.randomElement(using: &random) ?? 0
        case 2: bytes.remove(at: place)
        default: bytes.insert(odd.randomElement(using: &random) ?? 0, at: place)
        }
      }
      let lines = UInt64(bytes.split(separator: 0x0A, omittingEmptySubsequences: false).count)
      let given = index == 2 ? LogFormat.combined : formats[index]
      for format in [given, .jsonLines, .keyValue, .combinedAndMore] {
        for keepsAll in [false, true] {
          let reading = try LogReading(bytes, format, keepsAll: keepsAll)
          #expect(reading.addsUp)
          // A last line without its end is a line as well.
          #expect(reading.record.read == lines || reading.record.read == lines - 1)
        }
      }
      _ = LogReader.recognizes(bytes, choice: .automatic)
    }
  }
}
