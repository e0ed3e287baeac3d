internal import HTTPExchange

/// Tells a call step by step: what was asked, what was answered, which step of the standard said no.
///
/// Needs the call alone. Values from the wire are shown as they are: whoever prints them to a
/// terminal makes control characters visible.
public func explanation(of call: Call) -> [String] {
  var lines: [String] = []
  var place = "\(call.method) \(call.url) from \(call.origin)"
  if call.hop > 0 { place += ", \(call.hop) redirects followed" }
  lines.append(place)
  lines.append("verdict: \(call.verdict.rawValue)" + verdictDetail(call))
  lines.append(
    "kind: \(call.kind.rawValue); engine: \(call.engine); credentials: "
      + "\(call.credentials.rawValue); mode: \(call.mode.rawValue)")
  let engines = Engine(rawValue: call.engine).map { [$0] } ?? Engine.shipping
  let credentials: [Bool] =
    switch call.credentials {
    case .include: [true]
    case .notInclude: [false]
    case .unknown: [false, true]
    }
  for part in call.exchanges {
    lines.append("")
    lines += describe(part)
    for engine in engines {
      for includesCredentials in credentials {
        lines += check(part, call, engine, includesCredentials, names: engines.count > 1)
      }
    }
  }
  if !call.missing.isEmpty {
    lines += [
      "", "to decide it, the evidence would have to hold: \(call.missing.joined(separator: ", "))",
    ]
  }
  if !call.assumes.isEmpty {
    lines += ["", "taken for granted: \(call.assumes.joined(separator: ", "))"]
  }
  if let message = call.message { lines += ["", "in the console of \(call.engine): \(message)"] }
  return lines
}

private func verdictDetail(_ call: Call) -> String {
  guard let reason = call.reason, let phase = call.phase else { return "" }
  let step = reason.standardStep
  return ", at the \(phase.rawValue) of hop \(call.hop): \(reason.code(in: phase))"
    + (call.parameter.map { " (\($0))" } ?? "")
    + "; step \(step.step) of the \(step.algorithm), \(step.link)"
}

private func describe(_ part: CallExchange) -> [String] {
  let exchange = part.exchange
  var lines = [
    "\(part.role == .preflight ? "preflight" : "request") of hop \(part.hop): "
      + "\(exchange.method) \(exchange.url) at \(exchange.time.rfc3339(exchange.resolution)), "
      + "\(exchange.id)"
  ]
  for field in exchange.request.fields {
    lines.append("  > \(field.name): \(field.value ?? "(value not kept)")")
  }
  lines.append("  < status \(exchange.status.map(String.init) ?? "not seen")")
  for field in exchange.response.fields {
    lines.append("  < \(field.name): \(field.value ?? "(value not kept)")")
  }
  switch exchange.response.coverage {
  case .complete: break
  case .truncated: lines.append("  the end of the response's header block was not seen")
  case .only(let names):
    let text = names.keys.map(\.description).sorted().joined(separator: ", ")
    lines.append("  the source records of the response: \(text.isEmpty ? "no field" : text)")
  }
  return lines
}

private func check(
  _ part: CallExchange, _ call: Call, _ engine: Engine, _ includesCredentials: Bool, names: Bool
) -> [String] {
  let exchange = part.exchange
  guard let status = exchange.status, let origin = exchange.request.first(.origin) else {
    return []
  }
  let findings =
    part.role == .preflight
    ? corsPreflightFetch(
      PreflightQuestion(exchange.request), origin: origin,
      includesCredentials: includesCredentials, status: status, response: exchange.response,
      httpVersion: exchange.httpVersion, engine: engine)
    : corsCheck(
      origin: origin, includesCredentials: includesCredentials, response: exchange.response,
      httpVersion: exchange.httpVersion, engine: engine)
  var world =
    call.credentials == .unknown
    ? (includesCredentials ? "with credentials" : "without credentials") : ""
  if names { world += (world.isEmpty ? "" : ", ") + engine.rawValue }
  let prefix = "  = " + (world.isEmpty ? "" : "\(world): ")
  if findings.passes {
    let assumed =
      findings.assumes.isEmpty ? "" : ", assuming \(findings.assumes.joined(separator: ", "))"
    return [prefix + "passes\(assumed)"]
  }
  var lines = findings.faults.map { fault in
    let phase: Phase = part.role == .preflight ? .preflight : .response
    let step = fault.reason.standardStep
    return prefix + "fails: \(fault.reason.code(in: phase))"
      + (fault.parameter.map { " (\($0))" } ?? "") + ", step \(step.step) of the \(step.algorithm)"
  }
  if !findings.missing.isEmpty {
    lines.append(prefix + "not recorded: \(findings.missing.joined(separator: ", "))")
  }
  return lines
}
