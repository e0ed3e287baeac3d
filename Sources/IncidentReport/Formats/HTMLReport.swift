internal import FetchCORS
internal import HTTPExchange

/// `report.html`: one page that opens anywhere and runs nothing that it was not written with.
enum HTMLReport {
  /// Bytes that incidents in full may take together; further ones stand in the table alone.
  static let maximumIncidentBytes = 1_100_000
  /// Incidents that are listed in the table.
  static let maximumRows = 200

  static func write(
    _ content: ReportContent, options: ReportOptions, _ write: ([UInt8]) throws -> Void
  ) throws {
    let templates = try PageTemplates()
    var sections: [String] = []
    var size = 0
    for (index, incident) in content.incidents.prefix(options.maximumShownIncidents).enumerated() {
      let section = try templates.render("incident", IncidentView(incident, number: index + 1))
      size += section.utf8.count
      guard size <= maximumIncidentBytes else { break }
      sections.append(section)
    }
    let opening = OpeningView(content, templates: templates, shownInFull: sections.count)
    try write(Array(try templates.render("opening", opening).utf8))
    for section in sections { try write(Array(section.utf8)) }
    try write(Array(try templates.render("closing", ClosingView(content, templates)).utf8))
  }
}

/// Values of the template `opening`.
struct OpeningView {
  struct Number {
    var amount: String
    var caption: String
    var note: String
    var tone: String
  }

  struct Row {
    var rank: Int
    var rowID: String
    var isLinked: Bool
    var cause: String
    var rowPage: String
    var rowPlace: String
    var rowReason: String
    var count: String
    var countValue: String
    var share: String
    var shareWidth: Int
    var clients: String
    var first: String
    var last: String
  }

  var style: String
  var script: String
  var policy: String
  var answer: Answer
  var period: String?
  var inputs: String
  var numbers: [Number]
  var timeline: TimelineView?
  var hasIncidents: Bool
  var rows: [Row]
  var omittedRows: String?
  var isPartial: Bool
  var damageText: String

  init(_ content: ReportContent, templates: PageTemplates, shownInFull: Int) {
    style = templates.style
    script = templates.script
    policy =
      "default-src 'none'; style-src '\(HTMLText.policyHash(of: templates.style))'; "
      + "script-src '\(HTMLText.policyHash(of: templates.script))'; base-uri 'none'; "
      + "form-action 'none'"
    answer = Answer(content)
    if let first = content.first, let last = content.last {
      period = "\(DisplayText.time(first)) to \(DisplayText.time(last)) UTC"
    }
    let sourceCount = UInt64(content.sources.count) &+ content.omittedSources
    inputs = sourceCount == 0 ? "" : DisplayText.counted(sourceCount, "input")
    numbers = Self.numbers(content)
    timeline = TimelineView(content)
    hasIncidents = !content.incidents.isEmpty
    let largest = content.incidents.first?.tally.count ?? 1
    rows = content.incidents.prefix(HTMLReport.maximumRows).enumerated().map { index, incident in
      Row(incident, rank: index + 1, isLinked: index < shownInFull, largest: largest)
    }
    if content.incidents.count > shownInFull {
      omittedRows =
        "\(DisplayText.counted(UInt64(content.incidents.count), "incident")) in all: "
        + "\(DisplayText.grouped(rows.count)) stand in this table, "
        + "\(DisplayText.grouped(shownInFull)) below in full; blocked.csv has the calls of every one."
    }
    isPartial = content.totals.damages > 0
    damageText =
      "Some input was damaged or cut short (\(DisplayText.counted(content.totals.damages, "place"))); "
      + "the report is made from the rest."
  }

  private static func numbers(_ content: ReportContent) -> [Number] {
    let totals = content.totals
    let calls = totals.calls
    let assumed = totals.allowed &- content.allowedOutright
    let names = content.assumptions.ranked.prefix(3).map {
      assumption($0.text)
    }
    let unknown = totals.undetermined &- totals.likelyBlocked
    return [
      Number(
        amount: DisplayText.grouped(totals.blocked), caption: "blocked",
        note: totals.blocked == 0
          ? "proved for no call"
          : "\(DisplayText.percent(totals.blocked, of: calls)) of calls, "
            + "\(content.blockedClients.text) client\(content.blockedClients.count == 1 ? "" : "s")",
        tone: totals.blocked > 0 ? "bad" : "none"),
      Number(
        amount: DisplayText.grouped(totals.likelyBlocked), caption: "likely blocked",
        note: "suggested by other calls, not proved",
        tone: totals.likelyBlocked > 0 ? "warn" : "none"),
      Number(
        amount: DisplayText.grouped(totals.allowed), caption: "allowed",
        note: assumed == 0
          ? "on no assumption"
          : "\(DisplayText.grouped(assumed)) of them if \(names.joined(separator: " and "))",
        tone: totals.allowed > 0 ? "good" : "none"),
      Number(
        amount: DisplayText.grouped(unknown), caption: "cannot tell",
        note: totals.contradicted > 0
          ? "and \(DisplayText.grouped(totals.contradicted)) that contradict themselves"
          : totals.likelyAllowed > 0
            ? "\(DisplayText.grouped(totals.likelyAllowed)) of them likely allowed"
            : "the evidence does not hold it",
        tone: "none"),
    ]
  }

