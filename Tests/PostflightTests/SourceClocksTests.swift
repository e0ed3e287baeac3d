import FetchCORS
import HTTPExchange
import Testing

@testable import Postflight

@Suite("Clocks of several nodes")
struct SourceClocksTests {
  private func judged(_ exchanges: [Exchange]) -> (calls: [Call], notes: [String: UInt64]) {
    var pairing = Pairing()
    for exchange in exchanges.sorted(by: { $0.time < $1.time }) { pairing.add(exchange) }
    pairing.finish()
    return (pairing.takeCalls(), pairing.notes)
  }

  /// Preflights on one node, each 100 ms later its request on another whose clock is behind.
  private func traffic(
    behind milliseconds: Int64, source: String = "node-b.log@bb", allows: String? = "PUT"
  ) -> [Exchange] {
    var exchanges: [Exchange] = []
    var builder = TrafficBuilder()
    for index in 0..<20 {
      let start = Int64(index) * 3000 + 20_000
      let url = "https://api.example.com/v1/orders/\(index)"
      var preflight = builder.preflight(
        "PUT", nil, url, at: start, response: TrafficBuilder.allowing(allows))
      preflight.id.source = "node-a.log@aa"
      var request = builder.exchange(
        "PUT", url, at: start + 100 - milliseconds, response: TrafficBuilder.allowing())
      request.id.source = source
      exchanges += [preflight, request]
    }
    return exchanges
  }

  @Test("a preflight meets its request on a node whose clock is behind, and that is said")
  func tolerated() {
    for skew in [0, 500, 2000, 4900] as [Int64] {
      let (calls, notes) = judged(traffic(behind: skew))
      #expect(calls.count == 20, "\(skew) ms")
      #expect(calls.allSatisfy { $0.kind == .preflighted && $0.verdict == .allowed })
      #expect(notes["skewed-pairs"] == (skew == 0 ? nil : 20))
      let warnings = SourceRecord(pairingNotes: notes).warnings
      #expect(warnings.contains { $0.contains("clocks") } == (skew > 0))
    }
  }

  @Test("clocks that differ by more than is stated join nothing")
  func beyond() {
    let (calls, notes) = judged(traffic(behind: 8000))
    #expect(calls.count == 40)
    #expect(notes["skewed-pairs"] == nil)
  }

  @Test("within one source, and in files that follow each other, there is one clock")
  func oneClock() {
    #expect(judged(traffic(behind: 2000, source: "node-a.log@aa")).calls.count == 40)
    let whole = traffic(behind: 2000).sorted { $0.time < $1.time }
    // Every request is cut off from its preflight by the end of a file.
    var split: [Exchange] = []
    for (index, exchange) in whole.enumerated() {
      var exchange = exchange
      exchange.id.source = "access.log.\(index)@\(index)"
      split.append(exchange)
    }
    #expect(judged(split).calls.count == 40)
  }

  @Test("a preflight that fails is not held against a request before it")
  func refused() {
    let (calls, _) = judged(traffic(behind: 2000, allows: "GET"))
    #expect(calls.filter { $0.verdict == .blocked }.count == 20)
    #expect(!calls.contains { $0.verdict == .contradicted })
  }
}
