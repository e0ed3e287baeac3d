extension LogFormat {
  /// `apache-cors`: the text format that we recommend for Apache.
  static let apacheCORS = LogFormat(
    name: "apache-cors",
    summary: "the recommended text format for Apache: all that a verdict needs",
    layout: apacheLayout,
    configuration: """
      SetEnvIf Cookie . has_cookie=1
      SetEnvIf Authorization . has_authorization=1
      LogFormat "\(apacheText.joined().split(separator: "\"", omittingEmptySubsequences: false)
        .joined(separator: "\\\""))" postflight
      CustomLog /var/log/apache2/postflight.log postflight

      """,
    hides: ["of several lines of a response header only the first is printed"])

  private static let apacheLayout: LineLayout =
    // The pattern is tested; what does not compile would fit no line.
    (try? ApachePattern.layout(Array(apacheText.joined().utf8)))
    ?? LineLayout(elements: [], escaping: .apache, mayBeNginx: false)

  private static let apacheText = [
    #"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#,
    #" host="%{Host}i" origin="%{Origin}i""#,
    #" acrm="%{Access-Control-Request-Method}i" acrh="%{Access-Control-Request-Headers}i""#,
    #" acrpn="%{Access-Control-Request-Private-Network}i""#,
    #" fetch-mode="%{Sec-Fetch-Mode}i" fetch-site="%{Sec-Fetch-Site}i""#,
    #" fetch-dest="%{Sec-Fetch-Dest}i""#,
    #" has_cookie=%{has_cookie}e has_authorization=%{has_authorization}e"#,
    #" content-type="%{Content-Type}i" xff="%{X-Forwarded-For}i""#,
    #" acao="%{Access-Control-Allow-Origin}o" acac="%{Access-Control-Allow-Credentials}o""#,
    #" acam="%{Access-Control-Allow-Methods}o" acah="%{Access-Control-Allow-Headers}o""#,
    #" acma="%{Access-Control-Max-Age}o" aceh="%{Access-Control-Expose-Headers}o""#,
    #" acapn="%{Access-Control-Allow-Private-Network}o""#,
    #" vary="%{Vary}o" location="%{Location}o""#,
    #" start=%{begin:usec}t us=%D request_id=%{UNIQUE_ID}e"#,
  ]
}
