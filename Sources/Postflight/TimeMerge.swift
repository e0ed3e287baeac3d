internal import Foundation
internal import HTTPExchange

/// Merges the exchanges of many sources in the order of time.
///
/// Sources are opened when the time of their first record has come, so that a month of rotated files
/// needs no more memory than the few that overlap. Where so many overlap that what has to wait is too
/// much to be held, or that they cannot all be open, it waits in temporary files. The order depends on
/// the exchanges alone: not on how they were split into files, nor on the order of the arguments, nor
/// on threads.
struct TimeMerge {
  /// Exchanges of one source that may wait for earlier ones of it.
  ///
  /// What stands further behind than this many others of its log is counted as late. Bounds memory
  /// where a log is dense.
  static let maximumWaiting = 16_384
  /// Bytes of all exchanges that may wait in memory: an exchange of ordinary size has some 2 KB, a
  /// hostile one a hundred times that.
  static let maximumWaitingBytes = 96 << 20
  /// Sources that may be open at once, some 200 KB each, unless the system allows fewer.
  ///
  /// Where more overlap in time, some are read to their ends, and what they hold waits.
  static let maximumOpen = 512
  /// Batches after which a file is left for the next one; a small one is closed by then.
  private static let firstBatches = 3

  /// A source whose time has come, and what it gave that has to wait.
  private final class Lane {
    private let planned: PlannedSource?
    private var source: (any ExchangeSource)?
    /// Whether it is a file of a ``MergeSpool``, whose order is sure.
    var isRun: Bool { planned == nil }
    var watermark: EventTime
    @safe @exclusivity(unchecked) var waiting = SortedQueue()
    var batches = 0
    private(set) var isAtEnd = false

    init(_ planned: PlannedSource, from time: EventTime) {
      self.planned = planned
      watermark = time
    }

    /// Whether something may still come from it that is earlier than all that waits: the first that waits
    /// of a file of the spool is the earliest that is left of it.
    var isAwaited: Bool { !isAtEnd && !(isRun && waiting.count > 0) }
    /// Whether what waits of it is in no file yet.
    var isSpillable: Bool { !isRun || isAtEnd }

    /// Up to when it was read, so that only lines in the wrong order could still be earlier.
    ///
    /// Of what it was not read for nothing may be passed over: what waits for that goes to the spool.
    var readUpTo: EventTime { watermark.advanced(by: planned?.reorderWindow ?? 0) }

    /// A file of a ``MergeSpool``.
    init(run: any ExchangeSource, from time: EventTime) {
      planned = nil
      source = run
      watermark = time
    }

    /// The next batch; of sources that begin at the same time, one is opened after another.
    func nextBatch() throws(StageError) -> ExchangeBatch? {
      if source == nil, !isAtEnd { source = try planned?.open() }
      let batch = try source?.nextBatch()
      if batch == nil {
        isAtEnd = true
        source = nil
      }
      return batch
    }
  }

  /// The lane whose turn it is, and for how long.
  private final class Turn {
    let lane: Lane
    /// The lane that is next, once its first exchange is before the other's.
    let runnerUp: Lane?
    /// Only what is before this instant may be given out; `nil` when nothing earlier can come.
    let bound: EventTime?
    /// While too much waits, what is before this instant may be given out all the same: up to it all
    /// other lanes were read.
    let hurriedBound: EventTime?
    /// The same of the lane itself, that instant included: what is still to come of it at that time
    /// stands behind.
    let hurriedOwnBound: EventTime?

    init(
      _ lane: Lane, runnerUp: Lane?, bound: EventTime?, hurriedBound: EventTime?,
      hurriedOwnBound: EventTime?
    ) {
      self.lane = lane
      self.runnerUp = runnerUp
      self.bound = bound
      self.hurriedBound = hurriedBound
      self.hurriedOwnBound = hurriedOwnBound
    }

    func admits(_ time: EventTime, isTooMuch: Bool) -> Bool {
      guard let bound, time >= bound else { return true }
      return isTooMuch && hurriedBound.map { time < $0 } ?? true
        && hurriedOwnBound.map { time <= $0 } ?? true
    }
  }

