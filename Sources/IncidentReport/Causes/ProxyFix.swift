/// Fixes for servers that stand in front of an application.
enum ProxyFix {
  typealias Values = ServerFix.Values

  static func nginx(_ repair: ServerFix.Repair, _ values: Values) -> String {
    let credentials =
      values.credentials ? "\nadd_header Access-Control-Allow-Credentials \"true\" always;" : ""
    let inner = credentials.replacing("\n", with: "\n  ")
    switch repair {
    case .always:
      return """
        # "always": on 4xx and 5xx answers as well. A location
        # with its own add_header inherits none: repeat there.
        add_header Access-Control-Allow-Origin "\(values.origin)" always;
        add_header Vary "Origin" always;\(credentials)
        """
    case .preflight, .lists:
      return """
        # In the location, before auth_request, auth_basic
        # and proxy_pass see the request.
        if ($request_method = OPTIONS) {
          add_header Access-Control-Allow-Origin "\(values.origin)" always;
          add_header Access-Control-Allow-Methods "\(values.method)" always;
          add_header Access-Control-Allow-Headers "\(values.header)" always;
          add_header Vary "Origin" always;\(inner)
          return 204;
        }
        """
    case .origin, .credentials:
      let more =
        repair == .credentials
        ? "\nadd_header Access-Control-Allow-Credentials \"true\" always;" : credentials
      return """
        # In the http block:
        map $http_origin $cors_origin {
          default "";
          "\(values.origin)" $http_origin;
        }
        # In the location:
        add_header Access-Control-Allow-Origin $cors_origin always;
        add_header Vary "Origin" always;\(more)
        """
    case .vary:
      return """
        add_header Vary "Origin" always;
        # Where nginx is the cache itself, one copy per page:
        proxy_cache_key $scheme$proxy_host$request_uri$http_origin;
        """
    case .single:
      return """
        # The application's header goes, nginx's stays.
        proxy_hide_header Access-Control-Allow-Origin;
        proxy_hide_header Access-Control-Allow-Credentials;
        add_header Access-Control-Allow-Origin "\(values.origin)" always;
        add_header Vary "Origin" always;\(credentials)
        """
    }
  }

  static func apache(_ repair: ServerFix.Repair, _ values: Values) -> String {
    let credentials =
      values.credentials || repair == .credentials
      ? "\nHeader always set Access-Control-Allow-Credentials \"true\"" : ""
    switch repair {
    case .always:
      return """
        # "always" adds the header to 4xx and 5xx answers as well
        Header always set Access-Control-Allow-Origin "\(values.origin)"
        Header always merge Vary "Origin"\(credentials)
        """
    case .preflight, .lists:
      return """
        Header always set Access-Control-Allow-Origin "\(values.origin)"
        Header always set Access-Control-Allow-Methods "\(values.method)"
        Header always set Access-Control-Allow-Headers "\(values.header)"
        Header always merge Vary "Origin"\(credentials)
        RewriteEngine On
        RewriteCond %{REQUEST_METHOD} =OPTIONS
        RewriteRule ^ - [R=204,L]
        # Around what asks for a password or a token:
        <LimitExcept OPTIONS>
          Require valid-user
        </LimitExcept>
        """
    case .origin, .credentials:
      return """
        SetEnvIfExpr "%{HTTP:Origin} == '\(values.origin)'" CORS_ORIGIN=\(values.origin)
        Header always set Access-Control-Allow-Origin "%{CORS_ORIGIN}e" env=CORS_ORIGIN
        Header always merge Vary "Origin"\(credentials)
        """
    case .vary: return "Header always merge Vary \"Origin\""
    case .single:
      return """
        # An application's header stands in the first table,
        # Apache's in the second.
        Header onsuccess unset Access-Control-Allow-Origin
        Header always unset Access-Control-Allow-Origin
        Header always set Access-Control-Allow-Origin "\(values.origin)"
        """
    }
  }

  static func haproxy(_ repair: ServerFix.Repair, _ values: Values) -> String {
    let credentials =
      values.credentials || repair == .credentials
      ? "\nhttp-after-response set-header Access-Control-Allow-Credentials true if from_page" : ""
    switch repair {
    case .preflight, .lists:
      return """
        # In the frontend, above every rule that denies,
        # redirects or chooses a backend:
        http-request return status 204 hdr Access-Control-Allow-Origin "\(values.origin)" \
        hdr Access-Control-Allow-Methods "\(values.method)" \
        hdr Access-Control-Allow-Headers "\(values.header)" hdr Vary "Origin" \
        \(values.credentials ? "hdr Access-Control-Allow-Credentials true " : "")\
        if METH_OPTIONS { req.hdr(origin) -m str "\(values.origin)" }
        """
    case .vary: return "http-after-response add-header Vary Origin"
    case .always, .origin, .credentials, .single:
      return """
        # In the frontend. "http-after-response" reaches
        # HAProxy's own errors, "set-header" replaces what
        # the application says.
        http-request set-var(txn.origin) req.hdr(origin)
        acl from_page var(txn.origin) -m str "\(values.origin)"
        http-after-response set-header Access-Control-Allow-Origin "\(values.origin)" if from_page
        http-after-response add-header Vary Origin\(credentials)
        """
    }
  }

  static func caddy(_ repair: ServerFix.Repair, _ values: Values) -> String {
    let credentials =
      values.credentials || repair == .credentials
      ? "\nheader @page >Access-Control-Allow-Credentials true" : ""
    switch repair {
    case .preflight, .lists:
      return """
        @preflight {
          method OPTIONS
          header Access-Control-Request-Method *
        }
        handle @preflight {
          header Access-Control-Allow-Origin "\(values.origin)"
          header Access-Control-Allow-Methods "\(values.method)"
          header Access-Control-Allow-Headers "\(values.header)"
          header Vary Origin\(values.credentials ? "\n  header Access-Control-Allow-Credentials true" : "")
          respond 204
        }
        """
    case .vary: return "header +Vary Origin"
    case .always, .origin, .credentials, .single:
      return """
        # ">" sets it when the answer is written, in place of
        # the application's; handle_errors is for Caddy's own.
        @page header Origin "\(values.origin)"
        header @page >Access-Control-Allow-Origin "\(values.origin)"
        header +Vary Origin\(credentials)
        handle_errors {
          header Access-Control-Allow-Origin "\(values.origin)"
          respond {err.status_code}
        }
        """
    }
  }

  /// One policy does it all: the filter answers preflights itself, and adds to every answer.
  static func envoy(_ values: Values) -> String {
    """
    # http_filters: envoy.filters.http.cors stands before
    # ext_authz, jwt_authn and ratelimit.
    typed_per_filter_config:
      envoy.filters.http.cors:
        "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy
        allow_origin_string_match:
          - exact: "\(values.origin)"
        allow_methods: "\(values.method)"
        allow_headers: "\(values.header)"
        allow_credentials: \(values.credentials)
    """
  }
}
