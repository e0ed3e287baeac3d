import Foundation

/// Captures of other projects beside the checkout, which are not part of it.
enum SharedCaptures {
  /// The folder, where it exists.
  static let folder: URL? = {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let folder = package.deletingLastPathComponent().appendingPathComponent("shared/captures")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  static var areMissing: Bool { folder == nil }

  /// All captures, in order of their names.
  static func files() -> [String] {
    guard let folder,
      let walk = FileManager.default.enumerator(
        at: folder.appendingPathComponent("files"), includingPropertiesForKeys: nil)
    else { return [] }
    var paths: [String] = []
    for case let file as URL in walk
    where (try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) == true {
      paths.append(file.path)
    }
    return paths.sorted()
  }

  /// The lines of a table, split at tabs, without the one that names the columns.
  static func table(_ path: String) -> [[String]] {
    guard let folder, let data = try? Data(contentsOf: folder.appendingPathComponent(path)) else {
      return []
    }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst()
      .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
  }
}
