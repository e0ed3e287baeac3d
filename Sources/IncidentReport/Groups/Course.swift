internal import HTTPExchange

/// How an incident went: when it began and ended, or that no such moment can be told.
struct Course: Hashable {
  /// What kind of course it was.
  enum Shape: String, Hashable {
    /// Calls were blocked from the first one that was recorded: when it began is not in the evidence.
    case fromStart = "from-the-start"
    /// Calls passed before, and from ``Course/onset`` on they were blocked.
    case began
    /// Calls were blocked beside others that passed, and no moment can be told at which that changed.
    case throughout = "no-change-found"
    /// Calls were blocked from their first one on, and other calls to the host are older: a new page, a
    /// new route or a new kind of call, since ``Course/onset``.
    case appeared = "from-the-first-call"
    /// It comes and goes with the hour of the day or the day of the week.
    case recurring
  }

  /// A stretch of time in which the share of blocked calls was high.
  struct Episode: Hashable {
    var start: EventTime
    /// When it was over; `nil` when it lasted as long as the evidence.
    var end: EventTime?
    var blocked: UInt64
    /// Calls of every verdict but `undetermined` and `contradicted`.
    var calls: UInt64
  }

  /// The most episodes that are listed.
  static let maximumEpisodes = 24

  var shape: Shape
  /// When it began.
  ///
  /// A blocked call, or the step of ``resolution`` seconds that it fell into. `nil` unless it
  /// ``Shape/began`` or ``Shape/appeared``, or recurs since a moment that is known.
  var onset: EventTime?
  /// When the last episode was over; `nil` while it goes on and where that cannot be told.
  var end: EventTime?
  /// In the order of time; further ones than ``maximumEpisodes`` are left out.
  var episodes: [Episode]
  /// Seconds of the period after which it recurs: a day or a week.
  var period: Int64?
  /// Seconds to which times were rounded when changes were looked for.
  var resolution: Int64
  /// Share of blocked calls outside of the episodes, and in them: 0 to 1.
  var shareOutside: Double
  var shareDuring: Double

  static let day: Int64 = 86_400
  static let periods: [Int64] = [day, 7 * day]

  /// Finds the course of blocked calls among all that were judged on the same routes.
  init(blocked: CallSeries, calls: CallSeries) {
    let index = max(blocked.widthIndex, calls.widthIndex)
    let blocked = blocked.widened(to: index)
    let calls = calls.widened(to: index)
    let width = Timeline.widths[index]
    let steps = calls.steps.enumerated().map { offset, count in
      (blocked: blocked.count(at: calls.first + Int64(offset)), calls: count)
    }
    let segments = Segments.cut(steps)
    resolution = width
    onset = nil
    end = nil
    period = nil
    episodes = []
    shareOutside = 0
    shareDuring = 0
    guard let least = segments.map(\.share).min(), let most = segments.map(\.share).max() else {
      shape = .throughout
      return
    }
    // A segment is high when it is nearer to the worst than a tenth of the way from the best; one
    // segment alone is high when nothing passed.
    let limit = least + 0.1 * (most - least)
    let isOne = segments.count == 1
    var runs: [Segments.Segment] = []
    var isHigh = false
    for segment in segments {
      let high = isOne ? segment.share == 1 : segment.share > limit
      if high, isHigh {
        runs[runs.count - 1].end = segment.end
        runs[runs.count - 1].blocked += segment.blocked
        runs[runs.count - 1].calls += segment.calls
      } else if high {
        runs.append(segment)
      }
      isHigh = high
    }
    let all = segments.reduce(into: (blocked: 0.0, calls: 0.0)) {
      $0.blocked += $1.blocked
      $0.calls += $1.calls
    }
    let during = runs.reduce(into: (blocked: 0.0, calls: 0.0)) {
      $0.blocked += $1.blocked
      $0.calls += $1.calls
    }
    shareDuring = during.calls > 0 ? during.blocked / during.calls : 0
    shareOutside =
      all.calls > during.calls ? (all.blocked - during.blocked) / (all.calls - during.calls) : 0
    guard let firstRun = runs.first, let lastRun = runs.last else {
      shape = .throughout
      shareOutside = all.calls > 0 ? all.blocked / all.calls : 0
      return
    }
    func time(_ step: Int) -> EventTime {
      CallSeries.start(of: calls.first + Int64(step), width: width)
    }
    episodes = runs.prefix(Self.maximumEpisodes).map { run in
      Episode(
        start: time(run.start), end: run.end >= steps.count ? nil : time(run.end),
        blocked: UInt64(run.blocked), calls: UInt64(run.calls))
    }
    let firstSegment = segments[0]
    var start = firstRun.start
    if let first = segments.first(where: { $0.start == start }) {
      start = Self.earlier(first, steps: steps)
    }
    if let found = Self.period(of: runs, steps: steps, width: width, limit: (least + most) / 2) {
      shape = .recurring
      period = found.seconds
      onset = found.isNew ? time(start) : nil
    } else if firstRun.start == firstSegment.start {
      shape = .fromStart
    } else {
      shape = .began
      onset = time(start)
      episodes[0].start = time(start)
    }
    if shape != .recurring, lastRun.end < steps.count { end = time(lastRun.end) }
  }

