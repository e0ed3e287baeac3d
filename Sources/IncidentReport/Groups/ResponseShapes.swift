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
  /// Several values of a log that joins lines, of which one is said twice or is `*`: nobody writes
  /// such a list, but two layers that add a line each make it.
  case joinedLines
  /// A pattern such as `https://*.example`.
  case pattern
  case otherOrigin
  /// The origin of a developer's machine, while the page is elsewhere.
  case developer
  /// The origin of the server that answers, in place of the page's.
  case ownHost
  case invalid
}

/// What a response said of credentials.
enum AllowCredentialsShape: Hashable {
  case unrecorded, absent, yes, several
  /// `True`, `1` or anything else that is not `true`.
  case misspelled
}

/// Where a redirect leads, seen from where it came.
enum RedirectTurn: Hashable {
  case slash, scheme, www, login, otherHost, otherPath, unknown
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
  /// - Parameter host: the host that answered, where it is of interest.
  init(_ response: MessageEvidence, origin: String, host: String?) {
    guard case .recorded(let lines, let fidelity) = response.evidence(of: .accessControlAllowOrigin)
    else {
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
      self = fidelity.contains(.joined) && Self.isMadeOfLines(value) ? .joinedLines : .list
    } else if value.contains("*") {
      self = .pattern
    } else if let difference = Self.difference(value, origin) {
      self = .nearMiss(difference)
    } else if let allowed = Origin(value) {
      if let host, allowed.host == host {
        self = .ownHost
      } else {
        self = Symptoms.isLocal(value) && !Symptoms.isLocal(origin) ? .developer : .otherOrigin
      }
    } else {
      self = .invalid
    }
  }

  /// Whether of the values of a list one is `*` or said twice.
  private static func isMadeOfLines(_ list: String) -> Bool {
    let parts = list.split(separator: ",").map { $0.drop { $0 == " " }.prefix { $0 != " " } }
    return parts.count > 1 && (parts.contains("*") || Set(parts).count < parts.count)
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

extension AllowCredentialsShape {
  init(_ response: MessageEvidence) {
    switch response.evidence(of: .accessControlAllowCredentials) {
    case .unrecorded: self = .unrecorded
    case .absent: self = .absent
    case .recorded(let lines, _):
      let values = lines.compactMap { $0 }
      guard let value = values.first else {
        self = .unrecorded
        return
      }
      if lines.count > 1 || value.contains(",") {
        self = .several
      } else {
        self = value == "true" ? .yes : .misspelled
      }
    }
  }
}
