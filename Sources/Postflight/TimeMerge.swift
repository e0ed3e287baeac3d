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

  /// Batches after which a file is left for the next one; a small one is closed by then.
  private static let firstBatches = 3

  private final class Lane {
    private let planned: PlannedSource
    private(set) var source: (any ExchangeSource)?
    var watermark: EventTime
    var batches = 0

    init(_ planned: PlannedSource, from time: EventTime) {
      self.planned = planned
      watermark = time
    }

    /// Opens the source; of those that begin at the same time, one after another.
    func open() throws(StageError) -> (any ExchangeSource)? {
      if source == nil, batches == 0 { source = try planned.open() }
      return source
    }
  }

  /// An exchange in the heap: boxed, since it is moved many times and large.
  private struct Entry {
    final class Box {
      let exchange: Exchange

      init(_ exchange: Exchange) {
        self.exchange = exchange
      }
    }

    let time: EventTime
    let box: Box

    init(_ exchange: Exchange) {
      time = exchange.time
      box = Box(exchange)
    }

    static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
      left.time == right.time
        ? left.box.exchange.id < right.box.exchange.id : left.time < right.time
    }
  }

  private var unopened: ArraySlice<PlannedSource>
  private var lanes: [Lane] = []
  private var heap: [Entry] = []
  private var latest = EventTime(nanoseconds: .min)
  /// Exchanges that came after a later one had been given out.
  private(set) var lateCount: UInt64 = 0

  /// - Parameter sources: in the order of their first record.
  init(_ sources: [PlannedSource]) {
    unopened = sources[...]
  }

  /// The next exchange in the order of time; `nil` at the end.
  mutating func next() throws(StageError) -> Exchange? {
    while true {
      try openDue()
      if let first = heap.first {
        // Every source must have passed the time of what is given out.
        if let slowest = slowestLane(), slowest.watermark <= first.time,
          heap.count < Self.maximumWaiting * max(1, lanes.count)
        {
          try pull(slowest)
          continue
        }
        let entry = popFirst()
        if entry.time < latest { lateCount += 1 } else { latest = entry.time }
        return entry.box.exchange
      }
      guard let slowest = slowestLane() else {
        if unopened.isEmpty { return nil }
        continue
      }
      try pull(slowest)
    }
  }

  /// Opens every source whose first record may stand before what would be given out next.
  private mutating func openDue() throws(StageError) {
    while let planned = unopened.first {
      let reach = slowestLane()?.watermark ?? heap.first?.time
      if let reach, let firstTime = planned.firstTime,
        firstTime.advanced(by: -ExchangeBatch.reorderWindow) > reach
      {
        return
      }
      unopened.removeFirst()
      let start = planned.firstTime?.advanced(by: -ExchangeBatch.reorderWindow)
      lanes.append(Lane(planned, from: start ?? EventTime(nanoseconds: .min)))
    }
  }

  private func slowestLane() -> Lane? {
    var slowest: Lane?
    for lane in lanes where slowest.map({ lane.watermark < $0.watermark }) ?? true {
      slowest = lane
    }
    return slowest
  }

  private mutating func pull(_ lane: Lane) throws(StageError) {
    repeat {
      guard let batch = try lane.open()?.nextBatch() else {
        lanes.removeAll { $0 === lane }
        return
      }
      lane.batches += 1
      lane.watermark = max(lane.watermark, batch.watermark)
      for exchange in batch.exchanges { push(Entry(exchange)) }
    } while lane.batches < Self.firstBatches
  }

  // MARK: A binary heap

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard Entry.isBefore(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func popFirst() -> Entry {
    heap.swapAt(0, heap.count - 1)
    let first = heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && Entry.isBefore(heap[child], heap[least]) {
        least = child
      }
      if least == parent { return first }
      heap.swapAt(least, parent)
      parent = least
    }
  }
}
