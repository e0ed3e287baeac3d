/// Counts by name, of a bounded number of names.
///
/// Beyond the limit the names with the smallest digests stay, so that which ones are kept, and how
/// often each was seen, depends on the names alone: ``merge(_:)`` is associative and commutative, and
/// every count that is shown is exact.
struct NamedCounts: Hashable {
  static let limit = 64

  private(set) var counts: [String: UInt64] = [:]
  private(set) var total: UInt64 = 0
  private(set) var distinct = DistinctCount(limit: 4096)

  init() {}

  mutating func add(_ name: String, _ count: UInt64 = 1) {
    total &+= count
    if let known = counts[name] {
      counts[name] = known &+ count
      return
    }
    distinct.insert(name)
    keep(name, count)
  }

  mutating func merge(_ other: NamedCounts) {
    total &+= other.total
    distinct.merge(other.distinct)
    for (name, count) in other.counts {
      if let known = counts[name] {
        counts[name] = known &+ count
      } else {
        keep(name, count)
      }
    }
  }

  private mutating func keep(_ name: String, _ count: UInt64) {
    counts[name] = count
    guard counts.count > Self.limit else { return }
    let largest = counts.keys.max { Self.order($0) < Self.order($1) }
    if let largest { counts[largest] = nil }
  }

  private static func order(_ name: String) -> (UInt64, String) {
    (DistinctCount.hash(name), name)
  }

  /// The most frequent first, then by name.
  var ranked: [(name: String, count: UInt64)] {
    counts.map { (name: $0.key, count: $0.value) }
      .sorted { $0.count != $1.count ? $0.count > $1.count : $0.name < $1.name }
  }

  /// Calls of names that are not told apart.
  var others: UInt64 { total &- counts.values.reduce(0, &+) }

  /// The only name; `nil` when there are none or several.
  var only: String? { distinct.count == 1 && counts.count == 1 ? counts.first?.key : nil }
}
