internal import HTTPExchange

/// What people call the fields of a log that names them itself: the members of a JSON object, or
/// `NAME="value"` in a text.
///
/// Names are compared in lower case with `-` and `.` taken for `_`. A name that could mean two
/// things means nothing.
enum FieldNames {
  /// The meaning of a name; ``FieldMeaning/ignored`` when it is not known.
  static func meaning(of name: some Sequence<UInt8>) -> FieldMeaning {
    var bytes: [UInt8] = []
    for byte in name {
      switch byte {
      case 65...90: bytes.append(byte + 32)
      case UInt8(ascii: "-"), UInt8(ascii: "."): bytes.append(UInt8(ascii: "_"))
      case 0x80...: return .ignored
      default: bytes.append(byte)
      }
      if bytes.count > 100 { return .ignored }
    }
    let key = String(decoding: bytes, as: UTF8.self)
    if let meaning = table[key] { return meaning }
    // What the upstream sent is kept apart: it is not what the browser got.
    if key.hasPrefix("upstream_") { return .ignored }
    for prefix in ["sent_http_", "response_header_", "response_", "resp_header_", "resp_"]
    where key.hasPrefix(prefix) {
      return header(String(key.dropFirst(prefix.count)), isResponse: true)
    }
    for prefix in ["request_header_", "request_", "req_header_", "req_", "http_"]
    where key.hasPrefix(prefix) {
      return header(String(key.dropFirst(prefix.count)), isResponse: false)
    }
    return bare(key)
  }

  /// The meaning of a header's name whose direction is known.
  static func header(named name: String, isResponse: Bool) -> FieldMeaning {
    header(
      String(name.asciiLowercased.map { $0 == "-" ? "_" : $0 }), isResponse: isResponse)
  }

  private static func header(_ key: String, isResponse: Bool) -> FieldMeaning {
    if let meaning = headers[key] {
      switch (meaning, isResponse) {
      case (.responseHeader, true), (.requestHeader, false): return meaning
      default: return .ignored
      }
    }
    let name = HeaderName(key.map { $0 == "_" ? "-" : String($0) }.joined())
    if !isResponse, name == .userAgent { return .userAgent }
    if !isResponse, name == .host { return .hostHeader }
    if isResponse { return name.isKeptInResponses ? .responseHeader(name) : .ignored }
    return name.isKeptInRequests ? .requestHeader(name) : .ignored
  }

  /// A header's name without a sign of its direction.
  private static func bare(_ key: String) -> FieldMeaning {
    if let meaning = headers[key] { return meaning }
    let name = HeaderName(key.map { $0 == "_" ? "-" : String($0) }.joined())
    switch (name.isKeptInRequests, name.isKeptInResponses) {
    case (true, false): return .requestHeader(name)
    case (false, true): return .responseHeader(name)
    default: return .ignored
    }
  }

  private static func end(_ form: StampForm) -> FieldMeaning {
    .stamp(Stamp(form: form, isStart: false))
  }

  private static func start(_ form: StampForm) -> FieldMeaning {
    .stamp(Stamp(form: form, isStart: true))
  }

  /// Short names of header fields.
  private static let headers: [String: FieldMeaning] = [
    "acrm": .requestHeader(.accessControlRequestMethod),
    "acrh": .requestHeader(.accessControlRequestHeaders),
    "acrpn": .requestHeader(.accessControlRequestPrivateNetwork),
    "fetch_mode": .requestHeader(.secFetchMode),
    "fetch_site": .requestHeader(.secFetchSite),
    "fetch_dest": .requestHeader(.secFetchDest),
    "referrer": .requestHeader(.referer),
    "http_referrer": .requestHeader(.referer),
    "xff": .requestHeader(.xForwardedFor),
    "forwarded_for": .requestHeader(.xForwardedFor),
    "acao": .responseHeader(.accessControlAllowOrigin),
    "acac": .responseHeader(.accessControlAllowCredentials),
    "acam": .responseHeader(.accessControlAllowMethods),
    "acah": .responseHeader(.accessControlAllowHeaders),
    "acma": .responseHeader(.accessControlMaxAge),
    "aceh": .responseHeader(.accessControlExposeHeaders),
    "acapn": .responseHeader(.accessControlAllowPrivateNetwork),
    "max_age": .responseHeader(.accessControlMaxAge),
    "expose": .responseHeader(.accessControlExposeHeaders),
    "expose_headers": .responseHeader(.accessControlExposeHeaders),
    "allow_origin": .responseHeader(.accessControlAllowOrigin),
    "allow_credentials": .responseHeader(.accessControlAllowCredentials),
    "allow_methods": .responseHeader(.accessControlAllowMethods),
    "allow_headers": .responseHeader(.accessControlAllowHeaders),
  ]

  private static let table: [String: FieldMeaning] = {
    var table: [String: FieldMeaning] = [:]
    func add(_ meaning: FieldMeaning, _ names: String...) {
      for name in names { table[name] = meaning }
    }
    add(
      .client, "remote_addr", "remote_ip", "client", "client_ip", "clientip", "client_addr",
      "remote_host", "remote", "ip", "addr")
    add(.peer, "realip_remote_addr", "peer")
    add(.requestLine, "request", "request_line")
    add(.method, "method", "request_method", "http_method", "verb")
    add(.target, "uri", "request_uri", "url", "request_url", "path", "request_path", "target")
    add(.arguments, "args", "query", "query_string", "querystring")
    add(
      .httpVersion, "proto", "protocol", "server_protocol", "request_protocol", "http_version",
      "version")
    add(.scheme, "scheme", "request_scheme")
    // `$host` and `Host` are both called so: a port that is not there may only not be told.
    add(.host, "host")
    add(.hostHeader, "http_host", "authority", "host_header", "request_host")
    add(.serverName, "server_name", "vhost", "virtual_host")
    add(.port, "server_port", "port")
    add(
      .status, "status", "code", "status_code", "response_status", "response_code",
      "response_status_code", "http_status")
    add(.userAgent, "ua", "agent", "user_agent", "http_user_agent", "useragent")
    add(.requestID, "request_id", "rid", "req_id", "requestid", "x_request_id", "http_x_request_id")
    add(
      .lineCount(.accessControlAllowOrigin), "acao_n", "acao_count",
      "access_control_allow_origin_count")
    add(.presence(.cookie), "has_cookie", "cookie")
    add(.presence(.authorization), "has_authorization", "has_auth", "authorization", "auth")
    add(end(.epoch(unit: 1_000_000_000)), "msec")
    add(end(.any), "time_iso8601", "time_local", "end", "end_time")
    // Nothing says of which end these are.
    add(
      .stamp(Stamp(form: .any, isStart: false, isFirm: false)), "time", "timestamp", "@timestamp",
      "ts", "date", "datetime", "t")
    add(start(.any), "start", "start_time", "begin", "start_utc", "startutc")
    add(.duration(unit: 1_000_000_000), "request_time", "rt")
    add(.duration(unit: 1000), "us", "d", "duration_us", "usec")
    add(.duration(unit: 1_000_000), "duration_ms", "latency_ms", "time_taken_ms")
    for name in [
      "request_length", "request_body", "response_time", "response_length", "response_size",
      "request_size", "request_completion", "http_code",
    ] {
      table[name] = .ignored
    }
    return table
  }()
}
