internal import Bytes
internal import HTTPExchange

/// Makes exchanges from the fields of lines.
struct ExchangeBuilder {
  private let trustsForwarded: Bool
  var stamps: StampReader
  /// One for each way of escaping, since the same bytes can mean different texts.
  private(set) var interner: ValueInterner
  private let isForFewLines: Bool
  private let baseURLs: ByteTable<RequestURL>
  private let senders = SenderTable()
  private let settings = SettingTable()
  /// Memory for a key while it is looked up.
  private let scratch = ByteStore(capacity: AccessLogLimits.baseURLBytes + 1)
  var headers: HeaderBlocks
  let blocks: EvidenceTable
  /// What is known of lines that leave out what is not there; ``LineLayout/family`` counts in it.
  var families: [FieldFamily] = []
  /// Whether a request that must have had an `Origin` was logged with its header fields but without
  /// it: somebody filters the log.
  var hidesOrigin = false
  /// The user agent of the last block that named one.
  var blockUserAgent: String?
  /// Whether a line had a block of header fields.
  var sawRequestBlock = false
  var sawResponseBlock = false
  /// Whether fields of the block that was read last were left out.
  var isBlockCut = false
  /// The same of `User-Agent`.
  var hidesUserAgent = false
  /// What the coat of the current line says of its time.
  var coatStamp = CoatStamp.none
  /// When the log was written last, in seconds since the epoch.
  let writtenBy: Int64
  /// Exchanges that have their time from a coat, and of those whose year is that of the log's own date.
  var stampedByCoat: UInt64 = 0
  var stampedWithoutYear: UInt64 = 0

  init(options: IngestOptions, escaping: Escaping, isForFewLines: Bool, writtenBy: Int64) {
    self.writtenBy = writtenBy
    trustsForwarded = options.trustsForwarded
    stamps = StampReader(secondsFromUTC: options.secondsFromUTC)
    interner = ValueInterner(escaping: escaping, isForFewLines: isForFewLines)
    self.isForFewLines = isForFewLines
    headers = HeaderBlocks(isForFewLines: isForFewLines)
    blocks = EvidenceTable(capacity: isForFewLines ? 16 : 2048)
    let count = isForFewLines ? 8 : AccessLogLimits.baseURLs
    baseURLs = ByteTable(
      entries: count, bytes: count * AccessLogLimits.baseURLBytes,
      free: RequestURL(scheme: nil, host: nil, port: nil, target: ""))
  }

  /// Goes on with lines whose values are written in another way.
  mutating func use(_ escaping: Escaping) {
    guard interner.escaping != escaping else { return }
    interner = ValueInterner(escaping: escaping, isForFewLines: isForFewLines)
  }

  // MARK: Questions to raw bytes

  /// The method, decided on raw bytes.
  static func isOptions(_ line: Line) -> Bool {
    if line.layout.roles.method >= 0 { return line.equals(line.layout.roles.method, "OPTIONS") }
    guard line.layout.roles.requestLine >= 0 else { return false }
    let range = line.fields[line.layout.roles.requestLine]
    let text: StaticString = "OPTIONS "
    return range.count >= 8
      && line.base.has(text, at: Int(range.start))
  }

  /// The status: 0 for none, -1 when the field holds something else.
  static func status(_ line: Line) -> Int {
    let field = line.layout.roles.status
    guard field >= 0, !line.isAbsent(field) else { return 0 }
    let range = line.fields[field]
    let text = line.bytes(range)
    guard range.count == 3 else { return isNoStatus(text) ? 0 : -1 }
    var value = 0
    for index in 0..<3 {
      let digit = text[index] &- 48
      guard digit < 10 else { return -1 }
      value = value &* 10 &+ Int(digit)
    }
    // nginx prints 000 when it never came to an answer.
    return value == 0 || value >= 100 ? value : -1
  }

  /// What Envoy, Cloudflare and HAProxy print when it never came to an answer.
  private static func isNoStatus(_ text: ByteView) -> Bool {
    text.count == 1 && text[0] == UInt8(ascii: "0")
      || text.count == 2 && text[0] == UInt8(ascii: "-") && text[1] == UInt8(ascii: "1")
  }

  /// The instant by which a line is placed: of a given stamp.
  mutating func time(_ line: Line, _ field: Int, _ form: StampForm) -> StampReader.Reading {
    let range = line.fields[field]
    guard range.count > 0 else { return .none }
    var reading = stamps.read(line.base, Int(range.start), Int(range.end), form)
    let lateness = line.layout.roles.lateness
    if lateness > 0, reading.resolution > 0, Self.isOptions(line) {
      // It ended at some time from so much earlier on: a request that its page sent then, and that was
      // acknowledged at once, stands before it in the log.
      reading.nanoseconds = reading.nanoseconds.subtractingReportingOverflow(lateness).partialValue
      reading.resolution = max(reading.resolution, lateness)
    }
    return reading
  }

