/// Where an exchange stands in the evidence: `NAME@DIGEST#N.K`.
public struct ExchangeID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// `NAME@DIGEST`: file name, and the digest of its first 64 KiB unpacked.
  public var source: String
  /// The number of the packet or line, from 1.
  public var number: UInt64
  /// The ordinal of the exchange within that packet or line, from 1.
  public var ordinal: UInt32

  /// The identifier of those parts.
  public init(source: String, number: UInt64, ordinal: UInt32 = 1) {
    self.source = source
    self.number = number
    self.ordinal = ordinal
  }

  /// Reads what ``description`` wrote.
  public init?(_ text: String) {
    guard let hash = text.utf8.lastIndex(of: UInt8(ascii: "#")) else { return nil }
    let parts = text[text.utf8.index(after: hash)...].split(separator: ".")
    guard parts.count == 2, let number = UInt64(parts[0]), let ordinal = UInt32(parts[1])
    else { return nil }
    self.init(source: String(text[..<hash]), number: number, ordinal: ordinal)
  }

  /// `NAME@DIGEST#N.K`.
  public var description: String { "\(source)#\(number).\(ordinal)" }

  /// By source, then by place in it.
  public static func < (left: Self, right: Self) -> Bool {
    (left.source, left.number, left.ordinal) < (right.source, right.number, right.ordinal)
  }
}

/// Which ends of an exchange the source stamped.
public enum TimeBasis: String, Sendable {
  case both, start, end
}

/// Why nothing more of an exchange was seen.
public enum ExchangeEnding: String, Sendable {
  /// The response's header block was seen to its end.
  case complete
  /// The client closed or reset the connection before the response.
  case clientClosed
  /// The server closed or reset the connection before the response.
  case serverClosed
  /// Bytes of it were lost by the capture.
  case gap
  /// The evidence ends before the response, or the response came too late to be waited for.
  case unanswered
}

/// What a browser said of a request of its own.
public enum ObservedOutcome: String, Sendable {
  /// It gave the response to whoever had asked.
  case completed
  /// It gave nothing, with the error that stands for a refusal by CORS among others.
  case failed
}

/// One request and its response as recorded: the record that every stage speaks.
///
/// Written as `"schema":"postflight.exchange/1"`. Secrets are already gone: see ``Redaction``.
///
/// A value like any other; its parts live in one shared allocation, since pairing hands it on many
/// times and each copy of the parts would cost a dozen reference counts.
public struct Exchange: Hashable, Sendable {
  @usableFromInline var parts: Parts

  /// Where it stands in the evidence.
  public var id: ExchangeID {
    @inlinable get { parts.id }
    set { mutableParts.id = newValue }
  }

  /// When the request began; `nil` when the source stamps only the end.
  public var startedAt: EventTime? {
    @inlinable get { parts.startedAt }
    set { mutableParts.startedAt = newValue }
  }

  /// When the response was complete (a log) or its header block was (a capture); `nil` when the
  /// source stamps only the start, or when there was no response.
  public var endedAt: EventTime? {
    @inlinable get { parts.endedAt }
    set { mutableParts.endedAt = newValue }
  }

  @inlinable var setting: ExchangeSetting { parts.setting }

  private mutating func set(
    method: String? = nil, httpVersion: String?, timeBasis: TimeBasis? = nil,
    resolution: TimeResolution? = nil
  ) {
    mutableParts.setting = ExchangeSetting(
      source: setting.source, method: method ?? setting.method, httpVersion: httpVersion,
      timeBasis: timeBasis ?? setting.timeBasis, resolution: resolution ?? setting.resolution)
  }

  /// Which ends the source stamped.
  public var timeBasis: TimeBasis {
    @inlinable get { setting.timeBasis }
    set { set(httpVersion: httpVersion, timeBasis: newValue) }
  }

  /// How finely both instants are told: the truth lies within one step after the stamp.
  public var resolution: TimeResolution {
    @inlinable get { setting.resolution }
    set { set(httpVersion: httpVersion, resolution: newValue) }
  }

  /// Who sent the request.
  public var sender: Sender {
    @inlinable get { parts.sender }
    set { mutableParts.sender = newValue }
  }

  /// The address of the peer, without its port.
  public var client: String {
    @inlinable get { parts.sender.client }
    set {
      sender = Sender(client: newValue, forwardedFor: forwardedFor, userAgent: userAgent)
    }
  }

  /// The client address that a proxy forwarded, where recorded.
  public var forwardedFor: String? {
    @inlinable get { parts.sender.forwardedFor }
    set { sender = Sender(client: client, forwardedFor: newValue, userAgent: userAgent) }
  }

  /// The user agent; `nil` when absent or not recorded.
  public var userAgent: String? {
    @inlinable get { parts.sender.userAgent }
    set { sender = Sender(client: client, forwardedFor: forwardedFor, userAgent: newValue) }
  }

  /// The method, in the case of the wire; empty when not recorded.
  public var method: String {
    @inlinable get { setting.method }
    set { set(method: newValue, httpVersion: httpVersion) }
  }

  /// The URL, as far as it is known.
  public var url: RequestURL {
    @inlinable get { parts.url }
    set { mutableParts.url = newValue }
  }

  /// 100 to 999; `nil` when no response was seen.
  public var status: Int? {
    @inlinable get { parts.status }
    set { mutableParts.status = newValue }
  }

