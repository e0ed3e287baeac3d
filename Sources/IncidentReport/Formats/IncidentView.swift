internal import FetchCORS
internal import HTTPExchange

/// Values of the template `incident`.
struct IncidentView: Encodable {
  struct Fact: Encodable {
    var term: String
    var detail: String
    var detailNote: String?
  }

  /// A moment of an incident's course.
  struct Turn: Encodable {
    /// `good`, `bad` or `none`.
    var turnClass: String
    var turnLabel: String
    var turnTime: String
    /// How long after the one before it: `12 s later`.
    var turnGap: String?
  }

  struct Snippet: Encodable {
    var server: String
    var code: String
  }

  struct Sample: Encodable {
    struct Place: Encodable {
      var placeStatus: String
      var placeText: String
    }

    var at: String
    var sampleMethod: String
    var sampleURL: String
    var sampleClient: String
    var sampleEngine: String
    var samplePlaces: [Place]
  }

  /// Incidents whose evidence is unfolded from the start.
  static let unfolded = 3

  var number: Int
  var id: String
  var title: String
  var page: String
  var place: String
  var facts: [Fact]
  var turns: [Turn]
  var courseNote: String?
  var sentence: String
  var causeID: String
  var certaintyWord: String
  var certaintyNote: String
  var isMasked: Bool
  var fix: String
  var snippets: [Snippet]
  var snippetNote: String?
  var evidence: [String]
  var reasonCode: String
  var stepName: String
  var stepLink: String
  var message: String?
  var isUnfolded: Bool
  var differences: [DifferenceView]
  var hasDifferences: Bool
  var differenceTitle: String
  var differenceNote: String?
  var samples: [Sample]
  var sampleNote: String

  init(_ incident: Incident, number: Int, _ places: SourceNames) {
    let key = incident.key
    let tally = incident.tally
    let explanation = incident.onset.explanation
    self.number = number
    id = key.id
    title = explanation.title
    page = incident.pageText
    place = incident.placeText
    facts = Self.facts(incident)
    turns = Self.turns(incident)
    courseNote = Stretch(incident).note
    // A line that names one page must not take the others' headers from them.
    snippetNote =
      !explanation.snippets.isEmpty && explanation.plan?.repair != .vary
        && (incident.reach.map { $0.pages > 1 || $0.otherPages > 0 } ?? false)
      ? "Written for one page. Other pages call there as well: answer each with its own origin."
      : nil
    sentence = incident.certainty.qualified(explanation.sentence)
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
    stepName = "\(step.algorithm), step \(step.step)"
    stepLink = step.link
    message = incident.onset.firstBad.message.map { DisplayText.visible($0, limit: 700) }
    isUnfolded = number <= Self.unfolded
    samples = tally.samples.map { Sample($0, places) }
    sampleNote =
      samples.count == Int(clamping: tally.count)
      ? (samples.count == 1 ? "The blocked call" : "All \(samples.count) blocked calls")
      : "The first \(samples.count) of \(DisplayText.grouped(tally.count)) blocked calls"
    let bad = incident.onset.firstBad
    let badTime = TimeText.clock(incident.onset.moment.time)
    let good = incident.onset.lastGood ?? incident.recovery.firstGood
    if let good, let moment = Moment(good) {
      let isBefore = incident.onset.lastGood != nil
      // Browsers send different headers, which says nothing of the incident.
      let browsers =
        good.engine == bad.engine
        ? "" : " (\(Self.name(good.engine)) beside \(Self.name(bad.engine)))"
      differenceTitle =
        isBefore
        ? "Last good call at \(TimeText.clock(moment.time)) beside the first bad one at \(badTime)"
          + browsers
        : "First good call afterwards, at \(TimeText.clock(moment.time)), beside the first bad one "
          + "at \(badTime)\(browsers)"
      differenceNote = isBefore ? nil : "No good call with the same steps was seen before it."
      differences = HeaderDifference.between(good: good, bad: bad).map {
        DifferenceView($0, good: isBefore ? "Last good" : "Good, later")
      }
    } else {
      differenceTitle = "First bad call, at \(badTime)"
      differenceNote = "No good call of this page to this route was seen to compare it with."
      differences = HeaderDifference.alone(bad).map { DifferenceView($0, good: nil) }
    }
    hasDifferences = !differences.isEmpty
  }

