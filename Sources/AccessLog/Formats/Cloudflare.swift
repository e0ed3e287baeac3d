internal import HTTPExchange

extension LogFormat {
  /// `cloudflare`: Logpush of HTTP requests.
  static let cloudflare = LogFormat(
    name: "cloudflare", summary: "Cloudflare Logpush: header fields as custom fields",
    members: MemberMap(
      [
        .init("EdgeStartTimestamp", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("EdgeEndTimestamp", is: .stamp(Stamp(form: .any, isStart: false))),
        .init("ClientRequestMethod", is: .method),
        .init("ClientRequestURI", is: .target),
        .init("ClientRequestPath", is: .path),
        .init("ClientRequestHost", is: .hostHeader),
        .init("ClientRequestScheme", is: .scheme),
        .init("ClientRequestProtocol", is: .httpVersion),
        .init("ClientRequestUserAgent", is: .userAgent),
        .init("ClientRequestReferer", is: .requestHeader(.referer)),
        .init("ClientIP", is: .client),
        .init("EdgeResponseStatus", is: .status),
        .init("WorkerSubrequest", is: .internalRequest),
        .init(
          "RequestHeaders", is: .requestBlock(BlockShape(spelling: .object, isWhole: false))),
        .init(
          "ResponseHeaders", is: .responseBlock(BlockShape(spelling: .object, isWhole: false))),
        .init(
          path: ["RequestHeaders", "origin"], meaning: .requestHeader(.origin), foldsCase: true),
      ],
      requiring: [["ClientRequestMethod"], ["EdgeResponseStatus"]]),
    escaping: .json, omits: true,
    configuration: """
      # Cloudflare: custom fields of Logpush, one ruleset for the zone; then add RequestHeaders and
      # ResponseHeaders to the fields of the job of the dataset http_requests.
      # PUT /zones/ZONE/rulesets/phases/http_log_custom_fields/entrypoint
      {
        "rules": [{
          "action": "log_custom_field", "expression": "true", "description": "CORS",
          "action_parameters": {
            "request_fields": [
              {"name": "origin"}, {"name": "access-control-request-method"},
              {"name": "access-control-request-headers"}, {"name": "sec-fetch-mode"},
              {"name": "sec-fetch-site"}
            ],
            "response_fields": [
              {"name": "access-control-allow-origin"}, {"name": "access-control-allow-credentials"},
              {"name": "access-control-allow-methods"}, {"name": "access-control-allow-headers"},
              {"name": "access-control-max-age"}, {"name": "vary"}, {"name": "location"}
            ]
          }
        }]
      }

      """,
    hides: [
      "nothing in a line says which custom fields are on; one counts as recorded once a line of "
        + "the file has it", "subrequests of workers are not browser traffic and are passed over",
    ])
}
