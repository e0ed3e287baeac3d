internal import FetchCORS
internal import HTTPExchange

/// Puts exchanges together to calls: preflight, actual request, redirect hops.
///
/// Exchanges come in the order of time. The key of everything is the browser; within it a preflight
/// and its request match by URL, method, header names, origin and time, never by connection: see
/// ``Browser/preflighted(_:_:_:)``. A call is given out when its last response was seen, or when its
/// window has passed in event time.
struct Pairing {
  private var browsers: [BrowserKey: Browser] = [:]
  private let recentBrowsers = RecentBrowsers()
  private var origins = OriginTable()
  private var readings = ReadingTable()
  private var kinds = BrowserKinds()
  private var deadlines = DeadlineQueue()
  private var clocks = SourceClocks()
  /// Requests that wait for a preflight which another node may have stamped later.
  private var awaitingPreflight = 0
  private var now = EventTime(nanoseconds: .min)
  private var openCount = 0
  private var openBytes = 0
  private var browserBytes = 0
  private var nextSweep = EventTime(nanoseconds: .min)
  private var verdicts: VerdictTable
  /// Calls that are complete, in the order in which they became so.
  private(set) var calls: [Call] = []
  /// Exchanges that no CORS verdict applies to, by kind.
  private(set) var notCORS: [String: UInt64] = [:]
  /// Limits that were reached, and records that came too late, by kind.
  private(set) var notes: [String: UInt64] = [:]

  /// - Parameter engine: the engine to judge every call by; `nil` takes the user agent's.
  init(engine: Engine? = nil) {
    verdicts = VerdictTable(engine: engine)
  }

  /// Hands out the calls that are complete, and forgets them.
  mutating func takeCalls() -> [Call] {
    defer { calls.removeAll(keepingCapacity: true) }
    return calls
  }

  /// Takes the next exchange.
  mutating func add(_ exchange: Exchange) {
    advance(to: exchange.time)
    clocks.see(exchange)
    let browser = browser(for: exchange)
    defer { account(browser) }
    // Where there is no Origin, most are passed over: reading them would not be worth it.
    let known = exchange.request.contains(.origin) ? read(exchange) : nil
    let traits =
      known?.traits(isBrowser: browser.isBrowser, &origins)
      ?? ExchangeTraits(exchange, isBrowser: browser.isBrowser, &origins)
    if let kind = traits.passedOver {
      notCORS[kind, default: 0] += 1
      return
    }
    switch traits.role {
    case .preflight: addPreflight(exchange, known ?? read(exchange), traits, browser)
    case .request: addRequest(exchange, known ?? read(exchange), traits, browser)
    case .redirectWithoutOrigin: addRedirectWithoutOrigin(exchange, browser)
    case .unrecordedOrigin: addWithUnrecordedOrigin(exchange, browser)
    }
  }

  private mutating func read(_ exchange: Exchange) -> ExchangeReading {
    readings.reading(verdicts.number(of: exchange), of: exchange)
  }

  /// Gives out everything that is still open.
  mutating func finish() {
    while let (call, browser) = deadlines.pop() { giveUp(call, browser) }
  }

  private mutating func advance(to time: EventTime) {
    now = max(now, time)
    while let (call, browser) = deadlines.pop(before: now) { giveUp(call, browser) }
    if now > nextSweep {
      nextSweep = now.advanced(by: PairingLimits.sweepInterval)
      browsers = browsers.filter { !$0.value.isForgettable(at: now) }
      recentBrowsers.forget()
      browserBytes = browsers.values.reduce(0) { $0 + $1.accountedBytes }
    }
  }

  private mutating func browser(for exchange: Exchange) -> Browser {
    if let browser = recentBrowsers[exchange.sender] {
      browser.lastSeen = now
      return browser
    }
    let browser = browserByKey(exchange)
    recentBrowsers[exchange.sender] = browser
    return browser
  }

  private mutating func browserByKey(_ exchange: Exchange) -> Browser {
    let key = BrowserKey(exchange)
    if let browser = browsers[key] {
      browser.lastSeen = now
      return browser
    }
    if browsers.count >= PairingLimits.browsers || browserBytes > PairingLimits.browserBytes {
      forgetBrowsers()
    }
    let browser = Browser(kinds.kind(of: exchange.userAgent), keyBytes: key.bytes)
    browser.lastSeen = now
    browsers[key] = browser
    return browser
  }

