import HTTPExchange
import TestSupport
import Testing

@testable import Postflight

@Suite("The same call seen twice")
struct VantageJoinTests {
  /// What the recommended formats record, and what `combined` does.
  private static let logFields:
    (request: [HeaderName: Fidelity], response: [HeaderName: Fidelity]) =
      (
        [.origin: .firstLine, .accessControlRequestMethod: .firstLine],
        [.accessControlAllowOrigin: .firstLine]
      )

  /// An exchange as a log with a resolution of a millisecond shows it.
  private func logged(
    _ exchange: Exchange, _ source: String = "edge.log@1111", number: UInt64? = nil,
    requestFields: [HeaderName: Fidelity] = logFields.request
  ) -> Exchange {
    var logged = exchange
    logged.id = ExchangeID(source: source, number: number ?? exchange.id.number)
    logged.resolution = .millisecond
    logged.request = exchange.request.recorded(only: requestFields)
    logged.response = exchange.response.recorded(only: Self.logFields.response)
    return logged
  }

  private func joined(_ exchanges: [Exchange]) -> (
    kept: [Exchange], joined: UInt64, doubtful: UInt64
  ) {
    var join = VantageJoin()
    var kept: [Exchange] = []
    for exchange in exchanges.sorted(by: { ($0.time, $0.id) < ($1.time, $1.id) }) {
      join.add(exchange)
      while let next = join.next() { kept.append(next) }
    }
    join.finish()
    while let next = join.next() { kept.append(next) }
    return (kept, join.joined, join.doubtful)
  }

  private func traffic(_ times: [Int64], client: String = "203.0.113.9") -> [Exchange] {
    var builder = TrafficBuilder()
    builder.client = client
    return times.map { builder.exchange("GET", at: $0, response: TrafficBuilder.allowing()) }
  }

  @Test("a capture and a log of the same traffic count once, as the capture has it")
  func captureAndLog() {
    let captured = traffic([0, 400, 410, 420, 5000, 90_000])
    let result = joined(captured + captured.map { logged($0) })
    #expect(result.kept == captured)
    #expect(result.joined == 6 && result.doubtful == 0)
  }

  @Test("equal calls from one vantage point all count, however its files are split")
  func oneVantage() {
    let captured = traffic([0, 1, 2, 3])
    #expect(joined(captured).kept.count == 4)
    let lines = captured.map { logged($0) }
    let split = captured.enumerated().map { logged($1, "edge.log.\($0)@\($0)") }
    #expect(joined(lines).kept.count == 4)
    #expect(joined(split).kept.count == 4)
    #expect(joined(captured + split).kept == captured)
  }

  @Test("of calls that one vantage point alone saw none is lost")
  func partialOverlap() {
    let captured = traffic([0, 1000, 2000, 3000])
    let lines = traffic([1000, 2000, 3000, 4000]).map { logged($0) }
    let result = joined(captured + lines)
    #expect(result.kept.count == 5)
    #expect(result.joined == 3)
  }

  @Test("two nodes behind a balancer that look alike by chance count apart, and that is said")
  func twoNodes() {
    var captured: [Exchange] = []
    var lines: [Exchange] = []
    for client in 0..<40 {
      let exchange = traffic([Int64(client) * 700], client: "203.0.113.\(client)")[0]
      if client % 2 == 0 { captured.append(exchange) } else { lines.append(logged(exchange)) }
      // One page in ten calls twice at once, and the balancer sends the calls to both nodes.
      if client % 10 == 0 { lines.append(logged(exchange, number: 1000 + UInt64(client))) }
    }
    let result = joined(captured + lines)
    #expect(result.kept.count >= 43)
    #expect(result.joined <= 1)
    #expect(result.doubtful >= 3)
  }

  @Test("an edge and an application that share the request id count once, whatever their format")
  func edgeAndApplication() {
    var edge = traffic([0, 500, 1000])
    for index in edge.indices { edge[index].requestID = "id-\(index)" }
    let application = edge.map { exchange in
      var line = logged(exchange, "app.log@2222")
      line.client = "10.0.0.1"
      line.forwardedFor = exchange.client
      line.startedAt = exchange.startedAt?.advanced(by: 2_000_000_000)
      line.endedAt = exchange.endedAt?.advanced(by: 2_000_000_000)
      return line
    }
    let lines = edge.map { logged($0) }
    let result = joined(lines + application)
    #expect(result.kept == lines)
    #expect(result.joined == 3)
    // A sidecar writes both sides into one file.
    let sidecar = application.map { line in
      var line = line
      line.id = ExchangeID(source: "edge.log@1111", number: line.id.number + 100)
      return line
    }
    #expect(joined(lines + sidecar).kept == lines)
  }

