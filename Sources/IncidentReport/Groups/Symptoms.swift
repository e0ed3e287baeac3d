internal import FetchCORS
internal import HTTPExchange

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
    /// The user agent names no browser, and the request has none of a browser's own headers.
    static let noBrowser = Signs(rawValue: 1 << 14)
    /// The page is on the machine that it is looked at on, or on a private network.
    static let localPage = Signs(rawValue: 1 << 15)
    /// The first hop carried `Authorization`, and the failing one does not.
    static let authorizationDropped = Signs(rawValue: 1 << 16)
    /// A font, script, style sheet or image, not a call of a page's code.
    static let asset = Signs(rawValue: 1 << 17)
    /// A content delivery network or filter that answers in its own name.
    static let edge = Signs(rawValue: 1 << 18)
    /// The list that refuses the header or method is `*`.
    static let wildcardList = Signs(rawValue: 1 << 19)
    /// The list has the refused method in capital letters.
    static let methodInCapitals = Signs(rawValue: 1 << 20)
    /// The preflight of the failing request allowed credentials.
    static let preflightAllowedCredentials = Signs(rawValue: 1 << 21)
    /// The page's origin was not recorded: it is the one that `Referer` names.
    static let pageByReferer = Signs(rawValue: 1 << 22)
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
  var allowCredentials: AllowCredentialsShape
  var turn: RedirectTurn?
  /// What answered at the edge.
  var server: ServerFamily
  /// The application behind it, where the answer names one.
  var application: ServerFamily
  var signs: Signs
  /// What an undetermined verdict would need.
  var missing: [String]
  /// In which worlds an undetermined call is blocked.
  var blockedWorlds: [[String]]

  /// Hashes what tells most symptoms of one route apart: there are some dozens at most.
  func hash(into hasher: inout Hasher) {
    hasher.combine(preflightStatus)
    hasher.combine(responseStatus)
    hasher.combine(signs.rawValue)
    hasher.combine(parameter)
  }

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
    allowCredentials = .unrecorded
    turn = nil
    server = .unknown
    application = .unknown
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
    allowOrigin = AllowOriginShape(response, origin: sentOrigin, host: deciding?.url.host)
    allowCredentials = AllowCredentialsShape(response)
    turn = Self.turn(of: call, deciding: deciding)
    server = ServerFamily(response)
    application = ServerFamily(applicationOf: response)
    signs = Self.signs(of: response)
    signs.formUnion(Self.signs(of: call, deciding: deciding))
    if Self.isLocal(sentOrigin) { signs.insert(.localPage) }
    if !call.origin.isEmpty,
      !call.exchanges.contains(where: { $0.exchange.request.records(.origin) })
    {
      signs.insert(.pageByReferer)
    }
    if sentOrigin == "null" { signs.insert(.nullOrigin) }
    if deciding?.ending == .clientClosed { signs.insert(.clientClosed) }
    if preflight != nil { signs.insert(.preflightSeen) }
    if request?.request.contains(.cookie) ?? false { signs.insert(.cookie) }
    if call.phase != .preflight, let preflight {
      switch AllowOriginShape(preflight.response, origin: sentOrigin, host: nil) {
      case .same, .wildcard: signs.insert(.preflightAllowedOrigin)
      default: break
      }
      if AllowCredentialsShape(preflight.response) == .yes {
        signs.insert(.preflightAllowedCredentials)
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
    for name in cacheNames {
      if let value = response.first(name), value.prefix(64).lowercased().contains("hit") {
        signs.insert(.cacheHit)
      }
    }
    if response.contains(.retryAfter) { signs.insert(.retryAfter) }
    if response.contains(.wwwAuthenticate) { signs.insert(.wwwAuthenticate) }
    if response.contains(.allow) { signs.insert(.allow) }
    for name in firewallNames where response.contains(name) { signs.insert(.firewall) }
    let server = response.beginning(of: .server)
    if edgeNames.contains(where: { server.hasPrefix($0) }) { signs.insert(.edge) }
    if response.contains(.xAmznErrorType) || response.contains(.apigwID) {
      signs.insert(.gateway)
    }
    if response.contains(.vary) {
      signs.insert(.vary)
      let names = response.varyingNames()
      if names.contains("origin") || names.contains("*") { signs.insert(.variesByOrigin) }
    }
    return signs
  }

  /// Signs in what was asked.
  private static func signs(of call: Call, deciding: Exchange?) -> Signs {
    var signs: Signs = []
    guard let deciding else { return signs }
    if call.engine == "unknown", call.userAgent != nil,
      !browserNames.contains(where: { deciding.request.contains($0) })
    {
      signs.insert(.noBrowser)
    }
    let destination = call.request?.request.first(.secFetchDest) ?? ""
    if assets.contains(destination) { signs.insert(.asset) }
    let sentAuthorization = call.exchanges.contains { part in
      part.role == .request && part.hop < call.hop && part.exchange.request.contains(.authorization)
    }
    if call.hop > 0, sentAuthorization, deciding.request.records(.authorization),
      !deciding.request.contains(.authorization)
    {
      signs.insert(.authorizationDropped)
    }
    guard let list = list(of: call) else { return signs }
    if list == "*" { signs.insert(.wildcardList) }
    if let parameter = call.parameter, call.reason == .methodDisallowedByPreflightResponse {
      let names = list.prefix(2000).split { $0 == "," || $0 == " " }
      let capitals = parameter.uppercased()
      if capitals != parameter, names.contains(where: { $0 == capitals }) {
        signs.insert(.methodInCapitals)
      }
    }
    return signs
  }

  /// The list of the preflight's answer that refused a header or method.
  private static func list(of call: Call) -> String? {
    switch call.reason {
    case .headerDisallowedByPreflightResponse:
      call.preflight?.response.first(.accessControlAllowHeaders)
    case .methodDisallowedByPreflightResponse:
      call.preflight?.response.first(.accessControlAllowMethods)
    default: nil
    }
  }

  private static let cacheNames: [HeaderName] = [.xCache, .xCacheStatus, .cfCacheStatus]
  private static let browserNames: [HeaderName] = [.secFetchMode, .secFetchSite, .secFetchDest]
  private static let assets: Set<String> = [
    "font", "image", "script", "style", "track", "video", "audio", "manifest",
  ]

  /// Whether a page is on a developer's machine or a private network.
  static func isLocal(_ origin: String) -> Bool {
    // Local hosts and ports end in these; most of the web does not, which is seen at once.
    guard let last = origin.utf8.last, "0123456789]tlTL".utf8.contains(last),
      let host = Origin(origin)?.host
    else { return false }
    if host == "localhost" || host == "[::1]" || host.hasSuffix(".localhost") { return true }
    let parts = host.split(separator: ".").map { Int($0) }
    guard parts.count == 4, let first = parts[0], let second = parts[1] else {
      return host.hasSuffix(".local") || host.hasSuffix(".internal")
    }
    return first == 127 || first == 10 || (first == 192 && second == 168)
      || (first == 172 && (16...31).contains(second))
  }

  private static let firewallNames = [
    HeaderName.cfMitigated, HeaderName("x-sucuri-id"), HeaderName("x-iinfo"),
  ]

  private static let edgeNames = [
    "cloudflare", "cloudfront", "akamai", "fastly", "sucuri", "imperva", "incapsula", "bigip",
    "big-ip", "ddos-guard", "stackpath", "barracuda",
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
