import Bytes
import Foundation
import InputBytes

/// Files of this repository that seeds are made of.
enum Samples {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Where a file of the repository is.
  static func path(_ path: String) -> String {
    folder.appendingPathComponent(path).path
  }

  /// The unpacked content of a file, or its beginning.
  static func bytes(_ path: String, limit: Int = .max) throws -> [UInt8] {
    let input = try ByteInput(path: self.path(path))
    var bytes: [UInt8] = []
    while bytes.count < limit, let buffer = try input.next() { bytes += buffer }
    return Array(bytes.prefix(limit))
  }

  /// The content of a file as it is stored.
  static func stored(_ path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: folder.appendingPathComponent(path)))
  }

  /// The first lines of a file, each with its end.
  static func lines(_ path: String, _ count: Int) throws -> [[UInt8]] {
    try bytes(path, limit: 1 << 20).split(separator: 0x0A).prefix(count).map { $0 + [0x0A] }
  }
}

/// Calls `body` with the path of a file that holds `bytes`, in memory where the system has a place
/// for that.
func withMemoryFile<Result>(
  _ bytes: ByteView, _ body: (String) throws -> Result
) throws -> Result {
  let file = try MemoryFiles.take()
  defer { MemoryFiles.give(back: file) }
  guard ftruncate(file.descriptor, 0) == 0 else {
    throw Violation(description: "the file cannot be emptied")
  }
  var written = 0
  while written < bytes.count {
    let count = bytes.from(written).withUnsafeBytes {
      pwrite(file.descriptor, $0.baseAddress, $0.count, off_t(written))
    }
    guard count > 0 else { throw Violation(description: "the file cannot be written") }
    written += count
  }
  return try body(file.path)
}

/// The files of ``withMemoryFile(_:_:)``.
enum MemoryFiles {
  struct File {
    let descriptor: CInt
    let path: String
  }

  /// Whether files are used again, as a process with one thread may.
  nonisolated(unsafe) static var areKept = false
  nonisolated(unsafe) private static var kept: [File] = []

  private static let folder =
    FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()

  static func take() throws -> File {
    if areKept, let file = kept.popLast() { return file }
    var template = Array("\(folder)/postflight-fuzz-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    guard descriptor >= 0 else { throw Violation(description: "no file can be made") }
    let path = template.dropLast().map { UInt8(bitPattern: $0) }
    return File(descriptor: descriptor, path: String(decoding: path, as: UTF8.self))
  }

  static func give(back file: File) {
    if areKept {
      kept.append(file)
    } else {
      close(file.descriptor)
      unlink(file.path)
    }
  }

  /// Takes away the files that were kept.
  static func removeAll() {
    areKept = false
    while let file = kept.popLast() { give(back: file) }
  }
}
