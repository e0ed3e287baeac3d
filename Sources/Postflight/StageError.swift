/// Why a stage ends without a result.
public enum StageError: Error, Equatable {
  /// No input at all could be read: exit status 66.
  case noInput([String])
  /// A line is not what the stage reads: exit status 65.
  case notThatStage(path: String, line: UInt64, reason: String)
  /// An output cannot be created: exit status 73.
  case cannotCreate(path: String, reason: String)
  /// An output cannot be written: exit status 74.
  case cannotWrite(path: String, reason: String)
}

extension StageError: CustomStringConvertible {
  /// One line for the user: which file, where in it, what is wrong.
  public var description: String {
    switch self {
    case .noInput(let reasons): reasons.isEmpty ? "no input" : reasons.joined(separator: "\n")
    case .notThatStage(let path, let line, let reason):
      visible("\(path): line \(line): \(reason)")
    case .cannotCreate(let path, let reason): visible("\(path): cannot be created: \(reason)")
    case .cannotWrite(let path, let reason): visible("\(path): cannot be written: \(reason)")
    }
  }
}
