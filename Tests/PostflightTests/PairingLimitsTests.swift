import FetchCORS
import HTTPExchange
import Testing

@testable import Postflight

/// The bounds of `PairingLimits` that hold for one browser, and those of all browsers together.
@Suite("Limits of pairing")
struct PairingLimitsTests {
  /// Pairing that has met exchanges in this order.
  private func pairing(
    _ exchanges: some Sequence<Exchange>, isFinished: Bool = true
  ) -> Pairing {
    var pairing = Pairing()
    for exchange in exchanges { pairing.add(exchange) }
    if isFinished { pairing.finish() }
    return pairing
  }

  /// Preflights that pass, all at one instant.
  private func preflights(_ count: Int, _ url: (Int) -> String) -> [Exchange] {
    var traffic = TrafficBuilder()
    return (0..<count).map {
      traffic.preflight("PUT", nil, url($0), at: 0, response: TrafficBuilder.allowing("PUT"))
    }
  }

  /// The kinds of calls for one path.
  private func kinds(_ pairing: Pairing, of path: String) -> [CallKind] {
    pairing.calls.filter { $0.url.target == path }.map(\.kind)
  }

  @Test("calls of one browser that wait are bounded in number, and each is a call all the same")
  func openCalls() {
    let count = PairingLimits.openCalls + 10
    let calls = preflights(count) { "https://api.example.com/\($0)" }
    let waiting = pairing(calls, isFinished: false)
    #expect(waiting.calls.count == 10)
    #expect(waiting.notes["calls-given-up-early"] == 10)
    #expect(pairing(calls).calls.count == count)
  }

  @Test("calls of one browser that wait for one URL are bounded in number")
  func openCallsPerURL() {
    let calls = preflights(PairingLimits.openCallsPerURL + 7) { _ in "https://api.example.com/" }
    let waiting = pairing(calls, isFinished: false)
    #expect(waiting.calls.count == 7)
    #expect(waiting.notes["calls-given-up-early"] == 7)
    #expect(pairing(calls).calls.count == calls.count)
  }

  @Test("browsers are forgotten once their texts are too many bytes, and that is counted")
  func browserBytes() {
    var traffic = TrafficBuilder()
    let name = String(repeating: "x", count: 100_000)
    let count = PairingLimits.browserBytes / 200_000 + 20
    let exchanges = (0..<count).lazy.map { number in
      traffic.client = "\(name)\(number)"
      return traffic.exchange(
        "GET", at: Int64(number), response: [("access-control-allow-origin", "*")])
    }
    let pairing = pairing(exchanges)
    let forgotten = pairing.notes["forgotten-browsers"] ?? 0
    #expect(forgotten > 0 && forgotten < UInt64(count))
    #expect(pairing.calls.count + pairing.notCORS.values.reduce(0) { $0 + Int($1) } == count)
  }

  /// Milliseconds of a limit in nanoseconds.
  private func milliseconds(_ nanoseconds: Int64) -> Int64 { nanoseconds / 1_000_000 }

  @Test("a browser's preflight cache holds as many URLs as the limit, and begins anew beyond it")
  func cachedURLs() {
    func last(_ others: Int) -> CallKind? {
      var traffic = TrafficBuilder()
      let answer = TrafficBuilder.allowing("PUT") + [("access-control-max-age", "600")]
      func ask(_ path: String, _ time: Int64, isCached: Bool = false) -> [Exchange] {
        let url = "https://api.example.com/\(path)"
        let request = traffic.exchange(
          "PUT", url, at: time + 6, response: TrafficBuilder.allowing())
        return isCached
          ? [request] : [traffic.preflight("PUT", nil, url, at: time, response: answer), request]
      }
      var all = ask("first", 0)
      for number in 0..<others { all += ask("\(number)", Int64(20 * number + 20)) }
      all += ask("first", Int64(20 * others + 40), isCached: true)
      return kinds(pairing(all), of: "/first").last
    }
    #expect(last(100) == .cached)
    #expect(last(PairingLimits.cachedURLs + 10) == .preflightUnseen)
  }

  @Test(
    "a request belongs to a preflight as long as the window is open, and is a call of its own then")
  func window() {
    func found(after time: Int64) -> [CallKind] {
      var traffic = TrafficBuilder()
      let calls = [
        traffic.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")),
        traffic.exchange("PUT", at: time, response: TrafficBuilder.allowing()),
      ]
      return kinds(pairing(calls), of: "/v1/orders")
    }
    let limit = milliseconds(PairingLimits.window)
    #expect(found(after: limit - 1000) == [.preflighted])
    #expect(found(after: limit + 1000) == [.preflightOnly, .preflightUnseen])
  }

