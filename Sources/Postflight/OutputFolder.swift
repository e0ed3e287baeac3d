internal import Foundation

/// Writes files that appear whole or not at all.
///
/// Each is written under a temporary name beside its place, flushed to the disk, and renamed when
/// all of them are complete. What is left of an interrupted run is removed.
public final class OutputFolder {
  private let folder: String
  private var files: [(temporary: String, final: String, descriptor: Int32)] = []
  private var index: [String: Int] = [:]

  /// Creates the folder where it is missing.
  ///
  /// - Throws: ``StageError/cannotCreate(path:reason:)``.
  public init(_ folder: String) throws(StageError) {
    self.folder = folder
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
    } catch {
      var status = stat()
      let reason =
        stat(folder, &status) == 0 && status.st_mode & S_IFMT != S_IFDIR
        ? "a file of that name exists" : String(cString: strerror(errno)).lowercased()
      throw .cannotCreate(path: folder, reason: reason)
    }
  }

  deinit {
    discard()
  }

  /// A file of that path instead of a name in the folder.
  public static func path(_ name: String, in folder: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// Appends bytes to a file, which is created when it is met first.
  ///
  /// - Parameter path: where it will appear; `nil` puts it into the folder under `name`.
  public func write(
    _ name: String, path: String? = nil, _ bytes: UnsafeRawBufferPointer
  ) throws(StageError) {
    let final = path ?? Self.path(name, in: folder)
    let position: Int
    if let known = index[final] { position = known } else { position = try create(final) }
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(files[position].descriptor, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotWrite(path: final, reason: String(cString: strerror(errno)).lowercased())
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  private func create(_ final: String) throws(StageError) -> Int {
    let temporary = "\(final).partial-\(getpid())"
    PartialFiles.shared.add(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else {
      throw .cannotCreate(path: final, reason: String(cString: strerror(errno)).lowercased())
    }
    files.append((temporary, final, descriptor))
    index[final] = files.count - 1
    return files.count - 1
  }

  /// Makes every file appear under its name.
  public func commit() throws(StageError) {
    for file in files {
      guard fsync(file.descriptor) == 0, close(file.descriptor) == 0 else {
        throw .cannotWrite(path: file.final, reason: String(cString: strerror(errno)).lowercased())
      }
    }
    for file in files {
      guard rename(file.temporary, file.final) == 0 else {
        throw .cannotWrite(path: file.final, reason: String(cString: strerror(errno)).lowercased())
      }
      PartialFiles.shared.remove(file.temporary)
    }
    files = []
    index = [:]
  }

  private func discard() {
    for file in files {
      close(file.descriptor)
      unlink(file.temporary)
      PartialFiles.shared.remove(file.temporary)
    }
    files = []
  }
}

/// The temporary files that exist now, for removing them when the run is interrupted.
public final class PartialFiles: @unchecked Sendable {
  /// Those of this process.
  public static let shared = PartialFiles()

  private let lock = NSLock()
  private var paths: Set<String> = []

  /// Notes a file that is about to be created.
  func add(_ path: String) {
    lock.withLock { _ = paths.insert(path) }
  }

  /// Forgets a file that has its final name, or is gone.
  func remove(_ path: String) {
    lock.withLock { _ = paths.remove(path) }
  }

  /// Removes them all.
  public func removeAll() {
    lock.withLock {
      for path in paths { unlink(path) }
      paths = []
    }
  }
}
