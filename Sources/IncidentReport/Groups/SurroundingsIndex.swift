internal import FetchCORS
internal import HTTPExchange

/// Finds what other routes and pages say about a route.
struct SurroundingsIndex {
  /// Groups of one route, or of one page's calls to one host, or of a host, added up.
  private struct Sum {
    var calls: UInt64 = 0
    var allowed: UInt64 = 0
    var blocked: UInt64 = 0
    var goodResponses: UInt64 = 0
    var allowedErrors: UInt64 = 0
    var passedPreflights: UInt64 = 0
    var lonelyPreflights: UInt64 = 0
    var followedPreflights: UInt64 = 0
    var credentialed: UInt64 = 0
    var corsMode: UInt64 = 0
    var grantedHeaders: Set<String> = []
    /// The two origins with the lowest names that have allowed calls.
    var origins: [String] = []
    /// Of the latest good answer.
    var good: Call?

    mutating func add(_ group: RouteGroup) {
      calls &+= group.calls
      allowed &+= group.allowed
      blocked &+= group.blocked
      goodResponses &+= group.goodResponses
      allowedErrors &+= group.allowedErrors
      passedPreflights &+= group.passedPreflights
      lonelyPreflights &+= group.lonelyPreflights
      followedPreflights &+= group.followedPreflights
      credentialed &+= group.credentialed
      corsMode &+= group.corsMode
      if let call = group.anyGood, good.map({ $0.time < call.time }) ?? true { good = call }
      if group.allowed > 0, !origins.contains(group.origin) {
        origins = (origins + [group.origin]).sorted()
        origins.removeLast(max(0, origins.count - 2))
      }
    }
  }

  private struct Place: Hashable {
    var origin: String?
    var host: String
    var route: String?
  }

  /// Origins of a host with allowed calls that others are compared with.
  private static let maximumOrigins = 64

  private var sums: [Place: Sum] = [:]
  private var allowedOrigins: [String: [String: UInt64]] = [:]

  private let isPartial: Bool

  /// - Parameter strayRequests: requests whose preflights should have been seen and were not.
  init(_ groups: [RouteGroup], strayRequests: UInt64) {
    isPartial = strayRequests > groups.reduce(0) { $0 &+ $1.lonelyPreflights } / 4
    for group in groups {
      let places = [
        Place(origin: group.origin, host: group.host, route: group.template),
        Place(host: group.host, route: group.template),
        Place(origin: group.origin, host: group.host), Place(host: group.host),
      ]
      for place in places { sums[place, default: Sum()].add(group) }
      sums[places[0]]?.grantedHeaders.formUnion(group.grantedHeaders)
      if group.allowed > 0 {
        allowedOrigins[group.host, default: [:]][group.origin, default: 0] &+= group.allowed
      }
    }
    allowedOrigins = allowedOrigins.mapValues { origins in
      guard origins.count > Self.maximumOrigins else { return origins }
      let kept = origins.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }
      return Dictionary(
        uniqueKeysWithValues: kept.prefix(Self.maximumOrigins).map { ($0.key, $0.value) })
    }
  }

  private func sum(origin: String? = nil, host: String, route: String? = nil) -> Sum {
    sums[Place(origin: origin, host: host, route: route)] ?? Sum()
  }

  /// What is known around a route.
  func around(_ group: RouteGroup) -> Surroundings {
    let own = sum(origin: group.origin, host: group.host, route: group.template)
    let route = sum(host: group.host, route: group.template)
    let page = sum(origin: group.origin, host: group.host)
    let host = sum(host: group.host)
    var around = Surroundings()
    around.calls = own.calls
    around.allowed = own.allowed
    around.goodResponses = own.goodResponses
    around.allowedErrors = own.allowedErrors
    around.passedPreflights = own.passedPreflights
    around.lonelyPreflights = own.lonelyPreflights
    around.followedPreflights = own.followedPreflights
    around.isPartial = isPartial
    around.blocked = own.blocked
    around.corsMode = own.corsMode
    around.grantedHeaders = own.grantedHeaders
    around.otherOriginsAllowed = route.allowed - own.allowed
    around.otherOrigin = route.origins.first { $0 != group.origin }
    around.otherRoutesAllowed = page.allowed - own.allowed
    around.credentialed = page.credentialed
    around.callsOfHost = page.calls
    around.corsModeOfHost = page.corsMode
    around.otherOriginsAllowedOfHost = host.allowed - page.allowed
    around.shareOfHost = host.calls > 0 ? Double(page.calls) / Double(host.calls) : 1
    around.usualServer = (own.good ?? route.good)?.request?.response.first(.server)
    relate(group, to: &around)
    return around
  }

  /// Compares the page's origin with those that the host is known to allow.
  private func relate(_ group: RouteGroup, to around: inout Surroundings) {
    let others = (allowedOrigins[group.host] ?? [:]).keys.sorted().filter { $0 != group.origin }
    for other in others {
      guard let difference = AllowOriginShape.difference(other, group.origin) else { continue }
      around.similarOrigin = other
      around.similarity = difference
      break
    }
    guard let site = Site(origin: group.origin) else { return }
    around.siblingOrigin = others.first { Site(origin: $0) == site }
    around.isStranger = around.siblingOrigin == nil && Site(host: group.host) != site
  }
}

/// What belongs to one owner: the part of a host's name that can be registered.
///
/// An approximation of the public suffix list that errs towards larger sites for unknown suffixes
/// of two parts; it decides only whether a refusal looks meant.
struct Site: Hashable {
  var name: String

  init?(origin: String) {
    guard let origin = Origin(origin) else { return nil }
    self.init(host: origin.host)
  }

  init(host: String) {
    let isBracketed = host.hasPrefix("[")
    let host = String(host.prefix { $0 != ":" || isBracketed }).asciiLowercased
    let labels = host.split(separator: ".")
    let isAddress = isBracketed || labels.allSatisfy { $0.allSatisfy { $0.isNumber } }
    guard !isAddress, labels.count > 2, let last = labels.last else {
      name = host
      return
    }
    let second = labels[labels.count - 2]
    let suffix = "\(second).\(last)"
    let isLong =
      Self.shared.contains(suffix) || last.utf8.count == 2 && Self.second.contains(String(second))
    name = labels.suffix(isLong ? 3 : 2).joined(separator: ".")
  }

  /// Labels that countries put in front of their own.
  private static let second: Set<String> = [
    "co", "com", "org", "net", "gov", "edu", "ac", "or", "ne", "go", "gob", "nom", "ltd", "plc",
    "asn",
    "id", "mil", "web",
  ]

  /// Suffixes under which everybody may have a name.
  private static let shared: Set<String> = [
    "github.io", "gitlab.io", "vercel.app", "netlify.app", "pages.dev", "workers.dev", "web.app",
    "firebaseapp.com", "herokuapp.com", "azurewebsites.net", "cloudfront.net", "amazonaws.com",
    "onrender.com", "fly.dev", "ngrok.io", "ngrok.app", "surge.sh", "appspot.com", "myshopify.com",
    "blogspot.com", "azurestaticapps.net", "cloudapp.net", "loca.lt",
  ]
}
