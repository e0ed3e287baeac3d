import FetchCORS
import HTTPExchange
import TestSupport
import Testing

@testable import Postflight

/// One log, split at random over nodes and rotations whose clocks differ, with copies among them, has
/// the same calls as the whole log.
@Suite("A log that is split")
struct SplitLogTests {
  private static let fields: [HeaderName: Fidelity] = [
    .origin: .firstLine, .accessControlRequestMethod: .firstLine,
    .accessControlRequestHeaders: .firstLine,
  ]
  private static let answer: [HeaderName: Fidelity] = [
    .accessControlAllowOrigin: .firstLine, .accessControlAllowMethods: .firstLine,
    .accessControlAllowHeaders: .firstLine, .accessControlAllowCredentials: .firstLine,
    .accessControlMaxAge: .firstLine,
  ]

  /// Calls of some browsers: preflighted, simple, refused and given up, each at a URL of its own.
  private func log(_ random: inout SeededGenerator) -> [Exchange] {
    var builder = TrafficBuilder()
    builder.source = "access.log@whole"
    var lines: [Exchange] = []
    for index in 0..<400 {
      builder.client = "203.0.113.\(random.number(below: 30))"
      let url = "https://api.example.com/v1/orders/\(index)"
      let begin = Int64(index) * 700
      let allows = TrafficBuilder.allowing("PUT") + [("access-control-max-age", "0")]
      switch random.number(below: 4) {
      case 0: lines.append(builder.exchange("GET", url, at: begin, response: allows))
      case 1: lines.append(builder.exchange("GET", url, at: begin))
      case 2: lines.append(builder.preflight("PUT", nil, url, at: begin, status: 403, response: []))
      default:
        lines.append(builder.preflight("PUT", nil, url, at: begin, response: allows))
        lines.append(builder.exchange("PUT", url, at: begin + 60, response: allows))
      }
    }
    return lines.map { line in
      var line = line
      line.request = line.request.recorded(only: Self.fields)
      line.response = line.response.recorded(only: Self.answer)
      line.resolution = .millisecond
      return line
    }
  }

  private func judged(_ files: [[Exchange]], batch: Int) throws -> (calls: [String], late: UInt64) {
    let planned = files.filter { !$0.isEmpty }.map { file in
      let batches = stride(from: 0, to: file.count, by: batch).map { start in
        let part = Array(file[start..<min(start + batch, file.count)])
        return ExchangeBatch(
          exchanges: part,
          watermark: (part.last?.time ?? EventTime(nanoseconds: .min))
            .advanced(by: -ExchangeBatch.reorderWindow))
      }
      return PlannedSource(
        path: file[0].id.source, name: file[0].id.source, identity: file[0].id.source,
        firstTime: file[0].time
      ) { TimeMergeTests.PreparedSource(batches) }
    }.sorted { ($0.firstTime ?? .init(nanoseconds: 0)) < ($1.firstTime ?? .init(nanoseconds: 0)) }
    var merge = TimeMerge(planned, openLimit: 16, waitingLimit: 1 << 20)
    var join = VantageJoin()
    var pairing = Pairing()
    while let exchange = try merge.next() {
      join.add(exchange)
      while let next = join.next() { pairing.add(next) }
    }
    join.finish()
    while let next = join.next() { pairing.add(next) }
    pairing.finish()
    let calls = pairing.takeCalls().map { call in
      "\(call.url.target) \(call.method) \(call.kind) \(call.verdict) \(call.client)"
    }
    return (calls.sorted(), merge.lateCount)
  }

  @Test(
    "split over nodes and rotations, with skew and copies, it has the same calls", arguments: 0..<12
  )
  func split(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let whole = log(&random)
    let expected = try judged([whole], batch: 100)
    #expect(expected.calls.count == 400)
    let nodes = random.pick([2, 3, 8, 40])
    let rotations = random.pick([1, 2, 5])
    // Half of what is tolerated to either side.
    let skews = (0..<nodes).map { _ in
      Int64(random.number(below: Int(PairingLimits.clockSkew))) - PairingLimits.clockSkew / 2
    }
    var files: [[Exchange]] = Array(repeating: [], count: nodes * rotations)
    for (index, line) in whole.enumerated() {
      let node = random.number(below: nodes)
      let place = node * rotations + index * rotations / whole.count
      var line = line
      line.startedAt = line.startedAt?.advanced(by: skews[node])
      line.endedAt = line.endedAt?.advanced(by: skews[node])
      line.id = ExchangeID(
        source: "node-\(node).log.\(place % rotations)@\(place)",
        number: UInt64(files[place].count + 1))
      files[place].append(line)
    }
    // Copies: of a whole file under another name, and of the beginning of one under its own.
    for (place, file) in files.enumerated() where random.chance(1, in: 3) {
      let isWhole = random.chance(1, in: 2)
      files.append(
        file.prefix(isWhole ? file.count : file.count / 2).map { line in
          var line = line
          line.id.source =
            isWhole
            ? "copy-of-\(line.id.source)"
            : line.id.source.split(separator: "@")[0] + "@cut\(place)"
          return line
        })
    }
    let result = try judged(files, batch: random.pick([7, 100]))
    #expect(result.late == 0)
    #expect(result.calls == expected.calls, "seed \(seed): \(nodes) nodes, \(rotations) rotations")
  }
}
