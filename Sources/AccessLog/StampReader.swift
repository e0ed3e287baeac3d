internal import Bytes
internal import HTTPExchange

/// Reads time stamps from raw bytes.
///
/// Neighbouring lines mostly carry the same second, so the last stamp is kept with its text.
struct StampReader {
  /// An instant in nanoseconds since the epoch and the step of its clock; `resolution` is 0 when
  /// the text is no time stamp.
  struct Reading {
    var nanoseconds: Int64
    var resolution: Int64

    static let none = Reading(nanoseconds: 0, resolution: 0)
  }

  /// Seconds east of UTC for stamps without a zone.
  private let secondsFromUTC: Int64
  private var cachedText: Words = (0, 0, 0, 0)
  private var cachedCount = 0
  private var cached = Reading.none
  /// The last instant that a time of day told, in seconds since the epoch, and the one before the
  /// first of them.
  private var timeOfDay: (after: Int64, last: Int64)?

  init(secondsFromUTC: Int) {
    self.secondsFromUTC = Int64(secondsFromUTC)
  }

  /// Reads the stamp between two places of a line.
  mutating func read(_ base: ByteView, _ start: Int, _ end: Int, _ form: StampForm)
    -> Reading
  {
    switch form {
    case .epoch(let unit): return Self.epoch(base, start, end, unit: unit)
    case .dateAndTime: return dateAndTime(base, start, end)
    // The same text was another instant before the directive that named the zone.
    case .isoOf(let seconds):
      var cursor = Cursor(base: base, index: start, end: end)
      return StampReader(secondsFromUTC: Int(seconds)).iso(&cursor)
    case .timeOfDay(let after, let offset):
      return timeOfDay(base, start, end, after: after, offset: offset)
    default: break
    }
    let count = end &- start
    guard count > 0, count <= 64 else { return .none }
    let text = base.part(start, end)
    if count == cachedCount, Self.words(of: text) == cachedText { return cached }
    var cursor = Cursor(base: base, index: start, end: end)
    let reading: Reading
    switch form {
    case .clf: reading = clf(&cursor)
    case .iso: reading = iso(&cursor)
    case .isoUTC: reading = StampReader(secondsFromUTC: 0).iso(&cursor)
    case .items(let items): reading = Self.items(items, &cursor, secondsFromUTC)
    case .any, .epoch, .isoOf, .dateAndTime, .timeOfDay: reading = any(cursor)
    }
    if (8...32).contains(count), reading.resolution > 0 {
      cachedCount = count
      cached = reading
      cachedText = Self.words(of: text)
    }
    return reading
  }

  /// The instant of a whole second whose zone is not written.
  func local(seconds: Int64) -> Reading {
    Reading(
      nanoseconds: EventTime(seconds: seconds - secondsFromUTC).nanoseconds,
      resolution: 1_000_000_000)
  }

  /// `2026-11-23`, anything, `18:54:34`.
  private func dateAndTime(
    _ base: ByteView, _ start: Int, _ end: Int
  ) -> Reading {
    var date = Cursor(base: base, index: start, end: end)
    var time = Cursor(base: base, index: max(start, end &- 8), end: end)
    guard let year = date.number(4), date.take("-"), let month = date.number(2), date.take("-"),
      let day = date.number(2), let hour = time.number(2), time.take(":"),
      let minute = time.number(2), time.take(":"), let second = time.number(2), time.index == end,
      end &- start >= 18
    else { return .none }
    return Self.instant(year, month, day, hour, minute, second, 0, (0, 1_000_000_000))
  }

  /// `18:54:34` of the day that an earlier line told, or of one behind it: a log of a time of day
  /// alone goes on over midnight.
  private mutating func timeOfDay(
    _ base: ByteView, _ start: Int, _ end: Int, after: Int64, offset: Int64
  ) -> Reading {
    var cursor = Cursor(base: base, index: start, end: end)
    guard let hour = cursor.number(2), cursor.take(":"), let minute = cursor.number(2),
      cursor.take(":"), let second = cursor.number(2), hour < 24, minute < 60, second <= 60
    else { return .none }
    let fraction = cursor.fraction()
    guard cursor.index == end else { return .none }
    let last = timeOfDay?.after == after ? timeOfDay?.last ?? after : after
    let sinceMidnight = Int64(hour &* 3600 &+ minute &* 60 &+ second)
    let lastSinceMidnight = ((last % 86400) + 86400) % 86400
    var seconds = last - lastSinceMidnight + sinceMidnight
    // Lines are written within the hour of each other's end; half a day back is tomorrow.
    if sinceMidnight < lastSinceMidnight - 43200 { seconds += 86400 }
    if sinceMidnight > lastSinceMidnight + 82800 { seconds -= 86400 }
    guard abs(seconds) < 9_223_000_000 else { return .none }
    timeOfDay = (after, max(last, seconds))
    let time = EventTime(seconds: seconds - offset, nanoseconds: fraction.nanoseconds)
    return Reading(nanoseconds: time.nanoseconds, resolution: fraction.resolution)
  }

