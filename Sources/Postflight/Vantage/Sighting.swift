internal import HTTPExchange

/// When two records are of one exchange.
enum Sighting {
  /// By what two records are known to be of one exchange.
  enum Rule {
    /// The same line of two copies of one file.
    case copy
    /// They share a request id.
    case request
    /// Everything that both record is equal, and their times agree.
    ///
    /// Enough only where the vantage points see the same traffic: see ``OverlapTable``.
    case likeness
  }

  struct Match {
    var rule: Rule
    /// Nanoseconds between their times.
    var distance: Int64
  }

  /// Nanoseconds by which the times of two records that share a request id may differ beyond their
  /// resolutions: the clocks of two machines, and what a hop takes.
  static let skew: Int64 = 5_000_000_000
  /// The same for records that only look alike.
  static let closeness: Int64 = 250_000_000
  /// Vantage points of one exchange.
  static let maximumHops = 8

  /// How two records are known to be of one exchange; `nil` when they are not, or may not be.
  ///
  /// - Parameter isOneVantage: whether both are of a kind that one vantage point writes.
  static func match(_ left: Exchange, _ right: Exchange, isOneVantage: Bool) -> Match? {
    guard left.method == right.method, left.url.target == right.url.target,
      agree(left.status, right.status), agree(left.userAgent, right.userAgent),
      agree(.origin, left, right), agree(.accessControlRequestMethod, left, right)
    else { return nil }
    let distance = distance(left, right)
    let step = max(left.resolution.nanoseconds, right.resolution.nanoseconds)
    if isCopy(left, right) { return Match(rule: .copy, distance: distance) }
    let isOneSource = left.id.source == right.id.source
    let isOneHop = left.client == right.client
    if let id = left.requestID, !id.isEmpty, id == right.requestID {
      guard distance <= skew + step else { return nil }
      // One id for several calls of a page is known too: from one place, equal calls are several.
      let isOnePlace = isOneHop && (isOneVantage || isOneSource)
      guard isOnePlace else { return Match(rule: .request, distance: distance) }
      let isOneStamp =
        !isOneSource && distance == 0 && left.endedAt == right.endedAt && step < 1_000_000_000
      return isOneStamp ? Match(rule: .request, distance: distance) : nil
    }
    guard !isOneVantage, !isOneSource, distance <= closeness + step, wereSeen(left, right),
      isOneClient(left, right), agree(left.url.host, right.url.host)
    else { return nil }
    if isOneHop {
      // One server gives a request one id, and has one port.
      guard agree(left.requestID, right.requestID),
        left.url.scheme != right.url.scheme || agree(left.url.port, right.url.port)
      else { return nil }
    }
    return Match(rule: .likeness, distance: distance)
  }

  /// Nanoseconds from one record to another that looks like it, from whatever it comes; `nil` when they
  /// do not look alike.
  ///
  /// - Parameter ofOtherClients: whether they are to differ in the client, as where one of them has the
  ///   address of a proxy in its place.
  static func offset(
    from left: Exchange, to right: Exchange, ofOtherClients: Bool = false
  ) -> Int64? {
    guard left.id.source != right.id.source, left.method == right.method,
      left.url.target == right.url.target, agree(left.status, right.status),
      agree(left.userAgent, right.userAgent), isOneClient(left, right) != ofOtherClients,
      wereSeen(left, right), agree(left.requestID, right.requestID)
    else { return nil }
    let step = max(left.resolution.nanoseconds, right.resolution.nanoseconds)
    let (offset, overflow) = right.time.nanoseconds
      .subtractingReportingOverflow(left.time.nanoseconds)
    guard !overflow, offset.magnitude <= UInt64(TwinTable.skew + step) else { return nil }
    return offset
  }

  /// More for a record from which more can be judged.
  static func fullness(_ exchange: Exchange) -> Int {
    func fullness(_ message: MessageEvidence) -> Int {
      switch message.coverage {
      case .complete: 200
      case .only(let names): 2 * names.count
      case .truncated: message.fields.count
      }
    }
    // A request without its answer decides little; of equals, the one at the browser's edge counts.
    return 2 * fullness(exchange.request) + 3 * fullness(exchange.response)
      + (exchange.status == nil ? 0 : 400) + 2 * exchange.url.known.count
      + (exchange.forwardedFor == nil ? 1 : 0)
  }

  // MARK: Parts

  /// Whether both are the same line of two files with one beginning: copies under two names, or in two
  /// places, one of which may have been made when less was written.
  private static func isCopy(_ left: Exchange, _ right: Exchange) -> Bool {
    guard left.id.number == right.id.number, left.id.ordinal == right.id.ordinal,
      left.id.source != right.id.source
    else { return false }
    var copy = right
    copy.id = left.id
    return copy == left
  }

  private static func agree<Value: Equatable>(_ left: Value?, _ right: Value?) -> Bool {
    guard let left, let right else { return true }
    return left == right
  }

  private static func agree(_ name: HeaderName, _ left: Exchange, _ right: Exchange) -> Bool {
    guard left.request.records(name), right.request.records(name) else { return true }
    return left.request.first(name) == right.request.first(name)
  }

  /// Whether anything was seen of both requests: an unread one agrees with everything.
  private static func wereSeen(_ left: Exchange, _ right: Exchange) -> Bool {
    for exchange in [left, right] {
      if case .truncated = exchange.request.coverage, exchange.request.fields.isEmpty {
        return false
      }
    }
    return true
  }

  /// Whether both name the same client: as the peer, or as one that was forwarded.
  private static func isOneClient(_ left: Exchange, _ right: Exchange) -> Bool {
    switch (left.forwardedFor, right.forwardedFor) {
    case (let first?, let second?): first == second
    case (let first?, nil): first == right.client || left.client == right.client
    case (nil, let second?): second == left.client || left.client == right.client
    case (nil, nil): left.client == right.client
    }
  }

  /// Nanoseconds between the starts, where both are known; else between the ends; else between what
  /// there is.
  private static func distance(_ left: Exchange, _ right: Exchange) -> Int64 {
    let (first, second) =
      if let first = left.startedAt, let second = right.startedAt {
        (first, second)
      } else if let first = left.endedAt, let second = right.endedAt {
        (first, second)
      } else {
        (left.time, right.time)
      }
    let (difference, overflow) = first.nanoseconds.subtractingReportingOverflow(second.nanoseconds)
    return overflow || difference == .min ? .max / 2 : min(abs(difference), .max / 2)
  }
}
