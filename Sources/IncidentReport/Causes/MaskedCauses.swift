internal import FetchCORS
internal import HTTPExchange

/// Causes whose true fault is a status: CORS only hides it from the page.
enum MaskedCauses {
  static let rules: [CauseRule] = [
    masked(
      "firewall-blocked", title: "A firewall or bot filter refuses the call",
      needs: "an error status and a header of a web application firewall",
      applies: { symptoms, status, _ in
        status >= 400 && symptoms.signs.contains(.firewall) ? .likely : nil
      },
      sentence: { context in
        "\(context.statusName): a firewall or bot filter in front of \(context.host) refused "
          + "\(context.what); its page carries no CORS headers, so the page saw a CORS error."
      },
      fix: { _ in
        "Let preflights pass the filter, and look up in its log which rule refused the calls."
      }),
    masked(
      "rate-limited", title: "Too many requests, answered without CORS headers",
      needs: "status 429",
      givesWayTo: ["firewall-blocked"],
      applies: { _, status, _ in status == 429 ? .proved : nil },
      sentence: { context in
        let wait = context.field(.retryAfter)
        return "\(context.statusName): the rate limit of \(context.host) refused \(context.what)"
          + (wait.isEmpty ? "" : " (Retry-After: \(wait))")
          + " without CORS headers, so the page saw a CORS error and could not know to wait."
      },
      fix: { _ in
        "Add the CORS headers to 429 answers and expose Retry-After "
          + "(Access-Control-Expose-Headers), do not count OPTIONS, and look at who sends so many."
      }, plan: ServerFix.plan(.always)),
    masked(
      "gateway-error", title: "The gateway could not reach the application",
      needs: "status 502, 503 or 504",
      givesWayTo: ["firewall-blocked"],
      applies: { _, status, _ in (502...504).contains(status) ? .proved : nil },
      sentence: { context in
        "\(context.statusName): \(context.server.map { "\($0) " } ?? "the gateway ")answered "
          + "\(context.what) itself because the application behind it was down or slow; that answer "
          + "carries no CORS headers, so the page saw a CORS error."
      },
      fix: { _ in
        "Repair the application first; then let the gateway add the CORS headers to its own error "
          + "answers, so that pages can tell an outage."
      }, plan: ServerFix.plan(.always)),
    masked(
      "gateway-rejected", title: "The API gateway refused the call itself",
      needs: "an error status and a header that an API gateway adds to its own answers",
      givesWayTo: ["firewall-blocked", "rate-limited", "gateway-error"],
      applies: { symptoms, status, _ in
        status >= 400 && symptoms.signs.contains(.gateway) ? .likely : nil
      },
      sentence: { context in
        let type = context.field(.xAmznErrorType)
        return
          "\(context.statusName): the API gateway refused \(context.what) before it reached the "
          + "application" + (type.isEmpty ? "" : " (\(type))")
          + ", and its own error answers carry no CORS headers."
      },
      fix: { _ in
        "Add the CORS headers to the gateway's own answers (gateway responses for 4xx and 5xx), and "
          + "give every route an OPTIONS method without an authoriser."
      }),
    masked(
      "storage-without-cors-rule", title: "No CORS rule of the bucket matches",
      needs: "an answer of 403 of an object store",
      givesWayTo: ["firewall-blocked"],
      applies: { symptoms, status, _ in
        status == 403 && symptoms.server == .amazonS3 ? .likely : nil
      },
      sentence: { context in
        "\(context.statusName): no CORS rule of the bucket matches \(context.page) with this method "
          + "and these headers, or the object is missing."
      },
      fix: { context in
        "Add a CORS rule with AllowedOrigins \(context.page), the method and the requested headers; "
          + "check that the object exists."
      }),
    masked(
      "cdn-refuses-options", title: "The CDN does not let OPTIONS through",
      needs: "a preflight that CloudFront answers by 403 itself",
      givesWayTo: ["firewall-blocked", "storage-without-cors-rule"],
      applies: { symptoms, status, _ in
        symptoms.phase == .preflight && status == 403 && symptoms.server == .cloudFront
          ? .likely : nil
      },
      sentence: { context in
        "\(context.statusName): the CDN refused the preflight OPTIONS itself; its behaviour for this path "
          + "allows GET and HEAD only, or does not hand on Origin and Access-Control-Request-*."
      },
      fix: { _ in
        "Allow OPTIONS in the behaviour of this path, and let it forward Origin and "
          + "Access-Control-Request-Method and -Headers, or answer from a response headers policy."
      }, plan: ServerFix.plan(.preflight)),
    masked(
      "edge-refused", title: "The CDN or filter in front refuses the call itself",
      needs: "status 403 or 406 of a content delivery network or filter that names itself",
      givesWayTo: [
        "firewall-blocked", "cdn-refuses-options", "storage-without-cors-rule",
        "unknown-origin-refused", "scanner-refused", "local-page-refused",
      ],
      applies: { symptoms, status, _ in
        (status == 403 || status == 406) && symptoms.signs.contains(.edge) ? .possible : nil
      },
      sentence: { context in
        "\(context.statusName): \(context.server ?? "the CDN") in front of \(context.host) answered "
          + "\(context.what) in its own name, without CORS headers, so the page saw a CORS error."
      },
      fix: { _ in
        "Look up in its log which rule refused the call; let preflights pass, and add the CORS headers to "
          + "its own answers where it can."
      }),
    masked(
      "body-too-large", title: "The body is too large for the server in front",
      needs: "an actual response of 413",
      givesWayTo: ["firewall-blocked", "gateway-rejected"],
      applies: { symptoms, status, _ in
        symptoms.phase == .response && status == 413 ? .proved : nil
      },
      sentence: { context in
        "\(context.statusName): \(context.server ?? context.host) refused the \(context.method) request for "
          + "its size before the application saw it; that answer carries no CORS headers, so the page saw "
          + "a CORS error."
      },
      fix: { _ in
        "Raise the limit (nginx: client_max_body_size, Apache: LimitRequestBody) or send less, and add "
          + "the CORS headers to the server's own errors."
      }, plan: ServerFix.plan(.always)),
    masked(
      "preflight-auth-401", title: "Authentication is asked of the preflight",
      needs: "a preflight that is answered by 401 or 407",
      givesWayTo: ["firewall-blocked", "gateway-rejected"],
      applies: { symptoms, status, _ in
        symptoms.phase == .preflight && (status == 401 || status == 407) ? .proved : nil
      },
      sentence: { context in
        "\(context.statusName): the preflight OPTIONS was asked to authenticate, but browsers never "
          + "send credentials with a preflight, so the \(context.method) request was never sent."
      },
      fix: { _ in
        "Answer OPTIONS before authentication: put the CORS handler in front of the layer that asks "
          + "for credentials."
      }, plan: ServerFix.plan(.preflight)),
    masked(
      "preflight-forbidden-403", title: "The preflight is forbidden",
      needs: "a preflight that is answered by 403",
      givesWayTo: [
        "firewall-blocked", "gateway-rejected", "storage-without-cors-rule", "cdn-refuses-options",
        "edge-refused", "unknown-origin-refused", "local-page-refused", "scanner-refused",
        "similar-origin-refused", "subdomain-not-matched",
      ],
      applies: { symptoms, status, around in
        guard symptoms.phase == .preflight, status == 403 else { return nil }
        return around.otherOriginsAllowed > 0 && around.allowed == 0 ? nil : .likely
      },
      sentence: { context in
        "\(context.statusName): an access rule refused the preflight OPTIONS, so the "
          + "\(context.method) request was never sent."
      },
      fix: { _ in
        "Let OPTIONS pass the access rules (a preflight never carries credentials), and check that "
          + "the origin is on the allow list."
      }, plan: ServerFix.plan(.preflight)),
    masked(
      "options-not-routed", title: "Nothing answers OPTIONS",
      needs: "a preflight that is answered by 404, 405 or 501, or by a bare Allow",
      givesWayTo: [
        "firewall-blocked", "gateway-rejected", "preflight-without-headers",
        "preflight-routed-elsewhere", "unknown-origin-refused", "local-page-refused",
        "scanner-refused", "similar-origin-refused", "subdomain-not-matched",
      ],
      applies: { symptoms, status, around in
        guard symptoms.phase == .preflight else { return nil }
        if [404, 405, 501].contains(status) { return .proved }
        return status < 300 && symptoms.signs.contains(.allow) && symptoms.allowOrigin == .absent
          && around.otherOriginsAllowed == 0 ? .likely : nil
      },
      sentence: { context in
        let allow = context.field(.allow)
        return "\(context.statusName): no handler of \(context.host) answers the preflight OPTIONS"
          + (allow.isEmpty ? "" : " (Allow: \(allow))")
          + ", so the \(context.method) request was never sent."
      },
      fix: { _ in
        "Route OPTIONS of this path to the CORS handler, or let the server in front answer it."
      }, plan: ServerFix.plan(.preflight)),
    masked(
      "preflight-timeout", title: "The preflight was not answered in time",
      needs: "a preflight with status 408 or 499",
      applies: { symptoms, status, _ in
        symptoms.phase == .preflight && (status == 408 || status == 499) ? .likely : nil
      },
      sentence: { context in
        "\(context.statusName): the preflight OPTIONS was not answered before the client or the "
          + "server gave up."
      },
      fix: { _ in
        "Answer OPTIONS at the edge, without the application, and let it be cached "
          + "(Access-Control-Max-Age)."
      }),
    masked(
      "preflight-error-status", title: "The preflight is answered by an error",
      needs: "a preflight with any other status of 400 and above",
      givesWayTo: [
        "firewall-blocked", "rate-limited", "gateway-error", "gateway-rejected",
        "storage-without-cors-rule", "cdn-refuses-options", "edge-refused", "preflight-auth-401",
        "preflight-forbidden-403", "options-not-routed", "preflight-timeout",
        "unknown-origin-refused", "scanner-refused", "local-page-refused",
        "similar-origin-refused", "subdomain-not-matched",
      ],
      applies: { symptoms, status, around in
        guard symptoms.phase == .preflight, status >= 400 else { return nil }
        return status == 403 && around.otherOriginsAllowed > 0 ? nil : .proved
      },
      sentence: { context in
        "\(context.statusName): the server answered the preflight OPTIONS by an error, so the "
          + "\(context.method) request was never sent."
      },
      fix: { _ in
        "Answer OPTIONS by 204 with the CORS headers, before the application looks at the request."
      }, plan: ServerFix.plan(.preflight)),
    masked(
      "unhandled-exception", title: "An exception is answered outside the CORS layer",
      needs: "an actual response of 500 without Access-Control-Allow-Origin",
      givesWayTo: ["firewall-blocked", "gateway-rejected"],
      applies: { symptoms, status, around in
        guard symptoms.phase == .response, status == 500, symptoms.allowOrigin == .absent else {
          return nil
        }
        return around.goodResponses > 0 ? .likely : .possible
      },
      sentence: { context in
        "\(context.statusName): the application failed, and the answer was made outside the layer "
          + "that adds the CORS headers, so the page saw a CORS error in place of the failure."
      },
      fix: { _ in
        "Find the exception in the application's log; then put the CORS layer outside of error "
          + "handling, so that error answers carry its headers."
      }, plan: ServerFix.plan(.always)),
    masked(
      "error-page-without-headers", title: "Error answers carry no CORS headers",
      needs: "an actual response of 400 and above without Access-Control-Allow-Origin",
      givesWayTo: [
        "firewall-blocked", "rate-limited", "gateway-error", "gateway-rejected",
        "storage-without-cors-rule", "edge-refused", "body-too-large", "unhandled-exception",
        "redirect-dropped-authorization", "unknown-origin-refused", "scanner-refused",
        "local-page-refused",
      ],
      applies: { symptoms, status, around in
        guard symptoms.phase == .response, status >= 400, symptoms.allowOrigin == .absent else {
          return nil
        }
        return around.goodResponses > 0 ? .proved : .possible
      },
      sentence: { context in
        "\(context.statusName): "
          + (context.surroundings.goodResponses > 0
            ? "good answers of this route carry the CORS headers, this error does not"
            : "the error answer carries no CORS headers")
          + ", so the page saw a CORS error in place of the status."
      },
      fix: { context in
        "Look at why the server answers \(context.statusName); and add the CORS headers to error "
          + "answers as well."
      }, plan: ServerFix.plan(.always)),
  ]

  private static func masked(
    _ id: String, title: String, needs: String, givesWayTo: Set<String> = [],
    applies: @escaping @Sendable (Symptoms, Int, Surroundings) -> Certainty?,
    sentence: @escaping @Sendable (CauseContext) -> String,
    fix: @escaping @Sendable (CauseContext) -> String,
    plan: @escaping @Sendable (CauseContext) -> FixPlan? = { _ in nil }
  ) -> CauseRule {
    CauseRule(
      id: id, title: title, needs: needs, isMasked: true, givesWayTo: givesWayTo,
      applies: { symptoms, around in
        let status =
          symptoms.phase == .preflight ? symptoms.preflightStatus : symptoms.responseStatus
        guard let status,
          symptoms.reason == .invalidStatus || RedirectCauses.isOriginFault(symptoms.reason)
        else { return nil }
        return applies(symptoms, status, around)
      },
      sentence: sentence, fix: fix, plan: plan)
  }
}
