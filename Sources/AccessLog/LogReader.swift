internal import Bytes
internal import Foundation
public import HTTPExchange
public import InputBytes

/// Reads an access log: bytes to lines, lines to fields, fields to exchanges.
///
/// Nothing that is wrong with a log ends the reading before its end: it is counted by kind in
/// ``record``, and the first places are named.
public final class LogReader {
  /// What was read so far; complete when ``nextBatch()`` has returned `nil`.
  public private(set) var record: SourceRecord

  private let input: ByteInput
  private let source: String
  private let keepsAll: Bool
  private var interpreter: LineInterpreter
  private var changes: FormatChanges
  /// Entries of a document whose requests may never have been sent.
  private var unsent = UnsentRequests()
  /// Finds the entries of a document; `nil` for a log of lines.
  private var scanner: HARScanner?
  /// Finds the lines of a JSON text; `nil` where they stand by themselves.
  private var objects: ObjectScanner?
  /// Where the last run of NUL bytes ended.
  private var endOfNULs: UInt64?
  /// Whether NUL bytes may stand in the middle of what is read: the journal writes numbers in bytes.
  private let holdsNULs: Bool
  /// Where the line that is read at the moment stands with its coat.
  private var linePlace: Int?
  /// The buffer that is read at the moment, good until its lines are read.
  private var current = ByteView()
  /// Takes off what stands around the lines; `nil` for most logs.
  private let undresser: Undresser?
  private var lineNumber: UInt64 = 0
  /// The half line at the end of the last buffer.
  private var rest: [UInt8] = []
  private var isSkippingLine = false
  private var isAtStart = true
  private var isAtEnd = false
  /// Exchanges of the last batch, as a guess for the next.
  private var lastCount = 0

  /// Begins to read an input of a known format.
  ///
  /// - Parameter choice: the formats that the log may go on in when it changes; `nil` for none.
  public init(
    input: ByteInput, format: LogFormat, choice: FormatChoice? = nil, options: IngestOptions
  ) {
    self.input = input
    source = input.source
    keepsAll = options.keepsAll
    interpreter = LineInterpreter(
      format: format, options: options, writtenBy: input.writtenBy)
    changes = FormatChanges(
      format, choice ?? .format(format), options, writtenBy: input.writtenBy)
    undresser = Undresser(format.coats)
    if case .document(.har) = format.rule { scanner = HARScanner() }
    objects = format.shape.map { ObjectScanner($0) }
    holdsNULs = format.coats.contains { if case .journalExport = $0.rule { true } else { false } }
    record = SourceRecord(
      input: input.name, digest: input.digest, kind: "log", compression: input.compression)
    record.format = format.description
    if input.leadingNULs > 0 {
      note(nuls: input.leadingNULs, at: 0, number: 1)
    }
  }

  /// The exchanges of the next buffer of lines, which may be none; `nil` at the end of the input.
  public func nextBatch() -> ExchangeBatch? {
    if isAtEnd { return nil }
    var exchanges: [Exchange] = []
    exchanges.reserveCapacity(lastCount + lastCount / 4)
    defer { lastCount = exchanges.count }
    do throws(InputDamage) {
      if let buffer = try input.next(carrying: rest.count) {
        if scanner != nil {
          takeDocument(buffer, into: &exchanges)
        } else if objects != nil {
          takeObjects(buffer, into: &exchanges)
        } else {
          take(buffer, into: &exchanges)
        }
      } else {
        isAtEnd = true
        takeLastLine(isDamaged: false, into: &exchanges)
      }
    } catch {
      isAtEnd = true
      record.addDamage(SourceRecord.Damage(offset: error.offset, what: error.what))
      takeLastLine(isDamaged: true, into: &exchanges)
    }
    record.bytes = input.offset
    publish()
    let reached = interpreter.progress.reached ?? EventTime(nanoseconds: .min)
    return ExchangeBatch(
      exchanges: exchanges, watermark: reached.advanced(by: 0 &- ExchangeBatch.reorderWindow))
  }