  @Test("the window is longer where only the ends of requests are stamped")
  func windowByEnd() {
    func found(after time: Int64) -> [CallKind] {
      var traffic = TrafficBuilder()
      var calls = [
        traffic.preflight("PUT", at: 0, response: TrafficBuilder.allowing("PUT")),
        traffic.exchange("PUT", at: time, response: TrafficBuilder.allowing()),
      ]
      for index in calls.indices {
        calls[index].timeBasis = .end
        calls[index].startedAt = nil
      }
      return kinds(pairing(calls), of: "/v1/orders")
    }
    #expect(found(after: milliseconds(PairingLimits.window) + 1000) == [.preflighted])
    let limit = milliseconds(PairingLimits.windowByEnd)
    #expect(found(after: limit - 1000) == [.preflighted])
    // As far as its stamp tells it may have begun while the answer was still in the cache.
    #expect(found(after: limit + 1000) == [.preflightOnly, .cached])
  }

  @Test("requests that wait for a preflight of another node are bounded, and each is a call")
  func awaitingPreflight() {
    var traffic = TrafficBuilder()
    let count = PairingLimits.awaitingPreflight + 5
    let requests = (0..<count).map { number in
      traffic.client = "client-\(number / 100)"
      return traffic.exchange(
        "PUT", "https://api.example.com/\(number)", at: 0, response: TrafficBuilder.allowing())
    }
    #expect(pairing(requests, isFinished: false).calls.count == 5)
    let calls = pairing(requests).calls
    #expect(calls.count == count && calls.allSatisfy { $0.kind == .preflightUnseen })
  }

  /// The verdict on an answer of 304 to a page that read the response before.
  ///
  /// - Parameters:
  ///   - others: what the same browser asked in between.
  ///   - time: when the 304 comes, in milliseconds.
  private func revalidated(after others: Int, at time: Int64) -> Verdict? {
    var traffic = TrafficBuilder()
    let answer = TrafficBuilder.allowing()
    var all = (0...others).map {
      traffic.exchange("GET", "https://api.example.com/\($0)", at: Int64($0), response: answer)
    }
    // Somebody else's traffic lets time pass.
    traffic.client = "198.51.100.1"
    all.append(traffic.exchange("GET", at: time - 1, response: answer))
    traffic.client = all[0].client
    all.append(
      traffic.exchange(
        "GET", "https://api.example.com/0", at: time, status: 304,
        request: [("if-none-match", nil)]))
    return pairing(all).calls.last { $0.url.target == "/0" }?.verdict
  }

  @Test("what a browser could read is remembered for a number of URLs, and unknown beyond it")
  func readableURLs() {
    #expect(revalidated(after: 100, at: 1000) == .allowed)
    #expect(revalidated(after: PairingLimits.readableURLs + 10, at: 1000) == .undetermined)
  }

  @Test(
    "a browser that was silent for long is forgotten at the next look: a 304 is undetermined then")
  func browserLifetime() {
    let limit = milliseconds(PairingLimits.browserLifetime)
    #expect(revalidated(after: 0, at: limit - 1000) == .allowed)
    #expect(revalidated(after: 0, at: limit + 1000) == .undetermined)
  }

  @Test("browsers are looked through once in an interval, not with every exchange")
  func sweepInterval() {
    // The first look comes with the first exchange; the next one not before an interval has passed.
    let lifetime = milliseconds(PairingLimits.browserLifetime)
    let interval = milliseconds(PairingLimits.sweepInterval)
    func verdict(lastLook: Int64) -> Verdict? {
      var traffic = TrafficBuilder()
      let answer = TrafficBuilder.allowing()
      var all = [traffic.exchange("GET", at: 0, response: answer)]
      traffic.client = "198.51.100.1"
      for time in [interval + 1000, lastLook] {
        all.append(traffic.exchange("GET", "https://b.example/", at: time, response: answer))
      }
      traffic.client = all[0].client
      all.append(
        traffic.exchange(
          "GET", at: lifetime + 2000, status: 304, request: [("if-none-match", nil)]))
      return pairing(all).calls.last?.verdict
    }
    #expect(verdict(lastLook: lifetime - 1000) == .allowed)
    #expect(verdict(lastLook: lifetime + 1000) == .undetermined)
  }
}
