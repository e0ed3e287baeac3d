internal import FetchCORS
internal import HTTPExchange

/// Software that answered, where it names itself and a fix is written differently for it.
enum ServerFamily: String, CaseIterable, Hashable {
  case nginx, apache, caddy, envoy, haproxy, cloudflare, cloudFront, amazonS3, apiGateway, iis
  case express, spring, python, starlette, aspNet, unknown
}

extension ServerFamily {
  private static let gatewayRequest = HeaderName("x-amzn-requestid")
  private static let cloudFrontRequest = HeaderName("x-amz-cf-id")
  private static let envoyTime = HeaderName("x-envoy-upstream-service-time")

  /// The application that an answer names beside the server in front of it.
  init(applicationOf response: MessageEvidence) {
    let powered = response.first(.xPoweredBy)?.prefix(40).lowercased() ?? ""
    if powered.hasPrefix("express") || powered.hasPrefix("next.js") {
      self = .express
    } else if powered.hasPrefix("asp.net") {
      self = .aspNet
    } else if powered.hasPrefix("servlet") || powered.hasPrefix("jsp") {
      self = .spring
    } else {
      // Spring adds this triple to every answer of a route that its CORS support looks at.
      let varying = response.fields.filter { $0.name == .vary && $0.value?.utf8.count ?? 0 > 28 }
        .compactMap { $0.value?.prefix(200).lowercased() }.joined(separator: ",")
      self =
        varying.contains("access-control-request-method")
          && varying.contains("access-control-request-headers") ? .spring : .unknown
    }
  }

  /// The family of a value of `Server`.
  init(name: String) {
    self.init(
      MessageEvidence(coverage: .complete, fields: [HeaderField(.server, name)]))
  }

  init(_ response: MessageEvidence) {
    let server = response.first(.server)?.prefix(40).lowercased() ?? ""
    let known: [(String, ServerFamily)] = [
      ("nginx", .nginx), ("openresty", .nginx), ("apache", .apache), ("caddy", .caddy),
      ("envoy", .envoy), ("istio", .envoy), ("haproxy", .haproxy), ("cloudflare", .cloudflare),
      ("cloudfront", .cloudFront), ("amazons3", .amazonS3), ("microsoft-iis", .iis),
      ("gunicorn", .python), ("werkzeug", .python), ("wsgiserver", .python),
      ("uvicorn", .starlette),
      ("hypercorn", .starlette), ("daphne", .starlette), ("kestrel", .aspNet), ("jetty", .spring),
      ("apache-coyote", .spring), ("tomcat", .spring), ("express", .express),
    ]
    // "Apache-Coyote" is Tomcat and begins like Apache.
    let matching = known.filter { server.hasPrefix($0.0) }
    if let family = matching.max(by: { $0.0.utf8.count < $1.0.utf8.count })?.1 {
      self = family
    } else if response.contains(.xAmznErrorType) || response.contains(.apigwID)
      || response.contains(Self.gatewayRequest)
    {
      self = .apiGateway
    } else if response.contains(Self.cloudFrontRequest) {
      self = .cloudFront
    } else if response.contains(Self.envoyTime) {
      self = .envoy
    } else {
      self = response.contains(.xAmzRequestID) ? .amazonS3 : .unknown
    }
  }
}
