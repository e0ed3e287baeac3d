internal import FetchCORS
internal import HTTPExchange

/// The answer in two sentences, what broke, since when and for whom, and what to change; between them why.
struct Answer: Hashable {
  /// A piece of a sentence.
  struct Run: Hashable {
    var text: String
    var isStrong = false
  }

  /// How grave it is; the raw value is a class of the page's style.
  enum Tone: String {
    case bad, warn, good, unknown
  }

  var tone: Tone
  /// A few words to stand before the first sentence: `Blocked, still so at the end`.
  var state: String
  /// The first sentence.
  var headline: [Run]
  /// Why, as far as the evidence carries it.
  var why: String?
  /// How sure ``why`` is.
  var certainty = Certainty.proved
  /// The second sentence.
  var change: String
  /// Whether ``change`` would repair something, or would only tell more.
  var isRepair = false
  /// Where the page shows more: an anchor without its sign.
  var anchor: String?
  /// What the first sentence leaves out.
  var rest: String?

  /// The first sentence as plain text.
  var what: String { headline.map(\.text).joined() }

  init(_ content: ReportContent) {
    if let lead = content.incidents.first {
      self = Self.blocked(lead, in: content)
    } else if content.totals.likelyBlocked > 0, let answer = Self.likely(content) {
      self = answer
    } else if !content.refusals.isEmpty {
      self = Self.refused(content)
    } else {
      self = Self.quiet(content)
    }
    if content.incidents.isEmpty, content.totals.calls > 0, let closed = Self.closed(content) {
      change += " More may be hidden: \(closed)."
    }
    if let copies = Self.copies(content) { change += " " + copies }
  }

  /// What was recorded at several vantage points, in words; `nil` when nothing was.
  private static func copies(_ content: ReportContent) -> String? {
    var joined: UInt64 = 0
    var apart: UInt64 = 0
    for source in content.sources where source.kind == "pairing" {
      joined &+= source.notes["joined-copies"] ?? 0
      apart &+= source.notes["possible-copies"] ?? 0
    }
    var sentences: [String] = []
    if joined > 0 {
      sentences.append(
        "The inputs overlap: \(DisplayText.counted(joined, "exchange")) "
          + (joined == 1
            ? "was recorded twice and counts once." : "were recorded twice and count once."))
    }
    if apart > 0 {
      sentences.append(
        "\(DisplayText.counted(apart, "exchange")) may have been recorded twice and "
          + (apart == 1 ? "counts" : "count") + " apart.")
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: " ")
  }

  private init(
    _ tone: Tone, state: String, headline: [Run], why: String? = nil, change: String,
    isRepair: Bool = false, anchor: String? = nil, rest: String? = nil
  ) {
    self.tone = tone
    self.state = state
    self.headline = headline
    self.why = why
    self.change = change
    self.isRepair = isRepair
    self.anchor = anchor
    self.rest = rest
  }

  // MARK: - What broke

  private static func blocked(_ lead: Incident, in content: ReportContent) -> Answer {
    let all = content.totals.blocked &- content.totals.refused
    let further = content.incidents.count - 1
    if further > 1, lead.tally.count * 2 < all { return mixed(content) }
    let explanation = lead.onset.explanation
    let others = all &- lead.tally.count
    let rest =
      others > 0 && further > 0
      ? "\(DisplayText.counted(others, "further call")) \(others == 1 ? "was" : "were") blocked in "
        + "\(DisplayText.counted(UInt64(further), "further incident")), which "
        + "\(further == 1 ? "stands" : "stand") below." : nil
    let stretch = Stretch(lead)
    var runs = opening(stretch, "browsers \(stretch.isOver ? "blocked" : "have blocked") calls of ")
    let routes = lead.blast.routes
    let host = place(host: lead.key.host, route: "")
    let target =
      if routes.distinct.count == 2, routes.counts.count == 2 {
        host
          + routes.ranked.map { DisplayText.visible($0.name, limit: 60) }.joined(separator: " and ")
      } else if routes.only != nil {
        lead.placeText
      } else {
        "\(routes.distinct.text) routes of \(host)"
      }
    runs += [
      Run(text: pages(lead), isStrong: true), Run(text: " to "),
      Run(text: target, isStrong: true), Run(text: ": "),
    ]
    runs += count(lead.tally, then: "")
    if lead.routeCalls > lead.tally.count {
      let share = DisplayText.percent(lead.tally.count, of: lead.routeCalls)
      runs.append(
        Run(text: ", \(share) of the \(DisplayText.grouped(lead.routeCalls)) calls there"))
    } else if lead.routeCalls == lead.tally.count, lead.routeCalls > 1 {
      runs.append(Run(text: ", every one there"))
    }
    runs.append(Run(text: "."))
    var answer = Answer(
      .bad, state: stretch.state, headline: runs,
      why: lead.certainty.qualified(explanation.sentence),
      change: explanation.fix, isRepair: true, anchor: "incident-\(lead.key.id)", rest: rest)
    answer.certainty = lead.certainty
    return answer
  }

