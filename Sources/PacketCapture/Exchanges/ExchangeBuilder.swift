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

  // One thread alone calls this, and nothing hands out access to what is changed: checking that for
  // each call again would cost more than what is done with it.
  @safe @exclusivity(unchecked) private(set) var exchanges: [Exchange] = []
  /// All exchanges, kept or not.
  @safe @exclusivity(unchecked) private(set) var found: UInt64 = 0
  @safe @exclusivity(unchecked) private(set) var passedOver: UInt64 = 0
  private let source: String
  private let options: IngestOptions
  private let names = FieldNames()
  private let cache = TextCache()
  private let shapes = RequestShapes()
  @safe @exclusivity(unchecked) private var hosts: [String: HostURLs] = [:]

  /// The URL `/` of a host, by what is known of the scheme.
  private final class HostURLs {
    let clear: RequestURL
    let behindTerminator: RequestURL
    let secure: RequestURL

    init(_ host: String) {
      func url(_ scheme: String?) -> RequestURL {
        RequestURL(
          hopScheme: scheme, host: host, target: "/", request: .unseen, trustsForwarded: false)
      }
      clear = url("http")
      behindTerminator = url(nil)
      secure = url("https")
    }
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

  /// What a field of a request is for its ``RequestShapes``.
  private enum Shape {
    static let name = 0
    static let `protocol` = 1
    /// And the number of the field name.
    static let known = 2
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
    guard let first = request ?? response else { return }
    let isKept =
      if let request {
        count(request.scanner, isWhole: request.isWhole, status: response?.scanner.status)
      } else {
        count(HeadScanner(), isWhole: false, status: response?.scanner.status)
      }
    if isKept { build(flow, first, request, response, endedAt, ending) }
  }

  /// Counts an exchange.
  ///
  /// - Parameters:
  ///   - request: what was found in the request, as far as that was seen.
  ///   - isWhole: whether the end of its header block was seen.
  ///   - status: that of the response, if there is one.
  /// - Returns: whether it is to be built: most exchanges of a capture do not concern CORS.
  @inline(__always)
  func count(_ request: borrowing HeadScanner, isWhole: Bool, status: UInt16?) -> Bool {
    found &+= 1
    let concern = CORSConcern(
      hasOrigin: request.hasOrigin ? true : isWhole ? false : nil, isOptions: request.isOptions,
      isRedirect: status == 301 || status == 302 || status == 303 || status == 307
        || status == 308)
    if concern.isKept || options.keepsAll { return true }
    passedOver &+= 1
    return false
  }

  /// Builds an exchange that was counted.
  func build(
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
      known = HostURLs(host)
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
    shapes.begin()
    message.forEachField { name, value in
      guard let index = names.find(name) else {
        switch Self.pseudoField(name) {
        case .authority: if host == nil { host = text(value) }
        case .protocol:
          shapes.add(Shape.protocol, cache.number(of: value, use: Use.text, Self.shown))
        case .other: break
        case nil:
          shapes.add(Shape.name, cache.number(of: name, use: Use.name, Self.lowered))
        }
        return
      }
      if names.entries[index].isKeptInRequests {
        shapes.add(
          Shape.known + index,
          cache.number(of: value, use: Use.request + UInt64(index)) { keptValue($0, index) })
      } else if index == names.userAgent {
        if agent == nil { agent = text(value) }
      } else if index == names.host {
        if host == nil { host = text(value) }
      } else if !names.entries[index].isDroppedInRequests {
        shapes.add(Shape.known + index, 0)
      }
    }
    if message.isWhole, let known = shapes.known { return known }
    let evidence = requestEvidence(message)
    if message.isWhole { shapes.remember(evidence) }
    return evidence
  }

  /// The fields of a request that are kept, as ``request(_:_:_:)`` has told them apart.
  private func requestEvidence(_ message: Message) -> MessageEvidence {
    var evidence = MessageEvidence(coverage: message.isWhole ? .complete : .truncated)
    evidence.fields.reserveCapacity(12)
    message.forEachField { name, value in
      guard let index = names.find(name) else {
        switch Self.pseudoField(name) {
        case .protocol:
          // Extended CONNECT opens what an Upgrade field asks for over HTTP/1: RFC 8441.
          evidence.fields.append(HeaderField(.upgrade, text(value)))
        case .authority, .other: break
        case nil:
          let text = cache.text(name, use: Use.name, Self.lowered) ?? ""
          evidence.fields.append(HeaderField(HeaderName(text), nil))
        }
        return
      }
      if names.entries[index].isKeptInRequests {
        let kept = cache.text(value, use: Use.request + UInt64(index)) { keptValue($0, index) }
        evidence.fields.append(HeaderField(names.entries[index].name, kept))
      } else if !names.entries[index].isDroppedInRequests {
        evidence.fields.append(HeaderField(names.entries[index].name, nil))
      }
    }
    return evidence
  }

  /// What of a request's value is kept.
  private func keptValue(_ value: ByteView, _ index: Int) -> String? {
    Redaction.requestValue(names.entries[index].name, WireText.decode(value))
  }

  private static func lowered(_ name: ByteView) -> String? {
    WireText.decode(name).asciiLowercased
  }

  private static func shown(_ value: ByteView) -> String? {
    Redaction.withoutJWTs(WireText.decode(value))
  }

  /// A field of HTTP/2 that says what HTTP/1 says in other places.
  private enum PseudoField {
    case authority, `protocol`, other
  }

  private static func pseudoField(_ name: ByteView) -> PseudoField? {
    guard name.first == UInt8(ascii: ":") else { return nil }
    if name.equals(":authority") { return .authority }
    return name.equals(":protocol") ? .protocol : .other
  }

  private func response(_ message: Message) -> MessageEvidence {
    var evidence = MessageEvidence(coverage: message.isWhole ? .complete : .truncated)
    evidence.fields.reserveCapacity(8)
    message.forEachField { name, value in
      guard let index = names.find(name) else { return }
      guard names.entries[index].isKeptInResponses else { return }
      let name = names.entries[index].name
      if index == names.requestID || index == names.correlationID {
        // No other exchange has the same: it would be remembered for nothing.
        let own = Redaction.responseValue(name, WireText.decode(value))
        evidence.fields.append(HeaderField(name, own))
        return
      }
      let kept = cache.text(value, use: Use.response + UInt64(index)) {
        Redaction.responseValue(name, WireText.decode($0))
      }
      evidence.fields.append(HeaderField(name, kept))
    }
    return evidence
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
    let scanner = message.scanner
    // Of a block that was given up for its length, nothing may be left.
    guard scanner.hasStartLine, scanner.targetEnd <= head.count else {
      guard let space = head.position(of: 0x20, from: 0), space <= 32 else { return ("", "") }
      return (WireText.decode(head.part(0, space)), "")
    }
    return (
      methodText(head.part(0, scanner.methodEnd)),
      targetText(head.part(scanner.targetStart, scanner.targetEnd))
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
    cache.text(value, use: Use.text, Self.shown)
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
