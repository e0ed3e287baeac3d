internal import Foundation

/// The spellings of a client's address.
public enum ClientAddress {
  /// An address in the one spelling that all sources share: without brackets, port and zone, IPv6 as
  /// RFC 5952 has it, an IPv4 address in IPv6 as what it is; what is no address stays as it stands.
  public static func canonical(_ text: String) -> String {
    let bytes = text.utf8
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return text }
    if bytes.first == UInt8(ascii: "["), let end = bytes.firstIndex(of: UInt8(ascii: "]")) {
      return canonicalIPv6(String(text[bytes.index(after: bytes.startIndex)..<end]))
    }
    // One colon sets off a port, more belong to an IPv6 address.
    if bytes.lastIndex(of: UInt8(ascii: ":")) == colon { return String(text[..<colon]) }
    return canonicalIPv6(text)
  }

  /// Whether an address, or a name in its place, means something inside of one network only.
  public static func isInternal(_ text: String) -> Bool {
    if text.utf8.contains(UInt8(ascii: ":")) {
      return text == "::1"
        || ["fc", "fd", "fe8", "fe9", "fea", "feb"].contains { text.hasPrefix($0) }
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    guard parts.count == 4, !parts.contains(nil), let first = parts[0], let second = parts[1] else {
      return text == "localhost"
    }
    switch first {
    case 10, 127: return true
    case 100: return (64..<128).contains(second)
    case 169: return second == 254
    case 172: return (16..<32).contains(second)
    case 192: return second == 168
    default: return false
    }
  }

  /// Whether a host of a URL means something inside of one network only.
  public static func isInternalHost(_ host: String) -> Bool {
    let isName = host.utf8.contains { $0 | 0x20 >= 97 && $0 | 0x20 <= 122 }
    if host.hasPrefix("[") || !isName {
      return isInternal(host.filter { $0 != "[" && $0 != "]" })
    }
    return !host.utf8.contains(UInt8(ascii: "."))
      || [".internal", ".local", ".localdomain", ".localhost", ".svc", ".lan"]
        .contains { host.hasSuffix($0) }
  }

  private static func canonicalIPv6(_ text: String) -> String {
    let address = text.prefix { $0 != "%" }
    var raw = in6_addr()
    // A C library reads the text and writes the 16 bytes that it gets room for.
    guard address.utf8.count <= 45, unsafe inet_pton(AF_INET6, String(address), &raw) == 1 else {
      return text
    }
    let bytes = unsafe withUnsafeBytes(of: raw) { unsafe Array($0) }
    let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
    if isMapped { return bytes[12...].map { String($0) }.joined(separator: ".") }
    let groups = (0..<8).map { UInt16(bytes[2 * $0]) << 8 | UInt16(bytes[2 * $0 + 1]) }
    return rfc5952(groups)
  }

  /// The text of eight groups as RFC 5952 has it: the first of the longest runs of zeros, if it has
  /// two groups or more, is left out.
  public static func rfc5952(_ groups: [UInt16]) -> String {
    var longest = 0..<0
    var start = 0
    for index in 0...8 where index == 8 || groups[index] != 0 {
      if index - start > max(longest.count, 1) { longest = start..<index }
      start = index + 1
    }
    func joined(_ range: Range<Int>) -> String {
      range.map { String(groups[$0], radix: 16) }.joined(separator: ":")
    }
    if longest.isEmpty { return joined(0..<8) }
    return joined(0..<longest.lowerBound) + "::" + joined(longest.upperBound..<8)
  }
}
