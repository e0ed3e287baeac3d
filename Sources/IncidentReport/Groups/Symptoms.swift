internal import FetchCORS
internal import HTTPExchange

/// What a response said of the origins that it allows, seen from the origin that asked.
enum AllowOriginShape: Hashable {
  case unrecorded, absent, wildcard, same, null
  /// The same origin in another spelling; says what differs.
  case nearMiss(String)
  /// Several values in one line.
  case list
  /// Several lines, which is proved.
  case severalLines
  /// A pattern such as `https://*.example`.
  case pattern
  case otherOrigin
  case invalid
}

/// Where a redirect leads, seen from where it came.
enum RedirectTurn: Hashable {
  case slash, scheme, www, login, otherHost, otherPath, unknown
}

/// Software that answered, where it names itself and a fix is written differently for it.
enum ServerFamily: String, Hashable {
  case nginx, apache, caddy, envoy, haproxy, cloudflare, cloudFront, amazonS3, iis, unknown
}

/// All that decides about the cause of a call and about what it probably was.
///
/// Calls of one route with equal symptoms have the same cause, so that causes are decided once per
/// group, when all traffic is known, and not once per call.
struct Symptoms: Hashable {
  /// Signs in the failing exchange.
  struct Signs: OptionSet, Hashable {
    let rawValue: UInt32
    /// The response came out of a cache.
    static let cacheHit = Signs(rawValue: 1 << 0)
    static let retryAfter = Signs(rawValue: 1 << 1)
    static let wwwAuthenticate = Signs(rawValue: 1 << 2)
    /// `Allow`, as a router that does not know a method sends it.
    static let allow = Signs(rawValue: 1 << 3)
    /// A web application firewall or bot manager named itself.
    static let firewall = Signs(rawValue: 1 << 4)
    /// An API gateway made the answer itself.
    static let gateway = Signs(rawValue: 1 << 5)
    static let variesByOrigin = Signs(rawValue: 1 << 6)
    /// The failing request carried `Origin: null`.
    static let nullOrigin = Signs(rawValue: 1 << 7)
    /// The preflight of the failing request allowed its origin.
    static let preflightAllowedOrigin = Signs(rawValue: 1 << 8)
    /// The response has a `Vary` line.
    static let vary = Signs(rawValue: 1 << 9)
    /// The client closed before there was an answer.
    static let clientClosed = Signs(rawValue: 1 << 10)
    /// A value that is too long to be told apart was cut.
    static let overflow = Signs(rawValue: 1 << 11)
    /// A preflight of the failing hop was seen.
    static let preflightSeen = Signs(rawValue: 1 << 12)
    /// The request carried a cookie.
    static let cookie = Signs(rawValue: 1 << 13)
  }

  var verdict: Verdict
  var phase: Phase?
  var reason: BlockedReason?
  /// The refused header or method in lower case.
  var parameter: String?
  var kind: CallKind
  var credentials: CredentialsEvidence
  var mode: ModeEvidence
  var preflightStatus: Int?
  var responseStatus: Int?
  var isRedirected: Bool
  var allowOrigin: AllowOriginShape
  var turn: RedirectTurn?
  var server: ServerFamily
  var signs: Signs
  /// What an undetermined verdict would need.
  var missing: [String]
  /// In which worlds an undetermined call is blocked.
  var blockedWorlds: [[String]]

  /// The symptoms of calls that are told apart no further.
  init(overflowOf other: Symptoms) {
    self = other
    parameter = nil
    kind = .simple
    credentials = .unknown
    mode = .unknown
    preflightStatus = nil
    responseStatus = nil
    isRedirected = false
    allowOrigin = .unrecorded
    turn = nil
    server = .unknown
    signs = .overflow
    missing = []
    blockedWorlds = []
  }

