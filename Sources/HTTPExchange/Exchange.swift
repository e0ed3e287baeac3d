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
    guard let hash = text.lastIndex(of: "#") else { return nil }
    let parts = text[text.index(after: hash)...].split(separator: ".")
    guard parts.count == 2, let number = UInt64(parts[0]), let ordinal = UInt32(parts[1])
    else { return nil }
    self.init(source: String(text[..<hash]), number: number, ordinal: ordinal)
  }

  public var description: String { "\(source)#\(number).\(ordinal)" }

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

/// One request and its response as recorded: the record that every stage speaks.
///
/// Written as `"schema":"postflight.exchange/1"`. Secrets are already gone: see ``Redaction``.
public struct Exchange: Hashable, Sendable {
  public var id: ExchangeID
  /// When the request began; `nil` when the source stamps only the end.
  public var startedAt: EventTime?
  /// When the response was complete (a log) or its header block was (a capture); `nil` when the
  /// source stamps only the start, or when there was no response.
  public var endedAt: EventTime?
  public var timeBasis: TimeBasis
  /// How finely both instants are told: the truth lies within one step after the stamp.
  public var resolution: TimeResolution
  /// The address of the peer, without its port.
  public var client: String
  /// The client address that a proxy forwarded, where recorded.
  public var forwardedFor: String?
  /// The user agent; `nil` when absent or not recorded.
  public var userAgent: String?
  /// The method, in the case of the wire; empty when not recorded.
  public var method: String
  public var url: RequestURL
  /// 100 to 999; `nil` when no response was seen.
  public var status: Int?
  /// An identifier that other vantage points of the same request share, where recorded.
  public var requestID: String?
  /// `HTTP/1.1`, `HTTP/2`; `nil` when not recorded.
  public var httpVersion: String?
  public var ending: ExchangeEnding
  public var request: MessageEvidence
  public var response: MessageEvidence

  /// An exchange of those parts.
  public init(
    id: ExchangeID, startedAt: EventTime?, endedAt: EventTime?, timeBasis: TimeBasis,
    resolution: TimeResolution, client: String, forwardedFor: String? = nil,
    userAgent: String? = nil, method: String, url: RequestURL, status: Int?,
    requestID: String? = nil, httpVersion: String? = nil, ending: ExchangeEnding = .complete,
    request: MessageEvidence, response: MessageEvidence
  ) {
    self.id = id
    self.startedAt = startedAt
    self.endedAt = endedAt
    self.timeBasis = timeBasis
    self.resolution = resolution
    self.client = client
    self.forwardedFor = forwardedFor
    self.userAgent = userAgent
    self.method = method
    self.url = url
    self.status = status
    self.requestID = requestID
    self.httpVersion = httpVersion
    self.ending = ending
    self.request = request
    self.response = response
  }

  /// The instant by which exchanges are ordered: the start, else the end.
  public var time: EventTime {
    startedAt ?? endedAt ?? EventTime(nanoseconds: 0)
  }

  /// The earliest and latest instant at which the request can have begun.
  public var startInterval: ClosedRange<EventTime> {
    let step = resolution.nanoseconds - 1
    if let startedAt { return startedAt...startedAt.advanced(by: step) }
    let end = endedAt ?? EventTime(nanoseconds: 0)
    return EventTime(nanoseconds: .min)...end.advanced(by: step)
  }

  /// The earliest and latest instant at which the response can have been complete.
  public var endInterval: ClosedRange<EventTime> {
    let step = resolution.nanoseconds - 1
    if let endedAt { return endedAt...endedAt.advanced(by: step) }
    return (startedAt ?? EventTime(nanoseconds: .min))...EventTime(nanoseconds: .max)
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
