import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// A cause with calls that it explains: the last one is the blocked call that is asked about.
struct CauseCase: CustomTestStringConvertible {
  var id: String
  var calls: [CallBuilder]

  var testDescription: String { id }

  static let acao = "access-control-allow-origin"
  static let acac = "access-control-allow-credentials"
  static let app = "https://app.example"

  static func response(
    _ id: String, _ status: Int, _ reason: BlockedReason, _ fields: [(String, String)] = [],
    after before: [CallBuilder] = []
  ) -> CauseCase {
    CauseCase(id: id, calls: before + [.responseFailure(status, reason, fields)])
  }

  static func preflight(
    _ id: String, _ status: Int, _ reason: BlockedReason, _ fields: [(String, String)] = [],
    parameter: String? = nil, after before: [CallBuilder] = []
  ) -> CauseCase {
    CauseCase(
      id: id,
      calls: before + [
        .preflightFailure(status, reason, fields).with { $0.parameter = parameter }
      ])
  }

  static let otherPage = CallBuilder.allowed.with {
    $0.origin = "https://other.example"
    $0.response = (200, [(acao, "https://other.example")])
  }

  static let all: [CauseCase] =
    [
      response(
        "duplicate-allow-origin", 200, .multipleAllowOriginValues, [(acao, app), (acao, app)]),
      response(
        "list-in-allow-origin", 200, .multipleAllowOriginValues,
        [(acao, "\(app), https://b.example")]
      ),
      response("wildcard-with-credentials", 200, .wildcardOriginNotAllowed, [(acao, "*")]),
      response("credentials-not-allowed", 200, .invalidAllowCredentials, [(acao, app)]),
      preflight(
        "malformed-allow-list", 204, .invalidAllowMethodsPreflightResponse,
        [(acao, app), ("access-control-allow-methods", "GET; PUT")]),
      preflight(
        "new-request-header", 204, .headerDisallowedByPreflightResponse, [(acao, app)],
        parameter: "x-release", after: [.allowedPreflighted]),
      preflight(
        "new-request-header", 204, .headerDisallowedByPreflightResponse, [(acao, app)],
        parameter: "sentry-trace"),
      preflight(
        "header-not-allowed", 204, .headerDisallowedByPreflightResponse, [(acao, app)],
        parameter: "authorization"),
      preflight(
        "method-not-allowed", 204, .methodDisallowedByPreflightResponse, [(acao, app)],
        parameter: "PUT"),
      CauseCase(
        id: "redirect-with-user-info",
        calls: [
          .responseFailure(
            302, .redirectContainsCredentials, [(acao, app), ("location", "https://~1@b.example/")])
        ]),
      response(
        "redirect-broken", 302, .unsafeRedirect, [(acao, app), ("location", "ftp://b.example/")]),
      preflight(
        "preflight-redirect-login", 302, .disallowedRedirect,
        [("location", "https://sso.example/login?next=/")]),
      preflight(
        "preflight-redirect-slash", 301, .disallowedRedirect,
        [("location", "https://api.example/v1/items/42/")]),
      CauseCase(
        id: "preflight-redirect-https",
        calls: [
          CallBuilder.preflightFailure(
            301, .disallowedRedirect, [("location", "https://api.example/v1/items/42")]
          ).with { $0.url = "http://api.example/v1/items/42" }
        ]),
      preflight(
        "preflight-redirect-host", 301, .disallowedRedirect,
        [("location", "https://www.api.example/v1/items/42")]),
      preflight(
        "preflight-redirect", 307, .disallowedRedirect, [("location", "/v2/items/42")]),
      response(
        "login-redirect", 302, .missingAllowOriginHeader,
        [("location", "https://accounts.example/signin")], after: [.allowed]),
      CauseCase(
        id: "redirect-null-origin",
        calls: [
          CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
            $0.hop = 1
            $0.sentOrigin = "null"
            $0.redirectedFrom = ("https://api.example/v1/items/42", 302, "https://b.example/x")
          }
        ]),
      response("redirect-without-headers", 301, .missingAllowOriginHeader, [("location", "/v2")]),
      response("firewall-blocked", 403, .missingAllowOriginHeader, [("cf-mitigated", "challenge")]),
      response("rate-limited", 429, .missingAllowOriginHeader, [("retry-after", "30")]),
      preflight("rate-limited", 429, .missingAllowOriginHeader),
      response("gateway-error", 502, .missingAllowOriginHeader, [("server", "nginx")]),
      response(
        "gateway-rejected", 403, .missingAllowOriginHeader,
        [("x-amzn-errortype", "MissingAuthenticationTokenException")]),
      preflight(
        "storage-without-cors-rule", 403, .missingAllowOriginHeader, [("server", "AmazonS3")]),
      preflight(
        "preflight-auth-401", 401, .missingAllowOriginHeader, [("www-authenticate", "Basic")]),
      preflight("preflight-forbidden-403", 403, .missingAllowOriginHeader),
      preflight("options-not-routed", 405, .invalidStatus, [("allow", "GET, PUT")]),
      preflight("options-not-routed", 200, .missingAllowOriginHeader, [("allow", "GET, PUT")]),
      preflight("preflight-timeout", 408, .missingAllowOriginHeader),
      preflight("preflight-error-status", 500, .invalidStatus, [(acao, app)]),
      response("unhandled-exception", 500, .missingAllowOriginHeader, after: [.allowed]),
      response("error-page-without-headers", 404, .missingAllowOriginHeader, after: [.allowed]),
      response(
        "cached-for-other-origin", 200, .allowOriginMismatch,
        [(acao, "https://other.example"), ("age", "120"), ("x-cache", "Hit from cloud")]),
      response(
        "cached-for-other-origin", 200, .missingAllowOriginHeader, [("age", "9")], after: [.allowed]
      ),
      CauseCase(
        id: "null-origin",
        calls: [
          CallBuilder.responseFailure(200, .missingAllowOriginHeader).with { $0.origin = "null" }
        ]),
      response("origin-spelling", 200, .allowOriginMismatch, [(acao, "\(app)/")]),
      response("origin-spelling", 200, .allowOriginMismatch, [(acao, "http://app.example")]),
      response(
        "invalid-allow-origin", 200, .invalidAllowOriginValue, [(acao, "https://*.example")]),
      CauseCase(
        id: "headers-only-on-preflight",
        calls: [
          CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
            $0.kind = .preflighted
            $0.preflight = (204, [(acao, app)])
          }
        ]),
      response("inconsistent-answers", 200, .missingAllowOriginHeader, after: [.allowed]),
      response("origin-not-allowed", 200, .allowOriginMismatch, [(acao, "https://other.example")]),
      response("origin-not-allowed", 200, .missingAllowOriginHeader, after: [otherPage]),
      response("no-cors-configured", 200, .missingAllowOriginHeader),
    ] + policies + redirects + masked + origins + refusals

  /// Calls of another site that pass, beside which one more is few.
  static let crowd = Array(repeating: allowed(of: "https://shop.other.example"), count: 20)

  static func allowed(of origin: String) -> CallBuilder {
    .allowed.with {
      $0.origin = origin
      $0.response = (200, [(acao, origin), ("server", "nginx")])
    }
  }

  static let policies = [
    response(
      "duplicate-allow-credentials", 200, .invalidAllowCredentials,
      [(acao, app), (acac, "true"), (acac, "true")]),
    response(
      "duplicate-allow-credentials", 200, .invalidAllowCredentials,
      [(acao, app), (acac, "true, true")]
    ),
    response(
      "credentials-misspelled", 200, .invalidAllowCredentials, [(acao, app), (acac, "True")]),
    CauseCase(
      id: "credentials-only-on-preflight",
      calls: [
        CallBuilder.responseFailure(200, .invalidAllowCredentials, [(acao, app)]).with {
          $0.kind = .preflighted
          $0.preflight = (204, [(acao, app), (acac, "true")])
        }
      ]),
    preflight(
      "wildcard-does-not-cover", 204, .headerDisallowedByPreflightResponse,
      [(acao, app), ("access-control-allow-headers", "*")], parameter: "authorization"),
    preflight(
      "wildcard-does-not-cover", 204, .methodDisallowedByPreflightResponse,
      [(acao, app), ("access-control-allow-methods", "*")], parameter: "PATCH"),
    preflight(
      "new-request-header", 204, .headerDisallowedByPreflightResponse, [(acao, app)],
      parameter: "x-release", after: [.allowed.with { $0.method = "PUT" }]),
    preflight(
      "method-case", 204, .methodDisallowedByPreflightResponse,
      [(acao, app), ("access-control-allow-methods", "GET, PATCH")], parameter: "patch"),
  ]

  static let redirects = [
    response(
      "login-redirect", 302, .missingAllowOriginHeader, [("location", "https://id.example.net/x")],
      after: [.allowed]),
    CauseCase(
      id: "redirect-dropped-authorization",
      calls: [
        CallBuilder.responseFailure(401, .missingAllowOriginHeader).with {
          $0.hop = 1
          $0.redirectedFrom = ("https://api.example/v1/items/42", 307, "https://b.example/x")
          $0.redirectedRequest = [("authorization", "Bearer")]
        }
      ]),
  ]

  static let masked = [
    preflight(
      "cdn-refuses-options", 403, .missingAllowOriginHeader, [("server", "CloudFront")]),
    response("edge-refused", 403, .missingAllowOriginHeader, [("server", "cloudflare")]),
    response("body-too-large", 413, .missingAllowOriginHeader, [("server", "nginx")]),
    response(
      "gateway-error", 504, .missingAllowOriginHeader, [("x-amzn-errortype", "Timeout")]),
  ]

  static let origins = [
    response("development-origin", 200, .allowOriginMismatch, [(acao, "http://localhost:3000")]),
    response("own-host-allowed", 200, .allowOriginMismatch, [(acao, "https://api.example")]),
    response(
      "similar-origin-refused", 200, .missingAllowOriginHeader,
      after: [allowed(of: "http://app.example")]),
    response(
      "similar-origin-refused", 200, .missingAllowOriginHeader,
      after: [allowed(of: "https://www.app.example").with { $0.url = "https://api.example/other" }]),
    response(
      "subdomain-not-matched", 200, .missingAllowOriginHeader,
      after: [allowed(of: "https://admin.app.example")]),
    preflight(
      "subdomain-not-matched", 403, .invalidStatus, after: [allowed(of: "https://b.app.example")]),
    CauseCase(
      id: "static-asset-without-headers",
      calls: [
        CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
          $0.requestFields = [("sec-fetch-dest", "font"), ("sec-fetch-mode", "cors")]
          $0.url = "https://static.example/a.woff2"
        }
      ]),
    preflight(
      "preflight-without-headers", 204, .missingAllowOriginHeader, [("server", "nginx")],
      after: [.allowed]),
    preflight(
      "preflight-routed-elsewhere", 200, .missingAllowOriginHeader, [("server", "Apache")],
      after: [.allowed]),
    response(
      "cached-for-other-origin", 200, .allowOriginMismatch,
      [(acao, "https://www.app.example"), ("x-cache", "HIT")], after: [.allowed]),
  ]

  static let refusals = [
    CauseCase(
      id: "scanner-refused",
      calls: crowd + [
        CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
          $0.origin = "https://evil.test"
          $0.engine = "unknown"
        }
      ]),
    CauseCase(
      id: "local-page-refused",
      calls: crowd + [
        CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
          $0.origin = "http://localhost:5173"
        }
      ]),
    CauseCase(
      id: "unknown-origin-refused",
      calls: crowd + [
        CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
          $0.origin = "https://price-watch.test"
        }
      ]),
    CauseCase(
      id: "unknown-origin-refused",
      calls: crowd + [
        CallBuilder.preflightFailure(403, .invalidStatus).with {
          $0.origin = "https://price-watch.test"
        }
      ]),
  ]

  func outputs() throws -> Outputs {
    try Outputs.of(calls.enumerated().map { $1.at(Int64($0)).call })
  }
}