  init(_ call: Call) {
    let preflight = call.preflight
    let request = call.request
    let deciding = call.phase == .preflight ? preflight : request ?? preflight
    let response = deciding?.response ?? .unseen
    verdict = call.verdict
    phase = call.phase
    reason = call.reason
    parameter = Self.parameter(of: call)
    kind = call.kind
    credentials = call.credentials
    mode = call.mode
    preflightStatus = preflight?.status
    responseStatus = call.phase == .preflight ? nil : request?.status
    isRedirected = call.hop > 0
    let sentOrigin = deciding?.request.first(.origin) ?? call.origin
    allowOrigin = AllowOriginShape(response, origin: sentOrigin)
    turn = Self.turn(of: call, deciding: deciding)
    server = ServerFamily(response)
    signs = Self.signs(of: response)
    if sentOrigin == "null" { signs.insert(.nullOrigin) }
    if deciding?.ending == .clientClosed { signs.insert(.clientClosed) }
    if preflight != nil { signs.insert(.preflightSeen) }
    if request?.request.contains(.cookie) ?? false { signs.insert(.cookie) }
    if call.phase != .preflight, let preflight {
      switch AllowOriginShape(preflight.response, origin: sentOrigin) {
      case .same, .wildcard: signs.insert(.preflightAllowedOrigin)
      default: break
      }
    }
    missing = call.missing.prefix(8).map { DisplayText.visible($0, limit: 40) }
    blockedWorlds = call.worlds.prefix(8).filter { $0.verdict == .blocked }
      .map { $0.assuming.prefix(4).map { DisplayText.visible($0, limit: 60) } }
  }

  private static func parameter(of call: Call) -> String? {
    switch call.reason {
    case .headerDisallowedByPreflightResponse, .methodDisallowedByPreflightResponse:
      call.parameter.map { DisplayText.visible($0, limit: 60).asciiLowercased }
    default: nil
    }
  }

  private static func signs(of response: MessageEvidence) -> Signs {
    var signs: Signs = []
    if response.first(.age).flatMap({ Int($0) }) ?? 0 > 0 { signs.insert(.cacheHit) }
    for name in [HeaderName.xCache, .xCacheStatus, .cfCacheStatus] {
      if let value = response.first(name), value.prefix(64).lowercased().contains("hit") {
        signs.insert(.cacheHit)
      }
    }
    if response.contains(.retryAfter) { signs.insert(.retryAfter) }
    if response.contains(.wwwAuthenticate) { signs.insert(.wwwAuthenticate) }
    if response.contains(.allow) { signs.insert(.allow) }
    for name in firewallNames where response.contains(name) { signs.insert(.firewall) }
    if response.contains(.xAmznErrorType) || response.contains(.apigwID) {
      signs.insert(.gateway)
    }
    for field in response.fields where field.name == .vary {
      signs.insert(.vary)
      guard let value = field.value else { continue }
      let names = value.prefix(300).lowercased().split { $0 == "," || $0 == " " }
      if names.contains("origin") || names.contains("*") { signs.insert(.variesByOrigin) }
    }
    return signs
  }

  private static let firewallNames = [
    HeaderName.cfMitigated, HeaderName("x-sucuri-id"), HeaderName("x-iinfo"),
  ]

  /// Where the deciding response, or the hop that led to it, redirects.
  private static func turn(of call: Call, deciding: Exchange?) -> RedirectTurn? {
    if let deciding, let status = deciding.status, isRedirect(status) {
      return RedirectTurn(from: deciding)
    }
    guard call.hop > 0 else { return nil }
    let before = call.exchanges.last { $0.role == .request && $0.hop == call.hop - 1 }
    return before.map { RedirectTurn(from: $0.exchange) }
  }

  static func isRedirect(_ status: Int) -> Bool {
    [301, 302, 303, 307, 308].contains(status)
  }
}

