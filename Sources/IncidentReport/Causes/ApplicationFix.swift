/// Fixes for applications: one policy, and where it must stand.
enum ApplicationFix {
  typealias Values = ServerFix.Values

  private static func quoted(_ names: [String], _ mark: String = "\"") -> String {
    names.map { mark + $0 + mark }.joined(separator: ", ")
  }

  static func express(_ values: Values) -> String {
    """
    // Before every other app.use, so that authentication and error handlers come after it.
    app.use(cors({
      origin: ["\(values.origin)"],
      methods: [\(quoted(values.methods))],
      allowedHeaders: [\(quoted(values.headers))],
      credentials: \(values.credentials),
    }));
    """
  }

  static func spring(_ values: Values) -> String {
    """
    // In the SecurityFilterChain: http.cors(withDefaults()), so that preflights pass before
    // authentication.
    @Bean
    CorsConfigurationSource corsConfigurationSource() {
      var cors = new CorsConfiguration();
      cors.setAllowedOrigins(List.of("\(values.origin)"));
      cors.setAllowedMethods(List.of(\(quoted(values.methods))));
      cors.setAllowedHeaders(List.of(\(quoted(values.headers))));
      cors.setAllowCredentials(\(values.credentials));
      var source = new UrlBasedCorsConfigurationSource();
      source.registerCorsConfiguration("/**", cors);
      return source;
    }
    """
  }

  static func django(_ values: Values) -> String {
    """
    # django-cors-headers; its middleware is the first in the list.
    MIDDLEWARE = ["corsheaders.middleware.CorsMiddleware", *MIDDLEWARE]
    CORS_ALLOWED_ORIGINS = ["\(values.origin)"]
    CORS_ALLOW_METHODS = [\(quoted(values.methods))]
    CORS_ALLOW_HEADERS = [\(quoted(values.headers))]
    CORS_ALLOW_CREDENTIALS = \(values.credentials ? "True" : "False")
    """
  }

  static func flask(_ values: Values) -> String {
    """
    # Flask-CORS; before_request functions that ask for a login let OPTIONS pass.
    CORS(app, origins=["\(values.origin)"], methods=[\(quoted(values.methods))],
         allow_headers=[\(quoted(values.headers))],
         supports_credentials=\(values.credentials ? "True" : "False"))
    """
  }

  static func starlette(_ values: Values) -> String {
    """
    # Added last, so that it is the outermost; answers to unhandled exceptions are made outside of all
    # middleware, so an exception handler has to turn them into responses first.
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["\(values.origin)"],
        allow_methods=[\(quoted(values.methods))],
        allow_headers=[\(quoted(values.headers))],
        allow_credentials=\(values.credentials ? "True" : "False"),
    )
    """
  }

  static func aspNet(_ values: Values) -> String {
    """
    builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
      .WithOrigins("\(values.origin)")
      .WithMethods(\(quoted(values.methods)))
      .WithHeaders(\(quoted(values.headers)))\(values.credentials ? "\n  .AllowCredentials()" : "")));
    // After UseRouting, before UseAuthentication and UseAuthorization:
    app.UseCors();
    """
  }

  static func iis(_ values: Values) -> String {
    """
    <!-- system.webServer, with the IIS CORS module; it answers preflights before authentication. -->
    <cors enabled="true">
      <add origin="\(values.origin)" allowCredentials="\(values.credentials)">
        <allowMethods>\(elements(values.methods, "method"))</allowMethods>
        <allowHeaders>\(elements(values.headers, "header"))</allowHeaders>
      </add>
    </cors>
    """
  }

  private static func elements(_ names: [String], _ attribute: String) -> String {
    names.map { "<add \(attribute)=\"\($0)\" />" }.joined()
  }
}

/// Fixes for services of a cloud.
enum CloudFix {
  typealias Values = ServerFix.Values

  static func apiGateway(_ values: Values) -> String {
    """
    # The gateway's own errors carry the headers only when it is told to, and preflights must not
    # meet an authoriser.
    Cors:
      AllowOrigin: "'\(values.origin)'"
      AllowMethods: "'\(values.method)'"
      AllowHeaders: "'\(values.header)'"
    Auth:
      AddDefaultAuthorizerToCorsPreflight: false
    GatewayResponses:
      DEFAULT_4XX:
        ResponseParameters:
          Headers:
            Access-Control-Allow-Origin: "'\(values.origin)'"
      DEFAULT_5XX:
        ResponseParameters:
          Headers:
            Access-Control-Allow-Origin: "'\(values.origin)'"
    """
  }

  static func s3(_ values: Values) -> String {
    let known: Set<String> = ["GET", "PUT", "POST", "DELETE", "HEAD"]
    let methods = values.methods.filter { known.contains($0) }
    return """
      [{
        "AllowedOrigins": ["\(values.origin)"],
        "AllowedMethods": [\(list(methods.isEmpty ? ["GET"] : methods))],
        "AllowedHeaders": [\(list(values.headers))],
        "MaxAgeSeconds": 600
      }]
      """
  }

  static func cloudFront(_ values: Values) -> String {
    """
    // Of the behaviour: allowed methods with OPTIONS, the origin request policy "CORS-S3Origin" or
    // "CORS-CustomOrigin", and this response headers policy.
    "CorsConfig": {
      "AccessControlAllowOrigins": { "Quantity": 1, "Items": ["\(values.origin)"] },
      "AccessControlAllowMethods": { "Quantity": \(values.methods.count), "Items": [\(list(values.methods))] },
      "AccessControlAllowHeaders": { "Quantity": \(values.headers.count), "Items": [\(list(values.headers))] },
      "AccessControlAllowCredentials": \(values.credentials),
      "OriginOverride": true
    }
    """
  }

  private static func list(_ names: [String]) -> String {
    names.map { "\"\($0)\"" }.joined(separator: ", ")
  }
}
