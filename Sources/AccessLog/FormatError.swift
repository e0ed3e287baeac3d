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
  ///
  /// A name that it quotes may hold a line end, which a pattern can write as `\n`: control characters
  /// are shown.
  public var description: String {
    let text = [
      file, line.map { "line \($0)" }, column.map { "column \($0)" }, reason,
    ].compactMap { $0 }.joined(separator: ": ")
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || scalar.value == 0x7F {
        shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      } else {
        shown.append(scalar)
      }
    }
    return String(shown)
  }
}
