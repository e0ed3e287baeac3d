/// The records of the inputs behind a stream, of which a hostile stream names any number.
///
/// The first are kept as they are. Further ones are added up in one, so that what was read, skipped
/// and damaged still adds up.
public struct BoundedSources: Hashable, Sendable {
  /// Records that are kept one by one: hourly logs of twenty machines for a month.
  public static let maximumRecords = 16_384
  /// Bytes of those records, roughly; an ordinary one has one or two KB.
  public static let maximumBytes = 32 << 20
  /// What the record of all further inputs is called.
  public static let addedUpName = "(further inputs)"

  private var kept: [SourceRecord] = []
  private var keptBytes = 0
  private var addedUp: SourceRecord?

  /// No records.
  public init() {}

  /// The records in the order in which they came, last the one of those that were added up.
  public var records: [SourceRecord] { addedUp.map { kept + [$0] } ?? kept }

  /// Takes in a record.
  public mutating func add(_ record: SourceRecord) {
    let size = record.approximateBytes
    if kept.count < Self.maximumRecords, keptBytes + size <= Self.maximumBytes {
      kept.append(record)
      keptBytes += size
    } else {
      var sum = addedUp ?? SourceRecord(input: Self.addedUpName, digest: "", kind: "several")
      sum.absorb(record)
      sum.note("inputs-added-up")
      addedUp = sum
    }
  }
}

/// How far the time stamps of a source have come, a single stamp far ahead of all others set aside.
///
/// One damaged stamp would otherwise end the wait for everything behind it. A leap is believed once
/// the next stamp confirms it, as the next day's first request of a quiet server does.
public struct SourceProgress: Hashable, Sendable {
  /// Nanoseconds ahead of all before beyond which a single stamp is not believed: a day.
  public static let leap: Int64 = 86_400_000_000_000

  /// The latest time that is believed; `nil` before the first stamp.
  public private(set) var reached: EventTime?
  /// Stamps that were set aside: the next one was of the time before again.
  public private(set) var leaps: UInt64 = 0
  private var hasLeapt = false
  private var isFirst = false

  /// A source of which nothing was seen.
  public init() {}

  /// Takes note of a stamp, in the order in which they were written.
  public mutating func see(_ time: EventTime) {
    guard let reached else {
      self.reached = time
      isFirst = true
      return
    }
    if time > reached {
      isFirst = false
      let isAhead = isLeap(from: reached, to: time)
      if isAhead, !hasLeapt {
        hasLeapt = true
        return
      }
      if hasLeapt, !isAhead { leaps &+= 1 }
      self.reached = time
      hasLeapt = false
      return
    }
    if hasLeapt {
      leaps &+= 1
      hasLeapt = false
    } else if isFirst, isLeap(from: time, to: reached) {
      // The first stamp was the one that is far ahead.
      leaps &+= 1
      self.reached = time
    }
    isFirst = false
  }

  private func isLeap(from time: EventTime, to later: EventTime) -> Bool {
    let (distance, overflow) = later.nanoseconds.subtractingReportingOverflow(time.nanoseconds)
    return overflow || distance > Self.leap
  }
}