  private func take(_ buffer: ByteView, into exchanges: inout [Exchange]) {
    let count = buffer.count
    current = buffer
    defer { current = ByteView() }
    let bufferOffset = input.offset &- UInt64(count)
    var position = 0
    // A local value, so that exclusive access is settled once for the buffer and not for each line.
    var interpreter = self.interpreter
    defer { self.interpreter = interpreter }
    // What was carried over holds no line end, and has been searched already.
    var searchFrom = rest.count
    if isAtStart {
      isAtStart = false
      if buffer.has("\u{FEFF}") { position = 3 }
      searchFrom = position
    }
    while position < count, let end = buffer.position(of: 0x0A, from: searchFrom) {
      if isSkippingLine {
        isSkippingLine = false
      } else {
        takeLine(
          buffer.part(position, end), from: position, at: bufferOffset &+ UInt64(position),
          &interpreter,
          into: &exchanges)
      }
      position = end + 1
      searchFrom = position
      if position == count { break }
    }
    if position < count, !isSkippingLine {
      // They may be as many as the log was long before.
      position += passNULs(buffer.from(position), at: bufferOffset &+ UInt64(position))
    }
    let left = count - position
    if isSkippingLine {
      rest.removeAll(keepingCapacity: true)
    } else if left > AccessLogLimits.lineBytes {
      skipLongLine(at: bufferOffset &+ UInt64(position))
      isSkippingLine = true
      rest.removeAll()
    } else {
      rest.removeAll(keepingCapacity: true)
      rest.append(buffer.from(position))
    }
  }

  private func skipLongLine(at offset: UInt64) {
    lineNumber &+= 1
    undresser?.forgetEntry()
    noteLongLine(number: lineNumber, at: offset)
  }

  private func noteLongLine(number: UInt64, at offset: UInt64) {
    record.skip("line-too-long")
    record.addDamage(
      SourceRecord.Damage(
        offset: offset, number: number,
        what: "a line of more than \(AccessLogLimits.lineBytes) bytes"))
  }

  /// Takes note of NUL bytes at the beginning of a line, and says how many there are.
  @inline(__always)
  private func passNULs(_ line: ByteView, at offset: UInt64) -> Int {
    guard line.first == 0, !holdsNULs else { return 0 }
    let count = line.firstIndex { $0 != 0 } ?? line.count
    note(nuls: UInt64(count), at: offset, number: lineNumber &+ 1)
    return count
  }

  private func note(nuls count: UInt64, at offset: UInt64, number: UInt64) {
    record.note("nul-bytes", count)
    // A run may be met in several pieces.
    if endOfNULs != offset || offset == 0 {
      record.addDamage(
        SourceRecord.Damage(
          offset: offset, number: number,
          what: "NUL bytes, as a log has that was truncated while its server wrote on"))
    }
    endOfNULs = offset &+ count
  }

  private func takeLine(
    _ whole: ByteView, from place: Int?, at start: UInt64,
    _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) {
    let nuls = passNULs(whole, at: start)
    let line = whole.from(nuls)
    let place = place.map { $0 + nuls }
    let offset = start &+ UInt64(nuls)
    guard line.count <= AccessLogLimits.lineBytes else {
      skipLongLine(at: offset)
      return
    }
    lineNumber &+= 1
    if let undresser {
      linePlace = place
      defer { linePlace = nil }
      takeCoated(line, undresser, at: offset, &interpreter, into: &exchanges)
      return
    }
    let text = line.withoutReturn
    let outcome = read(text, from: place, number: lineNumber, &interpreter, into: &exchanges)
    switch outcome {
    case .used: break
    case .skipped(let kind): record.skip(kind)
    case .unreadable(let kind):
      if readBehindNULs(text, at: offset, &interpreter, into: &exchanges) { return }
      record.skip(kind)
      record.addDamage(Self.damage(kind, number: lineNumber, at: offset))
    }
  }

  /// Reads what stands behind NUL bytes inside of a line: after a crash they stand where the end of one
  /// line was lost, and the next one follows.
  private func readBehindNULs(
    _ line: ByteView, at offset: UInt64, _ interpreter: inout LineInterpreter,
    into exchanges: inout [Exchange]
  ) -> Bool {
    let first = line.place(of: 0)
    guard first < line.count else { return false }
    let rest = line.from(first)
    let count = rest.firstIndex { $0 != 0 } ?? rest.count
    guard
      case .used = read(
        rest.from(count), from: nil, number: lineNumber, &interpreter, into: &exchanges)
    else { return false }
    note(nuls: UInt64(count), at: offset &+ UInt64(first), number: lineNumber)
    return true
  }

