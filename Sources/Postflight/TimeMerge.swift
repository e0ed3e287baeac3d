internal import Foundation
internal import HTTPExchange

/// Merges the exchanges of many sources in the order of time.
///
/// Sources are opened when the time of their first record has come, so that a month of rotated files
/// needs no more memory than the few that overlap. The order depends on the exchanges alone: not on
/// how they were split into files, nor on the order of the arguments, nor on threads.
struct TimeMerge {
  /// Exchanges of one source that may wait for earlier ones of it.
  ///
  /// What comes later than this many others is counted as late. Bounds memory where a log is dense.
  static let maximumWaiting = 16_384
  /// Bytes of all exchanges that may wait: an exchange of ordinary size has some 2 KB, a hostile one
  /// a hundred times that.
  static let maximumWaitingBytes = 96 << 20
  /// Sources that may be open at once, some 200 KB each, unless the system allows fewer.
  ///
  /// Where more overlap in time, the others wait for one of them to end, and what they hold counts as
  /// late.
  static let maximumOpen = 512
  /// Batches after which a file is left for the next one; a small one is closed by then.
  private static let firstBatches = 3

  /// A source whose time has come, and what it gave that has to wait.
  private final class Lane {
    private let planned: PlannedSource
    private var source: (any ExchangeSource)?
    var watermark: EventTime
    var waiting = SortedQueue()
    var batches = 0
    private(set) var isAtEnd = false

    init(_ planned: PlannedSource, from time: EventTime) {
      self.planned = planned
      watermark = time
    }

    /// The next batch; of sources that begin at the same time, one is opened after another.
    func nextBatch() throws(StageError) -> ExchangeBatch? {
      if source == nil, !isAtEnd { source = try planned.open() }
      let batch = try source?.nextBatch()
      if batch == nil {
        isAtEnd = true
        source = nil
      }
      return batch
    }
  }

  /// The lane whose turn it is, and for how long.
  private struct Turn {
    var lane: Lane
    /// The lane that is next, once its first exchange is before the other's.
    var runnerUp: Lane?
    /// Only what is before this instant may be given out; `nil` when nothing earlier can come.
    var bound: EventTime?
    /// Whether the bound may be passed over while too much waits.
    var mayHurry: Bool
  }

  private var unopened: ArraySlice<PlannedSource>
  private var lanes: [Lane] = []
  private let openLimit: Int
  private var openCount = 0
  private var waitingCount = 0
  private var waitingBytes = 0
  private var turn: Turn?
  private var latest = EventTime(nanoseconds: .min)
  private var previous: Exchange?
  /// Exchanges that came after a later one had been given out.
  private(set) var lateCount: UInt64 = 0
  /// Exchanges of a copy of an input: the same record under the same name.
  private(set) var copyCount: UInt64 = 0

  /// - Parameter sources: in the order of their first record.
  init(_ sources: [PlannedSource]) {
    unopened = sources[...]
    var limit = rlimit()
    // Some descriptors are for everything else.
    let allowed =
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
      ? Int(clamping: limit.rlim_cur) - 32 : Self.maximumOpen
    openLimit = max(8, min(Self.maximumOpen, allowed))
  }

  /// The next exchange in the order of time; `nil` at the end.
  mutating func next() throws(StageError) -> Exchange? {
    while true {
      if let exchange = takeTurn() {
        if let previous, previous.id.number == exchange.id.number, previous == exchange {
          copyCount += 1
          continue
        }
        previous = exchange
        return exchange
      }
      turn = nil
      try openDue()
      let slowest = lanes.filter { !$0.isAtEnd }.min { $0.watermark < $1.watermark }
      if passTurn(slowest) { continue }
      if let slowest {
        try pull(slowest)
      } else if unopened.isEmpty {
        return nil
      }
    }
  }

  /// The first exchange of the lane whose turn it is; `nil` when its turn is over.
  private mutating func takeTurn() -> Exchange? {
    guard let lane = turn?.lane, let time = lane.waiting.firstTime else { return nil }
    if let bound = turn?.bound, time >= bound, !(turn?.mayHurry == true && isTooMuch) {
      return nil
    }
    if let other = turn?.runnerUp, other.waiting.isFirst(before: lane.waiting) { return nil }
    if time < latest { lateCount += 1 } else { latest = time }
    let before = lane.waiting.bytes
    defer {
      waitingCount -= 1
      waitingBytes -= before - lane.waiting.bytes
    }
    return lane.waiting.popFirst()
  }

  /// Whether more waits than may.
  private var isTooMuch: Bool {
    waitingCount >= Self.maximumWaiting * max(1, openCount)
      || waitingBytes >= Self.maximumWaitingBytes
  }

