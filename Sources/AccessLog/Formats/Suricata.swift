internal import HTTPExchange

extension LogFormat {
  /// `suricata`: HTTP events of Suricata's `eve.json`.
  static let suricata = LogFormat(
    name: "suricata",
    summary: "Suricata's eve.json, after the documentation: "
      + "every header field with dump-all-headers",
    members: MemberMap(
      [
        .init("timestamp", is: .stamp(Stamp(form: .any, isStart: false))),
        .init("src_ip", is: .client),
        .init("dest_port", is: .port),
        .init("http", "hostname", is: .host),
        .init("http", "url", is: .target),
        .init("http", "http_method", is: .method),
        .init("http", "http_user_agent", is: .userAgent),
        .init("http", "http_refer", is: .requestHeader(.referer)),
        .init("http", "protocol", is: .httpVersion),
        .init("http", "status", is: .status),
        .init("http", "origin", is: .requestHeader(.origin)),
        .init(
          "http", "request_headers",
          is: .requestBlock(BlockShape(spelling: .list, isWhole: true))),
        .init(
          "http", "response_headers",
          is: .responseBlock(BlockShape(spelling: .list, isWhole: true))),
      ], requiring: [["http/http_method"], ["timestamp"], ["src_ip"]]),
    escaping: .json, omits: true,
    configuration: """
      # suricata.yaml, under outputs
      - eve-log:
          enabled: yes
          filetype: regular
          filename: eve.json
          types:
            - http:
                extended: yes
                dump-all-headers: both

      """,
    hides: [
      "without dump-all-headers nothing of the response's headers is logged",
      "what runs in TLS is not seen",
    ], hasOtherMessages: true, hopScheme: "http")
}
