public import Bytes

/// What is replaced in texts that are no URLs.
extension Redaction {
  /// Whether bytes of a URL or a request target hold anything that ``url(_:)`` could replace: user
  /// info, a query, a fragment, a parameter, an escape of a log, or what begins like a JWT.
  public static func mayHoldSecret(_ bytes: ByteView) -> Bool {
    for index in bytes.indices {
      switch bytes[index] {
      case UInt8(ascii: "?"), UInt8(ascii: "@"), UInt8(ascii: ";"), UInt8(ascii: "#"),
        UInt8(ascii: "\\"):
        return true
      case UInt8(ascii: "J") where index >= 2:
        if bytes[index - 1] == UInt8(ascii: "y"), bytes[index - 2] == UInt8(ascii: "e") {
          return true
        }
      default: continue
      }
    }
    return false
  }

  /// A text that is kept as it is but for the JWTs in it.
  ///
  /// A JWT begins with `eyJ`, the Base64 of `{"`, and has 24 characters or more.
  public static func withoutJWTs(_ text: String) -> String {
    text.withByteView { bytes -> String? in
      var result: [UInt8] = []
      var copied = 0
      var index = 0
      while index + 24 <= bytes.count {
        guard bytes[index] == UInt8(ascii: "e"), bytes[index + 1] == UInt8(ascii: "y"),
          bytes[index + 2] == UInt8(ascii: "J"), beginsWord(index, in: bytes)
        else {
          index += 1
          continue
        }
        var end = index + 3
        while end < bytes.count, isJWTByte(bytes[end]), !isReplacement(end, in: bytes) { end += 1 }
        if end - index >= 24 {
          result.append(bytes.part(copied, index))
          result += token(of: String(decoding: bytes.part(index, end), as: UTF8.self)).utf8
          copied = end
        }
        index = end
      }
      guard copied > 0 else { return nil }
      result.append(bytes.from(copied))
      return String(decoding: result, as: UTF8.self)
    } ?? text
  }

  /// Whether nothing that could be part of the same word stands before: `keyJournal…` is no JWT, but
  /// one may stand behind an encoded separator as in `%2FeyJ…`.
  private static func beginsWord(_ index: Int, in bytes: ByteView) -> Bool {
    guard index > 0, isAlphanumeric(bytes[index - 1]) else { return true }
    return index >= 3 && bytes[index - 3] == UInt8(ascii: "%")
  }

  /// Whether `=~` and twelve digits stand there: what was replaced before makes no longer word of the
  /// name in front of it, so that a text that passes through here twice stays what it is.
  private static func isReplacement(_ index: Int, in bytes: ByteView) -> Bool {
    guard bytes[index] == UInt8(ascii: "="), index + 13 < bytes.count,
      bytes[index + 1] == UInt8(ascii: "~")
    else { return false }
    return bytes.part(index + 2, index + 14).allSatisfy {
      (48...57).contains($0) || (97...102).contains($0)
    }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
  }

  private static func isJWTByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "-_.=~%".utf8.contains(byte)
  }

  /// A list of header names.
  ///
  /// What is no name, `authorization: Bearer …` for example, is replaced and
  /// stays none: a browser sends no such list, and a verdict must not take it for one.
  static func headerNames(_ value: String) -> String {
    let list = withoutJWTs(value)
    guard list.utf8.contains(where: { !isListByte($0) }) else { return list }
    return list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
      .map { element -> String in
        let text = String(Substring(element))
        guard element.contains(where: { !isListByte($0) }) else { return text }
        // A record may pass through here twice.
        let isReplaced = text.hasPrefix("(~") && text.hasSuffix(")") && text.utf8.count == 15
        return isReplaced ? text : "(\(token(of: text)))"
      }.joined(separator: ",")
  }

  /// Bytes of names and what may stand between them: RFC 9110, section 5.6.2.
  private static func isListByte(_ byte: UInt8) -> Bool {
    isAlphanumeric(byte) || "!#$%&'*+-.^_`|~, \t".utf8.contains(byte)
  }
}
