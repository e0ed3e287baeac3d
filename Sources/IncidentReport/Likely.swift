internal import FetchCORS

/// What an undetermined call probably was, and from what.
///
/// The answer begins with `blocked: ` or `allowed: `; what the evidence does not even suggest stays
/// without one.
enum Likely {
  static func text(_ symptoms: Symptoms, _ around: Surroundings) -> String? {
    if symptoms.signs.contains(.overflow) { return nil }
    let text =
      preflightStatus(symptoms) ?? followedPreflight(symptoms, around) ?? refererAllowed(symptoms)
      ?? hiddenLine(symptoms) ?? credentials(symptoms, around)
      ?? lonelyPreflight(symptoms, around) ?? requestMode(symptoms, around)
    let isByReferer = symptoms.signs.contains(.pageByReferer)
    return text.map { isByReferer ? $0 + "; the page is the one that Referer names" : $0 }
  }

  /// Whether a text of ``text(_:_:)`` says that the call was probably blocked.
  static func isBlocked(_ text: String?) -> Bool { text?.hasPrefix("blocked") ?? false }

  /// An `OPTIONS` that an error answered: if it was a preflight, it failed whatever its headers.
  private static func preflightStatus(_ symptoms: Symptoms) -> String? {
    guard symptoms.kind == .preflightOnly, let status = symptoms.preflightStatus,
      !(200...299).contains(status)
    else { return nil }
    return "blocked: the preflight was answered with \(status)"
  }

  /// A log without header fields: the request followed its preflight, so that had passed.
  ///
  /// Its own answer may have been refused all the same, so that it takes other calls to say what it was.
  private static func followedPreflight(_ symptoms: Symptoms, _ around: Surroundings) -> String? {
    guard symptoms.kind == .preflighted, symptoms.allowOrigin == .unrecorded,
      let preflight = symptoms.preflightStatus, (200...299).contains(preflight),
      let status = symptoms.responseStatus, (200...399).contains(status),
      around.allowed > 0, around.blocked == 0
    else { return nil }
    return "allowed: the request followed its preflight, which therefore passed, and "
      + "\(DisplayText.counted(around.allowed, "other call")) of this page to this route passed, "
      + "none was blocked"
  }

  /// A log without `Origin` but with the answer, which allows the page that `Referer` names.
  private static func refererAllowed(_ symptoms: Symptoms) -> String? {
    guard symptoms.signs.contains(.pageByReferer), symptoms.allowOrigin == .same,
      symptoms.kind != .preflightOnly, symptoms.missing == [MissingFact.origin]
    else { return nil }
    return "allowed: the answer allows the page's origin"
  }

  /// The log shows one line of a list, which does not allow the call, and nothing followed.
  private static func hiddenLine(_ symptoms: Symptoms) -> String? {
    guard symptoms.kind == .preflightOnly,
      let field = symptoms.missing.first(where: { $0.hasPrefix("access-control-allow-") })
    else { return nil }
    return "blocked: nothing followed the preflight, and the one line of \(field) that "
      + "the log shows does not allow the call"
  }

  /// The verdict depends on whether the call was sent with credentials.
  private static func credentials(_ symptoms: Symptoms, _ around: Surroundings) -> String? {
    let includes = symptoms.blockedWorlds.contains { $0.contains("credentials=include") }
    guard symptoms.missing.contains("credentials"), includes else { return nil }
    if around.credentialed > 0 {
      return "blocked: \(DisplayText.counted(around.credentialed, "other call")) of this page to "
        + "this host carried credentials"
    }
    if symptoms.kind == .preflightOnly {
      return "blocked: nothing followed the preflight, which passes only without credentials"
    }
    guard around.callsOfHost >= 3 else { return nil }
    return "allowed: none of \(DisplayText.grouped(around.callsOfHost)) calls of this page to this "
      + "host carried credentials"
  }

  /// A preflight that passed and was followed by nothing.
  private static func lonelyPreflight(_ symptoms: Symptoms, _ around: Surroundings) -> String? {
    guard symptoms.kind == .preflightOnly, symptoms.preflightStatus != nil else { return nil }
    if around.allowed > 0, around.blocked == 0 {
      return "allowed: \(DisplayText.counted(around.allowed, "other call")) of this page to this "
        + "route passed"
    }
    if around.blocked > 0, around.allowed == 0 {
      return "blocked: \(DisplayText.counted(around.blocked, "other call")) of this page to this "
        + "route were blocked, none passed"
    }
    // Pages are left and calls given up: of a hundred preflights that pass, one or two stay alone. Where
    // it is one in five, most of them failed, unless requests went to a server whose log is missing.
    guard around.allowed == 0, around.lonelyPreflights >= 3,
      around.followedPreflights <= around.lonelyPreflights * 4, !around.isPartial
    else { return nil }
    let followed = around.followedPreflights
    return
      "blocked: \(DisplayText.grouped(around.lonelyPreflights)) preflights of this page to this "
      + "route were followed by nothing, "
      + (followed == 0 ? "none" : DisplayText.grouped(followed)) + " by its request"
  }

  /// The verdict depends on whether the request was a CORS request at all.
  ///
  /// Pages send few forms and beacons beside their calls, and those carry cookies.
  private static func requestMode(_ symptoms: Symptoms, _ around: Surroundings) -> String? {
    guard symptoms.missing.contains("request-mode"), symptoms.allowOrigin != .unrecorded,
      !symptoms.signs.contains(.cookie)
    else { return nil }
    let others = max(around.corsMode, around.corsModeOfHost)
    guard others > 0 else { return nil }
    return "blocked: \(DisplayText.counted(others, "other call")) of this page to this host were "
      + "CORS requests, and the answer does not allow the page's origin"
  }
}