  private static func facts(_ incident: Incident) -> [Fact] {
    let tally = incident.tally
    let engines = tally.engines.present
    var facts = [
      Fact(
        term: "Blocked", detail: DisplayText.counted(tally.count, "call"),
        detailNote: incident.routeCalls > 0
          ? (incident.routeCalls <= tally.count
            ? "every one there"
            : "\(DisplayText.percent(tally.count, of: incident.routeCalls)) of "
              + "\(DisplayText.grouped(incident.routeCalls)) there") : nil),
      Fact(term: "Clients", detail: tally.clients.text),
      Fact(
        term: engines.count == 1 ? "Browser" : "Browsers",
        detail: engines.map {
          engines.count == 1 ? name($0.name) : "\(name($0.name)) \(DisplayText.grouped($0.count))"
        }.joined(separator: ", ")),
      Fact(
        term: tally.methods.count == 1 ? "Method" : "Methods",
        detail: tally.methods.sorted().joined(separator: ", ")),
    ]
    for (name, counts) in [("Pages", incident.blast.origins), ("Routes", incident.blast.routes)]
    where counts.only == nil {
      let shown = counts.ranked.prefix(4).map {
        "\(DisplayText.visible($0.name, limit: 60)) \(DisplayText.grouped($0.count))"
      }
      let further = counts.distinct.count - shown.count
      facts.append(
        Fact(
          term: name, detail: shown.joined(separator: ", "),
          detailNote: further > 0
            ? "and \(counts.distinct.isSaturated ? "at least " : "")\(DisplayText.grouped(further)) more"
            : nil))
    }
    let refused = tally.parameters.filter { !$0.isEmpty }.sorted()
    if !refused.isEmpty {
      facts.append(Fact(term: "Refused", detail: refused.joined(separator: ", ")))
    }
    return facts
  }

  private static func turns(_ incident: Incident) -> [Turn] {
    let tally = incident.tally
    var turns: [Turn] = []
    var before: EventTime?
    func add(_ turnClass: String, _ label: String, _ time: EventTime) {
      let gap = before.map { TimeText.gap(from: $0, to: time) } ?? nil
      turns.append(
        Turn(
          turnClass: turnClass, turnLabel: label, turnTime: DisplayText.time(time), turnGap: gap))
      before = time
    }
    if let good = incident.onset.lastGood.flatMap({ Moment($0) }) {
      add("good", "Last good", good.time)
    } else {
      turns.append(Turn(turnClass: "none", turnLabel: "Good before", turnTime: "none seen"))
    }
    if let first = tally.first, let last = tally.last {
      add("bad", tally.count == 1 ? "Blocked" : "First blocked", first.time)
      if tally.count > 1 { add("bad", "Last blocked", last.time) }
    }
    if let good = incident.recovery.firstGood.flatMap({ Moment($0) }) {
      add("good", "Good again", good.time)
    } else {
      turns.append(Turn(turnClass: "none", turnLabel: "Good again", turnTime: "not seen"))
    }
    return turns
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

extension IncidentView.Sample {
  fileprivate init(_ sample: CallSample, _ places: SourceNames) {
    at = String(sample.moment.text.dropLast()).replacing("T", with: " ")
    sampleMethod = sample.method
    sampleURL = sample.url
    sampleClient = sample.client
    sampleEngine = IncidentView.name(sample.engine)
    samplePlaces = [("Preflight", sample.preflight), ("Request", sample.response)].compactMap {
      name, place in
      guard let place else { return nil }
      return Place(
        placeStatus: "\(name) \(place.status.map { String($0) } ?? "without answer")",
        placeText: places.place(place.id))
    }
  }
}
