internal import Bytes
internal import HTTPExchange

/// A header field as an algorithm of the standard reads it: one value, if the evidence gives one.
///
/// - Standard: <https://fetch.spec.whatwg.org/#concept-header-list-get>
enum CombinedValue: Equatable {
  /// The evidence does not say.
  case unrecorded
  /// No such field; where absent and empty are printed alike, perhaps an empty one.
  case absent
  /// All lines joined by `, `, stripped of white space.
  case value(String)
  /// This line, and perhaps others that the source does not show.
  case oneLine(String)
  /// This prefix of the value.
  case prefix(String)

  init(_ evidence: HeaderEvidence) {
    switch evidence {
    case .unrecorded:
      self = .unrecorded
    case .absent:
      self = .absent
    case .recorded(let lines, let fidelity):
      guard !fidelity.contains(.presence), let value = Self.joined(lines) else {
        self = .unrecorded
        return
      }
      if fidelity.contains(.cut) {
        self = .prefix(value)
      } else if fidelity.contains(.firstLine) || fidelity.contains(.lastLine) {
        self = .oneLine(value)
      } else {
        self = .value(value)
      }
    }
  }

  /// All lines as one value; `nil` when the value of one was not kept.
  private static func joined(_ lines: [String?]) -> String? {
    if lines.count == 1 { return lines[0]?.strippingHTTPWhitespace }
    let values = lines.compactMap { $0 }
    guard values.count == lines.count else { return nil }
    return values.joined(separator: ", ").strippingHTTPWhitespace
  }
}

/// A header field as a list of tokens.
///
/// - Standard: <https://fetch.spec.whatwg.org/#extract-header-list-values>
enum TokenList: Hashable {
  case unrecorded
  /// No such field.
  case absent
  /// The whole list, empty elements left out.
  case tokens([String])
  /// These tokens, and perhaps others, or something that is no token, on lines that are not shown.
  case someTokens([String])
  /// Something in it is no token: the whole preflight fails.
  case malformed

  init(_ name: HeaderName, in message: MessageEvidence) {
    switch CombinedValue(message.evidence(of: name)) {
    case .unrecorded: self = .unrecorded
    case .absent: self = message.mayHide(name) ? .someTokens([]) : .absent
    case .value(let text):
      self = Self.tokens(in: text).map(TokenList.tokens) ?? .malformed
    case .oneLine(let text):
      self = Self.tokens(in: text).map(TokenList.someTokens) ?? .malformed
    case .prefix(let text):
      // The last element may have been cut in the middle.
      let whole = text.utf8.lastIndex(of: UInt8(ascii: ",")).map { String(text[..<$0]) } ?? ""
      self = Self.tokens(in: whole).map(TokenList.someTokens) ?? .malformed
    }
  }

  /// Whether the list is known to its end.
  var isWhole: Bool {
    switch self {
    case .absent, .tokens: true
    case .unrecorded, .someTokens, .malformed: false
    }
  }

  /// The tokens that are known to be listed.
  var known: [String] {
    switch self {
    case .tokens(let tokens), .someTokens(let tokens): tokens
    case .unrecorded, .absent, .malformed: []
    }
  }

  /// The tokens of a comma list; `nil` when an element is none.
  static func tokens(in text: String) -> [String]? {
    text.withByteView { bytes in
      var tokens: [String] = []
      var start = 0
      while start <= bytes.count {
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: ",") { end += 1 }
        var first = start
        var last = end
        while first < last, bytes[first].isHTTPWhitespace { first += 1 }
        while last > first, bytes[last - 1].isHTTPWhitespace { last -= 1 }
        if first < last {
          let element = bytes.part(first, last)
          guard element.allSatisfy({ $0.isTokenByte }) else { return nil }
          tokens.append(String(decoding: element, as: UTF8.self))
        }
        start = end + 1
      }
      return tokens
    }
  }
}

extension MessageEvidence {
  /// Whether a field that seems absent may be an empty line before others: the source prints one
  /// line only, and an empty one like none.
  fileprivate func mayHide(_ name: HeaderName) -> Bool {
    guard case .only(let names) = coverage, let fidelity = names[name] else { return false }
    return fidelity.contains(.absentOrEmpty)
      && !fidelity.isDisjoint(with: [.firstLine, .lastLine])
  }
}

extension MessageEvidence {
  /// The value of a field that browsers send on one line; `nil` where it was not kept or was cut.
  func whole(_ name: HeaderName) -> String? {
    guard case .recorded(let lines, let fidelity) = evidence(of: name), !fidelity.contains(.cut)
    else { return nil }
    return lines.first ?? nil
  }
}

extension UInt8 {
  /// Whether the byte may stand in a token.
  ///
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
  var isTokenByte: Bool {
    switch self {
    case 48...57, 65...90, 97...122: true
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"),
      UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"),
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
      UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      true
    default: false
    }
  }

  /// TAB, LF, CR or space.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#http-whitespace>
  var isHTTPWhitespace: Bool {
    self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D
  }
}

extension StringProtocol {
  /// The text without leading and trailing HTTP white space.
  var strippingHTTPWhitespace: String {
    guard let first = utf8.first, let last = utf8.suffix(1).first,
      first.isHTTPWhitespace || last.isHTTPWhitespace
    else { return String(self) }
    let bytes = Array(utf8)
    let start = bytes.firstIndex { !$0.isHTTPWhitespace } ?? bytes.count
    let end = bytes.lastIndex { !$0.isHTTPWhitespace }.map { $0 + 1 } ?? start
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}
