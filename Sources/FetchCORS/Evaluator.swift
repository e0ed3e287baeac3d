internal import HTTPExchange

/// Gives the verdict on a call: the browser's decision, replayed in every world that the evidence
/// allows.
///
/// A world says what the wire does not: the credentials mode, the engine where the user agent names
/// none. What the client did next removes the worlds in which it could not have done so.
public func evaluate(_ evidence: CallEvidence, as engine: Engine? = nil) -> Call {
  Evaluation(evidence, engines: (engine ?? evidence.engine).map { [$0] } ?? Engine.shipping).call()
}

/// What a call comes to in one world.
private enum Outcome {
  case allowed(assumes: [String])
  case blocked(BlockedOutcome)
  case unknown(missing: [String])
  /// The client did what it could not have done in this world.
  case removed(BlockedOutcome)
  /// The page got a network error that is none of CORS.
  case failedOtherwise(BlockedOutcome)
}

private struct BlockedOutcome: Equatable {
  var phase: Phase
  var hop: Int
  var faults: [Fault]
}

private struct World {
  var includesCredentials: Bool
  var engine: Engine
}

private struct Evaluation {
  let evidence: CallEvidence
  let engines: [Engine]
  let provesCredentials: Bool
  let isModeProven: Bool
  let isCrossOriginProven: Bool
  let isRedirectModeProven: Bool
  /// By hop: whether the CORS check applies to its response.
  let isChecked: [Bool]

  init(_ evidence: CallEvidence, engines: [Engine]) {
    self.evidence = evidence
    self.engines = engines
    isChecked = evidence.hops.indices.map { evidence.isChecked(hop: $0) }
    provesCredentials = evidence.provesCredentials
    isModeProven = evidence.provesMode
    isCrossOriginProven = evidence.provesCrossOrigin
    isRedirectModeProven = evidence.provesRedirectMode
  }

  func call() -> Call { doubted(verdict()) }

  private func verdict() -> Call {
    let worlds = (provesCredentials ? [true] : [false, true]).flatMap { includesCredentials in
      engines.map { World(includesCredentials: includesCredentials, engine: $0) }
    }
    var outcomes: [(world: World, outcome: Outcome)] = []
    var removed: [(world: World, outcome: BlockedOutcome)] = []
    for world in worlds {
      switch outcome(in: world) {
      case .removed(let fault): removed.append((world, fault))
      case let outcome: outcomes.append((world, outcome))
      }
    }
    var call = blankCall()
    call.credentials =
      provesCredentials
      ? .include
      : !outcomes.isEmpty && !outcomes.contains { $0.world.includesCredentials }
        ? .notInclude : .unknown
    call.mode = isModeProven ? .cors : .unknown
    if outcomes.isEmpty {
      contradict(&call, removed)
      return call
    }
    decide(&call, outcomes)
    if call.verdict == .blocked, engines.count == 1 {
      call.message = consoleMessage(for: call, engine: engines[0])
    }
    addStandardVerdict(&call)
    return call
  }

  /// A verdict that rests on two exchanges having one path is none where a log names a pattern of paths.
  private func doubted(_ call: Call) -> Call {
    guard call.exchanges.count > 1 || call.kind == .cached,
      call.exchanges.contains(where: { $0.exchange.url.isPattern })
    else { return call }
    var call = call
    if call.verdict != .undetermined {
      call.worlds.append(
        WorldOutcome(assuming: ["same-path"], verdict: call.verdict, hop: call.hop))
    }
    call.verdict = .undetermined
    call.assumes = []
    call.message = nil
    call.standardVerdict = nil
    if !call.missing.contains(MissingFact.path) { call.missing.append(MissingFact.path) }
    return call
  }

  /// What is left when the client went on in every world in which CORS would have stopped it.
  private func contradict(
    _ call: inout Call, _ removed: [(world: World, outcome: BlockedOutcome)]
  ) {
    guard isModeProven, isCrossOriginProven else {
      // A world without CORS explains it: a form that was redirected, a request of one origin.
      call.missing =
        (isModeProven ? [] : [MissingFact.requestMode])
        + (isCrossOriginProven ? [] : [MissingFact.crossOrigin])
      call.worlds = worldsWithoutCORS
      return
    }
    call.verdict = .contradicted
    if let first = removed.first { fill(&call, with: first.outcome) }
  }

