extension LogFormat {
  /// `nginx-cors`: the text format that we recommend for nginx.
  static let nginxCORS = LogFormat(
    name: "nginx-cors", summary: "the recommended text format for nginx: all that a verdict needs",
    layout: .builtIn(nginxText.joined(), escaping: .nginxDefault),
    configuration: flags + directive("postflight", nil, nginxText)
      + "access_log /var/log/nginx/postflight.log postflight;\n", hides: nginxHides)

  /// `nginx-cors-json`: the JSON format that we recommend for nginx.
  static let nginxCORSJSON = LogFormat(
    name: "nginx-cors-json",
    summary: "the recommended JSON format for nginx: all that a verdict needs",
    layout: .builtIn(nginxJSON.joined(), escaping: .nginxJSON),
    configuration: flags + directive("postflight_json", "json", nginxJSON)
      + "access_log /var/log/nginx/postflight.json postflight_json;\n", hides: nginxHides)

  /// The JSON text as one line.
  static let nginxJSONText = nginxJSON.joined()

  static let nginxHides = [
    "before version 1.23 of several lines of a response header only the first is printed"
  ]

  /// Cookies and credentials are secrets: a log should say that they were there, never what.
  private static let flags = """
    map $http_cookie $has_cookie { "" 0; default 1; }
    map $http_authorization $has_authorization { "" 0; default 1; }

    """

  private static func directive(_ name: String, _ escape: String?, _ text: [String]) -> String {
    "log_format \(name)" + (escape.map { " escape=\($0)" } ?? "")
      + text.map { "\n  '\($0)'" }.joined() + ";\n"
  }

  /// The same text as `SampleCaptures/nginx-cors.conf`.
  private static let nginxText = [
    #"$remote_addr [$time_iso8601] $msec $request_time $scheme://$http_host "$request" $status "#,
    #"$body_bytes_sent origin="$http_origin" acrm="$http_access_control_request_method" "#,
    #"acrh="$http_access_control_request_headers" fetch-mode="$http_sec_fetch_mode" "#,
    #"fetch-site="$http_sec_fetch_site" fetch-dest="$http_sec_fetch_dest" "#,
    #"content-type="$http_content_type" cookie=$has_cookie authorization=$has_authorization "#,
    #"acao="$sent_http_access_control_allow_origin" "#,
    #"acac="$sent_http_access_control_allow_credentials" "#,
    #"acam="$sent_http_access_control_allow_methods" "#,
    #"acah="$sent_http_access_control_allow_headers" max-age="$sent_http_access_control_max_age" "#,
    #"vary="$sent_http_vary" location="$sent_http_location" upstream=$upstream_status "#,
    #"cache=$upstream_cache_status xff="$http_x_forwarded_for" ua="$http_user_agent" "#,
    "rid=$request_id",
  ]

  private static let nginxJSON = [
    #"{"time":"$time_iso8601","msec":$msec,"request_time":$request_time,"#,
    #""remote_addr":"$remote_addr","x_forwarded_for":"$http_x_forwarded_for","#,
    #""scheme":"$scheme","host":"$http_host","method":"$request_method","#,
    #""uri":"$request_uri","proto":"$server_protocol","status":$status,"#,
    #""origin":"$http_origin","referer":"$http_referer","user_agent":"$http_user_agent","#,
    #""access_control_request_method":"$http_access_control_request_method","#,
    #""access_control_request_headers":"$http_access_control_request_headers","#,
    #""access_control_request_private_network":"$http_access_control_request_private_network","#,
    #""sec_fetch_mode":"$http_sec_fetch_mode","sec_fetch_site":"$http_sec_fetch_site","#,
    #""sec_fetch_dest":"$http_sec_fetch_dest","#,
    #""has_cookie":$has_cookie,"has_authorization":$has_authorization,"#,
    #""request_content_type":"$content_type","#,
    #""access_control_allow_origin":"$sent_http_access_control_allow_origin","#,
    #""access_control_allow_credentials":"$sent_http_access_control_allow_credentials","#,
    #""access_control_allow_methods":"$sent_http_access_control_allow_methods","#,
    #""access_control_allow_headers":"$sent_http_access_control_allow_headers","#,
    #""access_control_max_age":"$sent_http_access_control_max_age","#,
    #""access_control_expose_headers":"$sent_http_access_control_expose_headers","#,
    #""access_control_allow_private_network":"$sent_http_access_control_allow_private_network","#,
    #""vary":"$sent_http_vary","location":"$sent_http_location","request_id":"$request_id"}"#,
  ]
}