  @Test(
    "without an id, an edge and an application of different formats meet by the forwarded client")
  func forwardedClient() {
    let calls = traffic([0, 500, 1000])
    let edge = calls.map { logged($0) }
    let application = calls.map { exchange in
      var line = logged(exchange, "app.log@2222", requestFields: [.origin: .firstLine])
      line.client = "10.0.0.1"
      line.forwardedFor = exchange.client
      line.startedAt = exchange.startedAt?.advanced(by: 2_000_000)
      return line
    }
    #expect(joined(edge + application).kept == edge)
    // Of one format they are told apart by the proxy that one of them stands behind.
    let alike = application.map { line in
      var line = line
      line.request = edge[0].request
      return line
    }
    #expect(joined(edge + alike).kept == edge)
  }

  /// Calls of many clients, one a second.
  private func crowd(_ count: Int) -> [Exchange] {
    (0..<count).map { index in
      var call = traffic([Int64(index) * 1000], client: "203.0.113.\(index % 40)")[0]
      call.id.number = UInt64(index + 1)
      return call
    }
  }

  private func twins(_ exchanges: [Exchange]) -> [String] {
    var join = VantageJoin()
    for exchange in exchanges.sorted(by: { ($0.time, $0.id) < ($1.time, $1.id) }) {
      join.add(exchange)
      while join.next() != nil {}
    }
    return join.twinSentences
  }

  @Test("two logs of one format that show the same traffic and cannot be joined are named")
  func twinInputs() {
    let edge = crowd(60).map { logged($0) }
    // A clock that is behind, and a second proxy, so that only the browser's address is the same.
    let application = edge.map { line in
      var line = line
      line.id = ExchangeID(source: "app.log@2222", number: line.id.number + 7)
      line.startedAt = line.startedAt?.advanced(by: -700_000_000)
      line.endedAt = line.endedAt?.advanced(by: -700_000_000)
      return line
    }
    let said = twins(edge + application)
    #expect(said.count == 1)
    #expect(said.first?.hasPrefix("app.log (2222) and edge.log (1111) look like the same") == true)
    #expect(said.first?.contains("60 lines") == true)
    #expect(joined(edge + application).kept.count == 120)
  }

  /// What an application behind a proxy logs of the same calls, with the proxy's address.
  private func behindProxy(_ edge: [Exchange], _ proxies: [String]) -> [Exchange] {
    edge.enumerated().map { index, line in
      var line = line
      line.id = ExchangeID(source: "app.log@2222", number: line.id.number + 7)
      line.client = proxies[index % proxies.count]
      line.endedAt = line.endedAt?.advanced(by: -2_000_000)
      return line
    }
  }

