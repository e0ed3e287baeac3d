internal import FetchCORS
internal import HTTPExchange

/// The answer in two sentences: what broke, since when, for whom; and what to change.
struct Answer: Hashable {
  var what: String
  var change: String

  init(_ content: ReportContent) {
    let totals = content.totals
    if let incident = content.incidents.first {
      what = Self.sentence(of: incident, in: content)
      let explanation = incident.onset.explanation
      change =
        explanation.title + ": " + explanation.fix.prefix(1).lowercased()
        + explanation.fix.dropFirst()
    } else if totals.likelyBlocked > 0, let group = content.likely.first(where: Self.isBlocked) {
      what =
        "No call is proved to be blocked, but "
        + "\(DisplayText.counted(totals.likelyBlocked, "call")) probably "
        + (totals.likelyBlocked == 1 ? "was" : "were") + ", most of them from "
        + "\(Self.page(group.origin)) to \(Self.place(host: group.host, route: group.route))."
      change =
        "What speaks for it: \(Self.reason(group.likely)); record "
        + "\(Self.advice(group.missing)) to be sure."
    } else if totals.calls == 0, let closed = Self.closed(content) {
      what = "Nothing can be judged: \(closed)."
      change =
        "Give the keys with --tls-keys (browsers and servers write them where SSLKEYLOGFILE says), "
        + "or read the server's access log instead."
    } else if totals.calls == 0 {
      what = "There is no cross-origin call in what was read, so there is nothing to judge."
      change =
        totals.notCORS > 0
        ? "\(DisplayText.counted(totals.notCORS, "exchange")) of other kinds were counted."
        : "Check that the files hold the traffic that you mean."
    } else if totals.allowed == 0 {
      what =
        "Nothing can be said of \(DisplayText.counted(totals.calls, "cross-origin call")): the "
        + "evidence does not hold what a verdict needs."
      change = "Below stands what was missing, and what to record in order to know."
    } else {
      what =
        "No call was blocked: of \(DisplayText.counted(totals.calls, "cross-origin call")), "
        + "\(DisplayText.grouped(totals.allowed)) could be read by the page."
      change =
        totals.undetermined > 0
        ? "Of \(DisplayText.grouped(totals.undetermined)) the evidence does not tell; below stands "
          + "what was missing."
        : "Nothing needs to change."
    }
    if content.incidents.isEmpty, totals.calls > 0, let closed = Self.closed(content) {
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

  static func isBlocked(_ group: LikelyGroup) -> Bool { Likely.isBlocked(group.likely) }

  private static func sentence(of incident: Incident, in content: ReportContent) -> String {
    let tally = incident.tally
    let method = tally.methods.count == 1 ? (tally.methods.first ?? "") + " " : ""
    let count = DisplayText.counted(tally.count, method + "call")
    var text = ""
    if let first = tally.first {
      let time = DisplayText.time(first)
      text = incident.recovery.firstGood == nil ? "Since \(time), " : "From \(time) on, "
    }
    text +=
      "browsers kept \(page(incident.key.origin)) from reading "
      + "\(place(host: incident.key.host, route: incident.key.route)): \(count) of "
      + "\(tally.clients.text) client\(tally.clients.count == 1 ? "" : "s")"
    if incident.routeCalls > 0 {
      text += ", \(DisplayText.percent(tally.count, of: incident.routeCalls)) of its calls there"
    }
    if let last = tally.last, incident.recovery.firstGood != nil {
      text += ", the last at \(DisplayText.time(last))"
    }
    let further = content.incidents.count - 1
    if further > 0 {
      text +=
        "; \(DisplayText.counted(UInt64(further), "further incident")) "
        + (further == 1 ? "follows" : "follow")
    }
    return text + "."
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

  private static func advice(_ missing: [String]) -> String {
    missing.isEmpty
      ? "more" : missing.map { MissingEvidence.advice($0).meaning }.joined(separator: ", ")
  }
}