  /// Whether the server refused the request before it had read its header fields: they are then
  /// printed as if they had been absent.
  ///
  /// Every request names its host, and every browser itself.
  static func isRefusedUnread(_ line: Line, status: Int) -> Bool {
    switch status {
    case 0, 400, 405, 408, 413, 414, 421, 431, 494...497, 501, 505: break
    default: return false
    }
    var hasSign = false
    for field in [
      line.layout.roles.userAgent, line.layout.roles.hostHeader, line.layout.roles.host,
    ] where field >= 0 {
      hasSign = true
      guard line.isAbsent(field) || (field == line.layout.roles.host && line.equals(field, "_"))
      else {
        return false
      }
    }
    for (field, _, isFlag, _) in line.layout.roles.requestFields {
      if isFlag ? line.isFlagSet(field) : !line.isAbsent(field) { return false }
    }
    return hasSign
  }

  // MARK: Exchanges

  /// What became of a line all of whose fields were found.
  enum Outcome {
    /// An exchange, which was appended; both ends of it, where they are known.
    case exchange(start: EventTime?, end: EventTime?)
    /// An exchange that CORS cannot concern.
    case passedOver(start: EventTime?, end: EventTime?)
    /// The line has no time that can be read.
    case unreadable
    /// Neither a method nor a target can be read.
    case noRequest
  }

  /// Appends the exchange of a line all of whose fields were found.
  mutating func build(
    _ line: Line, status: Int, source: String, number: UInt64, keepsAll: Bool,
    into exchanges: inout [Exchange]
  ) -> Outcome {
    guard let times = times(line, isAnswered: status != 0) else { return .unreadable }
    let parts = requestParts(line)
    // Logs of FTP sessions have such a field, too, with the session's number: "[1]USER".
    let method = line.layout.roles.method
    if method >= 0, line.fields[method].count > 0,
      line.base[Int(line.fields[method].start)] == UInt8(ascii: "[")
    {
      return .unreadable
    }
    if parts.method.isEmpty, parts.target.isEmpty { return .noRequest }
    let internalRequest = line.layout.roles.internalRequest
    if internalRequest >= 0, line.isFlagSet(internalRequest) { return .noRequest }
    let isRefused = Self.isRefusedUnread(line, status: status)
    if !keepsAll {
      let concern = CORSConcern(
        hasOrigin: isRefused ? nil : showsNoOrigin(line) ? false : nil,
        isOptions: Self.isOptions(line), isRedirect: Self.isRedirect(status))
      guard concern.isKept else { return .passedOver(start: times.start, end: times.end) }
    }
    blockUserAgent = nil
    let request =
      isRefused ? MessageEvidence.unseen : requestEvidence(line)
    var ending = ExchangeEnding.complete
    var answered: Int? = status == 0 ? nil : status
    if line.layout.mayBeNginx, status == 499 || status == 444 {
      // nginx's own marks: the client left before the answer, or the server sent none.
      ending = status == 499 ? .clientClosed : .serverClosed
      answered = nil
    } else if answered == nil, line.layout.roles.status >= 0 {
      ending = .unanswered
    }
    let response =
      ending == .complete ? responseEvidence(line) : .unseen
    exchanges.append(
      Exchange(
        setting: settings.setting(
          source: source, method: parts.method, httpVersion: parts.version,
          timeBasis: times.basis, resolution: times.resolution),
        number: number, startedAt: times.start, endedAt: times.end,
        sender: sender(line, request),
        url: url(line, target: parts.target, request, isRefused: isRefused), status: answered,
        requestID: optionalText(line, line.layout.roles.requestID, .plain), ending: ending,
        observed: observed(line), request: request, response: response))
    return .exchange(start: times.start, end: times.end)
  }

  /// Whether a status redirects.
  static func isRedirect(_ status: Int) -> Bool {
    switch status {
    case 301, 302, 303, 307, 308: true
    default: false
    }
  }

  mutating func text(_ line: Line, _ field: Int, _ kind: ValueKind) -> String? {
    let range = line.fields[field]
    return interner.text(line.bytes(range), kind)
  }

  private mutating func optionalText(_ line: Line, _ field: Int, _ kind: ValueKind) -> String? {
    guard field >= 0, !line.isAbsent(field) else { return nil }
    let text = text(line, field, kind)
    return text?.isEmpty == true ? nil : text
  }

  // MARK: Request

  private struct RequestParts {
    var method = ""
    var target = ""
    var version: String?
  }

