internal import Bytes
internal import HTTPExchange

/// Notices that a log goes on in another format: a deployment changed it, or two servers write it.
struct FormatChanges {
  /// What became of a line that is none of the current format.
  enum Outcome {
    /// It is a line of another format that had lines before.
    case known(LineInterpreter.Outcome)
    /// It is the first line of a format, which is the current one now; `isFirst` when no line of any
    /// format stood before it.
    case new(LineInterpreter.Outcome, LogFormat, isFirst: Bool)
    /// It is of none.
    case none
  }

  private let choice: FormatChoice
  private let options: IngestOptions
  private let writtenBy: Int64
  /// Formats that lines had before, the last one first.
  private(set) var others: [(format: LogFormat, interpreter: LineInterpreter, hasLines: Bool)] = []
  /// The format of the last line.
  private(set) var current: LogFormat
  /// The line from which on looking for another format is worth its price again.
  private var nextAttempt: UInt64 = 0
  private var step: UInt64 = 1

  /// - Parameters:
  ///   - choice: where another format may come from; a format that was named is the only one.
  ///   - writtenBy: when the log was written last, in seconds since the epoch.
  init(
    _ format: LogFormat, _ choice: FormatChoice, _ options: IngestOptions, writtenBy: Int64
  ) {
    current = format
    self.writtenBy = writtenBy
    self.choice = choice
    self.options = options
  }

  /// Whether there can be another format at all.
  var isPossible: Bool {
    if case .format = choice { false } else { true }
  }

  /// Reads a line that the current interpreter could not.
  ///
  /// - Parameters:
  ///   - ahead: the bytes of the input from that line on, as far as they are at hand.
  ///   - stamp: the time that its coat tells.
  ///   - interpreter: the current one; the one that read the line afterwards.
  mutating func read(
    _ base: ByteView, _ end: Int, ahead: ByteView, stamp: CoatStamp, source: String,
    number: UInt64, _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) -> Outcome {
    for index in others.indices {
      others[index].interpreter.use(stamp)
      let outcome = others[index].interpreter.read(
        base, end, source: source, number: number, keepsAll: options.keepsAll, into: &exchanges)
      guard outcome.isLine else { continue }
      // What the head of the input was recognised by may begin further down only.
      let isNew = !others[index].hasLines
      others[index].hasLines = true
      swap(&interpreter, &others[index].interpreter)
      swap(&current, &others[index].format)
      return isNew ? .new(outcome, current, isFirst: false) : .known(outcome)
    }
    guard number >= nextAttempt, others.count < AccessLogLimits.formatsOfOneLog else {
      return .none
    }
    // Garbage in any amount costs a few attempts only.
    nextAttempt = number &+ step
    step = min(step &* 2, 1 << 20)
    let text = Array(ahead.prefix(LogReader.headLimit))
    let removal = current.coats.isEmpty ? nil : CoatRemoval(text, current.coats)
    guard
      let found = LogReader.recognizesUncoated(
        removal?.text ?? text, choice: choice, isStamped: removal?.isStamped ?? false,
        after: current)
    else { return .none }
    let format = found.wearing(current.coats)
    var new = LineInterpreter(format: format, options: options, writtenBy: writtenBy)
    new.use(stamp)
    let outcome = new.read(
      base, end, source: source, number: number, keepsAll: options.keepsAll, into: &exchanges)
    guard outcome.isLine else { return .none }
    let isFirst = others.isEmpty && !interpreter.hasLines
    others.insert((current, interpreter, !isFirst), at: 0)
    current = format
    interpreter = new
    step = 1
    return .new(outcome, format, isFirst: isFirst)
  }
}
