extension LogFormat {
  /// `caddy`: the JSON that Caddy writes by default, with every header field of both sides.
  static let caddy = LogFormat(
    name: "caddy", summary: "Caddy's JSON: every header field, credentials hidden",
    members: CaddyLines.map(.nothing), escaping: .json, configuration: CaddyLines.configuration,
    hides: CaddyLines.hides, hasOtherMessages: true, hopScheme: "http")

  /// `caddy-console`: the same behind time, level, logger and message.
  static let caddyConsole = LogFormat(
    name: "caddy-console", summary: "Caddy's console: the same fields behind time and level",
    members: CaddyLines.map(.console), escaping: .json, configuration: CaddyLines.configuration,
    hides: CaddyLines.hides, hopScheme: "http")
}

private enum CaddyLines {
  static let configuration = """
    # Caddyfile. Caddy logs every header field by itself; what a "filter" encoder deletes is not
    # known to anybody afterwards. Without "log" there is no access log.
    log {
      output file /var/log/caddy/access.json
      format json
    }

    """

  static let hides = [
    "values of Cookie and Authorization are hidden unless log_credentials is on; that they were "
      + "there is told",
    "a field that a filter of the log deletes looks as if it had not been there",
  ]

  static func map(_ lead: MemberMap.Lead) -> MemberMap {
    MemberMap(
      [
        .init("ts", is: .stamp(Stamp(form: .any, isStart: false))),
        .init("duration", is: .duration(unit: 1_000_000_000)),
        .init("status", is: .status),
        .init("request", "method", is: .method),
        .init("request", "client_ip", is: .client),
        .init("request", "remote_ip", is: .peer),
        .init("request", "remote_addr", is: .peer),
        .init("request", "proto", is: .httpVersion),
        .init("request", "host", is: .hostHeader),
        .init("request", "uri", is: .target),
        .init("request", "tls", is: .tls),
        .init(
          "request", "headers", is: .requestBlock(BlockShape(spelling: .object, isWhole: true))),
        .init("resp_headers", is: .responseBlock(BlockShape(spelling: .object, isWhole: true))),
      ] + MemberMap.blockFields("request", "headers"),
      requiring: [["request/method"], ["request/uri"], ["status"]], lead: lead)
  }
}