  /// Takes note of what a browser's memory has grown by.
  private mutating func account(_ browser: Browser) {
    browserBytes += browser.bytes - browser.accountedBytes
    browser.accountedBytes = browser.bytes
  }

  /// Forgets everything of all browsers but their open calls, which have a bound of their own.
  private mutating func forgetBrowsers() {
    notes["forgotten-browsers", default: 0] += UInt64(browsers.count)
    browsers = browsers.filter { $0.value.openCount > 0 }
    recentBrowsers.forget()
    browserBytes = 0
    for browser in browsers.values {
      browser.forget()
      browser.accountedBytes = 0
      account(browser)
    }
  }

  // MARK: Preflights

  private mutating func addPreflight(
    _ exchange: Exchange, _ reading: ExchangeReading, _ traits: ExchangeTraits, _ browser: Browser
  ) {
    let hop = CallEvidence.Hop(
      preflight: exchange, answer: reading.answer, number: reading.number)
    let call: OpenCall
    if let chain = redirectLeading(
      to: exchange, method: hop.answer?.question.method, traits, browser)
    {
      close(chain, browser)
      if chain.beganAtHome, chain.evidence.hops.count == 1 { chain.evidence.kind = .preflightOnly }
      chain.evidence.hops.append(hop)
      call = chain
    } else {
      call = OpenCall(
        CallEvidence(
          origin: traits.origin ?? "null", engine: browser.engine,
          hops: [hop],
          kind: .preflightOnly))
    }
    call.askedNames = reading.askedNames
    browser.replayCache(exchange, reading, call)
    wait(call, .request, browser)
  }

  // MARK: Requests

  private mutating func addRequest(
    _ exchange: Exchange, _ reading: ExchangeReading, _ traits: ExchangeTraits, _ browser: Browser
  ) {
    let headers = reading.scriptHeaders(browser.engine ?? .standard)
    if let call = browser.preflighted(exchange, traits, headers) {
      close(call, browser)
      browser.rememberProved(call)
      call.evidence.hops[call.evidence.hops.count - 1].add(
        request: exchange, number: reading.number)
      if call.evidence.kind == .preflightOnly { call.evidence.kind = .preflighted }
      settle(call, browser)
      return
    }
    if let chain = redirectLeading(to: exchange, method: exchange.method, traits, browser) {
      close(chain, browser)
      if chain.beganWithoutOrigin, chain.evidence.hops.count == 1, let origin = traits.origin {
        chain.evidence.origin = origin
      }
      chain.evidence.hops.append(.init(request: exchange, number: reading.number))
      settle(chain, browser)
      return
    }
    if let kind = traits.sameOriginKind {
      // The first hop of a call may be the page's own.
      if let status = exchange.status, isRedirectStatus(status) {
        let call = OpenCall(
          CallEvidence(
            origin: traits.origin ?? "null", engine: browser.engine,
            hops: [.init(request: exchange, number: reading.number)], kind: .simple),
          beganAtHome: true)
        if waitForNextHop(call, exchange, isCORS: false, browser) { return }
      }
      notCORS[kind, default: 0] += 1
      return
    }
    if case .notCORS(let kind) = reading.mode(browser.engine) {
      notCORS[kind, default: 0] += 1
      return
    }
    let call = OpenCall(
      CallEvidence(
        origin: traits.origin ?? "null", engine: browser.engine,
        hops: [.init(request: exchange, number: reading.number)],
        kind: browser.kindWithoutPreflight(exchange, headers, traits)))
    if call.evidence.kind == .preflightUnseen, clocks.mayDiffer(at: now),
      awaitingPreflight < PairingLimits.awaitingPreflight,
      !(exchange.status.map(isRedirectStatus) ?? false)
    {
      wait(call, .preflight, browser)
      if case .preflight = call.waiting { awaitingPreflight += 1 }
      return
    }
    settle(call, browser)
  }

  // MARK: Redirects

