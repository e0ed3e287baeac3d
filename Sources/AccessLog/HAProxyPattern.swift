internal import HTTPExchange

/// Compiles the text of HAProxy's `log-format`.
struct HAProxyPattern {
  /// The captured headers of each direction, by the number of their slot.
  var request: [HAProxyLines.Slot] = []
  var response: [HAProxyLines.Slot] = []
  /// What variables of the transaction hold, by their name: `txn.acao_n`.
  var variables: [String: FieldMeaning] = [:]

  /// The layout of such a text.
  func layout(_ text: [UInt8]) throws(FormatError) -> LineLayout {
    var elements: [LineElement] = []
    var limits: [Int] = []
    var quotesAll = false
    var index = 0
    func field(_ slot: HAProxyLines.Slot, isQuoted: Bool, _ form: FieldForm) {
      if isQuoted { elements.append(.literal([UInt8(ascii: "\"")])) }
      elements.append(.field(slot.meaning, form))
      limits.append(slot.length)
      if isQuoted { elements.append(.literal([UInt8(ascii: "\"")])) }
    }
    while index < text.count {
      guard text[index] == UInt8(ascii: "%"), index + 1 < text.count else {
        elements.append(.literal([text[index]]))
        index += 1
        continue
      }
      let column = index + 1
      guard limits.count < AccessLogLimits.fields else {
        throw FormatError(
          "a format of more than \(AccessLogLimits.fields) fields", column: column)
      }
      index += 1
      var flags = ""
      if text[index] == UInt8(ascii: "%") {
        elements.append(.literal([text[index]]))
        index += 1
        continue
      }
      if text[index] == UInt8(ascii: "{") {
        guard let close = text[index...].firstIndex(of: UInt8(ascii: "}")) else {
          throw FormatError("a \"{\" without its \"}\"", column: column)
        }
        flags = String(decoding: text[index + 1..<close], as: UTF8.self)
        index = close + 1
      }
      let isQuoted = flags.contains("-Q") ? false : quotesAll || flags.contains("+Q")
      if index < text.count, text[index] == UInt8(ascii: "[") {
        guard let close = Self.closingBracket(text, index) else {
          throw FormatError("a \"[\" without its \"]\"", column: column)
        }
        let expression = String(decoding: text[index + 1..<close], as: UTF8.self)
        field(slot(of: expression), isQuoted: isQuoted, .text)
        index = close + 1
        continue
      }
      let first = index
      while index < text.count, Self.isLetter(text[index]) { index += 1 }
      let name = String(decoding: text[first..<index], as: UTF8.self)
      guard !name.isEmpty else {
        throw FormatError("a \"%\" without the name of a variable", column: column)
      }
      switch name {
      case "o": quotesAll = flags.contains("+Q")
      case "hr", "hs":
        let slots = name == "hr" ? request : response
        for (number, slot) in slots.enumerated() {
          elements.append(.literal(Array((number == 0 ? "{" : "|").utf8)))
          field(slot, isQuoted: false, .text)
        }
        if !slots.isEmpty { elements.append(.literal([UInt8(ascii: "}")])) }
      case "ci" where text[index...].starts(with: ":%cp".utf8) && !isQuoted:
        field(.init(meaning: .clientAndPort, length: 0), isQuoted: false, .word)
        index += 4
      default:
        let (meaning, form) = Self.meaning(of: name)
        field(.init(meaning: meaning, length: 0), isQuoted: isQuoted, form)
      }
    }
    let isJSON = text.first { $0 != 0x20 } == UInt8(ascii: "{")
    let layout = LineLayout(
      elements: elements, escaping: isJSON ? .anyJSON : .hash, mayBeNginx: false,
      repeats: Repeats(request: .last, response: .last), limits: limits)
    try layout.requireEnough()
    guard layout.count == limits.count else {
      throw FormatError("two fields side by side cannot be told apart")
    }
    return layout
  }

  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }

  private static func closingBracket(_ text: [UInt8], _ open: Int) -> Int? {
    var depth = 0
    for index in open..<text.count {
      if text[index] == UInt8(ascii: "[") { depth += 1 }
      if text[index] == UInt8(ascii: "]") {
        depth -= 1
        if depth == 0 { return index }
      }
    }
    return nil
  }

  /// What a sample expression prints; converters behind a comma change the spelling only, as far as
  /// they are known here.
  func slot(of expression: String) -> HAProxyLines.Slot {
    let unknown = HAProxyLines.Slot(meaning: .ignored, length: 0)
    let parts = Self.parts(of: expression)
    guard let call = parts.first,
      parts.dropFirst().allSatisfy({ $0.hasPrefix("json") || $0.hasPrefix("lower") })
    else { return unknown }
    let name = call.prefix { $0 != "(" }
    let argument = Self.argument(of: call)
    switch name {
    case "capture.req.hdr", "capture.res.hdr":
      let slots = name == "capture.req.hdr" ? request : response
      guard let number = Int(argument), slots.indices.contains(number) else { return unknown }
      return slots[number]
    case "capture.req.method": return .init(meaning: .method, length: 0)
    case "capture.req.uri": return .init(meaning: .target, length: 0)
    case "capture.req.ver": return .init(meaning: .httpVersion, length: 0)
    case "var": return .init(meaning: variables[argument] ?? .ignored, length: 0)
    case "src": return .init(meaning: .client, length: 0)
    case "unique-id": return .init(meaning: .requestID, length: 0)
    default:
      return .init(meaning: Self.header(of: call) ?? .ignored, length: 0)
    }
  }

  /// The header that an expression fetches: `req.hdr(NAME)`, `res.fhdr(NAME)`, or how many there are.
  static func header(of expression: String) -> FieldMeaning? {
    let call = parts(of: expression).first ?? ""
    // Of several the number may be named; then it is not the last.
    let arguments = argument(of: call).split(separator: ",")
    guard arguments.count == 1, let name = arguments.first.map({ HeaderName(String($0)) }) else {
      return nil
    }
    switch call.prefix(while: { $0 != "(" }) {
    case "req.hdr", "req.fhdr", "hdr":
      return name == .userAgent
        ? .userAgent : name == .host ? .hostHeader : .requestHeader(name)
    case "res.hdr", "res.fhdr": return .responseHeader(name)
    case "res.fhdr_cnt": return .lineCount(name)
    case "req.fhdr_cnt", "req.hdr_cnt":
      return name == .cookie || name == .authorization ? .presence(name) : nil
    default: return nil
    }
  }

  /// The call and its converters.
  private static func parts(of expression: String) -> [String] {
    var parts = [""]
    var depth = 0
    for character in expression {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == ",", depth == 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts.map { $0.trimming { $0 == " " } }
  }

  private static func argument(of call: String) -> String {
    guard let open = call.firstIndex(of: "("), call.hasSuffix(")") else { return "" }
    return String(call[call.index(after: open)...].dropLast())
  }

  private static func meaning(of name: String) -> (FieldMeaning, FieldForm) {
    func start(_ form: StampForm) -> FieldMeaning { .stamp(Stamp(form: form, isStart: true)) }
    switch name {
    case "ci": return (.client, .word)
    case "t", "tr": return (start(.clf), .text)
    case "trg", "T": return (start(.clf), .text)
    case "trl", "Tl": return (start(.clf), .text)
    case "Ts": return (start(.epoch(unit: 1_000_000_000)), .word)
    case "Ta": return (.duration(unit: 1_000_000), .word)
    case "f", "ft": return (.frontend, .word)
    case "HM": return (.method, .word)
    case "HU": return (.target, .text)
    case "HP": return (.path, .text)
    case "HQ": return (.query, .text)
    case "HV": return (.httpVersion, .word)
    case "r": return (.requestLine, .text)
    case "ST": return (.status, .word)
    case "ID": return (.requestID, .text)
    default: return (.ignored, .word)
    }
  }
}
