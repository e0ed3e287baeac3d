internal import FetchCORS
internal import HTTPExchange

/// The picture of calls over time: bars, an axis of round times, and a lane per incident.
///
/// Lengths along the time are percentages and all others pixels, so that the picture becomes as
/// narrow as a phone and its letters stay as large as they are.
struct TimelineView: Encodable {
  struct Bar: Encodable {
    struct Part: Encodable {
      var partClass: String
      var partY: String
      var partHeight: String
    }

    var barX: String
    var barWidth: String
    var tip: String
    var parts: [Part]
  }

  struct Tick: Encodable {
    var tickX: String
    var tickText: String
    /// `start`, `middle` or `end`.
    var tickAnchor: String
    /// Classes: `minor` is left out where there is little room.
    var tickClass: String
  }

  struct Grid: Encodable {
    var gridY: String
    var gridTextY: String
    var gridText: String
  }

  struct Lane: Encodable {
    var laneX: String
    var laneWidth: String
    var laneY: String
    var laneTextX: String
    var laneTextY: String
    var laneAnchor: String
    var laneClass: String
    var laneNumber: String
    var laneText: String
  }

  struct Onset: Encodable {
    var onsetX: String
    var onsetClass: String
    /// Where its words stand; `nil` for all but the first.
    var onsetTextX: String?
    var onsetAnchor: String
    var onsetText: String
  }

  struct Key: Encodable {
    var keyClass: String
    var keyText: String
  }

  /// Pixels from the top to the line that bars stand on.
  static let base = 168.0
  /// Pixels that the highest bar may take.
  static let height = 150.0
  /// Incidents that have a lane.
  static let maximumLanes = 6
  /// Beginnings that are drawn through the bars; more would hide them, and one call is no beginning.
  static let maximumOnsets = 3

  var bars: [Bar]
  var ticks: [Tick]
  var grids: [Grid]
  var lanes: [Lane]
  var onsets: [Onset]
  var keys: [Key]
  var omittedLanes: String?
  var svgHeight: String
  var axisY: String
  var axisTextY: String
  var stepText: String
  var dayText: String
  var spoken: String

  /// `nil` when there is nothing to show.
  init?(_ content: ReportContent) {
    let timeline = content.timeline
    let steps = timeline.steps
    guard let largest = steps.map(\.total).max(), largest > 0 else { return nil }
    let scale = Scale(timeline)
    let (gridStep, top) = Self.roundGrid(largest)
    let pixels = Self.height / Double(top)
    let slot = 100 / Double(steps.count)
    let width = min(slot * (steps.count > 60 ? 0.8 : 0.86), 4)
    bars = steps.enumerated().compactMap { index, step in
      guard step.total > 0 else { return nil }
      return Bar(
        step, at: TimeText.moment(timeline.start(of: index)),
        x: (Double(index) + 0.5) * slot - width / 2, width: width, pixels: pixels)
    }
    grids = stride(from: gridStep, through: top, by: UInt64.Stride(gridStep)).map { value in
      let y = Self.base - Double(value) * pixels
      return Grid(
        gridY: Self.number(y), gridTextY: Self.number(y + 4), gridText: DisplayText.grouped(value))
    }
    ticks = Self.ticks(scale, width: timeline.width)
    let marks = Self.marks(content)
    let laneTop = Self.base + 34
    lanes = marks.prefix(Self.maximumLanes).enumerated().map { index, mark in
      Lane(mark, scale, y: laneTop + Double(index) * 28)
    }
    let lasting = marks.filter { $0.first != $0.last }
    onsets = Self.onsets(Array(lasting.prefix(Self.maximumOnsets)), scale)
    keys = [
      ("blocked", "blocked", steps.contains { $0.blocked > 0 }),
      ("unknown", Self.unknownText(content), steps.contains { $0.undetermined > 0 }),
      ("allowed", "allowed", steps.contains { $0.allowed > 0 }),
    ].filter(\.2).map { Key(keyClass: $0.0, keyText: $0.1) }
    omittedLanes =
      marks.count > lanes.count
      ? "The \(lanes.count) with the most calls are drawn, of \(DisplayText.grouped(marks.count))."
      : nil
    svgHeight = Self.number(lanes.isEmpty ? Self.base + 24 : laneTop + Double(lanes.count) * 28)
    axisY = Self.number(Self.base)
    axisTextY = Self.number(Self.base + 17)
    stepText = timeline.widthText
    dayText =
      TimeText.day(scale.start) == TimeText.day(scale.last)
      ? TimeText.day(scale.start)
      : "\(TimeText.day(scale.start)) to \(TimeText.day(scale.last))"
    spoken = Self.spoken(content, largest: largest)
  }

