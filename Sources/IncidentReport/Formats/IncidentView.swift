internal import FetchCORS
internal import HTTPExchange

/// Values of the template `incident`.
struct IncidentView {
  struct Fact {
    var term: String
    var detail: String
  }

  struct Snippet {
    var server: String
    var code: String
  }

  struct Difference {
    struct Line {
      var field: String
      var good: String
      var bad: String
      var mark: String
      var word: String
    }

    var part: String
    var lines: [Line]
    var omittedLines: String?
  }

  struct Sample {
    var at: String
    var call: String
    var sampleClient: String
    var preflight: String
    var response: String
  }

  var number: Int
  var id: String
  var title: String
  var page: String
  var place: String
  var calls: String
  var facts: [Fact]
  var sentence: String
  var causeID: String
  var certaintyWord: String
  var certaintyNote: String
  var isMasked: Bool
  var fix: String
  var snippets: [Snippet]
  var evidence: [String]
  var reasonCode: String
  var stepText: String
  var stepLink: String
  var message: String?
  var differences: [Difference]
  var hasDifferences: Bool
  var compared: String
  var comparedWith: String?
  var samples: [Sample]

  init(_ incident: Incident, number: Int) {
    let key = incident.key
    let tally = incident.tally
    let explanation = incident.onset.explanation
    self.number = number
    id = key.id
    title = explanation.title
    page = incident.pageText
    place = incident.placeText
    calls = DisplayText.counted(tally.count, "call")
    facts = Self.facts(incident)
    sentence = explanation.sentence
    causeID = key.cause
    certaintyWord = incident.certainty.rawValue
    certaintyNote =
      switch incident.certainty {
      case .proved: "the failing answer itself shows it"
      case .likely: "other calls speak for it"
      case .possible: "the ordinary explanation; nothing speaks against it"
      }
    isMasked = explanation.isMasked
    fix = explanation.fix
    snippets = explanation.snippets.map { Snippet(server: $0.server, code: $0.text) }
    evidence = explanation.evidence
    reasonCode = key.reason.code(in: key.phase)
    let step = key.reason.standardStep
    stepText = "\(step.algorithm), step \(step.step)"
    stepLink = step.link
    message = incident.onset.firstBad.message.map { DisplayText.visible($0, limit: 700) }
    samples = tally.samples.map {
      Sample(
        at: $0.moment.text, call: "\($0.method) \($0.url)", sampleClient: $0.client,
        preflight: $0.preflight, response: $0.response)
    }
    let bad = incident.onset.firstBad
    compared = "First bad call at \(DisplayText.time(incident.onset.moment))"
    let good = incident.onset.lastGood ?? incident.recovery.firstGood
    if let good, let moment = Moment(good) {
      comparedWith =
        (incident.onset.lastGood == nil
          ? "no good one was seen before it; compared with the first good one after, at "
          : "compared with the last good one before it, at ")
        + DisplayText.time(moment)
      differences = HeaderDifference.between(good: good, bad: bad).map(Difference.init)
    } else {
      comparedWith = nil
      differences = HeaderDifference.alone(bad).map(Difference.init)
    }
    hasDifferences = !differences.isEmpty
  }

  private static func facts(_ incident: Incident) -> [Fact] {
    let tally = incident.tally
    var facts = [
      Fact(
        term: "Blocked",
        detail: DisplayText.counted(tally.count, "call")
          + (incident.routeCalls > 0
            ? ", \(DisplayText.percent(tally.count, of: incident.routeCalls)) of "
              + "\(DisplayText.grouped(incident.routeCalls)) to this route" : "")),
      Fact(term: "Clients", detail: tally.clients.text),
      Fact(
        term: "Browsers",
        detail: tally.engines.present.map { "\(name($0.name)) \(DisplayText.grouped($0.count))" }
          .joined(separator: ", ")),
      Fact(term: "Methods", detail: tally.methods.sorted().joined(separator: ", ")),
    ]
    if !tally.parameters.isEmpty {
      facts.append(Fact(term: "Refused", detail: tally.parameters.sorted().joined(separator: ", ")))
    }
    if let good = incident.onset.lastGood.flatMap({ Moment($0) }) {
      facts.append(Fact(term: "Last good before", detail: DisplayText.time(good.time)))
    }
    facts.append(
      Fact(term: "First blocked", detail: tally.first.map { DisplayText.time($0.time) } ?? ""))
    facts.append(
      Fact(term: "Last blocked", detail: tally.last.map { DisplayText.time($0.time) } ?? ""))
    if let good = incident.recovery.firstGood.flatMap({ Moment($0) }) {
      facts.append(Fact(term: "First good after", detail: DisplayText.time(good.time)))
    }
    return facts
  }

  static func name(_ engine: String) -> String {
    switch engine {
    case "chromium": "Chromium"
    case "firefox": "Firefox"
    case "webkit": "WebKit"
    default: "unknown"
    }
  }
}

extension IncidentView.Difference {
  fileprivate init(_ difference: HeaderDifference) {
    part = difference.part
    lines = difference.lines.map {
      Line(
        field: $0.name, good: $0.good, bad: $0.bad, mark: $0.change.rawValue,
        word: $0.change == .same ? "" : $0.change == .unrecorded ? "" : $0.change.rawValue)
    }
    omittedLines =
      difference.omitted > 0
      ? "\(DisplayText.counted(UInt64(difference.omitted), "further line")) of other headers" : nil
  }
}