  /// The waiting call whose redirect leads to this exchange.
  private func redirectLeading(
    to exchange: Exchange, method: String?, _ traits: ExchangeTraits, _ browser: Browser
  ) -> OpenCall? {
    guard !browser.awaitingNextHop.isEmpty else { return nil }
    return browser.awaitingNextHop[exchange.url]?.first { call in
      guard let last = call.request, let status = last.status else { return false }
      if let method {
        let expected = methodAfterRedirect(last.method, status: status)
        guard method == expected || method == last.method else { return false }
      }
      let slack = 2 * max(exchange.resolution.nanoseconds, last.resolution.nanoseconds)
      guard exchange.startInterval.upperBound.advanced(by: slack) >= last.endInterval.lowerBound
      else { return false }
      guard let origin = traits.origin else { return false }
      if call.beganWithoutOrigin, call.evidence.hops.count == 1 {
        return origin == "null" || last.url.origin?.description == origin
          || last.url.host == Origin(origin)?.host
      }
      return origin == call.evidence.origin || origin == "null"
    }
  }

  private mutating func addRedirectWithoutOrigin(_ exchange: Exchange, _ browser: Browser) {
    let call = OpenCall(
      CallEvidence(
        origin: exchange.url.origin?.description ?? "null", engine: browser.engine,
        hops: [.init(request: exchange)], kind: .simple), beganAtHome: true)
    if !waitForNextHop(call, exchange, isCORS: false, browser) {
      notCORS["no-origin", default: 0] += 1
    }
  }

  /// Lets a call wait for the next hop when its response is a redirect that can be followed.
  private mutating func waitForNextHop(
    _ call: OpenCall, _ exchange: Exchange, isCORS: Bool, _ browser: Browser
  ) -> Bool {
    guard
      case .follow(let target) = httpRedirectFetch(
        from: exchange.url, status: exchange.status, response: exchange.response,
        initiator: call.evidence.origin, isCORS: isCORS,
        redirectCount: call.evidence.hops.count - 1)
    else { return false }
    wait(call, .nextHop(target), browser)
    return true
  }

  /// After a request was added: waits for the next hop, or gives the call out.
  private mutating func settle(_ call: OpenCall, _ browser: Browser) {
    guard let request = call.request else { return }
    if waitForNextHop(call, request, isCORS: true, browser) { return }
    emit(call, browser)
  }

  // MARK: Logs without an Origin

  /// A plain log: a request after an `OPTIONS` for the same URL says that this passed.
  private mutating func addWithUnrecordedOrigin(_ exchange: Exchange, _ browser: Browser) {
    let page = exchange.request.refererOrigin
    guard
      let call = browser.awaitingRequest[exchange.url]?.first(where: { call in
        guard let preflight = call.preflight, !preflight.request.records(.origin) else {
          return false
        }
        // Both name their page, by one policy: another page's preflight is another call's.
        let other = preflight.request.refererOrigin
        return (page == nil || other == nil || page == other)
          && exchange.endInterval.upperBound >= preflight.endInterval.lowerBound
      })
    else {
      notCORS["origin-not-recorded", default: 0] += 1
      noteMissingPreflight(exchange, browser)
      return
    }
    close(call, browser)
    browser.notePreflighted(exchange.url)
    call.evidence.hops[call.evidence.hops.count - 1].request = exchange
    call.evidence.kind = .preflighted
    emit(call, browser)
  }

  /// Takes note of a request of another origin's page that needs a preflight, and of which no cache that
  /// was filled here explains that there is none: then another server's log may be missing.
  private mutating func noteMissingPreflight(_ exchange: Exchange, _ browser: Browser) {
    guard !isSafelistedMethod(exchange.method), exchange.method != "OPTIONS",
      // Within an origin the whole URL is sent, to others the origin alone.
      exchange.request.first(.referer)?.hasSuffix("…") == false,
      let page = exchange.request.refererOrigin.flatMap({ origins.parsed($0) }),
      page.host != exchange.url.host, !browser.hasPreflighted(exchange.url)
    else { return }
    notes["requests-without-preflight", default: 0] += 1
  }

  // MARK: Waiting and giving out

