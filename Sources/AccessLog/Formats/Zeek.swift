extension LogFormat {
  /// `zeek`: Zeek's `http.log` as tab-separated text, whose header names the fields.
  static let zeek = LogFormat(
    name: "zeek", summary: "Zeek's http.log: Origin, and what a script adds",
    rule: .headed(HeaderRule(kind: .zeek), first: []), configuration: ZeekScript.text,
    hides: ZeekScript.hides, rank: .unmistakable)

  /// `zeek-json`: the same as JSON lines.
  static let zeekJSON = LogFormat(
    name: "zeek-json",
    summary: "Zeek's http.log as JSON, after the documentation: "
      + "Origin, and what a script adds",
    members: MemberMap(
      ZeekScript.names.map { MemberMap.Place($0, is: ZeekNames.meaning(of: $0)) },
      requiring: [["id.orig_h"], ["ts"], ["method"], ["uri"]]),
    escaping: .json, repeats: ZeekNames.repeats, omits: true, configuration: ZeekScript.text,
    hides: ZeekScript.hides, hasOtherMessages: true, hopScheme: "http")
}

private enum ZeekScript {
  static let names = [
    "ts", "id.orig_h", "id.resp_p", "method", "host", "uri", "referrer", "user_agent", "origin",
    "status_code", "acrm", "acrh", "acao", "acac", "acam", "acah", "acma", "fetch_mode",
    "fetch_site", "vary", "location",
  ]

  static let hides = [
    "HTTP/2 and TLS are not in http.log",
    "of several lines of a field the script of the suggested configuration keeps all of "
      + "Access-Control-Allow-Origin, joined, and the last of others",
  ]

  static let text = """
    # local.zeek: what the browser's verdict rests on, beside the Origin that is there by default
    redef record HTTP::Info += {
      acrm: string &log &optional; acrh: string &log &optional;
      fetch_mode: string &log &optional; fetch_site: string &log &optional;
      acao: string &log &optional; acac: string &log &optional; acam: string &log &optional;
      acah: string &log &optional; acma: string &log &optional; location: string &log &optional;
    };
    event http_header(c: connection, is_orig: bool, name: string, value: string) {
      if ( ! c?$http ) return;
      if ( is_orig ) {
        if ( name == "ACCESS-CONTROL-REQUEST-METHOD" ) c$http$acrm = value;
        if ( name == "ACCESS-CONTROL-REQUEST-HEADERS" ) c$http$acrh = value;
        if ( name == "SEC-FETCH-MODE" ) c$http$fetch_mode = value;
        if ( name == "SEC-FETCH-SITE" ) c$http$fetch_site = value;
      } else {
        if ( name == "ACCESS-CONTROL-ALLOW-ORIGIN" )
          c$http$acao = c$http?$acao ? c$http$acao + ", " + value : value;
        if ( name == "ACCESS-CONTROL-ALLOW-CREDENTIALS" ) c$http$acac = value;
        if ( name == "ACCESS-CONTROL-ALLOW-METHODS" ) c$http$acam = value;
        if ( name == "ACCESS-CONTROL-ALLOW-HEADERS" ) c$http$acah = value;
        if ( name == "ACCESS-CONTROL-MAX-AGE" ) c$http$acma = value;
        if ( name == "LOCATION" ) c$http$location = value;
      }
    }

    """
}