  /// Many causes of which none has half of the calls.
  private static func mixed(_ content: ReportContent) -> Answer {
    let incidents = content.incidents
    let tally = incidents.reduce(into: Tally()) { $0.merge($1.tally) }
    let isOver = incidents.allSatisfy { Stretch($0).isOver }
    var runs: [Run] = []
    if let first = tally.first?.time, let last = tally.last?.time {
      let time = isOver ? TimeText.span(first, last) : "since \(TimeText.moment(first))"
      runs = [
        Run(text: time.uppercasedStart, isStrong: true),
        Run(text: ", browsers \(isOver ? "blocked" : "have blocked") "),
      ]
    }
    runs += count(tally, then: "")
    let origins = incidents.reduce(into: NamedCounts()) { $0.merge($1.blast.origins) }
    let hosts = Set(incidents.map(\.key.host))
    runs += [
      Run(text: " from "),
      origins.only.map { Run(text: page($0), isStrong: true) }
        ?? Run(text: "\(origins.distinct.text) pages"),
      Run(text: " to "),
      hosts.count == 1
        ? Run(text: place(host: incidents[0].key.host, route: ""), isStrong: true)
        : Run(text: "\(DisplayText.grouped(hosts.count)) hosts"),
      Run(text: ", for "),
      Run(text: "\(DisplayText.grouped(incidents.count)) different causes", isStrong: true),
      Run(text: "."),
    ]
    let titles = incidents.prefix(3).map {
      "\($0.onset.explanation.title.lowercasedStart) (\(DisplayText.grouped($0.tally.count))"
        + ($0.certainty == .proved ? ")" : ", \($0.certainty.rawValue))")
    }
    let further = incidents.count - titles.count
    let first = incidents[0].onset.explanation.fix
    return Answer(
      .bad, state: "Calls \(isOver ? "were" : "are") blocked, for several causes", headline: runs,
      why: "No single cause has most of the calls: " + titles.joined(separator: ", ")
        + (further > 0 ? " and \(DisplayText.grouped(further)) more." : "."),
      change: "Each incident below has its own fix. The first one"
        + (first.hasPrefix("At ") ? ": " : ", for \(incidents[0].placeText): ")
        + first.lowercasedStart,
      isRepair: true, anchor: "incidents")
  }

  private static func likely(_ content: ReportContent) -> Answer? {
    let cases = content.likelyCases
    guard let first = cases.first else { return nil }
    let same = cases.filter {
      $0.origin == first.origin && $0.host == first.host && $0.fix == first.fix
    }
    let tally = same.reduce(into: Tally()) { $0.merge($1.tally) }
    var routes: [String] = []
    for name in same.flatMap({ $0.routes.ranked.map(\.name) }) where !routes.contains(name) {
      routes.append(name)
    }
    let host = place(host: first.host, route: "")
    let target =
      routes.count <= 2
      ? host + routes.map { DisplayText.visible($0, limit: 60) }.joined(separator: " and ")
      : "\(DisplayText.grouped(routes.count)) routes of \(host)"
    var runs: [Run] = []
    if let begin = tally.first?.time, let end = tally.last?.time {
      runs = [
        Run(text: TimeText.span(begin, end).uppercasedStart, isStrong: true),
        Run(text: ", browsers probably blocked calls of "),
      ]
    }
    runs += [
      Run(text: page(first.origin), isStrong: true), Run(text: " to "),
      Run(text: target, isStrong: true), Run(text: ": "),
    ]
    runs += count(tally, then: ". The evidence does not prove it.")
    let others = content.totals.likelyBlocked &- tally.count
    var answer = Answer(
      .warn, state: "Probably blocked, not proved", headline: runs,
      why: (first.suspicion.map { Certainty.possible.qualified($0.explanation.sentence) + " " }
        ?? "")
        + "What speaks for it: \(reason(first.likely)).",
      change: first.suspicion.map { $0.explanation.fix } ?? proof(first.missing),
      isRepair: first.suspicion != nil, anchor: "likely-\(first.id)",
      rest: others > 0
        ? "\(DisplayText.counted(others, "further call")) \(others == 1 ? "was" : "were") probably "
          + "blocked otherwise." : nil)
    answer.certainty = .possible
    return answer
  }

