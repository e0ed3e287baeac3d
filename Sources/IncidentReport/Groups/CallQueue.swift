internal import FetchCORS
internal import HTTPExchange

/// Gives calls out in the order of their times, as far as that is possible in bounded memory.
///
/// Pairing gives a preflight that nothing followed only when its request can no longer come: half a
/// minute late, two minutes where a log stamps ends. What came before and after a call can be told only
/// when calls are in order again.
struct CallQueue {
  /// Nanoseconds that a call may come late, and one whose exchanges are stamped by their ends.
  static let window: Int64 = 35_000_000_000
  static let windowByEnd: Int64 = 125_000_000_000
  /// Calls and bytes that are held; beyond them the earliest goes out before its time.
  static let maximumCalls = 16_384
  static let maximumBytes = 32 << 20

  private struct Entry {
    var time: Int64
    var number: UInt64
    var slot: Int

    static func < (left: Self, right: Self) -> Bool {
      left.time != right.time ? left.time < right.time : left.number < right.number
    }
  }

  private var heap: [Entry] = []
  private var slots: [Call?] = []
  private var sizes: [Int] = []
  private var free: [Int] = []
  private var number: UInt64 = 0
  private var latest = Int64.min
  private var window = Self.window
  private var bytes = 0

  /// Takes a call in.
  mutating func push(_ call: Call) {
    let size = call.footprint
    let slot: Int
    if let last = free.popLast() {
      slot = last
      slots[slot] = call
      sizes[slot] = size
    } else {
      slot = slots.count
      slots.append(call)
      sizes.append(size)
    }
    bytes &+= size
    number &+= 1
    latest = max(latest, call.time.nanoseconds)
    if call.isStampedByEnd { window = Self.windowByEnd }
    heap.append(Entry(time: call.time.nanoseconds, number: number, slot: slot))
    var index = heap.count - 1
    while index > 0, heap[index] < heap[(index - 1) / 2] {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  /// The earliest call, if no earlier one can come any more or there is no room; every call when all
  /// have come; with its ``Call/footprint``.
  mutating func pop(isLast: Bool) -> (call: Call, footprint: Int)? {
    guard let first = heap.first,
      isLast || latest &- first.time > window || heap.count > Self.maximumCalls
        || bytes > Self.maximumBytes
    else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sink()
    free.append(first.slot)
    bytes &-= sizes[first.slot]
    guard let call = slots[first.slot].take() else { return nil }
    return (call, sizes[first.slot])
  }

  private mutating func sink() {
    var index = 0
    while true {
      var least = index
      let left = 2 * index + 1
      if left < heap.count, heap[left] < heap[least] { least = left }
      if left + 1 < heap.count, heap[left + 1] < heap[least] { least = left + 1 }
      if least == index { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}

extension Call {
  /// Whether its last exchange is stamped by its end alone: pairing waits longer for what follows one.
  fileprivate var isStampedByEnd: Bool {
    let exchanges = exchanges
    return exchanges.indices.last.map { exchanges[$0].exchange.timeBasis == .end } ?? false
  }
}
