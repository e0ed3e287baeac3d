/// A header field name, compared without regard to case and held in lower case.
///
/// The names that a verdict or a cause needs are numbered, so that comparing them costs nothing;
/// every other name is kept as text.
@frozen
public struct HeaderName: Hashable, Sendable, CustomStringConvertible {
  /// The number of a known name, from 1; 0 for any other.
  @usableFromInline let code: UInt8
  /// The name in lower case.
  public let description: String

  private init(_ known: Known) {
    code = known.code
    description = known.rawValue
  }

  /// The name of that spelling in any case.
  public init(_ text: some StringProtocol) {
    let lower = String(text).asciiLowercased
    code = Known.byName[lower]?.code ?? 0
    description = lower
  }

  /// Whether two names are the same, whatever their case was.
  @inlinable
  public static func == (left: Self, right: Self) -> Bool {
    left.code == right.code && (left.code != 0 || left.description == right.description)
  }

  /// Hashes the number of a known name, else the name.
  @inlinable
  public func hash(into hasher: inout Hasher) {
    hasher.combine(code)
    if code == 0 { hasher.combine(description) }
  }

  /// Whether a verdict never reads the field: it is kept for causes and for joining alone.
  public var isForCausesOnly: Bool { Self.namesForCauses.contains(code) }

  /// The numbers of the names that ``isForCausesOnly``.
  struct NamesForCauses {
    private let first = Known.server.code
    private let requestID = Known.xRequestID.code
    private let correlationID = Known.xCorrelationID.code

    func contains(_ code: UInt8) -> Bool {
      code >= first || code == requestID || code == correlationID
    }
  }

  private static let namesForCauses = NamesForCauses()

  private var known: Known? { code == 0 ? nil : Known.all[Int(code) - 1] }

  /// Every name that has a value worth keeping; all others are kept as names only.
  public static let known: [HeaderName] = Known.allCases.map { HeaderName($0) }

  /// Whether a request header's value is kept (else only its presence is).
  public var isKeptInRequests: Bool {
    known?.isKeptInRequests ?? false
  }

  /// Whether a response header is kept at all.
  public var isKeptInResponses: Bool {
    known.map { !$0.isRequestOnly } ?? false
  }

  /// Whether hardly two messages have the same value of the field.
  ///
  /// No verdict reads such a one.
  public var isOfOneMessage: Bool { known?.isOfOneMessage ?? false }

  private enum Known: String, CaseIterable {
    // Requests: what a verdict reads.
    case origin
    case accessControlRequestMethod = "access-control-request-method"
    case accessControlRequestHeaders = "access-control-request-headers"
    case accessControlRequestPrivateNetwork = "access-control-request-private-network"
    case secFetchMode = "sec-fetch-mode"
    case secFetchSite = "sec-fetch-site"
    case secFetchDest = "sec-fetch-dest"
    case secFetchStorageAccess = "sec-fetch-storage-access"
    case cookie
    case authorization
    case accept
    case acceptLanguage = "accept-language"
    case contentLanguage = "content-language"
    case range
    case referer
    case upgrade
    case upgradeInsecureRequests = "upgrade-insecure-requests"
    case xRequestedWith = "x-requested-with"
    case lastEventID = "last-event-id"
    case forwarded
    case xForwardedFor = "x-forwarded-for"
    case xForwardedProto = "x-forwarded-proto"
    case xForwardedHost = "x-forwarded-host"
    case xForwardedPort = "x-forwarded-port"
    case userAgent = "user-agent"
    case host
    // Both directions.
    case contentType = "content-type"
    case cacheControl = "cache-control"
    case via
    case xRequestID = "x-request-id"
    case xCorrelationID = "x-correlation-id"
    // Responses: what a verdict reads.
    case accessControlAllowOrigin = "access-control-allow-origin"
    case accessControlAllowCredentials = "access-control-allow-credentials"
    case accessControlAllowMethods = "access-control-allow-methods"
    case accessControlAllowHeaders = "access-control-allow-headers"
    case accessControlMaxAge = "access-control-max-age"
    case accessControlExposeHeaders = "access-control-expose-headers"
    case accessControlAllowPrivateNetwork = "access-control-allow-private-network"
    case location
    // Responses: what only a cause reads. Verdicts read nothing from here on.
    case server
    case vary
    case age
    case allow
    case xCache = "x-cache"
    case xCacheStatus = "x-cache-status"
    case retryAfter = "retry-after"
    case wwwAuthenticate = "www-authenticate"
    case setCookie = "set-cookie"
    case contentLength = "content-length"
    case crossOriginResourcePolicy = "cross-origin-resource-policy"
    case xPoweredBy = "x-powered-by"
    case xServedBy = "x-served-by"
    case cfRay = "cf-ray"
    case cfMitigated = "cf-mitigated"
    case cfCacheStatus = "cf-cache-status"
    case xAmznErrorType = "x-amzn-errortype"
    case xAmznRequestID = "x-amzn-requestid"
    case xAmzRequestID = "x-amz-request-id"
    case xAmzCfID = "x-amz-cf-id"
    case apigwID = "apigw-id"
    case xSucuriID = "x-sucuri-id"
    case xIinfo = "x-iinfo"
    case xEnvoyUpstreamServiceTime = "x-envoy-upstream-service-time"
    case xKongResponseLatency = "x-kong-response-latency"
    case contentDisposition = "content-disposition"
    case link
    case xTotalCount = "x-total-count"
    case xRateLimitRemaining = "x-ratelimit-remaining"
    case rateLimit = "ratelimit"