  private var worldsWithoutCORS: [WorldOutcome] {
    let last = evidence.hops.count - 1
    var worlds: [WorldOutcome] = []
    if !isModeProven {
      worlds.append(WorldOutcome(assuming: ["mode=no-cors"], verdict: .allowed, hop: last))
    }
    if !isCrossOriginProven {
      worlds.append(WorldOutcome(assuming: ["same-origin"], verdict: .allowed, hop: last))
    }
    return worlds
  }

  private func decide(_ call: inout Call, _ outcomes: [(world: World, outcome: Outcome)]) {
    var blocked: [BlockedOutcome] = []
    var allowed = 0
    var assumes: [String] = []
    var missing: [String] = []
    for (_, outcome) in outcomes {
      switch outcome {
      case .allowed(let assumptions):
        allowed += 1
        for assumption in assumptions where !assumes.contains(assumption) {
          assumes.append(assumption)
        }
      case .blocked(let fault): blocked.append(fault)
      case .unknown(let facts):
        for fact in facts where !missing.contains(fact) { missing.append(fact) }
      case .removed: break
      case .failedOtherwise(let fault):
        // No verdict of CORS, but the reason is worth telling.
        fill(&call, with: fault)
        call.verdict = .undetermined
        return
      }
    }
    if allowed == outcomes.count {
      call.verdict = .allowed
      call.assumes = assumes
      return
    }
    if blocked.count == outcomes.count, isModeProven, isCrossOriginProven {
      call.verdict = .blocked
      fill(&call, with: evidence.allowsCredentials ? blocked[blocked.count - 1] : blocked[0])
      if Set(blocked.map { $0.faults.first }).count > 1 { call.worlds = describe(outcomes) }
      return
    }
    let withoutCredentials = outcomes.filter { !$0.world.includesCredentials }
    if !withoutCredentials.isEmpty, !evidence.showsCredentials,
      withoutCredentials.allSatisfy({ kind($0.outcome) == .allowed })
    {
      call.verdict = .allowed
      call.assumes = [Assumption.notCredentialed] + assumes
      call.worlds = describe(outcomes)
      return
    }
    call.verdict = .undetermined
    let depends = [
      (hasDifference(outcomes, by: \.includesCredentials), MissingFact.credentials),
      (hasDifference(outcomes, by: \.engine), MissingFact.engine),
      (!isModeProven && !blocked.isEmpty, MissingFact.requestMode),
      (!isCrossOriginProven && !blocked.isEmpty, MissingFact.crossOrigin),
    ]
    for (holds, fact) in depends where holds && !missing.contains(fact) { missing.append(fact) }
    call.missing = missing.isEmpty ? [MissingFact.response] : missing
    call.worlds = describe(outcomes)
    if !blocked.isEmpty { call.worlds += worldsWithoutCORS }
  }

  /// Whether two worlds that differ only in one respect differ in their outcome.
  private func hasDifference<Value: Hashable>(
    _ outcomes: [(world: World, outcome: Outcome)], by key: KeyPath<World, Value>
  ) -> Bool {
    let kinds = Dictionary(grouping: outcomes) { $0.world[keyPath: key] }
      .mapValues { Set($0.map { kind($0.outcome) }) }
    return Set(kinds.values).count > 1
  }

  private func kind(_ outcome: Outcome) -> Verdict {
    switch outcome {
    case .allowed: .allowed
    case .blocked: .blocked
    case .unknown, .failedOtherwise: .undetermined
    case .removed: .contradicted
    }
  }

  private func describe(_ outcomes: [(world: World, outcome: Outcome)]) -> [WorldOutcome] {
    outcomes.map { world, outcome in
      var assuming = [world.includesCredentials ? "credentials=include" : "credentials=not-include"]
      if engines.count > 1 { assuming.append("engine=\(world.engine.rawValue)") }
      if case .blocked(let fault) = outcome {
        return WorldOutcome(
          assuming: assuming, verdict: .blocked, phase: fault.phase, hop: fault.hop,
          reason: fault.faults.first?.reason, parameter: fault.faults.first?.parameter)
      }
      return WorldOutcome(
        assuming: assuming, verdict: kind(outcome), hop: evidence.hops.count - 1)
    }
  }

