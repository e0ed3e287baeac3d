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

  private final class Lane {
    let source: any ExchangeSource
    var watermark: EventTime

    init(_ source: any ExchangeSource, from time: EventTime) {
      self.source = source
      watermark = time
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
    let bytes: Int

    init(_ exchange: Exchange) {
      time = exchange.time
      box = Box(exchange)
      bytes = exchange.approximateBytes
    }

    static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
      left.time == right.time
        ? left.box.exchange.id < right.box.exchange.id : left.time < right.time
    }
  }

  private var unopened: ArraySlice<PlannedSource>
  private var lanes: [Lane] = []
  /// The lane that has come least far, so that it is looked for only when one has moved.
  private var slowest: Lane?
  private let openLimit: Int
  private var heap: [Entry] = []
  private var heapBytes = 0
  private var latest = EventTime(nanoseconds: .min)
  /// Exchanges that came after a later one had been given out.
  private(set) var lateCount: UInt64 = 0

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
      try openDue()
      if let first = heap.first {
        // Every source must have passed the time of what is given out.
        if let slowest, slowest.watermark <= first.time,
          heap.count < Self.maximumWaiting * max(1, lanes.count),
          heapBytes < Self.maximumWaitingBytes
        {
          try pull(slowest)
          continue
        }
        let entry = popFirst()
        if entry.time < latest { lateCount += 1 } else { latest = entry.time }
        return entry.box.exchange
      }
      guard let slowest else {
        if unopened.isEmpty { return nil }
        continue
      }
      try pull(slowest)
    }
  }

  /// Opens every source whose first record may stand before what would be given out next.
  private mutating func openDue() throws(StageError) {
    while let planned = unopened.first, lanes.count < openLimit {
      let reach = slowest?.watermark ?? heap.first?.time
      if let reach, let firstTime = planned.firstTime,
        firstTime.advanced(by: -ExchangeBatch.reorderWindow) > reach
      {
        return
      }
      unopened.removeFirst()
      guard let source = try planned.open() else { continue }
      let start = planned.firstTime?.advanced(by: -ExchangeBatch.reorderWindow)
      lanes.append(Lane(source, from: start ?? EventTime(nanoseconds: .min)))
      slowest = slowestLane()
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
    guard let batch = try lane.source.nextBatch() else {
      lanes.removeAll { $0 === lane }
      slowest = slowestLane()
      return
    }
    lane.watermark = max(lane.watermark, batch.watermark)
    slowest = slowestLane()
    for exchange in batch.exchanges { push(Entry(exchange)) }
  }

  // MARK: A binary heap

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    heapBytes += entry.bytes
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
    heapBytes -= first.bytes
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
