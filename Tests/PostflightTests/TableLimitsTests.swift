import FetchCORS
import HTTPExchange
import TestSupport
import Testing

@testable import Postflight

/// The bounds of what is remembered beside calls and browsers: beyond them something is read anew, or no
/// longer compared.
@Suite("Limits of remembered values, sources and vantage points")
struct TableLimitsTests {
  @Test("an origin is the same whether its text is remembered, forgotten or too long to be kept")
  func origins() {
    var table = OriginTable()
    let long = String(repeating: "a", count: 600)
    for _ in 0..<2 {
      for number in 0..<5000 {
        let host = number % 7 == 0 ? long : "a"
        let text = number % 9 == 0 ? "null" : "https://\(host)\(number).example"
        #expect(table.parsed(text) == Origin(text))
      }
    }
  }

  @Test("what an exchange says is the same whether it is remembered or read anew")
  func readings() {
    var table = ReadingTable()
    var traffic = TrafficBuilder()
    for _ in 0..<2 {
      for number in 1...3000 {
        let preflight = traffic.preflight(
          "PUT", "x-\(number)", at: 0,
          response: TrafficBuilder.allowing("PUT", number % 2 == 0 ? "x-\(number)" : nil))
        let reading = table.reading(number, of: preflight)
        #expect(reading.number == number)
        #expect(reading.askedNames == [HeaderName("x-\(number)")])
        #expect(reading.outlook(.chromium) == (number % 2 == 0 ? .passes : .refused))
      }
    }
  }

  @Test("a browser is found by its sender, unless another took the place or the texts are too long")
  func browsers() {
    let browsers = RecentBrowsers()
    let senders = (0..<5000).map { number in
      Sender(
        client: "192.0.2.\(number)", forwardedFor: nil,
        userAgent: number % 5 == 0 ? String(repeating: "x", count: 1100) : "x")
    }
    let all = senders.map { _ in Browser(BrowserKinds.Kind(), keyBytes: 1) }
    for (sender, browser) in zip(senders, all) {
      #expect(browsers[sender] == nil)
      browsers[sender] = browser
      #expect((browsers[sender] === browser) == (sender.bytes <= 1024))
    }
    var count = 0
    for (sender, browser) in zip(senders, all) {
      guard let known = browsers[sender] else { continue }
      #expect(known === browser)
      count += 1
    }
    #expect(count > 300 && count <= 1024)
    browsers.forget()
    #expect(senders.allSatisfy { browsers[$0] == nil })
  }

  @Test("what sources beyond the limit log is not looked at across clocks")
  func sources() {
    var clocks = SourceClocks()
    var traffic = TrafficBuilder()
    var preflight = traffic.preflight("PUT", at: 10_000, response: [])
    var request = traffic.exchange("PUT", at: 9000)
    func gap(_ first: Int, _ second: Int) -> Int64? {
      request.id.source = "node-\(first)"
      preflight.id.source = "node-\(second)"
      return clocks.gap(from: request, to: preflight)
    }
    let count = 65_536
    for round in 0..<2 {
      for number in 0..<count + 2 {
        var line = request
        line.id.source = "node-\(number)"
        line.startedAt = line.startedAt?.advanced(by: Int64(round) * 5_000_000_000)
        line.endedAt = line.endedAt?.advanced(by: Int64(round) * 5_000_000_000)
        clocks.see(line)
      }
    }
    #expect(gap(0, count - 1) != nil)
    #expect(gap(0, count) == nil && gap(count + 1, 0) == nil)
  }

  @Test("vantage points beyond the limit count as one")
  func vantagePoints() {
    var table = VantageTable()
    var traffic = TrafficBuilder()
    var numbers: Set<Int> = []
    for number in 0..<100 {
      var exchange = traffic.exchange("GET", at: 0)
      exchange.id.source = "log-\(number)"
      exchange.request.coverage = .only([HeaderName("x-\(number)"): .firstLine])
      numbers.insert(table.vantage(of: exchange))
    }
    #expect(numbers == Set(0..<VantageTable.maximumCount))
  }

  @Test("records of one request beyond as many as hops there may be are exchanges of their own")
  func hops() {
    var join = VantageJoin()
    var traffic = TrafficBuilder()
    traffic.client = "203.0.113.9"
    let base = traffic.exchange("GET", at: 0, response: TrafficBuilder.allowing())
    for number in 0..<Sighting.maximumHops + 1 {
      var record = base
      record.id = ExchangeID(source: "hop-\(number).log@\(number)", number: 1)
      record.client = "10.0.0.\(number)"
      record.requestID = "the same"
      join.add(record)
    }
    join.finish()
    var kept = 0
    while join.next() != nil { kept += 1 }
    #expect(kept == 2)
    #expect(join.joined == UInt64(Sighting.maximumHops) - 1)
  }

  /// Inputs of which each shows what the next one does.
  private func sentences(_ inputs: Int) -> [String] {
    var table = TwinTable()
    var traffic = TrafficBuilder()
    for pair in 0..<inputs / 2 {
      for _ in 0..<Int(TwinTable.fewest) + 1 {
        let both = (0..<2).map { side in
          var exchange = traffic.exchange("GET", at: 0)
          exchange.id.source = "input-\(pair)-\(side)@0"
          return table.see(exchange)
        }
        guard let first = both[0], let second = both[1] else { continue }
        table.match(first, second, offset: 0)
      }
    }
    return table.sentences
  }

  @Test("pairs of inputs beyond the limit are not compared")
  func pairs() {
    #expect(sentences(20).count == 9)
    let most = "\(TwinTable.maximumPairs - 8) more pairs"
    #expect(sentences(2 * TwinTable.maximumPairs).last?.hasPrefix(most) == true)
    #expect(sentences(2 * TwinTable.maximumPairs + 20).last?.hasPrefix(most) == true)
  }

  @Test("inputs beyond the limit are not told apart")
  func inputs() {
    var table = TwinTable()
    var exchange = Exchange.sample()
    var numbers: [Int?] = []
    for number in 0..<8200 {
      exchange.id.source = "input-\(number)@0"
      numbers.append(table.see(exchange))
    }
    #expect(numbers.compactMap { $0 } == Array(0..<8192))
    #expect(numbers.suffix(8).allSatisfy { $0 == nil })
  }
}
