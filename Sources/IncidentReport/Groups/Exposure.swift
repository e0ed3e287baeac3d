internal import FetchCORS
internal import HTTPExchange

/// Response headers that a page may want to read and cannot, since the server does not expose them.
///
/// The call itself passes, so that this is a warning and no incident: whether the page misses the
/// header, only its code tells.
struct Exposure: Hashable {
  /// A header of a host's answers.
  struct Key: Hashable {
    var host: String
    /// In lower case.
    var header: String
  }

  /// Calls whose answer carried a header that the page could not read.
  struct Warning: Hashable {
    var calls: UInt64 = 0
    var first: Moment
    /// One such call's route.
    var route: String
    var origin: String
    var server: ServerFamily
  }

  static let limit = 256

  private(set) var warnings: [Key: Warning] = [:]
  /// Headers of further hosts, added up.
  private(set) var others: UInt64 = 0

  /// Headers that say something to a page's code, with the statuses at which they do; no statuses
  /// stand for all of them.
  static let headers: [(name: HeaderName, statuses: Set<Int>)] = [
    (.retryAfter, [429, 503]), (.location, [201, 202]), (.contentDisposition, []), (.link, []),
    (.xTotalCount, []), (.xRateLimitRemaining, []), (.rateLimit, []), (.wwwAuthenticate, [401]),
  ]

  private static let names = HeaderNameSet(headers.map(\.name))

  /// Looks at an answer that the page could read.
  mutating func add(_ call: Call, host: String, route: String) {
    guard call.verdict == .allowed, let exchange = call.request else { return }
    let response = exchange.response
    guard response.mayContain(anyOf: Self.names), response.contains(.accessControlAllowOrigin)
    else { return }
    for (name, statuses) in Self.headers where response.contains(name) {
      guard statuses.isEmpty || statuses.contains(exchange.status ?? 0),
        Self.isHidden(name, response, credentials: call.credentials),
        let moment = Moment(call)
      else { continue }
      let key = Key(host: host, header: name.description)
      if warnings[key] == nil, warnings.count >= Self.limit {
        others &+= 1
        continue
      }
      var warning =
        warnings[key]
        ?? Warning(
          first: moment, route: route, origin: call.origin, server: ServerFamily(exchange.response))
      warning.calls &+= 1
      if moment < warning.first {
        warning.first = moment
        warning.route = route
        warning.origin = call.origin
      }
      warnings[key] = warning
    }
  }

  /// Whether a header is not exposed, for certain; a `*` exposes it unless the call is known to carry
  /// credentials.
  private static func isHidden(
    _ name: HeaderName, _ response: MessageEvidence, credentials: CredentialsEvidence
  ) -> Bool {
    switch response.evidence(of: .accessControlExposeHeaders) {
    case .unrecorded: return false
    case .absent: return true
    case .recorded(let lines, let fidelity):
      guard fidelity == .exact || fidelity == .joined else { return false }
      for line in lines {
        guard let line else { return false }
        for part in line.split(separator: ",") {
          let text = part.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
          if text == "*", credentials != .include { return false }
          if HeaderName(text) == name { return false }
        }
      }
      return true
    }
  }

  /// A warning in words.
  struct Line: Hashable {
    var host: String
    var header: String
    var calls: UInt64
    var sentence: String
    var fix: String
  }

  /// The warnings, most calls first.
  var lines: [Line] {
    warnings.sorted { left, right in
      left.value.calls != right.value.calls
        ? left.value.calls > right.value.calls
        : (left.key.host, left.key.header) < (right.key.host, right.key.header)
    }.map { key, warning in
      let host = DisplayText.visible(key.host, limit: 80)
      let route = DisplayText.visible(warning.route, limit: 120)
      return Line(
        host: key.host, header: key.header, calls: warning.calls,
        sentence:
          "\(host) sends \(key.header) with \(DisplayText.counted(warning.calls, "answer")) "
          + "(\(route), for example) that the page may read, but does not expose that header, so "
          + "the page's code does not see it.",
        fix: "If the page needs it, answer with Access-Control-Expose-Headers: \(key.header).")
    }
  }
}
