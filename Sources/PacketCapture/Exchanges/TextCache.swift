internal import Bytes
internal import HTTPExchange

/// Texts that were made from bytes before, so that values which come again cost no allocation.
///
/// Two places for each hash: a newer text pushes out the older of two, and memory stays bounded.
/// With one place, two values of every request would push each other out for ever if they met.
final class TextCache {
  private static let capacity = 4096
  /// Longer values seldom come again.
  private static let longestKey = 512

  private struct Key {
    var hash: UInt64 = 0
    var use: UInt64 = 0
    /// What tells the text from all others that were made.
    var number: UInt64 = 0
    /// The bytes; they stand in ``memory``, and are read without a count of who refers to that.
    var bytes = ByteView()
    var memory: ByteStore?
  }

  private let keys = FixedTable(repeating: Key(), count: capacity)
  private let texts = FixedTable<String?>(repeating: nil, count: capacity)
  @safe @exclusivity(unchecked) private var last: UInt64 = 0
  /// Whether the text that was asked for last was known before.
  @safe @exclusivity(unchecked) private(set) var wasKnown = false

  /// An empty cache.
  init() {}

  /// The text of `bytes`, made by `make` if it is not known.
  ///
  /// - Parameter use: what the text is for; the same bytes may give different texts.
  @inline(__always)
  func text(
    _ bytes: ByteView, use: UInt64, _ make: (ByteView) -> String?
  ) -> String? {
    place(bytes, use: use, make).map { texts[$0] } ?? make(bytes)
  }

  /// The number of the text that ``text(_:use:_:)`` gives, which no other text has, from 1 to 2⁴⁰;
  /// `nil` when the bytes are too long to be remembered.
  @inline(__always)
  func number(
    of bytes: ByteView, use: UInt64, _ make: (ByteView) -> String?
  ) -> UInt64? {
    place(bytes, use: use, make).map { keys[$0].number }
  }

  @inline(__always)
  private func place(
    _ bytes: ByteView, use: UInt64, _ make: (ByteView) -> String?
  ) -> Int? {
    wasKnown = false
    guard bytes.count <= Self.longestKey else { return nil }
    let hash = ByteHash.of(bytes, seed: use)
    let index = Int(truncatingIfNeeded: hash) & (Self.capacity - 2)
    let isFirst = holds(index, hash, use, bytes)
    if isFirst || holds(index + 1, hash, use, bytes) {
      wasKnown = true
      return isFirst ? index : index + 1
    }
    insert(make(bytes), for: bytes, use, hash, at: index)
    return index
  }

  private func insert(
    _ text: String?, for bytes: ByteView, _ use: UInt64, _ hash: UInt64, at index: Int
  ) {
    keys[index + 1] = keys[index]
    texts[index + 1] = texts[index]
    let copy = ByteStore(capacity: bytes.count)
    copy.write(bytes, at: 0)
    last &+= 1
    keys[index] = Key(
      hash: hash, use: use, number: last, bytes: copy.view(0..<bytes.count), memory: copy)
    texts[index] = text
  }

  @inline(__always)
  private func holds(
    _ index: Int, _ hash: UInt64, _ use: UInt64, _ bytes: ByteView
  ) -> Bool {
    keys[index].hash == hash && keys[index].use == use && keys[index].memory != nil
      && keys[index].bytes.equals(bytes)
  }
}
