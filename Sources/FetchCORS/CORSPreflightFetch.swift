public import HTTPExchange

/// What a preflight asked for: what the actual request would have been.
public struct PreflightQuestion: Hashable, Sendable {
  /// The value of `Access-Control-Request-Method`; `nil` when not recorded.
  public var method: String?
  /// The names in `Access-Control-Request-Headers`; `nil` when not recorded.
  public var headerNames: [String]?
  /// Whether other names may stand in a part that was cut or not shown.
  public var isPartial: Bool

  /// A question of those parts.
  public init(method: String?, headerNames: [String]?, isPartial: Bool = false) {
    self.method = method
    self.headerNames = headerNames
    self.isPartial = isPartial
  }

  /// Reads a preflight's request fields.
  public init(_ request: MessageEvidence) {
    method = request.whole(.accessControlRequestMethod)
    isPartial = false
    switch request.evidence(of: .accessControlRequestHeaders) {
    case .unrecorded: headerNames = nil
    case .absent: headerNames = []
    case .recorded(let lines, let fidelity):
      guard !fidelity.contains(.presence) else {
        headerNames = nil
        return
      }
      let text = lines.compactMap { $0 }.joined(separator: ",")
      var elements = text.utf8.split(
        separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      if fidelity.contains(.cut) {
        // The last name may have been cut in the middle.
        isPartial = true
        elements.removeLast()
      }
      headerNames = elements.map { Substring($0).strippingHTTPWhitespace }.filter { !$0.isEmpty }
    }
  }
}

/// Checks the response to a preflight.
///
/// - Parameters:
///   - question: what the preflight asked for.
///   - origin: the preflight's `Origin`.
///   - includesCredentials: whether the *actual* request's credentials mode is `include`; the
///     preflight itself never carries any.
///   - forcesPreflight: whether the request's use-CORS-preflight flag is set.
///   - response: the preflight's response.
/// - Returns: all faults, the one that the engine names first.
/// - Standard: <https://fetch.spec.whatwg.org/#cors-preflight-fetch-0>
public func corsPreflightFetch(
  _ question: PreflightQuestion, origin: String, includesCredentials: Bool,
  forcesPreflight: Bool = false, status: Int, response: MessageEvidence,
  httpVersion: String? = nil, engine: Engine = .standard
) -> Findings {
  PreflightAnswer(
    question, origin: origin, status: status, response: response, httpVersion: httpVersion
  ).check(
    includesCredentials: includesCredentials, forcesPreflight: forcesPreflight, engine: engine)
}

/// A preflight and its response, read once for the worlds in which it is checked.
///
/// A class, since pairing and evaluation hand it on many times and nothing in it ever changes.
public final class PreflightAnswer: Hashable, Sendable {
  /// What the preflight asked for.
  public let question: PreflightQuestion
  /// Its `Origin`.
  public let origin: String
  private let status: Int
  let response: MessageEvidence
  private let httpVersion: String?
  private let isRedirect: Bool
  let methods: TokenList
  let headerNames: TokenList
  private let listedNames: ListedNames
  let maxAge: CombinedValue

  /// Reads a preflight; `nil` when its status or its origin is not recorded.
  public convenience init?(_ preflight: Exchange) {
    guard let status = preflight.status, let origin = preflight.request.whole(.origin) else {
      return nil
    }
    self.init(
      PreflightQuestion(preflight.request), origin: origin, status: status,
      response: preflight.response, httpVersion: preflight.httpVersion)
  }

  /// A preflight that asked this of an origin, and its response.
  public init(
    _ question: PreflightQuestion, origin: String, status: Int, response: MessageEvidence,
    httpVersion: String? = nil
  ) {
    self.question = question
    self.origin = origin
    self.status = status
    self.response = response
    self.httpVersion = httpVersion
    isRedirect = isRedirectStatus(status) && response.evidence(of: .location) != .absent
    methods = TokenList(.accessControlAllowMethods, in: response)
    headerNames = TokenList(.accessControlAllowHeaders, in: response)
    listedNames = ListedNames(headerNames.known)
    maxAge = CombinedValue(response.evidence(of: .accessControlMaxAge))
  }

  /// Checks it in one world.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#cors-preflight-fetch-0>
  public func check(
    includesCredentials: Bool, forcesPreflight: Bool = false, engine: Engine
  ) -> Findings {
    let rules = engine.differences
    var findings = Findings()
    // 7. If a CORS check returns success and the status is an ok status …
    let check = corsCheck(
      origin: origin, includesCredentials: includesCredentials, response: response,
      httpVersion: httpVersion, engine: engine)
    var statusFindings = Findings()
    if !(200...299).contains(status) {
      statusFindings.fail(
        isRedirect && rules.namesPreflightRedirect ? .disallowedRedirect : .invalidStatus,
        String(status))
    }
    if rules.checksStatusFirst || (isRedirect && rules.refusesPreflightRedirectFirst) {
      findings.merge(statusFindings)
      findings.merge(check)
    } else {
      findings.merge(check)
      findings.merge(statusFindings)
    }
    // 7.1 to 7.3: the two lists must be lists of tokens.
    if methods == .malformed {
      findings.fail(
        .invalidAllowMethodsPreflightResponse, response.first(.accessControlAllowMethods))
    }
    let methodFindings = check7_5(
      question, methods, includesCredentials: includesCredentials,
      forcesPreflight: forcesPreflight)
    // Firefox goes through the methods to the end before it looks at the headers.
    if engine == .firefox { findings.merge(methodFindings) }
    if headerNames == .malformed {
      findings.fail(
        .invalidAllowHeadersPreflightResponse, response.first(.accessControlAllowHeaders))
    }
    if engine != .firefox { findings.merge(methodFindings) }
    findings.merge(
      check7_7(
        question, headerNames, listedNames, includesCredentials: includesCredentials,
        wildcardCoversAuthorization: rules.wildcardCoversAuthorization))
    return findings
  }

