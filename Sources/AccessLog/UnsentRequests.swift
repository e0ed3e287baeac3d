internal import HTTPExchange

/// Sorts out the entries of an archive for requests that the browser never sent, because their
/// preflight had failed: archives list them beside it, before or behind, without an answer.
struct UnsentRequests {
  /// Nanoseconds by which what is told by the millisecond may be off.
  private static let slack: Int64 = 2_000_000

  /// The URLs of the last preflights.
  private var preflighted: [RequestURL] = []
  /// Requests that failed without an answer, and may turn out not to have been sent.
  private var held: [(exchange: Exchange, number: UInt64)] = []

  /// Takes the exchange of the next entry.
  ///
  /// - Returns: exchanges that were made, and how many entries turned out to be none.
  mutating func take(
    _ exchange: Exchange, number: UInt64
  ) -> (given: [Exchange], unsent: UInt64) {
    let limit = UInt64(AccessLogLimits.layouts)
    var given: [Exchange] = []
    while let first = held.first, number - first.number > limit {
      given.append(held.removeFirst().exchange)
    }
    if exchange.method == "OPTIONS" {
      if preflighted.count >= AccessLogLimits.layouts { preflighted.removeFirst() }
      preflighted.append(exchange.url)
      let before = held.count
      held.removeAll { Self.isPreflight(exchange, of: $0.exchange) }
      return (given + [exchange], UInt64(before - held.count))
    }
    guard exchange.observed == .failed, exchange.status == nil else {
      return (given + [exchange], 0)
    }
    if preflighted.contains(exchange.url) { return (given, 1) }
    held.append((exchange, number))
    return (given, 0)
  }

  /// The requests that failed by themselves, at the end.
  mutating func finish() -> [Exchange] {
    defer { held = [] }
    return held.map(\.exchange)
  }

  /// Whether a preflight was sent while a request waited.
  private static func isPreflight(_ preflight: Exchange, of request: Exchange) -> Bool {
    guard preflight.url == request.url, let start = preflight.startedAt,
      let first = request.startedAt, let last = request.endedAt
    else { return false }
    return start >= first.advanced(by: 0 &- slack) && start <= last.advanced(by: slack)
  }
}
