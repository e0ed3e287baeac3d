import FetchCORS
import HTTPExchange
import TestSupport
import Testing

/// What holds of every verdict, over random calls.
struct EvaluatorPropertyTests {
  static let seeds: [UInt64] = [1, 2, 3, 4]
  static let rounds = 1000

  private func describe(_ evidence: CallEvidence) -> String {
    var writer = JSONWriter()
    for part in evidence.exchanges { part.exchange.write(to: &writer) }
    let engine = evidence.engine?.rawValue ?? "unknown"
    return "\(engine) \(evidence.origin)\n" + String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test("the random calls come to every verdict and to most reasons")
  func coverage() {
    var random = RandomCall(generator: SeededGenerator(seed: 9))
    var verdicts: [Verdict: Int] = [:]
    var reasons: Set<BlockedReason> = []
    for _ in 0..<8 * Self.rounds {
      let call = evaluate(random.next())
      verdicts[call.verdict, default: 0] += 1
      if let reason = call.reason { reasons.insert(reason) }
    }
    for verdict in Verdict.allCases { #expect(verdicts[verdict, default: 0] > 50) }
    #expect(Set(BlockedReason.allCases).subtracting(reasons) == [.tooManyRedirects])
  }

  /// Hiding evidence may make a verdict weaker, and so adding it never turns a certain verdict into
  /// its opposite.
  ///
  /// What a verdict assumes it names, and that may be wrong; a
  /// contradiction may be hidden with what shows it.
  @Test("what is certain of a part of the evidence is true of the whole", arguments: seeds)
  func hiding(seed: UInt64) {
    var random = RandomCall(generator: SeededGenerator(seed: seed))
    for _ in 0..<Self.rounds {
      let whole = random.next()
      let part = random.hiding(whole)
      let known = evaluate(whole)
      let seen = evaluate(part)
      guard known.verdict != .contradicted else { continue }
      switch seen.verdict {
      case .undetermined: continue
      case .allowed where !seen.assumes.isEmpty: continue
      case .allowed, .blocked, .contradicted:
        #expect(seen.verdict == known.verdict, "\(describe(whole))\n\(describe(part))")
      }
      if seen.verdict == .blocked {
        #expect(seen.phase == known.phase && seen.hop == known.hop, "\(describe(part))")
      }
    }
  }

  @Test(
    "an assumption is named where a verdict rests on it, and never under a block", arguments: seeds)
  func assumptions(seed: UInt64) {
    var random = RandomCall(generator: SeededGenerator(seed: seed))
    for _ in 0..<Self.rounds {
      let evidence = random.hiding(random.next())
      let call = evaluate(evidence)
      switch call.verdict {
      case .allowed:
        #expect(call.missing.isEmpty && call.reason == nil && call.phase == nil)
        if call.credentials == .include {
          #expect(!call.assumes.contains(Assumption.notCredentialed))
        }
      case .blocked, .contradicted:
        #expect(call.assumes.isEmpty && call.missing.isEmpty, "\(describe(evidence))")
        #expect(call.reason != nil && call.phase != nil && call.mode == .cors)
        #expect(call.verdict == .contradicted || call.decidingResponse != nil)
      case .undetermined:
        #expect(call.assumes.isEmpty)
        #expect(!call.missing.isEmpty || call.reason != nil, "\(describe(evidence))")
        #expect(Set(call.missing).count == call.missing.count)
      }
    }
  }

  @Test("a verdict of all engines is the verdict of each", arguments: seeds)
  func engines(seed: UInt64) {
    var random = RandomCall(generator: SeededGenerator(seed: seed))
    for _ in 0..<Self.rounds {
      var evidence = random.next()
      evidence.engine = nil
      let call = evaluate(evidence)
      guard call.verdict == .blocked || (call.verdict == .allowed && call.assumes.isEmpty) else {
        continue
      }
      for engine in Engine.shipping {
        let verdict = evaluate(evidence, as: engine).verdict
        // What one engine alone would contradict tells which engine it was.
        #expect(verdict == call.verdict || verdict == .contradicted, "\(describe(evidence))")
      }
    }
  }

  @Test(
    "neither unrelated fields nor the case of names nor their order change anything",
    arguments: seeds)
  func irrelevant(seed: UInt64) {
    var random = RandomCall(generator: SeededGenerator(seed: seed))
    for _ in 0..<Self.rounds {
      let evidence = random.next()
      var changed = evidence
      for index in changed.hops.indices {
        for path in [\CallEvidence.Hop.preflight, \.request] {
          guard var exchange = changed.hops[index][keyPath: path] else { continue }
          exchange.response.fields = changed.reordered(exchange.response.fields, &random.generator)
          exchange.request.fields = changed.reordered(exchange.request.fields, &random.generator)
          for name in ["Server", "Access-Control-Expose-Headers", "Allow", "X-Made-Up"] {
            exchange.response.fields.append(HeaderField(HeaderName(name), "*"))
          }
          exchange.request.fields.append(HeaderField(HeaderName("User-Agent"), "x"))
          changed.hops[index][keyPath: path] = exchange
        }
      }
      var before = evaluate(evidence)
      var after = evaluate(changed)
      before.exchanges = []
      after.exchanges = []
      #expect(before == after, "\(describe(evidence))")
    }
  }

  @Test("the same evidence has the same verdict every time")
  func deterministic() {
    var random = RandomCall(generator: SeededGenerator(seed: 5))
    for _ in 0..<Self.rounds {
      let evidence = random.hiding(random.next())
      #expect(evaluate(evidence) == evaluate(evidence))
    }
  }
}

extension CallEvidence {
  /// The fields in another order, lines of one name in theirs, each name in capital letters.
  fileprivate func reordered(
    _ fields: [HeaderField], _ generator: inout SeededGenerator
  ) -> [HeaderField] {
    var names = Array(Set(fields.map(\.name.description))).sorted()
    names.shuffle(using: &generator)
    return names.flatMap { name in
      fields.filter { $0.name.description == name }.map {
        HeaderField(HeaderName(name.uppercased()), $0.value)
      }
    }
  }
}
