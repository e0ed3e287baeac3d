import AccessLog
import Foundation
import HTTPExchange
import IncidentReport
import TestSupport
import Testing

@testable import Postflight

@Suite("Many files of many nodes")
struct ManyFilesTests {
  private static let nodes = 5
  private static let rotations = 60

  /// Rotated gzip files: each preflight on one node, its request on the next, one of whose clocks
  /// is 1.5 s behind.
  private func files() -> [(name: String, bytes: [UInt8])] {
    var lines: [String: [(Int, String)]] = [:]
    for index in 0..<Self.rotations * 20 {
      let rotation = index / 20
      let begin = 1_795_461_000_000 + rotation * 60_000 + index % 20 * 2500
      let node = index % Self.nodes
      let next = (node + 1) % Self.nodes
      for (node, time, method) in [
        (node, begin, "OPTIONS"), (next, begin + 200 - (next == 3 ? 1500 : 0), "PUT"),
      ] {
        let stamp = EventTime(nanoseconds: Int64(time) * 1_000_000).rfc3339(.second)
          .replacing("Z", with: "+00:00")
        let line =
          "203.0.113.\(index % 50) [\(stamp)] \(time / 1000).\(String(time % 1000 + 1000).dropFirst()) "
          + "0.010 https://api.example.com:443 \"\(method) /v1/orders/\(index) HTTP/1.1\" 200 0 "
          + "origin=\"https://app.example.com\" acrm=\"\(method == "PUT" ? "-" : "PUT")\" acrh=\"-\" "
          + "fetch-mode=\"cors\" fetch-site=\"cross-site\" fetch-dest=\"empty\" cookie=0 "
          + "authorization=0 acao=\"https://app.example.com\" acam=\"PUT\" acah=\"-\" acac=\"-\" "
          + "max-age=\"0\" ua=\"\(TrafficBuilder.chrome)\" rid=\(index)-\(method)\n"
        lines["node-\(node).log.\(rotation).gz", default: []].append((time, line))
      }
    }
    return lines.map { name, lines in
      let text = lines.sorted { $0.0 < $1.0 }.map(\.1).joined()
      return (name, gzipMember(Array(text.utf8)))
    }
  }

  @Test("preflights meet their requests in 300 files, and few of them are open at once")
  func many() throws {
    try withTemporaryFolder(files()) { folder in
      var options = StageOptions(inputs: [folder])
      let plan = InputPlan([folder], format: .automatic, options: IngestOptions(), jobs: 1)
      #expect(plan.sources.count == Self.nodes * Self.rotations)
      // Counts sources that are alive, which hold a file and its buffers.
      let alive = Counter()
      let counted = plan.sources.map { planned in
        var planned = planned
        let open = planned.open
        planned.open = { () throws(StageError) -> (any ExchangeSource)? in
          try open().map { OpenedSource(CountedSource($0, alive), atEnd: {}) }
        }
        return planned
      }
      var merge = TimeMerge(counted)
      var count = 0
      var last = EventTime(nanoseconds: .min)
      while let exchange = try merge.next() {
        #expect(exchange.time >= last)
        last = exchange.time
        count += 1
      }
      #expect(count == Self.rotations * 40)
      #expect(alive.count == 0)
      #expect(alive.most <= 2 * Self.nodes, "\(alive.most) open at once")

      options.jobs = 2
      let result = try analyze(options) { (_, _) throws(StageError) in }
      #expect(result.totals.allowed == UInt64(Self.rotations * 20))
      #expect(result.totals.calls == UInt64(Self.rotations * 20))
      #expect(!result.isPartial)
    }
  }

  private final class Counter {
    var count = 0
    var most = 0
  }

  private final class CountedSource: ExchangeSource {
    private let source: any ExchangeSource
    private let counter: Counter

    init(_ source: any ExchangeSource, _ counter: Counter) {
      self.source = source
      self.counter = counter
      counter.count += 1
      counter.most = max(counter.most, counter.count)
    }

    deinit {
      counter.count -= 1
    }

    func nextBatch() throws(StageError) -> ExchangeBatch? { try source.nextBatch() }
    var records: [SourceRecord] { source.records }
  }
}
