internal import FetchCORS
internal import HTTPExchange

/// What makes blocked calls of one page and route the same incident.
struct IncidentKey: Hashable {
  var origin: String
  var host: String
  var route: String
  var phase: Phase
  var reason: BlockedReason
  var cause: String
  /// The header or method that is refused, in lower case, where the cause is about one.
  var parameter: String?

  /// Ten hexadecimal digits that are the same in every run, the first of them a letter: a spreadsheet
  /// would take `1234567890` or `12345e6789` for numbers.
  var id: String {
    let parts = [origin, host, route, phase.rawValue, reason.rawValue, cause, parameter ?? ""]
    // The lengths keep two keys apart whose parts only join to the same text.
    let text = parts.map { "\($0.utf8.count):\($0)" }.joined()
    let digest = Redaction.digest(text.utf8).prefix(10)
    let first = digest.first?.hexDigitValue ?? 0
    return String(Array("abcdef")[first % 6]) + digest.dropFirst()
  }
}

/// A blocked call with which an incident may have begun, and the last good one before it.
struct Onset: Hashable {
  var moment: Moment
  var firstBad: Call
  /// The last allowed call of the same origin, host and route before it, of the same method where
  /// there is one.
  var lastGood: Call?
  var explanation: CauseExplanation
  /// How many more blocked calls than good ones followed it.
  var strength = 0.0
}

/// The last blocked call with the first good one after it.
struct Recovery: Hashable {
  var moment: Moment
  var firstGood: Call?
}

/// Whom an incident reached.
struct BlastRadius: Hashable {
  /// Pages, as origins, by blocked calls.
  var origins = NamedCounts()
  /// Routes of the incident's host by blocked calls: `/users/{id}`.
  var routes = NamedCounts()
  /// Codes of the steps that failed, by blocked calls: preflights and actual responses may both.
  var reasons = NamedCounts()

  mutating func merge(_ other: BlastRadius) {
    origins.merge(other.origins)
    routes.merge(other.routes)
    reasons.merge(other.reasons)
  }
}

/// A set of blocked calls that one change would repair.
///
/// ``merge(_:)`` is associative and commutative, so that results of shards and of periods add up in
/// any order; ``settle(host:)`` comes after the last of them.
struct Incident: Hashable {
  /// Of several pages and routes the ones with which it began; see ``blast`` for all.
  private(set) var key: IncidentKey
  private(set) var tally: Tally
  /// Calls of every verdict of the same origins, host and routes.
  private(set) var routeCalls: UInt64
  private(set) var certainty: Certainty
  /// The first blocked call; after ``settle(host:)`` the one with which the incident began.
  private(set) var onset: Onset
  /// The blocked call after which most were blocked and fewest passed.
  private(set) var peak: Onset
  private(set) var recovery: Recovery
  /// Pages and routes that it reached, with their blocked calls.
  private(set) var blast: BlastRadius
  /// Its blocked calls, and all calls of its routes that were judged, over time.
  private(set) var blockedSeries: CallSeries
  private(set) var judgedSeries: CallSeries
  /// What the calls around it say; known after ``widen(_:)``.
  private(set) var reach: Reach?
  /// How it went; known after ``settle(host:)``.
  private(set) var course: Course?
  /// Whether the server meant to refuse these calls: a page that it does not know, or a scanner.
  ///
  /// Reports keep such calls apart from outages.
  var isRefusal: Bool { onset.explanation.isRefusal }

  init(
    key: IncidentKey, tally: Tally, routeCalls: UInt64, certainty: Certainty, onset: Onset,
    peak: Onset? = nil, recovery: Recovery, blockedSeries: CallSeries = CallSeries(),
    judgedSeries: CallSeries = CallSeries()
  ) {
    self.key = key
    self.tally = tally
    self.routeCalls = routeCalls
    self.certainty = certainty
    self.onset = onset
    self.peak = peak ?? onset
    self.recovery = recovery
    self.blockedSeries = blockedSeries
    self.judgedSeries = judgedSeries
    blast = BlastRadius()
    blast.origins.add(key.origin, tally.count)
    blast.routes.add(key.route, tally.count)
    blast.reasons.add(key.reason.code(in: key.phase), tally.count)
  }

  /// Adds the calls of another part of the same incident.
  mutating func merge(_ other: Incident) {
    tally.merge(other.tally)
    routeCalls &+= other.routeCalls
    // What one part only suggests is not proved by the other.
    certainty = max(certainty, other.certainty)
    if Self.isEarlier(other, self) {
      onset = other.onset
      key = other.key
    }
    if (other.peak.strength, peak.moment) > (peak.strength, other.peak.moment) { peak = other.peak }
    if other.recovery.moment > recovery.moment { recovery = other.recovery }
    blast.merge(other.blast)
    blockedSeries.merge(other.blockedSeries)
    judgedSeries.merge(other.judgedSeries)
  }

