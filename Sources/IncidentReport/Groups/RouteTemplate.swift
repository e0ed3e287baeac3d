internal import Bytes

/// The part of a URL that stays the same when only identifiers change: `/users/{id}`.
enum RouteTemplate {
  /// Bytes of a route that are kept; what is longer is cut.
  static let maximumLength = 300
  /// What stands for a segment that is an identifier by its form.
  static let identifier = "{id}"

  /// Appends the route of a request target to a key.
  ///
  /// A segment stands for an identifier when it is a number or a date, eight or more hexadecimal
  /// digits with a decimal one among them, whole or in groups, a redacted secret, or 20 or more
  /// letters and digits. The query is no part of a route.
  static func append(_ target: String, to key: inout [UInt8]) {
    target.withByteView { bytes in
      let start = key.count
      let end = bytes.first(UInt8(ascii: "?"), from: 0, to: bytes.count)
      var segment = 0
      while true {
        let next = bytes.first(UInt8(ascii: "/"), from: segment, to: end)
        let room = maximumLength - (key.count - start)
        // An endless path is not written to its end.
        guard next - segment <= room else {
          key.append(bytes.part(segment, segment + max(0, room + 1)))
          cut(&key, to: start + maximumLength)
          return
        }
        let part = bytes.part(segment, next)
        if isIdentifier(part) {
          key.append(contentsOf: identifier.utf8)
        } else {
          key.append(part)
        }
        guard next < end else { return }
        key.append(UInt8(ascii: "/"))
        segment = next + 1
      }
    }
  }

  /// Cuts a key and marks the cut; a character that is cut through goes as a whole.
  private static func cut(_ key: inout [UInt8], to length: Int) {
    guard key.count > length else { return }
    var end = length
    while end > 0, key[end] & 0xC0 == 0x80 { end -= 1 }
    key.removeSubrange(end...)
    key.append(contentsOf: "…".utf8)
  }

  /// Whether a segment stands for one thing among many.
  static func isIdentifier(_ bytes: ByteView) -> Bool {
    // Most segments are words, which is seen with one look at each byte.
    guard let first = bytes.first, bytes.contains(where: { $0 &- 48 < 10 }) else { return false }
    var digits = 0
    var hexLetters = 0
    var letters = 0
    var punctuation = 0
    for byte in bytes {
      switch byte {
      case 48...57: digits += 1
      case 97...102, 65...70: hexLetters += 1
      case 103...122, 71...90: letters += 1
      case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"),
        UInt8(ascii: "~"):
        punctuation += 1
      default: return false
      }
    }
    guard digits > 0 else { return false }
    if hexLetters + letters == 0 { return first >= 48 && first <= 57 }
    if first == UInt8(ascii: "~"), letters == 0, bytes.count == 13 { return true }
    // Hexadecimal digits, whole or in groups as in a UUID.
    if letters == 0, digits + hexLetters >= 8 { return punctuation == 0 || digits >= 2 }
    return bytes.count >= 20 && digits >= 2
  }
}
