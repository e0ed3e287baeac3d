public import HTTPExchange

/// The CORS check: whether a page of this origin may read this response.
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
    httpVersion?.hasPrefix("HTTP/1") != true, case .recorded(let lines, let fidelity) = evidence,
    let first = lines.first
  {
    let written = lines.filter { $0 != "" }
    let kept = written.isEmpty ? [first] : written
    if kept.count < lines.count || mayHideEmptyLine(first, fidelity) {
      // Which it was, the evidence does not say: the version, or where one line ends.
      guard httpVersion?.hasPrefix("HTTP/2") == true, kept.count < lines.count else {
        findings.miss(
          httpVersion == nil
            ? MissingFact.httpVersion : HeaderName.accessControlAllowOrigin.description)
        return findings
      }
      evidence = .recorded(kept, fidelity)
    }
  }
  // 1. Let origin be the result of getting `Access-Control-Allow-Origin`.
  let allowed = CombinedValue(evidence)
  switch allowed {
  case .unrecorded:
    if case .recorded(let lines, _) = evidence, lines.count > 1,
      !engine.differences.ignoresEmptyAllowOriginLinesOverHTTP2
        || httpVersion?.hasPrefix("HTTP/1") == true
    {
      // A log that counts the lines and shows one: whatever the others say, joined they are neither
      // `*` nor an origin.
      findings.fail(.multipleAllowOriginValues)
    } else {
      findings.miss(HeaderName.accessControlAllowOrigin.description)
    }
    return findings
  case .absent:
    // 2. If origin is null, then return failure.
    findings.fail(.missingAllowOriginHeader)
    return findings
  case .prefix(let text)
  where origin.utf8.starts(with: text.utf8) || (text == "*" && !includesCredentials):
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
      findings.fail(
        mismatchReason(text, evidence: evidence, httpVersion: httpVersion, engine: engine), text)
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

/// Whether the source shows only an empty line of possibly several, or several as one.
private func mayHideEmptyLine(_ line: String?, _ fidelity: Fidelity) -> Bool {
  guard let text = line?.strippingHTTPWhitespace else { return false }
  if fidelity.contains(.firstLine) || fidelity.contains(.lastLine) { return text.isEmpty }
  return fidelity.contains(.joined) && (text.hasPrefix(",") || text.hasSuffix(","))
}

/// What an engine calls a value that is neither `*` nor the origin.
///
/// Chromium tells four kinds apart; Firefox counts lines, but over HTTP/2 its own spelling of the
/// name escapes it; WebKit looks for a comma.
private func mismatchReason(
  _ value: String, evidence: HeaderEvidence, httpVersion: String?, engine: Engine
) -> BlockedReason {
  let bytes = value.utf8
  switch engine {
  case .firefox:
    if case .recorded(let lines, _) = evidence, lines.count > 1,
      httpVersion?.hasPrefix("HTTP/2") != true
    {
      return .multipleAllowOriginValues
    }
    return .allowOriginMismatch
  case .webkit:
    return bytes.contains(UInt8(ascii: ","))
      ? .multipleAllowOriginValues : .allowOriginMismatch
  case .standard, .chromium:
    if bytes.contains(where: { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") }) {
      return .multipleAllowOriginValues
    }
    if value == "null" { return .allowOriginMismatch }
    return isURL(value) ? .allowOriginMismatch : .invalidAllowOriginValue
  }
}

/// Whether a URL parser without a base accepts the text.
///
/// - Standard: <https://url.spec.whatwg.org/#concept-basic-url-parser>
private func isURL(_ text: String) -> Bool {
  let bytes = text.utf8
  guard let first = bytes.first, (97...122).contains(first | 0x20),
    let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
    bytes[..<colon].allSatisfy({
      (48...57).contains($0) || (97...122).contains($0 | 0x20) || "+-.".utf8.contains($0)
    })
  else { return false }
  let base = RequestURL(scheme: "", host: nil, port: nil, target: "/")
  return switch base.locationURL(text) {
  case .url, .otherScheme: true
  case .invalid: false
  // A host that is not ASCII: well-formed UTF-8 has a form in ASCII, other bytes have none.
  case .unrecorded: WireText.bytes(of: text).elementsEqual(text.utf8)
  }
}