  private mutating func wait(
    _ call: OpenCall, _ waiting: OpenCall.Waiting, _ browser: Browser
  ) {
    if browser.openCount >= PairingLimits.openCalls {
      notes["calls-given-up-early", default: 0] += 1
      emit(call, browser)
      return
    }
    let rivals = browser.waiting(waiting, as: call)
    if rivals.count >= PairingLimits.openCallsPerURL { giveUpEarly(rivals[0], browser) }
    while openCount >= PairingLimits.allOpenCalls || openBytes > PairingLimits.openBytes,
      let (oldest, owner) = deadlines.pop()
    {
      giveUpEarly(oldest, owner)
    }
    let last = call.evidence.hops.last.flatMap { $0.request ?? $0.preflight }
    let isLong = last?.timeBasis == .end
    let window = isLong ? PairingLimits.windowByEnd : PairingLimits.window
    browser.open(call, waiting)
    call.bytes = call.evidence.approximateBytes
    openCount += 1
    openBytes += call.bytes
    deadlines.push(call, browser, at: now.advanced(by: window), isLong: isLong)
  }

  /// Gives up a call whose time has not come, to bound memory.
  private mutating func giveUpEarly(_ call: OpenCall, _ browser: Browser) {
    notes["calls-given-up-early", default: 0] += 1
    giveUp(call, browser)
  }

  /// Takes a call out of waiting.
  private mutating func close(_ call: OpenCall, _ browser: Browser) {
    if case .nothing = call.waiting { return }
    if case .preflight = call.waiting { awaitingPreflight -= 1 }
    browser.close(call)
    openCount -= 1
    openBytes -= call.bytes
  }

  private mutating func giveUp(_ call: OpenCall, _ browser: Browser) {
    let waiting = call.waiting
    close(call, browser)
    defer { account(browser) }
    if joinedAcrossClocks(call, waiting, browser) { return }
    if call.beganWithoutOrigin, call.evidence.hops.count == 1 {
      notCORS["no-origin", default: 0] += 1
      return
    }
    if call.evidence.hops.count == 1, call.evidence.kind == .simple, let request = call.request,
      let kind = ExchangeTraits(request, isBrowser: browser.isBrowser, &origins).sameOriginKind
    {
      notCORS[kind, default: 0] += 1
      return
    }
    emit(call, browser)
  }

  /// A preflight that passes and is followed by nothing, and a request just before it whose preflight
  /// was not seen, are one call that two nodes with different clocks logged.
  private mutating func joinedAcrossClocks(
    _ call: OpenCall, _ waiting: OpenCall.Waiting, _ browser: Browser
  ) -> Bool {
    let candidates: [OpenCall]? =
      switch waiting {
      case .request: call.preflight.flatMap { browser.awaitingPreflight[$0.url] }
      case .preflight: call.request.flatMap { browser.awaitingRequest[$0.url] }
      case .nextHop, .nothing: nil
      }
    guard let candidates else { return false }
    for other in candidates {
      let (asking, calling) = if case .request = waiting { (call, other) } else { (other, call) }
      guard let preflight = asking.preflight, let request = calling.request,
        asking.outlook != .refused, asking.evidence.hops.count == 1, asking.answer != nil,
        let gap = clocks.gap(from: request, to: preflight)
      else { continue }
      let traits = ExchangeTraits(request, isBrowser: browser.isBrowser, &origins)
      let headers = ScriptHeaders(request.request, engine: browser.engine ?? .standard)
      guard asking.match(request, traits, headers, toleratesClocks: true) != nil
      else { continue }
      close(other, browser)
      asking.evidence.hops[0].request = request
      asking.evidence.kind = .preflighted
      notes["skewed-pairs", default: 0] += 1
      notes["skew-milliseconds"] = max(notes["skew-milliseconds"] ?? 0, UInt64(gap / 1_000_000))
      emit(asking, browser)
      return true
    }
    return false
  }

  private mutating func emit(_ call: OpenCall, _ browser: Browser) {
    let first = call.evidence.hops[0]
    let key = Browser.CacheKey(
      origin: call.evidence.origin,
      url: (first.request ?? first.preflight)?.url ?? call.evidence.exchanges[0].exchange.url)
    if call.request?.status == 304 {
      call.evidence.hasReadableStoredResponse = browser.hasReadable(key)
    }
    let verdict = verdicts.evaluate(call.evidence)
    if verdict.verdict == .allowed, verdict.method == "GET" { browser.noteReadable(key) }
    if verdict.verdict == .blocked, verdict.phase == .response,
      (browser.engine ?? .standard).differences.refusedResponseClearsCache
    {
      browser.updateCache(key) { $0.clear() }
    }
    calls.append(verdict)
  }
}
