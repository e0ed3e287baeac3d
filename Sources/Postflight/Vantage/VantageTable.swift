internal import HTTPExchange

/// Tells vantage points apart by what they record, not by file: the rotations of one log, and the
/// logs of nodes of one kind, are one.
///
/// What came through a proxy, which named the client, was seen
/// behind what came without one.
struct VantageTable {
  /// Vantage points that are told apart; all further ones count as one, which joins nothing.
  static let maximumCount = 32

  private enum Kind: Equatable {
    case capture
    case log([HeaderName: Fidelity], isForwarded: Bool)
  }

  private struct Source {
    var name: String
    var coverage: Coverage
    var isForwarded: Bool
    var vantage: Int
  }

  private var kinds: [Kind] = []
  private var last: Source?
  /// Two of those that were seen.
  private var sources: Set<String> = []

  /// Whether one exchange can have been seen twice without a request id that tells.
  var mayHoldCopies: Bool { sources.count > 1 }

  /// The number of the vantage point from which an exchange was seen.
  mutating func vantage(of exchange: Exchange) -> Int {
    let coverage = Self.deciding(exchange)
    let isForwarded = exchange.forwardedFor != nil
    if let last, last.name == exchange.id.source {
      if last.isForwarded == isForwarded, last.coverage == coverage { return last.vantage }
    } else if sources.count < 2 {
      sources.insert(exchange.id.source)
    }
    let vantage = number(of: coverage, isForwarded)
    last = Source(
      name: exchange.id.source, coverage: coverage, isForwarded: isForwarded, vantage: vantage)
    return vantage
  }

  /// The half of an exchange that says what its source records; an answer may be missing.
  private static func deciding(_ exchange: Exchange) -> Coverage {
    if case .only = exchange.request.coverage { return exchange.request.coverage }
    if case .only = exchange.response.coverage { return exchange.response.coverage }
    return .complete
  }

  private mutating func number(of coverage: Coverage, _ isForwarded: Bool) -> Int {
    let kind: Kind =
      if case .only(let names) = coverage { .log(names, isForwarded: isForwarded) } else {
        .capture
      }
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
