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

  /// How values of `Server` begin.
  private static let names: [(String, ServerFamily)] = [
    ("nginx", .nginx), ("openresty", .nginx), ("apache", .apache), ("caddy", .caddy),
    ("envoy", .envoy), ("istio", .envoy), ("haproxy", .haproxy), ("cloudflare", .cloudflare),
    ("cloudfront", .cloudFront), ("amazons3", .amazonS3), ("microsoft-iis", .iis),
    ("gunicorn", .python), ("werkzeug", .python), ("wsgiserver", .python),
    ("uvicorn", .starlette),
    ("hypercorn", .starlette), ("daphne", .starlette), ("kestrel", .aspNet), ("jetty", .spring),
    ("apache-coyote", .spring), ("tomcat", .spring), ("express", .express),
  ]

  /// The application that an answer names beside the server in front of it.
  init(applicationOf response: MessageEvidence) {
    let powered = response.beginning(of: .xPoweredBy)
    // Spring adds this triple to every answer of a route that its CORS support looks at.
    let spring = ["access-control-request-method", "access-control-request-headers"]
    if powered.hasPrefix("express") || powered.hasPrefix("next.js") {
      self = .express
    } else if powered.hasPrefix("asp.net") {
      self = .aspNet
    } else if powered.hasPrefix("servlet") || powered.hasPrefix("jsp") {
      self = .spring
    } else {
      let varying = response.varyingNames(shortest: spring[0].utf8.count)
      self = spring.allSatisfy(varying.contains) ? .spring : .unknown
    }
  }

  /// The family of a value of `Server`.
  init(name: String) {
    self.init(
      MessageEvidence(coverage: .complete, fields: [HeaderField(.server, name)]))
  }

  init(_ response: MessageEvidence) {
    let server = response.beginning(of: .server)
    // "Apache-Coyote" is Tomcat and begins like Apache.
    let matching = Self.names.filter { server.hasPrefix($0.0) }
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

extension MessageEvidence {
  /// The header names that `Vary` lists, in lower case; of a line the first 300 bytes count.
  ///
  /// - Parameter shortest: bytes of a line that is worth looking at.
  func varyingNames(shortest: Int = 1) -> [String] {
    var names: [String] = []
    forEachValue(of: .vary) { value in
      guard let value, value.utf8.count >= shortest else { return }
      names += value.utf8.prefix(300)
        .split { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") }
        .map { String(decoding: $0, as: UTF8.self).asciiLowercased }
    }
    return names
  }

  /// The first 40 bytes of a value in lower case; empty when there is none.
  func beginning(of name: HeaderName) -> String {
    first(name).map { String(decoding: $0.utf8.prefix(40), as: UTF8.self).asciiLowercased } ?? ""
  }
}
