import HTTPExchange
import TestSupport
import Testing

@testable import Postflight

@Suite("Merging by time")
struct TimeMergeTests {
  /// Gives out batches that were prepared.
  final class PreparedSource: ExchangeSource {
    private var batches: [ExchangeBatch]
    private let onOpen: (() -> Void)?

    init(_ batches: [ExchangeBatch], onOpen: (() -> Void)? = nil) {
      self.batches = batches.reversed()
      self.onOpen = onOpen
      onOpen?()
    }

    func nextBatch() -> ExchangeBatch? { batches.popLast() }
    var records: [SourceRecord] { [] }
  }

  private func merged(_ sources: [PlannedSource]) throws -> (ids: [String], late: UInt64) {
    var merge = TimeMerge(sources)
    var ids: [String] = []
    while let exchange = try merge.next() { ids.append(exchange.id.description) }
    return (ids, merge.lateCount)
  }

  private func planned(
    _ name: String, _ exchanges: [Exchange], batch: Int, window: Int64 = 0,
    onOpen: (() -> Void)? = nil
  ) -> PlannedSource {
    var batches: [ExchangeBatch] = []
    var latest = EventTime(nanoseconds: .min)
    for start in stride(from: 0, to: exchanges.count, by: batch) {
      let part = Array(exchanges[start..<min(start + batch, exchanges.count)])
      latest = part.map(\.time).reduce(latest, max)
      batches.append(ExchangeBatch(exchanges: part, watermark: latest.advanced(by: -window)))
    }
    return PlannedSource(
      path: name, name: name, identity: name, firstTime: exchanges.first?.time,
      reorderWindow: window
    ) {
      PreparedSource(batches, onOpen: onOpen)
    }
  }

  private func traffic(_ source: String, _ times: [Int64]) -> [Exchange] {
    var builder = TrafficBuilder()
    builder.source = source
    return times.map { builder.exchange("GET", at: $0) }
  }

  /// Expects that a merge gives all of some exchanges, none of them late.
  private func expectInOrder(
    _ merge: inout TimeMerge, _ all: [Exchange],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var ids: [String] = []
    while let exchange = try merge.next() { ids.append(exchange.id.description) }
    let expected = all.sorted { ($0.time, $0.id) < ($1.time, $1.id) }.map(\.id.description)
    #expect(ids == expected, sourceLocation: sourceLocation)
    #expect(merge.lateCount == 0, sourceLocation: sourceLocation)
  }

  @Test("the order does not depend on how the traffic is split", arguments: [1, 2, 7, 100])
  func independentOfBatches(size: Int) throws {
    let first = traffic("a@1", [0, 10, 20, 30, 40, 50])
    let second = traffic("b@2", [5, 10, 15, 45, 60])
    let result = try merged([
      planned("a", first, batch: size), planned("b", second, batch: size),
    ])
    let expected = (first + second).sorted { ($0.time, $0.id) < ($1.time, $1.id) }
    #expect(result.ids == expected.map(\.id.description))
    #expect(result.late == 0)
  }

