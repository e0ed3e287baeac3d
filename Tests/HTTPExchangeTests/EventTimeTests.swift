import HTTPExchange
import TestSupport
import Testing

struct EventTimeTests {
  @Test(
    "RFC 3339 is read with any offset and fraction",
    arguments: [
      ("1970-01-01T00:00:00Z", Int64(0)),
      ("1970-01-01T00:00:00.000000001Z", 1),
      ("1969-12-31T23:59:59.999999999Z", -1),
      ("2026-11-23T18:54:34.930Z", 1_795_460_074_930_000_000),
      ("2026-11-23t18:54:34.930z", 1_795_460_074_930_000_000),
      ("2026-11-23 18:54:34.930Z", 1_795_460_074_930_000_000),
      ("2026-11-23T18:54:34,930Z", 1_795_460_074_930_000_000),
      ("2026-11-23T19:54:34.930+01:00", 1_795_460_074_930_000_000),
      ("2026-11-23T19:54:34.930+0100", 1_795_460_074_930_000_000),
      ("2026-11-24T00:24:34.930+05:30", 1_795_460_074_930_000_000),
      ("2026-11-23T12:54:34.930-06:00", 1_795_460_074_930_000_000),
      ("2026-11-23T18:54:34.9300000001234Z", 1_795_460_074_930_000_000),
      ("2024-02-29T12:00:00Z", 1_709_208_000_000_000_000),
      ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
      // A leap second is the first second of the next minute.
      ("2016-12-31T23:59:60Z", 1_483_228_800_000_000_000),
      ("9999-12-31T23:59:59.999999999Z", .max),
      ("0000-01-01T00:00:00Z", .min),
    ])
  func read(text: String, nanoseconds: Int64) {
    #expect(EventTime(rfc3339: text)?.nanoseconds == nanoseconds)
  }

  @Test(
    "what is no date and time of RFC 3339 is refused",
    arguments: [
      "", "Z", "2026-11-23", "2026-11-23T18:54:34", "2026-11-23T18:54:34.Z",
      "2026-13-23T18:54:34Z", "2026-00-23T18:54:34Z", "2026-11-31T18:54:34Z",
      "2026-11-00T18:54:34Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
      "2026-11-23T24:00:00Z", "2026-11-23T18:60:34Z", "2026-11-23T18:54:61Z",
      "2026-11-23T18:54:34+24:00", "2026-11-23T18:54:34+01:60", "2026-11-23T18:54:34+1:00",
      "2026-11-23T18:54:34+01", "2026-11-23T18:54:34+", "2026-11-23T18:54:34Zx",
      "2026-11-23T18:54:34 Z", "+026-11-23T18:54:34Z", "２026-11-23T18:54:34Z",
    ])
  func refused(text: String) {
    #expect(EventTime(rfc3339: text) == nil)
  }

  @Test(
    "as many digits are written as the resolution carries",
    arguments: [
      (TimeResolution.second, "2026-11-23T18:54:34Z"),
      (TimeResolution(nanoseconds: 100_000_000), "2026-11-23T18:54:34.9Z"),
      (.millisecond, "2026-11-23T18:54:34.930Z"),
      (.microsecond, "2026-11-23T18:54:34.930123Z"),
      (.nanosecond, "2026-11-23T18:54:34.930123456Z"),
      (TimeResolution(nanoseconds: 0), "2026-11-23T18:54:34.930123456Z"),
      (TimeResolution(nanoseconds: .max), "2026-11-23T18:54:34Z"),
    ])
  func digits(resolution: TimeResolution, text: String) {
    #expect(EventTime(nanoseconds: 1_795_460_074_930_123_456).rfc3339(resolution) == text)
  }

  @Test("an instant is read back as it was written, to the ends of the range")
  func roundTrip() {
    var generator = SeededGenerator(seed: 1)
    var instants = [Int64.min, .min + 1, -1, 0, 1, .max - 1, .max]
    for _ in 0..<2000 { instants.append(Int64(bitPattern: generator.next())) }
    for instant in instants {
      let time = EventTime(nanoseconds: instant)
      #expect(EventTime(rfc3339: time.rfc3339(.nanosecond)) == time)
    }
  }

  @Test("days and dates agree over four centuries")
  func calendar() {
    var previous = EventTime.days(year: 1799, month: 12, day: 31)
    for year in 1800...2200 {
      for month in 1...12 {
        let first = EventTime.days(year: year, month: month, day: 1)
        #expect((1...31).contains(first - previous))
        #expect(EventTime.date(days: first) == (year, month, 1))
        let last = EventTime.date(days: first - 1)
        #expect(last.month == (month + 10) % 12 + 1)
        previous = first
      }
    }
    #expect(EventTime.days(year: 1970, month: 1, day: 1) == 0)
  }

  @Test("sums saturate instead of overflowing")
  func saturation() {
    #expect(EventTime(seconds: .max).nanoseconds == .max)
    #expect(EventTime(seconds: .min).nanoseconds == .min)
    #expect(EventTime(seconds: .min, nanoseconds: .max).nanoseconds == .min)
    #expect(EventTime(seconds: -1, nanoseconds: 1).nanoseconds == -999_999_999)
    #expect(EventTime(nanoseconds: .max).advanced(by: 1).nanoseconds == .max)
    #expect(EventTime(nanoseconds: .min).advanced(by: -1).nanoseconds == .min)
    var exchange = Exchange.sample()
    exchange.startedAt = EventTime(nanoseconds: .max)
    exchange.endedAt = nil
    exchange.resolution = .second
    #expect(exchange.startInterval.upperBound.nanoseconds == .max)
    #expect(exchange.endInterval.upperBound.nanoseconds == .max)
    exchange.startedAt = nil
    #expect(exchange.time.nanoseconds == 0)
  }

  @Test("every prefix and every mutation of a stamp is read or refused, never more")
  func hostile() {
    var generator = SeededGenerator(seed: 2)
    for text in ["2026-11-23T19:54:34.930+01:00", "2026-11-23T18:54:34Z"] {
      for length in 0..<text.utf8.count - 1 {
        #expect(EventTime(rfc3339: text.prefix(length)) == nil)
      }
      var bytes = Array(text.utf8)
      for round in 0..<3000 {
        if round % 20 == 0 { bytes = Array(text.utf8) }
        bytes = bytes.mutated(&generator)
        _ = EventTime(rfc3339: String(decoding: bytes, as: UTF8.self))
      }
    }
  }
}
