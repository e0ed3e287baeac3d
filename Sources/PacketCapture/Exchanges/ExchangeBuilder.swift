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
    ///
    /// - Parameter known: whether a field line was dealt with, so that it need not be read. The line is
    ///   empty where the field has none of its own.
    func forEachField(
      known: (_ line: ByteView) -> Bool = { _ in false },
      _ body: (_ line: ByteView, _ name: ByteView, _ value: ByteView) -> Void
    ) {
      if isFieldList {
        return FieldList.forEach(head) { name, value in body(ByteView(), name, value) }
      }
      var lines = FieldLines(isWhole ? head : head.part(0, min(scanner.wholeLines, head.count)))
      lines.forEach(known, body)
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
  private let requestLines = KnownLines()
  private let responseLines = KnownLines()
  private let requestShapes = HeaderShapes()
  private let responseShapes = HeaderShapes()
  @safe @exclusivity(unchecked) private var hosts: [String: HostURLs] = [:]
  @safe @exclusivity(unchecked) private var nextHost: UInt64 = 0
  private let urls = RecentURLs()
  private let senders = SenderTable()
  private let settings = SettingTable()

  /// The URL `/` of a host, by what is known of the scheme.
  private final class HostURLs {
    let clear: RequestURL
    let behindTerminator: RequestURL
    let secure: RequestURL
    /// The number of the first of them for ``RecentURLs``.
    let number: UInt64

    init(_ host: String, number: UInt64) {
      func url(_ scheme: String?) -> RequestURL {
        RequestURL(
          hopScheme: scheme, host: host, target: "/", request: .unseen, trustsForwarded: false)
      }
      clear = url("http")
      behindTerminator = url(nil)
      secure = url("https")
      self.number = number
    }
  }

  /// How many hosts are remembered.
  var rememberedHosts: Int { hosts.count }

  /// What a cached text is for, beside the numbers of field names.
  private enum Use {
    static let method: UInt64 = 1 << 20
    static let name: UInt64 = 2 << 20
    static let address: UInt64 = 3 << 20
    static let request: UInt64 = 4 << 20
    static let response: UInt64 = 5 << 20
    static let text: UInt64 = 6 << 20
  }

  /// What a field is for ``HeaderShapes``.
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
    // The next ones will hardly be more, and grow no array while another thread frees those before.
    exchanges.reserveCapacity(result.count)
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
    var target = ByteView()
    if let request { (method, target) = startLine(request) }
    let url = url(scheme(flow, request), host: host, target: target, requestEvidence)
    let clientSide = Int(flow.pointee.clientSide & 1)
    exchanges.append(
      Exchange(
        setting: settings.setting(
          source: source, method: method,
          httpVersion: version((response?.isFieldList ?? false ? response : request) ?? first),
          timeBasis: .both,
          resolution: TimeResolution(nanoseconds: Int64(first.began.resolution))),
        number: first.began.number, ordinal: first.ordinal,
        startedAt: request.map { EventTime(nanoseconds: $0.began.time) },
        endedAt: endedAt.map { EventTime(nanoseconds: $0.time) },
        sender: senders.sender(
          client: text(flow.pointee.address(clientSide)),
          forwardedFor: forwardedFor(flow, requestEvidence), userAgent: agent),
        url: url, status: response.flatMap { $0.scanner.status > 0 ? Int($0.scanner.status) : nil },
        requestID: responseEvidence.first(.xRequestID) ?? requestEvidence.first(.xRequestID)
          ?? requestEvidence.first(.xCorrelationID),
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
    _ scheme: String, host: String?, target: ByteView, _ request: MessageEvidence
  ) -> RequestURL {
    guard let host, !options.trustsForwarded, target.first == UInt8(ascii: "/") else {
      return RequestURL(
        hopScheme: scheme, host: host, target: Self.targetText(target), request: request,
        trustsForwarded: options.trustsForwarded)
    }
    let known: HostURLs
    if let remembered = hosts[host] {
      known = remembered
    } else {
      known = HostURLs(host, number: nextHost)
      nextHost &+= 3
      if hosts.count < CaptureLimits.rememberedHosts,
        host.utf8.count <= CaptureLimits.rememberedHostLength
      {
        hosts[host] = known
      }
    }
    if scheme == "https" {
      return urls.url(known.secure, known.number, target, Self.targetText)
    }
    if request.showsTerminator(host: known.clear.host) {
      return urls.url(known.behindTerminator, known.number &+ 1, target, Self.targetText)
    }
    return urls.url(known.clear, known.number &+ 2, target, Self.targetText)
  }

  private func request(
    _ message: Message, _ agent: inout String?, _ host: inout String?
  ) -> MessageEvidence {
    requestShapes.begin()
    var own: [String?] = []
    message.forEachField(known: { line in
      requestLines.use(line) { meaning in
        switch meaning {
        case .nothing: break
        case .field(let field): requestShapes.add(field)
        case .userAgent(let text): if agent == nil { agent = text }
        case .host(let text): if host == nil { host = text }
        }
      }
    }) { line, name, value in
      guard let index = names.find(name) else {
        switch Self.pseudoField(name) {
        case .authority: if host == nil { host = text(value) }
        case .protocol:
          requestShapes.add(Shape.protocol, cache.number(of: value, use: Use.text, Self.shown))
        case .other: break
        case nil:
          requestShapes.add(Shape.name, cache.number(of: name, use: Use.name, Self.lowered))
        }
        return
      }
      let entry = names.entries[index]
      if index == names.userAgent || index == names.host {
        guard let text = text(value) else { return }
        if index == names.host { host = host ?? text } else { agent = agent ?? text }
        guard cache.wasKnown else { return }
        requestLines.remember(line, index == names.host ? .host(text) : .userAgent(text))
      } else if entry.isDroppedInRequests {
        if !entry.isOfOneMessage { requestLines.remember(line, .nothing) }
      } else if entry.isOfOneMessage {
        own.append(entry.isKeptInRequests ? keptValue(value, index) : nil)
        requestShapes.add(Shape.known + index, 0)
      } else if entry.isKeptInRequests {
        let field = requestShapes.add(
          Shape.known + index,
          cache.number(of: value, use: Use.request + UInt64(index)) { keptValue($0, index) })
        if let field, cache.wasKnown { requestLines.remember(line, .field(field)) }
      } else {
        requestShapes.add(Shape.known + index, 0)
      }
    }
    if message.isWhole, let known = requestShapes.known { return known.with(ownValues: own) }
    let evidence = requestEvidence(message)
    if message.isWhole { requestShapes.remember(evidence) }
    return evidence
  }

  /// The fields of a request that are kept, as ``request(_:_:_:)`` has told them apart.
  private func requestEvidence(_ message: Message) -> MessageEvidence {
    var fields: [HeaderField] = []
    fields.reserveCapacity(12)
    message.forEachField { _, name, value in
      guard let index = names.find(name) else {
        switch Self.pseudoField(name) {
        case .protocol:
          // Extended CONNECT opens what an Upgrade field asks for over HTTP/1: RFC 8441.
          fields.append(HeaderField(.upgrade, text(value)))
        case .authority, .other: break
        case nil:
          let text = cache.text(name, use: Use.name, Self.lowered) ?? ""
          fields.append(HeaderField(HeaderName(text), nil))
        }
        return
      }
      if names.entries[index].isKeptInRequests {
        let kept =
          names.entries[index].isOfOneMessage
          ? keptValue(value, index)
          : cache.text(value, use: Use.request + UInt64(index)) { keptValue($0, index) }
        fields.append(HeaderField(names.entries[index].name, kept))
      } else if !names.entries[index].isDroppedInRequests {
        fields.append(HeaderField(names.entries[index].name, nil))
      }
    }
    return MessageEvidence(sharing: fields, coverage: message.isWhole ? .complete : .truncated)
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
    responseShapes.begin()
    var own: [String?] = []
    message.forEachField(known: { line in
      responseLines.use(line) { meaning in
        if case .field(let field) = meaning { responseShapes.add(field) }
      }
    }) { line, name, value in
      guard let index = names.find(name), names.entries[index].isKeptInResponses else { return }
      if names.entries[index].isOfOneMessage {
        // It would be remembered for nothing.
        if own.isEmpty { own.reserveCapacity(3) }
        own.append(Redaction.responseValue(names.entries[index].name, WireText.decode(value)))
        responseShapes.add(Shape.known + index, 0)
      } else {
        let field = responseShapes.add(
          Shape.known + index,
          cache.number(of: value, use: Use.response + UInt64(index)) {
            Redaction.responseValue(names.entries[index].name, WireText.decode($0))
          })
        if let field, cache.wasKnown { responseLines.remember(line, .field(field)) }
      }
    }
    if message.isWhole, let known = responseShapes.known { return known.with(ownValues: own) }
    let evidence = responseEvidence(message)
    if message.isWhole { responseShapes.remember(evidence) }
    return evidence
  }

  /// The fields of a response that are kept, as ``response(_:)`` has told them apart.
  private func responseEvidence(_ message: Message) -> MessageEvidence {
    var fields: [HeaderField] = []
    fields.reserveCapacity(12)
    message.forEachField { _, name, value in
      guard let index = names.find(name), names.entries[index].isKeptInResponses else { return }
      let name = names.entries[index].name
      let kept =
        names.entries[index].isOfOneMessage
        ? Redaction.responseValue(name, WireText.decode(value))
        : cache.text(value, use: Use.response + UInt64(index)) {
          Redaction.responseValue(name, WireText.decode($0))
        }
      fields.append(HeaderField(name, kept))
    }
    return MessageEvidence(sharing: fields, coverage: message.isWhole ? .complete : .truncated)
  }

  /// Method and target; of a line that was cut, the method if it is whole.
  private func startLine(_ message: Message) -> (method: String, target: ByteView) {
    let head = message.head
    if message.isFieldList {
      // Only a CONNECT of the plain kind has no path: its target is the authority.
      let target =
        FieldList.first(":path", in: head)
        ?? (message.scanner.isConnect ? FieldList.first(":authority", in: head) : nil)
      return (
        FieldList.first(":method", in: head).map(methodText) ?? "",
        target ?? ByteView()
      )
    }
    let scanner = message.scanner
    // Of a block that was given up for its length, nothing may be left.
    guard scanner.hasStartLine, scanner.targetEnd <= head.count else {
      guard let space = head.position(of: 0x20, from: 0), space <= 32 else {
        return ("", ByteView())
      }
      return (WireText.decode(head.part(0, space)), ByteView())
    }
    return (
      methodText(head.part(0, scanner.methodEnd)),
      head.part(scanner.targetStart, scanner.targetEnd)
    )
  }

  private func methodText(_ bytes: ByteView) -> String {
    cache.text(bytes, use: Use.method) { WireText.decode($0) } ?? ""
  }

  private static func targetText(_ bytes: ByteView) -> String {
    let text = WireText.decode(bytes)
    return Redaction.mayHoldSecret(bytes) ? Redaction.url(text) : text
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