  private func fill(_ call: inout Call, with fault: BlockedOutcome) {
    call.phase = fault.phase
    call.hop = fault.hop
    call.reason = fault.faults.first?.reason
    call.parameter = fault.faults.first?.parameter
    call.otherFaults = fault.faults.dropFirst().map { $0.reason.code(in: fault.phase) }
  }

  private func blankCall() -> Call {
    let parts = evidence.exchanges
    let first = parts[0].exchange
    // A preflight stands for the request that it announces.
    let method =
      evidence.hops[0].request?.method
      ?? first.request.first(.accessControlRequestMethod) ?? first.method
    // An origin that no source recorded is no `null`; `Referer` suggests which it is.
    let isOriginRecorded = parts.contains { $0.exchange.request.records(.origin) }
    let origin =
      isOriginRecorded
      ? evidence.origin : parts.lazy.compactMap(\.exchange.request.refererOrigin).first ?? ""
    return Call(
      time: first.time, resolution: first.resolution, verdict: .undetermined,
      hop: evidence.hops.count - 1, origin: origin, method: method,
      url: first.url,
      client: first.forwardedFor ?? first.client, engine: evidence.engine?.rawValue ?? "unknown",
      userAgent: first.userAgent, kind: evidence.kind, exchanges: parts)
  }

  private func addStandardVerdict(_ call: inout Call) {
    // Elsewhere the engines allow no more than the standard.
    let mayDiffer =
      evidence.hops.contains { $0.answer?.dependsOnAuthorizationRule ?? false }
      || (engines.contains { $0.differences.ignoresEmptyAllowOriginLinesOverHTTP2 }
        && evidence.hops.contains { $0.request?.httpVersion?.hasPrefix("HTTP/2") ?? false })
    guard call.verdict == .allowed, engines != [.standard], mayDiffer else { return }
    let standard = Evaluation(evidence, engines: [.standard])
    for includesCredentials in provesCredentials ? [true] : [false] {
      let world = World(includesCredentials: includesCredentials, engine: .standard)
      switch standard.outcome(in: world) {
      case .blocked, .removed: call.standardVerdict = .blocked
      default: break
      }
    }
  }
}

extension Evaluation {
  /// Walks through the hops as the browser would in one world.
  fileprivate func outcome(in world: World) -> Outcome {
    var assumes: [String] = []
    func assume(_ more: [String]) {
      for assumption in more where !assumes.contains(assumption) { assumes.append(assumption) }
    }
    for (index, hop) in evidence.hops.enumerated() {
      if let preflight = hop.preflight {
        let findings = check(preflight: preflight, hop: index, in: world)
        let fault = BlockedOutcome(phase: .preflight, hop: index, faults: findings.faults)
        if hop.request != nil {
          // The browser went on: in this world the preflight passed, whatever is not recorded.
          if !findings.faults.isEmpty { return .removed(fault) }
        } else if !findings.faults.isEmpty {
          return .blocked(fault)
        } else if !findings.missing.isEmpty {
          return .unknown(missing: findings.missing)
        } else {
          return .unknown(missing: [MissingFact.actualRequest])
        }
      }
      guard let request = hop.request else {
        return .unknown(missing: [MissingFact.actualRequest])
      }
      let isLast = index == evidence.hops.count - 1
      var findings = Findings()
      if isChecked[index] {
        findings = check(response: request, hop: index, in: world)
      } else if request.status == nil {
        findings.miss(MissingFact.response)
      }
      if !findings.faults.isEmpty {
        let fault = BlockedOutcome(phase: .response, hop: index, faults: findings.faults)
        return isLast ? .blocked(fault) : .removed(fault)
      }
      guard isLast else { continue }
      if !findings.missing.isEmpty { return .unknown(missing: findings.missing) }
      assume(findings.assumes)
      if let end = redirectOutcome(request, hop: index, in: world) { return end }
    }
    return .allowed(assumes: assumes)
  }

  private func check(preflight: Exchange, hop index: Int, in world: World) -> Findings {
    if let answer = evidence.hops[index].answer {
      return answer.check(includesCredentials: world.includesCredentials, engine: world.engine)
    }
    var findings = Findings()
    // A log without the field: whatever the headers, a bad status ends the preflight.
    findings.miss(preflight.status == nil ? MissingFact.response : MissingFact.origin)
    return findings
  }

