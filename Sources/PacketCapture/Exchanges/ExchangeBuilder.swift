internal import HTTPExchange

/// Turns header blocks into exchanges, as far as CORS can concern them.
///
/// Whether it can is decided on what the scanners found; only then texts are made.
final class ExchangeBuilder {
  /// A request or response as far as it was seen.
  struct Message {
    var head: UnsafeRawBufferPointer
    var scanner: HeadScanner
    /// Whether the end of the header block was seen.
    var isWhole: Bool
    var began: Mark
    var ordinal: UInt32
  }

  private(set) var exchanges: [Exchange] = []
  /// All exchanges, kept or not.
  private(set) var found: UInt64 = 0
  private(set) var passedOver: UInt64 = 0
  private let source: String
  private let options: IngestOptions
  private let names = FieldNames()
  private let cache = TextCache()
  private var hosts: [String: (clear: RequestURL, behindTerminator: RequestURL)] = [:]

  /// What a cached text is for, beside the numbers of field names.
  private enum Use {
    static let target: UInt64 = 1 << 20
    static let method: UInt64 = 2 << 20
    static let name: UInt64 = 3 << 20
    static let address: UInt64 = 4 << 20
    static let request: UInt64 = 5 << 20
    static let response: UInt64 = 6 << 20
    static let text: UInt64 = 7 << 20
  }

  /// A builder for the capture with that name and digest.
  init(source: String, options: IngestOptions) {
    self.source = source
    self.options = options
  }

  deinit {
    cache.deallocate()
    names.deallocate()
  }

  /// Hands over what was built since the last call.
  func takeExchanges() -> [Exchange] {
    let result = exchanges
    exchanges = []
    return result
  }

  /// Adds an exchange, of which at least one half was seen.
  func add(
    _ flow: FlowPointer, request: Message?, response: Message?, endedAt: Mark?,
    _ ending: ExchangeEnding
  ) {
    found += 1
    let hasOrigin = request.flatMap { request -> Bool? in
      request.scanner.hasOrigin ? true : request.isWhole ? false : nil
    }
    let status = response?.scanner.status
    let concern = CORSConcern(
      hasOrigin: hasOrigin, isOptions: request?.scanner.isOptions ?? false,
      isRedirect: status == 301 || status == 302 || status == 303 || status == 307
        || status == 308)
    guard concern.isKept || options.keepsAll else {
      passedOver += 1
      return
    }
    guard let first = request ?? response else { return }
    build(flow, first, request, response, endedAt, ending)
  }

  private func build(
    _ flow: FlowPointer, _ first: Message, _ request: Message?, _ response: Message?,
    _ endedAt: Mark?, _ ending: ExchangeEnding
  ) {
    var agent: String?
    var host: String?
    let requestEvidence = request.map { self.request($0, &agent, &host) } ?? .unseen
    let responseEvidence = response.map { self.response($0) } ?? .unseen
    var method = ""
    var target = ""
    if let request { (method, target) = startLine(request.head) }
    let url = url(host: host, target: target, requestEvidence)
    let clientSide = Int(flow.pointee.clientSide & 1)
    let scanner = (request ?? first).scanner
    exchanges.append(
      Exchange(
        id: ExchangeID(source: source, number: first.began.number, ordinal: first.ordinal),
        startedAt: request.map { EventTime(nanoseconds: $0.began.time) },
        endedAt: endedAt.map { EventTime(nanoseconds: $0.time) },
        timeBasis: .both,
        resolution: TimeResolution(nanoseconds: Int64(first.began.resolution)),
        client: text(flow.pointee.address(clientSide)),
        forwardedFor: forwardedFor(flow, requestEvidence),
        userAgent: agent, method: method, url: url,
        status: response.map { Int($0.scanner.status) },
        requestID: responseEvidence.first(.xRequestID) ?? requestEvidence.first(.xRequestID)
          ?? requestEvidence.first(.xCorrelationID),
        httpVersion: scanner.hasStartLine
          ? (scanner.major == 1 && scanner.minor == 1
            ? "HTTP/1.1" : "HTTP/\(scanner.major).\(scanner.minor)") : nil,
        ending: ending, request: requestEvidence, response: responseEvidence))
  }

