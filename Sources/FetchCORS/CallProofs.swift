internal import HTTPExchange

// What the exchanges of a call prove of the request that the page made.

extension CallEvidence {
  /// A cookie, or credentials that the browser manages, on a request that crosses origins.
  var provesCredentials: Bool {
    // On a hop that may still have been of the page's own origin, a cookie goes along in the mode
    // `same-origin` as well.
    let last = hops.count - 1
    let first = hops.indices.first { provesCrossOrigin(hop: $0) } ?? last
    return hops.indices.contains { index in
      index >= first && isChecked(hop: index) && Self.showsCredentials(hops[index])
    }
  }

  private static func showsCredentials(_ hop: Hop) -> Bool {
    guard let request = hop.request?.request else { return false }
    if request.contains(.cookie) || request.contains(.secFetchStorageAccess) { return true }
    // Script that sets `Authorization` itself has to ask for it.
    guard let scheme = request.whole(.authorization)?.asciiLowercased,
      ["basic", "negotiate", "ntlm"].contains(scheme),
      let question = hop.answer?.question, !question.isPartial,
      let asked = question.headerNames
    else { return false }
    return !asked.contains { $0.asciiLowercased == "authorization" }
  }

  /// Whether something speaks for credentials without proving them.
  var showsCredentials: Bool {
    hops.indices.contains { index in
      guard isChecked(hop: index), let request = hops[index].request else {
        return false
      }
      if Self.showsCredentials(hops[index]) { return true }
      // Where cookies are not recorded, a server that allows credentials speaks for them.
      guard !request.request.records(.cookie) else { return false }
      switch request.response.evidence(of: .accessControlAllowCredentials) {
      case .absent: return false
      case .unrecorded: return request.response.first(.accessControlAllowOrigin) != "*"
      case .recorded(let lines, _): return lines.contains { $0 == nil || $0 == "true" }
      }
    }
  }

  /// Whether the deciding response allows credentials: of two reasons, the one that a call with
  /// credentials meets is then the likelier.
  var allowsCredentials: Bool {
    guard let last = hops.last, let exchange = last.request ?? last.preflight else {
      return false
    }
    return exchange.response.first(.accessControlAllowCredentials) == "true"
  }

  /// Whether it was made in the mode `cors`.
  var provesMode: Bool {
    if hops.contains(where: { $0.preflight.map(Self.isPreflight) ?? false }) { return true }
    return hops.contains { hop in
      hop.request.map { request in
        request.request.contains(.origin)
          && RequestModeEvidence(request, engine: engine) == .cors
      } ?? false
    }
  }

  /// `OPTIONS` with `Origin` and `Access-Control-Request-Method`; less is no preflight.
  private static func isPreflight(_ exchange: Exchange) -> Bool {
    exchange.request.contains(.origin) && exchange.request.contains(.accessControlRequestMethod)
  }

  /// Whether one of its requests surely went to another origin, or came from there.
  var provesCrossOrigin: Bool {
    hops.indices.contains { provesCrossOrigin(hop: $0) }
  }

  /// Whether the request of one hop surely went to another origin, or came from there.
  private func provesCrossOrigin(hop index: Int) -> Bool {
    let hop = hops[index]
    if hop.preflight.map(Self.isPreflight) ?? false { return true }
    guard let request = hop.request, request.request.contains(.origin) else { return false }
    let isGetOrHead = request.method == "GET" || request.method == "HEAD"
    if origin == "null" || (index > 0 && isGetOrHead) { return true }
    switch request.request.whole(.secFetchSite) {
    case "cross-site", "same-site": return true
    default: break
    }
    guard let page = originTuple, let host = request.url.host else { return false }
    if request.url.scheme == nil,
      request.request.showsTerminator(host: host) || !request.request.records(.xForwardedFor)
    {
      // A terminator, seen or not recorded, may have rewritten the host as well: GET and HEAD carry
      // an Origin only across origins, other methods always.
      return host != page.host && isGetOrHead
    }
    guard host == page.host else { return true }
    guard let scheme = request.url.scheme, let port = request.url.port else { return false }
    return scheme != page.scheme || port != page.port
  }

  /// A redirect that was followed, or an element, which always follows.
  var provesRedirectMode: Bool {
    hops.count > 1
      || hops.contains { hop in
        hop.request?.request.whole(.secFetchDest).map { $0 != "empty" } ?? false
      }
  }
}
