internal import HTTPExchange

extension LogFormat {
  /// What can be logged where CloudFront is.
  static let cloudFrontConfiguration = """
    # CloudFront's standard logs hold neither Origin nor any header of the response, and nothing can
    # change that. Its real-time logs hold the headers of the request: postflight formats
    # cloudfront-realtime --config. What was answered only the origin behind it can log.

    """

  /// `cloudfront-json`: standard logs of version 2 as JSON, with whichever fields were chosen.
  static let cloudFrontJSON = LogFormat(
    name: "cloudfront-json",
    summary: "CloudFront standard logs as JSON, after the documentation: "
      + "neither Origin nor a header "
      + "of the response",
    members: MemberMap(
      [
        .init("timestamp(ms)", is: .stamp(Stamp(form: .epoch(unit: 1_000_000), isStart: false))),
        .init("timestamp", is: .stamp(Stamp(form: .epoch(unit: 1_000_000_000), isStart: false))),
        .init("date", is: .stamp(Stamp(form: .dateAndTime, isStart: false))),
        .init("c-ip", is: .client),
        .init("cs-method", is: .method),
        .init("cs-uri-stem", is: .path),
        .init("cs-uri-query", is: .arguments),
        .init("sc-status", is: .status),
        .init("x-host-header", is: .hostHeader),
        .init("cs-protocol", is: .scheme),
        .init("cs-protocol-version", is: .httpVersion),
        .init("time-taken", is: .duration(unit: 1_000_000_000)),
        .init("cs(User-Agent)", is: .userAgent),
        .init("cs(Referer)", is: .requestHeader(.referer)),
        .init("x-forwarded-for", is: .requestHeader(.xForwardedFor)),
      ],
      requiring: [
        ["cs-method"], ["cs-uri-stem"], ["sc-status"], ["timestamp(ms)", "timestamp", "date"],
      ], joining: ["date", "time"]),
    escaping: .percent, configuration: cloudFrontConfiguration,
    hides: [
      "neither Origin nor any header of the response is logged, so there is never a verdict",
      "delivery is best effort: lines can come hours late, or not at all",
    ])
}
