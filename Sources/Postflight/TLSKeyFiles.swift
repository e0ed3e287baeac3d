internal import InputBytes
internal import PacketCapture

/// The TLS key logs that the user names.
struct TLSKeyFiles {
  private(set) var log = TLSKeyLog()
  /// What is wrong with files that could be read.
  private(set) var problems: [InputProblem] = []
  /// Secrets that are known.
  var secretCount: Int { log.count }

  /// No files.
  init() {}

  /// Reads key logs.
  ///
  /// - Throws: ``StageError/noInput(_:)`` for one that cannot be opened or read: without it a run
  ///   would say of decrypted traffic that it was closed.
  init(_ paths: [String]) throws(StageError) {
    for path in paths {
      let malformed = log.malformedLines
      let refused = log.refusedLines
      let count = log.count
      do throws(InputError) {
        try log.add(path: path)
      } catch {
        throw .noInput(["\(path): \(error.reason)"])
      }
      let lines = log.malformedLines - malformed
      if log.count == count, lines > 0 {
        note(path, "is no TLS key log", isNamed: true)
      } else if lines > 0 {
        note(
          path,
          lines == 1
            ? "1 line is none of a TLS key log" : "\(lines) lines are none of a TLS key log",
          isNamed: false)
      }
      if log.refusedLines > refused {
        note(
          path, "only \(TLSKeyLog.maximumSecrets) secrets of TLS key logs are used", isNamed: true)
      }
    }
  }

  private mutating func note(_ path: String, _ reason: String, isNamed: Bool) {
    problems.append(InputProblem(path: path, reason: reason, isNamed: isNamed))
  }
}
