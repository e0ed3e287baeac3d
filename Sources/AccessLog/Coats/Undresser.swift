internal import Bytes
internal import HTTPExchange

/// Takes the coats off the lines of one input, puts parted lines together, and tells the senders
/// apart.
final class Undresser {
  /// A line as its sender wrote it.
  struct Line {
    /// Valid until the next line is taken.
    var text: ByteView
    /// The line of the file in which it begins, from 1.
    var number: UInt64
    /// Where that begins in the unpacked file.
    var offset: UInt64
    /// Who wrote it, to be given back to ``noteUse(of:_:)``.
    var sender: Int
    /// Whether the innermost coat was around it.
    var hasCoat: Bool
    /// When it was written, as the innermost coat that knows it says.
    var stamp = CoatStamp.none
  }

  /// What a line of the file came to.
  enum Outcome {
    case line(Line)
    /// A line of the coat's own: a field of a journal entry, or what stands between entries.
    case coat
    /// A part of a line that goes on.
    case part
    /// The last part of a line longer than ``AccessLogLimits/lineBytes``, which begins there.
    case tooLong(number: UInt64, offset: UInt64)
  }

  /// A line of which some parts were seen.
  private struct Parted {
    var bytes: [UInt8]
    var number: UInt64
    var offset: UInt64
    var sender: Int
    /// The stamp of its first part, of which `stampForm` says how it is written.
    var stamp: [UInt8]
    var stampForm: CoatStamp.Form
    private(set) var isTooLong = false

    mutating func append(_ part: ByteView) {
      if bytes.count + part.count > AccessLogLimits.lineBytes {
        isTooLong = true
        bytes = []
      }
      if !isTooLong { bytes.append(contentsOf: part) }
    }
  }

  private let coat: LogCoat
  /// Takes off what is under this coat.
  private let inner: Undresser?
  private let scratch = CoatScratch()
  private var entries = JournalEntries()
  /// Where the journal's entry begins.
  private var entry: (number: UInt64, offset: UInt64)?
  private var parted: [[UInt8]: Parted] = [:]
  private var senders = SenderTable()

  /// - Parameter coats: from the outermost; `nil` is returned when there is none.
  init?(_ coats: [LogCoat]) {
    guard let first = coats.first else { return nil }
    coat = first
    inner = Undresser(Array(coats.dropFirst()))
  }

  // MARK: Lines

  /// Takes the next line of the file, without its line feed.
  ///
  /// A line without the coat is handed on as it is: it may have been written before or behind.
  func take(_ line: ByteView, number: UInt64, offset: UInt64) -> Outcome {
    let outcome = takeOff(line, number: number, offset: offset)
    guard let inner, case .line(let line) = outcome else { return outcome }
    return inner.take(line)
  }

  /// Takes the next line, as it stood under an outer coat.
  private func take(_ line: Line) -> Outcome {
    switch take(line.text, number: line.number, offset: line.offset) {
    case .line(var inner):
      if case .none = inner.stamp.form { inner.stamp = line.stamp }
      return .line(inner)
    case let outcome: return outcome
    }
  }

  /// Forgets what a line that could not be read belongs to.
  func forgetEntry() {
    entries.forget()
    entry = nil
    inner?.forgetEntry()
  }

  /// Gives out the lines whose end was not seen, at the end of the input.
  func takeRest(_ body: (Outcome) -> Void) {
    let rest = parted.values.sorted { $0.number < $1.number }
    parted = [:]
    for line in rest {
      let outcome = whole(line)
      if let inner, case .line(let line) = outcome {
        body(inner.take(line))
      } else {
        body(outcome)
      }
    }
    inner?.takeRest(body)
  }

  private func takeOff(
    _ line: ByteView, number: UInt64, offset: UInt64
  ) -> Outcome {
    switch coat.rule {
    case .line(let read):
      guard let coated = read(line, scratch) else {
        return .line(plain(line, number: number, offset: offset))
      }
      return join(coated, number: number, offset: offset)
    case .journalExport:
      switch entries.take(line) {
      case .none:
        entry = nil
        return line.isEmpty
          ? .coat : .line(plain(line.withoutReturn, number: number, offset: offset))
      case .part:
        entry = entries.isInEntry ? entry ?? (number, offset) : nil
        return .coat
      case .entry:
        let place = entry ?? (number, offset)
        entry = nil
        return entries.withEntry { coated in
          // The entry's memory goes with it.
          var coated = coated
          (coated.text, coated.stamp) = kept(coated.text, coated.stamp)
          return join(coated, number: place.number, offset: place.offset)
        }
      }
    }
  }

  private func plain(
    _ line: ByteView, number: UInt64, offset: UInt64
  ) -> Line {
    Line(
      text: line.withoutReturn, number: number, offset: offset,
      sender: senders.index(ByteView()), hasCoat: false)
  }