  /// The instant that `#Date:` tells, in seconds since the epoch: an ISO date and time, or
  /// `12-Jan-1996 00:00:00` as the draft of the format has it.
  static func directive(_ text: String) -> Int64? {
    var bytes = Array(text.utf8)
    while let last = bytes.last, last == 0x20 || last == 0x09 || last == 0x0D { bytes.removeLast() }
    return bytes.withByteView { base in
      let reader = StampReader(secondsFromUTC: 0)
      var cursor = Cursor(base: base, index: 0, end: base.count)
      var reading = reader.iso(&cursor)
      if reading.resolution == 0 {
        cursor.index = 0
        guard let day = cursor.number(2) ?? cursor.number(1), cursor.take("-"),
          let month = cursor.monthName(), cursor.take("-"), let year = cursor.number(4),
          cursor.takeBlanks(), let hour = cursor.number(2), cursor.take(":"),
          let minute = cursor.number(2), cursor.take(":"), let second = cursor.number(2)
        else { return nil }
        reading = instant(year, month, day, hour, minute, second, 0, (0, 1_000_000_000))
      }
      guard reading.resolution > 0 else { return nil }
      return EventTime(nanoseconds: reading.nanoseconds).nanoseconds / 1_000_000_000
    }
  }

  /// Seconds east of UTC: `+0530`, `-08:00`, `Z`; `nil` for anything else.
  static func zone(_ text: String) -> Int64? {
    let bytes = Array(text.utf8)
    return bytes.withByteView { base in
      var cursor = Cursor(base: base, index: 0, end: base.count)
      let seconds = cursor.zone()
      return cursor.index == base.count ? seconds : nil
    }
  }

  /// Eight bytes each, which together are all of a text of 8 to 32 bytes.
  private typealias Words = (UInt64, UInt64, UInt64, UInt64)

  private static func words(of text: ByteView) -> Words {
    let last = text.count &- 8
    return (
      text.little64(0), text.little64(min(8, last)), text.little64(min(16, last)),
      text.little64(last)
    )
  }

  private func any(_ start: Cursor) -> Reading {
    var cursor = start
    if cursor.peek == UInt8(ascii: "[") {
      guard cursor.end > cursor.index, cursor.base[cursor.end - 1] == UInt8(ascii: "]") else {
        return .none
      }
      cursor.index += 1
      cursor.end -= 1
    }
    var digits = 0
    while cursor.index + digits < cursor.end, Cursor.isDigit(cursor.base[cursor.index + digits]) {
      digits += 1
    }
    let after = cursor.index + digits < cursor.end ? cursor.base[cursor.index + digits] : 0
    switch (digits, after) {
    case (2, UInt8(ascii: "/")): return clf(&cursor)
    case (4, UInt8(ascii: "-")), (4, UInt8(ascii: "/")): return iso(&cursor)
    // Ten digits are seconds from 2001 to 2286; every three more a thousandth.
    case (10, 0), (10, UInt8(ascii: ".")):
      return Self.epoch(cursor.base, cursor.index, cursor.end, unit: 1_000_000_000)
    case (13, 0), (13, UInt8(ascii: ".")):
      return Self.epoch(cursor.base, cursor.index, cursor.end, unit: 1_000_000)
    case (16, 0): return Self.epoch(cursor.base, cursor.index, cursor.end, unit: 1000)
    case (19, 0): return Self.epoch(cursor.base, cursor.index, cursor.end, unit: 1)
    default: return .none
    }
  }

  /// `23/Nov/2026:18:54:34 +0000`, with a fraction where a server writes one.
  private func clf(_ cursor: inout Cursor) -> Reading {
    guard let day = cursor.number(2), cursor.take("/"), let month = cursor.monthName(),
      cursor.take("/"), let year = cursor.number(4), cursor.take(":"),
      let hour = cursor.number(2), cursor.take(":"), let minute = cursor.number(2),
      cursor.take(":"), let second = cursor.number(2)
    else { return .none }
    let fraction = cursor.fraction()
    _ = cursor.take(" ")
    return instant(&cursor, year, month, day, hour, minute, second, fraction)
  }

