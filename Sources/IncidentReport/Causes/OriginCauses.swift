internal import FetchCORS
internal import HTTPExchange

/// Causes for an answer, not an error, that does not allow the page's origin.
enum OriginCauses {
  static let rules: [CauseRule] = [
    CauseRule(
      id: "cached-for-other-origin", title: "A cache gives out a copy made for another page",
      needs: "a cache hit (Age, X-Cache) without the page's origin",
      applies: { symptoms, around in
        guard symptoms.phase == .response, symptoms.signs.contains(.cacheHit),
          symptoms.responseStatus ?? 0 < 400, RedirectCauses.isOriginFault(symptoms.reason)
        else { return nil }
        if symptoms.allowOrigin == .otherOrigin { return .likely }
        return around.goodResponses > 0 || !symptoms.signs.contains(.variesByOrigin)
          ? (around.allowed > 0 ? .likely : .possible) : nil
      },
      sentence: { context in
        let age = context.field(.age)
        let what =
          context.symptoms.allowOrigin == .otherOrigin
          ? "a copy made for \(context.allowOrigin)" : "a copy made for a request without Origin"
        return "A cache answered the \(context.method) request with \(what)"
          + (age.isEmpty ? "" : ", \(age) seconds old")
          + (context.symptoms.signs.contains(.variesByOrigin)
            ? "." : "; without Vary: Origin it cannot know that answers differ by page.")
      },
      fix: { _ in
        "Send Vary: Origin on every answer of this route, also on those to requests without Origin, "
          + "let the cache forward Origin, and purge the copies that it holds."
      },
      snippets: { context in
        ServerFix.snippets(
          context, nginx: "add_header Vary \"Origin\" always;",
          apache: "Header always merge Vary \"Origin\"")
      }),
    CauseRule(
      id: "null-origin", title: "The page has no origin of its own",
      needs: "Origin: null without a redirect",
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
      }),
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
      }),
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
      snippets: ServerFix.always),
    CauseRule(
      id: "inconsistent-answers",
      title: "Some answers of the route carry the headers, others do not",
      needs: "good answers of the same page and route beside answers without the header",
      applies: { symptoms, around in
        symptoms.reason == .missingAllowOriginHeader && around.allowed > 0 ? .likely : nil
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
      }, snippets: ServerFix.always),
    CauseRule(
      id: "origin-not-allowed", title: "The page's origin is not on the allow list",
      needs: "another origin in the answer, or calls of other pages that pass",
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
      }),
    CauseRule(
      id: "no-cors-configured", title: "The route has no CORS configuration",
      needs: "answers without Access-Control-Allow-Origin, and no call to the route that passes",
      applies: { symptoms, around in
        symptoms.reason == .missingAllowOriginHeader && symptoms.allowOrigin == .absent
          && around.allowed == 0 && around.otherOriginsAllowed == 0
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
      snippets: { context in
        context.symptoms.phase == .preflight
          ? ServerFix.preflight(context) : ServerFix.always(context)
      }),
  ]
}