  private func check(response request: Exchange, hop index: Int, in world: World) -> Findings {
    guard let status = request.status else {
      var findings = Findings()
      findings.miss(MissingFact.response)
      return findings
    }
    // After a redirect the origin may have become `null`: only the request itself tells.
    let isShown = request.request.first(.origin) != nil
    let isOriginKnown =
      request.request.records(.origin)
      || evidence.hops[index].preflight?.request.records(.origin) ?? false
    // Where no source recorded the origin, only an answer that names one depends on it.
    let namesOrigin = request.response.first(.accessControlAllowOrigin).map { $0 != "*" } ?? false
    guard
      let origin = request.request.whole(.origin)
        ?? (index == 0 && !isShown && (isOriginKnown || !namesOrigin) ? evidence.origin : nil)
    else {
      var findings = Findings()
      findings.miss(MissingFact.origin)
      return findings
    }
    var findings = corsCheck(
      origin: origin, includesCredentials: world.includesCredentials, response: request.response,
      httpVersion: request.httpVersion, engine: world.engine)
    if !isOriginKnown, !findings.missing.isEmpty { findings.miss(MissingFact.origin) }
    // The browser's own revalidation is answered for a stored response: a field that the answer
    // does not repeat keeps its stored value.
    if status == 304, mayBeRevalidation(evidence.hops[index]), !findings.faults.isEmpty {
      let names: [HeaderName] = [.accessControlAllowOrigin, .accessControlAllowCredentials]
      let isStored = names.contains { name in
        request.response.evidence(of: name) == .absent
          && findings.faults.contains {
            $0.reason
              == (name == .accessControlAllowOrigin
                ? .missingAllowOriginHeader : .invalidAllowCredentials)
          }
      }
      if isStored {
        findings = Findings()
        if !evidence.hasReadableStoredResponse { findings.miss(MissingFact.storedResponse) }
      }
    }
    return findings
  }

  /// Whether the browser may have asked on its own whether what it stored is still good.
  private func mayBeRevalidation(_ hop: CallEvidence.Hop) -> Bool {
    let conditions = ["if-none-match", "if-modified-since", "if-range"]
    // Script that sets a condition gets the answer to it.
    if let names = hop.answer?.question.headerNames,
      names.contains(where: { conditions.contains($0.asciiLowercased) })
    {
      return false
    }
    guard case .complete = hop.request?.request.coverage else { return true }
    return conditions.contains { hop.request?.request.contains(HeaderName($0)) == true }
  }

  /// What a last response that is a redirect comes to; `nil` when it is the answer itself.
  private func redirectOutcome(_ request: Exchange, hop index: Int, in world: World) -> Outcome? {
    switch httpRedirectFetch(
      from: request.url, status: request.status, response: request.response,
      initiator: evidence.origin, isCORS: isChecked[index], redirectCount: index)
    {
    case .none: return nil
    case .follow(let target):
      guard world.engine.differences.redirectHomeNeedsCredentials, index > 0,
        !isChecked[0], isChecked[index],
        target.origin.map({ $0 == evidence.originTuple }) ?? false,
        let fault = corsCheck(
          origin: request.request.whole(.origin) ?? evidence.origin, includesCredentials: true,
          response: request.response, engine: world.engine
        ).faults.first
      else { return .unknown(missing: [MissingFact.redirectMode]) }
      // A cookie on the way out says that the credentials mode is not `omit`.
      guard evidence.hops[0].request?.request.contains(.cookie) == true else {
        return .unknown(missing: [MissingFact.credentials])
      }
      return .blocked(BlockedOutcome(phase: .response, hop: index, faults: [fault]))
    case .unrecorded: return .unknown(missing: [HeaderName.location.description])
    case .refused(let reason, let parameter):
      guard isRedirectModeProven else { return .unknown(missing: [MissingFact.redirectMode]) }
      let fault = BlockedOutcome(phase: .response, hop: index, faults: [Fault(reason, parameter)])
      // The page got a network error, but browsers report only this one of them as CORS.
      return reason == .redirectContainsCredentials ? .blocked(fault) : .failedOtherwise(fault)
    }
  }
}
