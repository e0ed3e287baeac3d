internal import FetchCORS
internal import HTTPExchange

/// The time of an incident in words, as far as it can be told.
struct Stretch {
  /// `from 23:38:22 to 23:40:08 UTC on 24 November 2026`; `nil` where no time is known.
  private(set) var text: String?
  private(set) var isOver: Bool
  /// A few words that stand before the answer.
  private(set) var state: String
  /// What is to be known of beginning and end.
  private(set) var note: String?

  init(_ incident: Incident) {
    let course = incident.course
    isOver = course.map { $0.end != nil } ?? (incident.recovery.firstGood != nil)
    state =
      isOver ? "Calls were blocked; it is over" : "Calls are blocked; the evidence shows no end"
    guard let first = incident.tally.first?.time, let last = incident.tally.last?.time else {
      return
    }
    if isOver, let good = incident.reach?.goodAfter, good > 0 {
      state =
        "Calls were blocked; none since \(TimeText.clock(last)), and "
        + "\(DisplayText.counted(good, "good call")) after that"
    }
    if incident.tally.count == 1 {
      text = TimeText.span(first, last)
      return
    }
    let onset = course?.onset ?? first
    switch course?.shape {
    case .began, nil:
      text = isOver ? TimeText.span(onset, last) : "since \(TimeText.moment(onset))"
    case .fromStart:
      text =
        isOver
        ? "at least \(TimeText.span(onset, last))" : "at least since \(TimeText.moment(onset))"
      note =
        "Calls were blocked from the first one in the evidence on; when it began, earlier evidence "
        + "would tell."
    case .appeared:
      text = isOver ? TimeText.span(onset, last) : "since \(TimeText.moment(onset))"
      note =
        "It was blocked from its first call on, and other calls to the host are older: a page, a route "
        + "or a kind of call that is new."
    case .throughout:
      text = TimeText.span(first, last)
      isOver = true
      state = "Some calls are blocked among others that pass"
      note =
        "Blocked calls lie among others that passed; no moment was found at which that changed."
    case .recurring:
      let period =
        course?.period == Course.day
        ? "day" : course?.period == 7 * Course.day ? "week" : "so often"
      text = "every \(period), \(TimeText.span(onset, last))"
      isOver = true
      state = "Calls are blocked again and again"
      note = "It comes back every \(period)."
    }
  }
}