@Test("a cause is told from what was seen", arguments: CauseCase.all)
func causeIsFound(_ example: CauseCase) throws {
  let rows = try example.outputs().rows(.blocked)
  #expect(rows.map { $0["cause"] } == [example.id])
  #expect(rows.first?["incident"]?.count == 10)
}

@Test("on the sample of one rule every other rule is silent", arguments: CauseCase.all)
func otherRulesAreSilent(_ example: CauseCase) throws {
  let builder = ReportBuilder()
  for (index, call) in example.calls.enumerated() { try builder.add(call.at(Int64(index)).call) }
  let findings = try builder.blockedFindings()
  #expect(findings.count == 1)
  let fallbacks = Set(FallbackCauses.rules.map(\.id))
  for (symptoms, surroundings) in findings {
    let speaking = CauseRule.all.filter {
      !fallbacks.contains($0.id) && $0.finds(symptoms, surroundings) != nil
    }
    #expect(speaking.map(\.id) == [example.id])
  }
}

@Test("rules give way to rules that exist, and never to one another")
func waysAreSound() {
  let rules = Dictionary(CauseRule.all.map { ($0.id, $0) }) { first, _ in first }
  for rule in CauseRule.all {
    for other in rule.givesWayTo {
      #expect(rules[other] != nil, "\(rule.id) gives way to \(other)")
      #expect(rules[other]?.givesWayTo.contains(rule.id) == false, "\(rule.id) and \(other)")
    }
  }
}

