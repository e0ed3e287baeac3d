/// What is wrong with a log format that a user gave, and where.
public struct FormatError: Error, Equatable, CustomStringConvertible {
  /// The configuration file; `nil` for a format given on the command line.
  public var file: String?
  /// The line in the configuration file, from 1.
  public var line: Int?
  /// The column in the pattern, from 1.
  public var column: Int?
  /// In lower case, without a full stop.
  public var reason: String

  /// An error of those parts.
  public init(_ reason: String, file: String? = nil, line: Int? = nil, column: Int? = nil) {
    self.reason = reason
    self.file = file
    self.line = line
    self.column = column
  }

  /// One line: `nginx.conf: line 12: column 7: …`.
  public var description: String {
    [
      file, line.map { "line \($0)" }, column.map { "column \($0)" }, reason,
    ].compactMap { $0 }.joined(separator: ": ")
  }
}
