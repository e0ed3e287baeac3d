/// Some exchanges of one source, and how far the source has come.
public struct ExchangeBatch: Sendable {
  /// In the order in which they were found, which need not be the order of time.
  public var exchanges: [Exchange]
  /// No later batch holds an exchange whose ``Exchange/time`` is before this.
  ///
  /// A source that cannot promise it (a log, whose lines are written when a request ends) gives the
  /// latest time that it has seen less ``reorderWindow``; what comes later still is counted by the
  /// merge.
  public var watermark: EventTime

  /// The time by which lines of one log may stand in the wrong order: 60 s.
  public static let reorderWindow: Int64 = 60_000_000_000

  /// A batch of those exchanges.
  public init(exchanges: [Exchange], watermark: EventTime) {
    self.exchanges = exchanges
    self.watermark = watermark
  }
}

/// What a user may say about every input.
public struct IngestOptions: Hashable, Sendable {
  /// Whether exchanges that CORS cannot concern are kept as well.
  public var keepsAll = false
  /// Whether scheme, host and client are taken from forwarding headers.
  public var trustsForwarded = false
  /// Seconds east of UTC for time stamps that name no zone.
  public var secondsFromUTC = 0

  /// Keeps what CORS could concern, trusts no forwarding header, and reads stamps as UTC.
  public init() {}
}
