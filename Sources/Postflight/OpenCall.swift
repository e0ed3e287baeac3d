internal import FetchCORS
internal import HTTPExchange

/// A call whose end was not seen yet.
final class OpenCall {
  /// What it waits for.
  enum Waiting {
    /// The actual request of its last hop, whose preflight was seen.
    case request
    /// The next hop: its last response is a redirect to that URL.
    case nextHop(RequestURL)
    /// Its preflight, which a node whose clock goes ahead may have stamped later.
    case preflight
    case nothing
  }

  // One thread alone calls this, and nothing hands out access to what is changed: checking that for
  // each call again would cost more than what is done with it.
  @safe @exclusivity(unchecked) var evidence: CallEvidence
  @safe @exclusivity(unchecked) var waiting = Waiting.nothing
  /// When it is given up, in event time.
  @safe @exclusivity(unchecked) var deadline = EventTime(nanoseconds: .max)
  /// The header names that the preflight of the last hop asked for.
  @safe @exclusivity(unchecked) var askedNames: [HeaderName]?
  /// Bytes that it is counted with while it waits.
  @safe @exclusivity(unchecked) var bytes = 0
  /// What the last preflight's answer says of it.
  @safe @exclusivity(unchecked) var outlook = PreflightOutlook.passes

  /// Whether a request may follow a preflight.
  enum PreflightOutlook: Int {
    /// It fails in every world: a request after it needs another explanation.
    case refused
    /// Something that is not recorded decides: a request that the cache explains is not its own.
    case doubtful
    case passes
  }

  /// Whether its first request went to the page's own origin.
  let beganAtHome: Bool

  init(_ evidence: CallEvidence, beganAtHome: Bool = false) {
    self.evidence = evidence
    self.beganAtHome = beganAtHome
  }

  /// What the preflight of the last hop asked and was answered.
  var answer: PreflightAnswer? { evidence.hops.last?.answer }

  /// The preflight of the last hop.
  var preflight: Exchange? { evidence.hops.last?.preflight }

  /// The request of the last hop.
  var request: Exchange? { evidence.hops.last?.request }

  /// Whether it began with a request of the page's own origin, which carries no `Origin`.
  var beganWithoutOrigin: Bool {
    evidence.hops.first?.request.map { !$0.request.contains(.origin) } ?? false
  }
}

/// What is remembered of one browser: what is open, and what its preflight cache may hold.
final class Browser {
  let engine: Engine?
  /// Whether the user agent names a browser; `nil` when it names nothing.
  let isBrowser: Bool?
  // One thread alone calls this, and nothing hands out access to what is changed: checking that for
  // each call again would cost more than what is done with it.
  @safe @exclusivity(unchecked) var awaitingRequest: [RequestURL: [OpenCall]] = [:]
  @safe @exclusivity(unchecked) var awaitingNextHop: [RequestURL: [OpenCall]] = [:]
  @safe @exclusivity(unchecked) var awaitingPreflight: [RequestURL: [OpenCall]] = [:]
  @safe @exclusivity(unchecked) var openCount = 0
  @safe @exclusivity(unchecked) var lastSeen = EventTime(nanoseconds: .min)
  /// By hash alone, like ``readable``: thousands of browsers are remembered.
  @safe @exclusivity(unchecked) private var caches: [Int: CORSPreflightCache] = [:]
  /// Caches that there may be before expired ones are looked for.
  @safe @exclusivity(unchecked) private var cachesBeforePruning = 8
  /// By hash alone: of two URLs that share one of 64 bits, one would be taken for the other.
  @safe @exclusivity(unchecked) private var readable: Set<Int> = []

  struct CacheKey {
    var origin: String
    var url: RequestURL

    /// What tables go by; collisions cannot be chosen.
    var hash: Int {
      Int(truncatingIfNeeded: ByteHash.next(url.digest, ByteHash.secretly(origin)))
    }
  }

  /// Bytes of what is remembered, open calls aside, roughly.
  @safe @exclusivity(unchecked) private(set) var bytes: Int
  /// What of ``bytes`` is counted in the sum over all browsers.
  @safe @exclusivity(unchecked) var accountedBytes = 0

  /// - Parameter keyBytes: bytes of the texts that it is known by.
  init(_ kind: BrowserKinds.Kind, keyBytes: Int) {
    bytes = 400 + 2 * keyBytes
    engine = kind.engine
    isBrowser = kind.isBrowser
  }

  /// Lets a call wait.
  func open(_ call: OpenCall, _ waiting: OpenCall.Waiting) {
    call.waiting = waiting
    openCount += 1
    switch waiting {
    case .request:
      if let url = call.preflight?.url { awaitingRequest[url, default: []].append(call) }
    case .nextHop(let url):
      awaitingNextHop[url, default: []].append(call)
    case .preflight:
      if let url = call.request?.url { awaitingPreflight[url, default: []].append(call) }
    case .nothing:
      openCount -= 1
    }
  }