  private mutating func requestParts(_ line: Line) -> RequestParts {
    var parts = RequestParts()
    if line.layout.roles.requestLine >= 0, !line.isAbsent(line.layout.roles.requestLine) {
      parts = requestLine(line, line.fields[line.layout.roles.requestLine])
    }
    if line.layout.roles.method >= 0, !line.isAbsent(line.layout.roles.method) {
      let range = line.fields[line.layout.roles.method]
      parts.method =
        Self.isToken(line.bytes(range))
        ? text(line, line.layout.roles.method, .plain) ?? "" : ""
    }
    if parts.target.isEmpty {
      for field in [line.layout.roles.target, line.layout.roles.path]
      where field >= 0 && !line.isAbsent(field) {
        parts.target = target(line, line.fields[field])
        if line.layout.roles.query >= 0 || line.layout.roles.arguments >= 0,
          !parts.target.utf8.contains(UInt8(ascii: "?"))
        {
          parts.target += query(line)
        }
        break
      }
    }
    let route = line.layout.roles.route
    if parts.target.isEmpty, route >= 0, !line.isAbsent(route) {
      let known = requestLine(line, line.fields[route])
      parts.target = known.target
      // A route may be one of all methods.
      if parts.method.isEmpty, known.method != "ANY" { parts.method = known.method }
    }
    if line.layout.roles.httpVersion >= 0, !line.isAbsent(line.layout.roles.httpVersion) {
      parts.version = text(line, line.layout.roles.httpVersion, .version) ?? parts.version
    }
    return parts
  }

  private mutating func requestLine(_ line: Line, _ range: FieldRange) -> RequestParts {
    var parts = RequestParts()
    let start = Int(range.start)
    let end = Int(range.end)
    let space = line.base.first(0x20, from: start, to: end)
    let method = line.base.part(start, space)
    guard Self.isToken(method) else { return parts }
    // A word alone is no request line.
    guard space < end else { return parts }
    parts.method = interner.text(method, .plain) ?? ""
    var last = end - 1
    while last > space, line.base[last] != 0x20 { last -= 1 }
    var targetEnd = end
    let version: StaticString = "HTTP/"
    if last > space, end - last > 5, line.base.has(version, at: last + 1) {
      parts.version = interner.text(line.base.part(last + 1, end), .version)
      targetEnd = last
    }
    parts.target = target(
      line, FieldRange(start: Int32(space + 1), end: Int32(targetEnd)))
    return parts
  }

  private mutating func target(_ line: Line, _ range: FieldRange) -> String {
    let bytes = line.bytes(range)
    // A plus in a URL is one that was sent.
    let text =
      line.layout.escaping == .plus
      ? ValueEscapes.text(bytes, .none) : interner.decoded(bytes)
    return Redaction.url(text)
  }

  private mutating func query(_ line: Line) -> String {
    for (field, mark) in [(line.layout.roles.query, ""), (line.layout.roles.arguments, "?")]
    where field >= 0 && !line.isAbsent(field) && line.fields[field].count > 0 {
      let text = interner.decoded(line.bytes(line.fields[field]))
      return Redaction.url(mark.isEmpty || text.hasPrefix("?") ? text : mark + text)
    }
    return ""
  }

  /// Whether bytes are a token: RFC 9110, section 5.6.2.
  private static func isToken(_ text: ByteView) -> Bool {
    guard text.count > 0, text.count <= 64 else { return false }
    for byte in text {
      switch byte {
      case 48...57, 65...90, 97...122: continue
      case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
        UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
        UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
        continue
      default: return false
      }
    }
    return !(text.count == 1 && text[0] == UInt8(ascii: "-"))
  }

  // MARK: URL and client

  private mutating func url(
    _ line: Line, target: String, _ request: MessageEvidence, isRefused: Bool
  ) -> RequestURL {
    let isForwarded = !isRefused && line.layout.roles.forwarding.contains { !line.isAbsent($0) }
    guard target.utf8.first == UInt8(ascii: "/"), !trustsForwarded, !isForwarded,
      let key = baseURLKey(line, isRefused: isRefused)
    else {
      return makeURL(line, target: target, request)
    }
    let hash = ByteTable<RequestURL>.hash(key, seed: 0)
    if let known = baseURLs.find(key, hash) {
      return RequestURL(
        scheme: known.scheme, host: known.host, port: known.port,
        target: target)
    }
    let url = makeURL(line, target: target, request)
    baseURLs.insert(key, hash, url)
    return url
  }

