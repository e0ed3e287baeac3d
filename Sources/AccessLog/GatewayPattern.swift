internal import HTTPExchange

/// Compiles the access log format of an API Gateway stage: text with `$context` variables.
///
/// Values stand in the lines as they are, whatever the text around them is: JSON, CSV, XML or CLF.
/// What a variable does not hold is `-`.
enum GatewayPattern {
  private static let prefix = Array("context.".utf8)

  /// Whether a text is such a format.
  static func recognizes(_ text: String) -> Bool { text.contains("$context.") }

  /// The layout of such a text.
  static func layout(_ text: [UInt8]) throws(FormatError) -> LineLayout {
    let elements = try VariablePattern.elements(text) { (index, column) throws(FormatError) in
      guard text[index...].starts(with: prefix) else {
        throw FormatError(
          "a \"$\" without \"context.\": nothing else can be logged there", column: column)
      }
      index += prefix.count
      var name = VariablePattern.name(in: text, at: &index, where: isNameByte)
      // A full stop behind a name ends a sentence rather than the name.
      while name.hasSuffix(".") {
        name.removeLast()
        index -= 1
      }
      guard !name.isEmpty else {
        throw FormatError("\"$context.\" without the name of a variable", column: column)
      }
      return meaning(of: name)
    }
    let layout = LineLayout(elements: elements, escaping: .raw, mayBeNginx: false)
    guard layout.roles.tellsRequest else {
      throw FormatError(
        "the format records no path: add $context.path, or at least $context.httpMethod and "
          + "$context.resourcePath")
    }
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
    // Paths with placeholders, which stand in where the one that was asked for is not logged.
    case "resourcePath": return (.path, .word)
    case "routeKey": return (.route, .text)
    case "status": return (.status, .word)
    case "domainName": return (.host, .word)
    case "protocol": return (.httpVersion, .word)
    case "responseLatency": return (.duration(unit: 1_000_000), .word)
    // Messages are sentences, and some are printed with quotation marks of their own.
    case "error.message", "error.messageString", "integrationErrorMessage",
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
