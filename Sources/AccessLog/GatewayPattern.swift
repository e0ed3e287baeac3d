internal import HTTPExchange

/// Compiles the access log format of an API Gateway stage: text with `$context` variables.
///
/// Values stand in the lines as they are, whatever the text around them is: JSON, CSV, XML or CLF.
/// What a variable does not hold is `-`.
enum GatewayPattern {
  private static let prefix = Array("$context.".utf8)

  /// Whether a text is such a format.
  static func recognizes(_ text: String) -> Bool { text.contains("$context.") }

  /// The layout of such a text.
  static func layout(_ text: [UInt8]) throws(FormatError) -> LineLayout {
    var elements: [LineElement] = []
    var literal: [UInt8] = []
    var count = 0
    var index = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "$") else {
        literal.append(text[index])
        index += 1
        continue
      }
      let column = index + 1
      guard text[index...].starts(with: prefix) else {
        throw FormatError(
          "a \"$\" without \"context.\": nothing else can be logged there", column: column)
      }
      index += prefix.count
      let first = index
      while index < text.count, isNameByte(text[index]) { index += 1 }
      // A full stop behind a name ends a sentence rather than the name.
      while index > first, text[index - 1] == UInt8(ascii: ".") { index -= 1 }
      let name = String(decoding: text[first..<index], as: UTF8.self)
      guard !name.isEmpty else {
        throw FormatError("\"$context.\" without the name of a variable", column: column)
      }
      count += 1
      guard count <= AccessLogLimits.fields else {
        throw FormatError(
          "a format of more than \(AccessLogLimits.fields) variables", column: column)
      }
      let (meaning, form) = meaning(of: name)
      elements.append(.literal(literal))
      literal = []
      elements.append(.field(meaning, form))
    }
    elements.append(.literal(literal))
    let layout = LineLayout(elements: elements, escaping: .raw, mayBeNginx: false)
    if layout.roles.tellsTime, !layout.roles.isSufficient {
      throw FormatError(
        "the format records no path: add $context.path, since $context.routeKey names the route and "
          + "not what was asked for")
    }
    try layout.requireEnough()
    return layout
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"): true
    default: false
    }
  }

  private static func meaning(of name: String) -> (FieldMeaning, FieldForm) {
    func start(_ form: StampForm) -> FieldMeaning { .stamp(Stamp(form: form, isStart: true)) }
    switch name {
    case "identity.sourceIp": return (.client, .word)
    case "identity.userAgent": return (.userAgent, .text)
    case "requestTime": return (start(.clf), .text)
    case "requestTimeEpoch": return (start(.epoch(unit: 1_000_000)), .word)
    case "httpMethod": return (.method, .word)
    case "path": return (.target, .word)
    // The path with placeholders, which stands in where the one that was asked for is not logged.
    case "resourcePath": return (.path, .word)
    case "status": return (.status, .word)
    case "domainName": return (.host, .word)
    case "protocol": return (.httpVersion, .word)
    case "responseLatency": return (.duration(unit: 1_000_000), .word)
    // Messages are sentences, and some are printed with quotation marks of their own.
    case "error.message", "error.messageString", "integrationErrorMessage", "routeKey",
      "integration.error", "authorizer.error", "authenticate.error", "authorize.error",
      "waf.error", "error.validationErrorString", "identity.user", "identity.caller":
      return (.ignored, .text)
    default: break
    }
    // An authorizer can hand on header fields under names of its own.
    let authorizer = "authorizer."
    if name.hasPrefix(authorizer) {
      if case .requestHeader(let header) = FieldNames.meaning(
        of: name.utf8.dropFirst(authorizer.count))
      {
        return (.requestHeader(header), .text)
      }
      return (.ignored, .text)
    }
    return (.ignored, .word)
  }
}