  /// Takes a call out of waiting.
  func close(_ call: OpenCall) {
    func remove(from table: inout [RequestURL: [OpenCall]], _ url: RequestURL) {
      guard var calls = table.removeValue(forKey: url) else { return }
      calls.removeAll { $0 === call }
      if !calls.isEmpty { table[url] = calls }
    }
    switch call.waiting {
    case .request:
      if let url = call.preflight?.url { remove(from: &awaitingRequest, url) }
    case .nextHop(let url):
      remove(from: &awaitingNextHop, url)
    case .preflight:
      if let url = call.request?.url { remove(from: &awaitingPreflight, url) }
    case .nothing:
      return
    }
    call.waiting = .nothing
    openCount -= 1
  }

  /// Calls that wait for a URL, for a request or for a hop.
  func waiting(_ waiting: OpenCall.Waiting, as call: OpenCall) -> [OpenCall] {
    switch waiting {
    case .request: call.preflight.flatMap { awaitingRequest[$0.url] } ?? []
    case .nextHop(let url): awaitingNextHop[url] ?? []
    case .preflight: call.request.flatMap { awaitingPreflight[$0.url] } ?? []
    case .nothing: []
    }
  }

  /// Forgets everything but what is open.
  func forget() {
    bytes -= caches.count * Self.cacheCost + readable.count * Self.readableCost + heldBytes
    heldBytes = 0
    caches = [:]
    readable = []
    cachesBeforePruning = 8
  }

  private static let cacheCost = 160
  private static let readableCost = 24
  /// Bytes of the answers in the caches, as long as they may be there.
  @safe @exclusivity(unchecked) private var heldBytes = 0

  /// Changes what the preflight cache holds for an origin and URL.
  ///
  /// - Parameter size: bytes of what is put into it.
  func updateCache(
    _ key: CacheKey, size: Int = 0, _ change: (inout CORSPreflightCache) -> Void
  ) {
    let key = key.hash
    let isNew = caches[key] == nil
    if isNew, caches.count >= cachesBeforePruning {
      let before = caches.count
      caches = caches.filter { !$0.value.isExpired(at: lastSeen) }
      if caches.count >= PairingLimits.cachedURLs { caches.removeAll() }
      bytes -= (before - caches.count) * Self.cacheCost
      if caches.isEmpty {
        bytes -= heldBytes
        heldBytes = 0
      }
      cachesBeforePruning = max(8, caches.count * 2)
    }
    if isNew { bytes += Self.cacheCost }
    bytes += size
    heldBytes += size
    change(&caches[key, default: CORSPreflightCache(engine: engine ?? .standard)])
  }

  /// What the preflight cache holds for an origin and URL.
  func cache(_ key: CacheKey) -> CORSPreflightCache? {
    caches[key.hash]
  }

  /// Remembers that a response could be read.
  func noteReadable(_ key: CacheKey) {
    if readable.count >= PairingLimits.readableURLs {
      bytes -= readable.count * Self.readableCost
      readable.removeAll()
    }
    if readable.insert(key.hash).inserted { bytes += Self.readableCost }
  }

  /// Remembers that a request to a URL followed its preflight, in a log that tells no origins.
  func notePreflighted(_ url: RequestURL) {
    noteReadable(CacheKey(origin: "", url: url))
  }

  /// Whether a request to a URL has followed its preflight.
  func hasPreflighted(_ url: RequestURL) -> Bool {
    hasReadable(CacheKey(origin: "", url: url))
  }

  /// Whether an earlier response could be read.
  func hasReadable(_ key: CacheKey) -> Bool {
    readable.contains(key.hash)
  }

  /// Whether nothing would be lost by forgetting it at that time.
  func isForgettable(at time: EventTime) -> Bool {
    openCount == 0 && lastSeen.advanced(by: PairingLimits.browserLifetime) < time
      && caches.values.allSatisfy { $0.isExpired(at: time) }
  }
}

/// What user agents say, read once for all that are equal.
struct BrowserKinds {
  struct Kind {
    var engine: Engine?
    /// Whether it names a browser; `nil` when it names nothing.
    var isBrowser: Bool?
  }

  /// User agents that are remembered: real traffic has some thousands, a flood any number.
  private static let limit = 4096
  /// Bytes of all of them.
  private static let byteLimit = 4 << 20

  private var kinds: [String: Kind] = [:]
  private var bytes = 0

  /// What a user agent says.
  mutating func kind(of userAgent: String?) -> Kind {
    guard let userAgent else { return Kind() }
    if let known = kinds[userAgent] { return known }
    if kinds.count >= Self.limit || bytes > Self.byteLimit {
      kinds.removeAll(keepingCapacity: true)
      bytes = 0
    }
    bytes += userAgent.utf8.count
    let kind = Kind(
      engine: Engine(userAgent: userAgent),
      isBrowser: userAgent.utf8.starts(with: "Mozilla/".utf8) || userAgent.contains("Mozilla/")
        || userAgent.hasPrefix("Opera/"))
    kinds[userAgent] = kind
    return kind
  }
}
