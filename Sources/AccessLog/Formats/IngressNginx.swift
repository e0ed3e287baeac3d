extension LogFormat {
  /// `ingress-nginx`: the default line of the Kubernetes ingress controller.
  static let ingressNginx = LogFormat(
    name: "ingress-nginx", summary: "Kubernetes ingress-nginx: no host, no header CORS rests on",
    layout: .builtIn(
      CommonParts.common + CommonParts.agents
        + " $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name]"
        + " $upstream_addr $upstream_response_length $upstream_response_time $upstream_status"
        + " $req_id", escaping: .nginxDefault),
    configuration: """
      # The ConfigMap of the controller; $has_cookie comes from the http-snippet.
      data:
        http-snippet: |
          map $http_cookie $has_cookie { "" 0; default 1; }
          map $http_authorization $has_authorization { "" 0; default 1; }
        log-format-escape-json: "true"
        log-format-upstream: '\(nginxJSONText)'

      """,
    hides: nginxHides)
}
