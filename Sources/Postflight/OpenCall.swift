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
    case nothing
  }

  var evidence: CallEvidence
  var waiting = Waiting.nothing
  /// When it is given up, in event time.
  var deadline = EventTime(nanoseconds: .max)
  /// Whether the last preflight fails in every world: a request after it needs another explanation.
  var isPreflightRefused = false

  init(_ evidence: CallEvidence) {
    self.evidence = evidence
  }

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
  var awaitingRequest: [RequestURL: [OpenCall]] = [:]
  var awaitingNextHop: [RequestURL: [OpenCall]] = [:]
  var openCount = 0
  var lastSeen = EventTime(nanoseconds: .min)
  private var caches: [CacheKey: CORSPreflightCache] = [:]
  private var readable: Set<CacheKey> = []

  struct CacheKey: Hashable {
    var origin: String
    var url: RequestURL
  }

  init(engine: Engine?) {
    self.engine = engine
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
    case .nothing:
      return
    }
    call.waiting = .nothing
    openCount -= 1
  }

  /// Changes what the preflight cache holds for an origin and URL.
  func updateCache(_ key: CacheKey, _ change: (inout CORSPreflightCache) -> Void) {
    if caches.count >= PairingLimits.cachedURLs, caches[key] == nil {
      caches = caches.filter { !$0.value.isExpired(at: lastSeen) }
      if caches.count >= PairingLimits.cachedURLs { caches.removeAll() }
    }
    change(&caches[key, default: CORSPreflightCache(engine: engine ?? .standard)])
  }

  /// What the preflight cache holds for an origin and URL.
  func cache(_ key: CacheKey) -> CORSPreflightCache? {
    caches[key]
  }

  /// Remembers that a response could be read.
  func noteReadable(_ key: CacheKey) {
    if readable.count >= PairingLimits.readableURLs { readable.removeAll() }
    readable.insert(key)
  }

  /// Whether an earlier response could be read.
  func hasReadable(_ key: CacheKey) -> Bool {
    readable.contains(key)
  }

  /// Whether nothing would be lost by forgetting it at that time.
  func isForgettable(at time: EventTime) -> Bool {
    openCount == 0 && lastSeen.advanced(by: PairingLimits.browserLifetime) < time
  }
}
