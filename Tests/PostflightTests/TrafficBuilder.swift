import HTTPExchange

/// Makes exchanges of one browser as a capture would show them.
struct TrafficBuilder {
  static let chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 "
    + "Safari/537.36"
  static let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"
  static let page = "https://app.example.com"

  var userAgent: String? = chrome
  var client = "203.0.113.9"
  var source = "node-a.pcap@0123456789ab"
  var origin: String? = page
  private(set) var count: UInt64 = 0

  /// An exchange that begins at so many milliseconds and is answered 5 ms later.
  mutating func exchange(
    _ method: String, _ url: String = "https://api.example.com/v1/orders", at milliseconds: Int64,
    status: Int? = 200, request: [(String, String?)] = [], response: [(String, String?)] = []
  ) -> Exchange {
    count += 1
    let start = EventTime(seconds: 1_795_461_000, nanoseconds: milliseconds * 1_000_000)
    let fields = (origin.map { [("origin", $0)] } ?? []) + request
    return Exchange(
      id: ExchangeID(source: source, number: count), startedAt: start,
      endedAt: status == nil ? nil : start.advanced(by: 5_000_000), timeBasis: .both,
      resolution: .microsecond, client: client, userAgent: userAgent, method: method,
      url: RequestURL(url) ?? RequestURL(scheme: nil, host: nil, port: nil, target: url),
      status: status, httpVersion: "HTTP/1.1", ending: status == nil ? .unanswered : .complete,
      request: MessageEvidence(
        coverage: .complete, fields: fields.map { HeaderField(HeaderName($0.0), $0.1) }),
      response: status == nil
        ? .unseen
        : MessageEvidence(
          coverage: .complete, fields: response.map { HeaderField(HeaderName($0.0), $0.1) }))
  }

  /// A preflight for a method and header names.
  mutating func preflight(
    _ method: String, _ headers: String? = nil,
    _ url: String = "https://api.example.com/v1/orders", at milliseconds: Int64, status: Int = 204,
    response: [(String, String?)]
  ) -> Exchange {
    exchange(
      "OPTIONS", url, at: milliseconds, status: status,
      request: [("access-control-request-method", method)]
        + (headers.map { [("access-control-request-headers", $0)] } ?? []),
      response: response)
  }

  /// Response fields that allow the page, methods and headers.
  static func allowing(_ methods: String? = nil, _ headers: String? = nil) -> [(String, String?)] {
    [("access-control-allow-origin", page)]
      + (methods.map { [("access-control-allow-methods", $0)] } ?? [])
      + (headers.map { [("access-control-allow-headers", $0)] } ?? [])
  }
}
