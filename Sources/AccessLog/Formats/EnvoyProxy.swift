extension LogFormat {
  /// `envoy`: Envoy's default line.
  static let envoy = LogFormat(
    name: "envoy", summary: "Envoy's default text: no header that CORS rests on",
    rule: .layout(EnvoyLines.layout(EnvoyLines.common)), configuration: EnvoyLines.configuration,
    hides: EnvoyLines.textHides, rank: .unmistakable)

  /// `istio`: Istio's default line.
  static let istio = LogFormat(
    name: "istio", summary: "Istio's default text: no header that CORS rests on",
    rule: .layout(EnvoyLines.layout(EnvoyLines.istio)),
    configuration: EnvoyLines.istioConfiguration,
    hides: EnvoyLines.textHides, rank: .unmistakable)

  /// `envoy-text`: the fixed left part of Envoy's line, then fields that name themselves.
  static let envoyText = LogFormat(
    name: "envoy-text",
    summary: "a text of Envoy that begins like its default and goes on with NAME=\"value\"",
    rule: .learned(
      LayoutLearner(
        .named, lefts: [EnvoyLines.left], escaping: .raw,
        repeats: Repeats(request: .joined, response: .joined)), first: nil),
    configuration: EnvoyLines.configuration, hides: EnvoyLines.textHides, rank: .unmistakable)

  /// `envoy-json`: JSON of Envoy and Istio, whose members are known by their names.
  static let envoyJSON = LogFormat(
    name: "envoy-json", summary: "JSON of Envoy or Istio, its members known by their names",
    rule: .learned(
      LayoutLearner(
        .json, escaping: .envoyJSON, repeats: Repeats(request: .joined, response: .joined),
        sign: .envoy, infersAbsence: true), first: nil),
    configuration: EnvoyLines.configuration,
    hides: [
      "with omit_empty_values a field that is not there is left out; it counts as recorded only "
        + "once a line of the file has it"
    ], rank: .unmistakable)
}

private enum EnvoyLines {
  static let common =
    #"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" "#
    + "%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    + #"%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "#
    + #""%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%""#

  static let istio =
    #"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" "#
    + "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% "
    + #"%CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" "#
    + "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    + #""%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "#
    + #""%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% "#
    + "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"

  /// What Envoy's own formats begin with.
  static let left: LineLayout = LineLayout(
    elements: elements(
      #"[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" "#
        + "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %DURATION% "
        + #""%REQ(:AUTHORITY)%""#), escaping: .raw, mayBeNginx: false, allowsTail: true)

  static func elements(_ pattern: String) -> [LineElement] {
    // The patterns are tested; what does not compile would fit no line.
    (try? EnvoyPattern.elements(Array(pattern.utf8))) ?? []
  }

  static func layout(_ pattern: String) -> LineLayout {
    LineLayout(
      elements: elements(pattern), escaping: .raw, mayBeNginx: false,
      repeats: Repeats(request: .joined, response: .joined))
  }

  static let textHides = [
    "nothing is escaped in Envoy's text: a line whose fields can be told apart in two ways is not "
      + "read"
  ]

  private static let members = [
    ("time", "%START_TIME%"), ("duration_ms", "%DURATION%"),
    ("client", "%DOWNSTREAM_REMOTE_ADDRESS%"), ("method", "%REQ(:METHOD)%"),
    ("scheme", "%REQ(:SCHEME)%"), ("authority", "%REQ(:AUTHORITY)%"),
    ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"), ("protocol", "%PROTOCOL%"),
    ("status", "%RESPONSE_CODE%"), ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
    ("request_id", "%REQ(X-REQUEST-ID)%"), ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"),
    ("user_agent", "%REQ(USER-AGENT)%"), ("origin", "%REQ(ORIGIN)%"),
    ("access_control_request_method", "%REQ(ACCESS-CONTROL-REQUEST-METHOD)%"),
    ("access_control_request_headers", "%REQ(ACCESS-CONTROL-REQUEST-HEADERS)%"),
    ("sec_fetch_mode", "%REQ(SEC-FETCH-MODE)%"), ("sec_fetch_site", "%REQ(SEC-FETCH-SITE)%"),
    ("access_control_allow_origin", "%RESP(ACCESS-CONTROL-ALLOW-ORIGIN)%"),
    ("access_control_allow_credentials", "%RESP(ACCESS-CONTROL-ALLOW-CREDENTIALS)%"),
    ("access_control_allow_methods", "%RESP(ACCESS-CONTROL-ALLOW-METHODS)%"),
    ("access_control_allow_headers", "%RESP(ACCESS-CONTROL-ALLOW-HEADERS)%"),
    ("access_control_max_age", "%RESP(ACCESS-CONTROL-MAX-AGE)%"), ("vary", "%RESP(VARY)%"),
    ("location", "%RESP(LOCATION)%"),
  ]

  static let configuration =
    """
    # envoy.yaml, in the http_connection_manager
    access_log:
    - name: envoy.access_loggers.file
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
        path: /var/log/envoy/access.json
        log_format:
          json_format:

    """ + members.map { "        \($0.0): \"\($0.1)\"\n" }.joined()

  static let istioConfiguration =
    """
    # meshConfig; read the log of the ingress gateway, which is nearest to the browser
    accessLogFile: /dev/stdout
    accessLogEncoding: JSON
    accessLogFormat: |
      {

    """
    + members.map { "    \"\($0.0)\": \"\($0.1)\"" }.joined(separator: ",\n") + "\n  }\n"
}
