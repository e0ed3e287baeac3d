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
  var firstTime: EventTime?
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

extension RecordSource: ExchangeSource {
  var records: [SourceRecord] { sources }
}

/// Lets go of a source when it has ended, and keeps what it says of what it read.
///
/// A source holds a file and its buffers; a month of rotated files are thousands.
final class EndingSource: ExchangeSource {
  private var source: (any ExchangeSource)?
  private var kept: [SourceRecord] = []

  init(_ source: any ExchangeSource) {
    self.source = source
  }

  func nextBatch() throws(StageError) -> ExchangeBatch? {
    guard let source else { return nil }
    if let batch = try source.nextBatch() { return batch }
    kept = source.records
    self.source = nil
    return nil
  }

  var records: [SourceRecord] { source?.records ?? kept }
}

/// Runs a source on a thread of its own, a few batches ahead.
///
/// The source is touched by the thread alone until that has ended; everything else is touched only
/// while the condition is locked.
final class PrefetchingSource: ExchangeSource, @unchecked Sendable {
  private static let depth = 3
  /// Exchanges that are worth waking the other thread for.
  private static let worthwhile = 512
  /// Batches that are put together at most, so that the watermark does not stand still for long.
  private static let patience = 16

  private let source: any ExchangeSource
  /// Told on the caller's thread when the end was handed out.
  private var onEnd: (() -> Void)?
  private let condition = NSCondition()
  private var ready: [Result<ExchangeBatch, StageError>] = []
  private var isAtEnd = false
  private var isAbandoned = false

  init(_ source: any ExchangeSource, onEnd: @escaping () -> Void) {
    self.source = source
    self.onEnd = onEnd
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
    if result == nil {
      onEnd?()
      onEnd = nil
    }
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