  /// An assumption in words, after "if".
  private static func assumption(_ name: String) -> String {
    switch name {
    case "not-credentialed": "sent without credentials"
    case "single-line": "logged fields had one line"
    default: DisplayText.visible(name, limit: 40)
    }
  }
}

extension OpeningView.Row {
  fileprivate init(_ incident: Incident, rank: Int, isLinked: Bool, largest: UInt64) {
    let tally = incident.tally
    let key = incident.key
    self.rank = rank
    rowID = key.id
    self.isLinked = isLinked
    cause = incident.onset.explanation.title
    rowPage = incident.pageText(limit: 60)
    rowPlace = incident.placeText(limits: (60, 80))
    rowReason = key.reason.code(in: key.phase)
    count = DisplayText.grouped(tally.count)
    countValue = String(tally.count)
    share =
      incident.routeCalls > 0 ? DisplayText.percent(tally.count, of: incident.routeCalls) : ""
    shareWidth = Int((Double(tally.count) / Double(max(1, largest)) * 100).rounded(.up))
    clients = tally.clients.text
    first = tally.first.map { DisplayText.time($0.time) } ?? ""
    last = tally.last.map { DisplayText.time($0.time) } ?? ""
  }
}

/// The bars of the timeline.
struct TimelineView {
  struct Bar {
    var x: String
    var barWidth: String
    var tip: String
    var blockedY: String
    var blockedHeight: String
    var unknownY: String
    var unknownHeight: String
    var allowedY: String
    var allowedHeight: String
  }

  struct Tick {
    var tickX: String
    /// `start`, `middle` or `end`.
    var anchor: String
    var label: String
  }

  static let width = 960.0
  static let height = 150.0

  var bars: [Bar]
  var ticks: [Tick]
  var stepText: String
  var most: String

  /// `nil` when there is nothing to show.
  init?(_ content: ReportContent) {
    let timeline = content.timeline
    let steps = timeline.steps
    guard let largest = steps.map(\.total).max(), largest > 0 else { return nil }
    let pitch = min(Self.width / Double(steps.count), 48)
    let gap = pitch > 6 ? 2.0 : 0.5
    bars = steps.enumerated().compactMap { index, step in
      guard step.total > 0 else { return nil }
      return Bar(
        step, at: timeline.start(of: index).rfc3339(.second), x: Double(index) * pitch,
        width: pitch - gap, scale: (Self.height - 4) / Double(largest))
    }
    let end = Double(steps.count) * pitch
    ticks = [Tick(tickX: "0", anchor: "start", label: Self.label(timeline.start(of: 0)))]
    if steps.count > 16, end > 600 {
      ticks.append(
        Tick(
          tickX: Self.number(Double(steps.count / 2) * pitch), anchor: "middle",
          label: Self.label(timeline.start(of: steps.count / 2))))
    }
    if steps.count > 1, end > 300 {
      ticks.append(
        Tick(
          tickX: Self.number(end), anchor: "end", label: Self.label(timeline.start(of: steps.count))
        ))
    }
    stepText = timeline.widthText
    most = DisplayText.grouped(largest)
  }

  private static func label(_ time: EventTime) -> String {
    DisplayText.time(time)
  }

  static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(abs(tenths % 10))"
  }
}

extension TimelineView.Bar {
  fileprivate init(_ step: Timeline.Step, at: String, x: Double, width: Double, scale: Double) {
    let number = TimelineView.number
    // What is blocked must be seen beside any crowd.
    func height(_ count: UInt64, least: Double) -> Double {
      count == 0 ? 0 : max(least, Double(count) * scale)
    }
    var heights = [
      height(step.blocked, least: 4), height(step.undetermined, least: 2),
      height(step.allowed, least: 2),
    ]
    let overhang = heights.reduce(0, +) - TimelineView.height
    if overhang > 0, let tallest = heights.indices.max(by: { heights[$0] < heights[$1] }) {
      heights[tallest] -= overhang
    }
    var y = TimelineView.height
    let tops = heights.map { height -> Double in
      y -= height
      return y
    }
    self.x = number(x)
    barWidth = number(max(0.5, width))
    tip =
      "\(at): \(DisplayText.grouped(step.blocked)) blocked, "
      + "\(DisplayText.grouped(step.undetermined)) undetermined, "
      + "\(DisplayText.grouped(step.allowed)) allowed"
    blockedY = number(tops[0])
    blockedHeight = number(heights[0])
    unknownY = number(tops[1])
    unknownHeight = number(heights[1])
    allowedY = number(tops[2])
    allowedHeight = number(heights[2])
  }
}