  /// What the calls are that are neither blocked nor allowed.
  private static func unknownText(_ content: ReportContent) -> String {
    let totals = content.totals
    if totals.likelyBlocked == 0 { return "cannot tell" }
    return totals.likelyBlocked == totals.undetermined
      ? "likely blocked, not proved" : "likely blocked or cannot tell"
  }

  /// What the picture shows, for those who do not see it.
  private static func spoken(_ content: ReportContent, largest: UInt64) -> String {
    let steps = content.timeline.steps
    var text =
      "Calls per \(content.timeline.widthText), \(DisplayText.grouped(largest)) at most."
    func stretch(_ name: String, _ count: (Timeline.Step) -> UInt64) {
      guard let first = steps.firstIndex(where: { count($0) > 0 }),
        let last = steps.lastIndex(where: { count($0) > 0 })
      else { return }
      let start = content.timeline.start(of: first)
      let end = content.timeline.start(of: last + 1)
      text +=
        " \(name) calls \(TimeText.span(start, end)), "
        + "\(DisplayText.grouped(steps.map(count).max() ?? 0)) at most."
    }
    stretch("Blocked") { $0.blocked }
    stretch("Undetermined") { $0.undetermined }
    stretch("Allowed") { $0.allowed }
    return text
  }

  /// Where a time lies between the ends of the picture.
  struct Scale {
    var start: EventTime
    var end: EventTime
    /// The last second in it.
    var last: EventTime { end.advanced(by: -1_000_000_000) }

    init(_ timeline: Timeline) {
      start = timeline.start(of: 0)
      end = timeline.start(of: timeline.steps.count)
    }

    /// 0 to 100.
    func percent(_ time: EventTime) -> Double {
      let span = Double(end.nanoseconds) - Double(start.nanoseconds)
      guard span > 0 else { return 0 }
      let part = Double(time.nanoseconds) - Double(start.nanoseconds)
      return min(100, max(0, part / span * 100))
    }
  }

  /// A stretch of time that has a lane.
  fileprivate struct Mark {
    var number: String
    var title: String
    var isProved: Bool
    var isOver: Bool
    var first: EventTime
    var last: EventTime
  }

  /// A route for a picture, in which nothing breaks a line.
  private static func clipped(_ route: String) -> String {
    let text = DisplayText.visible(route, limit: 40)
    return text.count <= 48 ? text : text.prefix(47) + "…"
  }

  private static func marks(_ content: ReportContent) -> [Mark] {
    let proved = content.incidents.enumerated().compactMap { index, incident -> Mark? in
      guard let first = incident.tally.first, let last = incident.tally.last else { return nil }
      return Mark(
        number: String(index + 1),
        title: "\(incident.onset.explanation.title): "
          + (incident.blast.routes.only.map(Self.clipped)
            ?? "\(incident.blast.routes.distinct.text) routes"),
        isProved: true,
        isOver: Stretch(incident).isOver,
        first: incident.course?.onset.map { max($0, first.time) } ?? first.time, last: last.time)
    }
    guard proved.isEmpty else { return proved }
    return content.likelyCases.compactMap { likely in
      guard let first = likely.tally.first, let last = likely.tally.last else { return nil }
      return Mark(
        number: "",
        title:
          "\(likely.suspicion.map { "\($0.explanation.title), probably" } ?? "Probably blocked"): "
          + (likely.routes.only.map(Self.clipped) ?? "\(likely.routes.distinct.text) routes"),
        isProved: false, isOver: false,
        first: first.time, last: last.time)
    }
  }

  private static func onsets(_ marks: [Mark], _ scale: Scale) -> [Onset] {
    let earliest = marks.map(\.first).min()
    var isNamed = false
    var ends: [Onset] = []
    if marks.count == 1, let only = marks.first, only.isOver { ends = end(of: only, scale) }
    return ends
      + marks.map { mark in
        let x = scale.percent(mark.first)
        let isFirst = mark.first == earliest && !isNamed
        if isFirst { isNamed = true }
        return Onset(
          onsetX: number(x), onsetClass: mark.isProved ? "blocked" : "unknown",
          onsetTextX: isFirst ? number(x) : nil, onsetAnchor: x > 30 ? "end" : "start",
          // Later ones stand to the right of it.
          onsetText: "\(x > 30 ? "" : "\u{A0}\u{A0}")from \(TimeText.clock(mark.first))"
            + (x > 30 ? "\u{A0}\u{A0}" : ""))
      }
  }

