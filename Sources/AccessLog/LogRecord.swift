internal import HTTPExchange

/// What the record of a log says of the lines that its interpreters have read.
extension SourceRecord {
  /// Takes over what they have counted so far.
  mutating func take(_ interpreters: [LineInterpreter]) {
    used = 0
    var passedOver: UInt64 = 0
    for interpreter in interpreters {
      used &+= interpreter.counts.used
      passedOver &+= interpreter.counts.passedOver
      if let earliest = interpreter.earliest { see(earliest) }
      if let latest = interpreter.latest { see(latest) }
    }
    exchanges = used
    if passedOver > 0 { self.passedOver[CORSConcern.none.rawValue] = passedOver }
  }

  /// Says what is known at the end only.
  mutating func conclude(_ interpreters: [LineInterpreter], coats: [LogCoat]) {
    let leaps = interpreters.reduce(0) { $0 &+ $1.progress.leaps }
    if leaps > 0 { note("stamps-far-ahead", leaps) }
    noteFields(interpreters)
    let stamped = interpreters.reduce(0) { $0 &+ $1.stampedByCoat }
    if stamped > 0 { noteCoatStamps(stamped, coats) }
    let guessed = interpreters.reduce(0) { $0 &+ $1.stampedWithoutYear }
    if guessed > 0, let writtenBy = interpreters.first?.writtenBy {
      note("stamps-without-year", guessed)
      let (date, overflow) = writtenBy.multipliedReportingOverflow(by: 1_000_000_000)
      warnings.append(
        (guessed == 1 ? "1 time names" : "\(guessed) times name")
          + " no year: taken is the last that is not after the date of the file itself, "
          + "\(EventTime(nanoseconds: overflow ? .max : date).rfc3339(.second).prefix(10)); where a copy "
          + "has lost that date, the year is wrong")
    }
  }

  /// Says of how many exchanges the time is that of a coat.
  private mutating func noteCoatStamps(_ count: UInt64, _ coats: [LogCoat]) {
    note("stamped-by-coat", count)
    let names = coats.map(\.name).joined(separator: " and ")
    warnings.append(
      (count == 1 ? "1 line tells" : "\(count) lines tell")
        + " no time of its own: taken is that of \(names), of when a line was handed over, which is at the "
        + "end of its request or later")
  }

  /// Which header fields the lines told, each as faithfully as in the least faithful of the formats.
  private mutating func noteFields(_ interpreters: [LineInterpreter]) {
    var all: [HeaderName: Fidelity]?
    for interpreter in interpreters {
      guard let fields = interpreter.recordedFields else { continue }
      // What one format does not record is not recorded throughout.
      all =
        all.map { known in
          known.filter { fields[$0.key] != nil }.merging(fields) { $0.union($1) }
            .filter { known[$0.key] != nil }
        } ?? fields
    }
    guard let all else { return }
    records = all.keys.map(\.description).sorted()
    fidelity = Dictionary(
      uniqueKeysWithValues: all.map { ($0.key.description, $0.value.description) })
  }
}
