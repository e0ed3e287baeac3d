internal import FetchCORS
internal import HTTPExchange

/// Causes that lie in a redirect.
enum RedirectCauses {
  static let rules: [CauseRule] = [
    CauseRule(
      id: "redirect-with-user-info", title: "A redirect to an address with a user name",
      needs: "a Location with user name or password",
      applies: { symptoms, _ in
        symptoms.reason == .redirectContainsCredentials ? .proved : nil
      },
      sentence: { context in
        "\(context.host) redirects the call to an address that holds a user name or password, which "
          + "browsers do not follow."
      },
      fix: { _ in "Take the user info out of the Location that the server sends." }),
    CauseRule(
      id: "redirect-broken", title: "A redirect that leads nowhere",
      needs: "a Location that is no http or https URL, or the 21st redirect",
      applies: { symptoms, _ in
        switch symptoms.reason {
        case .invalidRedirect, .unsafeRedirect, .tooManyRedirects: .proved
        default: nil
        }
      },
      sentence: { context in
        context.symptoms.reason == .tooManyRedirects
          ? "The call is redirected more than 20 times, after which browsers give up."
          : "\(context.host) redirects the call to \(context.field(.location)), which is no address "
            + "that a page may call."
      },
      fix: { context in
        context.symptoms.reason == .tooManyRedirects
          ? "Break the circle of redirects." : "Correct the Location that the server sends."
      }),
    preflightRedirect(
      "preflight-redirect-login", turn: .login, title: "The preflight is sent to a login page",
      sentence: { context in
        "The preflight OPTIONS is redirected (\(context.preflightStatus)) to "
          + "\(context.field(.location)), which looks like a login: the server wants a session, and a "
          + "preflight never carries one."
      },
      fix:
        "Let OPTIONS pass without a session, and answer calls without one by 401 with CORS headers "
        + "instead of a redirect."),
    preflightRedirect(
      "preflight-redirect-slash", turn: .slash,
      title: "The preflight is redirected for a slash",
      sentence: { context in
        "The preflight OPTIONS is redirected (\(context.preflightStatus)) to the same path with or "
          + "without a slash at its end (\(context.field(.location))), and browsers never follow a "
          + "redirected preflight."
      },
      fix:
        "Let the page call the address with the slash exactly as the server wants it, or let the "
        + "server answer both."),
    preflightRedirect(
      "preflight-redirect-https", turn: .scheme,
      title: "The preflight is redirected to https",
      sentence: { context in
        "The preflight OPTIONS is redirected (\(context.preflightStatus)) to the same address with "
          + "another scheme or port (\(context.field(.location))), and browsers never follow a "
          + "redirected preflight."
      },
      fix: "Let the page call the final address, https included."),
    preflightRedirect(
      "preflight-redirect-host", turn: .www,
      title: "The preflight is redirected for www",
      sentence: { context in
        "The preflight OPTIONS is redirected (\(context.preflightStatus)) to the host's name with or "
          + "without www (\(context.field(.location))), and browsers never follow a redirected "
          + "preflight."
      },
      fix: "Let the page call the name that the server answers under."),
    preflightRedirect(
      "preflight-redirect", turn: nil, title: "The preflight is redirected",
      sentence: { context in
        "The preflight OPTIONS is redirected (\(context.preflightStatus)) to "
          + "\(context.field(.location)), and browsers never follow a redirected preflight."
      },
      fix:
        "Let the page call the final address, or let the server answer OPTIONS without a redirect."),
    CauseRule(
      id: "login-redirect", title: "The session has ended, and the call is sent to a login page",
      needs:
        "an actual request that is redirected to a login, or to another host where calls of the "
        + "route are answered otherwise",
      givesWayTo: ["redirect-dropped-authorization"],
      applies: { symptoms, around in
        guard symptoms.phase == .response, isOriginFault(symptoms.reason) else { return nil }
        if symptoms.turn == .login { return .likely }
        return symptoms.turn == .otherHost && !symptoms.isRedirected && around.goodResponses > 0
          && [302, 303, 307].contains(symptoms.responseStatus) ? .possible : nil
      },
      sentence: { context in
        "The \(context.method) request is redirected to "
          + (context.symptoms.turn == .login ? "a login page" : "another host")
          + ", as when a session has ended; "
          + "the answer there is not meant for \(context.page), so the page sees a CORS error and not "
          + "that it should sign in again."
      },
      fix: { _ in
        "Answer calls without a session by 401 with CORS headers, and keep redirects to the login for "
          + "navigations."
      }),
    CauseRule(
      id: "redirect-dropped-authorization",
      title: "A redirect to another host takes the authorization away",
      needs: "Authorization on the first hop, none after the redirect, and 401 or 403 there",
      isMasked: true,
      applies: { symptoms, _ in
        guard symptoms.isRedirected, symptoms.signs.contains(.authorizationDropped),
          isOriginFault(symptoms.reason)
        else { return nil }
        return symptoms.responseStatus == 401 || symptoms.responseStatus == 403 ? .proved : nil
      },
      sentence: { context in
        "\(context.responseStatus): the call was redirected to another host, where browsers do not send "
          + "its Authorization, so \(context.deciding?.url.host.map { context.value($0, limit: 80) } ?? "it") "
          + "refused it, without CORS headers."
      },
      fix: { _ in
        "Let the page call the final address, so that its Authorization is sent there; and add the CORS "
          + "headers to 401 answers."
      },
      plan: ServerFix.plan(.always)),
    CauseRule(
      id: "redirect-null-origin", title: "After a redirect to another host the origin is null",
      needs: "a hop after a redirect that carries Origin: null",
      givesWayTo: ["redirect-dropped-authorization", "login-redirect"],
      applies: { symptoms, _ in
        guard symptoms.phase == .response || symptoms.phase == .preflight, symptoms.isRedirected,
          symptoms.signs.contains(.nullOrigin), isOriginFault(symptoms.reason)
        else { return nil }
        return .proved
      },
      sentence: { context in
        "After a redirect from one foreign host to another the browser sends Origin: null instead of "
          + "\(context.page), and the last answer does not allow that."
      },
      fix: { _ in
        "Let the page call the final address, so that its own origin is sent; do not allow null, which "
          + "any sandboxed page could use."
      }),
    CauseRule(
      id: "redirect-without-headers", title: "The redirect itself carries no CORS headers",
      needs: "an answer of 301, 302, 303, 307 or 308 to the actual request that fails the check",
      givesWayTo: ["login-redirect", "redirect-null-origin"],
      applies: { symptoms, _ in
        guard symptoms.phase == .response, let status = symptoms.responseStatus,
          Symptoms.isRedirect(status), isOriginFault(symptoms.reason)
        else { return nil }
        return .proved
      },
      sentence: { context in
        "The \(context.method) request is redirected (\(context.responseStatus)) to "
          + "\(context.field(.location)), and the redirect does not allow the page's origin, so it is "
          + "not followed."
      },
      fix: { _ in
        "Add the CORS headers to the redirect as to any other answer, or let the page call the final "
          + "address."
      },
      plan: ServerFix.plan(.always)),
  ]

