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
    provesCredentials = Self.provesCredentials(evidence)
    isModeProven = Self.provesMode(evidence)
    isCrossOriginProven = Self.provesCrossOrigin(evidence)
    isRedirectModeProven = Self.provesRedirectMode(evidence)
  }

  func call() -> Call {
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
    guard let first = outcomes.first else {
      if let contradiction = removed.first {
        call.verdict = .contradicted
        fill(&call, with: contradiction.outcome)
      }
      return call
    }
    decide(&call, outcomes, first)
    if call.verdict == .blocked, engines.count == 1 {
      call.message = consoleMessage(for: call, engine: engines[0])
    }
    addStandardVerdict(&call)
    return call
  }

  private func decide(
    _ call: inout Call, _ outcomes: [(world: World, outcome: Outcome)],
    _ first: (world: World, outcome: Outcome)
  ) {
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
      fill(&call, with: allowsCredentials ? blocked[blocked.count - 1] : blocked[0])
      if Set(blocked.map { $0.faults.first }).count > 1 { call.worlds = describe(outcomes) }
      return
    }
    let withoutCredentials = outcomes.filter { !$0.world.includesCredentials }
    if allowed > 0, missing.isEmpty, !showsCredentials,
      withoutCredentials.count == allowed, !withoutCredentials.isEmpty
    {
      call.verdict = .allowed
      call.assumes = [Assumption.notCredentialed] + assumes
      call.worlds = describe(outcomes)
      return
    }
    call.verdict = .undetermined
    if hasDifference(outcomes, by: \.includesCredentials) {
      missing.append(MissingFact.credentials)
    }
    if hasDifference(outcomes, by: \.engine) { missing.append(MissingFact.engine) }
    if !isModeProven, !blocked.isEmpty { missing.append(MissingFact.requestMode) }
    if !isCrossOriginProven, !blocked.isEmpty { missing.append(MissingFact.crossOrigin) }
    call.missing = missing.isEmpty ? [MissingFact.response] : missing
    call.worlds = describe(outcomes)
    if !isModeProven, !blocked.isEmpty {
      call.worlds.append(
        WorldOutcome(assuming: ["mode=no-cors"], verdict: .allowed, hop: evidence.hops.count - 1))
    }
    if !isCrossOriginProven, !blocked.isEmpty {
      call.worlds.append(
        WorldOutcome(assuming: ["same-origin"], verdict: .allowed, hop: evidence.hops.count - 1))
    }
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
    return Call(
      time: first.time, resolution: first.resolution, verdict: .undetermined,
      hop: evidence.hops.count - 1, origin: evidence.origin, method: method, url: first.url,
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
    let origin = request.request.first(.origin) ?? evidence.origin
    var findings = corsCheck(
      origin: origin, includesCredentials: world.includesCredentials, response: request.response,
      httpVersion: request.httpVersion, engine: world.engine)
    // The browser's own revalidation is answered for a stored response, whose fields count.
    if status == 304, !findings.faults.isEmpty,
      request.response.evidence(of: .accessControlAllowOrigin) == .absent
    {
      findings = Findings()
      if !evidence.hasReadableStoredResponse { findings.miss(MissingFact.storedResponse) }
    }
    return findings
  }

  /// What a last response that is a redirect comes to; `nil` when it is the answer itself.
  private func redirectOutcome(
    _ request: Exchange, hop index: Int, in world: World
  ) -> Outcome? {
    switch httpRedirectFetch(
      from: request.url, status: request.status, response: request.response,
      initiator: evidence.origin, isCORS: isChecked[index], redirectCount: index)
    {
    case .none: return nil
    case .follow(let target):
      if isRedirectModeProven, isRefusedOnTheWayHome(request, hop: index, to: target, in: world) {
        let value = request.response.first(.accessControlAllowCredentials) ?? ""
        return .blocked(
          BlockedOutcome(
            phase: .response, hop: index, faults: [Fault(.invalidAllowCredentials, value)]))
      }
      return .unknown(missing: [MissingFact.redirectMode])
    case .unrecorded: return .unknown(missing: [HeaderName.location.description])
    case .refused(let reason, let parameter):
      guard isRedirectModeProven else { return .unknown(missing: [MissingFact.redirectMode]) }
      let fault = BlockedOutcome(phase: .response, hop: index, faults: [Fault(reason, parameter)])
      // The page got a network error, but browsers report only this one of them as CORS.
      return reason == .redirectContainsCredentials ? .blocked(fault) : .failedOtherwise(fault)
    }
  }
}

