internal import Bytes
internal import HTTPExchange

/// Turns one line after another into exchanges, and remembers what it learned of their layout.
struct LineInterpreter {
  /// What became of a line.
  enum Outcome {
    /// It was an exchange, kept or passed over.
    case used
    /// It holds no request, which is no damage.
    case skipped(String)
    /// It should have been one.
    case unreadable(String)

    /// Whether the line is of the format, with or without a request.
    var isLine: Bool {
      switch self {
      case .used, .skipped("no-request"), .skipped("header-line"): true
      case .skipped, .unreadable: false
      }
    }
  }

  /// Counts of the lines that were exchanges.
  struct Counts {
    var used: UInt64 = 0
    var passedOver: UInt64 = 0
    /// Lines of the format that hold no request.
    var withoutRequest: UInt64 = 0
    /// Lines of the same server that are of another kind.
    var otherMessages: UInt64 = 0
  }

  private(set) var counts = Counts()
  /// Whether any line was one of the format.
  var hasLines: Bool { counts.used > 0 || counts.withoutRequest > 0 }
  /// The span of the stamps.
  private(set) var earliest: EventTime?
  private(set) var latest: EventTime?
  /// How far the lines have come, a single stamp far ahead set aside.
  private(set) var progress = SourceProgress()
  /// The layout of the last line that fitted one.
  private(set) var layout: LineLayout?

  private let learner: LayoutLearner?
  private var header: HeaderRule?
  /// Whether lines that are JSON but say something else stand between those of the format.
  private let hasOtherMessages: Bool
  private var learned: [LineLayout] = []
  private var builder: ExchangeBuilder
  /// The place for the ranges of one line, reused for all.
  private let fields: FixedTable<FieldRange>
  private var first = Int64.max
  private var last = Int64.min

  /// Begins with what is known of a format.
  ///
  /// - Parameters:
  ///   - isForFewLines: whether only the head of an input is looked at.
  ///   - writtenBy: when the log was written last, in seconds since the epoch: the year of a coat's
  ///     stamp that names none.
  init(
    format: LogFormat, options: IngestOptions, isForFewLines: Bool = false, writtenBy: Int64 = 0
  ) {
    let escaping: Escaping
    var learner: LayoutLearner?
    var header: HeaderRule?
    switch format.rule {
    case .layout(let layout):
      self.layout = layout
      escaping = layout.escaping
    case .layouts(let layouts):
      layout = layouts.first
      learned = layouts
      escaping = layouts.first?.escaping ?? .anyText
    case .learned(let rule, let first):
      layout = first
      learner = rule
      if let first { learned.append(first) }
      escaping = rule.escaping
    case .headed(let rule, let first):
      layout = first.first
      header = rule
      learned = first
      escaping = rule.escaping
    case .document(.har):
      layout = LogFormat.harEntry.layout
      escaping = .json
    }
    self.learner = learner
    self.header = header
    builder = ExchangeBuilder(
      options: options, escaping: escaping, isForFewLines: isForFewLines, writtenBy: writtenBy)
    hasOtherMessages = format.hasOtherMessages
    fields = FixedTable(
      repeating: FieldRange(start: 0, end: -1), count: AccessLogLimits.fields + 8)
    builder.families = format.families
  }

  /// The header fields that the lines told, with their fidelity; `nil` before the first line of a
  /// format whose lines say it themselves.
  var recordedFields: [HeaderName: Fidelity]? {
    guard let layout else { return nil }
    var fields: [HeaderName: Fidelity] = [:]
    func add(_ coverage: Coverage) {
      if case .only(let names) = coverage { fields.merge(names) { $0.union($1) } }
    }
    let roles = layout.roles
    if roles.requestBlock >= 0, roles.requestShape.isWhole, builder.sawRequestBlock {
      for name in HeaderName.known where name.isKeptInRequests { fields[name] = .exact }
      if builder.hidesOrigin { fields[.origin] = nil }
    }
    if roles.responseBlock >= 0, roles.responseShape.isWhole, builder.sawResponseBlock {
      for name in HeaderName.known where name.isKeptInResponses {
        fields[name] = roles.responseShape.repeats.fidelity
      }
    }
    if layout.family < 0 || families[layout.family].isExplicit {
      if roles.requestBlock < 0 { add(roles.requestCoverage) }
      if roles.responseBlock < 0 { add(roles.responseCoverage) }
    } else {
      add(families[layout.family].requestCoverage)
      add(families[layout.family].responseCoverage)
    }
    return fields
  }

  /// Exchanges of lines without a time, which have that of their coat.
  var stampedByCoat: UInt64 { builder.stampedByCoat }

  /// Those of them whose stamp names no year.
  var stampedWithoutYear: UInt64 { builder.stampedWithoutYear }

  /// When the log was written last, in seconds since the epoch.
  var writtenBy: Int64 { builder.writtenBy }

  /// Takes what the coat of the next line says of its time.
  mutating func use(_ stamp: CoatStamp) { builder.coatStamp = stamp }

  /// What was learned of lines that leave out what is not there.
  var families: [FieldFamily] { builder.families }

  /// The layouts that lines of the input had, the last one first.
  var layouts: [LineLayout] { learned.isEmpty ? layout.map { [$0] } ?? [] : learned }

  /// A format as far as the lines that were read tell more of it.
  func fitted(_ format: LogFormat) -> LogFormat {
    switch format.rule {
    case .learned(let learner, nil):
      format.fitted(.learned(learner, first: layout), families: families)
    case .layouts:
      // The one that fitted last stands first, for what is said of the format.
      format.fitted(
        .layouts(learned.filter { $0 === layout } + learned.filter { $0 !== layout }),
        families: families)
    default: format.fitted(format.rule, families: families)
    }
  }

