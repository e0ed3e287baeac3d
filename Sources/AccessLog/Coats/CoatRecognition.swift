internal import Bytes

extension LogReader {
  /// The format that the first lines of an input have, and the coats around them.
  ///
  /// - Parameters:
  ///   - head: the first bytes, unpacked.
  ///   - choice: which formats there are to choose from. One that was named has to fit one line;
  ///     of several, the one that fits most lines is taken, and a format that nobody named has to
  ///     fit at least a quarter of them.
  /// - Returns: `nil` when none fits, as for text of another kind and for binary data.
  public static func recognizes(_ head: [UInt8], choice: FormatChoice) -> LogFormat? {
    if HARScanner.recognizes(head) {
      // A document has neither lines nor coats.
      switch choice {
      case .automatic: return .har
      case .format(let format):
        if case .document(.har) = format.rule { return format }
      case .candidates: break
      }
    }
    let shapes = ObjectScanner.shapes(of: head)
    // The last object of an array may look like a line of its own.
    if shapes == [.array] { return recognizes(head, in: .array, choice: choice) }
    if let format = recognizesLines(head, choice: choice) { return format }
    for shape in shapes {
      if let format = recognizes(head, in: shape, choice: choice) { return format }
    }
    return nil
  }

  /// The format that the lines of an input have, were it not that they tell no time, neither by
  /// themselves nor by a coat.
  public static func recognizesTimeless(_ head: [UInt8], choice: FormatChoice) -> LogFormat? {
    let texts = [head] + ObjectScanner.shapes(of: head).map { ObjectScanner.lines(of: head, $0) }
    for text in texts {
      if let format = recognizesUncoated(text, choice: choice, isStamped: true),
        !format.tellsTime
      {
        return format
      }
    }
    return nil
  }

  private static func recognizes(
    _ head: [UInt8], in shape: ObjectScanner.Shape, choice: FormatChoice
  ) -> LogFormat? {
    recognizesLines(ObjectScanner.lines(of: head, shape), choice: choice)?.arranged(as: shape)
  }

  private static func recognizesLines(_ head: [UInt8], choice: FormatChoice) -> LogFormat? {
    // Lines that fit as they stand what was asked for have no coat, whatever they look like.
    if case .automatic = choice {
    } else if let format = recognizesUncoated(head, choice: choice) {
      return format
    }
    if let (format, coats) = coated(head, choice) {
      return format.wearing(coats)
    }
    if case .automatic = choice { return recognizesUncoated(head, choice: choice) }
    return nil
  }

  /// The format of the lines under coats, when a head has any.
  private static func coated(
    _ head: [UInt8], _ choice: FormatChoice
  ) -> (format: LogFormat, coats: [LogCoat])? {
    var coats: [LogCoat] = []
    while coats.count < AccessLogLimits.coats,
      let coat = LogCoat.all.first(where: { CoatRemoval(head, coats + [$0], isTrial: true).fits })
    {
      coats.append(coat)
    }
    guard !coats.isEmpty else { return nil }
    // Each sender's lines are a log of their own; the one with most lines is asked first.
    let removal = CoatRemoval(head, coats)
    for text in removal.textsBySender {
      if let format = recognizesUncoated(text, choice: choice, isStamped: removal.isStamped) {
        return (format, coats)
      }
    }
    return nil
  }
}

/// The head of an input without some coats.
struct CoatRemoval {
  /// The lines of each sender, of the one with most lines first.
  let textsBySender: [[UInt8]]
  /// Whether most lines had all of the coats.
  let fits: Bool
  /// All lines, in the order of the file.
  let text: [UInt8]
  /// Whether most lines had a time from one of the coats.
  let isStamped: Bool

  /// - Parameter isTrial: whether a few lines are enough.
  init(_ head: [UInt8], _ coats: [LogCoat], isTrial: Bool = false) {
    let limit = isTrial ? AccessLogLimits.coatTrialLines : AccessLogLimits.recognitionLines
    var texts: [(text: [UInt8], lines: Int)] = []
    var all: [UInt8] = []
    var others = 0
    var undressed = 0
    var stamped = 0
    Self.forEachLine(of: head, coats) { line, content in
      if content.hasCoat {
        undressed += 1
        if case .none = content.stamp.form {} else { stamped += 1 }
      } else if !line.isEmpty, line[0] != UInt8(ascii: "#"), line[0] != UInt8(ascii: "-") {
        // Blank lines and what a tool says of itself stand between those with a coat.
        others += 1
      }
      while texts.count <= content.sender { texts.append(([], 0)) }
      texts[content.sender].text += Array(content.text) + [0x0A]
      texts[content.sender].lines += 1
      all += Array(content.text) + [0x0A]
      return undressed < limit && others < limit
    }
    text = all
    isStamped = stamped * 2 > undressed
    textsBySender = texts.enumerated().sorted {
      ($1.element.lines, $0.offset) < ($0.element.lines, $1.offset)
    }.map(\.element.text)
    fits = undressed > 3 * others
  }

  /// Gives the lines of a head, each as it stands and without its coats.
  ///
  /// - Parameter body: says whether to go on.
  static func forEachLine(
    of head: [UInt8], _ coats: [LogCoat], _ body: (ByteView, Undresser.Line) -> Bool
  ) {
    let undresser = Undresser(coats)
    var start = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    var hasLine = false
    head.withByteView { head in
      while start < head.count {
        let end = head.place(of: 0x0A, from: start)
        // The last line of a head is mostly cut.
        if end == head.count, hasLine { return }
        let line = head.part(start..<end)
        start = end + 1
        guard case .line(let content)? = undresser?.take(line, number: 1, offset: 0) else {
          continue
        }
        hasLine = hasLine || content.hasCoat
        if !body(line, content) { return }
      }
    }
  }
}
