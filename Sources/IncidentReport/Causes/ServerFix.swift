internal import FetchCORS
internal import HTTPExchange

/// Fixes as lines of configuration, for the server that the failing answer names.
///
/// Nothing from the wire is put into them that could end a line or a quotation: an origin only if it
/// is one, a header name or method only if it is a token.
enum ServerFix {
  /// What a fix has to bring about.
  enum Repair: CaseIterable, Sendable {
    /// The headers on every answer, errors included.
    case always
    /// An answer to preflights before anything else sees them.
    case preflight
    /// The page's origin among those that are answered with their own name.
    case origin
    /// The requested headers and method in the preflight's lists.
    case lists
    /// The page's own origin and `true` for calls with credentials.
    case credentials
    /// `Vary: Origin`, and caches that keep to it.
    case vary
    /// One line of the header, where two layers add it.
    case single
  }

  /// What a fix names: all of it safe to stand in a configuration.
  struct Values: Hashable, Sendable {
    var origin: String
    var methods: [String]
    var headers: [String]
    var credentials: Bool

    var method: String { methods.joined(separator: ", ") }
    var header: String { headers.joined(separator: ", ") }

    init(_ context: CauseContext) {
      origin = ServerFix.origin(context)
      let preflight = context.call.preflight
      // What is allowed already, and what is asked for.
      methods = ServerFix.union(
        ServerFix.tokens(preflight?.response.first(.accessControlAllowMethods)),
        ServerFix.tokens(preflight?.request.first(.accessControlRequestMethod)))
      headers = ServerFix.union(
        ServerFix.tokens(preflight?.response.first(.accessControlAllowHeaders)),
        ServerFix.tokens(preflight?.request.first(.accessControlRequestHeaders)))
      if methods.isEmpty { methods = [ServerFix.token(context.call.method, else: "GET")] }
      if headers.isEmpty { headers = ["content-type"] }
      credentials = context.symptoms.credentials == .include
    }

    /// Adds what other calls of the same routes need, so that the fix breaks none of them.
    mutating func widen(_ reach: Reach) {
      let names = (reach.methods.sorted(), reach.headers.sorted())
      methods = ServerFix.union(methods, names.0.flatMap { ServerFix.tokens($0) })
      headers = ServerFix.union(headers, names.1.flatMap { ServerFix.tokens($0) })
      if reach.credentials { credentials = true }
    }
  }

  /// The members of a list that may stand in a configuration.
  static func tokens(_ text: String?) -> [String] {
    (text ?? "").split(separator: ",").prefix(64).compactMap { name in
      let text = token(String(name.filter { $0 != " " }), else: "")
      return text.isEmpty ? nil : text
    }
  }

  /// Two lists without repetitions; of several spellings the first one stays.
  private static func union(_ left: [String], _ right: [String]) -> [String] {
    right.reduce(into: left) { list, name in
      if !list.contains(where: { $0.asciiLowercased == name.asciiLowercased }) {
        list.append(name)
      }
    }
  }

  /// The origin for a configuration line, or a name that stands for it.
  static func origin(_ context: CauseContext) -> String {
    guard let origin = Origin(context.call.origin), origin.description.utf8.count <= 200,
      origin.description.utf8.allSatisfy({
        (48...57).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 46 || $0 == 58
          || $0 == 47
      })
    else { return "https://PAGE.EXAMPLE" }
    return origin.description
  }

  /// A header name or method for a configuration line, or a name that stands for it.
  static func token(_ text: String?, else name: String) -> String {
    guard let text, !text.isEmpty, text.utf8.count <= 60,
      text.utf8.allSatisfy({
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45
      })
    else { return name }
    return text
  }

  /// The fix for a rule: for each layer that the failing answer names; none when it names none.
  static func plan(_ repair: Repair) -> @Sendable (CauseContext) -> FixPlan? {
    { context in
      let layers = [context.symptoms.server, context.symptoms.application]
      return FixPlan(
        repair: repair, layers: layers[0] == layers[1] ? [layers[0]] : layers,
        values: Values(context))
    }
  }

  /// The fix for one family of servers.
  static func snippets(
    _ repair: Repair, _ values: Values, for server: ServerFamily
  ) -> [CauseExplanation.Snippet] {
    func snippet(_ server: String, _ text: String) -> [CauseExplanation.Snippet] {
      [CauseExplanation.Snippet(server: server, text: text)]
    }
    switch server {
    case .nginx: return snippet("nginx", ProxyFix.nginx(repair, values))
    case .apache: return snippet("Apache", ProxyFix.apache(repair, values))
    case .haproxy: return snippet("HAProxy", ProxyFix.haproxy(repair, values))
    case .caddy: return snippet("Caddy", ProxyFix.caddy(repair, values))
    case .envoy: return snippet("Envoy", ProxyFix.envoy(values))
    case .express: return snippet("Express", ApplicationFix.express(values))
    case .spring: return snippet("Spring", ApplicationFix.spring(values))
    case .python:
      return snippet("Django", ApplicationFix.django(values))
        + snippet("Flask", ApplicationFix.flask(values))
    case .starlette: return snippet("FastAPI or Starlette", ApplicationFix.starlette(values))
    case .aspNet: return snippet("ASP.NET Core", ApplicationFix.aspNet(values))
    case .iis: return snippet("IIS", ApplicationFix.iis(values))
    case .apiGateway: return snippet("Amazon API Gateway (SAM)", CloudFix.apiGateway(values))
    case .amazonS3: return snippet("Amazon S3", CloudFix.s3(values))
    case .cloudFront: return snippet("Amazon CloudFront", CloudFix.cloudFront(values))
    case .cloudflare, .unknown: return []
    }
  }
}

/// A fix whose lines are written when all is known that they have to allow.
struct FixPlan: Hashable {
  var repair: ServerFix.Repair
  var layers: [ServerFamily]
  var values: ServerFix.Values

  var snippets: [CauseExplanation.Snippet] {
    layers.flatMap { ServerFix.snippets(repair, values, for: $0) }
  }
}
