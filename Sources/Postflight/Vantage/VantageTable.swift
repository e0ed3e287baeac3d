internal import HTTPExchange

/// Tells vantage points apart by what they record, not by file: the rotations of one log, and the
/// logs of nodes of one kind, are one.
struct VantageTable {
  /// Vantage points that are told apart; all further ones count as one, which joins nothing.
  static let maximumCount = 32
  /// Sources of which it is remembered what was seen last.
  private static let maximumSources = 8192

  private enum Kind: Equatable {
    case capture
    case log([HeaderName: Fidelity])
  }

  private struct Source {
    var name: String
    var coverage: Coverage
    var vantage: Int
  }

  private var kinds: [Kind] = []
  private var last: Source?
  private var sources: Set<String> = []
  private var digests: Set<String> = []
  private var hasCopies = false

  /// Whether one exchange can have been seen twice without a request id that tells.
  var mayHoldCopies: Bool { kinds.count > 1 || hasCopies }

  /// The number of the vantage point from which an exchange was seen.
  mutating func vantage(of exchange: Exchange) -> Int {
    let coverage = Self.deciding(exchange)
    if let last, last.name == exchange.id.source {
      if last.coverage == coverage { return last.vantage }
    } else {
      note(exchange.id.source)
    }
    let vantage = number(of: coverage)
    last = Source(name: exchange.id.source, coverage: coverage, vantage: vantage)
    return vantage
  }

  /// What stands behind the `@` of a source.
  static func digest(_ source: String) -> Substring {
    guard let mark = source.utf8.lastIndex(of: UInt8(ascii: "@")) else { return source[...] }
    return source[source.utf8.index(after: mark)...]
  }

  private mutating func note(_ source: String) {
    guard sources.count < Self.maximumSources, sources.insert(source).inserted else { return }
    if !digests.insert(String(Self.digest(source))).inserted { hasCopies = true }
  }

  /// The half of an exchange that says what its source records; an answer may be missing.
  private static func deciding(_ exchange: Exchange) -> Coverage {
    if case .only = exchange.request.coverage { return exchange.request.coverage }
    if case .only = exchange.response.coverage { return exchange.response.coverage }
    return .complete
  }

  private mutating func number(of coverage: Coverage) -> Int {
    let kind: Kind = if case .only(let names) = coverage { .log(names) } else { .capture }
    if let known = kinds.firstIndex(of: kind) { return known }
    guard kinds.count < Self.maximumCount else { return kinds.count - 1 }
    kinds.append(kind)
    return kinds.count - 1
  }
}

/// Whether two vantage points see the same traffic: as far as both have been seeing any, at least
/// half of what one of them saw looks like something that the other saw at the same time.
struct OverlapTable {
  private struct Pair {
    var matched: UInt64 = 0
    /// What each had seen before the other began.
    var before: (UInt64, UInt64)
  }

  private var seen: [UInt64] = []
  private var pairs: [Int: Pair] = [:]

  /// Counts an exchange of a vantage point.
  mutating func see(_ vantage: Int) {
    while seen.count <= vantage {
      for other in seen.indices {
        pairs[Self.key(other, seen.count)] = Pair(before: (seen[other], 0))
      }
      seen.append(0)
    }
    seen[vantage] += 1
  }

  /// Counts two that look alike.
  mutating func match(_ left: Int, _ right: Int) {
    pairs[Self.key(min(left, right), max(left, right))]?.matched += 1
  }

  /// Whether both see the same traffic, as far as it has come.
  func isShared(_ left: Int, _ right: Int) -> Bool {
    let (first, second) = (min(left, right), max(left, right))
    guard let pair = pairs[Self.key(first, second)], second < seen.count else { return false }
    let least = min(seen[first] - pair.before.0, seen[second] - pair.before.1)
    return pair.matched * 2 >= least
  }

  private static func key(_ first: Int, _ second: Int) -> Int {
    first * VantageTable.maximumCount + second
  }
}