/// Values of the template `closing`.
struct ClosingView {
  struct Group {
    var page: String
    var place: String
    var because: String
    var groupCount: String
    var from: String
    var to: String
  }

  struct Damage {
    var location: String
    var what: String
  }

  struct Source {
    var name: String
    var kind: String
    var size: String
    var read: String
    var used: String
    var exchanges: String
    var span: String
    var damages: [Damage]
    var hasNotes: Bool
    var notes: [String]
  }

  struct Count {
    var label: String
    var amount: String
    var note: String
  }

  static let maximumGroups = 50
  static let maximumSources = 60
  static let maximumBytes = 400_000

  var hasLikely: Bool
  var likely: [Group]
  var omittedLikely: String?
  var sources: [Source]
  var hasSources: Bool
  var omittedSources: String?
  var missing: [Count]
  var hasMissing: Bool
  var engines: [Count]
  var hasEngines: Bool
  var traffic: [Count]
  var hasTraffic: Bool
  var folded: String?
  var script: String

  init(_ content: ReportContent, _ templates: PageTemplates) {
    let groups = content.likely.filter(Answer.isBlocked)
    likely = groups.prefix(Self.maximumGroups).map {
      Group(
        page: DisplayText.visible($0.origin, limit: 60),
        place: Answer.place(host: $0.host, route: $0.route), because: Answer.reason($0.likely),
        groupCount: DisplayText.grouped($0.tally.count),
        from: $0.tally.first.map { DisplayText.time($0.time) } ?? "",
        to: $0.tally.last.map { DisplayText.time($0.time) } ?? "")
    }
    hasLikely = !likely.isEmpty
    omittedLikely =
      groups.count > likely.count
      ? "\(DisplayText.grouped(groups.count - likely.count)) further groups stand in likely-blocked.csv."
      : nil
    // Damaged inputs first: they say how complete the report is.
    let ordered = content.sources.enumerated().sorted {
      ($0.element.damageCount > 0 ? 0 : 1, $0.offset) < (
        $1.element.damageCount > 0 ? 0 : 1, $1.offset
      )
    }.map(\.element)
    sources = ordered.prefix(Self.maximumSources).map(Source.init)
    hasSources = !sources.isEmpty
    let further = UInt64(content.sources.count - sources.count) &+ content.omittedSources
    omittedSources =
      further > 0 ? "\(DisplayText.counted(further, "further input")) stand in summary.json." : nil
    missing = content.missing.ranked.map {
      let advice = MissingEvidence.advice($0.text)
      return Count(
        label: advice.meaning, amount: DisplayText.grouped($0.count), note: advice.advice)
    }
    hasMissing = !missing.isEmpty
    engines = content.disagreements.ranked.map {
      Count(label: $0.text, amount: DisplayText.grouped($0.count), note: "")
    }
    hasEngines = !engines.isEmpty
    traffic = content.notCORS.ranked.map {
      Count(label: $0.text, amount: DisplayText.grouped($0.count), note: "")
    }
    hasTraffic = !traffic.isEmpty
    folded =
      content.foldedRoutes > 0
      ? "There were more pages and routes than can be told apart: "
        + "\(DisplayText.grouped(content.foldedRoutes)) with few calls "
        + "(\(DisplayText.grouped(content.foldedCalls)) calls) are added up under "
        + "\"routes with few calls\"." : nil
    script = templates.script
  }
}

extension ClosingView.Source {
  fileprivate init(_ source: SourceRecord) {
    name = DisplayText.visible(source.input, limit: 100)
    kind = [source.kind, source.format, source.compression].compactMap { $0 }
      .map { DisplayText.visible($0, limit: 60) }.joined(separator: ", ")
    size = DisplayText.grouped(source.bytes)
    read = DisplayText.grouped(source.read)
    used = DisplayText.grouped(source.used)
    exchanges = DisplayText.grouped(source.exchanges)
    let ends = [source.firstAt, source.lastAt].compactMap { $0.map { DisplayText.time($0) } }
    span = ends.joined(separator: " to ")
    damages = source.damages.prefix(5).map {
      ClosingView.Damage(
        location: [
          $0.offset.map { "byte \(DisplayText.grouped($0))" },
          $0.number.map { "no. \(DisplayText.grouped($0))" },
        ].compactMap { $0 }.joined(separator: ", "),
        what: DisplayText.visible($0.what, limit: 160))
    }
    let further = source.damageCount &- UInt64(damages.count)
    if further > 0, source.damageCount > 0 {
      damages.append(.init(location: "", what: "and \(DisplayText.grouped(further)) more"))
    }
    func counts(_ label: String, _ counts: [String: UInt64]) -> String? {
      guard !counts.isEmpty else { return nil }
      let shown = counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
        .prefix(8).map {
          "\(DisplayText.visible($0.key, limit: 40)) \(DisplayText.grouped($0.value))"
        }
      return label + shown.joined(separator: ", ") + (counts.count > 8 ? ", …" : "")
    }
    notes =
      [
        counts("Skipped: ", source.skipped), counts("No CORS concern: ", source.passedOver),
        counts("Noted: ", source.notes),
      ].compactMap { $0 } + source.warnings.prefix(4).map { DisplayText.visible($0, limit: 200) }
    hasNotes = !notes.isEmpty
  }
}
