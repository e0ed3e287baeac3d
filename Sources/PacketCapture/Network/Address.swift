internal import Bytes
internal import HTTPExchange

/// An IPv4 or IPv6 address; IPv4 is held in its mapped form `::ffff:a.b.c.d`.
struct Address: Equatable {
  var high: UInt64 = 0
  var low: UInt64 = 0

  /// An IPv4 address.
  @inline(__always)
  init(ipv4: UInt32) {
    low = 0xFFFF_0000_0000 | UInt64(ipv4)
  }

  /// The 16 bytes of an IPv6 address at `offset`.
  @inline(__always)
  init(ipv6 bytes: ByteView, at offset: Int) {
    high = bytes.big64(offset)
    low = bytes.big64(offset + 8)
  }

  /// The unspecified address.
  init() {}

  @inline(__always)
  static func < (left: Self, right: Self) -> Bool {
    left.high != right.high ? left.high < right.high : left.low < right.low
  }

  /// The text form; for IPv6 that of RFC 5952.
  var text: String {
    if high == 0, low >> 32 == 0xFFFF {
      return "\(low >> 24 & 255).\(low >> 16 & 255).\(low >> 8 & 255).\(low & 255)"
    }
    return ClientAddress.rfc5952(
      (0..<8).map { index in
        UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - index % 4 * 16))
      })
  }
}
