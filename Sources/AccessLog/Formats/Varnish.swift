extension LogFormat {
  /// `varnish`: the text of varnishncsa, by its whole URLs and the fields that only Varnish has.
  static let varnish = LogFormat(
    name: "varnish", summary: "varnishncsa with NAME=\"value\" behind its default line",
    rule: .learned(
      LayoutLearner(
        .named,
        lefts: [
          CommonParts.layout(CommonParts.common + CommonParts.agents, allowsTail: true),
          CommonParts.layout(CommonParts.common, allowsTail: true),
        ], repeats: Repeats(request: .last, response: .last),
        sign: .absoluteTarget(with: " handling=")), first: nil),
    configuration: """
      # The arguments of varnishncsa (a drop-in for its systemd unit, or /etc/default/varnishncsa).
      # \(handling)
      varnishncsa -a -w /var/log/varnish/cors.log -F '%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i" host="%{Host}i" origin="%{Origin}i" acrm="%{Access-Control-Request-Method}i" acrh="%{Access-Control-Request-Headers}i" fetch-mode="%{Sec-Fetch-Mode}i" fetch-site="%{Sec-Fetch-Site}i" xff="%{X-Forwarded-For}i" acao="%{Access-Control-Allow-Origin}o" acac="%{Access-Control-Allow-Credentials}o" acam="%{Access-Control-Allow-Methods}o" acah="%{Access-Control-Allow-Headers}o" acma="%{Access-Control-Max-Age}o" vary="%{Vary}o" location="%{Location}o" handling=%{Varnish:handling}x start=%{VSL:Timestamp:Start[1]}x us=%D'

      """,
    hides: [
      "of several lines of a field only the last is printed",
      "every URL is printed with http, whatever the browser used",
    ], rank: .unmistakable)

  private static let handling =
    "A handling of \"hit\" with another request's origin in acao is a cache that lacks Vary: Origin."
}
