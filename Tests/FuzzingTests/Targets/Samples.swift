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
  var template = Array("\(memoryFolder)/postflight-fuzz-XXXXXX".utf8CString)
  let descriptor = mkstemp(&template)
  guard descriptor >= 0 else { throw Violation(description: "no file can be made") }
  let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  defer {
    close(descriptor)
    unlink(path)
  }
  var written = 0
  while written < bytes.count {
    let rest = bytes.from(written)
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    guard count > 0 else { throw Violation(description: "the file cannot be written") }
    written += count
  }
  return try body(path)
}

private let memoryFolder =
  FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
