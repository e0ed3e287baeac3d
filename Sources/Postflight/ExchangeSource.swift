internal import AccessLog
internal import Foundation
internal import HTTPExchange
internal import InputBytes
internal import PacketCapture

/// Something that exchanges come out of, a batch at a time.
protocol ExchangeSource: AnyObject {
  /// The next exchanges; `nil` at the end.
  func nextBatch() throws(StageError) -> ExchangeBatch?
  /// What was read, once the end was reached.
  var records: [SourceRecord] { get }
}

/// What an input was recognised as.
enum InputKind {
  case capture
  case log(LogFormat)
  case records
}

/// An input that is opened when its time has come.
struct PlannedSource {
  var path: String
  var name: String
  /// The name and the digest of its beginning, as in the identifiers of its exchanges.
  var identity: String
  var firstTime: EventTime?
  /// Whether it is a packet capture.
  var isCapture = false
  /// Nanoseconds by which its watermark stays behind what was read, since lines may stand in the wrong
  /// order; 0 where the watermark is exact.
  var reorderWindow = ExchangeBatch.reorderWindow
  /// Opens the input; `nil` when it is gone, which has been noted by then.
  var open: () throws(StageError) -> (any ExchangeSource)?
}

final class CaptureSource: ExchangeSource {
  private let reader: CaptureReader

  init(_ input: ByteInput, _ options: IngestOptions, _ keys: TLSKeyLog) {
    reader = CaptureReader(input: input, options: options, keys: keys)
  }

  func nextBatch() -> ExchangeBatch? { reader.nextBatch() }

  var records: [SourceRecord] { [reader.record] }
}

final class LogSource: ExchangeSource {
  private let reader: LogReader

  init(
    _ input: ByteInput, _ format: LogFormat, _ choice: FormatChoice, _ options: IngestOptions
  ) {
    reader = LogReader(input: input, format: format, choice: choice, options: options)
  }

  func nextBatch() -> ExchangeBatch? { reader.nextBatch() }

  var records: [SourceRecord] { [reader.record] }
}

/// An input that was opened.
///
/// At its end it is closed, and what was read of it is kept.
final class OpenedSource: ExchangeSource {
  private var source: (any ExchangeSource)?
  private var finalRecords: [SourceRecord] = []
  private let atEnd: () -> Void

  /// - Parameter atEnd: called once, when the end was reached.
  init(_ source: any ExchangeSource, atEnd: @escaping () -> Void) {
    self.source = source
    self.atEnd = atEnd
  }

  func nextBatch() throws(StageError) -> ExchangeBatch? {
    if let batch = try source?.nextBatch() { return batch }
    if let source {
      finalRecords = source.records
      self.source = nil
      atEnd()
    }
    return nil
  }

  var records: [SourceRecord] { source?.records ?? finalRecords }
}

extension RecordSource: ExchangeSource {
  var records: [SourceRecord] { sources.records }
}

/// Runs a source on a thread of its own, a few batches ahead.
///
/// The source is touched by the thread alone until that has ended; everything else is touched only
/// while the condition is locked.
final class PrefetchingSource: ExchangeSource, @unchecked Sendable {
  private static let depth = 3
  /// Exchanges that are worth waking the other thread for.
  private static let worthwhile = 256
  /// Batches that are put together at most, so that the watermark does not stand still for long.
  private static let patience = 16

  private let source: any ExchangeSource
  private let condition = NSCondition()
  private var ready: [Result<ExchangeBatch, StageError>] = []
  private var isAtEnd = false
  private var isAbandoned = false

  init(_ source: any ExchangeSource) {
    self.source = source
    let thread = Thread { [self] in run() }
    thread.stackSize = 4 << 20
    thread.start()
  }

  func nextBatch() throws(StageError) -> ExchangeBatch? {
    condition.lock()
    while ready.isEmpty, !isAtEnd { condition.wait() }
    let result = ready.isEmpty ? nil : ready.removeFirst()
    condition.signal()
    condition.unlock()
    return try result?.get()
  }

  var records: [SourceRecord] { source.records }

  /// Lets the thread end early.
  func abandon() {
    condition.lock()
    isAbandoned = true
    condition.signal()
    condition.unlock()
  }

  /// The next few batches as one; `nil` at the end.
  private func nextBatch(of source: any ExchangeSource) throws(StageError) -> ExchangeBatch? {
    guard var batch = try source.nextBatch() else { return nil }
    var count = 1
    while batch.exchanges.count < Self.worthwhile, count < Self.patience,
      let more = try source.nextBatch()
    {
      if batch.exchanges.isEmpty {
        batch.exchanges = more.exchanges
      } else {
        batch.exchanges += more.exchanges
      }
      batch.watermark = max(batch.watermark, more.watermark)
      count += 1
    }
    return batch
  }

  private func run() {
    while true {
      var result: Result<ExchangeBatch, StageError>?
      do throws(StageError) {
        result = try nextBatch(of: source).map { .success($0) }
      } catch {
        result = .failure(error)
      }
      condition.lock()
      while ready.count >= Self.depth, !isAbandoned { condition.wait() }
      if let result { ready.append(result) }
      var ends = result == nil || isAbandoned
      if case .failure = result { ends = true }
      isAtEnd = ends
      condition.signal()
      condition.unlock()
      if ends { return }
    }
  }
}
