internal import HTTPExchange

extension LogFormat {
  /// `gclb`: log entries of Google Cloud's external Application Load Balancer.
  static let googleCloudLB = LogFormat(
    name: "gclb",
    summary: "Google Cloud load balancer, after the documentation: "
      + "no header that CORS rests on",
    members: MemberMap(
      [
        .init("timestamp", is: .stamp(Stamp(form: .any, isStart: true))),
        .init("httpRequest", "requestMethod", is: .method),
        .init("httpRequest", "requestUrl", is: .target),
        .init("httpRequest", "status", is: .status),
        .init("httpRequest", "userAgent", is: .userAgent),
        .init("httpRequest", "remoteIp", is: .client),
        .init("httpRequest", "referer", is: .requestHeader(.referer)),
        .init("httpRequest", "latency", is: .duration(unit: 1_000_000_000)),
        .init("httpRequest", "protocol", is: .httpVersion),
      ], requiring: [["httpRequest/requestMethod"], ["httpRequest/requestUrl"]]),
    escaping: .json, omits: true,
    configuration: """
      # A Google Cloud load balancer logs neither Origin nor any header of the response, and nothing
      # can change that. Log at the backends; set sampleRate to 1 on the backend service, or lines
      # are missing: gcloud compute backend-services update NAME --global --enable-logging \\
      #   --logging-sample-rate=1.0

      """,
    hides: [
      "neither Origin nor any header of the response is logged",
      "lines are sampled by the backend service's sampleRate",
    ], hasOtherMessages: true)
}
