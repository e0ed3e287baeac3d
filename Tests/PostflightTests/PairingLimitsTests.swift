import FetchCORS
import HTTPExchange
import Testing

@testable import Postflight

/// The bounds of `PairingLimits` that hold for one browser, and those of all browsers together.
@Suite("Limits of pairing")
struct PairingLimitsTests {
  @Test("calls of one browser that wait are bounded in number, and each is a call all the same")
  func openCalls() {
    var pairing = Pairing()
    var traffic = TrafficBuilder()
    let count = PairingLimits.openCalls + 10
    for number in 0..<count {
      pairing.add(
        traffic.preflight(
          "PUT", nil, "https://api.example.com/\(number)", at: 0,
          response: TrafficBuilder.allowing("PUT")))
    }
    #expect(pairing.calls.count == 10)
    #expect(pairing.notes["calls-given-up-early"] == 10)
    pairing.finish()
    #expect(pairing.calls.count == count)
  }

  @Test("calls of one browser that wait for one URL are bounded in number")
  func openCallsPerURL() {
    var pairing = Pairing()
    var traffic = TrafficBuilder()
    let count = PairingLimits.openCallsPerURL + 7
    for _ in 0..<count {
      pairing.add(traffic.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")))
    }
    #expect(pairing.calls.count == 7)
    #expect(pairing.notes["calls-given-up-early"] == 7)
  }

  @Test("browsers are forgotten once their texts are too many bytes, and that is counted")
  func browserBytes() {
    var pairing = Pairing()
    var traffic = TrafficBuilder()
    let name = String(repeating: "x", count: 100_000)
    let count = PairingLimits.browserBytes / 200_000 + 20
    for number in 0..<count {
      traffic.client = "\(name)\(number)"
      pairing.add(
        traffic.exchange(
          "GET", at: Int64(number), response: [("access-control-allow-origin", "*")]))
    }
    let forgotten = pairing.notes["forgotten-browsers"] ?? 0
    #expect(forgotten > 0 && forgotten < UInt64(count))
    pairing.finish()
    #expect(pairing.calls.count + pairing.notCORS.values.reduce(0) { $0 + Int($1) } == count)
  }

  @Test("a browser's preflight cache holds as many URLs as the limit, and begins anew beyond it")
  func cachedURLs() {
    func kinds(_ others: Int) -> CallKind? {
      var pairing = Pairing()
      var traffic = TrafficBuilder()
      let answer = TrafficBuilder.allowing("PUT") + [("access-control-max-age", "600")]
      func ask(_ path: String, _ time: Int64, isCached: Bool = false) {
        let url = "https://api.example.com/\(path)"
        if !isCached {
          pairing.add(traffic.preflight("PUT", nil, url, at: time, response: answer))
        }
        pairing.add(
          traffic.exchange(
            "PUT", url, at: time + 6,
            response: [("access-control-allow-origin", TrafficBuilder.page)]))
      }
      ask("first", 0)
      for number in 0..<others { ask("\(number)", Int64(20 * number + 20)) }
      ask("first", Int64(20 * others + 40), isCached: true)
      pairing.finish()
      return pairing.calls.filter { $0.url.target == "/first" }.map(\.kind).last
    }
    #expect(kinds(100) == .cached)
    #expect(kinds(PairingLimits.cachedURLs + 10) == .preflightUnseen)
  }
}