  /// Whether the method is listed; it passed, so what it asked for stands in the part of a list that
  /// the evidence does not show.
  func grants(method: String) -> Bool {
    methods.known.contains(method) || (!methods.isWhole && question.method == method)
  }

  /// Whether the header name, in lower case, is listed, in the same way.
  func grants(headerName name: String) -> Bool {
    listedNames.contains(name)
      || (!headerNames.isWhole
        && question.headerNames?.contains { $0.asciiLowercased == name } == true)
  }

  /// Whether all parts are equal.
  public static func == (left: PreflightAnswer, right: PreflightAnswer) -> Bool {
    left === right
      || (left.question == right.question && left.origin == right.origin
        && left.status == right.status && left.response == right.response
        && left.httpVersion == right.httpVersion)
  }

  /// Hashes what was asked and the status.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(question)
    hasher.combine(status)
  }

  /// Whether the standard may judge it otherwise than the engines: only by `Authorization` behind a
  /// wildcard.
  var dependsOnAuthorizationRule: Bool {
    guard question.headerNames?.contains(where: { $0.asciiLowercased == "authorization" }) ?? true
    else { return false }
    return headerNames.known.contains("*")
  }
}

/// 7.4 and 7.5: the method must be listed, safelisted, or covered by `*`.
private func check7_5(
  _ question: PreflightQuestion, _ methods: TokenList, includesCredentials: Bool,
  forcesPreflight: Bool
) -> Findings {
  var findings = Findings()
  guard let method = question.method else {
    findings.miss(HeaderName.accessControlRequestMethod.description)
    return findings
  }
  let listed: [String]
  var mayHoldMore = false
  switch methods {
  case .malformed:
    return findings
  case .unrecorded:
    if !isSafelistedMethod(method) {
      findings.miss(HeaderName.accessControlAllowMethods.description)
    }
    return findings
  case .absent:
    // 7.4 A forced preflight without the field counts as one that lists the method.
    listed = forcesPreflight ? [method] : []
  case .tokens(let tokens):
    listed = tokens
  case .someTokens(let tokens):
    listed = tokens
    mayHoldMore = true
  }
  if isSafelistedMethod(method) || listed.contains(method)
    || (listed.contains("*") && !includesCredentials)
  {
    // A line that is not shown could hold something that is no token.
    if mayHoldMore { findings.assume(Assumption.singleLine) }
  } else if mayHoldMore {
    findings.miss(HeaderName.accessControlAllowMethods.description)
  } else {
    findings.fail(.methodDisallowedByPreflightResponse, method)
  }
  return findings
}

/// The header names of a list, in lower case.
private struct ListedNames: Sendable {
  /// Names up to which looking at each is the fastest; a hostile list has ten thousand.
  private static let few = 16

  private let names: [String]
  private let table: Set<String>

  init(_ names: [String]) {
    let lower = names.map(\.asciiLowercased)
    self.names = lower.count <= Self.few ? lower : []
    table = lower.count <= Self.few ? [] : Set(lower)
  }

  func contains(_ name: String) -> Bool {
    names.contains(name) || (!table.isEmpty && table.contains(name))
  }
}

/// 7.6 and 7.7: every unsafe header name must be listed or covered by `*`.
private func check7_7(
  _ question: PreflightQuestion, _ headerNames: TokenList, _ listed: ListedNames,
  includesCredentials: Bool, wildcardCoversAuthorization: Bool
) -> Findings {
  var findings = Findings()
  guard let names = question.headerNames else {
    findings.miss(HeaderName.accessControlRequestHeaders.description)
    return findings
  }
  var mayHoldMore = false
  switch headerNames {
  case .malformed:
    return findings
  case .unrecorded:
    if !names.isEmpty { findings.miss(HeaderName.accessControlAllowHeaders.description) }
    return findings
  case .absent, .tokens:
    break
  case .someTokens:
    mayHoldMore = true
  }
  let hasWildcard = listed.contains("*") && !includesCredentials
  var refused: [String] = []
  for name in names {
    let lower = name.asciiLowercased
    let isCovered =
      listed.contains(lower)
      || (hasWildcard && (lower != "authorization" || wildcardCoversAuthorization))
    if !isCovered { refused.append(lower) }
  }
  if refused.isEmpty {
    if mayHoldMore { findings.assume(Assumption.singleLine) }
    if question.isPartial { findings.miss(HeaderName.accessControlRequestHeaders.description) }
  } else if mayHoldMore {
    findings.miss(HeaderName.accessControlAllowHeaders.description)
  } else {
    for name in refused { findings.fail(.headerDisallowedByPreflightResponse, name) }
  }
  return findings
}

/// Whether a status is one that a redirect has.
///
/// - Standard: <https://fetch.spec.whatwg.org/#redirect-status>
public func isRedirectStatus(_ status: Int) -> Bool {
  status == 301 || status == 302 || status == 303 || status == 307 || status == 308
}

/// Whether a method is a CORS-safelisted method.
///
/// - Standard: <https://fetch.spec.whatwg.org/#cors-safelisted-method>
public func isSafelistedMethod(_ method: String) -> Bool {
  method == "GET" || method == "HEAD" || method == "POST"
}
