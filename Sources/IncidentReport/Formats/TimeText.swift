internal import HTTPExchange

/// Times as one says them in a sentence, to the second and in UTC.
enum TimeText {
  /// `23:38:22`.
  static func clock(_ time: EventTime) -> String {
    String(time.rfc3339(.second).dropLast().suffix(8))
  }

  /// `24 November 2026`.
  static func day(_ time: EventTime, withYear: Bool = true) -> String {
    let parts = date(time)
    return "\(parts.day) \(months[parts.month - 1])" + (withYear ? " \(parts.year)" : "")
  }

  /// `24 Nov`.
  static func shortDay(_ time: EventTime) -> String {
    let parts = date(time)
    return "\(parts.day) \(months[parts.month - 1].prefix(3))"
  }

  /// `23:38:22 UTC on 24 November 2026`.
  static func moment(_ time: EventTime) -> String { "\(clock(time)) UTC on \(day(time))" }

  /// `from 23:38:22 to 23:40:08 UTC on 24 November 2026`; `at` when both are the same second.
  static func span(_ first: EventTime, _ last: EventTime) -> String {
    if clock(first) == clock(last), day(first) == day(last) { return "at \(moment(first))" }
    if day(first) == day(last) { return "from \(clock(first)) to \(moment(last))" }
    let isOneYear = date(first).year == date(last).year
    return "from \(clock(first)) UTC on \(day(first, withYear: !isOneYear)) to \(moment(last))"
  }

  /// `24 November 2026, 23:35:54 to 23:42:09 UTC`.
  static func period(_ first: EventTime, _ last: EventTime) -> String {
    day(first) == day(last)
      ? "\(day(first)), \(clock(first)) to \(clock(last)) UTC"
      : "\(day(first)), \(clock(first)) to \(day(last)), \(clock(last)) UTC"
  }

  private static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
  ]

  private static func date(_ time: EventTime) -> (year: Int, month: Int, day: Int) {
    let daySeconds: Int64 = 86_400 * 1_000_000_000
    let quotient = time.nanoseconds / daySeconds
    return EventTime.date(days: time.nanoseconds % daySeconds < 0 ? quotient - 1 : quotient)
  }

  /// `12 s later`; `nil` for less than a second, or a time that is not later.
  static func gap(from start: EventTime, to end: EventTime) -> String? {
    let (nanoseconds, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
    let seconds = nanoseconds / 1_000_000_000
    guard !overflow, seconds > 0 else { return nil }
    switch seconds {
    case ..<120: return "\(seconds) s later"
    case ..<7200: return "\(seconds / 60) min later"
    case ..<172_800: return "\(seconds / 3600) h later"
    default: return "\(DisplayText.grouped(UInt64(seconds / 86_400))) days later"
    }
  }
}
