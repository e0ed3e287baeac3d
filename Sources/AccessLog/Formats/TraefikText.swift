extension LogFormat {
  /// `traefik-clf`: what Traefik writes by default.
  static let traefikCLF = LogFormat(
    name: "traefik-clf", summary: "Traefik's common format: no header that CORS rests on",
    rule: .layout(
      .builtIn(
        "$remote_addr - $remote_user [$start] \"$request\" $status $size \"$http_referer\" "
          + "\"$http_user_agent\" $count \"$router\" \"$server\" $durationms",
        escaping: .quoteOnly,
        names: [
          "start": (.stamp(Stamp(form: .clf, isStart: true)), .text),
          "size": (.ignored, .word), "count": (.ignored, .word), "router": (.ignored, .text),
          "server": (.ignored, .text), "durationms": (.ignored, .word),
        ])),
    configuration: traefikJSON.configuration,
    hides: [
      "referrer and user agent are logged as - unless the configuration keeps those headers",
      "the common format has no place for other headers: use format: json",
    ], rank: .unmistakable)
}
