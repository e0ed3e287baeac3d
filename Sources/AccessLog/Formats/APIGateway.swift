internal import HTTPExchange

extension LogFormat {
  /// `api-gateway`: the JSON that is usual for access logs of Amazon's API Gateway.
  static let apiGateway = LogFormat(
    name: "api-gateway",
    summary: "AWS API Gateway JSON, after the documentation: no header that CORS rests on",
    members: MemberMap(
      [
        .init("requestTimeEpoch", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("requestTime", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("httpMethod", is: .method),
        .init("path", is: .target),
        .init("resourcePath", is: .path),
        .init("status", is: .status),
        .init("ip", is: .client),
        .init("sourceIp", is: .client),
        .init("userAgent", is: .userAgent),
        .init("domainName", is: .host),
        .init("protocol", is: .httpVersion),
        .init("routeKey", is: .route),
        .init("origin", is: .requestHeader(.origin)),
      ],
      requiring: [
        ["httpMethod"], ["routeKey", "resourcePath", "requestTimeEpoch"],
        ["requestTimeEpoch", "requestTime"], ["status"],
      ]),
    escaping: .anyJSON, omits: true,
    configuration: """
      # API Gateway can log $context variables only, and no header is among them. This line says who
      # answered a preflight; gateway responses carry no CORS headers unless they are set for that
      # type (MISSING_AUTHENTICATION_TOKEN, DEFAULT_4XX …). Log the headers in the integration.
      { "requestId":"$context.requestId", "ip":"$context.identity.sourceIp", "requestTimeEpoch":"$context.requestTimeEpoch", "httpMethod":"$context.httpMethod", "domainName":"$context.domainName", "path":"$context.path", "routeKey":"$context.routeKey", "protocol":"$context.protocol", "status":"$context.status", "errorType":"$context.error.responseType", "userAgent":"$context.identity.userAgent" }

      """,
    hides: [
      "no header of request or response can be logged",
      "resourcePath and routeKey hold {placeholders} where a path was asked for: log path",
    ])

  /// The format that a stage was given.
  static func gateway(_ layout: LineLayout, _ origin: String) -> LogFormat {
    LogFormat(
      name: "pattern", summary: "API Gateway access log format \(origin)", layout: layout,
      configuration: apiGateway.configuration, hides: apiGateway.hides)
  }
}
