internal import HTTPExchange

/// Open calls in the order in which they are given up.
///
/// There are two lengths of waiting, and event time only grows, so that each length is a queue that
/// is sorted by itself. A call that went on waiting for something else stands in it again.
struct DeadlineQueue {
  private struct Entry {
    var call: OpenCall
    var browser: Browser
    var deadline: EventTime
    var sequence: UInt64
  }

  private struct Queue {
    var entries: [Entry?] = []
    var head = 0

    mutating func dropFirst() {
      entries[head] = nil
      head += 1
      if head > 1024, head * 2 > entries.count {
        entries.removeFirst(head)
        head = 0
      }
    }

    var first: Entry? { head < entries.count ? entries[head] : nil }
  }

  private var queues: [Int64: Queue] = [:]
  private var sequence: UInt64 = 0

  mutating func push(_ call: OpenCall, _ browser: Browser, at deadline: EventTime, window: Int64) {
    call.deadline = deadline
    sequence += 1
    queues[window, default: Queue()].entries.append(
      Entry(call: call, browser: browser, deadline: deadline, sequence: sequence))
  }

  /// The next call whose deadline is before `time` and that is still waiting.
  mutating func pop(before time: EventTime = EventTime(nanoseconds: .max)) -> (OpenCall, Browser)? {
    while true {
      var next: (window: Int64, entry: Entry)?
      for (window, queue) in queues {
        guard let entry = queue.first else { continue }
        if let other = next?.entry,
          (other.deadline, other.sequence) < (entry.deadline, entry.sequence)
        {
          continue
        }
        next = (window, entry)
      }
      guard let (window, entry) = next, entry.deadline < time else { return nil }
      queues[window]?.dropFirst()
      if case .nothing = entry.call.waiting { continue }
      // It went on: a later entry stands for it.
      if entry.call.deadline != entry.deadline { continue }
      return (entry.call, entry.browser)
    }
  }
}
