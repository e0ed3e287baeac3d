/// The parts of an exchange.
///
/// Written to only while one exchange alone refers to them, through that exchange: whose exclusive
/// access is checked already, so that checking each part again would buy nothing.
///
/// They are packed into 120 bytes: the C library frees so much without a lock, and exchanges are freed
/// by another thread than the one that makes them.
@usableFromInline
final class Parts: @unchecked Sendable {
  @safe @exclusivity(unchecked) @usableFromInline var setting: ExchangeSetting
  @safe @exclusivity(unchecked) @usableFromInline var number: UInt64
  @safe @exclusivity(unchecked) @usableFromInline var started = Parts.unstamped
  @safe @exclusivity(unchecked) @usableFromInline var ended = Parts.unstamped
  @safe @exclusivity(unchecked) @usableFromInline var sender: Sender
  @safe @exclusivity(unchecked) @usableFromInline var url: RequestURL
  @safe @exclusivity(unchecked) @usableFromInline var request: MessageEvidence
  @safe @exclusivity(unchecked) @usableFromInline var response: MessageEvidence
  @safe @exclusivity(unchecked) @usableFromInline var requestID: String?
  @safe @exclusivity(unchecked) @usableFromInline var ordinal: UInt32
  @safe @exclusivity(unchecked) @usableFromInline var code = Parts.unanswered
  @safe @exclusivity(unchecked) @usableFromInline var ending: ExchangeEnding
  @safe @exclusivity(unchecked) @usableFromInline var observed: ObservedOutcome?

  @inlinable static var unstamped: Int64 { .min }
  @inlinable static var unanswered: UInt16 { .max }

  init(
    setting: ExchangeSetting, number: UInt64, ordinal: UInt32, startedAt: EventTime?,
    endedAt: EventTime?, sender: Sender, url: RequestURL, status: Int?, requestID: String?,
    ending: ExchangeEnding, observed: ObservedOutcome?, request: MessageEvidence,
    response: MessageEvidence
  ) {
    self.setting = setting
    self.number = number
    self.ordinal = ordinal
    self.sender = sender
    self.url = url
    self.requestID = requestID
    self.ending = ending
    self.observed = observed
    self.request = request
    self.response = response
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.status = status
  }

  convenience init(_ other: Parts) {
    self.init(
      setting: other.setting, number: other.number, ordinal: other.ordinal,
      startedAt: other.startedAt, endedAt: other.endedAt, sender: other.sender, url: other.url,
      status: other.status, requestID: other.requestID, ending: other.ending,
      observed: other.observed, request: other.request, response: other.response)
  }

  @usableFromInline var id: ExchangeID {
    @inlinable get { ExchangeID(source: setting.source, number: number, ordinal: ordinal) }
    set {
      number = newValue.number
      ordinal = newValue.ordinal
      if newValue.source != setting.source {
        setting = ExchangeSetting(
          source: newValue.source, method: setting.method, httpVersion: setting.httpVersion,
          timeBasis: setting.timeBasis, resolution: setting.resolution)
      }
    }
  }

  @usableFromInline var startedAt: EventTime? {
    @inlinable get { started == Self.unstamped ? nil : EventTime(nanoseconds: started) }
    set { started = newValue.map { max($0.nanoseconds, Self.unstamped + 1) } ?? Self.unstamped }
  }

  @usableFromInline var endedAt: EventTime? {
    @inlinable get { ended == Self.unstamped ? nil : EventTime(nanoseconds: ended) }
    set { ended = newValue.map { max($0.nanoseconds, Self.unstamped + 1) } ?? Self.unstamped }
  }

  @usableFromInline var status: Int? {
    @inlinable get { code == Self.unanswered ? nil : Int(code) }
    set {
      code = newValue.map { min(UInt16(clamping: $0), Self.unanswered - 1) } ?? Self.unanswered
    }
  }

  func isEqual(to other: Parts) -> Bool {
    number == other.number && ordinal == other.ordinal && started == other.started
      && ended == other.ended && code == other.code && ending == other.ending
      && observed == other.observed && requestID == other.requestID && url == other.url
      && Sender.areEqual(sender, other.sender)
      && ExchangeSetting.areEqual(setting, other.setting)
      && request == other.request && response == other.response
  }
}