  /// Reads a line in the current format, or in another one.
  ///
  /// - Parameters:
  ///   - place: where the line stands in the buffer, with its coat; `nil` when it does not.
  ///   - stamp: the time that its coat tells.
  @inline(__always)
  private func read(
    _ line: ByteView, from place: Int?, stamp: CoatStamp = .none, number: UInt64,
    _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) -> LineInterpreter.Outcome {
    let outcome = interpreter.read(
      line, line.count, source: source, number: number, keepsAll: keepsAll, into: &exchanges)
    switch outcome {
    case .used: return outcome
    case .skipped("other-message"), .skipped("comment-line"), .unreadable: break
    case .skipped: return outcome
    }
    guard changes.isPossible else { return outcome }
    return readChanged(
      line, from: place, stamp: stamp, number: number, &interpreter, into: &exchanges) ?? outcome
  }

  private func readChanged(
    _ line: ByteView, from place: Int?, stamp: CoatStamp, number: UInt64,
    _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) -> LineInterpreter.Outcome? {
    let ahead = place.map { current.from($0) } ?? line
    let before = changes.current
    switch changes.read(
      line, line.count, ahead: ahead, stamp: stamp, source: source, number: number, &interpreter,
      into: &exchanges)
    {
    case .none: return nil
    case .known(let outcome): return outcome
    case .new(let outcome, let format, isFirst: true):
      record.format = format.description
      return outcome
    case .new(let outcome, let format, isFirst: false):
      record.note("format-changes")
      record.warnings.append(
        "line \(number) is the first of the format \(format.name); the lines before are of the format "
          + before.name)
      record.format = (record.format.map { "\($0), " } ?? "") + format.name
      return outcome
    }
  }

  private static func damage(
    _ kind: String, number: UInt64, at offset: UInt64
  ) -> SourceRecord.Damage {
    let what =
      switch kind {
      case "ambiguous-line": "a line whose fields can be told apart in two ways"
      case "cut-line": "the input ends inside a line"
      default: "a line that is not of the format"
      }
    return SourceRecord.Damage(offset: offset, number: number, what: what)
  }

  /// Takes a line out of its coat, and reads what is under it.
  ///
  /// - Parameter isLast: whether the input ends behind it, perhaps within it.
  private func takeCoated(
    _ line: ByteView, _ undresser: Undresser, at offset: UInt64,
    isLast: Bool = false, _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) {
    note(
      undresser.take(line, number: lineNumber, offset: offset), undresser, isLast: isLast,
      &interpreter, into: &exchanges)
  }

  private func note(
    _ outcome: Undresser.Outcome, _ undresser: Undresser, isLast: Bool,
    _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) {
    switch outcome {
    case .coat: record.skip("coat-line")
    case .part: record.skip("line-part")
    case .tooLong(let number, let offset): noteLongLine(number: number, at: offset)
    case .line(let line):
      readCoated(line, undresser, isLast: isLast, &interpreter, into: &exchanges)
    }
  }

  private func readCoated(
    _ line: Undresser.Line, _ undresser: Undresser, isLast: Bool,
    _ interpreter: inout LineInterpreter, into exchanges: inout [Exchange]
  ) {
    var outcome = LineInterpreter.Outcome.skipped("blank-line")
    if !line.text.isEmpty {
      interpreter.use(line.stamp)
      outcome = read(
        line.text, from: linePlace, stamp: line.stamp, number: line.number, &interpreter,
        into: &exchanges)
    }
    func give(_ kind: String, _ damage: SourceRecord.Damage) {
      record.skip(kind)
      record.addDamage(damage)
    }
    switch outcome {
    case .used: undresser.noteUse(of: line.sender, give)
    case .skipped(let kind): record.skip(kind)
    case .unreadable(let kind):
      let kind = isLast ? "cut-line" : kind
      let damage = Self.damage(kind, number: line.number, at: line.offset)
      if undresser.isDamage(kind, damage, of: line.sender) { give(kind, damage) }
    }
  }

  /// Takes what is left in the coats at the end: lines of which not all parts were seen.
  private func takeRest(of undresser: Undresser, into exchanges: inout [Exchange]) {
    undresser.takeRest { outcome in
      // It was counted as a part, as its other lines are.
      record.skipped["line-part"] = record.skipped["line-part"].flatMap { $0 > 1 ? $0 - 1 : nil }
      note(outcome, undresser, isLast: true, &interpreter, into: &exchanges)
    }
    let others = undresser.linesOfOthers
    if others > 0 { record.skip("other-output", others) }
  }

