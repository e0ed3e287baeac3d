internal import HTTPExchange

/// Compiles the text of an nginx `log_format`.
enum NginxPattern {
  /// The layout of a `log_format` whose strings are joined and whose escapes are undone.
  ///
  /// - Parameter flags: variables of the configuration that say whether a header was there.
  static func layout(
    _ text: [UInt8], escaping: Escaping, flags: [String: HeaderName] = [:]
  ) throws(FormatError) -> LineLayout {
    let layout = LineLayout(
      elements: try elements(text, flags: flags), escaping: escaping, mayBeNginx: true)
    try layout.requireEnough()
    return layout
  }

  /// Literals and fields of such a text, in order.
  ///
  /// - Parameter names: what further names mean that are no variables of nginx.
  static func elements(
    _ text: [UInt8], flags: [String: HeaderName],
    names: [String: (FieldMeaning, FieldForm)] = [:]
  ) throws(FormatError) -> [LineElement] {
    try VariablePattern.elements(text) { (index, column) throws(FormatError) in
      let isBraced = index < text.count && text[index] == UInt8(ascii: "{")
      if isBraced { index += 1 }
      let name = VariablePattern.name(in: text, at: &index, where: isNameByte)
      guard !name.isEmpty else {
        throw FormatError("a \"$\" without the name of a variable", column: column)
      }
      if isBraced {
        guard index < text.count, text[index] == UInt8(ascii: "}") else {
          throw FormatError("\"${\(name)\" lacks its \"}\"", column: column)
        }
        index += 1
      }
      // `$is_args` stands in front of `$args`: together they are the query with its mark.
      if name == "is_args" { return nil }
      return names[name.asciiLowercased] ?? meaning(of: name.asciiLowercased, flags: flags)
    }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"): true
    default: false
    }
  }

  private static func meaning(
    of name: String, flags: [String: HeaderName]
  ) -> (FieldMeaning, FieldForm) {
    if let header = flags[name] { return (.presence(header), .word) }
    if let meaning = variables[name] {
      switch meaning {
      case .forwardedChain: return (meaning, .list)
      case .client, .peer, .method, .serverName, .scheme, .port, .status, .duration, .httpVersion,
        .requestID,
        .presence, .stamp(Stamp(form: .iso, isStart: false)),
        .stamp(Stamp(form: .epoch(unit: 1_000_000_000), isStart: false)):
        return (meaning, .word)
      default: return (meaning, .text)
      }
    }
    if words.contains(name) { return (.ignored, .word) }
    func header(_ prefix: String) -> HeaderName? {
      guard name.hasPrefix(prefix) else { return nil }
      return HeaderName(
        name.dropFirst(prefix.count).map { $0 == "_" ? "-" : $0 }.map(String.init).joined())
    }
    if let name = header("http_") {
      return (.requestHeader(name), name == .xForwardedFor || name == .via ? .list : .text)
    }
    if let name = header("sent_http_") { return (.responseHeader(name), .text) }
    // Of an upstream's answers, and there may be several. They are not what the browser got.
    if name.hasPrefix("upstream_") { return (.ignored, .list) }
    return (.ignored, .text)
  }

  /// Variables without a meaning here that are one word.
  private static let words: Set<String> = [
    "remote_port", "body_bytes_sent", "bytes_sent", "request_length", "connection",
    "connection_requests", "pid", "pipe", "server_addr", "content_length", "gzip_ratio",
    "ssl_protocol", "ssl_cipher", "proxy_upstream_name", "http2", "http3",
  ]

  private static func end(_ form: StampForm) -> FieldMeaning {
    .stamp(Stamp(form: form, isStart: false))
  }

  private static let variables: [String: FieldMeaning] = [
    "remote_addr": .client,
    "realip_remote_addr": .peer,
    "proxy_add_x_forwarded_for": .forwardedChain,
    "time_local": end(.clf),
    "time_iso8601": end(.iso),
    "msec": end(.epoch(unit: 1_000_000_000)),
    "request_time": .duration(unit: 1_000_000_000),
    "request": .requestLine,
    "request_method": .method,
    "request_uri": .target,
    "uri": .path,
    "document_uri": .path,
    "args": .arguments,
    "query_string": .arguments,
    "scheme": .scheme,
    "host": .host,
    "http_host": .hostHeader,
    "server_name": .serverName,
    "server_port": .port,
    "server_protocol": .httpVersion,
    "status": .status,
    "http_user_agent": .userAgent,
    "request_id": .requestID,
    // The variable of the ingress controller: the client's identifier, else a new one.
    "req_id": .requestID,
    "content_type": .requestHeader(.contentType),
    "has_cookie": .presence(.cookie),
    "has_authorization": .presence(.authorization),
  ]
}

extension LineLayout {
  /// Refuses a format whose lines can become no exchange; one without a time may stand in a coat that
  /// tells it.
  func requireEnough() throws(FormatError) {
    guard roles.tellsRequest else {
      throw FormatError("the format records neither a request line nor a method and a path")
    }
  }
}
