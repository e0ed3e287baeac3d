internal import Bytes
internal import HTTPExchange

/// When the exchange of a line began and ended.
extension ExchangeBuilder {
  struct Times {
    var start: EventTime?
    var end: EventTime?
    var basis: TimeBasis
    var resolution: TimeResolution
  }

  mutating func times(_ line: Line, isAnswered: Bool) -> Times? {
    if !line.layout.roles.tellsTime { return coatTime() }
    let start = first(line, line.layout.roles.starts)
    let end = first(line, line.layout.roles.ends)
    if start.resolution == 0, end.resolution == 0 { return nil }
    func instant(_ reading: StampReader.Reading) -> EventTime? {
      reading.resolution > 0 ? EventTime(nanoseconds: reading.nanoseconds) : nil
    }
    if start.resolution > 0, end.resolution > 0, start.nanoseconds <= end.nanoseconds {
      return Times(
        start: instant(start), end: instant(end), basis: .both,
        resolution: TimeResolution(nanoseconds: max(start.resolution, end.resolution)))
    }
    // Of two that contradict each other the end is taken, which excludes less.
    let isStart = end.resolution == 0
    let known = isStart ? start : end
    let (duration, step) = duration(
      line, line.layout.roles.duration, unit: line.layout.roles.durationUnit)
    // From an end that is told by the second, a start would look more exact than it is, and
    // requests of one second would change places.
    let isUseful =
      step > 0 && line.layout.roles.hasFirmStamps
      && (isStart || known.resolution < 1_000_000_000)
    let other =
      isUseful
      ? EventTime(nanoseconds: known.nanoseconds).advanced(by: isStart ? duration : 0 &- duration)
      : nil
    var times = Times(
      start: isStart ? instant(known) : other, end: isStart ? other : instant(known),
      basis: other != nil ? .both : isStart ? .start : .end,
      resolution: TimeResolution(
        nanoseconds: isUseful ? max(known.resolution, min(step, 1_000_000_000)) : known.resolution))
    if isUseful, isAnswered { narrow(&times, line, duration) }
    return times
  }

  /// Takes off the time before the request was sent and, where it is told, that behind the header
  /// block of the response.
  private func narrow(_ times: inout Times, _ line: Line, _ duration: Int64) {
    func part(_ field: Int) -> Int64 {
      self.duration(line, field, unit: line.layout.roles.partUnit).0
    }
    guard line.layout.roles.wait >= 0 || line.layout.roles.receive >= 0 else { return }
    let wait = min(part(line.layout.roles.wait), duration)
    let receive = min(part(line.layout.roles.receive), duration - wait)
    times.start = times.start?.advanced(by: wait)
    times.end = times.end?.advanced(by: 0 &- receive)
  }

  /// The time of a line that has none of its own: that of its coat.
  ///
  /// It is of the end, and a duration is not taken from it: when the line was written is not exactly
  /// when the request ended.
  private mutating func coatTime() -> Times? {
    let reading = coatStamp.reading(&stamps, writtenBy: writtenBy)
    guard reading.resolution > 0 else { return nil }
    stampedByCoat &+= 1
    if coatStamp.lacksYear { stampedWithoutYear &+= 1 }
    return Times(
      start: nil, end: EventTime(nanoseconds: reading.nanoseconds), basis: .end,
      resolution: TimeResolution(nanoseconds: reading.resolution))
  }

  private mutating func first(
    _ line: Line, _ candidates: [(field: Int, form: StampForm)]
  ) -> StampReader.Reading {
    for (field, form) in candidates {
      let reading = time(line, field, form)
      if reading.resolution > 0 { return reading }
    }
    return .none
  }

  /// A duration in nanoseconds and its step; a step of 0 for none.
  private func duration(_ line: Line, _ field: Int, unit: Int64) -> (Int64, Int64) {
    guard field >= 0, !line.isAbsent(field) else { return (0, 0) }
    let range = line.fields[field]
    return StampReader.duration(line.base, Int(range.start), Int(range.end), unit: unit)
  }
}