@Test("what is refused on purpose is kept apart from outages")
func refusalsAreApart() throws {
  for example in CauseCase.refusals {
    let outputs = try example.outputs()
    let json = try SchemaCheck.read(outputs.text(.summary).utf8)
    #expect(json["incidents"]?.elements?.isEmpty == true)
    #expect(json["refusals"]?.elements?.first?["cause"]?.text == example.id)
    #expect(outputs.totals.refused == 1)
    #expect(outputs.rows(.blocked).first?["cause"] == example.id)
  }
  // Many calls of a page that nobody knows are an outage until somebody says otherwise.
  let foreign = CallBuilder.responseFailure(200, .missingAllowOriginHeader).with {
    $0.origin = "https://new-shop.test"
  }
  let calls = (CauseCase.crowd + Array(repeating: foreign, count: 20)).enumerated()
  let outputs = try Outputs.of(calls.map { $1.at(Int64($0)).call })
  #expect(outputs.totals.refused == 0)
  #expect(outputs.rows(.blocked).first?["cause"] == "origin-not-allowed")
}

@Test("every rule has a case, and every case a rule")
func everyRuleHasACase() {
  let fallbacks = Set(FallbackCauses.rules.map(\.id))
  let rules = CauseRule.all.map(\.id).filter { !fallbacks.contains($0) }
  #expect(Set(CauseCase.all.map(\.id)) == Set(rules))
  #expect(Set(CauseRule.all.map(\.id)).count == CauseRule.all.count)
}

