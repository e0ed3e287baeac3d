extension LogFormat {
  /// `har`: HAR 1.2, what browsers and proxies export.
  static let har = LogFormat(
    name: "har", summary: "HAR 1.2 of a browser or proxy: every header field, and the outcome",
    rule: .document(.har),
    configuration: """
      # Chromium: DevTools, Network, "Preserve log", then "Export HAR (with sensitive data)"; without
      # it cookies and credentials are left out. Firefox: Network, "Save All As HAR". Export while the
      # calls are listed: what was cleared is not in the file.

      """,
    hides: [
      "an export that was sanitized has neither cookies nor Authorization, so their absence says "
        + "nothing",
      "of a call that the browser blocked the response is often missing: compare with a log of the "
        + "server", "not every browser lists preflights",
    ], rank: .unmistakable)

  /// How one entry of an archive is read.
  static let harEntry = LogFormat(
    name: "har", summary: "",
    members: MemberMap(
      [
        .init("startedDateTime", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("time", is: .duration(unit: 1_000_000)),
        // A call begins for the page when it is made, before its preflight is sent.
        .init("timings", "blocked", is: .wait(unit: 1_000_000)),
        .init("timings", "receive", is: .receive(unit: 1_000_000)),
        .init("request", "method", is: .method),
        .init("request", "url", is: .target),
        .init("request", "httpVersion", is: .httpVersion),
        .init("request", "headers", is: .requestBlock(BlockShape(spelling: .list, isWhole: true))),
        .init("response", "status", is: .status),
        .init(
          "response", "headers", is: .responseBlock(BlockShape(spelling: .list, isWhole: true))),
        .init("response", "_error", is: .browserError),
        // Playwright's name.
        .init("response", "_failureText", is: .browserError),
      ], requiring: [["startedDateTime"], ["request/method"], ["request/url"]]),
    escaping: .json)
}
