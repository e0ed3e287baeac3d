internal import Foundation

/// Calls `body` with the path of a file that holds `bytes`, and removes it afterwards.
public func withTemporaryFile<Result>(
  _ bytes: [UInt8], named name: String = "input", _ body: (String) throws -> Result
) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("postflight-\(UUID().uuidString)", isDirectory: true)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let file = folder.appendingPathComponent(name)
  try Data(bytes).write(to: file)
  return try body(file.path)
}

/// Calls `body` with the path of a folder that holds those files, and removes it afterwards.
public func withTemporaryFolder<Result>(
  _ files: [(name: String, bytes: [UInt8])], _ body: (String) throws -> Result
) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("postflight-\(UUID().uuidString)", isDirectory: true)
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for file in files { try Data(file.bytes).write(to: folder.appendingPathComponent(file.name)) }
  return try body(folder.path)
}
