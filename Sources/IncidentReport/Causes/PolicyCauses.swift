internal import FetchCORS
internal import HTTPExchange

/// Causes that lie in what the CORS headers say.
enum PolicyCauses {
  static let rules: [CauseRule] = [
    CauseRule(
      id: "duplicate-allow-origin", title: "Two layers add Access-Control-Allow-Origin",
      needs: "a response with two lines of Access-Control-Allow-Origin, or a list that two make",
      applies: { symptoms, _ in
        let hasSeveral = symptoms.reason == .multipleAllowOriginValues
        guard hasSeveral || RedirectCauses.isOriginFault(symptoms.reason) else { return nil }
        if symptoms.allowOrigin == .joinedLines { return .likely }
        return hasSeveral && symptoms.allowOrigin == .severalLines ? .proved : nil
      },
      sentence: { context in
        "The answer to \(context.what) carries Access-Control-Allow-Origin more than once "
          + "(\(context.allowOrigin)), as when proxy and application both add it; browsers accept "
          + "one value only, even if both are alike."
      },
      fix: { _ in
        "Let one layer alone add the CORS headers: take them out of the application, or let the "
          + "proxy drop the application's before it adds its own."
      },
      plan: ServerFix.plan(.single)),
    CauseRule(
      id: "list-in-allow-origin", title: "A list of origins where one is allowed",
      needs: "one line of Access-Control-Allow-Origin with several values",
      givesWayTo: ["duplicate-allow-origin"],
      applies: { symptoms, _ in
        symptoms.reason == .multipleAllowOriginValues
          ? (symptoms.allowOrigin == .list ? .proved : .likely) : nil
      },
      sentence: { context in
        "The answer to \(context.what) names several origins in one Access-Control-Allow-Origin "
          + "(\(context.allowOrigin)), and browsers accept exactly one."
      },
      fix: { _ in
        "Compare the request's Origin with the list on the server, answer with that one origin, and "
          + "add Vary: Origin."
      },
      plan: ServerFix.plan(.origin)),
    CauseRule(
      id: "wildcard-with-credentials", title: "Wildcard on calls with credentials",
      needs: "Access-Control-Allow-Origin: * and a request that carries credentials",
      applies: { symptoms, _ in
        symptoms.reason == .wildcardOriginNotAllowed ? .proved : nil
      },
      sentence: { context in
        "\(context.host) answers with Access-Control-Allow-Origin: *, and the page sends "
          + "credentials (cookies, for example), for which browsers accept no wildcard."
      },
      fix: { context in
        "Answer with the page's own origin (\(context.page)), Access-Control-Allow-Credentials: true "
          + "and Vary: Origin; or, if the call needs no cookies, send it without credentials."
      },
      plan: ServerFix.plan(.credentials)),
    CauseRule(
      id: "duplicate-allow-credentials", title: "Two layers add Access-Control-Allow-Credentials",
      needs: "a response with two values of Access-Control-Allow-Credentials",
      applies: { symptoms, _ in
        symptoms.reason == .invalidAllowCredentials && symptoms.allowCredentials == .several
          ? .proved : nil
      },
      sentence: { context in
        "The answer to \(context.what) carries Access-Control-Allow-Credentials more than once "
          + "(\(context.field(.accessControlAllowCredentials))), as when proxy and application both add "
          + "it; together they are no longer \"true\"."
      },
      fix: { _ in
        "Let one layer alone add the CORS headers: take them out of the application, or let the "
          + "proxy drop the application's before it adds its own."
      },
      plan: ServerFix.plan(.single)),
    CauseRule(
      id: "credentials-misspelled", title: "Access-Control-Allow-Credentials is misspelled",
      needs: "Access-Control-Allow-Credentials with another value than true",
      applies: { symptoms, _ in
        symptoms.reason == .invalidAllowCredentials && symptoms.allowCredentials == .misspelled
          ? .proved : nil
      },
      sentence: { context in
        "The answer to \(context.what) has Access-Control-Allow-Credentials: "
          + "\(context.field(.accessControlAllowCredentials)), and browsers accept exactly \"true\", in "
          + "lower case."
      },
      fix: { _ in "Send Access-Control-Allow-Credentials: true." },
      plan: ServerFix.plan(.credentials)),
    CauseRule(
      id: "credentials-only-on-preflight", title: "Only the preflight allows credentials",
      needs: "a preflight with Access-Control-Allow-Credentials: true, an actual response without",
      applies: { symptoms, _ in
        symptoms.reason == .invalidAllowCredentials && symptoms.phase == .response
          && symptoms.allowCredentials == .absent
          && symptoms.signs.contains(.preflightAllowedCredentials) ? .proved : nil
      },
      sentence: { context in
        "The preflight allowed credentials, but the answer to the \(context.method) request itself "
          + "(\(context.responseStatus)) has no Access-Control-Allow-Credentials; it is needed on both."
      },
      fix: { _ in
        "Add Access-Control-Allow-Credentials: true to the actual responses of this route as well."
      },
      plan: ServerFix.plan(.credentials)),
    CauseRule(
      id: "credentials-not-allowed", title: "Access-Control-Allow-Credentials is not true",
      needs:
        "a request with credentials and an answer without Access-Control-Allow-Credentials: true",
      givesWayTo: [
        "duplicate-allow-credentials", "credentials-misspelled", "credentials-only-on-preflight",
      ],
      applies: { symptoms, _ in
        symptoms.reason == .invalidAllowCredentials ? .proved : nil
      },
      sentence: { context in
        let value = context.field(.accessControlAllowCredentials)
        return "The page sends credentials, and the answer to \(context.what) has "
          + (value.isEmpty
            ? "no Access-Control-Allow-Credentials"
            : "Access-Control-Allow-Credentials: \(value)") + " where exactly \"true\" is needed."
      },
      fix: { _ in
        "Send Access-Control-Allow-Credentials: true (lower case, once) on the preflight and on the "
          + "actual response; or send the call without credentials."
      },
      plan: ServerFix.plan(.credentials)),
    CauseRule(
      id: "malformed-allow-list", title: "A list of methods or headers that cannot be read",
      needs: "Access-Control-Allow-Methods or -Headers with something that is no token",
      applies: { symptoms, _ in
        switch symptoms.reason {
        case .invalidAllowMethodsPreflightResponse, .invalidAllowHeadersPreflightResponse: .proved
        default: nil
        }
      },
      sentence: { context in
        let isMethods = context.symptoms.reason == .invalidAllowMethodsPreflightResponse
        let name = isMethods ? "Methods" : "Headers"
        let value = context.field(
          isMethods ? .accessControlAllowMethods : .accessControlAllowHeaders,
          of: context.call.preflight)
        return "The preflight's Access-Control-Allow-\(name) (\(value)) is no list of names "
          + "separated by commas, so the whole preflight fails."
      },
      fix: { _ in "Separate the names by commas; no quotes, semicolons or slashes." },
      plan: ServerFix.plan(.lists)),
    CauseRule(
      id: "wildcard-does-not-cover", title: "A wildcard that does not count here",
      needs: "a refused header or method while the preflight's list is *",
      applies: { symptoms, _ in
        symptoms.signs.contains(.wildcardList) ? .proved : nil
      },
      sentence: { context in
        let isMethod = context.symptoms.reason == .methodDisallowedByPreflightResponse
        let name = isMethod ? "Methods" : "Headers"
        return
          "The preflight's answer allows * in Access-Control-Allow-\(name), and that does not cover "
          + "\(context.parameter): "
          + (context.parameter.asciiLowercased == "authorization"
            ? "authorization must always be named." : "with credentials a * is only a name.")
      },
      fix: { context in
        "Name \(context.parameter) in the list; a * does not count for calls with credentials, and never "
          + "for authorization."
      },
      plan: ServerFix.plan(.lists)),
    CauseRule(
      id: "new-request-header", title: "The page sends a header that it did not send before",
      needs: "a refused header while calls of the route without it pass, or a tracing header",
      givesWayTo: ["wildcard-does-not-cover"],
      applies: { symptoms, around in
        guard symptoms.reason == .headerDisallowedByPreflightResponse,
          let name = symptoms.parameter
        else { return nil }
        if around.passedWithoutParameter { return .likely }
        if around.passedPreflights > 0, !around.grantedHeaders.contains(name) { return .likely }
        return tracingHeaders.contains(name) || name.hasPrefix("x-stainless-")
          || name.hasPrefix("x-b3-") ? .possible : nil
      },
      sentence: { context in
        "The page sends the header \(context.parameter), which \(context.host) does not allow; "
          + (context.surroundings.passedWithoutParameter
            || context.surroundings.passedPreflights > 0
            ? "calls without it passed before, so a release of the page or one of its libraries added "
              + "it."
            : "monitoring and client libraries add it on their own.")
      },
      fix: { context in
        "Add \(context.parameter) to Access-Control-Allow-Headers on \(context.host), or keep the "
          + "page's library from sending it there."
      },
      plan: ServerFix.plan(.lists)),
    CauseRule(
      id: "header-not-allowed", title: "A request header is not allowed",
      needs: "a requested header that Access-Control-Allow-Headers does not list",
      givesWayTo: ["new-request-header", "wildcard-does-not-cover"],
      applies: { symptoms, _ in
        symptoms.reason == .headerDisallowedByPreflightResponse ? .proved : nil
      },
      sentence: { context in
        let list = context.field(.accessControlAllowHeaders, of: context.call.preflight)
        return "The page sends the header \(context.parameter), and the preflight's answer allows "
          + (list.isEmpty ? "no headers at all." : "only \(list).")
      },
      fix: { context in
        "Add \(context.parameter) to Access-Control-Allow-Headers"
          + (context.symptoms.credentials == .include
            ? " by name: with credentials a * does not count." : ".")
      },
      plan: ServerFix.plan(.lists)),
    CauseRule(
      id: "method-case", title: "The method is spelled in small letters",
      needs: "a refused method whose capital spelling Access-Control-Allow-Methods lists",
      applies: { symptoms, _ in
        symptoms.reason == .methodDisallowedByPreflightResponse
          && symptoms.signs.contains(.methodInCapitals) ? .proved : nil
      },
      sentence: { context in
        "The page wants to send \(context.parameter), the preflight's answer allows "
          + "\(context.parameter.uppercased()), and methods are compared with regard to case (browsers "
          + "capitalise get, post, put, delete, head and options by themselves, and no others)."
      },
      fix: { context in "Let the page's code name the method \(context.parameter.uppercased())." }),
    CauseRule(
      id: "method-not-allowed", title: "The method is not allowed",
      needs: "a requested method that Access-Control-Allow-Methods does not list",
      givesWayTo: ["method-case", "wildcard-does-not-cover"],
      applies: { symptoms, _ in
        symptoms.reason == .methodDisallowedByPreflightResponse ? .proved : nil
      },
      sentence: { context in
        let list = context.field(.accessControlAllowMethods, of: context.call.preflight)
        return "The page wants to send \(context.method), and the preflight's answer allows "
          + (list.isEmpty ? "no methods at all." : "only \(list).")
      },
      fix: { context in
        "Add \(context.method) to Access-Control-Allow-Methods; methods are compared with regard "
          + "to case."
      },
      plan: ServerFix.plan(.lists)),
  ]

  /// Headers that tracing and client libraries add without being asked.
  private static let tracingHeaders: Set<String> = [
    "sentry-trace", "baggage", "traceparent", "tracestate", "x-request-id", "x-requested-with",
    "x-correlation-id", "cache-control", "pragma", "if-none-match", "x-datadog-trace-id",
    "x-datadog-parent-id", "x-datadog-origin", "x-datadog-sampling-priority", "newrelic", "b3",
    "request-id", "uber-trace-id",
  ]
}
