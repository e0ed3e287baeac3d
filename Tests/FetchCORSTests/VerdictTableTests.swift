import FetchCORS
import HTTPExchange
import TestSupport
import Testing

/// Remembering verdicts changes none.
struct VerdictTableTests {
  /// Adds what no verdict reads, another number of lines each time.
  private func decorated(_ evidence: CallEvidence, _ generator: inout SeededGenerator)
    -> CallEvidence
  {
    var evidence = evidence
    for index in evidence.hops.indices {
      for path in [\CallEvidence.Hop.preflight, \.request] {
        guard var exchange = evidence.hops[index][keyPath: path] else { continue }
        for name in ["Server", "Age", "X-Request-Id", "Content-Length", "Via", "Set-Cookie"] {
          for _ in 0..<generator.pick([0, 0, 1, 2]) {
            exchange.response.fields.append(
              HeaderField(HeaderName(name), String(generator.pick([1, 20, 300]))))
          }
        }
        exchange.id = ExchangeID(source: "b", number: UInt64(generator.pick([1, 2, 3, 4])))
        evidence.hops[index][keyPath: path] = exchange
      }
    }
    return evidence
  }

  @Test("a table gives the verdict of a first look, whatever else differs", arguments: [1, 2, 3])
  func sameVerdicts(seed: UInt64) {
    var random = RandomCall(generator: SeededGenerator(seed: seed))
    var table = VerdictTable()
    for _ in 0..<1000 {
      let evidence = random.next()
      for _ in 0..<3 {
        let call = decorated(evidence, &random.generator)
        #expect(table.evaluate(call) == evaluate(call))
      }
    }
  }

  /// Calls of which no two are alike, each with that many bytes in one value.
  private func flood(_ count: Int, bytes: Int) -> [CallEvidence] {
    let filler = String(repeating: "x", count: bytes)
    return (0..<count).map { number in
      let origin = "https://\(number).example"
      let request = Exchange.sample(
        request: [("Origin", origin)],
        response: [
          ("Access-Control-Allow-Origin", number % 2 == 0 ? origin : filler + "\(number)")
        ])
      return CallEvidence(
        origin: origin, engine: .chromium, hops: [.init(request: request)], kind: .simple)
    }
  }

  @Test(
    "verdicts are the same when there are more of them, or larger ones, than are remembered",
    arguments: [(5000, 1), (1500, 30_000)])
  func flood(count: Int, bytes: Int) {
    var table = VerdictTable()
    let calls = flood(count, bytes: bytes)
    for _ in 0..<2 {
      for call in calls { #expect(table.evaluate(call) == evaluate(call)) }
    }
  }

  @Test(
    "exchanges that share their header blocks are of one kind where nothing else differs",
    arguments: [1, 10_000])
  func sharedBlocks(bytes: Int) {
    let classes = ExchangeClasses()
    let filler = String(repeating: "x", count: bytes)
    let request = MessageEvidence(
      sharing: [HeaderField(.origin, "https://a.example"), HeaderField(.referer, filler)],
      coverage: .complete)
    let response = MessageEvidence(
      sharing: [HeaderField(.accessControlAllowOrigin, "*"), HeaderField(.age, "1")],
      coverage: .complete)
    var exchange = Exchange.sample("PUT")
    exchange.request = request
    exchange.response = response
    let number = classes.number(of: exchange)
    #expect(classes.number(of: exchange) == number)
    var other = exchange
    other.response = response.with(ownValues: ["2"])
    other.client = "192.0.2.99"
    other.url.target = "/elsewhere"
    #expect(classes.number(of: other) == number)
    let changes: [(inout Exchange) -> Void] = [
      { $0.method = "POST" }, { $0.status = 404 }, { $0.status = nil },
      { $0.url.host = "b.example" },
      { $0.url.scheme = nil }, { $0.url.port = 8443 }, { $0.url.target = "/{id}" },
      { $0.httpVersion = "HTTP/2" }, { $0.request = .unseen }, { $0.response = .unseen },
    ]
    var numbers: Set<Int> = [number]
    for change in changes {
      var changed = exchange
      change(&changed)
      let own = classes.number(of: changed)
      #expect(numbers.insert(own).inserted)
      #expect(classes.number(of: changed) == own)
    }
    #expect(classes.number(of: exchange) == number)
  }

  @Test(
    "a kind of exchange that was forgotten among too many, or too large ones, has a new number",
    arguments: [(3000, 1), (1500, 30_000)])
  func classes(count: Int, bytes: Int) throws {
    var classes = ExchangeClasses()
    let exchanges = flood(count, bytes: bytes).compactMap { $0.hops[0].request }
    let numbers = exchanges.map { classes.number(of: $0) }
    #expect(Set(numbers).count == count)
    let last = try #require(exchanges.last)
    #expect(classes.number(of: last) == numbers.last)
    let again = classes.number(of: exchanges[0])
    #expect(again == (numbers.max() ?? 0) + 1)
  }

  @Test("two spellings of one character are two values")
  func bytesCount() {
    let composed = "https://caf\u{E9}.example"
    let decomposed = "https://cafe\u{301}.example"
    var table = VerdictTable()
    for (origin, allowed) in [
      (composed, composed), (composed, decomposed), (decomposed, composed),
      (decomposed, decomposed),
    ] {
      let request = Exchange.sample(
        request: [("Origin", origin)],
        response: [("Access-Control-Allow-Origin", allowed)])
      let evidence = CallEvidence(
        origin: origin, engine: .chromium, hops: [.init(request: request)], kind: .simple)
      #expect(table.evaluate(evidence) == evaluate(evidence))
    }
  }
}
