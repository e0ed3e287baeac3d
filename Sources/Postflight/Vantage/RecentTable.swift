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
    var text = text
    return text.withUTF8 { bytes in
      var hash = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
      let raw = UnsafeRawBufferPointer(bytes)
      var index = 0
      while index + 8 <= raw.count {
        hash = mixed(hash ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        index += 8
      }
      var rest: UInt64 = 0
      while index < raw.count {
        rest = rest << 8 | UInt64(raw[index])
        index += 1
      }
      return mixed(hash ^ rest)
    }
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
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
