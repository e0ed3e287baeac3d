public import AccessLog
public import Bytes
public import FetchCORS
internal import Foundation
public import HTTPExchange
public import IncidentReport
internal import InputBytes

/// What the stages are told.
public struct StageOptions {
  /// Files, folders, patterns, `-`.
  public var inputs: [String]
  /// The format of access logs.
  public var format = FormatChoice.automatic
  /// How every input is read.
  public var ingest = IngestOptions()
  /// Whether client addresses are replaced by tokens, the same everywhere.
  public var anonymizesClients = false
  /// Files with TLS secrets in the NSS key log format, for captures.
  public var tlsKeyFiles: [String] = []
  /// The engine to judge every call by; `nil` takes the one that the user agent names.
  public var engine: Engine?
  /// What the report is narrowed to.
  public var filter = CallFilter()
  /// Threads that read and parse; 1 does everything on the caller's.
  public var jobs = 1
  /// The report's limits.
  public var report = ReportOptions()
  /// Whether the short answer has colours.
  public var isColored = false
  /// Columns that the short answer may take.
  public var columns = 80
  /// Where a temporary file for rows may be made.
  public var temporaryFolder = NSTemporaryDirectory()

  /// Files that this run writes, which are no inputs of it, whatever folder they lie in.
  public var ownOutputs: Set<FileIdentity> = []

  /// Told now and then how many exchanges were read, and up to what time.
  public var onProgress: ((_ exchanges: UInt64, _ time: String) -> Void)?

  /// The ordinary options for those inputs.
  public init(inputs: [String]) {
    self.inputs = inputs
  }
}

/// What a stage came to.
public struct StageResult: Sendable {
  /// Inputs that could not be used.
  public var problems: [InputProblem] = []
  /// Whether any input was damaged, cut short or unreadable.
  public var isPartial = false
  /// Calls by verdict.
  public var totals = ReportTotals()
  /// Whether the inputs hold anything that a verdict could be given on, or nothing that needs one.
  public var isJudgeable = true
  /// The short answer for a terminal.
  public var summary = ""
}

/// Receives the bytes of a stream.
public typealias ByteSink = (ByteView) throws(StageError) -> Void

/// Ingest only: inputs in, exchanges in the order of time and source records out.
public func extract(_ options: StageOptions, to sink: @escaping ByteSink) throws(StageError)
  -> StageResult
{
  let plan = InputPlan(
    options.inputs, format: options.format, options: options.ingest,
    keys: try TLSKeyFiles(options.tlsKeyFiles), jobs: options.jobs, outputs: options.ownOutputs)
  try plan.requireInput()
  var merge = TimeMerge(plan.sources, spoolFolder: options.temporaryFolder)
  var lines = LineSink(sink)
  while var exchange = try merge.next() {
    if options.anonymizesClients { exchange.anonymizeClient() }
    try lines.write { exchange.write(to: &$0) }
  }
  let records = plan.sourceRecords()
  for record in records {
    try lines.write { record.write(to: &$0) }
  }
  try lines.flush()
  var result = StageResult()
  result.problems = plan.problems.all
  result.isPartial = plan.hasFailures || records.contains { $0.damageCount > 0 }
  return result
}

/// Exchanges in, calls with verdicts out.
public func replay(_ options: StageOptions, to sink: @escaping ByteSink) throws(StageError)
  -> StageResult
{
  let plan = InputPlan(
    options.inputs, format: .automatic, options: options.ingest, jobs: options.jobs,
    outputs: options.ownOutputs, expectsRecords: true)
  try plan.requireInput()
  var lines = LineSink(sink)
  var result = StageResult()
  let end = try judge(plan, options) { (call) throws(StageError) in
    try lines.write { call.write(to: &$0) }
  }
  for record in end.records {
    try lines.write { record.write(to: &$0) }
  }
  try lines.write { end.traffic.write(to: &$0) }
  try lines.flush()
  result.problems = plan.problems.all
  result.isPartial = plan.hasFailures || end.records.contains { $0.damageCount > 0 }
  return result
}

/// Calls in, report files out.
///
/// - Parameter write: receives the bytes of each file.
public func report(
  _ options: StageOptions,
  writing write: (ReportFile, ByteView) throws(StageError) -> Void
) throws(StageError) -> StageResult {
  let builder = ReportBuilder(options: options.report, spool: options.temporaryFolder)
  let problems = InputPlan.ProblemList()
  var judgement = Judgement()
  var didRead = false
  for file in InputFiles(options.inputs, [], problems).files {
    let input: ByteInput
    do throws(InputError) {
      input = try ByteInput(path: file.path, readsAhead: options.jobs > 1)
    } catch {
      problems.all.append(InputProblem(path: file.path, reason: error.reason, isNamed: true))
      continue
    }
    didRead = true
    try readCalls(input, options.filter, into: builder, &judgement)
  }
  guard didRead else { throw .noInput(problems.all.map(\.description)) }
  return try finish(builder, judgement, problems.all, options, writing: write)
}

/// The main job: the three stages in one process.
///
/// - Parameter write: receives the bytes of each file.
public func analyze(
  _ options: StageOptions,
  writing write: (ReportFile, ByteView) throws(StageError) -> Void
) throws(StageError) -> StageResult {
  let plan = InputPlan(
    options.inputs, format: options.format, options: options.ingest,
    keys: try TLSKeyFiles(options.tlsKeyFiles), jobs: options.jobs, outputs: options.ownOutputs)
  try plan.requireInput()
  let builder = ReportBuilder(options: options.report, spool: options.temporaryFolder)
  // Reading one capture takes longer than all the rest: a thread more would only be in the way.
  let isOneCapture = plan.sources.count == 1 && plan.sources.allSatisfy(\.isCapture)
  let queue = ReportQueue(builder, usesThread: options.jobs > 1 && !isOneCapture)
  defer { queue.end() }
  let end = try judge(plan, options) { (call) throws(StageError) in try queue.add(call) }
  try queue.finish()
  var judgement = Judgement()
  for record in end.records {
    builder.add(record)
    judgement.note(record)
  }
  judgement.note(end.traffic)
  builder.addTraffic(end.traffic)
  return try finish(builder, judgement, plan.problems.all, options, writing: write)
}

