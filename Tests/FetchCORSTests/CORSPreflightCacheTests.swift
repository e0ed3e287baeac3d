import FetchCORS
import HTTPExchange
import TestSupport
import Testing

struct CORSPreflightCacheTests {
  private let start = EventTime(seconds: 1000)
  private let id = ExchangeID(source: "a", number: 1)

  private func cache(
    _ engine: Engine, method: String = "PUT", names: [String] = [],
    _ fields: [(String, String?)], then: [(ExchangeID, [(String, String?)])] = []
  ) -> CORSPreflightCache {
    var cache = CORSPreflightCache(engine: engine)
    let question = PreflightQuestion(method: method, headerNames: names)
    cache.store(question, response: .complete(fields), at: start, id: id)
    for (id, fields) in then {
      cache.store(question, response: .complete(fields), at: start, id: id)
    }
    return cache
  }

  /// The seconds for which `Access-Control-Max-Age` makes each engine remember: standard, Chromium,
  /// Firefox, WebKit; with the recordings' cases.
  @Test(
    "Max-Age is read as each engine does",
    arguments: [
      (["600"], [600, 600, 600, 600]), (["5"], [5, 5, 5, 5]), (["1"], [1, 1, 1, 1]),
      ([], [5, 5, 5, 5]), (["0"], [0, 0, 0, 0]), ([" 60\t"], [60, 60, 60, 60]),
      (["-1"], [5, 0, 0, 0]), (["-600"], [5, 0, 0, 0]), (["-"], [5, 5, 0, 5]),
      (["+"], [5, 5, 0, 5]),
      (["+600"], [5, 600, 0, 600]), (["600s"], [5, 5, 0, 5]), (["6e2"], [5, 5, 0, 5]),
      (["0x258"], [5, 5, 0, 5]), (["600.0"], [5, 5, 0, 5]), (["\"600\""], [5, 5, 0, 5]),
      (["600, 600"], [5, 5, 0, 5]), (["600", "600"], [5, 5, 0, 5]), (["600", "60"], [5, 5, 0, 5]),
      (["garbage"], [5, 5, 0, 5]), (["6 00"], [5, 5, 0, 5]), (["６００"], [5, 5, 0, 5]),
      (["7201"], [7201, 7200, 7201, 600]), (["86401"], [86_400, 7200, 86_400, 600]),
      (["99999999999999999999"], [86_400, 5, 86_400, 5]),
      (["18446744073709551615"], [86_400, 7200, 86_400, 600]),
    ] as [([String], [Int64])])
  func maxAge(values: [String], seconds: [Int64]) {
    for (engine, seconds) in zip([Engine.standard, .chromium, .firefox, .webkit], seconds) {
      let cache = cache(
        engine,
        [("Access-Control-Allow-Methods", "PUT")] + values.map { ("Access-Control-Max-Age", $0) })
      func answers(after nanoseconds: Int64) -> Bool {
        let time = start.advanced(by: nanoseconds)
        let match = cache.match(method: "PUT", unsafeNames: [], at: time)
        #expect(cache.isExpired(at: time) == (match == nil))
        return match != nil
      }
      #expect(answers(after: 0) == (seconds > 0), "\(engine)")
      if seconds > 0 { #expect(answers(after: seconds * 1_000_000_000 - 1), "\(engine)") }
      #expect(!answers(after: seconds * 1_000_000_000), "\(engine)")
    }
  }

  @Test("what was listed answers, what was not does not", arguments: Engine.allCases)
  func listed(engine: Engine) {
    let cache = cache(
      engine, names: ["x-a"],
      [
        ("Access-Control-Allow-Methods", "PUT, DELETE"),
        ("Access-Control-Allow-Headers", "X-A, x-b"),
      ])
    #expect(cache.match(method: "DELETE", unsafeNames: ["x-a", "x-b"], at: start) == id)
    #expect(cache.match(method: "PATCH", unsafeNames: [], at: start) == nil)
    #expect(cache.match(method: "PUT", unsafeNames: ["x-c"], at: start) == nil)
    #expect(cache.match(method: "POST", unsafeNames: ["x-a"], at: start) == id)
    #expect(cache.match(method: "GET", unsafeNames: ["x-c"], at: start) == nil)
    // Only Firefox asks again for a HEAD that was not listed.
    #expect(
      (cache.match(method: "HEAD", unsafeNames: ["x-a"], at: start) == nil) == (engine == .firefox))
  }