extension RedirectTurn {
  init(from exchange: Exchange) {
    guard let location = exchange.response.first(.location), location.utf8.count <= 4096 else {
      self = .unknown
      return
    }
    if Self.isLogin(location) {
      self = .login
      return
    }
    guard let target = exchange.url.resolving(location: location) else {
      self = .unknown
      return
    }
    let from = exchange.url.host
    let path = exchange.url.target.prefix { $0 != "?" }
    let newPath = target.target.prefix { $0 != "?" }
    if let from, let to = target.host, from != to {
      self = from == "www." + to || to == "www." + from ? .www : .otherHost
    } else if path + "/" == newPath || newPath + "/" == path {
      self = .slash
    } else if path == newPath,
      target.scheme != exchange.url.scheme || target.port != exchange.url.port
    {
      self = .scheme
    } else {
      self = .otherPath
    }
  }

  /// Whether an address looks like a place to sign in.
  private static func isLogin(_ location: String) -> Bool {
    let text = location.asciiLowercased
    let words = text.prefix { $0 != "?" && $0 != "#" }
      .split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
    return words.contains { loginWords.contains(String($0)) }
  }

  private static let loginWords: Set<String> = [
    "login", "signin", "logon", "sso", "oauth", "oauth2", "openid", "saml", "saml2", "auth",
    "authorize", "idp", "accounts", "cas", "adfs", "microsoftonline", "okta", "auth0", "keycloak",
    "cloudflareaccess",
  ]
}

extension AllowOriginShape {
  init(_ response: MessageEvidence, origin: String) {
    guard case .recorded(let lines, _) = response.evidence(of: .accessControlAllowOrigin) else {
      self = response.evidence(of: .accessControlAllowOrigin) == .absent ? .absent : .unrecorded
      return
    }
    guard lines.count == 1 else {
      self = .severalLines
      return
    }
    guard let value = lines[0] else {
      self = .unrecorded
      return
    }
    if value == "*" {
      self = .wildcard
    } else if value.hasSameBytes(as: origin) {
      self = .same
    } else if value == "null" {
      self = .null
    } else if value.utf8.count > 2048 {
      self = .invalid
    } else if value.contains(",") || value.contains(" ") {
      self = .list
    } else if value.contains("*") {
      self = .pattern
    } else if let difference = Self.difference(value, origin) {
      self = .nearMiss(difference)
    } else {
      self = Origin(value) == nil ? .invalid : .otherOrigin
    }
  }

  /// What keeps two origins apart that are meant to be one; `nil` when they are two.
  static func difference(_ value: String, _ origin: String) -> String? {
    let bare = value.hasSuffix("/") ? String(value.dropLast()) : value
    if bare != value, bare.hasSameBytes(as: origin) { return "a slash at its end" }
    if bare.asciiLowercased.hasSameBytes(as: origin.asciiLowercased) {
      return "capital letters"
    }
    guard let left = Origin(bare) ?? Origin("https://" + bare), let right = Origin(origin) else {
      return nil
    }
    if left.host == right.host {
      if Origin(bare) == nil { return "no scheme" }
      if left.scheme != right.scheme { return "another scheme" }
      return left.port == right.port ? "a port that browsers leave out" : "another port"
    }
    if left.host == "www." + right.host || right.host == "www." + left.host {
      return "www. in front"
    }
    return nil
  }
}

extension ServerFamily {
  init(_ response: MessageEvidence) {
    let server = response.first(.server)?.prefix(40).lowercased() ?? ""
    let known: [(String, ServerFamily)] = [
      ("nginx", .nginx), ("openresty", .nginx), ("apache", .apache), ("caddy", .caddy),
      ("envoy", .envoy), ("istio", .envoy), ("haproxy", .haproxy), ("cloudflare", .cloudflare),
      ("cloudfront", .cloudFront), ("amazons3", .amazonS3), ("microsoft-iis", .iis),
    ]
    if let family = known.first(where: { server.hasPrefix($0.0) })?.1 {
      self = family
    } else {
      self = response.contains(.xAmzRequestID) ? .amazonS3 : .unknown
    }
  }
}