// MARK: - What the stages share

/// What is known once every exchange was judged.
struct JudgedInput {
  var records: [SourceRecord]
  var traffic: TrafficRecord
}

/// Pairs and evaluates everything that a plan holds.
func judge(
  _ plan: InputPlan, _ options: StageOptions, give: (Call) throws(StageError) -> Void
) throws(StageError) -> JudgedInput {
  var merge = TimeMerge(plan.sources, spoolFolder: options.temporaryFolder)
  var vantages = VantageJoin()
  var pairing = Pairing(engine: options.engine)
  var outcomes = BrowserOutcomes()
  var count: UInt64 = 0
  func pairHeld() throws(StageError) {
    while let exchange = vantages.next() {
      pairing.add(exchange)
      if pairing.calls.isEmpty { continue }
      for call in pairing.takeCalls() where options.filter.admits(call) {
        outcomes.compare(call)
        try give(call)
      }
    }
  }
  while var exchange = try merge.next() {
    if options.anonymizesClients { exchange.anonymizeClient() }
    vantages.add(exchange)
    count += 1
    if count & 0xFFF == 0 { options.onProgress?(count, exchange.time.rfc3339(.second)) }
    try pairHeld()
  }
  vantages.finish()
  try pairHeld()
  pairing.finish()
  for call in pairing.takeCalls() where options.filter.admits(call) {
    outcomes.compare(call)
    try give(call)
  }
  var records = plan.sourceRecords()
  var notes = pairing.notes.merging(outcomes.notes) { $0 + $1 }
  if merge.lateCount > 0 { notes["late-exchanges"] = merge.lateCount }
  let copies = vantages.joined + merge.copyCount
  if copies > 0 { notes["joined-copies"] = copies }
  if vantages.doubtful > 0 { notes["possible-copies"] = vantages.doubtful }
  let twins = vantages.twinSentences
  if !notes.isEmpty || !twins.isEmpty {
    records.append(SourceRecord(pairingNotes: notes, twins: twins))
  }
  return JudgedInput(records: records, traffic: TrafficRecord(counts: pairing.notCORS))
}

/// Compares verdicts with what browsers themselves said, where the evidence holds it.
struct BrowserOutcomes {
  private(set) var notes: [String: UInt64] = [:]

  /// Counts a call whose verdict is certain and whose outcome is known.
  mutating func compare(_ call: Call) {
    guard
      let observed = call.exchanges.last(where: { $0.exchange.method != "OPTIONS" })?.exchange
        .observed
    else { return }
    switch (call.verdict, observed) {
    case (.allowed, .completed), (.blocked, .failed):
      notes["browser-outcomes-that-agree", default: 0] += 1
    case (.allowed, .failed), (.blocked, .completed), (.contradicted, _):
      notes["browser-outcomes-that-differ", default: 0] += 1
    case (.undetermined, _):
      notes["browser-outcomes-of-undetermined-calls", default: 0] += 1
    }
  }
}

private func readCalls(
  _ input: ByteInput, _ filter: CallFilter, into builder: ReportBuilder,
  _ judgement: inout Judgement
) throws(StageError) {
  var lines = LineInput(input)
  while let line = try lines.nextRecord(of: input.path) {
    let record: CallStreamRecord
    do throws(RecordError) {
      record = try CallStreamRecord(line: line)
    } catch {
      throw .notThatStage(
        path: input.path, line: lines.number,
        reason: "no record of 'postflight replay' or --calls: \(error.reason)")
    }
    switch record {
    case .call(let call):
      if filter.admits(call) { try builder.addOrFail(call) }
    case .source(let source):
      builder.add(source)
      judgement.note(source)
    case .traffic(let traffic):
      judgement.note(traffic)
      builder.addTraffic(traffic)
    }
  }
}

private func finish(
  _ builder: ReportBuilder, _ judgement: Judgement, _ problems: [InputProblem],
  _ options: StageOptions,
  writing write: (ReportFile, ByteView) throws(StageError) -> Void
) throws(StageError) -> StageResult {
  do {
    try builder.finish { file, bytes in try write(file, bytes) }
  } catch {
    throw error as? StageError ?? .cannotWrite(path: options.temporaryFolder, reason: "\(error)")
  }
  var result = StageResult()
  result.problems = problems
  result.totals = builder.totals
  result.isPartial = judgement.isDamaged || problems.contains(where: \.isNamed)
  result.isJudgeable = judgement.isJudgeable(builder.totals)
  result.summary = builder.summaryText(colored: options.isColored, width: options.columns)
  return result
}

extension Exchange {
  /// Replaces the addresses of the client.
  fileprivate mutating func anonymizeClient() {
    client = Redaction.token(of: client)
    forwardedFor = forwardedFor.map { Redaction.token(of: $0) }
  }
}

extension ReportBuilder {
  func addOrFail(_ call: Call) throws(StageError) {
    do throws(ReportError) {
      try add(call)
    } catch {
      throw .cannotWrite(path: "temporary file for the report", reason: error.reason)
    }
  }

  fileprivate func addTraffic(_ traffic: TrafficRecord) {
    for (kind, count) in traffic.counts.sorted(by: { $0.key < $1.key }) {
      addNotCORS(kind: kind, count: count)
    }
  }
}