  /// The URL of a request; what its `Host` alone decides is remembered.
  private func url(host: String?, target: String, _ request: MessageEvidence) -> RequestURL {
    guard let host, !options.trustsForwarded, target.utf8.first == UInt8(ascii: "/") else {
      return RequestURL(
        hopScheme: "http", host: host, target: target, request: request,
        trustsForwarded: options.trustsForwarded)
    }
    let known: (clear: RequestURL, behindTerminator: RequestURL)
    if let remembered = hosts[host] {
      known = remembered
    } else {
      func url(_ scheme: String?) -> RequestURL {
        RequestURL(
          hopScheme: scheme, host: host, target: "/", request: .unseen, trustsForwarded: false)
      }
      known = (url("http"), url(nil))
      if hosts.count < CaptureLimits.rememberedHosts { hosts[host] = known }
    }
    var url =
      request.showsTerminator(host: known.clear.host) ? known.behindTerminator : known.clear
    url.target = target
    return url
  }

  /// The bytes of a header block that are whole lines.
  private func wholeLines(_ message: Message) -> UnsafeRawBufferPointer {
    message.isWhole
      ? message.head : message.head.part(0, min(message.scanner.wholeLines, message.head.count))
  }

  private func request(
    _ message: Message, _ agent: inout String?, _ host: inout String?
  ) -> MessageEvidence {
    var evidence = MessageEvidence(coverage: message.isWhole ? .complete : .truncated)
    var lines = FieldLines(wholeLines(message))
    evidence.fields.reserveCapacity(12)
    lines.forEach { name, value in
      guard let index = names.find(name) else {
        evidence.fields.append(HeaderField(otherName(name), nil))
        return
      }
      let entry = names.entry(index)
      if entry.pointee.isKeptInRequests {
        let kept = cache.text(value, use: Use.request + UInt64(index)) {
          Redaction.requestValue(entry.pointee.name, WireText.decode($0))
        }
        evidence.fields.append(HeaderField(entry.pointee.name, kept))
      } else if index == names.userAgent {
        if agent == nil { agent = cache.text(value, use: Use.text) { WireText.decode($0) } }
      } else if index == names.host {
        if host == nil { host = cache.text(value, use: Use.text) { WireText.decode($0) } }
      } else if !entry.pointee.isDroppedInRequests {
        evidence.fields.append(HeaderField(entry.pointee.name, nil))
      }
    }
    return evidence
  }

  private func response(_ message: Message) -> MessageEvidence {
    var evidence = MessageEvidence(coverage: message.isWhole ? .complete : .truncated)
    var lines = FieldLines(wholeLines(message))
    evidence.fields.reserveCapacity(8)
    lines.forEach { name, value in
      guard let index = names.find(name) else { return }
      let entry = names.entry(index)
      guard entry.pointee.isKeptInResponses else { return }
      let kept = cache.text(value, use: Use.response + UInt64(index)) {
        Redaction.responseValue(entry.pointee.name, WireText.decode($0))
      }
      evidence.fields.append(HeaderField(entry.pointee.name, kept))
    }
    return evidence
  }

  private func otherName(_ name: UnsafeRawBufferPointer) -> HeaderName {
    HeaderName(
      cache.text(name, use: Use.name) { WireText.decode($0).asciiLowercased } ?? "")
  }

  /// Method and target; of a line that was cut, the method if it is whole.
  private func startLine(_ head: UnsafeRawBufferPointer) -> (method: String, target: String) {
    guard var end = head.position(of: 0x0A, from: 0) else {
      guard let space = head.position(of: 0x20, from: 0), space <= 32 else { return ("", "") }
      return (WireText.decode(head.part(0, space)), "")
    }
    if end > 0, head[end - 1] == 0x0D { end -= 1 }
    let line = head.part(0, end)
    guard let request = RequestLine(line) else { return ("", "") }
    return (
      cache.text(line.part(0, request.methodEnd), use: Use.method) { WireText.decode($0) } ?? "",
      cache.text(line.part(request.targetStart, request.targetEnd), use: Use.target) {
        // Only a query or user info can hold a secret.
        let text = WireText.decode($0)
        let isPlain =
          $0.position(of: UInt8(ascii: "?"), from: 0) == nil
          && $0.position(of: UInt8(ascii: "@"), from: 0) == nil
        return isPlain ? text : Redaction.url(text)
      } ?? ""
    )
  }

  private func text(_ address: Address) -> String {
    withUnsafeBytes(of: address) { bytes in
      cache.text(bytes, use: Use.address) { _ in address.text } ?? ""
    }
  }

  private func forwardedFor(_ flow: FlowPointer, _ request: MessageEvidence) -> String? {
    if request.contains(.forwarded) || request.contains(.xForwardedFor),
      let client = Forwarded(request).client
    {
      return client
    }
    return flow.pointee.hasProxied ? text(flow.pointee.proxied) : nil
  }
}
