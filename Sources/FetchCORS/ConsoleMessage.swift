internal import HTTPExchange

/// The sentence that the caller's console showed, reconstructed from the verdict.
///
/// The engines' sentences are facts of their user interface; the fragments that name the fault are
/// stable, the rest changes between versions.
///
/// - Returns: `nil` for a call that was not blocked, and for the standard, which says nothing.
public func consoleMessage(for call: Call, engine: Engine) -> String? {
  guard let reason = call.reason, let phase = call.phase else { return nil }
  let deciding = call.decidingResponse
  let status = deciding?.status.map(String.init) ?? "(null)"
  let failing = deciding?.url.description ?? call.url.description
  let parameter = call.parameter ?? ""
  switch engine {
  case .standard:
    return nil
  case .chromium:
    let place =
      call.hop > 0 ? "'\(failing)' (redirected from '\(call.url)')" : "'\(call.url)'"
    let prefix =
      "Access to fetch at \(place) from origin '\(call.origin)' has been blocked by CORS policy: "
    return prefix + chromiumText(reason, phase, parameter)
  case .firefox:
    let showsStatus = reason == .missingAllowOriginHeader || reason == .invalidStatus
    return "Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote "
      + "resource at \(failing). (Reason: \(firefoxText(reason, parameter)))."
      + (showsStatus ? " Status code: \(status)." : "")
  case .webkit:
    return webkitText(reason, phase, parameter, status, call.origin)
  }
}

private func chromiumText(_ reason: BlockedReason, _ phase: Phase, _ parameter: String) -> String {
  let header = "The 'Access-Control-Allow-Origin' header"
  let check: String? =
    switch reason {
    case .missingAllowOriginHeader:
      "No 'Access-Control-Allow-Origin' header is present on the requested resource."
    case .multipleAllowOriginValues:
      "\(header) contains multiple values '\(parameter)', but only one is allowed."
    case .invalidAllowOriginValue: "\(header) contains the invalid value '\(parameter)'."
    case .allowOriginMismatch:
      "\(header) has a value '\(parameter)' that is not equal to the supplied origin."
    case .wildcardOriginNotAllowed:
      "The value of the 'Access-Control-Allow-Origin' header in the response must not be the "
        + "wildcard '*' when the request's credentials mode is 'include'."
    case .invalidAllowCredentials:
      "The value of the 'Access-Control-Allow-Credentials' header in the response is "
        + "'\(parameter)' which must be 'true' when the request's credentials mode is 'include'."
    case .invalidStatus: "It does not have HTTP ok status."
    case .disallowedRedirect: "Redirect is not allowed for a preflight request."
    default: nil
    }
  if let check {
    return phase == .preflight
      ? "Response to preflight request doesn't pass access control check: \(check)" : check
  }
  return switch reason {
  case .invalidAllowMethodsPreflightResponse:
    "Cannot parse Access-Control-Allow-Methods response header field in preflight response."
  case .invalidAllowHeadersPreflightResponse:
    "Cannot parse Access-Control-Allow-Headers response header field in preflight response."
  case .methodDisallowedByPreflightResponse:
    "Method \(parameter) is not allowed by Access-Control-Allow-Methods in preflight response."
  case .headerDisallowedByPreflightResponse:
    "Request header field \(parameter) is not allowed by Access-Control-Allow-Headers in "
      + "preflight response."
  case .redirectContainsCredentials:
    "Redirect location '\(parameter)' contains a username and password, which is disallowed for "
      + "cross-origin requests."
  default: "The redirect to '\(parameter)' could not be followed."
  }
}

private func firefoxText(_ reason: BlockedReason, _ parameter: String) -> String {
  switch reason {
  case .missingAllowOriginHeader:
    "CORS header ‘Access-Control-Allow-Origin’ missing"
  case .multipleAllowOriginValues:
    "Multiple CORS header ‘Access-Control-Allow-Origin’ not allowed"
  case .invalidAllowOriginValue, .allowOriginMismatch:
    "CORS header ‘Access-Control-Allow-Origin’ does not match ‘\(parameter)’"
  case .wildcardOriginNotAllowed:
    "Credential is not supported if the CORS header ‘Access-Control-Allow-Origin’ is ‘*’"
  case .invalidAllowCredentials:
    "expected ‘true’ in CORS header ‘Access-Control-Allow-Credentials’"
  case .invalidStatus:
    "CORS preflight response did not succeed"
  case .disallowedRedirect: "CORS request external redirect not allowed"
  case .invalidAllowMethodsPreflightResponse:
    "invalid token ‘\(parameter)’ in CORS header ‘Access-Control-Allow-Methods’"
  case .invalidAllowHeadersPreflightResponse:
    "invalid token ‘\(parameter)’ in CORS header ‘Access-Control-Allow-Headers’"
  case .methodDisallowedByPreflightResponse:
    "Did not find method in CORS header ‘Access-Control-Allow-Methods’"
  case .headerDisallowedByPreflightResponse:
    "header ‘\(parameter)’ is not allowed according to header ‘Access-Control-Allow-Headers’ from "
      + "CORS preflight response"
  case .redirectContainsCredentials, .invalidRedirect, .unsafeRedirect, .tooManyRedirects:
    "CORS request did not succeed"
  }
}

private func webkitText(
  _ reason: BlockedReason, _ phase: Phase, _ parameter: String, _ status: String, _ origin: String
) -> String {
  switch reason {
  case .missingAllowOriginHeader, .invalidAllowOriginValue, .allowOriginMismatch:
    "Origin \(origin) is not allowed by Access-Control-Allow-Origin. Status code: \(status)"
  case .multipleAllowOriginValues:
    "Access-Control-Allow-Origin cannot contain more than one origin."
  case .wildcardOriginNotAllowed:
    "Cannot use wildcard in Access-Control-Allow-Origin when credentials flag is true."
  case .invalidAllowCredentials:
    "Credentials flag is true, but Access-Control-Allow-Credentials is not \"true\"."
  case .invalidStatus, .disallowedRedirect:
    "Preflight response is not successful. Status code: \(status)"
  case .invalidAllowMethodsPreflightResponse:
    "Header Access-Control-Allow-Methods has an invalid value: \(parameter)"
  case .invalidAllowHeadersPreflightResponse:
    "Header Access-Control-Allow-Headers has an invalid value: \(parameter)"
  case .methodDisallowedByPreflightResponse:
    "Method \(parameter) is not allowed by Access-Control-Allow-Methods."
  case .headerDisallowedByPreflightResponse:
    "Request header field \(parameter) is not allowed by Access-Control-Allow-Headers."
  case .redirectContainsCredentials, .invalidRedirect, .unsafeRedirect, .tooManyRedirects:
    "Cross-origin redirection denied by Cross-Origin Resource Sharing policy."
  }
}
