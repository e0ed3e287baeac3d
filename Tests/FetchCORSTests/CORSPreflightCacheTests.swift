import FetchCORS
import HTTPExchange
import TestSupport
import Testing

struct CORSPreflightCacheTests {
  private let start = EventTime(seconds: 1000)

  private func cache(
    _ engine: Engine, method: String = "PUT", names: [String] = [],
    _ fields: [(String, String?)], then: [[(String, String?)]] = []
  ) -> CORSPreflightCache {
    var cache = CORSPreflightCache(engine: engine)
    let question = PreflightQuestion(method: method, headerNames: names)
    for fields in [fields] + then {
      cache.store(answer(question, .complete(fields)), at: start)
    }
    return cache
  }

  private func answer(_ question: PreflightQuestion, _ response: MessageEvidence) -> PreflightAnswer
  {
    PreflightAnswer(
      question, origin: "https://app.example.com", status: 204, response: response)
  }

  private func allows(
    _ cache: CORSPreflightCache, _ method: String, _ names: [String] = [], at time: EventTime
  ) -> Bool {
    cache.allows(
      method: method, unsafeNames: names.map { HeaderName($0) }, at: time...time)
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
        let isAllowed = allows(cache, "PUT", at: time)
        #expect(cache.isExpired(at: time) == !isAllowed)
        return isAllowed
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
    #expect(allows(cache, "DELETE", ["x-a", "x-b"], at: start))
    #expect(!allows(cache, "PATCH", [], at: start))
    #expect(!allows(cache, "PUT", ["x-c"], at: start))
    #expect(allows(cache, "POST", ["x-a"], at: start))
    #expect(!allows(cache, "GET", ["x-c"], at: start))
    // Only Firefox asks again for a HEAD that was not listed.
    #expect(
      !allows(cache, "HEAD", ["x-a"], at: start) == (engine == .firefox))
  }

  @Test("a cached star answers, but never in Firefox, and for Authorization only in WebKit")
  func star() {
    for engine in Engine.allCases {
      let cache = cache(
        engine, names: ["x-a"],
        [("Access-Control-Allow-Methods", "*"), ("Access-Control-Allow-Headers", "*")])
      let answers = engine != .firefox
      #expect(allows(cache, "PUT", [], at: start) == answers)
      #expect(allows(cache, "PURGE", ["x-b"], at: start) == answers)
      #expect(
        allows(cache, "GET", ["authorization"], at: start)
          == (engine == .webkit))
    }
  }

  @Test("a later preflight replaces the entry in Chromium and WebKit, and adds to it elsewhere")
  func merging() {
    for engine in Engine.allCases {
      let cache = cache(
        engine, [("Access-Control-Allow-Methods", "PUT")],
        then: [[("Access-Control-Allow-Methods", "DELETE")]])
      let merges = engine == .standard || engine == .firefox
      #expect(allows(cache, "DELETE", [], at: start))
      #expect(allows(cache, "PUT", [], at: start) == merges)
    }
  }

  @Test("of more preflights for one URL than are kept the oldest goes, as if it had expired")
  func grants() {
    func cache(_ count: Int) -> CORSPreflightCache {
      self.cache(
        .firefox, [("Access-Control-Allow-Methods", "M0")],
        then: (1..<count).map { [("Access-Control-Allow-Methods", "M\($0)")] })
    }
    #expect((0..<16).allSatisfy { allows(cache(16), "M\($0)", at: start) })
    #expect(!allows(cache(17), "M0", at: start))
    #expect((1...16).allSatisfy { allows(cache(17), "M\($0)", at: start) })
  }

  @Test("an answer that is not to be cached ends what it names, but not in Firefox")
  func notCached() {
    for engine in Engine.allCases {
      let cache = cache(
        engine, [("Access-Control-Allow-Methods", "PUT, DELETE")],
        then: [
          [("Access-Control-Allow-Methods", "PUT"), ("Access-Control-Max-Age", "0")]
        ])
      #expect(
        allows(cache, "PUT", [], at: start) == (engine == .firefox))
      #expect(
        allows(cache, "DELETE", [], at: start)
          == (engine == .firefox || engine == .standard))
    }
  }

  @Test("where a list is not recorded, what passed was in it")
  func unrecorded() {
    var cache = CORSPreflightCache(engine: .chromium)
    let response = MessageEvidence(
      coverage: .only([.accessControlAllowHeaders: .firstLine]),
      fields: [HeaderField(.accessControlAllowHeaders, "x-b")])
    cache.store(
      answer(PreflightQuestion(method: "PUT", headerNames: ["x-a"]), response), at: start)
    #expect(allows(cache, "PUT", ["x-a", "x-b"], at: start))
    #expect(!allows(cache, "DELETE", [], at: start))
    cache.clear()
    #expect(!allows(cache, "PUT", [], at: start))
    #expect(cache.isExpired(at: start))
  }

  @Test("times at the end of the range do not trap")
  func extremes() {
    var cache = CORSPreflightCache(engine: .standard)
    cache.store(
      answer(
        PreflightQuestion(method: "PUT", headerNames: []),
        .complete([("Access-Control-Max-Age", "86400"), ("Access-Control-Allow-Methods", "PUT")])),
      at: EventTime(nanoseconds: .max - 1))
    #expect(
      allows(cache, "PUT", [], at: EventTime(nanoseconds: .max - 1)))
  }
}