  private static func isEarlier(_ left: Incident, _ right: Incident) -> Bool {
    left.onset.moment != right.onset.moment
      ? left.onset.moment < right.onset.moment : left.key.id < right.key.id
  }

  /// Finds the course, and the blocked call with which it began.
  ///
  /// - Parameter host: all calls to the incident's host that were judged.
  mutating func settle(host: CallSeries) {
    var course = Course(blocked: blockedSeries, calls: judgedSeries)
    if let begin = course.onset {
      // The first call is the one, unless there were a few before that changed nothing.
      let step = EventTime(seconds: course.resolution).nanoseconds
      let earliest = begin.nanoseconds &- step
      if onset.moment.time.nanoseconds < earliest, peak.moment > onset.moment,
        peak.moment.time.nanoseconds >= earliest
      {
        onset = peak
      }
      let known = onset.moment.time.nanoseconds
      if known >= earliest, known &- begin.nanoseconds <= 2 &* step {
        course.onset = onset.moment.time
      }
    }
    course.appear(blocked: blockedSeries, host: host, first: onset.moment.time)
    self.course = course
  }

  /// Counts over all pages and routes of the incident, and lets its fix allow what they need.
  mutating func widen(_ reach: Reach) {
    self.reach = reach
    routeCalls = reach.calls
    onset.explanation.plan?.values.widen(reach)
    onset.explanation.evidence.insert(
      contentsOf: reach.evidence(blocked: tally.count), at: 0)
    if blast.origins.only == nil, key.cause == "cached-for-other-origin" {
      onset.explanation.sentence =
        "A cache gave pages copies that it had made for other requests. The first time, "
        + onset.explanation.sentence.lowercasedStart
    }
  }

  /// Most calls first, then the earlier one, then by identifier.
  static func ranks(_ left: Incident, before right: Incident) -> Bool {
    if left.tally.count != right.tally.count { return left.tally.count > right.tally.count }
    if left.onset.moment != right.onset.moment { return left.onset.moment < right.onset.moment }
    return left.key.id < right.key.id
  }

  /// The page for the middle of a sentence: its origin, or how many there are.
  var pageText: String { pageText(limit: 80) }

  /// The same with a name of at most that many characters.
  func pageText(limit: Int) -> String {
    if let only = blast.origins.only { return Answer.page(only, limit: limit) }
    return blast.origins.distinct.text + " pages"
  }

  /// Host and route as one reads them; of several routes how many there are.
  var placeText: String { placeText(limits: (80, 120)) }

  /// The same with a host and a route of at most that many characters.
  func placeText(limits: (Int, Int)) -> String {
    if let only = blast.routes.only {
      return Answer.place(host: key.host, route: only, limits: limits)
    }
    return Answer.place(host: key.host, route: "", limits: limits)
      + " (\(blast.routes.distinct.text) routes)"
  }
}

extension Incident {
  /// What incidents of different pages and routes share that one change would repair.
  private struct Repair: Hashable {
    var origin: String?
    var host: String
    var cause: String
    var parameter: String?
  }

  /// The time in which nothing is known to have passed: from the last good call before an incident to
  /// the first good one after it.
  private var span: (start: Int64, end: Int64) {
    (
      onset.lastGood?.time.nanoseconds ?? .min, recovery.firstGood?.time.nanoseconds ?? .max
    )
  }

  /// Puts incidents together that one change would repair.
  ///
  /// That is the same cause on the same host at the same time. Of causes that lie in one page's origin
  /// every page stays by itself. The result depends on the incidents alone, not on their order.
  static func united(_ incidents: [Incident]) -> [(incident: Incident, parts: [IncidentKey])] {
    var groups: [Repair: [Incident]] = [:]
    for incident in incidents {
      let key = incident.key
      let repair = Repair(
        origin: incident.onset.explanation.isOfOnePage ? key.origin : nil, host: key.host,
        cause: key.cause, parameter: key.parameter)
      groups[repair, default: []].append(incident)
    }
    var result: [(incident: Incident, parts: [IncidentKey])] = []
    for group in groups.values {
      let ordered = group.sorted { left, right in
        left.span.start != right.span.start
          ? left.span.start < right.span.start : left.key.id < right.key.id
      }
      var end = Int64.min
      var isFirst = true
      for incident in ordered {
        if !isFirst, incident.span.start <= end {
          result[result.count - 1].incident.merge(incident)
          result[result.count - 1].parts.append(incident.key)
        } else {
          result.append((incident, [incident.key]))
          end = .min
        }
        isFirst = false
        end = max(end, incident.span.end)
      }
    }
    return result
  }
}