  @Test("lines of one log that stand in the wrong order within the window are put right")
  func reorders() throws {
    let times: [Int64] = [0, 30_000, 10_000, 50_000, 20_000, 200_000]
    let exchanges = traffic("a@1", times)
    let result = try merged([
      planned("a", exchanges, batch: 2, window: ExchangeBatch.reorderWindow)
    ])
    #expect(
      result.ids == exchanges.sorted { $0.time < $1.time }.map(\.id.description))
    #expect(result.late == 0)
  }

  @Test("what comes later than the window is given out and counted")
  func late() throws {
    let exchanges = traffic("a@1", [0, 300_000, 600_000, 10_000])
    let result = try merged([
      planned("a", exchanges, batch: 1, window: ExchangeBatch.reorderWindow)
    ])
    #expect(result.ids.count == 4)
    #expect(result.late == 1)
  }

  @Test("a file is opened when its time comes, not before")
  func opensLazily() throws {
    var opened: [String] = []
    let early = planned("a", traffic("a@1", [0, 10]), batch: 10) { opened.append("a") }
    let late = planned("b", traffic("b@2", [10_000_000]), batch: 10) { opened.append("b") }
    var merge = TimeMerge([early, late])
    _ = try merge.next()
    #expect(opened == ["a"])
    while try merge.next() != nil {}
    #expect(opened == ["a", "b"])
  }

  @Test("a queue gives out in the order of time and identifier, however it was filled")
  func queue() {
    var generator = SeededGenerator(seed: 7)
    var queue = SortedQueue()
    var held: [Exchange] = []
    for round in 0..<300 {
      let batch = traffic(
        "s\(round % 3)@1",
        (0..<generator.pick([0, 1, 3, 40])).map { _ in
          Int64(round * 10) + Int64(generator.pick([-900, -30, 0, 0, 1, 5, 5, 60]))
        })
      queue.insert(batch)
      held += batch
      for _ in 0..<generator.pick([0, 2, 25]) where !held.isEmpty {
        held.sort { ($0.time, $0.id) < ($1.time, $1.id) }
        let first = held.removeFirst()
        #expect(queue.firstTime == first.time)
        // Two exchanges of one identifier may come in either order.
        #expect(queue.popFirst()?.id == first.id)
      }
    }
    while let exchange = queue.popFirst() {
      held.sort { ($0.time, $0.id) < ($1.time, $1.id) }
      #expect(exchange.id == held.removeFirst().id)
    }
    #expect(held.isEmpty)
    #expect(queue.firstTime == nil)
  }

  @Test("a dense log is given out before its window has passed, and what comes later is counted")
  func dense() throws {
    let count = TimeMerge.maximumWaiting + 10
    let exchanges = traffic("a@1", Array(1...Int64(count)) + [0])
    let result = try merged([
      planned("a", exchanges, batch: 1024, window: ExchangeBatch.reorderWindow)
    ])
    #expect(result.ids.count == count + 1)
    #expect(result.late == 1)
  }

  @Test(
    "sources that all overlap come out in order, though few may be open and little may be held",
    arguments: 0..<6)
  func overlapping(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let sources = [40, 40, 300, 300, 3000, 3000][Int(seed)]
    var builder = TrafficBuilder()
    var split: [[Exchange]] = Array(repeating: [], count: sources)
    var all: [Exchange] = []
    for index in 0..<max(6000, sources * 3) {
      let place = random.number(below: sources)
      builder.source = "node-\(place).log@\(place)"
      let exchange = builder.exchange("GET", at: Int64(index * 500 + random.number(below: 400)))
      split[place].append(exchange)
      all.append(exchange)
    }
    let window = seed % 2 == 0 ? 0 : ExchangeBatch.reorderWindow
    let planned = split.enumerated().filter { !$1.isEmpty }.map {
      self.planned("\($0)", $1, batch: [3, 50][Int(seed) / 2 % 2], window: window)
    }.sorted { ($0.firstTime ?? .init(nanoseconds: 0)) < ($1.firstTime ?? .init(nanoseconds: 0)) }
    var merge = TimeMerge(planned, openLimit: 16, waitingLimit: 1 << 20)
    try expectInOrder(&merge, all)
  }

  @Test("when there are many temporary files they are made into one")
  func manyRuns() throws {
    // Each source reaches from the beginning to the end, so that nothing can be given out before all
    // were read.
    var builder = TrafficBuilder()
    var all: [Exchange] = []
    let planned = (0..<200).map { place in
      builder.source = "node-\(place).log@\(place)"
      let exchanges = (0..<10).map {
        builder.exchange("GET", at: Int64($0 * 600_000 + place))
      }
      all += exchanges
      return self.planned("\(place)", exchanges, batch: 10)
    }
    var merge = TimeMerge(planned, openLimit: 8, waitingLimit: 1 << 12)
    try expectInOrder(&merge, all)
  }

  @Test("a flood of one instant comes out in order, though less of it may be held than there is")
  func oneInstant() throws {
    var all: [Exchange] = []
    let planned = (0..<3).map { place in
      let exchanges = traffic("node-\(place).log@\(place)", [Int64](repeating: 0, count: 1000))
      all += exchanges
      return self.planned(
        "\(place)", exchanges, batch: 100, window: ExchangeBatch.reorderWindow)
    }
    var merge = TimeMerge(planned, waitingLimit: 1 << 17)
    var ids: [String] = []
    while let exchange = try merge.next() { ids.append(exchange.id.description) }
    #expect(ids == all.sorted { $0.id < $1.id }.map(\.id.description))
    #expect(merge.lateCount == 0)
  }

  @Test("a log of one instant is given out as it is read once too much of it waits")
  func oneInstantOfOneLog() throws {
    let exchanges = traffic("a@1", [Int64](repeating: 0, count: 3000))
    // Nothing may be written.
    var merge = TimeMerge(
      [planned("a", exchanges, batch: 100, window: ExchangeBatch.reorderWindow)],
      spoolFolder: "/nowhere", waitingLimit: 1 << 17)
    var ids: [String] = []
    while let exchange = try merge.next() { ids.append(exchange.id.description) }
    #expect(ids == exchanges.map(\.id.description))
    #expect(merge.lateCount == 0)
  }

  @Test("a temporary folder that cannot be written to is an error, not a loss")
  func noSpool() {
    let planned = (0..<20).map {
      self.planned("\($0)", traffic("node-\($0)@\($0)", [0, 10_000_000]), batch: 2)
    }
    var merge = TimeMerge(planned, spoolFolder: "/nowhere", openLimit: 8, waitingLimit: 1 << 10)
    #expect(throws: StageError.self) { while try merge.next() != nil {} }
  }
}
