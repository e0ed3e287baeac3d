internal import FetchCORS
internal import HTTPExchange

/// Values of the template `opening`.
struct OpeningView: Encodable {
  struct Run: Encodable {
    var runText: String
    var isStrong: Bool
  }

  struct Link: Encodable {
    var target: String
    var linkText: String
  }

  struct Number: Encodable {
    var amount: String
    var caption: String
    var note: String
    var tone: String
    var numberTarget: String?
    /// Whether the note speaks of assumptions, which the last part of the page explains.
    var isAssumed = false
  }

  struct Row: Encodable {
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
  var pageTitle: String
  var tone: String
  var state: String
  var headline: [Run]
  var why: String?
  var whyTitle: String
  var change: String
  var changeTitle: String
  var anchor: String?
  var rest: String?
  var period: String?
  var inputs: String
  var links: [Link]
  var numbers: [Number]
  var timeline: TimelineView?
  var hasIncidents: Bool
  /// Whether a table of the incidents says more than they do themselves.
  var hasIndex: Bool
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
    let answer = Answer(content)
    let isListed = content.incidents.count > 1 || shownInFull < content.incidents.count
    tone = answer.tone.rawValue
    state = answer.state
    pageTitle = "\(answer.state): Postflight report"
    headline = answer.headline.map {
      // A number stays with its noun.
      let isShort = $0.isStrong && $0.text.utf8.count <= 24
      return Run(
        runText: isShort ? $0.text.replacing(" ", with: "\u{A0}") : $0.text, isStrong: $0.isStrong)
    }
    why = answer.why
    whyTitle = "Why"
    change = answer.change
    changeTitle =
      answer.isRepair ? "What to change" : answer.tone == .good ? "What to do" : "What would tell"
    // An incident that is not shown in full has no place of its own.
    anchor = shownInFull > 0 || content.incidents.isEmpty ? answer.anchor : "incidents"
    rest = answer.rest
    if let first = content.first ?? content.sources.compactMap(\.firstAt).min(),
      let last = content.last ?? content.sources.compactMap(\.lastAt).max()
    {
      period = TimeText.period(first, last)
    }
    let sourceCount = UInt64(content.sources.count) &+ content.omittedSources
    inputs = sourceCount == 0 ? "" : DisplayText.counted(sourceCount, "input")
    links = Self.links(content)
    numbers = Self.numbers(content)
    timeline = TimelineView(content)
    hasIncidents = !content.incidents.isEmpty
    hasIndex = isListed
    let largest = content.incidents.first?.tally.count ?? 1
    rows =
      isListed
      ? content.incidents.prefix(HTMLReport.maximumRows).enumerated().lazy.map { index, incident in
        Row(incident, rank: index + 1, isLinked: index < shownInFull, largest: largest)
      }.fitting(HTMLReport.maximumListBytes) : []
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

  private static func links(_ content: ReportContent) -> [Link] {
    var links = [Link(target: "incidents", linkText: "Incidents")]
    if !content.refusals.isEmpty {
      links.append(Link(target: "refusals", linkText: "Refused on purpose"))
    }
    if content.totals.likelyBlocked > 0 {
      links.append(Link(target: "likely", linkText: "Likely blocked"))
    }
    links.append(Link(target: "read", linkText: "What was read"))
    if !content.missing.counts.isEmpty {
      links.append(Link(target: "missing", linkText: "What is not known"))
    }
    return links
  }

  private static func numbers(_ content: ReportContent) -> [Number] {
    let totals = content.totals
    let assumed = totals.allowed &- content.allowedOutright
    let names = content.assumptions.ranked.prefix(3).map { assumption($0.text) }
    let unknown = totals.undetermined &- totals.likelyBlocked &+ totals.contradicted
    var unknownNotes: [String] = []
    if totals.contradicted > 0 {
      unknownNotes.append(
        "\(DisplayText.grouped(totals.contradicted)) went on although the answer forbade it")
    }
    if totals.likelyAllowed > 0 {
      unknownNotes.append("\(DisplayText.grouped(totals.likelyAllowed)) likely allowed")
    }
    return [
      Number(
        amount: DisplayText.grouped(totals.blocked), caption: "Blocked",
        note: totals.blocked == 0
          ? (totals.calls == 0 ? "no call was seen" : "proved for no call")
          : "\(DisplayText.percent(totals.blocked, of: totals.calls)) of "
            + "\(DisplayText.counted(totals.calls, "call")), \(content.blockedClients.text) "
            + "client\(content.blockedClients.count == 1 ? "" : "s"); proved to be blocked"
            + (totals.refused > 0
              ? ". \(DisplayText.grouped(totals.refused)) of them refused on purpose" : ""),
        tone: totals.blocked > 0 ? "bad" : "none",
        numberTarget: content.incidents.isEmpty
          ? content.refusals.isEmpty ? nil : "refusals" : "incidents"),
      Number(
        amount: DisplayText.grouped(totals.likelyBlocked), caption: "Likely blocked",
        note: totals.likelyBlocked == 0
          ? (totals.calls == 0 ? "no call was seen" : "no further call looks blocked")
          : "other calls suggest it; not proved",
        tone: totals.likelyBlocked > 0 ? "warn" : "none",
        numberTarget: totals.likelyBlocked > 0 ? "likely" : nil),
      Number(
        amount: DisplayText.grouped(totals.allowed), caption: "Allowed",
        note: totals.allowed == 0
          ? (totals.calls == 0 ? "no call was seen" : "of no call it can be said")
          : assumed == 0
            ? "the page could read the answer; nothing is assumed"
            : "\(assumed == totals.allowed ? "all" : DisplayText.grouped(assumed)) of them assuming "
              + names.joined(separator: " and "),
        tone: totals.allowed > 0 ? "good" : "none", isAssumed: totals.allowed > 0 && assumed > 0),
      Number(
        amount: DisplayText.grouped(unknown), caption: "Cannot tell",
        note: unknown == 0
          ? (totals.calls == 0 ? "no call was seen" : "every call was judged")
          : unknownNotes.isEmpty
            ? "the evidence does not hold it" : unknownNotes.joined(separator: "; "),
        tone: unknown > 0 ? "unknown" : "none",
        numberTarget: unknown > 0 && !content.missing.counts.isEmpty ? "missing" : nil),
    ]
  }

  /// An assumption in words, after "assuming".
  private static func assumption(_ name: String) -> String {
    switch name {
    case "not-credentialed": "no credentials were sent"
    case "single-line": "logged headers had one line"
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
