internal import Bytes
internal import HTTPExchange

/// When a coat says that its line was written, for lines that do not say it themselves.
///
/// Whoever puts the coat on stamps a line when it is handed over: at the end of the request, or a
/// moment later.
struct CoatStamp {
  /// How it is written.
  enum Form {
    /// There is none.
    case none
    /// `Nov 23 18:58:42`, of no year and no zone.
    case bsd
    /// Microseconds since the epoch.
    case microseconds
    /// Milliseconds since the epoch.
    case milliseconds
    /// Any other that ``StampReader`` tells by its shape: ISO 8601, seconds since the epoch.
    case any
    /// There will be one, where only the form of lines is looked at.
    case promised
  }

  /// In the coated line or a copy of it.
  var text = ByteView()
  var form = Form.none

  /// No stamp.
  static var none: CoatStamp { CoatStamp() }
  /// Stands for any, where only the form of lines is looked at.
  static var promised: CoatStamp { CoatStamp(form: .promised) }

  init() {}

  private init(form: Form) {
    self.form = form
  }

  init(_ text: ByteView, _ form: Form = .any) {
    self.text = text
    self.form = text.isEmpty ? .none : form
  }

  /// Whether it names no year.
  var lacksYear: Bool { form == .bsd }

  /// The instant, no more exact than a second: it is that of another program.
  ///
  /// - Parameters:
  ///   - stamps: knows the zone of stamps without one.
  ///   - writtenBy: when the log was written last, in seconds since the epoch: a stamp without a year
  ///     is of the last one that is not behind it.
  func reading(_ stamps: inout StampReader, writtenBy: Int64) -> StampReader.Reading {
    var reading: StampReader.Reading
    switch form {
    case .none: return .none
    case .promised: return .init(nanoseconds: 0, resolution: 1_000_000_000)
    case .bsd:
      guard let seconds = Self.bsdSeconds(text, before: writtenBy &+ 86400) else { return .none }
      return stamps.local(seconds: seconds)
    case .microseconds: reading = stamps.read(text, 0, text.count, .epoch(unit: 1000))
    case .milliseconds: reading = stamps.read(text, 0, text.count, .epoch(unit: 1_000_000))
    case .any: reading = stamps.read(text, 0, text.count, .any)
    }
    if reading.resolution > 0 { reading.resolution = max(reading.resolution, 1_000_000_000) }
    return reading
  }

  /// The end of `2026-11-23T18:54:34`, with or without fraction and zone; `nil` for anything else.
  static func endOfISO(_ text: ByteView) -> Int? {
    let form: StaticString = "0000-00-00T00:00:00"
    guard fits(text, at: 0, form) else { return nil }
    var index = form.utf8CodeUnitCount
    if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
      index += 1
      while index < text.count, isDigit(text[index]) { index += 1 }
    }
    if index < text.count, text[index] == UInt8(ascii: "Z") { return index + 1 }
    if fits(text, at: index, "+00:00") || fits(text, at: index, "-00:00") { return index + 6 }
    return index
  }

  /// The end of `Nov 23 18:58:42`; `nil` for anything else.
  static func endOfBSD(_ text: ByteView, from start: Int) -> Int? {
    guard start + 15 <= text.count, month(text, at: start) != nil,
      text[start + 3] == 0x20, text[start + 4] == 0x20 || isDigit(text[start + 4]),
      fits(text, at: start + 5, "0 00:00:00")
    else { return nil }
    return start + 15
  }

  /// The number of the month whose name stands there.
  private static func month(_ text: ByteView, at start: Int) -> Int? {
    let months = ByteView("JanFebMarAprMayJunJulAugSepOctNovDec")
    return (0..<12).first { text.holds(months.part(3 * $0, 3 * $0 + 3), at: start) }.map { $0 + 1 }
  }

  /// Seconds since the epoch, as if the stamp were of UTC, in the last year in which it is not behind
  /// an instant.
  private static func bsdSeconds(_ text: ByteView, before limit: Int64) -> Int64? {
    guard text.count == 15, let month = month(text, at: 0) else { return nil }
    func number(_ start: Int) -> Int {
      let tens = text[start] == 0x20 ? 0 : Int(text[start] &- 48)
      return tens * 10 + Int(text[start + 1] &- 48)
    }
    let (day, hour, minute, second) = (number(4), number(7), number(10), number(13))
    guard (1...31).contains(day), hour < 24, minute < 60, second <= 60 else { return nil }
    let latest = EventTime.date(days: (limit - (limit % 86400 + 86400) % 86400) / 86400).year
    // A leap day is of a leap year, of which there is one within eight years.
    for year in stride(from: latest, through: latest - 8, by: -1) {
      let days = EventTime.days(year: year, month: month, day: day)
      guard EventTime.date(days: days).day == day else { continue }
      let seconds = days * 86400 + Int64(hour * 3600 + minute * 60 + second)
      if seconds <= limit { return seconds }
    }
    return nil
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  /// Whether a text has digits where a form has `0`, and the form's bytes elsewhere.
  private static func fits(
    _ text: ByteView, at start: Int, _ form: StaticString
  ) -> Bool {
    let count = form.utf8CodeUnitCount
    guard start + count <= text.count else { return false }
    for index in 0..<count {
      let wanted = ByteView(form)[index]
      let byte = text[start + index]
      guard wanted == 48 ? isDigit(byte) : byte == wanted else { return false }
    }
    return true
  }
}