  /// All that scheme, host and port of a URL depend on, as one run of bytes; `nil` when it is long.
  private func baseURLKey(
    _ line: Line, isRefused: Bool
  ) -> ByteView? {
    var count = 1
    let secure: StaticString = "https://"
    let origin = line.layout.roles.origin
    let site = line.layout.roles.secFetchSite
    let hasSite = !isRefused && site >= 0 && !line.isAbsent(site)
    let isSecure =
      !isRefused && origin >= 0 && line.fields[origin].count >= 8
      && line.base.has(secure, at: Int(line.fields[origin].start))
    scratch.write((hasSite ? 1 : 0) | (isSecure ? 2 : 0), at: 0)
    func append(_ field: Int) -> Bool {
      let length = field >= 0 ? max(0, line.fields[field].count) : 0
      guard count + length + 1 <= AccessLogLimits.baseURLBytes else { return false }
      if field >= 0 {
        scratch.write(line.bytes(line.fields[field]), at: count)
      }
      count += length
      // No field holds a line end, so different fields cannot make the same run.
      scratch.write(field >= 0 ? 0x0A : 0x0D, at: count)
      count += 1
      return true
    }
    guard append(line.layout.roles.scheme), append(line.layout.roles.hostHeader),
      append(line.layout.roles.host), append(line.layout.roles.serverName),
      append(line.layout.roles.port), append(line.layout.roles.identityOrHost),
      append(line.layout.roles.frontend), append(line.layout.roles.tls)
    else { return nil }
    return scratch.view(0..<count)
  }

  private mutating func makeURL(
    _ line: Line, target: String, _ request: MessageEvidence
  ) -> RequestURL {
    let scheme =
      optionalText(line, line.layout.roles.scheme, .plain) ?? connectionScheme(line)
    let header = hostText(line, line.layout.roles.hostHeader)
    let host =
      header ?? hostText(line, line.layout.roles.host)
      ?? hostText(line, line.layout.roles.serverName) ?? hostOfIdentity(line)
    // Without the scheme, the port of this hop says nothing of the one that the browser used.
    let port =
      scheme == nil || header != nil
      ? nil : optionalText(line, line.layout.roles.port, .plain).flatMap { UInt16($0) }
    var url = RequestURL(
      hopScheme: scheme?.asciiLowercased, host: host, port: port, target: target,
      request: request, trustsForwarded: trustsForwarded)
    // `Host` names every port but the default one; `$host` never names it.
    let isPortTold =
      header != nil || port != nil || host.flatMap { Origin.split(authority: $0)?.port } != nil
    if !isPortTold, target.utf8.first == UInt8(ascii: "/"), !trustsForwarded { url.port = nil }
    return url
  }

  /// What the connection says of the scheme.
  private func connectionScheme(_ line: Line) -> String? {
    let roles = line.layout.roles
    if roles.tls >= 0, line.fields[roles.tls].count > 0 { return "https" }
    if roles.frontend >= 0 {
      let range = line.fields[roles.frontend]
      return range.count > 1 && line.base[Int(range.end) - 1] == UInt8(ascii: "~")
        ? "https" : "http"
    }
    return line.layout.hopScheme
  }

  /// The second field of lighttpd's lines is the host, that of others the identity of the client,
  /// which is hardly ever known and has neither dot nor colon.
  private mutating func hostOfIdentity(_ line: Line) -> String? {
    guard let text = hostText(line, line.layout.roles.identityOrHost),
      text == "localhost" || text.utf8.contains(where: { $0 == 0x2E || $0 == 0x3A })
    else { return nil }
    return text
  }

  private mutating func hostText(_ line: Line, _ field: Int) -> String? {
    guard field >= 0, let text = optionalText(line, field, .plain), text != "_", text != "-"
    else { return nil }
    return text
  }

  private mutating func sender(_ line: Line, _ request: MessageEvidence) -> Sender {
    let roles = line.layout.roles
    return senders.sender(
      client: optionalText(line, roles.client, roles.clientHasPort ? .addressAndPort : .address)
        ?? optionalText(line, roles.peer, .address) ?? "",
      forwardedFor: forwardedFor(line, request),
      userAgent: optionalText(line, roles.userAgent, .plain) ?? blockUserAgent)
  }

  private mutating func forwardedFor(_ line: Line, _ request: MessageEvidence) -> String? {
    if line.layout.roles.forwarding.contains(where: { !line.isAbsent($0) }) {
      return Forwarded(request).client
    }
    let field = line.layout.roles.forwardedChain
    guard field >= 0, let chain = optionalText(line, field, .plain), chain.contains(",") else {
      return nil
    }
    // The last address is the peer's own; with it alone nothing was forwarded.
    return Forwarded(
      MessageEvidence(coverage: .truncated, fields: [HeaderField(.xForwardedFor, chain)])
    ).client
  }
}