  /// Takes the next bytes of a JSON text.
  private func takeObjects(_ buffer: ByteView, into exchanges: inout [Exchange]) {
    let start = input.offset &- UInt64(buffer.count)
    let mark = isAtStart && buffer.has("\u{FEFF}") ? 3 : 0
    isAtStart = false
    objects?.take(buffer.from(mark), at: start &+ UInt64(mark)) { found in
      switch found {
      case .object(let object, let offset):
        takeLine(object, from: nil, at: offset, &interpreter, into: &exchanges)
      case .tooLong(let offset): skipLongLine(at: offset)
      case .unclosed(let offset): skipObject("an object that is not closed", at: offset)
      case .stray(let offset): skipObject("text that is no object", at: offset)
      }
    }
  }

  private func skipObject(_ what: String, kind: String = "unreadable-line", at offset: UInt64) {
    lineNumber &+= 1
    record.skip(kind)
    record.addDamage(SourceRecord.Damage(offset: offset, number: lineNumber, what: what))
  }

  private func endObjects(_ objects: ObjectScanner) {
    if let offset = objects.unfinished {
      skipObject("the input ends inside an object", kind: "cut-line", at: offset)
    } else if objects.isOpen {
      record.addDamage(
        SourceRecord.Damage(offset: input.offset, what: "the list of objects is not closed"))
    }
  }

  /// Takes the next bytes of a document.
  private func takeDocument(_ buffer: ByteView, into exchanges: inout [Exchange]) {
    let start = input.offset &- UInt64(buffer.count)
    scanner?.take(buffer) { entry, number in
      lineNumber = number
      let before = exchanges.count
      switch interpreter.read(
        entry, entry.count, source: source, number: number, keepsAll: keepsAll, into: &exchanges)
      {
      case .used:
        if exchanges.count > before {
          let (given, count) = unsent.take(exchanges.removeLast(), number: number)
          exchanges += given
          if count > 0 { record.passedOver["not-sent", default: 0] += count }
        }
      case .skipped(let kind): record.skip(kind)
      case .unreadable:
        record.skip("unreadable-entry")
        record.addDamage(
          SourceRecord.Damage(
            offset: start, number: number, what: "an entry without a time, a method or a URL"))
      }
    }
  }

  private func endDocument(
    _ scanner: HARScanner, isDamaged: Bool, into exchanges: inout [Exchange]
  ) {
    lineNumber = scanner.count
    exchanges += unsent.finish()
    if scanner.tooLong > 0 {
      record.skip("entry-too-long", scanner.tooLong)
      record.addDamage(
        SourceRecord.Damage(
          offset: nil,
          what: "\(scanner.tooLong) entries of more than \(HARScanner.entryBytes) bytes"))
    }
    if !scanner.isComplete, !isDamaged {
      record.addDamage(
        SourceRecord.Damage(offset: input.offset, what: "the archive ends inside its entries"))
    }
  }

  /// What stands behind the last line end: a whole line, or one that was cut.
  private func takeLastLine(isDamaged: Bool, into exchanges: inout [Exchange]) {
    if let scanner {
      endDocument(scanner, isDamaged: isDamaged, into: &exchanges)
      return
    }
    if let objects { endObjects(objects) }
    if !rest.isEmpty { readLastLine(isDamaged: isDamaged, into: &exchanges) }
    if let undresser { takeRest(of: undresser, into: &exchanges) }
  }

  private func readLastLine(isDamaged: Bool, into exchanges: inout [Exchange]) {
    let offset = input.offset &- UInt64(rest.count)
    let line = rest
    rest = []
    lineNumber &+= 1
    line.withByteView { buffer in
      if let undresser, !isDamaged {
        takeCoated(
          buffer, undresser, at: offset, isLast: true, &interpreter, into: &exchanges)
        return
      }
      let outcome: LineInterpreter.Outcome =
        isDamaged
        ? .unreadable("cut-line")
        : read(
          buffer.withoutReturn, from: nil, number: lineNumber, &interpreter, into: &exchanges)
      switch outcome {
      case .used: break
      case .skipped(let kind): record.skip(kind)
      case .unreadable:
        record.skip("cut-line")
        record.addDamage(Self.damage("cut-line", number: lineNumber, at: offset))
      }
    }
  }

  /// Copies the interpreters' counts into the record.
  private func publish() {
    let interpreters = [interpreter] + changes.others.filter(\.hasLines).map(\.interpreter)
    record.read = lineNumber
    record.take(interpreters)
    if isAtEnd { record.conclude(interpreters, coats: changes.current.coats) }
  }
}
