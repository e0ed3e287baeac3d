internal import FetchCORS
internal import HTTPExchange

/// Causes for an answer, not an error, that does not allow the page's origin.
enum OriginCauses {
  private static func isNoError(_ symptoms: Symptoms) -> Bool {
    let status = symptoms.phase == .preflight ? symptoms.preflightStatus : symptoms.responseStatus
    return status.map { $0 < 400 } ?? true
  }

  /// Whether the page's origin is not named although other pages may call, and nothing of it passed.
  private static func isRefused(_ symptoms: Symptoms, _ around: Surroundings) -> Bool {
    let status = symptoms.phase == .preflight ? symptoms.preflightStatus : symptoms.responseStatus
    return
      (RedirectCauses.isOriginFault(symptoms.reason)
      || symptoms.reason == .invalidStatus && status == 403)
      && (symptoms.allowOrigin == .absent || symptoms.allowOrigin == .otherOrigin)
      && status.map({ $0 < 300 || $0 == 403 }) ?? false && around.allowed == 0
      && around.otherRoutesAllowed == 0 && !symptoms.signs.contains(.nullOrigin)
  }

  static let rules: [CauseRule] = [
    CauseRule(
      id: "cached-for-other-origin", title: "A cache gives out a copy made for another page",
      needs: "a cache hit (Age, X-Cache) without the page's origin",
      applies: { symptoms, around in
        guard symptoms.phase == .response, symptoms.signs.contains(.cacheHit),
          symptoms.responseStatus ?? 0 < 400, RedirectCauses.isOriginFault(symptoms.reason)
        else { return nil }
        if symptoms.allowOrigin == .otherOrigin { return .likely }
        if case .nearMiss = symptoms.allowOrigin, around.allowed == 0 { return nil }
        return around.goodResponses > 0 || !symptoms.signs.contains(.variesByOrigin)
          ? (around.allowed > 0 ? .likely : .possible) : nil
      },
      sentence: { context in
        let age = context.field(.age)
        let what =
          context.symptoms.allowOrigin == .otherOrigin
          ? "a copy made for \(context.allowOrigin)" : "a copy made for a request without Origin"
        return "A cache answered the \(context.method) request of \(context.page) with \(what)"
          + (age.isEmpty ? "" : ", \(age) seconds old")
          + (context.symptoms.signs.contains(.variesByOrigin)
            ? "." : "; without Vary: Origin it cannot know that answers differ by page.")
      },
      fix: { _ in
        "Send Vary: Origin on every answer of this route, also on those to requests without Origin, "
          + "let the cache forward Origin, and purge the copies that it holds."
      },
      plan: ServerFix.plan(.vary)),
    CauseRule(
      id: "null-origin", title: "The page has no origin of its own",
      needs: "Origin: null without a redirect",
      isOfOnePage: true,
      applies: { symptoms, _ in
        symptoms.signs.contains(.nullOrigin) && !symptoms.isRedirected
          && RedirectCauses.isOriginFault(symptoms.reason) ? .proved : nil
      },
      sentence: { context in
        "The page has the origin null (a sandboxed frame, a local file, or an app's web view), and "
          + "\(context.host) does not allow that."
      },
      fix: { _ in
        "Serve the page from an http or https address, or give the frame allow-same-origin; do not "
          + "allow null, which any sandboxed page could use."
      }),
    CauseRule(
      id: "origin-spelling", title: "The allowed origin is spelled differently",
      needs: "Access-Control-Allow-Origin that differs by slash, case, scheme, port or www",
      isOfOnePage: true,
      givesWayTo: ["cached-for-other-origin"],
      applies: { symptoms, _ in
        guard RedirectCauses.isOriginFault(symptoms.reason) else { return nil }
        if case .nearMiss = symptoms.allowOrigin { return .proved }
        return nil
      },
      sentence: { context in
        var difference = "its spelling"
        if case .nearMiss(let what) = context.symptoms.allowOrigin { difference = what }
        return "\(context.host) allows \(context.allowOrigin), and the page's origin is "
          + "\(context.page): they differ by \(difference), and browsers compare byte for byte."
      },
      fix: { context in
        "Write the allowed origin exactly as browsers send it: \(context.page)."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "invalid-allow-origin", title: "The allowed origin is no origin",
      needs: "Access-Control-Allow-Origin that is no origin, or a pattern",
      applies: { symptoms, _ in
        guard RedirectCauses.isOriginFault(symptoms.reason) else { return nil }
        return symptoms.allowOrigin == .pattern || symptoms.allowOrigin == .invalid
          || symptoms.allowOrigin == .list ? .proved : nil
      },
      sentence: { context in
        "\(context.host) answers with Access-Control-Allow-Origin: \(context.allowOrigin), which is "
          + (context.symptoms.allowOrigin == .pattern
            ? "a pattern; browsers know none." : "no origin.")
      },
      fix: { context in
        "Compare the request's Origin on the server and answer with exactly that origin "
          + "(\(context.page)), and Vary: Origin."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "development-origin", title: "The server allows a developer's machine",
      needs: "Access-Control-Allow-Origin with localhost or a private address",
      isOfOnePage: true,
      applies: { symptoms, _ in
        RedirectCauses.isOriginFault(symptoms.reason) && symptoms.allowOrigin == .developer
          ? .proved : nil
      },
      sentence: { context in
        "\(context.host) allows \(context.allowOrigin), the page of a developer's machine, and not "
          + "\(context.page): a setting of development has come to production."
      },
      fix: { context in
        "Set the allowed origin of this environment to \(context.page), and let the server refuse to start "
          + "without such a setting."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "own-host-allowed", title: "The server allows itself in place of the page",
      needs: "Access-Control-Allow-Origin with the host that answers",
      isOfOnePage: true,
      applies: { symptoms, _ in
        RedirectCauses.isOriginFault(symptoms.reason) && symptoms.allowOrigin == .ownHost
          ? .proved : nil
      },
      sentence: { context in
        "\(context.host) answers with Access-Control-Allow-Origin: \(context.allowOrigin), which is its own "
          + "address; the header names the page that may read the answer, \(context.page)."
      },
      fix: { context in
        "Answer with the request's Origin where it is allowed (\(context.page)), not with the request's "
          + "Host."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "similar-origin-refused", title: "The allow list has the origin in another spelling",
      needs: "no allowed origin in the answer, while an origin that differs by scheme, port or www "
        + "passes",
      isOfOnePage: true,
      givesWayTo: ["cached-for-other-origin"],
      applies: { symptoms, around in
        isRefused(symptoms, around) && around.similarOrigin != nil ? .likely : nil
      },
      sentence: { context in
        "\(context.host) allows \(context.value(context.surroundings.similarOrigin ?? "", limit: 80)), and "
          + "the page's origin is \(context.page): they differ by "
          + "\(context.surroundings.similarity ?? "their spelling"), and are two origins."
      },
      fix: { context in
        "Add \(context.page) to the allow list, or send visitors of it to the name that is on the list."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "subdomain-not-matched", title: "The allow list misses one of the site's own names",
      needs: "no allowed origin in the answer, while another origin of the same site passes",
      isOfOnePage: true,
      givesWayTo: ["cached-for-other-origin", "similar-origin-refused"],
      applies: { symptoms, around in
        isRefused(symptoms, around) && around.siblingOrigin != nil ? .likely : nil
      },
      sentence: { context in
        "\(context.host) allows \(context.value(context.surroundings.siblingOrigin ?? "", limit: 80)), and "
          + "not \(context.page) of the same site: the list or its pattern does not cover that name."
      },
      fix: { context in
        "Add \(context.page) to the allow list; in a pattern escape the dots, anchor both ends, and allow "
          + "for the port."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "static-asset-without-headers",
      title: "A font, script or image is served without CORS headers",
      needs: "Sec-Fetch-Dest of a file that the page embeds, and answers without the header",
      applies: { symptoms, around in
        symptoms.phase == .response && symptoms.reason == .missingAllowOriginHeader
          && symptoms.signs.contains(.asset) && symptoms.responseStatus ?? 0 < 300
          && around.allowed == 0 && around.otherOriginsAllowed == 0 ? .proved : nil
      },
      sentence: { context in
        "The page embeds a file of \(context.host) in a way that needs CORS (fonts and modules always do, "
          + "images and scripts with crossorigin), and it is served without "
          + "Access-Control-Allow-Origin."
      },
      fix: { _ in
        "Serve the files with Access-Control-Allow-Origin: *, or take the crossorigin attribute off what "
          + "does not need it."
      },
      plan: ServerFix.plan(.always)),
    CauseRule(
      id: "preflight-without-headers", title: "Only the actual answers carry the CORS headers",
      needs: "a preflight of 2xx without the header, while actual responses of the route carry it",
      givesWayTo: ["preflight-routed-elsewhere"],
      applies: { symptoms, around in
        symptoms.phase == .preflight && symptoms.reason == .missingAllowOriginHeader
          && symptoms.allowOrigin == .absent && symptoms.preflightStatus ?? 0 < 300
          && around.goodResponses > 0 ? .likely : nil
      },
      sentence: { context in
        "The preflight OPTIONS is answered by \(context.preflightStatus) without "
          + "Access-Control-Allow-Origin, while answers of this route to other requests carry it: what "
          + "answers OPTIONS has headers of its own (in nginx an if block or a location with one "
          + "add_header inherits none)."
      },
      fix: { _ in "Add the CORS headers to the answers to OPTIONS of this route as well." },
      plan: ServerFix.plan(.preflight)),
    CauseRule(
      id: "preflight-routed-elsewhere", title: "OPTIONS goes to another server than the calls",
      needs:
        "a preflight of 2xx without the header from another Server than the route's good answers",
      applies: { symptoms, around in
        guard symptoms.phase == .preflight, symptoms.reason == .missingAllowOriginHeader,
          symptoms.allowOrigin == .absent, symptoms.preflightStatus ?? 0 < 300,
          let usual = around.usualServer
        else { return nil }
        let family = ServerFamily(name: usual)
        return symptoms.server != .unknown && family != .unknown && family != symptoms.server
          ? .likely : nil
      },
      sentence: { context in
        "The preflight OPTIONS is answered by \(context.server ?? "one server") without CORS headers, while "
          + "other requests of this route are answered by "
          + "\(context.value(context.surroundings.usualServer ?? "", limit: 60)): a rule of the router "
          + "sends them to different places."
      },
      fix: { _ in
        "Route OPTIONS to the same place as the other methods of this path, or let what is in front "
          + "answer it."
      },
      plan: ServerFix.plan(.preflight)),
    CauseRule(
      id: "headers-only-on-preflight", title: "Only the preflight carries the CORS headers",
      needs: "a preflight that allowed the origin and an actual response without the header",
      applies: { symptoms, around in
        symptoms.phase == .response && symptoms.reason == .missingAllowOriginHeader
          && symptoms.signs.contains(.preflightAllowedOrigin) && around.goodResponses == 0
          ? .proved : nil
      },
      sentence: { context in
        "The preflight allowed \(context.page), but the answer to the \(context.method) request "
          + "itself (\(context.responseStatus)) carries no Access-Control-Allow-Origin; it is needed "
          + "on both."
      },
      fix: { _ in "Add Access-Control-Allow-Origin to the actual responses of this route as well."
      },
      plan: ServerFix.plan(.always)),
    CauseRule(
      id: "inconsistent-answers",
      title: "Some answers of the route carry the headers, others do not",
      needs: "good answers of the same page and route beside answers without the header",
      givesWayTo: [
        "cached-for-other-origin", "headers-only-on-preflight", "preflight-without-headers",
        "preflight-routed-elsewhere", "redirect-without-headers", "login-redirect",
        "redirect-null-origin", "null-origin",
      ],
      applies: { symptoms, around in
        symptoms.reason == .missingAllowOriginHeader && isNoError(symptoms) && around.allowed > 0
          ? .likely : nil
      },
      sentence: { context in
        "The answer to \(context.what) (\(context.statusName)) carries no "
          + "Access-Control-Allow-Origin, while "
          + "\(DisplayText.counted(context.surroundings.allowed, "other call")) of this page to this "
          + "route passed: a release changed it, or servers behind the same name differ."
      },
      fix: { _ in
        "Compare the first bad answer with the last good one below, and bring every server of the "
          + "route to the same configuration."
      }, plan: ServerFix.plan(.always)),
    CauseRule(
      id: "origin-not-allowed", title: "The page's origin is not on the allow list",
      needs: "another origin in the answer, or calls of other pages that pass",
      isOfOnePage: true,
      givesWayTo: [
        "cached-for-other-origin", "null-origin", "origin-spelling", "development-origin",
        "own-host-allowed", "similar-origin-refused", "subdomain-not-matched",
        "unknown-origin-refused", "scanner-refused", "local-page-refused",
        "redirect-without-headers", "redirect-null-origin", "login-redirect",
        "headers-only-on-preflight", "preflight-without-headers", "preflight-routed-elsewhere",
        "inconsistent-answers", "invalid-allow-origin",
      ],
      applies: { symptoms, around in
        guard RedirectCauses.isOriginFault(symptoms.reason) else { return nil }
        if symptoms.allowOrigin == .otherOrigin || symptoms.allowOrigin == .null { return .proved }
        return around.otherOriginsAllowed > 0 ? .likely : nil
      },
      sentence: { context in
        switch context.symptoms.allowOrigin {
        case .otherOrigin, .null:
          "\(context.host) allows \(context.allowOrigin) only, and the page's origin is "
            + "\(context.page)."
        default:
          "\(context.host) allows other pages"
            + (context.surroundings.otherOrigin.map { " (\(context.value($0, limit: 80)))" } ?? "")
            + " on this route, but not \(context.page)."
        }
      },
      fix: { context in
        "If \(context.page) is yours, add it to the allow list, with scheme and port; if not, the "
          + "refusal is right and nothing needs to change."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "no-cors-configured", title: "The route has no CORS configuration",
      needs: "answers without Access-Control-Allow-Origin, and no call to the route that passes",
      givesWayTo: [
        "cached-for-other-origin", "null-origin", "similar-origin-refused", "subdomain-not-matched",
        "static-asset-without-headers", "headers-only-on-preflight", "options-not-routed",
        "redirect-without-headers", "redirect-null-origin", "login-redirect",
        "unknown-origin-refused", "scanner-refused", "local-page-refused",
        "preflight-without-headers", "preflight-routed-elsewhere",
      ],
      applies: { symptoms, around in
        symptoms.reason == .missingAllowOriginHeader && symptoms.allowOrigin == .absent
          && isNoError(symptoms) && around.allowed == 0 && around.otherOriginsAllowed == 0
          ? (around.calls >= 3 ? .likely : .possible) : nil
      },
      sentence: { context in
        "\(context.host) answers \(context.what) (\(context.statusName)) without any "
          + "Access-Control-Allow-Origin, and no page's call to this route passes: CORS is not "
          + "configured here."
      },
      fix: { context in
        "If \(context.page) shall use this route, let it answer with Access-Control-Allow-Origin: "
          + "\(context.page) and Vary: Origin, on every status."
      },
      plan: { context in
        context.symptoms.phase == .preflight
          ? ServerFix.plan(.preflight)(context) : ServerFix.plan(.always)(context)
      }),
  ]
}
