internal import FetchCORS
internal import HTTPExchange

/// Refusals that the server means: no outage, and nothing to repair unless the page is one's own.
enum RefusalCauses {
  static let rules: [CauseRule] = [
    refusal(
      "scanner-refused", title: "A scanner or tool is refused",
      needs: "a foreign origin, a user agent that is no browser, and nothing of that origin passes",
      applies: { symptoms, around in
        symptoms.signs.contains(.noBrowser) && !symptoms.signs.contains(.localPage)
          && around.isStranger ? .likely : nil
      },
      sentence: { context in
        "A client that is no browser names the origin \(context.page), which \(context.host) does not "
          + "know: scanners try made-up origins like that, and the refusal is right."
      },
      fix: { _ in "Nothing needs to change, unless the client is yours." }),
    refusal(
      "local-page-refused", title: "A page on a developer's machine is refused",
      needs: "an origin on localhost or a private network, and nothing of that origin passes",
      applies: { symptoms, _ in symptoms.signs.contains(.localPage) ? .likely : nil },
      sentence: { context in
        "The page \(context.page) runs on somebody's own machine or network, and \(context.host) does "
          + "not allow it: a developer tries the API, and the refusal is right in production."
      },
      fix: { _ in
        "Nothing needs to change in production; give developers a test system that allows their pages."
      }),
    refusal(
      "unknown-origin-refused", title: "A page that the server does not know is refused",
      needs: "an origin of another site than the host and all pages that it allows, with few calls",
      applies: { symptoms, around in
        around.isStranger && around.otherOriginsAllowedOfHost > 0 && around.shareOfHost < 0.1
          && !symptoms.signs.contains(.noBrowser) && !symptoms.signs.contains(.localPage)
          ? .likely : nil
      },
      sentence: { context in
        "\(context.host) allows other pages and not \(context.page), which belongs to another site and "
          + "makes few of its calls: the refusal looks meant."
      },
      fix: { context in
        "Nothing needs to change, unless \(context.page) is yours: then add it to the allow list, with "
          + "scheme and port."
      }),
  ]

  private static func refusal(
    _ id: String, title: String, needs: String,
    applies: @escaping @Sendable (Symptoms, Surroundings) -> Certainty?,
    sentence: @escaping @Sendable (CauseContext) -> String,
    fix: @escaping @Sendable (CauseContext) -> String
  ) -> CauseRule {
    CauseRule(
      id: id, title: title, needs: needs, isRefusal: true, isOfOnePage: true,
      applies: { symptoms, around in
        let status =
          symptoms.phase == .preflight ? symptoms.preflightStatus : symptoms.responseStatus
        let isRefused =
          RedirectCauses.isOriginFault(symptoms.reason)
          || symptoms.reason == .invalidStatus && status == 403
        guard isRefused, !symptoms.isRedirected, !symptoms.signs.contains(.nullOrigin),
          status.map({ $0 < 400 && !Symptoms.isRedirect($0) || $0 == 403 }) ?? false,
          symptoms.allowOrigin == .absent || symptoms.allowOrigin == .otherOrigin,
          around.allowed == 0, around.otherRoutesAllowed == 0
        else { return nil }
        return applies(symptoms, around)
      },
      sentence: sentence, fix: fix)
  }
}