    static let all = Array(allCases)
    static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.rawValue, $0) })
    private static let codes = Dictionary(
      uniqueKeysWithValues: all.enumerated().map { ($0.element, UInt8($0.offset + 1)) })

    var code: UInt8 { Self.codes[self] ?? 0 }

    var isRequestOnly: Bool {
      switch self {
      case .origin, .accessControlRequestMethod, .accessControlRequestHeaders,
        .accessControlRequestPrivateNetwork, .secFetchMode, .secFetchSite, .secFetchDest,
        .secFetchStorageAccess, .cookie, .authorization, .accept, .acceptLanguage,
        .contentLanguage, .range, .referer, .upgradeInsecureRequests, .xRequestedWith,
        .lastEventID, .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost,
        .xForwardedPort, .userAgent, .host:
        true
      default: false
      }
    }

    var isOfOneMessage: Bool {
      switch self {
      case .xRequestID, .xCorrelationID, .age, .contentLength, .cfRay, .xAmznRequestID,
        .xAmzRequestID, .xAmzCfID, .apigwID, .xSucuriID, .xIinfo, .xEnvoyUpstreamServiceTime,
        .xKongResponseLatency, .xTotalCount, .xRateLimitRemaining, .rateLimit:
        true
      default: false
      }
    }

    var isKeptInRequests: Bool {
      switch self {
      case .contentType, .via, .xRequestID, .xCorrelationID, .upgrade: true
      // The host is part of the URL and the user agent a field of its own.
      case .userAgent, .host, .lastEventID: false
      default: isRequestOnly
      }
    }
  }

  /// `Origin`.
  public static let origin = HeaderName(.origin)
  /// `Access-Control-Request-Method`.
  public static let accessControlRequestMethod = HeaderName(.accessControlRequestMethod)
  /// `Access-Control-Request-Headers`.
  public static let accessControlRequestHeaders = HeaderName(.accessControlRequestHeaders)
  /// `Access-Control-Request-Private-Network`.
  public static let accessControlRequestPrivateNetwork =
    HeaderName(.accessControlRequestPrivateNetwork)
  /// `Sec-Fetch-Mode`.
  public static let secFetchMode = HeaderName(.secFetchMode)
  /// `Sec-Fetch-Site`.
  public static let secFetchSite = HeaderName(.secFetchSite)
  /// `Sec-Fetch-Dest`.
  public static let secFetchDest = HeaderName(.secFetchDest)
  /// `Sec-Fetch-Storage-Access`.
  public static let secFetchStorageAccess = HeaderName(.secFetchStorageAccess)
  /// `Cookie`.
  public static let cookie = HeaderName(.cookie)
  /// `Authorization`.
  public static let authorization = HeaderName(.authorization)
  /// `Accept`.
  public static let accept = HeaderName(.accept)
  /// `Accept-Language`.
  public static let acceptLanguage = HeaderName(.acceptLanguage)
  /// `Content-Language`.
  public static let contentLanguage = HeaderName(.contentLanguage)
  /// `Range`.
  public static let range = HeaderName(.range)
  /// `Referer`.
  public static let referer = HeaderName(.referer)
  /// `Upgrade`.
  public static let upgrade = HeaderName(.upgrade)
  /// `Upgrade-Insecure-Requests`.
  public static let upgradeInsecureRequests = HeaderName(.upgradeInsecureRequests)
  /// `X-Requested-With`.
  public static let xRequestedWith = HeaderName(.xRequestedWith)
  /// `Last-Event-Id`.
  public static let lastEventID = HeaderName(.lastEventID)
  /// `Forwarded`.
  public static let forwarded = HeaderName(.forwarded)
  /// `X-Forwarded-For`.
  public static let xForwardedFor = HeaderName(.xForwardedFor)
  /// `X-Forwarded-Proto`.
  public static let xForwardedProto = HeaderName(.xForwardedProto)
  /// `X-Forwarded-Host`.
  public static let xForwardedHost = HeaderName(.xForwardedHost)
  /// `X-Forwarded-Port`.
  public static let xForwardedPort = HeaderName(.xForwardedPort)
  /// `User-Agent`.
  public static let userAgent = HeaderName(.userAgent)
  /// `Host`.
  public static let host = HeaderName(.host)
  /// `Content-Type`.
  public static let contentType = HeaderName(.contentType)
  /// `Cache-Control`.
  public static let cacheControl = HeaderName(.cacheControl)
  /// `Via`.
  public static let via = HeaderName(.via)
  /// `X-Request-Id`.
  public static let xRequestID = HeaderName(.xRequestID)
  /// `X-Correlation-Id`.
  public static let xCorrelationID = HeaderName(.xCorrelationID)
  /// `Access-Control-Allow-Origin`.
  public static let accessControlAllowOrigin = HeaderName(.accessControlAllowOrigin)
  /// `Access-Control-Allow-Credentials`.
  public static let accessControlAllowCredentials = HeaderName(.accessControlAllowCredentials)
  /// `Access-Control-Allow-Methods`.
  public static let accessControlAllowMethods = HeaderName(.accessControlAllowMethods)
  /// `Access-Control-Allow-Headers`.
  public static let accessControlAllowHeaders = HeaderName(.accessControlAllowHeaders)
  /// `Access-Control-Max-Age`.
  public static let accessControlMaxAge = HeaderName(.accessControlMaxAge)
  /// `Access-Control-Expose-Headers`.
  public static let accessControlExposeHeaders = HeaderName(.accessControlExposeHeaders)
  /// `Access-Control-Allow-Private-Network`.
  public static let accessControlAllowPrivateNetwork =
    HeaderName(.accessControlAllowPrivateNetwork)
  /// `Location`.
  public static let location = HeaderName(.location)
  /// `Content-Disposition`.
  public static let contentDisposition = HeaderName(.contentDisposition)
  /// `Link`.
  public static let link = HeaderName(.link)
  /// `X-Total-Count`.
  public static let xTotalCount = HeaderName(.xTotalCount)
  /// `X-RateLimit-Remaining`.
  public static let xRateLimitRemaining = HeaderName(.xRateLimitRemaining)
  /// `RateLimit`.
  public static let rateLimit = HeaderName(.rateLimit)
  /// `Server`.
  public static let server = HeaderName(.server)
  /// `Vary`.
  public static let vary = HeaderName(.vary)
  /// `Age`.
  public static let age = HeaderName(.age)
  /// `Allow`.
  public static let allow = HeaderName(.allow)
  /// `X-Cache`.
  public static let xCache = HeaderName(.xCache)
  /// `X-Cache-Status`.
  public static let xCacheStatus = HeaderName(.xCacheStatus)
  /// `Retry-After`.
  public static let retryAfter = HeaderName(.retryAfter)
  /// `Www-Authenticate`.
  public static let wwwAuthenticate = HeaderName(.wwwAuthenticate)
  /// `Set-Cookie`.
  public static let setCookie = HeaderName(.setCookie)
  /// `Content-Length`.
  public static let contentLength = HeaderName(.contentLength)
  /// `X-Powered-By`.
  public static let xPoweredBy = HeaderName(.xPoweredBy)
  /// `CF-Ray`.
  public static let cfRay = HeaderName(.cfRay)
  /// `Cf-Mitigated`.
  public static let cfMitigated = HeaderName(.cfMitigated)
  /// `Cf-Cache-Status`.
  public static let cfCacheStatus = HeaderName(.cfCacheStatus)
  /// `X-Amzn-Errortype`.
  public static let xAmznErrorType = HeaderName(.xAmznErrorType)
  /// `Apigw-Id`.
  public static let apigwID = HeaderName(.apigwID)
  /// `X-Amz-Request-Id`.
  public static let xAmzRequestID = HeaderName(.xAmzRequestID)
}

/// A set of names that is looked for as a whole; those that are not known count as one.
public struct HeaderNameSet: Sendable {
  let bits: UInt128

  /// The set of those names.
  public init(_ names: [HeaderName]) {
    bits = names.reduce(0) { $0 | 1 << UInt128($1.code) }
  }
}