  @Test("a cached star answers, but never in Firefox, and for Authorization only in WebKit")
  func star() {
    for engine in Engine.allCases {
      let cache = cache(
        engine, names: ["x-a"],
        [("Access-Control-Allow-Methods", "*"), ("Access-Control-Allow-Headers", "*")])
      let answers = engine != .firefox
      #expect((cache.match(method: "PUT", unsafeNames: [], at: start) != nil) == answers)
      #expect((cache.match(method: "PURGE", unsafeNames: ["x-b"], at: start) != nil) == answers)
      #expect(
        (cache.match(method: "GET", unsafeNames: ["authorization"], at: start) != nil)
          == (engine == .webkit))
    }
  }

  @Test("a later preflight replaces the entry in Chromium and WebKit, and adds to it elsewhere")
  func merging() {
    let later = ExchangeID(source: "a", number: 2)
    for engine in Engine.allCases {
      let cache = cache(
        engine, [("Access-Control-Allow-Methods", "PUT")],
        then: [(later, [("Access-Control-Allow-Methods", "DELETE")])])
      let merges = engine == .standard || engine == .firefox
      #expect(cache.match(method: "DELETE", unsafeNames: [], at: start) == later)
      #expect((cache.match(method: "PUT", unsafeNames: [], at: start) == id) == merges)
    }
  }

  @Test("an answer that is not to be cached ends what it names, but not in Firefox")
  func notCached() {
    for engine in Engine.allCases {
      let cache = cache(
        engine, [("Access-Control-Allow-Methods", "PUT, DELETE")],
        then: [
          (id, [("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Max-Age", "0")])
        ])
      #expect(
        (cache.match(method: "PUT", unsafeNames: [], at: start) != nil) == (engine == .firefox))
      #expect(
        (cache.match(method: "DELETE", unsafeNames: [], at: start) != nil)
          == (engine == .firefox || engine == .standard))
    }
  }

  @Test("of several preflights that answer together the latest is named, always")
  func deterministic() {
    let later = ExchangeID(source: "a", number: 2)
    for _ in 0..<20 {
      let cache = cache(
        .standard,
        [("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Allow-Headers", "x-a")],
        then: [(later, [("Access-Control-Allow-Headers", "x-b, x-c, x-d, x-e, x-f")])])
      #expect(
        cache.match(
          method: "PUT", unsafeNames: ["x-a", "x-b", "x-c", "x-d", "x-e", "x-f"], at: start)
          == later)
    }
  }

  @Test("where a list is not recorded, what passed was in it")
  func unrecorded() {
    var cache = CORSPreflightCache(engine: .chromium)
    let response = MessageEvidence(
      coverage: .only([.accessControlAllowHeaders: .firstLine]),
      fields: [HeaderField(.accessControlAllowHeaders, "x-b")])
    cache.store(
      PreflightQuestion(method: "PUT", headerNames: ["x-a"]), response: response, at: start, id: id)
    #expect(cache.match(method: "PUT", unsafeNames: ["x-a", "x-b"], at: start) == id)
    #expect(cache.match(method: "DELETE", unsafeNames: [], at: start) == nil)
    cache.clear()
    #expect(cache.match(method: "PUT", unsafeNames: [], at: start) == nil)
    #expect(cache.isExpired(at: start))
  }

  @Test("times at the end of the range do not trap")
  func extremes() {
    var cache = CORSPreflightCache(engine: .standard)
    cache.store(
      PreflightQuestion(method: "PUT", headerNames: []),
      response: .complete([
        ("Access-Control-Max-Age", "86400"), ("Access-Control-Allow-Methods", "PUT"),
      ]), at: EventTime(nanoseconds: .max - 1), id: id)
    #expect(
      cache.match(method: "PUT", unsafeNames: [], at: EventTime(nanoseconds: .max - 1)) == id)
  }
}
