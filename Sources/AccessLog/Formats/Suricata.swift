internal import HTTPExchange

extension LogFormat {
  /// `suricata`: HTTP events of Suricata's `eve.json`.
  static let suricata = LogFormat(
    name: "suricata",
    summary: "Suricata's eve.json: every header field with dump-all-headers",
    members: MemberMap(
      [
        // That of the packet with which it saw the end: the client's acknowledgement, which may be delayed.
        .init(
          "timestamp", is: .stamp(Stamp(form: .any, isStart: false, lateness: 200_000_000))),
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
          is: .responseBlock(BlockShape(spelling: .list, isWhole: true, repeats: .joined))),
      ], requiring: [["http/http_method"], ["timestamp"], ["src_ip"]],
      // Alerts and files repeat what they know of the request that they belong to.
      kind: ("event_type", "http")),
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
      "several lines of a field are joined by a comma, as if they were one",
      "times are of the packet that acknowledged the answer, up to 0.2 s late",
    ], hasOtherMessages: true, hopScheme: "http")
}
