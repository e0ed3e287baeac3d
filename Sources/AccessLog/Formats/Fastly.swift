extension LogFormat {
  /// `fastly`: JSON of a Fastly logging endpoint with the suggested format.
  static let fastly = LogFormat(
    name: "fastly",
    summary: "JSON of a Fastly endpoint, after the documentation, "
      + "its members known by their names",
    rule: .learned(LayoutLearner(.json, sign: .member(prefix: "\"fastly_")), first: nil),
    configuration: #"""
      # The log format (version 2) of a Fastly endpoint with a blank log line. Where shielding is on,
      # add a condition: fastly.ff.visits_this_service == 0
      {"fastly_pop":"%{server.datacenter}V","start":"%{begin:%Y-%m-%dT%H:%M:%S%Z}t","us":%D,"client":"%{json.escape(req.http.Fastly-Client-IP)}V","method":"%m","scheme":"%{if(req.is_ssl, "https", "http")}V","host":"%{json.escape(req.http.host)}V","url":"%{json.escape(req.url)}V","protocol":"%{json.escape(req.proto)}V","status":%>s,"user_agent":"%{json.escape(req.http.User-Agent)}V","origin":"%{json.escape(req.http.Origin)}V","acrm":"%{json.escape(req.http.Access-Control-Request-Method)}V","acrh":"%{json.escape(req.http.Access-Control-Request-Headers)}V","sec_fetch_mode":"%{json.escape(req.http.Sec-Fetch-Mode)}V","sec_fetch_site":"%{json.escape(req.http.Sec-Fetch-Site)}V","acao":"%{json.escape(resp.http.Access-Control-Allow-Origin)}V","acac":"%{json.escape(resp.http.Access-Control-Allow-Credentials)}V","acam":"%{json.escape(resp.http.Access-Control-Allow-Methods)}V","acah":"%{json.escape(resp.http.Access-Control-Allow-Headers)}V","acma":"%{json.escape(resp.http.Access-Control-Max-Age)}V","vary":"%{json.escape(resp.http.Vary)}V","location":"%{json.escape(resp.http.Location)}V"}

      """#,
    hides: [
      "an absent header is printed as nothing or (null), like an empty one",
      "of several lines of a field one is printed",
      "edge and shield both log unless a condition says otherwise",
    ], rank: .unmistakable)
}