@Test("every reason in either phase has a cause, a sentence and a fix")
func everyReasonHasACause() throws {
  for reason in BlockedReason.allCases {
    for failure in [CallBuilder.preflightFailure(204, reason), .responseFailure(200, reason)] {
      let call = failure.with { $0.parameter = "x" }.call
      let symptoms = Symptoms(call)
      let (rule, certainty) = CauseRule.cause(of: symptoms, in: Surroundings())
      let explanation = rule.explanation(
        CauseContext(symptoms: symptoms, surroundings: Surroundings(), call: call))
      #expect(explanation.sentence.hasSuffix("."))
      #expect(explanation.fix.hasSuffix("."))
      #expect(!rule.needs.isEmpty)
      #expect(certainty <= .possible)
      let fallback = FallbackCauses.rule(for: reason)
      #expect(fallback.applies(symptoms, Surroundings()) == .possible)
    }
  }
}

@Test("the status comes first where CORS only hides it")
func maskedNamesStatusFirst() throws {
  for example in CauseCase.all {
    guard let rule = CauseRule.all.first(where: { $0.id == example.id }), rule.isMasked,
      let call = example.calls.last?.call
    else { continue }
    let sentence = rule.sentence(
      CauseContext(symptoms: Symptoms(call), surroundings: Surroundings(), call: call))
    let status = call.decidingResponse?.status ?? 0
    #expect(sentence.hasPrefix("\(status) "), "\(example.id): \(sentence)")
  }
}

