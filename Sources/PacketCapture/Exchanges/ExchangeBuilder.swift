internal import Bytes
internal import HTTPExchange

/// Turns header blocks into exchanges, as far as CORS can concern them.
///
/// Whether it can is decided on what the scanners found; only then texts are made.
final class ExchangeBuilder {
  /// A request or response as far as it was seen.
  struct Message {
    var head: ByteView
    var scanner: HeadScanner
    /// Whether the end of the header block was seen.
    var isWhole: Bool
    var began: Mark
    var ordinal: UInt32
    /// Whether the header block is a ``FieldList``, not lines.
    var isFieldList = false

    /// Calls `body` with name and value of each field, pseudo-header fields among them.
    func forEachField(
      _ body: (_ name: ByteView, _ value: ByteView) -> Void
    ) {
      if isFieldList { return FieldList.forEach(head, body) }
      var lines = FieldLines(isWhole ? head : head.part(0, min(scanner.wholeLines, head.count)))
      lines.forEach(body)
    }
  }

  private(set) var exchanges: [Exchange] = []
  /// All exchanges, kept or not.
  private(set) var found: UInt64 = 0
  private(set) var passedOver: UInt64 = 0
  private let source: String
  private let options: IngestOptions
  private let names = FieldNames()
  private let cache = TextCache()
  private var hosts: [String: HostURLs] = [:]

  /// The URL `/` of a host, by what is known of the scheme.
  private struct HostURLs {
    var clear: RequestURL
    var behindTerminator: RequestURL
    var secure: RequestURL
  }

