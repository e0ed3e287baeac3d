internal import HTTPExchange

/// What a field of a line tells about an exchange.
enum FieldMeaning: Hashable, Sendable {
  /// Nothing that is needed.
  case ignored
  case client
  /// The address of the connection's peer, where the client's may have been put in its place.
  case peer
  /// `X-Forwarded-For` with the client's address behind it; the two cannot be told apart.
  case forwardedChain
  case requestLine
  case method
  /// Path and query as sent.
  case target
  /// The path alone, perhaps normalised.
  case path
  /// The query with its question mark, or nothing.
  case query
  /// The query without its question mark.
  case arguments
  case httpVersion
  case scheme
  /// The host as sent, with the port where the client named one.
  case hostHeader
  /// The host without its port.
  case host
  /// The configured name of the server, a stand-in for the host.
  case serverName
  case port
  case status
  /// The status before internal redirects.
  case firstStatus
  case stamp(Stamp)
  /// The time that the request took, in units of so many nanoseconds.
  case duration(unit: Int64)
  case userAgent
  case requestID
  case requestHeader(HeaderName)
  case responseHeader(HeaderName)
  /// A flag that says whether the request carried the header.
  case presence(HeaderName)
}

/// A time stamp in a line: how it is written, and of which end of the request.
struct Stamp: Hashable, Sendable {
  var form: StampForm
  /// Whether it is the start of the request, else its end.
  var isStart: Bool
  /// Whether that is known.
  ///
  /// What is not known counts as the end, which excludes no pair that can
  /// be true, and nothing is reckoned from it.
  var isFirm = true
}

/// How a time stamp is written.
enum StampForm: Hashable, Sendable {
  /// `23/Nov/2026:18:54:34 +0000`.
  case clf
  /// ISO 8601, with or without fraction and zone.
  case iso
  /// A decimal number of units of so many nanoseconds since the epoch.
  case epoch(unit: Int64)
  /// A sequence as for `strftime`.
  case items([StampItem])
  /// Any of the above, told by its shape.
  case any
}

/// An item of a `strftime` format.
enum StampItem: Hashable, Sendable {
  case year, shortYear, month, monthName, day, hour, minute, second, zone
  /// A fraction of a second with so many digits.
  case fraction(digits: Int)
  case literal(UInt8)
}

/// How a server writes absent values and bytes that could be taken for something else.
enum Escaping: Sendable {
  /// nginx `escape=default`: `-` is absent, `\xHH` stands for odd bytes and for `"` and `\`.
  case nginxDefault
  /// nginx `escape=json`: nothing is absent, JSON escapes, bytes from 0x80 as they are.
  case nginxJSON
  /// nginx `escape=none`: nothing is absent, all bytes as they are.
  case none
  /// Apache: `-` is absent, C escapes and `\xhh`.
  case apache
  /// Text of an unknown server: `-` is absent, any of the escapes of nginx and Apache.
  case anyText
  /// JSON of an unknown server: nothing, `-` and `null` are absent, any escape.
  case anyJSON

  /// Whether `-` stands for a value that is not there.
  var dashIsAbsent: Bool {
    switch self {
    case .nginxDefault, .apache, .anyText, .anyJSON: true
    case .nginxJSON, .none: false
    }
  }

  /// Whether nothing stands for a value that is not there.
  var emptyIsAbsent: Bool {
    switch self {
    case .nginxJSON, .none, .anyJSON: true
    case .nginxDefault, .apache, .anyText: false
    }
  }

  /// How faithfully a request header is told.
  func fidelity(ofRequest name: HeaderName) -> Fidelity {
    var result: Fidelity = emptyIsAbsent ? .absentOrEmpty : .exact
    if name == .cookie { result.insert(.presence) }
    switch self {
    case .apache: result.insert(.joined)
    case .nginxDefault, .nginxJSON, .none:
      // nginx joined these two long before version 1.23, which joins all.
      result.insert(name == .xForwardedFor || name == .cookie ? .joined : .firstLine)
    case .anyText, .anyJSON: result.insert(.firstLine)
    }
    return result
  }

  /// How faithfully a response header is told.
  ///
  /// nginx 1.23 and later join several lines with a comma; the version is not known, and earlier
  /// ones print the first line only.
  func fidelity(ofResponse name: HeaderName) -> Fidelity {
    var result: Fidelity = [.firstLine]
    if emptyIsAbsent { result.insert(.absentOrEmpty) }
    if name == .setCookie { result.insert(.presence) }
    return result
  }
}