  /// All that was blocked was meant to be.
  private static func refused(_ content: ReportContent) -> Answer {
    let refusals = content.refusals
    let tally = refusals.reduce(into: Tally()) { $0.merge($1.tally) }
    let origins = refusals.reduce(into: NamedCounts()) { $0.merge($1.blast.origins) }
    var runs = [Run(text: "Only refusals: ", isStrong: true)]
    runs += count(tally, then: " from ")
    runs += [
      origins.only.map { Run(text: page($0), isStrong: true) }
        ?? Run(text: "\(origins.distinct.text) pages"),
      Run(text: " were refused as the server means to refuse them, and no other call was blocked."),
    ]
    return Answer(
      .good, state: "Nothing broken", headline: runs, why: refusals[0].onset.explanation.sentence,
      change: "Nothing, unless one of these pages is yours. Then: "
        + refusals[0].onset.explanation.fix.lowercasedStart,
      anchor: "refusals")
  }

  /// `To be sure, log …`.
  static func proof(_ missing: [String]) -> String {
    guard let name = missing.first else { return "More evidence would tell." }
    let further = missing.dropFirst().prefix(2).map { MissingEvidence.advice($0).advice }
    return "To be sure, "
      + ([MissingEvidence.advice(name).advice] + further).joined(separator: "; ") + "."
  }

  // MARK: - Nothing broke, or nothing can be said

  private static func quiet(_ content: ReportContent) -> Answer {
    let totals = content.totals
    func plain(_ tone: Tone, _ state: String, _ what: String, _ change: String) -> Answer {
      Answer(tone, state: state, headline: [Run(text: what)], change: change)
    }
    if totals.calls == 0, let closed = closed(content) {
      return plain(
        .unknown, "Cannot be judged", "Nothing can be judged: \(closed).",
        "Give the keys with --tls-keys (browsers and servers write them where SSLKEYLOGFILE says), "
          + "or read the server's access log instead.")
    }
    if totals.calls == 0, let answer = unrecorded(content) { return answer }
    if totals.calls == 0 {
      return plain(
        .unknown, "Nothing to judge",
        "There is no cross-origin call in what was read, so there is nothing to judge.",
        totals.notCORS > 0
          ? "\(DisplayText.counted(totals.notCORS, "exchange")) of other kinds were counted."
          : "Check that the files hold the traffic that you mean.")
    }
    if totals.allowed == 0 {
      var answer = plain(
        .unknown, "Cannot be judged",
        "Nothing can be said of \(DisplayText.counted(totals.calls, "cross-origin call")): the "
          + "evidence does not hold what a verdict needs.",
        proof(content.missing.ranked.prefix(3).map(\.text)))
      answer.anchor = "missing"
      return answer
    }
    return Answer(
      .good, state: totals.undetermined > 0 ? "Nothing known to be blocked" : "Nothing blocked",
      headline: [
        Run(text: "No call was blocked", isStrong: true),
        Run(
          text:
            ": of \(DisplayText.counted(totals.calls, "cross-origin call")), pages could read "
            + (totals.allowed == totals.calls
              ? "every one." : "\(DisplayText.grouped(totals.allowed)).")),
      ],
      change: totals.undetermined > 0
        ? "Of \(DisplayText.grouped(totals.undetermined)) the evidence does not tell; below stands "
          + "what was missing."
        : "Nothing needs to change.",
      anchor: totals.undetermined > 0 ? "missing" : nil)
  }

