internal import Bytes
internal import HTTPExchange
internal import IncidentReport

/// What the records beside the calls say of a run: whether something was damaged, and whether
/// anything could be judged.
struct Judgement {
  private(set) var isDamaged = false
  private var exchanges: UInt64 = 0
  private var hidden: UInt64 = 0
  private var unrecorded: UInt64 = 0

  mutating func note(_ record: SourceRecord) {
    isDamaged = isDamaged || record.damageCount > 0
    exchanges &+= record.exchanges
    hidden &+= record.closedTLSConnections &+ record.otherClosedConnections
  }

  mutating func note(_ traffic: TrafficRecord) {
    for kind in ["origin-not-recorded", "target-not-recorded"] {
      unrecorded &+= traffic.counts[kind] ?? 0
    }
  }

  /// Whether "nothing was blocked" could be said at all.
  ///
  /// It could not where there was nothing to read, where what there was is closed or lacks the
  /// fields, and where no call could be decided.
  func isJudgeable(_ totals: ReportTotals) -> Bool {
    if totals.allowed > 0 || totals.blocked > 0 || totals.contradicted > 0 { return true }
    return totals.undetermined == 0 && exchanges > 0 && hidden == 0 && unrecorded == 0
  }
}

extension SourceRecord {
  /// What pairing had to give up, as a record of its own.
  ///
  /// - Parameter twins: which inputs look like the same traffic seen twice, one sentence each.
  init(pairingNotes notes: [String: UInt64], twins: [String] = []) {
    self.init(input: "pairing", digest: "", kind: "pairing")
    self.notes = notes
    if let count = notes["late-exchanges"] {
      warnings.append(
        "\(count) exchanges stood more than 60 s, or more than \(TimeMerge.maximumWaiting) others, "
          + "behind later ones and were judged out of order")
    }
    if let count = notes["joined-copies"] {
      warnings.append(
        "\(count) exchanges were also seen from another vantage point: each counts once, as the "
          + "fullest record has it")
    }
    if let count = notes["possible-copies"] {
      warnings.append(
        "\(count) exchanges look like some that another input holds, but the inputs do not show the "
          + "same traffic: they were counted apart")
    }
    warnings += twins
    if let count = notes["requests-without-preflight"] {
      warnings.append(
        "\(count) requests of pages of other origins need a preflight and have none here: if this goes "
          + "on after the first two hours, the log of another server that answers for this host is missing"
      )
    }
    if let count = notes["skewed-pairs"] {
      warnings.append(
        "\(count) requests begin up to \(notes["skew-milliseconds"] ?? 0) ms before their preflights "
          + "have ended: the clocks of the inputs differ, of which up to "
          + "\(PairingLimits.clockSkew / 1_000_000_000) s are tolerated")
    }
    if let count = notes["forgotten-browsers"] {
      warnings.append(
        "\(count) clients were forgotten to bound memory: cached preflights of theirs may count as "
          + "unseen")
    }
    if let count = notes["calls-given-up-early"] {
      warnings.append(
        "\(count) calls were given up early to bound memory, since too many were open at once: what "
          + "followed them was judged by itself")
    }
  }

  /// An input of which nothing could be used.
  init(_ problem: InputProblem) {
    let name = problem.path.split(separator: "/").last.map(String.init) ?? problem.path
    self.init(
      input: name, digest: "",
      kind: problem.isUsed ? "warning" : problem.isNamed ? "unreadable" : "unknown")
    if problem.isNamed {
      addDamage(Damage(offset: nil, what: problem.reason))
    } else {
      warnings.append(problem.reason)
    }
  }
}

extension InputPlan {
  /// Refuses to begin when no input could be read at all.
  func requireInput() throws(StageError) {
    guard sources.isEmpty else { return }
    var reasons = problems.all.filter(\.isSaid).map(\.description)
    // Of a folder of other things one line says enough.
    let others = problems.all.filter { !$0.isSaid }
    if let first = others.first {
      reasons.append(
        others.count == 1
          ? first.description
          : "\(others.count) files are no capture and no log, the first is \(first.description)")
    }
    throw .noInput(reasons)
  }

  /// Whether an input that the user named could not be used.
  var hasFailures: Bool { problems.all.contains(where: \.isNamed) }

  /// What was read of every input, in an order that does not depend on the arguments.
  func sourceRecords() -> [SourceRecord] {
    let records = problems.opened.flatMap(\.records) + problems.all.map { SourceRecord($0) }
    return records.enumerated().sorted {
      let (first, second) = ($0.element, $1.element)
      return (first.input, first.digest, first.bytes, $0.offset)
        < (second.input, second.digest, second.bytes, $1.offset)
    }.map(\.element)
  }
}

/// Collects lines and gives them out in large pieces.
struct LineSink {
  private static let pieceSize = 1 << 16

  private let sink: ByteSink
  private var writer = JSONWriter()

  init(_ sink: @escaping ByteSink) {
    self.sink = sink
  }

  mutating func write(_ body: (inout JSONWriter) -> Void) throws(StageError) {
    body(&writer)
    if writer.bytes.count >= Self.pieceSize { try flush() }
  }

  mutating func flush() throws(StageError) {
    let bytes = writer.bytes
    guard !bytes.isEmpty else { return }
    let result = bytes.withByteView { piece in
      Result { () throws(StageError) in try sink(piece) }
    }
    try result.get()
    writer.removeAll()
  }
}