  /// How many hosts are remembered.
  var rememberedHosts: Int { hosts.count }

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
    if let request { (method, target) = startLine(request) }
    let url = url(scheme(flow, request), host: host, target: target, requestEvidence)
    let clientSide = Int(flow.pointee.clientSide & 1)
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
        status: response.flatMap { $0.scanner.status > 0 ? Int($0.scanner.status) : nil },
        requestID: responseEvidence.first(.xRequestID) ?? requestEvidence.first(.xRequestID)
          ?? requestEvidence.first(.xCorrelationID),
        httpVersion: version((response?.isFieldList ?? false ? response : request) ?? first),
        ending: ending, request: requestEvidence, response: responseEvidence))
  }

  private func version(_ message: Message) -> String? {
    let scanner = message.scanner
    guard scanner.hasStartLine else { return nil }
    if scanner.major == 1, scanner.minor == 1 { return "HTTP/1.1" }
    return scanner.major == 2 && message.isFieldList
      ? "HTTP/2" : "HTTP/\(scanner.major).\(scanner.minor)"
  }

  /// The scheme of this hop: what the request says, else what the connection shows.
  private func scheme(_ flow: FlowPointer, _ request: Message?) -> String {
    if let request, request.isFieldList, let named = FieldList.first(":scheme", in: request.head) {
      if named.count == 5, named.hasCaseless("https") { return "https" }
      if named.count == 4, named.hasCaseless("http") { return "http" }
    }
    return flow.pointee.isSecure ? "https" : "http"
  }

  /// The URL of a request; what its `Host` alone decides is remembered.
  private func url(
    _ scheme: String, host: String?, target: String, _ request: MessageEvidence
  ) -> RequestURL {
    guard let host, !options.trustsForwarded, target.utf8.first == UInt8(ascii: "/") else {
      return RequestURL(
        hopScheme: scheme, host: host, target: target, request: request,
        trustsForwarded: options.trustsForwarded)
    }
    let known: HostURLs
    if let remembered = hosts[host] {
      known = remembered
    } else {
      func url(_ scheme: String?) -> RequestURL {
        RequestURL(
          hopScheme: scheme, host: host, target: "/", request: .unseen, trustsForwarded: false)
      }
      known = HostURLs(clear: url("http"), behindTerminator: url(nil), secure: url("https"))
      if hosts.count < CaptureLimits.rememberedHosts,
        host.utf8.count <= CaptureLimits.rememberedHostLength
      {
        hosts[host] = known
      }
    }
    var url =
      scheme == "https"
      ? known.secure
      : request.showsTerminator(host: known.clear.host) ? known.behindTerminator : known.clear
    url.target = target
    return url
  }

  private func request(
    _ message: Message, _ agent: inout String?, _ host: inout String?
  ) -> MessageEvidence {
    var evidence = MessageEvidence(coverage: message.isWhole ? .complete : .truncated)
    evidence.fields.reserveCapacity(12)
    message.forEachField { name, value in
      guard let index = names.find(name) else {
        if name.count > 0, name[0] == UInt8(ascii: ":") {
          pseudoField(name, value, &evidence, &host)
          return
        }
        evidence.fields.append(HeaderField(otherName(name), nil))
        return
      }
      if names.entries[index].isKeptInRequests {
        let kept = cache.text(value, use: Use.request + UInt64(index)) {
          Redaction.requestValue(names.entries[index].name, WireText.decode($0))
        }
        evidence.fields.append(HeaderField(names.entries[index].name, kept))
      } else if index == names.userAgent {
        if agent == nil { agent = text(value) }
      } else if index == names.host {
        if host == nil { host = text(value) }
      } else if !names.entries[index].isDroppedInRequests {
        evidence.fields.append(HeaderField(names.entries[index].name, nil))
      }
    }
    return evidence
  }

  /// What HTTP/1 says in a field, and HTTP/2 in a field of its own kind.
  private func pseudoField(
    _ name: ByteView, _ value: ByteView,
    _ evidence: inout MessageEvidence, _ host: inout String?
  ) {
    if host == nil, name.count == 10, name.has(":authority") {
      host = text(value)
    } else if name.count == 9, name.has(":protocol") {
      // Extended CONNECT opens what an Upgrade field asks for over HTTP/1: RFC 8441.
      evidence.fields.append(
        HeaderField(.upgrade, text(value)))
    }
  }

  private func response(_ message: Message) -> MessageEvidence {
    var evidence = MessageEvidence(coverage: message.isWhole ? .complete : .truncated)
    evidence.fields.reserveCapacity(8)
    message.forEachField { name, value in
      guard let index = names.find(name) else { return }
      guard names.entries[index].isKeptInResponses else { return }
      let kept = cache.text(value, use: Use.response + UInt64(index)) {
        Redaction.responseValue(names.entries[index].name, WireText.decode($0))
      }
      evidence.fields.append(HeaderField(names.entries[index].name, kept))
    }
    return evidence
  }

  private func otherName(_ name: ByteView) -> HeaderName {
    HeaderName(
      cache.text(name, use: Use.name) { WireText.decode($0).asciiLowercased } ?? "")
  }

  /// Method and target; of a line that was cut, the method if it is whole.
  private func startLine(_ message: Message) -> (method: String, target: String) {
    let head = message.head
    if message.isFieldList {
      // Only a CONNECT of the plain kind has no path: its target is the authority.
      let target =
        FieldList.first(":path", in: head)
        ?? (message.scanner.isConnect ? FieldList.first(":authority", in: head) : nil)
      return (
        FieldList.first(":method", in: head).map(methodText) ?? "",
        target.map(targetText) ?? ""
      )
    }
    guard var end = head.position(of: 0x0A, from: 0) else {
      guard let space = head.position(of: 0x20, from: 0), space <= 32 else { return ("", "") }
      return (WireText.decode(head.part(0, space)), "")
    }
    if end > 0, head[end - 1] == 0x0D { end -= 1 }
    let line = head.part(0, end)
    guard let request = RequestLine(line) else { return ("", "") }
    return (
      methodText(line.part(0, request.methodEnd)),
      targetText(line.part(request.targetStart, request.targetEnd))
    )
  }

  private func methodText(_ bytes: ByteView) -> String {
    cache.text(bytes, use: Use.method) { WireText.decode($0) } ?? ""
  }

  private func targetText(_ bytes: ByteView) -> String {
    cache.text(bytes, use: Use.target) {
      let text = WireText.decode($0)
      return Redaction.mayHoldSecret($0) ? Redaction.url(text) : text
    } ?? ""
  }

  private func text(_ value: ByteView) -> String? {
    cache.text(value, use: Use.text) { Redaction.withoutJWTs(WireText.decode($0)) }
  }

  private func text(_ address: Address) -> String {
    // The cache copies what it keeps of the 16 bytes.
    unsafe withUnsafeBytes(of: address) { bytes in
      unsafe cache.text(ByteView(bytes), use: Use.address) { _ in address.text } ?? ""
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