  private func iso(_ cursor: inout Cursor) -> Reading {
    // Go's console writes slashes, and columns of date and time are parted by a blank or a tab.
    guard let year = cursor.number(4), cursor.take("-") || cursor.take("/"),
      let month = cursor.number(2), cursor.take("-") || cursor.take("/"),
      let day = cursor.number(2), cursor.take("T") || cursor.takeBlanks(),
      let hour = cursor.number(2), cursor.take(":"), let minute = cursor.number(2),
      cursor.take(":"), let second = cursor.number(2)
    else { return .none }
    return instant(&cursor, year, month, day, hour, minute, second, cursor.fraction())
  }

  private func instant(
    _ cursor: inout Cursor, _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int,
    _ second: Int, _ fraction: (nanoseconds: Int64, resolution: Int64)
  ) -> Reading {
    let offset = cursor.index == cursor.end ? secondsFromUTC : cursor.zone()
    guard let offset, cursor.index == cursor.end else { return .none }
    return Self.instant(year, month, day, hour, minute, second, offset, fraction)
  }

  private static func instant(
    _ year: Int, _ month: Int, _ day: Int, _ hour: Int, _ minute: Int, _ second: Int,
    _ offset: Int64, _ fraction: (nanoseconds: Int64, resolution: Int64)
  ) -> Reading {
    guard (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return .none }
    let seconds =
      EventTime.days(year: year, month: month, day: day) &* 86400
      &+ Int64(hour &* 3600 &+ minute &* 60 &+ second) &- offset
    // Beyond what an instant can hold stands no time of a log, as with numbers below.
    guard abs(seconds) < 9_223_372_036 else { return .none }
    let time = EventTime(seconds: seconds, nanoseconds: fraction.nanoseconds)
    return Reading(nanoseconds: time.nanoseconds, resolution: fraction.resolution)
  }

  /// A decimal number of units since the epoch.
  private static func epoch(
    _ base: ByteView, _ start: Int, _ end: Int, unit: Int64
  ) -> Reading {
    let (value, step) = decimal(base, start, end, unit: unit)
    return Reading(nanoseconds: value, resolution: step)
  }

  /// A duration: a number of units, or numbers with units of their own as Go writes them, `1m2.5s`.
  static func duration(
    _ base: ByteView, _ start: Int, _ end: Int, unit: Int64
  ) -> (nanoseconds: Int64, step: Int64) {
    guard end > start, base[end &- 1] == UInt8(ascii: "s") else {
      return decimal(base, start, end, unit: unit)
    }
    var total: Int64 = 0
    var step: Int64 = 0
    var index = start
    while index < end {
      let first = index
      while index < end, Cursor.isDigit(base[index]) || base[index] == UInt8(ascii: ".") {
        index &+= 1
      }
      let numberEnd = index
      while index < end, !Cursor.isDigit(base[index]) { index &+= 1 }
      let suffix = String(
        decoding: base.part(numberEnd, index),
        as: UTF8.self)
      let known: Int64? =
        switch suffix {
        case "ns": 1
        case "us", "µs", "μs", "\\u00b5s": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
      guard let known else { return (0, 0) }
      let part = decimal(base, first, numberEnd, unit: known)
      guard part.step > 0 else { return (0, 0) }
      let (sum, overflow) = total.addingReportingOverflow(part.nanoseconds)
      if overflow { return (0, 0) }
      total = sum
      step = part.step
    }
    return (total, step)
  }

  /// A decimal number of units as nanoseconds, and what its last digit counts; the step is 0 when
  /// the text is no such number.
  static func decimal(
    _ base: ByteView, _ start: Int, _ end: Int, unit: Int64
  ) -> (nanoseconds: Int64, step: Int64) {
    var index = start
    var whole: Int64 = 0
    // Nineteen digits may not fit; eighteen do.
    while index < end, index &- start < 18, Cursor.isDigit(base[index]) {
      whole = whole &* 10 &+ Int64(base[index] &- 48)
      index &+= 1
    }
    if index == start { return (0, 0) }
    if index < end, index &- start == 18, Cursor.isDigit(base[index]), unit == 1 {
      let (scaled, over) = whole.multipliedReportingOverflow(by: 10)
      let (sum, carried) = scaled.addingReportingOverflow(Int64(base[index] &- 48))
      if over || carried { return (0, 0) }
      whole = sum
      index &+= 1
    }
    var step = unit
    var fraction: Int64 = 0
    if index < end, base[index] == UInt8(ascii: ".") {
      index &+= 1
      let first = index
      while index < end, Cursor.isDigit(base[index]) {
        if step >= 10 {
          step /= 10
          fraction &+= Int64(base[index] &- 48) &* step
        }
        index &+= 1
      }
      if index == first { return (0, 0) }
    }
    guard index == end else { return (0, 0) }
    let (scaled, over) = whole.multipliedReportingOverflow(by: unit)
    let (sum, carried) = scaled.addingReportingOverflow(fraction)
    return over || carried ? (0, 0) : (sum, step)
  }

  private static func items(
    _ items: [StampItem], _ cursor: inout Cursor, _ secondsFromUTC: Int64
  ) -> Reading {
    var year = 1970
    var month = 1
    var day = 1
    var hour = 0
    var minute = 0
    var second = 0
    var offset = secondsFromUTC
    var fraction: (nanoseconds: Int64, resolution: Int64) = (0, 1_000_000_000)
    for item in items {
      let value: Int?
      switch item {
      case .literal(let byte):
        value = cursor.takeByte(byte) ? 0 : nil
      case .year:
        value = cursor.number(4)
        year = value ?? 0
      case .shortYear:
        value = cursor.number(2)
        // As strptime reads it: 69 to 99 are of the last century.
        year = (value ?? 0) + ((value ?? 0) < 69 ? 2000 : 1900)
      case .month:
        value = cursor.number(2)
        month = value ?? 0
      case .monthName:
        value = cursor.monthName()
        month = value ?? 0
      case .day:
        _ = cursor.take(" ")
        value = cursor.number(2) ?? cursor.number(1)
        day = value ?? 0
      case .hour:
        value = cursor.number(2)
        hour = value ?? 0
      case .minute:
        value = cursor.number(2)
        minute = value ?? 0
      case .second:
        value = cursor.number(2)
        second = value ?? 0
      case .zone:
        let zone = cursor.zone()
        value = zone == nil ? nil : 0
        offset = zone ?? 0
      case .fraction(let digits):
        value = cursor.number(digits)
        var step: Int64 = 1_000_000_000
        for _ in 0..<digits { step /= 10 }
        fraction = (Int64(value ?? 0) &* step, step)
      }
      if value == nil { return .none }
    }
    guard cursor.index == cursor.end else { return .none }
    return instant(year, month, day, hour, minute, second, offset, fraction)
  }
}

/// A place in the text of a time stamp.
private struct Cursor {
  let base: ByteView
  var index: Int
  var end: Int

