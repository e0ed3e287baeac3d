internal import Bytes

/// The PROXY protocol header that a load balancer may put in front of everything else.
///
/// - Standard: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>
enum ProxyHeader {
  case none
  /// It goes on behind the bytes.
  case incomplete
  /// It ends before `length`; `client` is the address that it names, if it names one.
  case header(length: Int, client: Address?)

  /// Looks at the first bytes of a connection.
  init(_ bytes: ByteView) {
    self = .none
    if bytes.has("PROXY ") {
      self = Self.text(bytes)
    } else if bytes.has("\r\n\r\n\0\r\nQUIT\n") {
      self = Self.binary(bytes)
    } else if bytes.count < 12, Self.beginsSignature(bytes) {
      self = .incomplete
    }
  }

  private static func beginsSignature(_ bytes: ByteView) -> Bool {
    let signature = ByteView("\r\n\r\n\0\r\nQUIT\n")
    for index in 0..<bytes.count where bytes[index] != signature[index] { return false }
    return true
  }

  /// `PROXY TCP4 192.0.2.1 192.0.2.2 4711 80`, a line end behind it.
  private static func text(_ bytes: ByteView) -> ProxyHeader {
    // The longest line has 107 characters.
    let visible = bytes.part(0, min(bytes.count, 108))
    guard let end = visible.position(of: 0x0A, from: 0) else {
      return bytes.count < 108 ? .incomplete : .none
    }
    let parts = String(decoding: visible.part(0, end), as: UTF8.self).split(separator: " ")
    let client = parts.count > 2 ? address(parts[2], isV6: parts[1] == "TCP6") : nil
    return .header(length: end + 1, client: client)
  }

  /// Signature(12), version and command(1), family(1), length(2), addresses and ports.
  private static func binary(_ bytes: ByteView) -> ProxyHeader {
    guard bytes.count >= 16 else { return .incomplete }
    let length = 16 + Int(bytes.big16(14))
    guard bytes[12] >> 4 == 2, length <= CaptureLimits.proxyHeaderLength else { return .none }
    guard bytes.count >= length else { return .incomplete }
    // Command 0 is the balancer's own health check.
    guard bytes[12] & 15 == 1 else { return .header(length: length, client: nil) }
    switch bytes[13] >> 4 {
    case 1 where length >= 28:
      return .header(length: length, client: Address(ipv4: bytes.big32(16)))
    case 2 where length >= 52:
      return .header(length: length, client: Address(ipv6: bytes, at: 16))
    default:
      return .header(length: length, client: nil)
    }
  }

  private static func address(_ text: Substring, isV6: Bool) -> Address? {
    if !isV6 {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      let numbers = parts.compactMap { UInt8($0) }
      guard parts.count == 4, numbers.count == 4 else { return nil }
      return Address(ipv4: numbers.reduce(0) { $0 << 8 | UInt32($1) })
    }
    // Eight groups, of which a run of zeros may be left out.
    let halves = text.split(separator: "::", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { return nil }
    let groups = halves.map { $0.split(separator: ":").map { UInt16($0, radix: 16) } }
    let known = groups.reduce(0) { $0 + $1.count }
    guard halves.count == 2 ? known < 8 : known == 8, let first = groups.first else { return nil }
    let zeros = [UInt16?](repeating: 0, count: 8 - known)
    var address = Address()
    for (index, group) in (first + zeros + (groups.count > 1 ? groups[1] : [])).enumerated() {
      guard let group else { return nil }
      let shifted = UInt64(group) << UInt64(48 - index % 4 * 16)
      if index < 4 { address.high |= shifted } else { address.low |= shifted }
    }
    return address
  }
}
