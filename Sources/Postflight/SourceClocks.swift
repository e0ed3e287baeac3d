internal import HTTPExchange

/// Which sources run side by side, so that their clocks may differ.
///
/// The files of one log follow each other and have one clock; those of several nodes overlap.
struct SourceClocks {
  private struct Span {
    var first: EventTime
    var last: EventTime
  }

  /// Sources that are told apart; what further ones log is not looked at across clocks.
  private static let maximumSources = 65_536

  /// Nanoseconds by which the lines of one log may stand in the wrong order at the edges of its files.
  private static let disorder: Int64 = 1_000_000_000

  private var places: [String: Int] = [:]
  private var spans: [Span] = []
  /// Whether any two sources were seen to run side by side.
  private var hasNodes = false
  private var lastSource = ""
  private var lastPlace = -1

  /// Whether there is more than one source, or may be as far as can be known yet.
  func mayDiffer(at time: EventTime) -> Bool {
    spans.count > 1
      || spans.first.map { time < $0.first.advanced(by: PairingLimits.clockSkew) } ?? true
  }

  /// Notes when a source was heard of.
  mutating func see(_ exchange: Exchange) {
    let source = exchange.id.source
    if lastPlace < 0 || source != lastSource {
      guard let place = places[source] ?? added(source, exchange.time) else { return }
      // One that goes on after another began is no earlier file of the same log.
      if !hasNodes, lastPlace >= 0,
        spans[place].first < spans[lastPlace].first,
        spans[lastPlace].first.advanced(by: Self.disorder) < exchange.time
      {
        hasNodes = true
      }
      lastSource = source
      lastPlace = place
    }
    // Exchanges come in the order of time, but for late ones.
    if exchange.time > spans[lastPlace].last { spans[lastPlace].last = exchange.time }
  }

  private mutating func added(_ source: String, _ time: EventTime) -> Int? {
    guard spans.count < Self.maximumSources else { return nil }
    spans.append(Span(first: time, last: time))
    places[source] = spans.count - 1
    return spans.count - 1
  }

  /// Nanoseconds by which a request begins before its preflight has ended.
  ///
  /// - Returns: `nil` when it does not, when it is more than ``PairingLimits/clockSkew``, and when
  ///   both are of one clock, as far as that can be told: of one source, or of two that follow each
  ///   other where no sources run side by side.
  func gap(from request: Exchange, to preflight: Exchange) -> Int64? {
    let (end, start) = (preflight.endInterval.lowerBound, request.startInterval.upperBound)
    let (gap, overflow) = end.nanoseconds.subtractingReportingOverflow(start.nanoseconds)
    guard !overflow, gap > 0, gap <= PairingLimits.clockSkew,
      request.id.source != preflight.id.source,
      let first = places[request.id.source], let second = places[preflight.id.source],
      // Of a node that logs little, nothing else may have been heard yet.
      hasNodes || spans[first].last >= preflight.time.advanced(by: Self.disorder)
        || spans[second].first <= request.time.advanced(by: -Self.disorder)
    else { return nil }
    return gap
  }
}