  static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  var peek: UInt8 { index < end ? base[index] : 0 }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    takeByte(UInt8(ascii: character))
  }

  mutating func takeByte(_ byte: UInt8) -> Bool {
    guard index < end, base[index] == byte else { return false }
    index &+= 1
    return true
  }

  mutating func takeBlanks() -> Bool {
    guard take(" ") || take("\t") else { return false }
    while take(" ") || take("\t") {}
    return true
  }

  /// A number of exactly so many digits, at most nine.
  mutating func number(_ digits: Int) -> Int? {
    guard digits <= end &- index else { return nil }
    var value = 0
    for offset in 0..<digits {
      let byte = base[index &+ offset]
      guard Self.isDigit(byte) else { return nil }
      value = value &* 10 &+ Int(byte &- 48)
    }
    index &+= digits
    return value
  }

  mutating func monthName() -> Int? {
    guard end &- index >= 3 else { return nil }
    let key =
      UInt32(base[index] | 0x20) << 16 | UInt32(base[index &+ 1] | 0x20) << 8
      | UInt32(base[index &+ 2] | 0x20)
    let month: Int
    switch key {
    case 0x6A_616E: month = 1
    case 0x66_6562: month = 2
    case 0x6D_6172: month = 3
    case 0x61_7072: month = 4
    case 0x6D_6179: month = 5
    case 0x6A_756E: month = 6
    case 0x6A_756C: month = 7
    case 0x61_7567: month = 8
    case 0x73_6570: month = 9
    case 0x6F_6374: month = 10
    case 0x6E_6F76: month = 11
    case 0x64_6563: month = 12
    default: return nil
    }
    index &+= 3
    return month
  }

  /// Digits behind a point or comma, up to nine; none is a whole second.
  mutating func fraction() -> (nanoseconds: Int64, resolution: Int64) {
    guard index &+ 1 < end, peek == UInt8(ascii: ".") || peek == UInt8(ascii: ","),
      Self.isDigit(base[index &+ 1])
    else { return (0, 1_000_000_000) }
    index &+= 1
    var step: Int64 = 1_000_000_000
    var nanoseconds: Int64 = 0
    while index < end, Self.isDigit(base[index]) {
      if step >= 10 {
        step /= 10
        nanoseconds &+= Int64(base[index] &- 48) &* step
      }
      index &+= 1
    }
    return (nanoseconds, step)
  }

  /// Seconds east of UTC: `Z`, `+0100`, `+01:00`.
  mutating func zone() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let sign: Int64
    if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
    guard let hours = number(2) else { return nil }
    _ = take(":")
    guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
    return sign &* Int64(hours &* 3600 &+ minutes &* 60)
  }
}