extension Evaluation {
  /// WebKit keeps the credentials of a call that began at the page's own origin, and asks the hop
  /// that sends it back there to allow them.
  private func isRefusedOnTheWayHome(
    _ request: Exchange, hop index: Int, to target: RequestURL, in world: World
  ) -> Bool {
    world.engine.differences.redirectHomeNeedsCredentials
      && !isChecked[0] && isChecked[index]
      && target.origin?.description == evidence.origin
      && request.response.records(.accessControlAllowCredentials)
      && request.response.first(.accessControlAllowCredentials) != "true"
  }
}

extension Evaluation {
  /// A cookie, or credentials that the browser manages, on a request that crosses origins.
  fileprivate static func provesCredentials(_ evidence: CallEvidence) -> Bool {
    for (index, hop) in evidence.hops.enumerated() {
      guard let request = hop.request, evidence.isChecked(hop: index) else { continue }
      if request.request.contains(.cookie) || request.request.contains(.secFetchStorageAccess) {
        return true
      }
      if let scheme = request.request.first(.authorization)?.asciiLowercased,
        ["basic", "negotiate", "ntlm"].contains(scheme),
        let asked = hop.answer?.question.headerNames,
        !asked.contains(where: { $0.asciiLowercased == "authorization" })
      {
        return true
      }
    }
    return false
  }

  /// Whether something beyond the verdict's own rules speaks for credentials.
  fileprivate var showsCredentials: Bool {
    evidence.hops.contains { hop in
      guard let request = hop.request else { return false }
      // Where cookies are not recorded, a server that allows credentials speaks for them.
      return !request.request.records(.cookie)
        && request.response.first(.accessControlAllowCredentials) == "true"
    }
  }

  /// Whether the deciding response allows credentials: of two reasons, the one that a call with
  /// credentials meets is then the likelier.
  fileprivate var allowsCredentials: Bool {
    guard let last = evidence.hops.last, let exchange = last.request ?? last.preflight else {
      return false
    }
    return exchange.response.first(.accessControlAllowCredentials) == "true"
  }

  fileprivate static func provesMode(_ evidence: CallEvidence) -> Bool {
    if evidence.hops.contains(where: { $0.preflight.map(isPreflight) ?? false }) { return true }
    return evidence.hops.contains { hop in
      hop.request.map { request in
        request.request.contains(.origin)
          && RequestModeEvidence(request, engine: evidence.engine) == .cors
      } ?? false
    }
  }

  /// `OPTIONS` with `Origin` and `Access-Control-Request-Method`; less is no preflight.
  private static func isPreflight(_ exchange: Exchange) -> Bool {
    exchange.request.contains(.origin) && exchange.request.contains(.accessControlRequestMethod)
  }

  fileprivate static func provesCrossOrigin(_ evidence: CallEvidence) -> Bool {
    evidence.hops.indices.contains { index in
      let hop = evidence.hops[index]
      if hop.preflight.map(isPreflight) ?? false { return true }
      guard let request = hop.request, request.request.contains(.origin) else { return false }
      if evidence.origin == "null" || index > 0 { return true }
      switch request.request.first(.secFetchSite) {
      case "cross-site", "same-site": return true
      default: break
      }
      guard let origin = Origin(evidence.origin), let host = request.url.host else { return false }
      if request.url.scheme == nil, request.request.showsTerminator(host: host) {
        // A terminator may have rewritten the host as well: GET and HEAD carry an Origin only
        // across origins, other methods always.
        return host != origin.host && (request.method == "GET" || request.method == "HEAD")
      }
      guard host == origin.host else { return true }
      guard let scheme = request.url.scheme, let port = request.url.port else { return false }
      return scheme != origin.scheme || port != origin.port
    }
  }

  /// A redirect that was followed, or an element, which always follows.
  fileprivate static func provesRedirectMode(_ evidence: CallEvidence) -> Bool {
    evidence.hops.count > 1
      || evidence.hops.contains { hop in
        hop.request?.request.first(.secFetchDest).map { $0 != "empty" } ?? false
      }
  }
}
