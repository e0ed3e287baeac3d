internal import Bytes
internal import HTTPExchange

/// Texts that were made from bytes before, so that values which come again cost no allocation.
///
/// Two places for each hash: a newer text pushes out the older of two, and memory stays bounded.
/// With one place, two values of every request would push each other out for ever if they met.
struct TextCache {
  private static let capacity = 4096
  /// Longer values seldom come again.
  private static let longestKey = 512

  private struct Key {
    var hash: UInt64
    var use: UInt64
    var bytes: ByteStore?
    var count: Int
  }

  private let keys = FixedTable(
    repeating: Key(hash: 0, use: 0, bytes: nil, count: 0), count: capacity)
  private let texts = FixedTable<String?>(repeating: nil, count: capacity)

  /// An empty cache.
  init() {}

  /// The text of `bytes`, made by `make` if it is not known.
  ///
  /// - Parameter use: what the text is for; the same bytes may give different texts.
  @inline(__always)
  func text(
    _ bytes: ByteView, use: UInt64, _ make: (ByteView) -> String?
  ) -> String? {
    guard bytes.count <= Self.longestKey else { return make(bytes) }
    let hash = Self.hash(bytes, use)
    let index = Int(truncatingIfNeeded: hash) & (Self.capacity - 2)
    if holds(index, hash, use, bytes) { return texts[index] }
    if holds(index + 1, hash, use, bytes) { return texts[index + 1] }
    let text = make(bytes)
    keys[index + 1] = keys[index]
    texts[index + 1] = texts[index]
    let copy = ByteStore(capacity: bytes.count)
    copy.write(bytes, at: 0)
    keys[index] = Key(hash: hash, use: use, bytes: copy, count: bytes.count)
    texts[index] = text
    return text
  }

  @inline(__always)
  private func holds(
    _ index: Int, _ hash: UInt64, _ use: UInt64, _ bytes: ByteView
  ) -> Bool {
    guard keys[index].hash == hash, keys[index].use == use, let known = keys[index].bytes else {
      return false
    }
    return known.view(0..<keys[index].count).equals(bytes)
  }

  @inline(__always)
  private static func hash(_ bytes: ByteView, _ use: UInt64) -> UInt64 {
    ByteHash.of(bytes, seed: use)
  }
}
