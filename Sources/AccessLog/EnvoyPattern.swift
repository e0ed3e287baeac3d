internal import HTTPExchange

/// Compiles the text of an Envoy access log format: `%REQ(NAME?OTHER):LENGTH%` and its kin.
enum EnvoyPattern {
  /// Literals and fields of a text format, without the line end at its end.
  static func elements(_ text: [UInt8]) throws(FormatError) -> [LineElement] {
    var elements: [LineElement] = []
    var literal: [UInt8] = []
    var index = 0
    var count = 0
    var end = text.count
    if end > 0, text[end - 1] == 0x0A { end -= 1 }
    while index < end {
      guard text[index] == UInt8(ascii: "%") else {
        literal.append(text[index])
        index += 1
        continue
      }
      if index + 1 < end, text[index + 1] == UInt8(ascii: "%") {
        literal.append(text[index])
        index += 2
        continue
      }
      let column = index + 1
      guard let close = endOfOperator(text, index + 1, end) else {
        throw FormatError("a \"%\" without the one that ends it", column: column)
      }
      count += 1
      guard count <= AccessLogLimits.fields else {
        throw FormatError(
          "a format of more than \(AccessLogLimits.fields) operators", column: column)
      }
      let name = String(decoding: text[index + 1..<close], as: UTF8.self)
      let (meaning, form) = meaning(of: name)
      elements.append(.literal(literal))
      literal = []
      elements.append(.field(meaning, form))
      index = close + 1
    }
    elements.append(.literal(literal))
    return elements
  }

  /// The layout of a text format; limits of operators mark values that may have been cut.
  static func layout(_ text: [UInt8]) throws(FormatError) -> LineLayout {
    let limits = limits(text)
    let layout = LineLayout(
      elements: try elements(text), escaping: .raw, mayBeNginx: false,
      repeats: Repeats(request: .joined, response: .joined), limits: limits)
    try layout.requireEnough()
    guard layout.count == limits.count || limits.allSatisfy({ $0 == 0 }) else {
      throw FormatError("two operators side by side, of which one is cut, cannot be told apart")
    }
    return layout
  }

  /// A percent sign may stand inside the parentheses, as in `%START_TIME(%s.%3f)%`.
  private static func endOfOperator(_ text: [UInt8], _ start: Int, _ end: Int) -> Int? {
    var index = start
    var isInside = false
    while index < end {
      switch text[index] {
      case UInt8(ascii: "("): isInside = true
      case UInt8(ascii: ")"): isInside = false
      case UInt8(ascii: "%") where !isInside: return index
      default: break
      }
      index += 1
    }
    return nil
  }

  /// The lengths to which the operators of a text cut their values, 0 for none, in order.
  private static func limits(_ text: [UInt8]) -> [Int] {
    var limits: [Int] = []
    var index = 0
    while index < text.count {
      if text[index] == UInt8(ascii: "%"), index + 1 < text.count {
        if text[index + 1] == UInt8(ascii: "%") {
          index += 2
          continue
        }
        guard let close = endOfOperator(text, index + 1, text.count) else { break }
        let name = String(decoding: text[index + 1..<close], as: UTF8.self)
        limits.append(name.split(separator: ")").last.flatMap { Int($0.drop { $0 == ":" }) } ?? 0)
        index = close
      }
      index += 1
    }
    return limits
  }

  /// What an operator prints.
  static func meaning(of text: String) -> (FieldMeaning, FieldForm) {
    let name = text.prefix { $0 != "(" && $0 != ":" }
    let argument: String? = text.firstIndex(of: "(").flatMap { open in
      text.lastIndex(of: ")").map { String(text[text.index(after: open)..<$0]) }
    }
    switch name {
    case "START_TIME":
      guard let argument, !argument.isEmpty else {
        return (.stamp(Stamp(form: .isoUTC, isStart: true)), .text)
      }
      let form = StrftimeFormat.form(argument)
      return (form.map { .stamp(Stamp(form: $0, isStart: true)) } ?? .ignored, .text)
    case "REQ", "REQUEST_HEADER":
      guard let argument else { return (.ignored, .text) }
      // Of `NAME?OTHER` the first that is there is printed.
      let names = argument.split(separator: "?").map { $0.lowercased() }
      if names.contains(":path") { return (.target, .text) }
      if names.count > 1, names.contains("x-envoy-original-path") { return (.target, .text) }
      switch names.first {
      case ":method": return (.method, .word)
      case ":authority": return (.hostHeader, .text)
      case ":scheme": return (.scheme, .word)
      case "user-agent": return (.userAgent, .text)
      case "host": return (.hostHeader, .text)
      case .some(let name) where names.count == 1: return (.requestHeader(HeaderName(name)), .text)
      default: return (.ignored, .text)
      }
    case "RESP", "RESPONSE_HEADER":
      guard let argument, !argument.contains("?") else { return (.ignored, .text) }
      return (.responseHeader(HeaderName(argument)), .text)
    case "PROTOCOL": return (.httpVersion, .word)
    case "RESPONSE_CODE": return (.status, .word)
    case "DURATION": return (.duration(unit: 1_000_000), .word)
    case "DOWNSTREAM_REMOTE_ADDRESS", "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT":
      return (.client, .word)
    case "DOWNSTREAM_DIRECT_REMOTE_ADDRESS", "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT":
      return (.peer, .word)
    case "RESPONSE_FLAGS", "BYTES_RECEIVED", "BYTES_SENT", "RESPONSE_CODE_DETAILS",
      "UPSTREAM_HOST", "UPSTREAM_LOCAL_ADDRESS", "DOWNSTREAM_LOCAL_ADDRESS",
      "UPSTREAM_CLUSTER_RAW":
      return (.ignored, .word)
    default: return (.ignored, .text)
    }
  }
}