@Test(
  "a fix for a server holds nothing that could end its line", arguments: ServerFix.Repair.allCases)
func snippetsAreSafe(_ repair: ServerFix.Repair) {
  let hostile = CallBuilder.preflightFailure(
    401, .missingAllowOriginHeader, [("access-control-allow-headers", "x-good, x'); DROP")]
  ).with {
    $0.origin = "https://a\"; return 200 'x';"
    $0.method = "P;UT"
    $0.preflightRequest = [("access-control-request-headers", "x-ok,x\";bad,}")]
  }.call
  let context = CauseContext(
    symptoms: Symptoms(hostile), surroundings: Surroundings(), call: hostile)
  let values = ServerFix.Values(context)
  #expect(values.headers == ["x-good", "x-ok"])
  for family in ServerFamily.allCases {
    let snippets = ServerFix.snippets(repair, values, for: family)
    #expect(snippets.isEmpty == (family == .cloudflare || family == .unknown), "\(family)")
    for snippet in snippets {
      #expect(!snippet.server.isEmpty)
      #expect(!snippet.text.contains("bad") && !snippet.text.contains("return 200"))
      #expect(!snippet.text.contains("DROP") && !snippet.text.contains("P;UT"))
    }
  }
}

@Test("the servers that an answer names are told apart")
func serversAreTold() {
  let cases: [([(String, String)], ServerFamily, ServerFamily)] = [
    ([("server", "nginx/1.25")], .nginx, .unknown),
    ([("server", "Apache/2.4 (Debian)")], .apache, .unknown),
    ([("server", "Apache-Coyote/1.1")], .spring, .unknown),
    ([("server", "envoy")], .envoy, .unknown), ([("server", "istio-envoy")], .envoy, .unknown),
    ([("server", "Caddy")], .caddy, .unknown),
    ([("server", "nginx"), ("x-powered-by", "Express")], .nginx, .express),
    ([("server", "gunicorn")], .python, .unknown), ([("server", "uvicorn")], .starlette, .unknown),
    ([("server", "Kestrel")], .aspNet, .unknown),
    ([("x-amzn-errortype", "Forbidden")], .apiGateway, .unknown),
    ([("server", "AmazonS3")], .amazonS3, .unknown),
    ([("x-amz-cf-id", "a")], .cloudFront, .unknown),
    (
      [
        ("vary", "Origin"), ("vary", "Access-Control-Request-Method"),
        ("vary", "Access-Control-Request-Headers"),
      ], .unknown, .spring
    ),
    ([("server", "mine")], .unknown, .unknown),
  ]
  for (fields, server, application) in cases {
    let symptoms = Symptoms(
      CallBuilder.responseFailure(200, .missingAllowOriginHeader, fields).call)
    #expect(symptoms.server == server && symptoms.application == application, "\(fields)")
  }
}