  private var unopened: ArraySlice<PlannedSource>
  private var lanes: [Lane] = []
  private let openLimit: Int
  private let waitingLimit: Int
  private let spool: MergeSpool
  private var openCount = 0
  private var waitingCount = 0
  private var waitingBytes = 0
  private var turn: Turn?
  private var latest = EventTime(nanoseconds: .min)
  private var previous: Exchange?
  private var previousNumber: UInt64 = 0
  /// Exchanges that came after a later one had been given out.
  private(set) var lateCount: UInt64 = 0
  /// Exchanges of a copy of an input: the same record under the same name.
  private(set) var copyCount: UInt64 = 0

  /// - Parameters:
  ///   - sources: in the order of their first record.
  ///   - spoolFolder: where temporary files are made, if any are needed.
  ///   - openLimit: sources that may be open at once, at the most.
  ///   - waitingLimit: bytes of all exchanges that may wait in memory.
  init(
    _ sources: [PlannedSource], spoolFolder: String = NSTemporaryDirectory(),
    openLimit most: Int = Self.maximumOpen, waitingLimit: Int = Self.maximumWaitingBytes
  ) {
    unopened = sources[...]
    spool = MergeSpool(folder: spoolFolder)
    self.waitingLimit = waitingLimit
    var limit = rlimit()
    // Some descriptors are for everything else. The C library writes one value of the type it asks for.
    let allowed =
      unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
      ? Int(clamping: limit.rlim_cur) - 32 - MergeSpool.maximumRuns : most
    openLimit = max(8, min(most, allowed))
  }

  /// The next exchange in the order of time; `nil` at the end.
  mutating func next() throws(StageError) -> Exchange? {
    while true {
      if let exchange = takeTurn() {
        let number = exchange.id.number
        if number == previousNumber, previous == exchange {
          copyCount += 1
          continue
        }
        previous = exchange
        previousNumber = number
        return exchange
      }
      turn = nil
      try openDue()
      let awaited = lanes.filter(\.isAwaited)
      let slowest = awaited.min { $0.watermark < $1.watermark }
      if passTurn(awaited, slowest) { continue }
      if waitingBytes >= waitingLimit, try makeRoom() { continue }
      if let slowest {
        try pull(slowest)
      } else if unopened.isEmpty {
        return nil
      }
    }
  }

  /// The first exchange of the lane whose turn it is; `nil` when its turn is over.
  private mutating func takeTurn() -> Exchange? {
    guard let turn, let time = turn.lane.waiting.firstTime,
      turn.admits(time, isTooMuch: isTooMuch)
    else { return nil }
    let lane = turn.lane
    if let other = turn.runnerUp, other.waiting.isFirst(before: lane.waiting) { return nil }
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
      || waitingBytes >= waitingLimit
  }

  /// Gives the turn to the lane with the earliest exchange, if that may be given out.
  ///
  /// - Parameters:
  ///   - awaited: the lanes of which something earlier may still come.
  ///   - slowest: the one of them that has come least far; all must have passed the time of what is given
  ///     out.
  private mutating func passTurn(_ awaited: [Lane], _ slowest: Lane?) -> Bool {
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
    let next = Turn(
      first, runnerUp: second, bound: bound,
      hurriedBound: awaited.isEmpty
        ? bound : awaited.lazy.filter { $0 !== first }.map(\.readUpTo).min(),
      hurriedOwnBound: first.isAwaited ? first.readUpTo : nil)
    guard let time = first.waiting.firstTime, next.admits(time, isTooMuch: isTooMuch) else {
      return false
    }
    turn = next
    return true
  }

  /// The time from which on the next unopened source may have something to say.
  private var unopenedReach: EventTime? {
    unopened.first?.firstTime?.advanced(by: -ExchangeBatch.reorderWindow)
  }

  /// Opens every source whose first record may stand before what would be given out next.
  private mutating func openDue() throws(StageError) {
    while let planned = unopened.first {
      let open = lanes.lazy.filter(\.isAwaited).map(\.watermark).min()
      let reach = open ?? lanes.compactMap(\.waiting.firstTime).min()
      if let reach, let start = unopenedReach, start > reach { return }
      if lanes.count(where: { !$0.isRun && !$0.isAtEnd }) >= openLimit { try drain() }
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
    } while lane.batches < Self.firstBatches && !lane.isRun && waitingBytes < waitingLimit
  }

