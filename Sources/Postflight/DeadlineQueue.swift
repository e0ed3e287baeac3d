internal import HTTPExchange

/// Open calls in the order in which they are given up.
///
/// There are two lengths of waiting, and event time only grows, so that each length is a queue that
/// is sorted by itself. A call that went on waiting for something else stands in it again.
struct DeadlineQueue {
  private struct Entry {
    var call: OpenCall
    var browser: Browser
    var sequence: UInt64

    /// Whether this is the entry by which its call is given up.
    ///
    /// One that went on waiting stands in the queue again, with a later deadline.
    func isWaiting(for deadline: EventTime) -> Bool {
      if case .nothing = call.waiting { return false }
      return call.deadline == deadline
    }
  }

  private struct Queue {
    /// Beside the entries, so that looking at the next deadline counts no references.
    var deadlines: [EventTime] = []
    var entries: [Entry?] = []
    var head = 0

    /// Entries beyond which those that wait no longer are taken out.
    private var compactAt = 4096

    /// Takes out the entries that wait no longer, once they may be half of all: else a million calls
    /// within one second of event time would all be held.
    mutating func compactIfDue() {
      guard entries.count - head > compactAt else { return }
      var keptDeadlines: [EventTime] = []
      var keptEntries: [Entry?] = []
      for index in head..<entries.count {
        guard let entry = entries[index], entry.isWaiting(for: deadlines[index]) else { continue }
        keptDeadlines.append(deadlines[index])
        keptEntries.append(entry)
      }
      deadlines = keptDeadlines
      entries = keptEntries
      head = 0
      compactAt = max(4096, 2 * entries.count)
    }

    var next: EventTime? { head < deadlines.count ? deadlines[head] : nil }

    mutating func popFirst() -> Entry? {
      let entry = entries[head]
      entries[head] = nil
      head += 1
      if head == deadlines.count || (head > 256 && head * 2 > deadlines.count) {
        deadlines.removeFirst(head)
        entries.removeFirst(head)
        head = 0
      }
      return entry
    }
  }

  private var short = Queue()
  private var long = Queue()
  private var sequence: UInt64 = 0

  /// - Parameter isLong: whether the call waits by the longer of the two windows.
  mutating func push(_ call: OpenCall, _ browser: Browser, at deadline: EventTime, isLong: Bool) {
    call.deadline = deadline
    sequence += 1
    let entry = Entry(call: call, browser: browser, sequence: sequence)
    if isLong {
      long.compactIfDue()
      long.deadlines.append(deadline)
      long.entries.append(entry)
    } else {
      short.compactIfDue()
      short.deadlines.append(deadline)
      short.entries.append(entry)
    }
  }

  /// The next call whose deadline is before `time` and that is still waiting.
  mutating func pop(before time: EventTime = EventTime(nanoseconds: .max)) -> (OpenCall, Browser)? {
    while true {
      let deadline: EventTime
      let entry: Entry?
      switch (short.next, long.next) {
      case (nil, nil): return nil
      case (let first?, let second) where second.map({ isShortFirst(first, $0) }) ?? true:
        guard first < time else { return nil }
        deadline = first
        entry = short.popFirst()
      case (_, let second?):
        guard second < time else { return nil }
        deadline = second
        entry = long.popFirst()
      case (_?, nil): return nil
      }
      guard let entry else { continue }
      if entry.isWaiting(for: deadline) { return (entry.call, entry.browser) }
    }
  }

  private func isShortFirst(_ first: EventTime, _ second: EventTime) -> Bool {
    first == second
      ? (short.entries[short.head]?.sequence ?? 0) < (long.entries[long.head]?.sequence ?? 0)
      : first < second
  }
}
