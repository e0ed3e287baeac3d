public import Bytes

/// Hashes bytes for tables of our own, where the general hasher would take most of the time.
///
/// Every bit of the input reaches every bit of the result, so that the lowest ones can be a place in
/// a table. With a seed that nobody else knows, collisions cannot be chosen.
public enum ByteHash {
  /// The hash of the bytes.
  @inlinable
  @inline(__always)
  public static func of(_ bytes: ByteView, seed: UInt64) -> UInt64 {
    let count = bytes.count
    var state = fold(seed ^ UInt64(truncatingIfNeeded: count), 0xA076_1D64_78BD_642F)
    var offset = 0
    while offset &+ 8 <= count {
      // Eight bytes from here on are there.
      state = unsafe fold(state ^ bytes.uncheckedWord(offset), 0xE703_7ED1_A0B4_28DB)
      offset &+= 8
    }
    guard offset < count else { return state }
    var rest: UInt64 = 0
    if count >= 8 {
      // Some bytes once more, which costs less than the others one by one; there are eight.
      rest = unsafe bytes.uncheckedWord(count &- 8)
    } else {
      while offset < count {
        rest = rest << 8 | UInt64(bytes[offset])
        offset &+= 1
      }
    }
    return fold(state ^ rest, 0x8EBC_6AF0_9C88_C6E3)
  }

  /// The hash of a text with a seed that nobody else knows, for equality by bytes alone.
  @inlinable
  public static func secretly(_ text: String) -> UInt64 {
    text.withByteView { of($0, seed: secret) }
  }

  /// The hash of bytes that follow others, whose ``secretly(_:)`` is `state`.
  @inlinable
  public static func secretly(_ bytes: ByteView, _ state: UInt64 = 0) -> UInt64 {
    of(bytes, seed: state ^ secret)
  }

  @usableFromInline static let secret = UInt64.random(in: .min ... .max)

  /// The hash of one more word behind those of a state.
  @inlinable
  @inline(__always)
  public static func next(_ state: UInt64, _ word: UInt64) -> UInt64 {
    fold(state ^ word, 0xE703_7ED1_A0B4_28DB)
  }

  /// Both halves of a product, mixed.
  @inlinable
  @inline(__always)
  static func fold(_ state: UInt64, _ factor: UInt64) -> UInt64 {
    let product = state.multipliedFullWidth(by: factor)
    return product.high ^ product.low
  }
}