  /// Connections that could not be read, in words; `nil` when there were none.
  private static func closed(_ content: ReportContent) -> String? {
    var tls: UInt64 = 0
    var other: UInt64 = 0
    for source in content.sources {
      tls &+= source.closedTLSConnections
      other &+= source.otherClosedConnections
    }
    let parts = [
      tls > 0 ? DisplayText.counted(tls, "TLS connection") : nil,
      other > 0 ? DisplayText.counted(other, "connection") + " of HTTP/2 or HTTP/3" : nil,
    ].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: " and ") + " could not be read"
  }

  /// What is said where no request is known to have crossed origins, and of some nothing tells that they
  /// did not.
  private static func unrecorded(_ content: ReportContent) -> Answer? {
    let lacksOrigin = content.notCORS.counts["origin-not-recorded"] ?? 0
    let lacksTarget = content.notCORS.counts["target-not-recorded"] ?? 0
    guard lacksOrigin > 0 || lacksTarget > 0 else { return nil }
    let advice = [
      lacksOrigin > 0 ? "Log Origin and what the server answers to it" : nil,
      lacksTarget > 0
        ? "log the host that the browser called (nginx: $http_host); where a proxy puts its own there, log "
          + "X-Forwarded-Host and give --trust-forwarded" : nil,
    ].compactMap { $0 }.joined(separator: "; ")
    return Answer(
      .unknown, state: "Cannot be judged",
      headline: [
        Run(
          text:
            "Nothing can be judged: of \(DisplayText.counted(lacksOrigin &+ lacksTarget, "request")) "
            + "nothing tells whether \(lacksOrigin &+ lacksTarget == 1 ? "it" : "they") crossed origins."
        )
      ], change: advice.uppercasedStart + ". postflight doctor says how.")
  }

  // MARK: - Sentences

  /// `Since 15:43:40 UTC on 21 September 2026, browsers have kept `.
  private static func opening(_ stretch: Stretch, _ text: String) -> [Run] {
    guard let time = stretch.text else { return [Run(text: text.uppercasedStart)] }
    return [Run(text: time.uppercasedStart, isStrong: true), Run(text: ", " + text)]
  }

  /// The pages of an incident by name while they are few and short.
  private static func pages(_ incident: Incident) -> String {
    let origins = incident.blast.origins
    let names = origins.ranked.map { page($0.name) }
    guard origins.distinct.count == 2, names.count == 2, names.allSatisfy({ $0.utf8.count <= 50 })
    else { return incident.pageText }
    return names.joined(separator: " and ")
  }

  /// `150 PUT calls of 23 clients`.
  private static func count(_ tally: Tally, then end: String) -> [Run] {
    let method = tally.methods.count == 1 ? (tally.methods.first ?? "") + " " : ""
    return [
      Run(text: DisplayText.counted(tally.count, method + "call"), isStrong: true),
      Run(text: " of \(tally.clients.text) client\(tally.clients.count == 1 ? "" : "s")\(end)"),
    ]
  }

  /// A page's origin for the middle of a sentence.
  static func page(_ origin: String, limit: Int = 80) -> String {
    switch origin {
    case "null": "pages without an origin (null)"
    case "": "pages whose origin was not recorded"
    case OverflowGroup.name: "pages with few calls"
    default: DisplayText.visible(origin, limit: limit)
    }
  }

  /// Host and route as one reads them.
  static func place(host: String, route: String, limits: (Int, Int) = (80, 120)) -> String {
    if host == OverflowGroup.name { return "routes with few calls" }
    let name = host.isEmpty ? "(host not recorded)" : DisplayText.visible(host, limit: limits.0)
    return name + DisplayText.visible(route, limit: limits.1)
  }

  /// What stands after `blocked: `.
  static func reason(_ likely: String?) -> String {
    guard let likely, let colon = likely.firstRange(of: ": ") else { return "other calls" }
    return String(likely[colon.upperBound...])
  }
}

extension String {
  /// The text for the middle of a sentence: a name that is all capitals or has some stays as it is.
  var lowercasedStart: String {
    guard let first, let next = dropFirst().first, next.isLowercase || next == " " else {
      return self
    }
    let word = prefix { $0 != " " }
    guard !word.dropFirst().contains(where: { $0.isUppercase || $0 == "-" }) else { return self }
    return first.lowercased() + dropFirst()
  }

  /// The text for the start of a sentence.
  var uppercasedStart: String { prefix(1).uppercased() + dropFirst() }
}