  /// Where the only incident ended, with words where they do not meet those of its beginning.
  private static func end(of mark: Mark, _ scale: Scale) -> [Onset] {
    let first = scale.percent(mark.first)
    let x = scale.percent(mark.last)
    let isLeft = x > 70
    // Words take a quarter of a narrow picture.
    let needed = (first > 30 ? 0.0 : 25) + (isLeft ? 25 : 0)
    guard x - first >= max(needed, 1) else { return [] }
    return [
      Onset(
        onsetX: number(x), onsetClass: mark.isProved ? "blocked" : "unknown",
        onsetTextX: number(x), onsetAnchor: isLeft ? "end" : "start",
        onsetText: isLeft
          ? "to \(TimeText.clock(mark.last))\u{A0}\u{A0}"
          : "\u{A0}\u{A0}to \(TimeText.clock(mark.last))")
    ]
  }

  // MARK: - Round numbers

  /// The distance of lines, and the highest one: two to four lines.
  static func roundGrid(_ largest: UInt64) -> (step: UInt64, top: UInt64) {
    var unit: UInt64 = 1
    while true {
      for factor in [1, 2, 5] as [UInt64] {
        let (step, overflow) = unit.multipliedReportingOverflow(by: factor)
        if overflow { return (largest, largest) }
        let lines = (largest - 1) / step + 1
        if lines <= 4 {
          let (top, tooLarge) = step.multipliedReportingOverflow(by: lines)
          return tooLarge ? (largest, largest) : (step, top)
        }
      }
      let (next, overflow) = unit.multipliedReportingOverflow(by: 10)
      if overflow { return (largest, largest) }
      unit = next
    }
  }

  private static let tickWidths: [Int64] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
  ]

  private static func ticks(_ scale: Scale, width: Int64) -> [Tick] {
    let second: Int64 = 1_000_000_000
    let start = scale.start.nanoseconds / second
    let end = scale.end.nanoseconds / second
    let span = end.subtractingReportingOverflow(start).partialValue
    guard span > 0 else { return [] }
    let step = tickWidths.first { $0 >= width && span / $0 <= 8 } ?? max(1, span / 6)
    var ticks: [Tick] = []
    var time = start - ((start % step) + step) % step
    if time < start { time += step }
    var index = 0
    while time <= end, index < 12 {
      let moment = EventTime(seconds: time)
      let x = scale.percent(moment)
      let isDay = step >= 86_400 || time % 86_400 == 0
      let clock = TimeText.clock(moment)
      ticks.append(
        Tick(
          tickX: number(x),
          tickText: isDay
            ? TimeText.shortDay(moment)
            : step < 60 ? clock : String(clock.prefix(5)),
          tickAnchor: x < 4 ? "start" : x > 96 ? "end" : "middle",
          tickClass: index % 2 == 0 ? "tick" : "tick minor"))
      time += step
      index += 1
    }
    return ticks
  }

  /// At most two digits behind the point.
  static func number(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let whole = "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100)"
    let rest = abs(hundredths) % 100
    if rest == 0 { return whole }
    return rest % 10 == 0 ? "\(whole).\(rest / 10)" : "\(whole).\(rest < 10 ? "0" : "")\(rest)"
  }
}

extension TimelineView.Bar {
  fileprivate init(_ step: Timeline.Step, at: String, x: Double, width: Double, pixels: Double) {
    let number = TimelineView.number
    let counts = [
      ("blocked", step.blocked, 3.0), ("unknown", step.undetermined, 2.0),
      ("allowed", step.allowed, 2.0),
    ]
    // What is blocked must be seen beside any crowd.
    var heights = counts.map { $0.1 == 0 ? 0 : max($0.2, Double($0.1) * pixels) }
    let overhang = heights.reduce(0, +) - TimelineView.height
    if overhang > 0, let tallest = heights.indices.max(by: { heights[$0] < heights[$1] }) {
      heights[tallest] -= overhang
    }
    barX = number(x)
    barWidth = number(width)
    tip =
      "\(at): \(DisplayText.grouped(step.blocked)) blocked, "
      + "\(DisplayText.grouped(step.undetermined)) undetermined, "
      + "\(DisplayText.grouped(step.allowed)) allowed"
    var y = TimelineView.base
    parts = zip(counts, heights).compactMap { count, height in
      guard height > 0 else { return nil }
      y -= height
      return Part(partClass: count.0, partY: number(y), partHeight: number(height))
    }
  }
}

extension TimelineView.Lane {
  fileprivate init(_ mark: TimelineView.Mark, _ scale: TimelineView.Scale, y: Double) {
    let number = TimelineView.number
    let first = scale.percent(mark.first)
    let last = scale.percent(mark.last)
    let isLeft = first <= 55
    laneX = number(first)
    // A single call must be seen as well.
    laneWidth = number(max(0.4, last - first))
    laneY = number(y + 14)
    laneTextX = number(isLeft ? first : max(last, first + 0.4))
    laneTextY = number(y + 9)
    laneAnchor = isLeft ? "start" : "end"
    laneClass = mark.isProved ? "blocked" : "unknown"
    laneNumber = mark.number
    laneText = mark.title
  }
}