  /// Reads a line without its end.
  mutating func read(
    _ base: ByteView, _ end: Int, source: String, number: UInt64, keepsAll: Bool,
    into exchanges: inout [Exchange]
  ) -> Outcome {
    guard end > 0 else { return .skipped("blank-line") }
    if header != nil, let outcome = readHeader(base, end) { return outcome }
    if let layout {
      let outcome = read(
        base, end, layout, source: source, number: number, keepsAll: keepsAll, into: &exchanges)
      if let outcome { return outcome }
    }
    // Lines of a few layouts in turn are common: members without a value may be left out.
    for index in learned.indices where learned[index] !== layout {
      let other = learned[index]
      if let outcome = read(
        base, end, other, source: source, number: number, keepsAll: keepsAll, into: &exchanges)
      {
        layout = other
        learned.swapAt(index, index / 2)
        return outcome
      }
    }
    if base[0] == UInt8(ascii: "#") { return .skipped("comment-line") }
    if isBlank(base, end) { return .skipped("blank-line") }
    if hasOtherMessages, JSONScan.members(base, end) != nil {
      counts.otherMessages &+= 1
      return .skipped("other-message")
    }
    var isStamped = true
    if case .none = builder.coatStamp.form { isStamped = false }
    guard let learner,
      let new = learner.learn(base, end, isFirst: learned.isEmpty, isStamped: isStamped)
    else {
      return .unreadable("unreadable-line")
    }
    if learner.infersAbsence { new.family = family(of: new) }
    // A new layout is remembered as long as there is room.
    if learned.count < AccessLogLimits.layouts,
      !learned.contains(where: { $0.signature == new.signature })
    {
      learned.append(new)
    }
    layout = new
    return read(
      base, end, new, source: source, number: number, keepsAll: keepsAll, into: &exchanges)
      ?? .unreadable("unreadable-line")
  }

  /// Reads a line that says how the next ones are made; `nil` when it is none.
  private mutating func readHeader(_ base: ByteView, _ end: Int) -> Outcome? {
    switch header?.read(base, end, isFirst: learned.isEmpty) {
    case .none, .line: return nil
    case .remark: return .skipped("comment-line")
    case .layouts(let layouts):
      learned = layouts
      layout = layouts.first
      if let layout { builder.use(layout.escaping) }
      return .skipped("header-line")
    }
  }

  /// The number of the family of a layout.
  private mutating func family(of layout: LineLayout) -> Int {
    let key = layout.familyKey
    if let known = builder.families.firstIndex(where: { $0.key == key }) { return known }
    // Without a family of its own, what a line does not name is not recorded.
    guard builder.families.count < AccessLogLimits.layouts else { return -1 }
    builder.families.append(FieldFamily(key: key))
    return builder.families.count - 1
  }

  private func isBlank(_ base: ByteView, _ end: Int) -> Bool {
    for index in 0..<end where base[index] != 0x20 && base[index] != 0x09 { return false }
    return true
  }

  /// Reads a line of a layout; `nil` when it does not fit.
  private mutating func read(
    _ base: ByteView, _ end: Int, _ layout: LineLayout, source: String,
    number: UInt64, keepsAll: Bool, into exchanges: inout [Exchange]
  ) -> Outcome? {
    let line = Line(base: base, end: end, layout: layout, fields: fields)
    let count = layout.count
    let decisive = min(layout.roles.decisive, count &- 1)
    var position = layout.split(base, end, at: 0, wanted: 0..<decisive &+ 1, into: fields)
    guard position >= 0 else { return nil }
    let status = ExchangeBuilder.status(line)
    guard status >= 0 else { return nil }
    if !keepsAll, builder.showsNoOrigin(line), !ExchangeBuilder.isOptions(line),
      !ExchangeBuilder.isRedirect(status), !Self.mayBeRefusedUnread(status),
      let early = layout.roles.early
    {
      let reading = builder.time(line, early.field, early.form)
      guard reading.resolution > 0, layout.endsAsLine(base, end) else { return nil }
      see(reading.nanoseconds)
      counts.used &+= 1
      counts.passedOver &+= 1
      return .used
    }
    if decisive &+ 1 < count {
      position = layout.split(
        base, end, at: position, wanted: decisive &+ 1..<count, into: fields)
      guard position >= 0 else { return nil }
    }
    if layout.escaping.isUnescaped, !layout.isUnambiguous(base, end, fields) {
      return .unreadable("ambiguous-line")
    }
    switch builder.build(
      line, status: status, source: source, number: number, keepsAll: keepsAll, into: &exchanges)
    {
    case .unreadable: return nil
    case .noRequest:
      counts.withoutRequest &+= 1
      return .skipped("no-request")
    case .exchange(let start, let end):
      see(start: start, end: end)
      counts.used &+= 1
    case .passedOver(let start, let end):
      see(start: start, end: end)
      counts.used &+= 1
      counts.passedOver &+= 1
    }
    return .used
  }

  private mutating func see(start: EventTime?, end: EventTime?) {
    if let start { see(start.nanoseconds) }
    if let end { see(end.nanoseconds) }
    if let time = end ?? start { progress.see(time) }
  }

  private mutating func see(_ nanoseconds: Int64) {
    if nanoseconds <= first {
      first = nanoseconds
      earliest = EventTime(nanoseconds: nanoseconds)
    }
    if nanoseconds >= last {
      last = nanoseconds
      latest = EventTime(nanoseconds: nanoseconds)
    }
  }

  /// Whether the whole line has to be looked at before "no origin" is believed.
  private static func mayBeRefusedUnread(_ status: Int) -> Bool {
    status == 0 || (status >= 400 && status <= 431) || (status >= 494 && status <= 505)
  }
}
