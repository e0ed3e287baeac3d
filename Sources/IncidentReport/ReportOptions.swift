/// What a report is told beside the calls.
public struct ReportOptions: Hashable, Sendable {
  /// Whether `calls.ndjson` is written: every call, not only the blocked ones.
  public var writesCalls: Bool
  /// The most routes (origin, host and route together) that are told apart, 16 or more.
  ///
  /// When there are more, those with the fewest calls are added up in one row that says so.
  public var maximumRoutes: Int
  /// The most bytes of samples and keys that are held, beside a fixed cost per route.
  public var maximumSampleBytes: Int
  /// The most incidents that `report.html` shows in full; the CSV file has the calls of all.
  public var maximumShownIncidents: Int
  /// The most incidents that `summary.json` lists.
  public var maximumListedIncidents: Int

  /// The ordinary limits.
  public init(
    writesCalls: Bool = false, maximumRoutes: Int = 8192, maximumSampleBytes: Int = 64 << 20,
    maximumShownIncidents: Int = 100, maximumListedIncidents: Int = 1000
  ) {
    self.writesCalls = writesCalls
    self.maximumRoutes = max(16, maximumRoutes)
    self.maximumSampleBytes = max(1 << 16, maximumSampleBytes)
    self.maximumShownIncidents = max(1, maximumShownIncidents)
    self.maximumListedIncidents = max(1, maximumListedIncidents)
  }
}

/// Calls by verdict, for an exit status and a first look.
public struct ReportTotals: Hashable, Sendable {
  /// Calls that the page could read.
  public var allowed: UInt64 = 0
  /// Calls that it could not.
  public var blocked: UInt64 = 0
  /// Calls of which the evidence does not tell.
  public var undetermined: UInt64 = 0
  /// Calls that the evaluator says were blocked, and whose client went on.
  public var contradicted: UInt64 = 0
  /// Of the blocked calls, those that the server refused on purpose, as far as the traffic tells;
  /// known after ``ReportBuilder/finish(writing:)``.
  public var refused: UInt64 = 0
  /// Undetermined calls that were probably blocked; known after ``ReportBuilder/finish(writing:)``.
  public var likelyBlocked: UInt64 = 0
  /// Undetermined calls that were probably allowed; known after ``ReportBuilder/finish(writing:)``.
  public var likelyAllowed: UInt64 = 0
  /// Exchanges that no CORS verdict applies to.
  public var notCORS: UInt64 = 0
  /// Places where an input could not be read as it should.
  public var damages: UInt64 = 0

  /// No calls.
  public init() {}

  /// All calls.
  public var calls: UInt64 { allowed &+ blocked &+ undetermined &+ contradicted }
}

/// A file that a report consists of.
public enum ReportFile: String, CaseIterable, Hashable, Sendable {
  case html = "report.html"
  case blocked = "blocked.csv"
  case likelyBlocked = "likely-blocked.csv"
  case summary = "summary.json"
  /// Only when ``ReportOptions/writesCalls`` says so.
  case calls = "calls.ndjson"
}

/// Why a report could not be made.
public struct ReportError: Error, Equatable, CustomStringConvertible {
  /// In lower case, without a full stop.
  public var reason: String

  /// An error of that reason.
  public init(_ reason: String) {
    self.reason = reason
  }

  /// The reason.
  public var description: String { reason }
}
