public import HTTPExchange

/// The exchanges of one call as pairing put them together, before a verdict.
public struct CallEvidence: Hashable, Sendable {
  /// One station of a call: a preflight or none, an actual request or none.
  public struct Hop: Hashable, Sendable {
    /// Its preflight.
    public var preflight: Exchange? {
      didSet {
        answer = preflight.flatMap { PreflightAnswer($0) }
        preflightNumber = nil
      }
    }
    /// What the preflight asked and was answered, read once.
    public private(set) var answer: PreflightAnswer?
    /// Its actual request.
    public var request: Exchange? {
      didSet { requestNumber = nil }
    }
    /// The number that ``VerdictTable/number(of:)`` gave the preflight, where it was asked.
    public private(set) var preflightNumber: Int?
    /// The same of the actual request.
    public private(set) var requestNumber: Int?

    /// A hop whose preflight was read before.
    public init(preflight: Exchange, answer: PreflightAnswer?, number: Int) {
      self.preflight = preflight
      self.answer = answer
      preflightNumber = number
    }

    /// A hop without a preflight, whose request was looked at before.
    public init(request: Exchange, number: Int) {
      self.request = request
      requestNumber = number
    }

    /// Adds the request, which was looked at before.
    public mutating func add(request: Exchange, number: Int) {
      self.request = request
      requestNumber = number
    }

    /// Whether both hold the same exchanges.
    public static func == (left: Self, right: Self) -> Bool {
      left.preflight == right.preflight && left.request == right.request
    }

    /// Hashes the exchanges.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(preflight)
      hasher.combine(request)
    }

    /// A hop of those exchanges.
    public init(preflight: Exchange? = nil, request: Exchange? = nil) {
      self.preflight = preflight
      self.request = request
      answer = preflight.flatMap { PreflightAnswer($0) }
    }
  }

  /// The page's origin, serialised.
  public var origin: String
  /// The same parsed; `nil` for `null`.
  var originTuple: Origin? { Origin(origin) }
  /// The engine of the caller's user agent; `nil` when it names none.
  public var engine: Engine?
  /// At least one, in order; only the last may lack its request.
  public var hops: [Hop]
  /// How the first cross-origin request came to be sent.
  public var kind: CallKind
  /// Whether an earlier response to this page for this URL was readable, so that an answer of 304
  /// refreshes a stored response that may be read.
  public var hasReadableStoredResponse: Bool

  /// The evidence of a call that was put together.
  public init(
    origin: String, engine: Engine?, hops: [Hop], kind: CallKind,
    hasReadableStoredResponse: Bool = false
  ) {
    self.origin = origin
    self.engine = engine
    self.hops = hops
    self.kind = kind
    self.hasReadableStoredResponse = hasReadableStoredResponse
  }

  /// Bytes of memory that it holds once it has been read, roughly.
  public var approximateBytes: Int {
    var sum = 400
    for index in hops.indices {
      sum &+= hops[index].preflight?.approximateBytesOnceRead ?? 0
      sum &+= hops[index].request?.approximateBytesOnceRead ?? 0
    }
    return sum
  }

  /// The exchanges with their roles, in order.
  public var exchanges: [CallExchange] {
    var result: [CallExchange] = []
    for (index, hop) in hops.enumerated() {
      if let preflight = hop.preflight {
        result.append(CallExchange(role: .preflight, hop: index, exchange: preflight))
      }
      if let request = hop.request {
        result.append(CallExchange(role: .request, hop: index, exchange: request))
      }
    }
    return result
  }

  /// Whether the request of a hop is subject to the CORS check: its URL is of another origin, or a
  /// redirect led through one.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#main-fetch>, step 12.
  func isChecked(hop index: Int) -> Bool {
    hops[...index].contains { hop in
      guard let exchange = hop.request ?? hop.preflight else { return false }
      // Only a first hop of the page's own origin comes without an Origin, or with its own.
      guard exchange.request.contains(.origin) || !exchange.request.records(.origin) else {
        return false
      }
      guard let target = exchange.url.origin else { return true }
      return target != originTuple
    }
  }
}

/// What a request itself tells of its mode.
public enum RequestModeEvidence: Hashable, Sendable {
  /// It was made in the mode `cors`.
  case cors
  /// It may have been made in the mode `cors` or in another.
  case unknown
  /// No CORS verdict applies to it; the kind is what reports count it as.
  case notCORS(String)

  /// Judges one request that carries an `Origin`, or of which that is not recorded.
  public init(_ exchange: Exchange, engine: Engine?) {
    let request = exchange.request
    let upgrade = request.whole(.upgrade)?.asciiLowercased
    switch request.whole(.secFetchMode) {
    case "cors":
      self = .cors
      return
    case "websocket":
      self = .notCORS("websocket")
      return
    case "navigate":
      self = .notCORS("navigation")
      return
    case "no-cors":
      self = .notCORS("no-cors")
      return
    case "same-origin":
      self = .notCORS("same-origin")
      return
    default:
      break
    }
    if upgrade == "websocket" || exchange.status == 101 {
      self = .notCORS("websocket")
    } else if request.contains(.upgradeInsecureRequests),
      request.first(.accept)?.hasPrefix("text/html") ?? true
    {
      self = .notCORS("navigation")
    } else if let type = request.whole(.contentType).flatMap({ mimeTypeEssence($0) }),
      [
        "text/ping", "application/csp-report", "application/expect-ct-report+json",
        "application/ocsp-request", "application/xss-auditor-report",
      ].contains(type)
    {
      self = .notCORS("browser-report")
    } else if exchange.method == "GET" || exchange.method == "HEAD" {
      // With storage access Chromium sends an Origin in any mode.
      self =
        request.contains(.origin) && !request.contains(.secFetchStorageAccess) ? .cors : .unknown
    } else if exchange.method == "POST" {
      self =
        ScriptHeaders(request, engine: engine ?? .standard).unsafeNames.isEmpty
        ? .unknown : .cors
    } else {
      self = .cors
    }
  }
}