  /// Gives the turn to the lane with the earliest exchange, if that may be given out.
  ///
  /// - Parameter slowest: the open source that has come least far; every source must have passed
  ///   the time of what is given out.
  private mutating func passTurn(_ slowest: Lane?) -> Bool {
    lanes.removeAll { $0.isAtEnd && $0.waiting.firstTime == nil }
    var first: Lane?
    var second: Lane?
    for lane in lanes where lane.waiting.firstTime != nil {
      if first.map({ lane.waiting.isFirst(before: $0.waiting) }) ?? true {
        second = first
        first = lane
      } else if second.map({ lane.waiting.isFirst(before: $0.waiting) }) ?? true {
        second = lane
      }
    }
    guard let first else { return false }
    openCount = lanes.count { !$0.isAtEnd }
    let bound = slowest?.watermark ?? unopenedReach
    let mayHurry = openCount > 0
    if let bound, let time = first.waiting.firstTime, time >= bound, !(mayHurry && isTooMuch) {
      return false
    }
    turn = Turn(lane: first, runnerUp: second, bound: bound, mayHurry: mayHurry)
    return true
  }

  /// The time from which on the next unopened source may have something to say.
  private var unopenedReach: EventTime? {
    unopened.first?.firstTime?.advanced(by: -ExchangeBatch.reorderWindow)
  }

  /// Opens every source whose first record may stand before what would be given out next.
  private mutating func openDue() throws(StageError) {
    while let planned = unopened.first, lanes.count < openLimit {
      let open = lanes.lazy.filter { !$0.isAtEnd }.map(\.watermark).min()
      let reach = open ?? lanes.compactMap(\.waiting.firstTime).min()
      if let reach, let start = unopenedReach, start > reach { return }
      unopened.removeFirst()
      let start = planned.firstTime?.advanced(by: -ExchangeBatch.reorderWindow)
      lanes.append(Lane(planned, from: start ?? EventTime(nanoseconds: .min)))
    }
  }

  private mutating func pull(_ lane: Lane) throws(StageError) {
    repeat {
      guard let batch = try lane.nextBatch() else {
        gather(lane)
        return
      }
      lane.batches += 1
      lane.watermark = max(lane.watermark, batch.watermark)
      let before = lane.waiting.bytes
      lane.waiting.insert(batch.exchanges)
      waitingCount += batch.exchanges.count
      waitingBytes += lane.waiting.bytes - before
    } while lane.batches < Self.firstBatches
  }

  /// Puts together what ended sources left, so that there are hardly more lanes than open sources.
  private mutating func gather(_ lane: Lane) {
    guard let ended = lanes.first(where: { $0.isAtEnd && $0 !== lane }) else { return }
    ended.waiting.insert(lane.waiting.takeAll())
    lanes.removeAll { $0 === lane }
  }
}

/// Exchanges by time, then by identifier.
///
/// Sources are in order but for a few neighbours, so that nearly everything is put in at the end.
struct SortedQueue {
  private var times: [EventTime] = []
  /// Beside their times, so that searching touches no exchange.
  private var exchanges: [Exchange?] = []
  private var sizes: [Int] = []
  private var head = 0
  /// Bytes of all exchanges, roughly.
  private(set) var bytes = 0

  /// The time of the first exchange; `nil` when there is none.
  var firstTime: EventTime? { head < times.count ? times[head] : nil }

  /// Whether its first exchange comes before that of another queue.
  func isFirst(before other: Self) -> Bool {
    guard let time = firstTime, let otherTime = other.firstTime else { return firstTime != nil }
    if time != otherTime { return time < otherTime }
    guard let exchange = exchanges[head], let second = other.exchanges[other.head] else {
      return false
    }
    return exchange.id < second.id
  }

  /// Takes out the first exchange.
  mutating func popFirst() -> Exchange? {
    guard head < times.count else { return nil }
    let exchange = exchanges[head].take()
    bytes -= sizes[head]
    head += 1
    if head == times.count || (head >= 4096 && head * 2 >= times.count) {
      times.removeFirst(head)
      exchanges.removeFirst(head)
      sizes.removeFirst(head)
      head = 0
    }
    return exchange
  }

  /// Takes out all exchanges.
  mutating func takeAll() -> [Exchange] {
    defer { self = Self() }
    return exchanges[head...].compactMap { $0 }
  }

  /// Puts exchanges in.
  mutating func insert(_ batch: [Exchange]) {
    for exchange in batch {
      let time = exchange.time
      let size = exchange.approximateBytes
      bytes += size
      if times.count == head || isOrdered(times.count - 1, time, exchange) {
        times.append(time)
        exchanges.append(exchange)
        sizes.append(size)
      } else {
        let index = place(of: exchange, time)
        times.insert(time, at: index)
        exchanges.insert(exchange, at: index)
        sizes.insert(size, at: index)
      }
    }
  }

  /// Whether what stands at an index comes before an exchange, or is its equal.
  private func isOrdered(_ index: Int, _ time: EventTime, _ exchange: Exchange) -> Bool {
    guard times[index] == time, let other = exchanges[index] else { return times[index] < time }
    return !(exchange.id < other.id)
  }

  private func place(of exchange: Exchange, _ time: EventTime) -> Int {
    var (low, high) = (head, times.count)
    while low < high {
      let middle = (low + high) / 2
      if isOrdered(middle, time, exchange) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