  private func join(_ coated: CoatedLine, number: UInt64, offset: UInt64) -> Outcome {
    guard coated.isPartial || !parted.isEmpty else {
      return .line(
        Line(
          text: coated.text, number: number, offset: offset,
          sender: senders.index(coated.sender), hasCoat: true, stamp: coated.stamp))
    }
    let key = Array(coated.container) + [0] + Array(coated.sender)
    if var line = parted.removeValue(forKey: key) {
      line.append(coated.text)
      guard coated.isPartial else { return whole(line) }
      parted[key] = line
      return .part
    }
    let sender = senders.index(coated.sender)
    guard coated.isPartial else {
      return .line(
        Line(
          text: coated.text, number: number, offset: offset, sender: sender, hasCoat: true,
          stamp: coated.stamp))
    }
    // Of more than that many at once the first is taken for whole, as far as it goes.
    var early: Parted?
    if parted.count >= AccessLogLimits.partedLines,
      let oldest = parted.min(by: { $0.value.number < $1.value.number })
    {
      early = parted.removeValue(forKey: oldest.key)
    }
    parted[key] = Parted(
      bytes: Array(coated.text), number: number, offset: offset, sender: sender,
      stamp: Array(coated.stamp.text), stampForm: coated.stamp.form)
    return early.map(whole) ?? .part
  }

  /// A parted line, copied to the scratch, where it outlives the call.
  private func whole(_ line: Parted) -> Outcome {
    if line.isTooLong { return .tooLong(number: line.number, offset: line.offset) }
    let (text, stamp) = line.bytes.withByteView { bytes in
      line.stamp.withByteView { kept(bytes, CoatStamp($0, line.stampForm)) }
    }
    return .line(
      Line(
        text: text.withoutReturn, number: line.number, offset: line.offset,
        sender: line.sender, hasCoat: true, stamp: stamp))
  }

  /// A line and its stamp in the scratch, where they outlive the call.
  private func kept(_ text: ByteView, _ stamp: CoatStamp) -> (ByteView, CoatStamp) {
    scratch.clear(room: text.count + stamp.text.count)
    scratch.put(text)
    scratch.put(stamp.text)
    let bytes = scratch.bytes
    return (
      bytes.part(0..<text.count), CoatStamp(bytes.part(text.count..<bytes.count), stamp.form)
    )
  }

  // MARK: Senders

  /// A line of that sender was read: what could not be read of it before is damage after all.
  ///
  /// - Parameter give: receives the kinds and places that were held back.
  func noteUse(of sender: Int, _ give: (String, SourceRecord.Damage) -> Void) {
    guard inner == nil else {
      inner?.noteUse(of: sender, give)
      return
    }
    senders.noteUse(of: sender, give)
  }

  /// A line of that sender could not be read.
  ///
  /// - Returns: whether it is damage; it may also be another program's, which is known only when
  ///   one of its lines was read.
  func isDamage(_ kind: String, _ damage: SourceRecord.Damage, of sender: Int) -> Bool {
    inner?.isDamage(kind, damage, of: sender) ?? senders.isDamage(kind, damage, of: sender)
  }

  /// The lines of senders none of whose lines is one of the log.
  var linesOfOthers: UInt64 { inner?.linesOfOthers ?? senders.linesOfOthers }
}

/// Who writes into one log: streams of a container, programs of a machine.
///
/// Lines that cannot be read are damage when their sender writes an access log. Other programs and
/// the error stream write lines of their own.
private struct SenderTable {
  private struct Sender {
    var name: [UInt8]
    var isUsed = false
    var unread: [String: UInt64] = [:]
    var damages: [(kind: String, damage: SourceRecord.Damage)] = []
  }

  private var senders: [Sender] = []
  private var last = 0

  /// The number of a sender; all above a limit share one.
  mutating func index(_ name: ByteView) -> Int {
    if last < senders.count, isNamed(last, name) { return last }
    if let known = senders.indices.first(where: { isNamed($0, name) }) {
      last = known
    } else if senders.count < AccessLogLimits.senders {
      senders.append(Sender(name: Array(name)))
      last = senders.count - 1
    } else {
      last = senders.count - 1
    }
    return last
  }

  private func isNamed(_ index: Int, _ name: ByteView) -> Bool {
    let own = senders[index].name
    return own.withByteView { $0.equals(name) }
  }

  mutating func noteUse(of index: Int, _ give: (String, SourceRecord.Damage) -> Void) {
    guard !senders[index].isUsed else { return }
    senders[index].isUsed = true
    for (kind, damage) in senders[index].damages {
      give(kind, damage)
      senders[index].unread[kind, default: 1] -= 1
    }
    // Those whose place was not kept are counted where the last one was.
    for (kind, count) in senders[index].unread.sorted(by: { $0.key < $1.key }) where count > 0 {
      guard let last = senders[index].damages.last?.damage else { continue }
      for _ in 0..<count { give(kind, last) }
    }
    senders[index].damages = []
    senders[index].unread = [:]
  }

  mutating func isDamage(
    _ kind: String, _ damage: SourceRecord.Damage, of index: Int
  ) -> Bool {
    if senders[index].isUsed { return true }
    senders[index].unread[kind, default: 0] += 1
    if senders[index].damages.count < SourceRecord.maximumDamages {
      senders[index].damages.append((kind, damage))
    }
    return false
  }

  var linesOfOthers: UInt64 {
    senders.reduce(0) { $0 + $1.unread.values.reduce(0, +) }
  }
}
