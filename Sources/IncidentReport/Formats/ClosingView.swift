internal import FetchCORS
internal import HTTPExchange

/// Values of the template `closing`.
struct ClosingView: Encodable {
  /// Calls that were probably blocked.
  struct Case: Encodable {
    var likelyID: String
    var caseTitle: String
    var page: String
    var place: String
    var caseCalls: String
    var caseSpan: String
    var caseRoutes: String?
    var because: String
    var supposed: String?
    var caseFix: String?
    var caseSnippets: [IncidentView.Snippet]
    var proof: String
    var casePlaces: String
  }

  /// Calls that the server meant to refuse.
  struct Refusal: Encodable {
    var refusalID: String
    var page: String
    var place: String
    var because: String
    var refusalCount: String
    var from: String
    var to: String
  }

  struct Exposed: Encodable {
    var exposedHeader: String
    var exposedSentence: String
    var exposedFix: String
    var exposedCalls: String
  }

  struct Damage: Encodable {
    var location: String
    var what: String
  }

  struct Source: Encodable {
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

  struct Count: Encodable {
    var label: String
    var amount: String
    var note: String
  }

  static let maximumCases = 40
  static let maximumRefusals = 60
  static let maximumExposed = 30
  static let maximumSources = 60

  var hasRefusals: Bool
  var refusals: [Refusal]
  var omittedRefusals: String?
  var hasExposure: Bool
  var exposure: [Exposed]
  var omittedExposure: String?
  var hasLikely: Bool
  var likely: [Case]
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

  init(_ content: ReportContent, _ templates: PageTemplates, _ places: SourceNames) {
    refusals = content.refusals.prefix(Self.maximumRefusals).lazy.map { Refusal($0) }
      .fitting(HTMLReport.maximumListBytes / 2)
    hasRefusals = !refusals.isEmpty
    omittedRefusals =
      content.refusals.count > refusals.count
      ? "\(DisplayText.grouped(content.refusals.count - refusals.count)) further ones stand in blocked.csv."
      : nil
    let lines = content.exposure.lines
    exposure = lines.prefix(Self.maximumExposed).map {
      Exposed(
        exposedHeader: DisplayText.visible($0.header, limit: 60), exposedSentence: $0.sentence,
        exposedFix: $0.fix, exposedCalls: DisplayText.grouped($0.calls))
    }
    hasExposure = !exposure.isEmpty
    omittedExposure =
      lines.count > exposure.count
      ? "\(DisplayText.grouped(lines.count - exposure.count)) further ones stand in summary.json."
      : nil
    let cases = content.likelyCases
    likely = cases.prefix(Self.maximumCases).lazy.map { Case($0, places) }
      .fitting(HTMLReport.maximumListBytes)
    hasLikely = !likely.isEmpty
    omittedLikely =
      cases.count > likely.count
      ? "\(DisplayText.grouped(cases.count - likely.count)) further groups stand in likely-blocked.csv."
      : nil
    // Those first that say how complete the report is; where all are shown, in the order of the inputs.
    let isCut = content.sources.count > Self.maximumSources
    func rank(_ source: SourceRecord) -> Int {
      isCut ? ReportContent.rank(source) : source.damageCount > 0 ? 0 : 1
    }
    let ordered = content.sources.enumerated().map { (rank($0.element), $0.offset, $0.element) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    sources = ordered.prefix(Self.maximumSources).lazy.map { Source($0) }
      .fitting(HTMLReport.maximumListBytes)
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

extension ClosingView.Refusal {
  fileprivate init(_ incident: Incident) {
    refusalID = incident.key.id
    page = incident.pageText
    place = incident.placeText
    because = incident.onset.explanation.sentence
    refusalCount = DisplayText.grouped(incident.tally.count)
    from = incident.tally.first.map { DisplayText.time($0.time) } ?? ""
    to = incident.tally.last.map { DisplayText.time($0.time) } ?? ""
  }
}

extension ClosingView.Case {
  fileprivate init(_ likely: LikelyCase, _ places: SourceNames) {
    likelyID = likely.id
    caseTitle = likely.suspicion?.explanation.title ?? "Probably blocked"
    page = Answer.page(likely.origin)
    place = likely.placeText
    caseCalls =
      "\(DisplayText.counted(likely.tally.count, "call")) of \(likely.tally.clients.text) "
      + "client\(likely.tally.clients.count == 1 ? "" : "s")"
    caseRoutes =
      likely.routes.only == nil
      ? likely.routes.ranked.prefix(4).map {
        "\(DisplayText.visible($0.name, limit: 60)) \(DisplayText.grouped($0.count))"
      }.joined(separator: ", ") + (likely.routes.distinct.count > 4 ? ", …" : "") : nil
    if let first = likely.tally.first, let last = likely.tally.last {
      caseSpan = TimeText.span(first.time, last.time)
    } else {
      caseSpan = ""
    }
    because = Answer.reason(likely.likely).uppercasedStart + "."
    supposed = likely.suspicion?.explanation.sentence
    caseFix = likely.suspicion?.explanation.fix
    caseSnippets = (likely.suspicion?.explanation.snippets ?? []).map {
      IncidentView.Snippet(server: $0.server, code: $0.text)
    }
    proof = Answer.proof(likely.missing)
    casePlaces = likely.tally.samples.compactMap { $0.preflight ?? $0.response }
      .map { places.place($0.id) }.joined(separator: ", ")
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
          $0.number.map { "\(source.unit.one) \(DisplayText.grouped($0))" },
          $0.offset.map { "byte \(DisplayText.grouped($0))" },
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