  /// An identifier that other vantage points of the same request share, where recorded.
  public var requestID: String? {
    @inlinable get { parts.requestID }
    set { mutableParts.requestID = newValue }
  }

  /// `HTTP/1.1`, `HTTP/2`; `nil` when not recorded.
  public var httpVersion: String? {
    @inlinable get { setting.httpVersion }
    set { set(httpVersion: newValue) }
  }

  /// Why nothing more of it was seen.
  public var ending: ExchangeEnding {
    @inlinable get { parts.ending }
    set { mutableParts.ending = newValue }
  }

  /// What the browser itself said became of it, where the source is one that knows.
  public var observed: ObservedOutcome? {
    @inlinable get { parts.observed }
    set { mutableParts.observed = newValue }
  }

  /// The request's header block.
  public var request: MessageEvidence {
    @inlinable get { parts.request }
    set { mutableParts.request = newValue }
  }

  /// The response's header block.
  public var response: MessageEvidence {
    @inlinable get { parts.response }
    set { mutableParts.response = newValue }
  }

  /// An exchange of those parts.
  public init(
    id: ExchangeID, startedAt: EventTime?, endedAt: EventTime?, timeBasis: TimeBasis,
    resolution: TimeResolution, client: String, forwardedFor: String? = nil,
    userAgent: String? = nil, method: String, url: RequestURL, status: Int?,
    requestID: String? = nil, httpVersion: String? = nil, ending: ExchangeEnding = .complete,
    observed: ObservedOutcome? = nil, request: MessageEvidence, response: MessageEvidence
  ) {
    self.init(
      setting: ExchangeSetting(
        source: id.source, method: method, httpVersion: httpVersion, timeBasis: timeBasis,
        resolution: resolution),
      number: id.number, ordinal: id.ordinal, startedAt: startedAt, endedAt: endedAt,
      sender: Sender(client: client, forwardedFor: forwardedFor, userAgent: userAgent), url: url,
      status: status, requestID: requestID, ending: ending, observed: observed, request: request,
      response: response)
  }

  /// An exchange that shares setting and sender with others.
  public init(
    setting: ExchangeSetting, number: UInt64, ordinal: UInt32 = 1, startedAt: EventTime?,
    endedAt: EventTime?, sender: Sender, url: RequestURL, status: Int?, requestID: String?,
    ending: ExchangeEnding, observed: ObservedOutcome? = nil, request: MessageEvidence,
    response: MessageEvidence
  ) {
    parts = Parts(
      setting: setting, number: number, ordinal: ordinal, startedAt: startedAt, endedAt: endedAt,
      sender: sender, url: url, status: status, requestID: requestID, ending: ending,
      observed: observed, request: request, response: response)
  }

  private var mutableParts: Parts {
    mutating get {
      if !isKnownUniquelyReferenced(&parts) { parts = Parts(parts) }
      return parts
    }
  }

  /// The instant by which exchanges are ordered: the start, else the end.
  @inlinable public var time: EventTime {
    startedAt ?? endedAt ?? EventTime(nanoseconds: 0)
  }

  /// The earliest and latest instant at which the request can have begun.
  @inlinable public var startInterval: ClosedRange<EventTime> {
    let step = resolution.nanoseconds - 1
    if let startedAt { return startedAt...startedAt.advanced(by: step) }
    let end = endedAt ?? EventTime(nanoseconds: 0)
    return EventTime(nanoseconds: .min)...end.advanced(by: step)
  }

  /// The earliest and latest instant at which the response can have been complete.
  @inlinable public var endInterval: ClosedRange<EventTime> {
    let step = resolution.nanoseconds - 1
    if let endedAt { return endedAt...endedAt.advanced(by: step) }
    return (startedAt ?? EventTime(nanoseconds: .min))...EventTime(nanoseconds: .max)
  }

  /// Whether all parts are equal.
  public static func == (left: Self, right: Self) -> Bool {
    left.parts === right.parts || left.parts.isEqual(to: right.parts)
  }

  /// Hashes what tells exchanges apart.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(id)
    hasher.combine(startedAt)
    hasher.combine(endedAt)
  }
}

/// Whether CORS could have anything to say about an exchange.
///
/// `extract` keeps these only, unless told `--all`; what it passes over is counted by the kind that
/// is named here. The rule is decided on bytes, before anything of an exchange is copied.
public enum CORSConcern: String, Sendable, CaseIterable {
  /// Kept: it carries an `Origin`, or nothing says that it does not.
  case origin
  /// Kept: `OPTIONS`.
  case options
  /// Kept: a redirect, which may be the first hop of a call that crosses origins.
  case redirect
  /// Passed over: no `Origin`, no `OPTIONS`, no redirect.
  case none = "no-origin"

  /// Decides from what is known of an exchange.
  ///
  /// - Parameters:
  ///   - hasOrigin: whether an `Origin` line was seen; `nil` when the source does not record it.
  ///   - isOptions: whether the method is `OPTIONS`.
  ///   - isRedirect: whether the status is 301, 302, 303, 307 or 308.
  public init(hasOrigin: Bool?, isOptions: Bool, isRedirect: Bool) {
    self =
      isOptions ? .options : hasOrigin ?? true ? .origin : isRedirect ? .redirect : .none
  }

  /// Whether the exchange is kept.
  public var isKept: Bool { self != .none }
}
