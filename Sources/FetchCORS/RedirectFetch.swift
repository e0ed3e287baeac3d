public import HTTPExchange

/// What a redirect response makes a browser do.
public enum RedirectStep: Hashable, Sendable {
  /// No redirect: the response is the answer.
  case none
  /// The request goes on to this URL.
  case follow(RequestURL)
  /// A redirect whose target the evidence does not hold.
  case unrecorded
  /// The redirect is refused, once it is followed.
  case refused(BlockedReason, String?)
}

/// Decides what follows from a response that may be a redirect.
///
/// - Parameters:
///   - initiator: the page's origin, serialised.
///   - isCORS: whether the response tainting is `cors`.
///   - redirectCount: redirects followed before.
/// - Standard: <https://fetch.spec.whatwg.org/#http-redirect-fetch>
public func httpRedirectFetch(
  from url: RequestURL, status: Int?, response: MessageEvidence, initiator: String, isCORS: Bool,
  redirectCount: Int
) -> RedirectStep {
  guard let status, isRedirectStatus(status) else { return .none }
  let location: String
  switch response.evidence(of: .location) {
  case .unrecorded: return .unrecorded
  // 4. If locationURL is null, then return response.
  case .absent: return .none
  case .recorded(let lines, let fidelity):
    guard let line = lines.first ?? nil, !fidelity.contains(.cut) else { return .unrecorded }
    // A field that may stand once stands several times: no URL can be extracted.
    if lines.contains(where: { $0 != line }) { return .refused(.invalidRedirect, line) }
    location = line
  }
  let target: RequestURL
  let includesCredentials: Bool
  switch url.locationURL(location) {
  case .unrecorded: return .unrecorded
  // 5. If locationURL is failure, then return a network error.
  case .invalid: return .refused(.invalidRedirect, location)
  // 6. If locationURL's scheme is not an HTTP(S) scheme, then return a network error.
  case .otherScheme: return .refused(.unsafeRedirect, location)
  case .url(let url, let credentials):
    target = url
    includesCredentials = credentials
  }
  // 7. If request's redirect count is 20, then return a network error.
  if redirectCount >= 20 { return .refused(.tooManyRedirects, location) }
  // 9. Credentials in the URL of another origin, or 10. of any, once the tainting is "cors".
  if includesCredentials, isCORS || target.origin?.description != initiator {
    return .refused(.redirectContainsCredentials, location)
  }
  return .follow(target)
}

/// The method after a redirect.
///
/// - Standard: <https://fetch.spec.whatwg.org/#http-redirect-fetch>, step 12.
public func methodAfterRedirect(_ method: String, status: Int) -> String {
  if (status == 301 || status == 302) && method == "POST" { return "GET" }
  if status == 303, method != "GET", method != "HEAD" { return "GET" }
  return method
}
