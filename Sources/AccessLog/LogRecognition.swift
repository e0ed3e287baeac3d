internal import Bytes
public import HTTPExchange

extension LogFormat {
  /// The formats of lines that are known without being named.
  fileprivate static let ofLines = all.filter { format in
    if case .document = format.rule { false } else { format.isRecognizedAlone }
  }
}

extension LogReader {
  /// The format that the first lines of an input have as they stand; see
  /// ``recognizes(_:choice:)``.
  ///
  /// - Parameters:
  ///   - isStamped: whether a coat tells the time of lines that do not tell it.
  ///   - before: the format that the lines before had, when one is looked for that reads the first
  ///     line; a few lines are then enough.
  static func recognizesUncoated(
    _ head: [UInt8], choice: FormatChoice, isStamped: Bool = false,
    after before: LogFormat? = nil
  ) -> LogFormat? {
    let lines = headLines(head)
    guard !lines.isEmpty else { return nil }
    if let before {
      var formats = LogFormat.ofLines
      if case .candidates(let candidates) = choice { formats = candidates }
      return best(
        formats.filter { $0.name != before.name }, for: lines, in: head,
        least: min(2, lines.count), isStamped: isStamped, readingFirst: true)
    }
    switch choice {
    case .format(let format):
      return best([format], for: lines, in: head, least: 1, isStamped: isStamped)
    case .candidates(let formats):
      return best(formats, for: lines, in: head, least: 1, isStamped: isStamped)
    case .automatic:
      let own = lines.count { head[$0.lowerBound] != UInt8(ascii: "#") }
      let least = max(1, own / AccessLogLimits.recognitionShare)
      return best(LogFormat.ofLines, for: lines, in: head, least: least, isStamped: isStamped)
    }
  }

  /// The time of the first line that has one, for opening several logs in the order of their
  /// beginning.
  ///
  /// - Parameter writtenBy: when the log was written last, in seconds since the epoch: a stamp without
  ///   a year is of the last one that is not behind it.
  public static func firstTime(
    in head: [UInt8], format: LogFormat, options: IngestOptions, writtenBy: Int64
  ) -> EventTime? {
    var options = options
    options.keepsAll = true
    var interpreter = LineInterpreter(
      format: format, options: options, isForFewLines: true, writtenBy: writtenBy)
    var exchanges: [Exchange] = []
    if case .document(.har) = format.rule {
      var scanner = HARScanner()
      head.withByteView { bytes in
        scanner.take(bytes) { entry, number in
          guard exchanges.isEmpty else { return }
          _ = interpreter.read(
            entry, entry.count, source: "", number: number, keepsAll: true, into: &exchanges)
        }
      }
      return exchanges.first?.time
    }
    let head = format.shape.map { ObjectScanner.lines(of: head, $0) } ?? head
    if !format.coats.isEmpty {
      CoatRemoval.forEachLine(of: head, format.coats) { _, line in
        interpreter.use(line.stamp)
        _ = interpreter.read(
          line.text, line.text.count, source: "", number: 1, keepsAll: true, into: &exchanges)
        return exchanges.isEmpty
      }
      return exchanges.first?.time
    }
    for range in headLines(head) {
      _ = read(head, range, &interpreter, &exchanges)
      if let exchange = exchanges.first { return exchange.time }
    }
    return nil
  }

  /// What the lines of an input do not tell that a request needs, where they are JSON objects: of
  /// `time`, `method`, `url` and `status`; `nil` where they are none.
  public static func missingMembers(in head: [UInt8]) -> [String]? {
    let shape = ObjectScanner.shapes(of: head).first
    for text in [head] + (shape.map { [ObjectScanner.lines(of: head, $0)] } ?? []) {
      guard let line = headLines(text).first else { continue }
      let missing = text.withByteView { bytes in
        LayoutLearner(.json).missingParts(bytes.part(line), line.count)
      }
      if let missing { return missing }
    }
    return nil
  }

  private static func read(
    _ head: [UInt8], _ range: Range<Int>, _ interpreter: inout LineInterpreter,
    _ exchanges: inout [Exchange]
  ) -> LineInterpreter.Outcome {
    head.withByteView { buffer in
      interpreter.read(
        buffer.part(range), range.count, source: "", number: 1, keepsAll: true,
        into: &exchanges)
    }
  }

  /// Of formats that fit at least half as many lines as any other, one whose lines cannot be mistaken
  /// wins, then the one that fits most lines, then that with most fields, then the first.
  private static func best(
    _ formats: [LogFormat], for lines: [Range<Int>], in head: [UInt8], least: Int,
    isStamped: Bool, readingFirst: Bool = false
  ) -> LogFormat? {
    var fitting: [(format: LogFormat, lines: Int, fields: Int)] = []
    for format in formats {
      var options = IngestOptions()
      options.keepsAll = true
      var interpreter = LineInterpreter(
        format: format, options: options, isForFewLines: true)
      if isStamped { interpreter.use(.promised) }
      var exchanges: [Exchange] = []
      for (number, range) in lines.enumerated() {
        let outcome = read(head, range, &interpreter, &exchanges)
        if readingFirst, number == 0, !outcome.isLine { break }
      }
      let count = Int(interpreter.counts.used &+ interpreter.counts.withoutRequest)
      guard count > 0, count + Int(interpreter.counts.otherMessages) >= least else { continue }
      fitting.append(
        (interpreter.fitted(format), count, interpreter.layout?.count ?? 0))
    }
    let most = fitting.map(\.lines).max() ?? 0
    var best: (format: LogFormat, lines: Int, fields: Int)?
    for candidate in fitting where candidate.lines * 2 >= most {
      if let best,
        (candidate.format.rank.rawValue, candidate.lines, candidate.fields)
          <= (best.format.rank.rawValue, best.lines, best.fields)
      {
        continue
      }
      best = candidate
    }
    return best?.format
  }

  /// The whole lines at the start that are not blank, up to a number.
  private static func headLines(_ head: [UInt8]) -> [Range<Int>] {
    var lines: [Range<Int>] = []
    var start = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    while start < head.count, lines.count < AccessLogLimits.recognitionLines {
      let newline = head[start...].firstIndex(of: 0x0A)
      // The last line of a head is cut, unless the input is one line.
      if newline == nil, !lines.isEmpty, head.count >= headLimit { break }
      var end = newline ?? head.count
      let next = end + 1
      if end > start, head[end - 1] == 0x0D { end -= 1 }
      if end > start { lines.append(start..<end) }
      start = next
    }
    return lines
  }

  static let headLimit = 64 * 1024
}
