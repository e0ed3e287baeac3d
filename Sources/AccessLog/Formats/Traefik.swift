extension LogFormat {
  /// `traefik`: Traefik's JSON, with the header fields that its configuration keeps.
  static let traefikJSON = LogFormat(
    name: "traefik", summary: "Traefik's JSON: header fields as far as they are kept",
    members: MemberMap(
      [
        .init("ClientHost", is: .client),
        .init("ClientAddr", is: .peer),
        .init("RequestMethod", is: .method),
        .init("RequestPath", is: .target),
        .init("RequestProtocol", is: .httpVersion),
        .init("RequestScheme", is: .scheme),
        .init("RequestAddr", is: .hostHeader),
        .init("RequestHost", is: .host),
        .init("DownstreamStatus", is: .status),
        .init("StartUTC", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("StartLocal", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("time", is: .stamp(Stamp(form: .any, isStart: false, isFirm: false))),
        .init("Duration", is: .duration(unit: 1)),
      ] + MemberMap.headers(prefix: "request_", isRequest: true)
        + MemberMap.headers(prefix: "downstream_", isRequest: false),
      requiring: [["RequestMethod"], ["DownstreamStatus"], ["RequestPath"]]),
    escaping: .json, repeats: Repeats(request: .joined, response: .joined), omits: true,
    configuration: """
      # traefik.yml
      accessLog:
        filePath: /var/log/traefik/access.json
        format: json
        fields:
          headers:
            defaultMode: drop
            names:
              Origin: keep
              User-Agent: keep
              Access-Control-Request-Method: keep
              Access-Control-Request-Headers: keep
              Access-Control-Request-Private-Network: keep
              Sec-Fetch-Mode: keep
              Sec-Fetch-Site: keep
              Sec-Fetch-Dest: keep
              Content-Type: keep
              X-Forwarded-For: keep
              X-Forwarded-Proto: keep
              Access-Control-Allow-Origin: keep
              Access-Control-Allow-Credentials: keep
              Access-Control-Allow-Methods: keep
              Access-Control-Allow-Headers: keep
              Access-Control-Allow-Private-Network: keep
              Access-Control-Max-Age: keep
              Vary: keep
              Location: keep
              Cookie: redact
              Authorization: redact

      """,
    hides: [
      "a header field that is dropped by configuration looks like one that was not there; it "
        + "counts as recorded only once a line of the file has it"
    ],
    hasOtherMessages: true)
}
