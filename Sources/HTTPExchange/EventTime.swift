/// An instant, in nanoseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
public struct EventTime: Hashable, Comparable, Sendable {
  /// Nanoseconds since the epoch; reaches from the year 1677 to 2262.
  public var nanoseconds: Int64

  /// An instant `nanoseconds` after the epoch.
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// An instant from whole seconds and nanoseconds; saturates instead of overflowing.
  public init(seconds: Int64, nanoseconds: Int64 = 0) {
    // Both parts of one sign, so that the product overflows only where the sum does.
    let borrows = seconds < 0 && nanoseconds > 0
    let whole = borrows ? seconds + 1 : seconds
    let rest = borrows ? nanoseconds - 1_000_000_000 : nanoseconds
    let (scaled, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carried) = scaled.addingReportingOverflow(rest)
    self.nanoseconds = overflow || carried ? (seconds < 0 ? .min : .max) : sum
  }

  /// Whether the left instant is the earlier one.
  public static func < (left: Self, right: Self) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  /// The instant `nanoseconds` later (earlier when negative); saturates.
  public func advanced(by nanoseconds: Int64) -> EventTime {
    let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
    return EventTime(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
  }

  /// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
  ///
  /// - Parameters:
  ///   - month: 1 to 12.
  ///   - day: 1 to 31.
  public static func days(year: Int, month: Int, day: Int) -> Int64 {
    // The year is taken to begin in March, so that the leap day is its last.
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return Int64(era) * 146_097 + Int64(dayOfEra) - 719_468
  }

  /// 28 to 31.
  private static func lengthOfMonth(_ month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Year, month and day of a number of days since 1970-01-01.
  public static func date(days: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
    return (Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month, day)
  }
}

/// How finely a source tells time.
public struct TimeResolution: Hashable, Sendable {
  /// The smallest step of the source's clock in nanoseconds, 1 to 1 000 000 000.
  public var nanoseconds: Int64

  /// A resolution of so many nanoseconds.
  public init(nanoseconds: Int64) {
    self.nanoseconds = max(1, min(nanoseconds, 1_000_000_000))
  }

  /// One second, as in most text logs.
  public static let second = TimeResolution(nanoseconds: 1_000_000_000)
  /// One millisecond.
  public static let millisecond = TimeResolution(nanoseconds: 1_000_000)
  /// One microsecond, as in most captures.
  public static let microsecond = TimeResolution(nanoseconds: 1000)
  /// One nanosecond.
  public static let nanosecond = TimeResolution(nanoseconds: 1)

  /// Digits of a second's fraction that carry information, 0 to 9.
  public var fractionDigits: Int {
    var digits = 0
    var step: Int64 = 1_000_000_000
    while step > nanoseconds, digits < 9 {
      step /= 10
      digits += 1
    }
    return digits
  }
}

extension EventTime {
  /// RFC 3339 in UTC with as many digits as the resolution carries: `2026-11-23T18:54:34.930Z`.
  public func rfc3339(_ resolution: TimeResolution) -> String {
    var seconds = nanoseconds / 1_000_000_000
    var fraction = nanoseconds % 1_000_000_000
    if fraction < 0 {
      fraction += 1_000_000_000
      seconds -= 1
    }
    var days = seconds / 86400
    var secondOfDay = seconds % 86400
    if secondOfDay < 0 {
      secondOfDay += 86400
      days -= 1
    }
    let (year, month, day) = Self.date(days: days)
    let digits = resolution.fractionDigits
    // The longest time has fewer than 32 characters, and those up to `end` are written.
    return unsafe String(unsafeUninitializedCapacity: 32) { buffer in
      var end = 0
      func put(_ value: Int64, _ width: Int) {
        var rest = value
        for index in stride(from: end + width - 1, through: end, by: -1) {
          unsafe buffer[index] = UInt8(48 + rest % 10)
          rest /= 10
        }
        end += width
      }
      func put(_ character: Unicode.Scalar) {
        unsafe buffer[end] = UInt8(ascii: character)
        end += 1
      }
      put(Int64(year), 4)
      put("-")
      put(Int64(month), 2)
      put("-")
      put(Int64(day), 2)
      put("T")
      put(secondOfDay / 3600, 2)
      put(":")
      put(secondOfDay / 60 % 60, 2)
      put(":")
      put(secondOfDay % 60, 2)
      if digits > 0 {
        put(".")
        var scaled = fraction
        for _ in digits..<9 { scaled /= 10 }
        put(scaled, digits)
      }
      put("Z")
      return end
    }
  }

  /// Reads RFC 3339, with any offset and up to nine digits of fraction.
  ///
  /// - Returns: `nil` when the text is no date and time of that form.
  public init?(rfc3339 text: some StringProtocol) {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[range] {
        guard byte >= 48, byte <= 57 else { return nil }
        value = value * 10 + Int(byte - 48)
      }
      return value
    }
    guard bytes.count >= 20,
      let year = number(0..<4), bytes[4] == UInt8(ascii: "-"),
      let month = number(5..<7), (1...12).contains(month), bytes[7] == UInt8(ascii: "-"),
      let day = number(8..<10), day >= 1, day <= Self.lengthOfMonth(month, year: year),
      bytes[10] == UInt8(ascii: "T") || bytes[10] == UInt8(ascii: "t")
        || bytes[10] == UInt8(ascii: " "),
      let hour = number(11..<13), hour < 24, bytes[13] == UInt8(ascii: ":"),
      let minute = number(14..<16), minute < 60, bytes[16] == UInt8(ascii: ":"),
      let second = number(17..<19), second <= 60
    else { return nil }
    var index = 19
    var fraction: Int64 = 0
    if bytes[index] == UInt8(ascii: ".") || bytes[index] == UInt8(ascii: ",") {
      index += 1
      var scale: Int64 = 100_000_000
      let first = index
      while index < bytes.count, bytes[index] >= 48, bytes[index] <= 57 {
        fraction += Int64(bytes[index] - 48) * scale
        scale /= 10
        index += 1
      }
      guard index > first else { return nil }
    }
    guard index < bytes.count else { return nil }
    var offset: Int64 = 0
    switch bytes[index] {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"):
      index += 1
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      let sign: Int64 = bytes[index] == UInt8(ascii: "-") ? -1 : 1
      guard let hours = number(index + 1..<index + 3), hours < 24 else { return nil }
      let colon = index + 3 < bytes.count && bytes[index + 3] == UInt8(ascii: ":") ? 1 : 0
      guard let minutes = number(index + 3 + colon..<index + 5 + colon), minutes < 60 else {
        return nil
      }
      offset = sign * Int64(hours * 3600 + minutes * 60)
      index += 5 + colon
    default:
      return nil
    }
    guard index == bytes.count else { return nil }
    let days = Self.days(year: year, month: month, day: day)
    let seconds = days * 86400 + Int64(hour * 3600 + minute * 60 + second) - offset
    self.init(seconds: seconds, nanoseconds: fraction)
  }
}