  /// Puts together what ended sources left, the fewer first, so that there are hardly more lanes than
  /// open sources and nothing is moved often.
  private mutating func gather(_ lane: Lane) {
    while let index = lanes.firstIndex(where: {
      $0.isAtEnd && $0 !== lane && $0.waiting.count <= 2 * lane.waiting.count
    }) {
      let ended = lanes.remove(at: index)
      lane.waiting.merge(&ended.waiting)
    }
  }

  /// Reads the source that was opened first to its end, so that another can be opened.
  private mutating func drain() throws(StageError) {
    guard let lane = lanes.first(where: { !$0.isAtEnd && !$0.isRun }) else { return }
    while !lane.isAtEnd {
      try pull(lane)
      if waitingBytes >= waitingLimit { _ = try makeRoom() }
    }
  }

  /// Lets what waits do so in a file, and makes one of the files if the first exchanges of all of them are
  /// too much as well.
  ///
  /// - Returns: whether less waits in memory than before.
  private mutating func makeRoom() throws(StageError) -> Bool {
    let before = waitingBytes
    let spillable = lanes.lazy.filter(\.isSpillable).reduce(0) { $0 + $1.waiting.bytes }
    if spillable >= waitingLimit / 2 { try spill() }
    if waitingBytes >= Self.maximumWaitingBytes / 2, lanes.count(where: \.isRun) > 8 {
      try spillRuns()
    }
    return waitingBytes < before
  }

  /// Lets everything that is in no file yet wait in one.
  private mutating func spill() throws(StageError) {
    var all = lanes.filter(\.isSpillable).flatMap { $0.waiting.takeAll() }
    lanes.removeAll(where: \.isAtEnd)
    countWaiting()
    all.sort { $0.time == $1.time ? $0.id < $1.id : $0.time < $1.time }
    guard let time = all.first?.time else { return }
    var rest = all[...]
    let run = try spool.write { () throws(StageError) in rest.popFirst() }
    if lanes.count(where: \.isRun) >= MergeSpool.maximumRuns { try spillRuns() }
    lanes.append(Lane(run: run, from: time))
  }

  /// Makes one file of all that there are.
  private mutating func spillRuns() throws(StageError) {
    let files = lanes.filter { !$0.isSpillable }
    var runs = TimeMerge([], spoolFolder: spool.folder, waitingLimit: .max)
    runs.lanes = files
    runs.countWaiting()
    guard let time = files.lazy.map({ $0.waiting.firstTime ?? $0.watermark }).min() else { return }
    let run = try spool.write { () throws(StageError) in try runs.next() }
    copyCount += runs.copyCount
    lanes.removeAll { lane in files.contains { $0 === lane } }
    lanes.append(Lane(run: run, from: time))
    countWaiting()
  }

  private mutating func countWaiting() {
    waitingCount = lanes.reduce(0) { $0 + $1.waiting.count }
    waitingBytes = lanes.reduce(0) { $0 + $1.waiting.bytes }
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
  /// How many there are.
  var count: Int { times.count - head }
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

  /// Takes all exchanges of another queue over.
  mutating func merge(_ other: inout Self) {
    guard other.count > 0 else { return }
    var merged = Self()
    merged.times.reserveCapacity(count + other.count)
    merged.exchanges.reserveCapacity(count + other.count)
    merged.sizes.reserveCapacity(count + other.count)
    while count > 0 || other.count > 0 {
      if other.isFirst(before: self) {
        merged.takeFirst(of: &other)
      } else {
        merged.takeFirst(of: &self)
      }
    }
    merged.bytes = bytes + other.bytes
    other = Self()
    self = merged
  }

  private mutating func takeFirst(of other: inout Self) {
    times.append(other.times[other.head])
    exchanges.append(other.exchanges[other.head].take())
    sizes.append(other.sizes[other.head])
    other.head += 1
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
