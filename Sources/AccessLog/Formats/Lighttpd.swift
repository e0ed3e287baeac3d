extension LogFormat {
  /// `lighttpd`: the default of lighttpd, with the host in the second field.
  static let lighttpd = LogFormat(
    name: "lighttpd", summary: "lighttpd's default: combined with the host in the second field",
    rule: .layout(
      .builtIn(
        CommonParts.hostSecond + CommonParts.agents, escaping: .anyText,
        names: CommonParts.hostSecondNames)),
    configuration: LighttpdLines.configuration, hides: LighttpdLines.hides, rank: .fallback)

  /// `lighttpd-named`: the same, followed by fields that name themselves.
  static let lighttpdNamed = LogFormat(
    name: "lighttpd-named",
    summary: "combined with the host in the second field, then NAME=\"value\"",
    rule: .learned(
      LayoutLearner(
        .named,
        lefts: [
          .builtIn(
            CommonParts.hostSecond + CommonParts.agents, escaping: .anyText, allowsTail: true,
            names: CommonParts.hostSecondNames),
          .builtIn(
            CommonParts.hostSecond, escaping: .anyText, allowsTail: true,
            names: CommonParts.hostSecondNames),
        ]), first: nil),
    configuration: LighttpdLines.configuration, hides: LighttpdLines.hides, rank: .fallback)
}

private enum LighttpdLines {
  static let configuration = #"""
    # lighttpd.conf
    server.modules += ( "mod_accesslog" )
    accesslog.filename = "/var/log/lighttpd/cors.log"
    accesslog.format = "%h %V %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" host=\"%{Host}i\" origin=\"%{Origin}i\" acrm=\"%{Access-Control-Request-Method}i\" acrh=\"%{Access-Control-Request-Headers}i\" fetch-mode=\"%{Sec-Fetch-Mode}i\" fetch-site=\"%{Sec-Fetch-Site}i\" xff=\"%{X-Forwarded-For}i\" acao=\"%{Access-Control-Allow-Origin}o\" acac=\"%{Access-Control-Allow-Credentials}o\" acam=\"%{Access-Control-Allow-Methods}o\" acah=\"%{Access-Control-Allow-Headers}o\" acma=\"%{Access-Control-Max-Age}o\" vary=\"%{Vary}o\" location=\"%{Location}o\" D=%D"
    # Give this file to --format as well (@lighttpd.conf): only then is it known that lighttpd wrote
    # the log, which prints every line of a repeated header.

    """#

  static let hides = [
    "an empty and an absent header are both printed as -",
    "nothing in the lines says that lighttpd wrote them, so each field counts as one of possibly "
      + "several lines unless --format @lighttpd.conf is given",
  ]
}
