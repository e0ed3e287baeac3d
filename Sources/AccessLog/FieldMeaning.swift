internal import HTTPExchange

/// What a field of a line tells about an exchange.
enum FieldMeaning: Hashable, Sendable {
  /// Nothing that is needed.
  case ignored
  case client
  /// The same with the port behind it, without brackets also where the address has colons.
  case clientAndPort
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
  /// A method and a path with placeholders, or a word that stands for every request.
  case route
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
  /// The time at the beginning of that in which the request was not sent yet, in units of so many
  /// nanoseconds.
  case wait(unit: Int64)
  /// The time at the end of that in which the content of the response came.
  case receive(unit: Int64)
  case userAgent
  case requestID
  case requestHeader(HeaderName)
  case responseHeader(HeaderName)
  /// A flag that says whether the request carried the header.
  case presence(HeaderName)
  /// Header fields of the request or the response, as many as there were.
  case requestBlock(BlockShape)
  case responseBlock(BlockShape)
  /// On how many lines a field of the response stood.
  case lineCount(HeaderName)
  /// Something about TLS, which is there only when the connection used it.
  case tls
  /// HAProxy's front end, with a `~` behind it when the connection used TLS.
  case frontend
  /// The identity of the client, or the host where the server prints that in its place.
  case identityOrHost
  /// What the browser itself says became of the request: nothing when it could be used.
  case browserError
  /// A flag that says that no browser sent the request.
  case internalRequest
}

/// How a block of header fields is written into one value.
struct BlockShape: Hashable, Sendable {
  enum Spelling: Hashable, Sendable {
    /// A JSON object: names to texts, or to arrays of texts.
    case object
    /// A JSON array of objects with `name` and `value`.
    case list
    /// A text of lines `Name:value`.
    case lines
  }

  var spelling: Spelling
  /// Whether every field is in it; else only those that somebody chose, and nothing says which.
  var isWhole: Bool
  /// The bytes from which on the text may have been cut.
  var limit = Int.max
  /// How several lines of a field stand in it.
  var repeats = RepeatedLines.all
}

/// Which lines a server prints of a header field that came on several.
enum RepeatedLines: Hashable, Sendable {
  case first, last
  /// All, joined by a comma.
  case joined
  /// All, told apart.
  case all

  var fidelity: Fidelity {
    switch self {
    case .first: .firstLine
    case .last: .lastLine
    case .joined: .joined
    case .all: .exact
    }
  }
}

/// The same for both directions.
struct Repeats: Hashable, Sendable {
  var request: RepeatedLines
  var response: RepeatedLines
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
  /// By how many nanoseconds at most it may be later than what it stands for; of preflights, which
  /// end before their request begins, the earliest time counts.
  var lateness: Int64 = 0
}

/// How a time stamp is written.
enum StampForm: Hashable, Sendable {
  /// `23/Nov/2026:18:54:34 +0000`.
  case clf
  /// ISO 8601, with or without fraction and zone.
  case iso
  /// The same, of UTC where no zone is written.
  case isoUTC
  /// The same, of a zone so many seconds east of UTC.
  case isoOf(secondsFromUTC: Int64)
  /// A decimal number of units of so many nanoseconds since the epoch.
  case epoch(unit: Int64)
  /// A date at the beginning and the time of that day at the end, of UTC, whatever is between.
  case dateAndTime
  /// The time of day alone, behind a line that told an instant, in seconds since the epoch as if it
  /// had been of UTC; both are of a zone so many seconds east of it.
  case timeOfDay(after: Int64, secondsFromUTC: Int64)
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
  /// JSON of a program that writes it rightly: only `null` and what is left out are absent.
  case json
  /// Envoy's JSON: the same, but a byte that is not UTF-8 is written as `\u00HH`, and old versions
  /// write `-` for what is absent.
  case envoyJSON
  /// Envoy's text: `-` is absent, all bytes as they are.
  case raw
  /// HAProxy's captures: nothing is absent, `#HH` stands for odd bytes.
  case hashCaptures
  /// HAProxy's `log-format`: the same, but `-` is absent.
  case hash
  /// Traefik's text: `-` is absent, only a quotation mark has a backslash.
  case quoteOnly
  /// W3C extended: `-` is absent, `+` stands for a blank, quotation marks inside are doubled.
  case plus
  /// CloudFront: `-` is absent, `%HH`.
  case percent
  /// Zeek: `-` is absent, `(empty)` is empty, `\xHH`.
  case zeek
  /// Comma-separated values: nothing and `-` are absent, quotation marks inside are doubled.
  case doubled

  /// Whether `-` stands for a value that is not there.
  var dashIsAbsent: Bool {
    switch self {
    case .nginxDefault, .apache, .anyText, .anyJSON, .raw, .hash, .quoteOnly, .plus, .percent,
      .zeek, .doubled, .envoyJSON:
      true
    case .nginxJSON, .none, .json, .hashCaptures: false
    }
  }

  /// Whether nothing stands for a value that is not there.
  var emptyIsAbsent: Bool {
    switch self {
    case .nginxJSON, .none, .anyJSON, .hashCaptures, .doubled: true
    case .nginxDefault, .apache, .anyText, .json, .envoyJSON, .raw, .hash, .quoteOnly, .plus,
      .percent, .zeek:
      false
    }
  }

  /// Whether values are written as they are, so that they can forge fields.
  var isUnescaped: Bool {
    switch self {
    case .none, .raw: true
    default: false
    }
  }

  /// Whether no quotation mark stands inside a value, not even behind a backslash.
  var writesNoQuote: Bool {
    switch self {
    case .nginxDefault, .hash, .hashCaptures: true
    default: false
    }
  }

  /// Whether values are members of JSON.
  var isJSON: Bool {
    switch self {
    case .nginxJSON, .anyJSON, .json, .envoyJSON: true
    default: false
    }
  }

  /// Whether an empty value is printed like an absent one.
  private var confusesEmpty: Bool {
    switch self {
    // What is absent is `-` here, and what is empty may be printed as `-`, too.
    case .hash, .plus, .percent: true
    default: emptyIsAbsent
    }
  }

  /// How faithfully a request header is told.
  func fidelity(ofRequest name: HeaderName, _ repeats: Repeats?) -> Fidelity {
    var result: Fidelity = confusesEmpty ? .absentOrEmpty : .exact
    if name == .cookie { result.insert(.presence) }
    if let repeats {
      result.formUnion(repeats.request.fidelity)
      return result
    }
    switch self {
    case .apache: result.insert(.joined)
    case .nginxDefault, .nginxJSON, .none:
      // nginx joined these two long before version 1.23, which joins all.
      result.insert(name == .xForwardedFor || name == .cookie ? .joined : .firstLine)
    default: result.insert(.firstLine)
    }
    return result
  }

  /// How faithfully a response header is told.
  ///
  /// nginx 1.23 and later join several lines with a comma; the version is not known, and earlier
  /// ones print the first line only.
  func fidelity(ofResponse name: HeaderName, _ repeats: Repeats?) -> Fidelity {
    var result = repeats?.response.fidelity ?? .firstLine
    if confusesEmpty { result.insert(.absentOrEmpty) }
    if name == .setCookie { result.insert(.presence) }
    return result
  }
}
