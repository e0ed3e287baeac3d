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
    location = line
  }
  let text = location.strippingHTTPWhitespace
  guard let target = url.resolving(location: text) else {
    // 5. Failure, 6. a scheme that is not HTTP(S).
    let scheme = text.prefix { $0 != ":" && $0 != "/" && $0 != "?" }
    let isForeign =
      text.contains(":") && scheme.endIndex < text.endIndex
      && !scheme.lowercased().hasPrefix("http")
    return .refused(isForeign ? .unsafeRedirect : .invalidRedirect, text)
  }
  // 7. If the redirect count is 20, then return a network error.
  if redirectCount >= 20 { return .refused(.tooManyRedirects, text) }
  // 9. and 10. Credentials in the URL: never across origins, never once tainting is "cors".
  if hasCredentials(text), isCORS || target.origin?.description != initiator {
    return .refused(.redirectContainsCredentials, text)
  }
  return .follow(target)
}

/// Whether a URL includes a user name or a password.
///
/// - Standard: <https://url.spec.whatwg.org/#include-credentials>
private func hasCredentials(_ location: String) -> Bool {
  guard let slashes = location.firstRange(of: "//") else { return false }
  let rest = location[slashes.upperBound...]
  let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" && $0 != "\\" }
  guard let at = authority.lastIndex(of: "@") else { return false }
  let userInfo = authority[..<at]
  return !userInfo.isEmpty && userInfo != ":"
}

/// The method after a redirect.
///
/// - Standard: <https://fetch.spec.whatwg.org/#http-redirect-fetch>, step 12.
public func methodAfterRedirect(_ method: String, status: Int) -> String {
  if (status == 301 || status == 302) && method == "POST" { return "GET" }
  if status == 303, method != "GET", method != "HEAD" { return "GET" }
  return method
}
