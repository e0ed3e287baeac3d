internal import FetchCORS
internal import HTTPExchange

/// How the first bad exchange differs from the last good one, line by line.
struct HeaderDifference: Hashable {
  /// What became of a line.
  enum Change: String, Hashable {
    case same, changed, lost, added, unrecorded
  }

  struct Line: Hashable {
    var name: String
    var good: String
    var bad: String
    var change: Change
  }

  /// Lines of one part that are shown; the rest is counted.
  static let maximumLines = 24

  var part: String
  var lines: [Line]
  var omitted: Int

  /// The parts of two calls that tell why one failed: the failing exchange's request and response.
  static func between(good: Call, bad: Call) -> [HeaderDifference] {
    let role: CallExchange.Role =
      bad.phase == .preflight || bad.request == nil ? .preflight : .request
    guard let badExchange = role == .preflight ? bad.preflight : bad.request else { return [] }
    guard let goodExchange = role == .preflight ? good.preflight : good.request else {
      return role == .preflight ? withoutPreflight(good: good, bad: bad) : []
    }
    let name = role == .preflight ? "preflight" : "request"
    return [
      HeaderDifference(
        part: "Answer to the \(name)", good: goodExchange.response, bad: badExchange.response,
        first: Line("status", goodExchange.status, badExchange.status)),
      HeaderDifference(
        part: role == .preflight ? "Preflight as sent" : "Request as sent",
        good: goodExchange.request, bad: badExchange.request,
        first: Line(
          name: "method", good: DisplayText.visible(goodExchange.method, limit: 40),
          bad: DisplayText.visible(badExchange.method, limit: 40),
          change: goodExchange.method == badExchange.method ? .same : .changed)),
    ]
  }

  /// The failing preflight beside a good call that sent none: that there is one is the difference.
  private static func withoutPreflight(good: Call, bad: Call) -> [HeaderDifference] {
    var differences = alone(bad)
    guard differences.count == 2 else { return differences }
    let why = good.kind == .cached ? "none was sent, an earlier one was cached" : "none was needed"
    differences[1].lines.insert(
      Line(name: "preflight", good: why, bad: "sent", change: .added), at: 0)
    return differences
  }

  /// The failing exchange by itself, where no good one was seen.
  static func alone(_ bad: Call) -> [HeaderDifference] {
    between(good: bad, bad: bad).map { difference in
      var difference = difference
      difference.lines = difference.lines.map {
        Line(name: $0.name, good: "", bad: $0.bad, change: .same)
      }
      return difference
    }
  }

  private init(part: String, good: MessageEvidence, bad: MessageEvidence, first: Line) {
    self.part = part
    var lines = [first]
    var seen: Set<HeaderName> = []
    for field in bad.fields + good.fields where seen.insert(field.name).inserted {
      // A date or an identifier of one message tells nothing about two.
      if Self.isNoise(field.name) { continue }
      let badText = Self.text(bad, field.name)
      let goodText = Self.text(good, field.name)
      let change: Change =
        switch (goodText, badText) {
        case (.unrecorded, _), (_, .unrecorded): .unrecorded
        case (.absent, _): .added
        case (_, .absent): .lost
        default: goodText == badText ? .same : .changed
        }
      lines.append(
        Line(
          name: DisplayText.visible(field.name.description, limit: 60), good: goodText.shown,
          bad: badText.shown, change: change))
    }
    // What differs comes first, CORS headers before others, then by name.
    lines[1...].sort { left, right in
      let ranks = (Self.rank(left), Self.rank(right))
      return ranks.0 != ranks.1 ? ranks.0 < ranks.1 : left.name < right.name
    }
    omitted = max(0, lines.count - Self.maximumLines)
    self.lines = Array(lines.prefix(Self.maximumLines))
  }

  private static func rank(_ line: Line) -> Int {
    let isCORS =
      line.name.hasPrefix("access-control-") || line.name == "vary" || line.name == "origin"
    switch line.change {
    case .changed, .lost, .added: return isCORS ? 0 : 1
    case .unrecorded: return isCORS ? 2 : 4
    case .same: return isCORS ? 3 : 5
    }
  }

  private static let noise: Set<HeaderName> = [
    .xRequestID, .xCorrelationID, HeaderName("x-amzn-requestid"), .xAmzRequestID,
    HeaderName("x-amz-cf-id"), .cfRay, .contentLength, HeaderName("x-envoy-upstream-service-time"),
    HeaderName("x-kong-response-latency"), HeaderName("date"), HeaderName("etag"), .xForwardedFor,
    HeaderName("priority"),
  ]

  private static func isNoise(_ name: HeaderName) -> Bool { noise.contains(name) }

  private enum Text: Equatable {
    case unrecorded, absent
    case value(String)

    var shown: String {
      switch self {
      case .unrecorded: "not recorded"
      case .absent: "absent"
      case .value(let text): text
      }
    }
  }

  private static func text(_ message: MessageEvidence, _ name: HeaderName) -> Text {
    switch message.evidence(of: name) {
    case .unrecorded: .unrecorded
    case .absent: .absent
    case .recorded(let lines, _):
      .value(
        lines.prefix(3).map { $0.map { DisplayText.visible($0, limit: 160) } ?? "(present)" }
          .joined(separator: " | ") + (lines.count > 3 ? " | …" : ""))
    }
  }
}

extension HeaderDifference.Line {
  fileprivate init(_ name: String, _ good: Int?, _ bad: Int?) {
    self.init(
      name: name, good: good.map { String($0) } ?? "no answer",
      bad: bad.map { String($0) } ?? "no answer", change: good == bad ? .same : .changed)
  }
}
