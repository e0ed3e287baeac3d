internal import HTTPExchange

/// Texts that were made from bytes before, so that values which come again cost no allocation.
///
/// One place for each hash: a newer text pushes out an older one, and memory stays bounded.
struct TextCache {
  private static let capacity = 4096
  /// Longer values seldom come again.
  private static let longestKey = 512

  private struct Key {
    var hash: UInt64
    var use: UInt64
    var bytes: UnsafeMutableRawPointer?
    var count: Int
  }

  private let keys: UnsafeMutablePointer<Key>
  private let texts: UnsafeMutablePointer<String?>

  /// An empty cache.
  init() {
    keys = .allocate(capacity: Self.capacity)
    keys.initialize(repeating: Key(hash: 0, use: 0, bytes: nil, count: 0), count: Self.capacity)
    texts = .allocate(capacity: Self.capacity)
    texts.initialize(repeating: nil, count: Self.capacity)
  }

  /// Frees all memory.
  func deallocate() {
    for index in 0..<Self.capacity { keys[index].bytes?.deallocate() }
    keys.deallocate()
    texts.deinitialize(count: Self.capacity)
    texts.deallocate()
  }

  /// The text of `bytes`, made by `make` if it is not known.
  ///
  /// - Parameter use: what the text is for; the same bytes may give different texts.
  @inline(__always)
  func text(
    _ bytes: UnsafeRawBufferPointer, use: UInt64, _ make: (UnsafeRawBufferPointer) -> String?
  ) -> String? {
    guard bytes.count <= Self.longestKey else { return make(bytes) }
    let hash = Self.hash(bytes, use)
    let index = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    if keys[index].hash == hash, keys[index].use == use, let known = keys[index].bytes,
      UnsafeRawBufferPointer(start: known, count: keys[index].count).equals(bytes)
    {
      return texts[index]
    }
    let text = make(bytes)
    keys[index].bytes?.deallocate()
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
    if let base = bytes.baseAddress { copy.copyMemory(from: base, byteCount: bytes.count) }
    keys[index] = Key(hash: hash, use: use, bytes: copy, count: bytes.count)
    texts[index] = text
    return text
  }

  private static func hash(_ bytes: UnsafeRawBufferPointer, _ use: UInt64) -> UInt64 {
    var hash = use &* 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
    var index = 0
    while index + 8 <= bytes.count {
      hash =
        (hash ^ bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        &* 0xBF58_476D_1CE4_E5B9
      hash ^= hash >> 32
      index += 8
    }
    var rest: UInt64 = 0
    while index < bytes.count {
      rest = rest << 8 | UInt64(bytes[index])
      index += 1
    }
    hash = (hash ^ rest) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 29)
  }
}
