extension LogFormat {
  /// Every format that can be named, in the order in which they are tried.
  public static let all: [LogFormat] = [
    // Text.
    .nginxCORSJSON, .nginxCORS, .apacheCORS, .vhostCombined, .vcombined, .vcommon, .combined,
    .common, .nginxMain, .ingressNginx, .alb, .elb, .s3, .envoy, .istio, .envoyText,
    .traefikCLF, .haproxy, .haproxyCLF, .lighttpd, .lighttpdNamed, .varnish,
    .cloudFrontRealTime,
    // JSON of one server.
    .caddy, .caddyConsole, .traefikJSON, .zeekJSON, .envoyJSON, .googleCloudLB, .apiGateway,
    .cloudFrontJSON, .cloudflare, .fastly, .suricata,
    // What names its fields in lines of their own.
    .w3c, .zeek,
    // What names its fields itself.
    .jsonLines, .keyValue, .combinedAndMore, .csv, .tsv,
    // Whole documents.
    .har,
  ]
}