  /// Whether a response failed for what it says, or does not say, of the origin.
  static func isOriginFault(_ reason: BlockedReason?) -> Bool {
    switch reason {
    case .missingAllowOriginHeader, .allowOriginMismatch, .invalidAllowOriginValue: true
    default: false
    }
  }

  private static func preflightRedirect(
    _ id: String, turn: RedirectTurn?, title: String,
    sentence: @escaping @Sendable (CauseContext) -> String, fix: String
  ) -> CauseRule {
    CauseRule(
      id: id, title: title,
      needs: "a preflight that is answered by a redirect"
        + (turn == nil ? "" : "; where to, tells the rest"),
      givesWayTo: turn == nil
        ? [
          "preflight-redirect-login", "preflight-redirect-slash", "preflight-redirect-https",
          "preflight-redirect-host",
        ] : [],
      applies: { symptoms, _ in
        guard symptoms.phase == .preflight, let status = symptoms.preflightStatus,
          symptoms.reason == .disallowedRedirect
            || Symptoms.isRedirect(status)
              && (symptoms.reason == .invalidStatus || isOriginFault(symptoms.reason))
        else { return nil }
        guard let turn else { return .proved }
        return symptoms.turn == turn ? (turn == .login ? .likely : .proved) : nil
      },
      sentence: sentence, fix: { _ in fix })
  }
}
