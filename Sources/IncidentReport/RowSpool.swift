internal import FetchCORS
internal import Foundation

/// Holds rows until all traffic is known: in memory while they are few, else in a temporary file.
///
/// The file has no name as soon as it is open, so that nothing stays behind whatever happens.
final class RowSpool {
  /// Which file a row goes to.
  enum Kind: UInt8 {
    case blocked, undetermined, call
  }

  /// A row in pieces, between which late values belong.
  struct Row {
    var kind: Kind
    /// The number of the finding; 0 when it has none.
    var finding: UInt32
    /// Verdict, phase and reason as ``OverflowClass`` has them.
    var overflow: UInt8
    var pieces: [ArraySlice<UInt8>]
  }

  private static let bufferSize = 1 << 20
  private let folder: String
  private var buffer: [UInt8] = []
  private var file: FileHandle?
  private(set) var rowCount: UInt64 = 0

  /// A spool whose file, if it needs one, is made in that folder.
  init(folder: String) {
    self.folder = folder
  }

  /// Appends a row.
  func append(kind: Kind, finding: UInt32, overflow: UInt8, pieces: [[UInt8]]) throws(ReportError) {
    rowCount &+= 1
    buffer.append(kind.rawValue)
    buffer.append(overflow)
    buffer.append(UInt8(truncatingIfNeeded: pieces.count))
    put(UInt64(finding))
    for piece in pieces { put(UInt64(piece.count)) }
    for piece in pieces { buffer.append(contentsOf: piece) }
    if buffer.count >= Self.bufferSize { try flush() }
  }

  private func put(_ value: UInt64) {
    for shift in stride(from: 0, to: 64, by: 8) {
      buffer.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  private func flush() throws(ReportError) {
    do {
      let file = try self.file ?? open()
      self.file = file
      try file.write(contentsOf: buffer)
    } catch {
      throw ReportError("the temporary file in \(folder) cannot be written")
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private func open() throws -> FileHandle {
    let path = folder + "/.postflight-" + UUID().uuidString + ".rows"
    // C reads the path until it returns.
    let descriptor = unsafe Foundation.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ReportError("no temporary file") }
    _ = unsafe unlink(path)
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Gives every row in the order in which it came.
  func forEach(_ body: (Row) throws -> Void) throws {
    if let file {
      try flush()
      try file.seek(toOffset: 0)
    }
    var chunk: [UInt8] = file == nil ? buffer : []
    var start = 0
    while true {
      while let (row, end) = Self.row(in: chunk, at: start) {
        try body(row)
        start = end
      }
      guard let file, let more = try file.read(upToCount: Self.bufferSize), !more.isEmpty else {
        break
      }
      chunk.removeSubrange(..<start)
      start = 0
      chunk.append(contentsOf: more)
    }
    guard start == chunk.count else {
      throw ReportError("the temporary file in \(folder) was changed while it was in use")
    }
  }

  /// The row that begins at an index; `nil` when it does not end in these bytes.
  private static func row(in bytes: [UInt8], at start: Int) -> (Row, Int)? {
    guard bytes.count - start >= 11 else { return nil }
    func number(_ index: Int) -> Int {
      var value: UInt64 = 0
      for offset in (0..<8).reversed() { value = value << 8 | UInt64(bytes[index + offset]) }
      return Int(truncatingIfNeeded: value)
    }
    let count = Int(bytes[start + 2])
    var index = start + 11
    guard let kind = Kind(rawValue: bytes[start]), bytes.count - index >= count * 8 else {
      return nil
    }
    let finding = UInt32(truncatingIfNeeded: number(start + 3))
    let lengths = (0..<count).map { number(index + $0 * 8) }
    index += count * 8
    var pieces: [ArraySlice<UInt8>] = []
    for length in lengths {
      guard length >= 0, bytes.count - index >= length else { return nil }
      pieces.append(bytes[index..<index + length])
      index += length
    }
    return (Row(kind: kind, finding: finding, overflow: bytes[start + 1], pieces: pieces), index)
  }
}
