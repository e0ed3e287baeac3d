/// Why a browser refuses a response: the names of the DevTools protocol's `Network.CorsError`.
///
/// The phase is a value of its own; ``code(in:)`` writes the pair the way the protocol does.
public enum BlockedReason: String, CaseIterable, Hashable, Sendable {
  case missingAllowOriginHeader = "MissingAllowOriginHeader"
  case multipleAllowOriginValues = "MultipleAllowOriginValues"
  case invalidAllowOriginValue = "InvalidAllowOriginValue"
  case allowOriginMismatch = "AllowOriginMismatch"
  case wildcardOriginNotAllowed = "WildcardOriginNotAllowed"
  case invalidAllowCredentials = "InvalidAllowCredentials"
  case invalidStatus = "InvalidStatus"
  case disallowedRedirect = "DisallowedRedirect"
  case invalidAllowMethodsPreflightResponse = "InvalidAllowMethodsPreflightResponse"
  case invalidAllowHeadersPreflightResponse = "InvalidAllowHeadersPreflightResponse"
  case methodDisallowedByPreflightResponse = "MethodDisallowedByPreflightResponse"
  case headerDisallowedByPreflightResponse = "HeaderDisallowedByPreflightResponse"
  case redirectContainsCredentials = "RedirectContainsCredentials"
  /// The protocol has no name for it: the `Location` cannot be parsed.
  case invalidRedirect = "InvalidRedirect"
  /// The protocol has no name for it: the `Location` is neither `http` nor `https`.
  case unsafeRedirect = "UnsafeRedirect"
  /// The protocol has no name for it: the 21st redirect.
  case tooManyRedirects = "TooManyRedirects"

  /// The code as reports write it: with `Preflight` in front where the protocol has such a twin.
  public func code(in phase: Phase) -> String {
    switch self {
    case .missingAllowOriginHeader, .multipleAllowOriginValues, .invalidAllowOriginValue,
      .allowOriginMismatch, .wildcardOriginNotAllowed, .invalidAllowCredentials:
      phase == .preflight ? "Preflight" + rawValue : rawValue
    case .invalidStatus, .disallowedRedirect: "Preflight" + rawValue
    default: rawValue
    }
  }

  /// Reads what ``code(in:)`` wrote.
  public init?(code: String) {
    let plain = code.hasPrefix("Preflight") ? String(code.dropFirst(9)) : code
    guard let reason = BlockedReason(rawValue: plain) else { return nil }
    self = reason
  }

  /// The standard's step at which it arises.
  public var standardStep: (algorithm: String, step: String, link: String) {
    let fetch = "https://fetch.spec.whatwg.org/"
    return switch self {
    case .missingAllowOriginHeader: ("CORS check", "2", fetch + "#concept-cors-check")
    case .multipleAllowOriginValues, .invalidAllowOriginValue, .allowOriginMismatch,
      .wildcardOriginNotAllowed:
      ("CORS check", "4", fetch + "#concept-cors-check")
    case .invalidAllowCredentials: ("CORS check", "8", fetch + "#concept-cors-check")
    case .invalidStatus, .disallowedRedirect:
      ("CORS-preflight fetch", "7", fetch + "#cors-preflight-fetch")
    case .invalidAllowMethodsPreflightResponse, .invalidAllowHeadersPreflightResponse:
      ("CORS-preflight fetch", "7.3", fetch + "#cors-preflight-fetch")
    case .methodDisallowedByPreflightResponse:
      ("CORS-preflight fetch", "7.5", fetch + "#cors-preflight-fetch")
    case .headerDisallowedByPreflightResponse:
      ("CORS-preflight fetch", "7.7", fetch + "#cors-preflight-fetch")
    case .invalidRedirect: ("HTTP-redirect fetch", "5", fetch + "#http-redirect-fetch")
    case .unsafeRedirect: ("HTTP-redirect fetch", "6", fetch + "#http-redirect-fetch")
    case .tooManyRedirects: ("HTTP-redirect fetch", "7", fetch + "#http-redirect-fetch")
    case .redirectContainsCredentials:
      ("HTTP-redirect fetch", "9", fetch + "#http-redirect-fetch")
    }
  }
}

/// At which response of a hop a call failed.
public enum Phase: String, Hashable, Sendable {
  case preflight, response
}