  @Test(
    "an application that shows its proxies alone is named beside the edge",
    arguments: [["10.0.0.5"], ["10.0.0.5", "10.0.0.6", "10.0.0.7"], [""]])
  func proxied(proxies: [String]) {
    let edge = crowd(90).map { logged($0) }
    let said = twins(edge + behindProxy(edge, proxies))
    #expect(said.count == 1, "\(said)")
    #expect(
      said.first?.hasPrefix("app.log (2222) looks like the traffic of edge.log (1111) seen behind")
        == true)
    let named = proxies == [""] ? "names no client" : proxies.joined(separator: ", ")
    #expect(said.first?.contains(named) == true)
    #expect(said.first?.contains("X-Forwarded-For") == true)
  }

  @Test("few clients of other calls, or clients that are named, are no proxy")
  func notProxied() {
    let edge = crowd(90).map { logged($0) }
    let named = behindProxy(edge, ["10.0.0.5"]).map { line in
      var line = line
      line.forwardedFor = "198.51.100.\(line.id.number % 40)"
      return line
    }
    #expect(twins(edge + named) == [])
    let elsewhere = behindProxy(edge, ["10.0.0.5"]).map { line in
      var line = line
      line.url.target = "/health"
      return line
    }
    #expect(twins(edge + elsewhere) == [])
    let probes = crowd(90).map { call in
      var line = logged(call)
      line.client = "198.51.100.1"
      return line
    }
    // Two probes of two nodes: neither shows more clients than the other.
    #expect(twins(probes + behindProxy(probes, ["198.51.100.2"])) == [])
  }

  @Test("two nodes that share the traffic are not taken for one traffic that was seen twice")
  func nodesAreNoTwins() {
    let lines = crowd(200).enumerated().map { logged($1, $0 % 2 == 0 ? "a.log@aa" : "b.log@bb") }
    #expect(twins(lines) == [])
    #expect(joined(lines).kept.count == 200)
  }

  @Test("a copy that was made before the log had grown counts once")
  func earlyCopy() {
    let lines = crowd(50).map { logged($0, "access.log@aaaa") }
    let copy = lines.prefix(20).map { line in
      var line = line
      line.id.source = "access.log@bbbb"
      return line
    }
    let result = joined(lines + copy)
    #expect(result.kept.count == 50)
    #expect(result.joined == 20)
  }

  @Test("an id that several calls of a page share joins nothing from one place")
  func sharedID() {
    var calls = traffic([0, 100, 200])
    for index in calls.indices { calls[index].requestID = "page" }
    #expect(joined(calls).kept.count == 3)
    let split = calls.enumerated().map { logged($1, "edge.log.\($0)@\($0)") }
    #expect(joined(split).kept.count == 3)
  }

  @Test("whatever differs between two records keeps them apart")
  func differences() {
    let call = traffic([0])[0]
    let line = logged(call)
    func changed(_ change: (inout Exchange) -> Void) -> Exchange {
      var other = line
      change(&other)
      return other
    }
    let others = [
      changed { $0.method = "PUT" }, changed { $0.url.target = "/v1/orders?x=1" },
      changed { $0.url.host = "other.example.com" }, changed { $0.status = 401 },
      changed { $0.userAgent = TrafficBuilder.firefox }, changed { $0.client = "203.0.113.8" },
      changed { $0.startedAt = call.startedAt?.advanced(by: 400_000_000) },
      changed { $0.request.fields = [HeaderField(.origin, "https://other.example.com")] },
    ]
    #expect(joined([call, line]).kept.count == 1)
    for other in others { #expect(joined([call, other]).kept.count == 2, "\(other)") }
  }

  @Test("the fullest record counts, exchange by exchange, and learns from the other")
  func fullest() {
    let call = traffic([0])[0]
    var cut = call
    cut.status = nil
    cut.response = .unseen
    cut.ending = .gap
    let line = logged(call)
    #expect(joined([cut, line]).kept.map(\.id) == [line.id])
    var clear = call
    clear.url.scheme = nil
    clear.url.port = nil
    let kept = joined([clear, line]).kept
    #expect(kept.map(\.id) == [call.id])
    #expect(kept.first?.url == call.url)
  }

  @Test("two copies of one file count once")
  func copies() {
    let lines = traffic([0, 1, 2, 5000]).map { logged($0, "access.log@aaaa") }
    let copy = lines.map { line in
      var line = line
      line.id.source = "access.log.1@aaaa"
      return line
    }
    let result = joined(lines + copy)
    #expect(result.kept.map(\.id.number) == lines.map(\.id.number))
    #expect(result.joined == 4)
  }

  @Test("a copy that is stamped long after, by the end of a slow request, is still known")
  func slow() {
    var builder = TrafficBuilder()
    var call = builder.exchange("GET", at: 0, response: TrafficBuilder.allowing())
    call.endedAt = call.startedAt?.advanced(by: 30_000_000_000)
    let between = traffic([1000, 5000, 20_000], client: "203.0.113.77")
    var line = logged(call)
    line.startedAt = nil
    line.timeBasis = .end
    line.resolution = .second
    let result = joined([call, line] + between)
    #expect(result.kept.count == 4)
    #expect(result.joined == 1)
  }

  @Test("whatever comes in, each call comes out exactly once", arguments: 0..<20)
  func nothingLost(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var captured: [Exchange] = []
    var lines: [Exchange] = []
    for index in 0..<400 {
      var call = traffic(
        [Int64.random(in: 0..<60_000, using: &random)],
        client: "203.0.113.\(Int.random(in: 0..<5, using: &random))")[0]
      call.id.number = UInt64(index)
      if Bool.random(using: &random) { call.requestID = "\(index)" }
      captured.append(call)
      if Int.random(in: 0..<10, using: &random) < 8 { lines.append(logged(call)) }
    }
    let result = joined(captured + lines)
    #expect(UInt64(result.kept.count) + result.joined == UInt64(captured.count + lines.count))
    #expect(Set(result.kept.map(\.id)).count == result.kept.count)
    // Every call was captured: each comes out, and hardly any line beside them.
    #expect(result.kept.count >= captured.count)
    #expect(result.kept.count - captured.count <= 4)
  }
}
