internal import Bytes
internal import Foundation
internal import HTTPExchange
internal import InputBytes

/// Where exchanges go that have to wait for others and are too many to be held: sorted into temporary
/// files, each of which is then a source like any other.
///
/// A file has no name before anything is written into it, so that nothing stays behind whatever happens.
struct MergeSpool {
  /// Files that there may be at once.
  static let maximumRuns = 128

  /// Exchanges that are read of one at once, and the bytes after which they are fewer.
  private static let batchSize = 128
  private static let batchBytes = 256 << 10

  /// The folder in which files are made.
  let folder: String

  /// Writes exchanges into a file of their own.
  ///
  /// - Parameter next: gives them in the order of time, then of identifier.
  /// - Returns: a source that gives them out in that order.
  /// - Throws: ``StageError`` when the file cannot be made, written or opened.
  func write(
    _ next: () throws(StageError) -> Exchange?
  ) throws(StageError) -> any ExchangeSource {
    let path = folder + "/.postflight-" + UUID().uuidString + ".run"
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw Self.failure(in: folder, systemReason(errno))
    }
    _ = unsafe unlink(path)
    var isHandedOver = false
    defer { if !isHandedOver { close(descriptor) } }
    let folder = folder
    var lines = LineSink { (piece) throws(StageError) in
      let error = piece.write(to: descriptor)
      guard error == 0 else { throw Self.failure(in: folder, systemReason(error)) }
    }
    while let exchange = try next() { try lines.write { exchange.write(to: &$0) } }
    try lines.flush()
    guard lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw Self.failure(in: folder, systemReason(errno))
    }
    isHandedOver = true
    do throws(InputError) {
      return RecordSource(
        try ByteInput(descriptor: descriptor, path: path), batchSize: Self.batchSize,
        batchBytes: Self.batchBytes)
    } catch {
      throw Self.failure(in: folder, error.reason)
    }
  }

  private static func failure(in folder: String, _ reason: String) -> StageError {
    .cannotWrite(path: "temporary file in \(folder)", reason: reason)
  }
}
