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
    if !content.incidents.isEmpty {
      self = Self.blocked(content)
    } else if content.totals.likelyBlocked > 0, let answer = Self.likely(content) {
      self = answer
    } else {
      self = Self.quiet(content)
    }
    if content.incidents.isEmpty, content.totals.calls > 0, let closed = Self.closed(content) {
      change += " More may be hidden: \(closed)."
    }
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

  private static func blocked(_ content: ReportContent) -> Answer {
    let repairs = Repair.all(of: content.incidents)
    guard let lead = repairs.first else { return quiet(content) }
    let further = repairs.count - 1
    if further > 1, lead.tally.count * 2 < content.totals.blocked {
      return mixed(content, repairs)
    }
    let explanation = lead.explanation
    let anchor = "incident-\(lead.ids[0])"
    let rest =
      content.totals.blocked > lead.tally.count
      ? "\(DisplayText.counted(content.totals.blocked - lead.tally.count, "further call")) "
        + (content.totals.blocked - lead.tally.count == 1 ? "was" : "were")
        + " blocked for \(further == 1 ? "another cause" : "\(further) other causes"); "
        + (further == 1 ? "it stands below." : "they stand below.")
      : nil
    return Answer(
      .bad,
      state: lead.isOver
        ? "Calls were blocked; it is over" : "Calls are blocked; the evidence shows no end",
      headline: sentence(of: lead, verb: lead.isOver ? "kept" : "have kept", isProved: true),
      why: explanation.sentence, change: explanation.fix, isRepair: true, anchor: anchor, rest: rest
    )
  }

  /// Many causes of which none has half of the calls.
  private static func mixed(_ content: ReportContent, _ repairs: [Repair]) -> Answer {
    let tally = Repair.tally(of: content.incidents)
    let isOver = repairs.allSatisfy(\.isOver)
    var runs = opening(tally, isOver: isOver)
    runs += [
      Run(text: DisplayText.counted(content.totals.blocked, "call"), isStrong: true),
      Run(
        text:
          " of \(content.blockedClients.text) client\(content.blockedClients.count == 1 ? "" : "s")"
      ),
    ]
    let origins = Set(content.incidents.map(\.key.origin))
    let hosts = Set(content.incidents.map(\.key.host))
    runs.append(Run(text: " from "))
    if origins.count == 1, let origin = origins.first {
      runs.append(Run(text: page(origin), isStrong: true))
    } else {
      runs.append(Run(text: "\(DisplayText.grouped(origins.count)) origins"))
    }
    runs.append(Run(text: " to "))
    if hosts.count == 1, let host = hosts.first {
      runs.append(Run(text: place(host: host, route: ""), isStrong: true))
    } else {
      runs.append(Run(text: "\(DisplayText.grouped(hosts.count)) hosts"))
    }
    runs.append(Run(text: ", for "))
    runs.append(Run(text: "\(DisplayText.grouped(repairs.count)) different causes", isStrong: true))
    runs.append(Run(text: "."))
    let titles = repairs.prefix(3).map {
      "\($0.explanation.title.lowercasedStart) (\(DisplayText.grouped($0.tally.count)))"
    }
    let first = repairs[0]
    return Answer(
      .bad, state: "Calls \(isOver ? "were" : "are") blocked, for several causes", headline: runs,
      why: "No single cause has most of the calls: " + titles.joined(separator: ", ")
        + (repairs.count > 3 ? " and \(repairs.count - 3) more." : "."),
      change: "Each incident below has its own fix. The first one, for "
        + "\(place(host: first.host, route: first.routes[0])): "
        + first.explanation.fix.lowercasedStart,
      isRepair: true, anchor: "incidents")
  }

  private static func likely(_ content: ReportContent) -> Answer? {
    let cases = content.likelyCases
    guard let first = cases.first else { return nil }
    let same = cases.filter {
      $0.origin == first.origin && $0.host == first.host && $0.fix == first.fix
    }
    let lead = Repair(same)
    let runs = sentence(
      of: lead, verb: "probably kept", isProved: false)
    let others = content.totals.likelyBlocked &- lead.tally.count
    return Answer(
      .warn, state: "Probably blocked, not proved", headline: runs,
      why: (first.suspicion.map { "Suspected: \($0.explanation.sentence.lowercasedStart) " } ?? "")
        + "What speaks for it: \(reason(first.likely)).",
      change: first.suspicion.map { $0.explanation.fix } ?? proof(first.missing),
      isRepair: first.suspicion != nil, anchor: "likely-\(first.id)",
      rest: others > 0
        ? "\(DisplayText.counted(others, "further call")) \(others == 1 ? "was" : "were") probably "
          + "blocked otherwise." : nil)
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
            ": of \(DisplayText.counted(totals.calls, "cross-origin call")), the page could read "
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

  // MARK: - Sentences

  /// `Since 15:43:40 UTC on 21 September 2026, browsers have kept `.
  private static func opening(_ tally: Tally, isOver: Bool) -> [Run] {
    guard let first = tally.first?.time, let last = tally.last?.time else { return [] }
    let time = isOver ? TimeText.span(first, last) : "since \(TimeText.moment(first))"
    return [
      Run(text: time.uppercasedStart, isStrong: true),
      Run(text: ", browsers \(isOver ? "blocked" : "have blocked") "),
    ]
  }

  private static func sentence(of repair: Repair, verb: String, isProved: Bool) -> [Run] {
    let tally = repair.tally
    var runs: [Run] = []
    if let first = tally.first?.time, let last = tally.last?.time {
      let time =
        verb == "have kept" && tally.count > 1
        ? "since \(TimeText.moment(first))" : TimeText.span(first, last)
      runs = [Run(text: time.uppercasedStart, isStrong: true), Run(text: ", browsers \(verb) ")]
    } else {
      runs = [Run(text: "Browsers \(verb) ")]
    }
    let host = place(host: repair.host, route: "")
    let target =
      switch repair.routes.count {
      case 1: place(host: repair.host, route: repair.routes[0])
      case 2:
        "\(host)\(DisplayText.visible(repair.routes[0], limit: 60)) and "
          + DisplayText.visible(repair.routes[1], limit: 60)
      default: "\(DisplayText.grouped(repair.routes.count)) routes of \(host)"
      }
    let method = tally.methods.count == 1 ? (tally.methods.first ?? "") + " " : ""
    runs += [
      Run(text: page(repair.origin), isStrong: true), Run(text: " from reading "),
      Run(text: target, isStrong: true), Run(text: ": "),
      Run(text: DisplayText.counted(tally.count, method + "call"), isStrong: true),
      Run(
        text:
          " of \(tally.clients.text) client\(tally.clients.count == 1 ? "" : "s")\(isProved ? " " : "")"
          + (isProved ? (tally.count == 1 ? "was blocked" : "were blocked") : "")),
    ]
    if repair.routeCalls >= tally.count {
      let share = DisplayText.percent(tally.count, of: repair.routeCalls)
      runs.append(Run(text: ", \(share) of \(DisplayText.grouped(repair.routeCalls)) calls there"))
    }
    runs.append(Run(text: isProved ? "." : ". The evidence does not prove it."))
    return runs
  }

  /// A page's origin for the middle of a sentence.
  static func page(_ origin: String) -> String {
    switch origin {
    case "null": "pages without an origin (null)"
    case "": "pages whose origin was not recorded"
    case OverflowGroup.name: "pages with few calls"
    default: DisplayText.visible(origin, limit: 80)
    }
  }

  /// Host and route as one reads them.
  static func place(host: String, route: String) -> String {
    if host == OverflowGroup.name { return "routes with few calls" }
    let name = host.isEmpty ? "(host not recorded)" : DisplayText.visible(host, limit: 80)
    return name + DisplayText.visible(route, limit: 120)
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
