internal import Bytes
internal import HTTPExchange

/// Finds recent numbers by a key of 64 bits, in memory that does not grow.
///
/// Of more than eight numbers in one place the oldest is given up: what is looked for came a moment
/// ago.
struct RecentTable {
  private static let ways = 8
  private static let buckets = 4096

  private var keys: [UInt64] = []
  private var values: [Int] = []

  /// A key of a text's bytes; the same in every run.
  static func key(of text: String) -> UInt64 {
    text.withByteView { ByteHash.of($0, seed: 0) }
  }

  /// Adds a number.
  mutating func insert(_ key: UInt64, _ number: Int) {
    if keys.isEmpty {
      keys = [UInt64](repeating: 0, count: Self.buckets * Self.ways)
      values = [Int](repeating: -1, count: Self.buckets * Self.ways)
    }
    let start = Self.start(key)
    var oldest = start
    for place in start..<start + Self.ways where values[place] < values[oldest] { oldest = place }
    keys[oldest] = key
    values[oldest] = number
  }

  /// The numbers that were added under a key and not given up since.
  func numbers(_ key: UInt64) -> [Int] {
    guard !keys.isEmpty else { return [] }
    let start = Self.start(key)
    var found: [Int] = []
    for place in start..<start + Self.ways where keys[place] == key && values[place] >= 0 {
      found.append(values[place])
    }
    return found
  }

  private static func start(_ key: UInt64) -> Int {
    (Int(truncatingIfNeeded: key >> 40) & (buckets - 1)) * ways
  }
}
