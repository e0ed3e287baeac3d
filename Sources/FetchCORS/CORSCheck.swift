public import HTTPExchange

/// The CORS check: may a page of this origin read this response?
///
/// - Parameters:
///   - origin: the request's `Origin`, serialised: a tuple origin or `null`.
///   - includesCredentials: whether the request's credentials mode is `include`.
///   - response: the recorded header block.
///   - httpVersion: the version on the wire, where recorded.
///   - engine: whose departures from the standard hold.
/// - Standard: <https://fetch.spec.whatwg.org/#concept-cors-check>
public func corsCheck(
  origin: String, includesCredentials: Bool, response: MessageEvidence,
  httpVersion: String? = nil, engine: Engine = .standard
) -> Findings {
  var findings = Findings()
  var evidence = response.evidence(of: .accessControlAllowOrigin)
  if engine.differences.ignoresEmptyAllowOriginLinesOverHTTP2,
    httpVersion?.hasPrefix("HTTP/2") == true, case .recorded(let lines, let fidelity) = evidence,
    let first = lines.first
  {
    evidence = .recorded([first] + lines.dropFirst().filter { $0 != "" }, fidelity)
  }
  // 1. Let origin be the result of getting `Access-Control-Allow-Origin`.
  let allowed = CombinedValue(evidence)
  switch allowed {
  case .unrecorded:
    findings.miss(HeaderName.accessControlAllowOrigin.description)
    return findings
  case .absent:
    // 2. If origin is null, then return failure.
    findings.fail(.missingAllowOriginHeader)
    return findings
  case .prefix(let text) where origin.hasPrefix(text) && !text.isEmpty:
    findings.miss(HeaderName.accessControlAllowOrigin.description)
    return findings
  case .value(let text), .oneLine(let text), .prefix(let text):
    // 3. If the credentials mode is not "include" and origin is `*`, then return success.
    if text == "*" {
      if includesCredentials {
        findings.fail(.wildcardOriginNotAllowed, text)
      } else if case .oneLine = allowed {
        findings.assume(Assumption.singleLine)
      }
      return findings
    }
    // 4. If the byte-serialised request origin is not origin, then return failure.
    guard text.hasSameBytes(as: origin) else {
      findings.fail(mismatchReason(text, evidence: evidence, engine: engine), text)
      return findings
    }
    if case .oneLine = allowed { findings.assume(Assumption.singleLine) }
  }
  // 5. If the credentials mode is not "include", then return success.
  guard includesCredentials else { return findings }
  // 6. to 8. `Access-Control-Allow-Credentials` must be `true`.
  switch CombinedValue(response.evidence(of: .accessControlAllowCredentials)) {
  case .unrecorded:
    findings.miss(HeaderName.accessControlAllowCredentials.description)
  case .absent:
    findings.fail(.invalidAllowCredentials, "")
  case .value("true"):
    break
  case .oneLine("true"):
    findings.assume(Assumption.singleLine)
  case .prefix(let text) where "true".hasPrefix(text):
    findings.miss(HeaderName.accessControlAllowCredentials.description)
  case .value(let text), .oneLine(let text), .prefix(let text):
    findings.fail(.invalidAllowCredentials, text)
  }
  return findings
}

/// What an engine calls a value that is neither `*` nor the origin.
///
/// Chromium tells four kinds apart; Firefox counts lines; WebKit looks for a comma.
private func mismatchReason(
  _ value: String, evidence: HeaderEvidence, engine: Engine
) -> BlockedReason {
  switch engine {
  case .firefox:
    if case .recorded(let lines, _) = evidence, lines.count > 1 {
      return .multipleAllowOriginValues
    }
    return .allowOriginMismatch
  case .webkit:
    return value.contains(",") ? .multipleAllowOriginValues : .allowOriginMismatch
  case .standard, .chromium:
    if value.contains(" ") || value.contains(",") { return .multipleAllowOriginValues }
    if value == "null" { return .allowOriginMismatch }
    return isURL(value) ? .allowOriginMismatch : .invalidAllowOriginValue
  }
}

/// Whether a URL parser accepts the text: a scheme, and for the special ones a host.
///
/// - Standard: <https://url.spec.whatwg.org/#concept-basic-url-parser>
private func isURL(_ text: String) -> Bool {
  guard let colon = text.firstIndex(of: ":") else { return false }
  let scheme = text[..<colon].lowercased()
  guard let first = scheme.utf8.first, (97...122).contains(first),
    scheme.utf8.allSatisfy({
      (48...57).contains($0) || (97...122).contains($0) || "+-.".utf8.contains($0)
    })
  else { return false }
  guard ["http", "https", "ws", "wss", "ftp"].contains(scheme) else { return true }
  let rest = text[text.index(after: colon)...].drop { $0 == "/" || $0 == "\\" }
  let authority = rest.prefix { $0 != "/" && $0 != "\\" && $0 != "?" && $0 != "#" }
  let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
  if host.hasSuffix(":") { return Origin.split(authority: host.dropLast()) != nil }
  return Origin.split(authority: host) != nil
}
