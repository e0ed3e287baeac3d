internal import FetchCORS
internal import Foundation
internal import HTTPExchange
internal import IncidentReport

/// Adds calls to a report, on a thread of its own where there is one to spare.
///
/// Calls are added in the order in which they are given. The builder is touched by the thread alone
/// until ``finish()`` has returned; everything else is touched only while the condition is locked.
final class ReportQueue: @unchecked Sendable {
  /// Calls that are handed over at a time: a thread costs more to wake than a call to add.
  private static let batchSize = 128
  /// Bytes of the exchanges of the calls that are handed over at a time: hostile ones have hundreds
  /// of KB each.
  private static let batchBytes = 4 << 20
  /// Batches that may wait.
  private static let depth = 2

  private let builder: ReportBuilder
  private let condition = NSCondition()
  private var batch: [Call] = []
  private var batchBytes = 0
  private var waiting: [[Call]] = []
  private var isFinished = false
  private var isAtEnd: Bool
  private var failure: StageError?

  /// - Parameter usesThread: whether calls are added on a thread of its own.
  init(_ builder: ReportBuilder, usesThread: Bool) {
    self.builder = builder
    isAtEnd = !usesThread
    guard usesThread else { return }
    let thread = Thread { [self] in run() }
    thread.stackSize = 4 << 20
    thread.start()
  }

  /// Adds a call, now or soon.
  ///
  /// - Throws: what adding this call, or one before it, failed with.
  func add(_ call: Call) throws(StageError) {
    batch.append(call)
    for part in call.exchanges { batchBytes &+= part.exchange.approximateBytes }
    if batch.count >= Self.batchSize || batchBytes > Self.batchBytes { try flush() }
  }

  /// Waits until every call was added.
  func finish() throws(StageError) {
    try flush()
    end()
    if let failure { throw failure }
  }

  /// Lets the thread end, and waits for that.
  func end() {
    condition.lock()
    isFinished = true
    condition.signal()
    while !isAtEnd { condition.wait() }
    condition.unlock()
  }

  private func flush() throws(StageError) {
    condition.lock()
    let hasThread = !isAtEnd
    while hasThread, waiting.count >= Self.depth, failure == nil { condition.wait() }
    let failure = failure
    if hasThread, failure == nil {
      waiting.append(batch)
      condition.signal()
    }
    condition.unlock()
    if let failure { throw failure }
    if !hasThread { try take(batch) }
    batch.removeAll(keepingCapacity: !hasThread)
    batchBytes = 0
  }

  private func take(_ calls: [Call]) throws(StageError) {
    for call in calls { try builder.addOrFail(call) }
  }

  private func run() {
    condition.lock()
    while failure == nil {
      while waiting.isEmpty, !isFinished { condition.wait() }
      guard !waiting.isEmpty else { break }
      let calls = waiting.removeFirst()
      condition.signal()
      condition.unlock()
      var caught: StageError?
      do throws(StageError) { try take(calls) } catch { caught = error }
      condition.lock()
      failure = caught
    }
    isAtEnd = true
    condition.signal()
    condition.unlock()
  }
}