  /// Where a change begins that comes bit by bit: the first blocked call of all, if that is nearly as
  /// likely as the cut that was found.
  ///
  /// Pages that are open and preflights that are cached go on for a while after a change.
  private static func earlier(
    _ segment: Segments.Segment, steps: [(blocked: UInt32, calls: UInt32)]
  ) -> Int {
    guard let first = steps.firstIndex(where: { $0.blocked > 0 }), first < segment.start else {
      return segment.start
    }
    func sum(_ range: Range<Int>) -> (blocked: Double, calls: Double) {
      steps[range].reduce(into: (0.0, 0.0)) {
        $0.0 += Double($1.blocked)
        $0.1 += Double($1.calls)
      }
    }
    let before = sum(0..<segment.start)
    let between = sum(first..<segment.start)
    let cost =
      Segments.disorder(segment.blocked + between.blocked, segment.calls + between.calls)
      - Segments.disorder(segment.blocked, segment.calls)
      - Segments.disorder(before.blocked, before.calls)
    return cost < 3 ? first : segment.start
  }

  /// Whether calls that were blocked from their first one on appeared while the evidence ran.
  ///
  /// They did when the time before them is longer than twice the longest pause between them, and there
  /// were other calls to the host in it: a weekend before the first weekday does not count.
  mutating func appear(blocked: CallSeries, host: CallSeries, first: EventTime) {
    guard shape == .fromStart, !host.steps.isEmpty else { return }
    let index = max(blocked.widthIndex, host.widthIndex)
    let blocked = blocked.widened(to: index)
    let host = host.widened(to: index)
    let filled = blocked.steps.indices.filter { blocked.steps[$0] > 0 }
    guard let last = filled.last, blocked.steps.reduce(0, { $0 + UInt64($1) }) >= 3 else { return }
    let pauses = zip(filled, filled.dropFirst()).map { Int64($1 - $0) }
    let gap = blocked.first - host.first
    let older = host.steps.prefix(max(0, Int(clamping: gap))).reduce(0) { $0 + UInt64($1) }
    guard older >= 10, gap > 2 * max(1, pauses.max() ?? 0), last >= 0 else { return }
    shape = .appeared
    onset = first
  }

  /// The period after which high stretches come back; `isNew` when there was a time without them.
  private static func period(
    of runs: [Segments.Segment], steps: [(blocked: UInt32, calls: UInt32)], width: Int64,
    limit: Double
  ) -> (seconds: Int64, isNew: Bool)? {
    guard runs.count >= 2 else { return nil }
    func share(_ run: Segments.Segment, shifted: Int) -> Double? {
      var blocked = 0.0
      var calls = 0.0
      for step in (run.start + shifted)..<(run.end + shifted) where steps.indices.contains(step) {
        blocked += Double(steps[step].blocked)
        calls += Double(steps[step].calls)
      }
      return calls >= 3 ? blocked / calls : nil
    }
    for period in periods {
      let shift = Int(period / width)
      guard period % width == 0, shift >= 4, steps.count >= 2 * shift else { continue }
      // A stretch that lasts nearly as long as the period cannot tell about it.
      let short = runs.filter { ($0.end - $0.start) * 10 <= shift * 8 }
      guard short.count * 10 >= runs.count * 8 else { continue }
      var twins = 0
      var strangers = 0
      for run in short {
        for direction in [-shift, shift] {
          guard let share = share(run, shifted: direction) else { continue }
          if share > limit * 0.5 { twins += 1 } else { strangers += 1 }
        }
      }
      // The first of a series that began has one stranger, before it, and so has the last behind.
      guard twins >= 2, strangers <= max(2, (twins + strangers) / 5) else { continue }
      let isNew = runs[0].start >= shift && (share(runs[0], shifted: -shift) ?? 1) <= limit * 0.5
      return (period, isNew)
    }
    return nil
  }
}
