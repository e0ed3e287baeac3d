import FetchCORS
import Testing

struct VerdictCaseTests {
  static let cases = (try? VerdictCase.all.get()) ?? []

  @Test("the files of cases can be read")
  func files() throws {
    let cases = try VerdictCase.all.get()
    #expect(cases.count > 100)
    var names: Set<String> = []
    for verdictCase in cases {
      #expect(names.insert(verdictCase.name).inserted, "twice: \(verdictCase.name)")
      #expect(!verdictCase.engines.isEmpty)
    }
  }

  @Test("a case has the verdict that it states", arguments: cases)
  func verdict(verdictCase: VerdictCase) {
    for engine in verdictCase.engines {
      let call = evaluate(verdictCase.evidence, as: engine)
      let lines = VerdictCase.describe(call, stating: verdictCase.keys)
      #expect(
        lines == verdictCase.verdict,
        "\(verdictCase.file): \(verdictCase.name) (\(engine?.rawValue ?? "unknown"))")
    }
  }

  @Test("every reason has a case", arguments: BlockedReason.allCases)
  func reason(reason: BlockedReason) {
    let words = Set(Self.cases.flatMap { $0.verdict.flatMap { $0.split(separator: " ") } })
    #expect(words.contains { BlockedReason(code: String($0)) == reason })
    for phase in [Phase.preflight, .response] {
      #expect(BlockedReason(code: reason.code(in: phase)) == reason)
    }
    let step = reason.standardStep
    #expect(step.link.hasPrefix("https://fetch.spec.whatwg.org/#"))
  }

  @Test("every verdict has a case", arguments: Verdict.allCases)
  func verdictHasCase(verdict: Verdict) {
    #expect(Self.cases.contains { $0.verdict[0].hasPrefix(verdict.rawValue) })
  }

  @Test("every fact that can be missing has a case")
  func missingFacts() {
    let facts: Set<String> = [
      MissingFact.credentials, MissingFact.requestMode, MissingFact.redirectMode,
      MissingFact.actualRequest, MissingFact.crossOrigin, MissingFact.engine,
      MissingFact.response, MissingFact.storedResponse, MissingFact.origin,
      MissingFact.httpVersion,
    ]
    var unstated = facts
    for line in Self.cases.flatMap(\.verdict) where line.hasPrefix("missing ") {
      unstated.subtract(line.split(separator: " ").map(String.init))
    }
    #expect(unstated == [])
  }
}
