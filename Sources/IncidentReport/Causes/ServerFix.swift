internal import FetchCORS
internal import HTTPExchange

/// Fixes as lines of configuration, for the server that the failing answer names.
///
/// Nothing from the wire is put into them that could end a line or a quotation: an origin only if it
/// is one, a header name or method only if it is a token.
enum ServerFix {
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

  /// The snippet for the server that answered; both when it does not say.
  static func snippets(
    _ context: CauseContext, nginx: String, apache: String
  ) -> [CauseExplanation.Snippet] {
    switch context.symptoms.server {
    case .nginx: [.init(server: "nginx", text: nginx)]
    case .apache: [.init(server: "Apache", text: apache)]
    default: []
    }
  }

  /// Headers on every answer, errors included.
  static func always(_ context: CauseContext) -> [CauseExplanation.Snippet] {
    let origin = origin(context)
    return snippets(
      context,
      nginx: """
        # "always" adds the header to 4xx and 5xx answers as well
        add_header Access-Control-Allow-Origin "\(origin)" always;
        add_header Vary "Origin" always;
        """,
      apache: """
        # "always" adds the header to 4xx and 5xx answers as well
        Header always set Access-Control-Allow-Origin "\(origin)"
        Header always merge Vary "Origin"
        """)
  }

  /// An answer to preflights before anything else sees them.
  static func preflight(_ context: CauseContext) -> [CauseExplanation.Snippet] {
    let origin = origin(context)
    let preflight = context.call.preflight?.request
    let method = token(preflight?.first(.accessControlRequestMethod), else: "GET")
    let headers =
      preflight?.first(.accessControlRequestHeaders)?.split(separator: ",").prefix(12)
      .compactMap { name -> String? in
        let text = token(String(name.filter { $0 != " " }), else: "")
        return text.isEmpty ? nil : text
      } ?? []
    let list = headers.isEmpty ? "content-type" : headers.joined(separator: ", ")
    return snippets(
      context,
      nginx: """
        if ($request_method = OPTIONS) {
          add_header Access-Control-Allow-Origin "\(origin)" always;
          add_header Access-Control-Allow-Methods "\(method)" always;
          add_header Access-Control-Allow-Headers "\(list)" always;
          add_header Vary "Origin" always;
          return 204;
        }
        """,
      apache: """
        Header always set Access-Control-Allow-Origin "\(origin)"
        Header always set Access-Control-Allow-Methods "\(method)"
        Header always set Access-Control-Allow-Headers "\(list)"
        RewriteEngine On
        RewriteCond %{REQUEST_METHOD} =OPTIONS
        RewriteRule ^ - [R=204,L]
        <LimitExcept OPTIONS>
          Require valid-user
        </LimitExcept>
        """)
  }
}
