internal import HTTPExchange
internal import InputBytes

/// Exchanges that an earlier stage wrote, as a source like any other.
final class RecordSource {
  private var lines: LineInput
  private let path: String
  private var isAtEnd = false
  private var progress = SourceProgress()
  /// What the earlier stage read.
  private(set) var sources = BoundedSources()

  /// Records that are read at once, and the bytes of the lines after which they are fewer.
  private let batchSize: Int
  private let batchBytes: Int

  init(_ input: ByteInput, batchSize: Int = 1024, batchBytes: Int = 16 << 20) {
    path = input.path
    self.batchSize = batchSize
    self.batchBytes = batchBytes
    lines = LineInput(input)
  }

  /// The next exchanges; `nil` at the end.
  ///
  /// - Throws: ``StageError`` with the line that is no record of this stage.
  func nextBatch() throws(StageError) -> ExchangeBatch? {
    guard !isAtEnd else { return nil }
    var batch = ExchangeBatch(exchanges: [], watermark: EventTime(nanoseconds: .min))
    var bytes = 0
    while batch.exchanges.count < batchSize, bytes < batchBytes {
      guard let line = try lines.nextRecord(of: path) else {
        isAtEnd = true
        batch.watermark = EventTime(nanoseconds: .max)
        return batch
      }
      bytes += line.count
      do throws(RecordError) {
        switch try StreamRecord(line: line) {
        case .exchange(let exchange):
          progress.see(exchange.time)
          batch.exchanges.append(exchange)
        case .source(let record):
          sources.add(record)
        }
      } catch {
        throw .notThatStage(
          path: path, line: lines.number,
          reason: "no record of 'postflight extract': \(error.reason)")
      }
    }
    if let reached = progress.reached { batch.watermark = reached }
    return batch
  }
}
