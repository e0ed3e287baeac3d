internal import HTTPExchange

/// Notices inputs that look like the same traffic seen twice and could not be joined.
///
/// Of two nodes behind a balancer hardly any two lines are of one client, method, target and status at
/// one time. Of an edge and an application, or of two logs that one server writes, nearly all are.
struct TwinTable {
  /// Pairs of inputs that are looked at; further ones are not.
  static let maximumPairs = 1024
  /// Inputs that are told apart.
  private static let maximumSources = 8192
  /// Lines that must look alike before anything is said.
  static let fewest: UInt64 = 20
  /// Nanoseconds by which the times of two lines may differ beyond their resolutions.
  static let skew: Int64 = 5_000_000_000

  private struct Pair {
    var matched: UInt64 = 0
    /// What each had shown before the first two looked alike.
    var before: (UInt64, UInt64)
    /// The least and the greatest difference of their times: the second's less the first's.
    var offsets: (Int64, Int64)
  }

  private struct Key: Hashable {
    var first: Int
    var second: Int
  }

  private var numbers: [String: Int] = [:]
  private var names: [String] = []
  private var seen: [UInt64] = []
  private var pairs: [Key: Pair] = [:]
  private var last: (name: String, number: Int)?

  /// Counts an exchange, and gives the number of its input; `nil` when there are too many.
  mutating func see(_ exchange: Exchange) -> Int? {
    let name = exchange.id.source
    if let last, last.name == name {
      seen[last.number] += 1
      return last.number
    }
    guard let number = numbers[name] ?? added(name) else { return nil }
    last = (name, number)
    seen[number] += 1
    return number
  }

  private mutating func added(_ name: String) -> Int? {
    guard names.count < Self.maximumSources else { return nil }
    numbers[name] = names.count
    names.append(name)
    seen.append(0)
    return names.count - 1
  }

  /// Counts two lines that look alike.
  ///
  /// - Parameter offset: nanoseconds from the first to the second.
  mutating func match(_ first: Int, _ second: Int, offset: Int64) {
    let (key, offset) =
      first < second
      ? (Key(first: first, second: second), offset)
      : (Key(first: second, second: first), -offset)
    guard var pair = pairs[key] else {
      guard pairs.count < Self.maximumPairs else { return }
      pairs[key] = Pair(
        matched: 1, before: (seen[key.first] - 1, seen[key.second] - 1), offsets: (offset, offset))
      return
    }
    pair.matched += 1
    pair.offsets = (min(pair.offsets.0, offset), max(pair.offsets.1, offset))
    pairs[key] = pair
  }

  /// A sentence for each pair that shows the same traffic, as far as can be told; at most eight, and how
  /// many more there are.
  var sentences: [String] {
    let twins = pairs.filter { key, pair in
      let least = min(seen[key.first] - pair.before.0, seen[key.second] - pair.before.1)
      return pair.matched >= Self.fewest && pair.matched * 10 >= least * 9
    }
    let all = twins.map { key, pair in
      let both = [names[key.first], names[key.second]].map(Self.shown).sorted()
      return "\(both[0]) and \(both[1]) look like the same traffic seen twice: "
        + "\(pair.matched) lines of each have client, method, target and status in common, at times "
        + "that differ by \(Self.shown(pair.offsets)); both were counted: give only one of them, or log "
        + "a request id in both"
    }.sorted()
    guard all.count > 8 else { return all }
    return all.prefix(8) + [
      "\(all.count - 8) more pairs of inputs look like the same traffic seen twice"
    ]
  }

  private static func shown(_ name: String) -> String {
    guard let mark = name.utf8.lastIndex(of: UInt8(ascii: "@")) else { return name }
    return "\(name[..<mark]) (\(name[name.utf8.index(after: mark)...]))"
  }

  private static func shown(_ offsets: (Int64, Int64)) -> String {
    let least = min(abs(offsets.0), abs(offsets.1)) / 1_000_000
    let most = max(abs(offsets.0), abs(offsets.1)) / 1_000_000
    return least == most || offsets.0 < 0 && offsets.1 > 0
      ? "up to \(most) ms" : "\(least) to \(most) ms"
  }
}
