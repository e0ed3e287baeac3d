public import Bytes
internal import Foundation

// `unsafe` here: the C library reads a path until it returns, and writes one value of the type that it
// asks for, or a text that is copied at once.

/// Writes files that appear whole or not at all.
///
/// Each is written under a temporary name beside its place, flushed to the disk, and renamed when
/// all of them are complete. What is left of an interrupted run is removed, folders that were made
/// for it too; what a killed run left is removed by the next one.
public final class OutputFolder {
  private struct File {
    /// `nil` for a pipe or a device, which is written as it is.
    var temporary: String?
    var final: String
    var descriptor: Int32
  }

  private let folder: String
  /// Folders that were made, each of which is an entry of another one.
  private var made: [String] = []
  private var files: [File] = []
  private var index: [String: Int] = [:]

  /// Creates the folder where it is missing.
  ///
  /// - Throws: ``StageError/cannotCreate(path:reason:)``.
  public init(_ folder: String) throws(StageError) {
    self.folder = folder
    var missing: [String] = []
    var path = folder
    var status = stat()
    while !path.isEmpty, unsafe stat(path, &status) != 0, errno == ENOENT {
      missing.append(path)
      path = Self.parent(of: path)
      if path == "." { break }
    }
    if missing.isEmpty, unsafe stat(folder, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
      throw .cannotCreate(path: folder, reason: "a file of that name exists")
    }
    for path in missing.reversed() {
      if unsafe mkdir(path, 0o777) == 0 {
        made.append(path)
        UnfinishedOutput.shared.addFolder(path)
      } else if errno != EEXIST {
        let reason = systemReason(errno)
        UnfinishedOutput.shared.removeAll()
        throw .cannotCreate(path: folder, reason: reason)
      }
    }
  }

  deinit {
    discard()
  }

  /// A file of that name in a folder.
  public static func path(_ name: String, in folder: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  private static func parent(of path: String) -> String {
    var bytes = Substring(path)
    while bytes.hasSuffix("/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: "/") else { return "." }
    return slash == bytes.startIndex ? "/" : String(bytes[..<slash])
  }

  /// Creates a file before there is anything to write, so that a run that could not end well does not
  /// begin.
  ///
  /// - Parameter path: where it will appear; `nil` puts it into the folder under `name`.
  /// - Returns: the files that are there under the names, so that none of them is read as an input.
  @discardableResult
  public func open(_ name: String, path: String? = nil) throws(StageError) -> FileIdentity? {
    let final = path ?? Self.path(name, in: folder)
    if index[name] == nil {
      let file = try create(final, isGiven: path != nil)
      index[name] = files.count
      files.append(file)
    }
    return FileIdentity(path: final)
  }

  /// Appends bytes to a file, which is created when it is met first.
  ///
  /// - Parameter path: where it will appear; `nil` puts it into the folder under `name`.
  public func write(
    _ name: String, path: String? = nil, _ bytes: ByteView
  ) throws(StageError) {
    try open(name, path: path)
    guard let position = index[name] else { return }
    let error = bytes.write(to: files[position].descriptor)
    guard error == 0 else {
      throw .cannotWrite(path: files[position].final, reason: systemReason(error))
    }
  }

  /// - Parameter isGiven: whether the user wrote this very path: a link in it is then followed, while
  ///   one that lies in the folder is replaced.
  private func create(_ path: String, isGiven: Bool) throws(StageError) -> File {
    var final = path
    var status = stat()
    if unsafe isGiven ? stat(path, &status) == 0 : lstat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFDIR: throw .cannotCreate(path: path, reason: "a folder of that name exists")
      case S_IFREG:
        if isGiven, let target = unsafe realpath(path, nil) {
          final = unsafe String(cString: target)
          unsafe free(target)
        }
      case _ where isGiven:
        // Renaming would put a file in the place of the device.
        let descriptor = unsafe Foundation.open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw .cannotCreate(path: path, reason: systemReason(errno)) }
        return File(temporary: nil, final: path, descriptor: descriptor)
      default: break
      }
    }
    guard !files.contains(where: { $0.final == final }) else {
      throw .cannotCreate(path: path, reason: "another output has that name")
    }
    Self.removeLeftovers(of: final)
    let temporary = "\(final).partial-\(getpid())"
    UnfinishedOutput.shared.add(temporary)
    let descriptor = unsafe Foundation.open(
      temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else {
      // The temporary file of this process is there: under another spelling of the path.
      guard errno != EEXIST else {
        throw .cannotCreate(path: path, reason: "another output has that name")
      }
      let reason = systemReason(errno)
      UnfinishedOutput.shared.remove(temporary)
      throw .cannotCreate(path: path, reason: reason)
    }
    // Says to other runs that this one lives; where there are no locks, nothing is removed either.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
    return File(temporary: temporary, final: final, descriptor: descriptor)
  }

  /// Removes the temporary files of runs that were killed.
  private static func removeLeftovers(of final: String) {
    let folder = parent(of: final)
    guard let handle = unsafe opendir(folder) else { return }
    defer { unsafe closedir(handle) }
    let begin = (final.split(separator: "/").last.map(String.init) ?? final) + ".partial-"
    while let entry = unsafe readdir(handle) {
      let name = unsafe fileName(entry)
      guard name.hasPrefix(begin), name.dropFirst(begin.count).allSatisfy(\.isNumber) else {
        continue
      }
      let path = path(name, in: folder)
      let descriptor = unsafe Foundation.open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unsafe unlink(path) }
      close(descriptor)
    }
  }

  /// Makes every file appear under its name, for good: the folders are flushed as well.
  public func commit() throws(StageError) {
    for file in files {
      guard file.temporary == nil || fsync(file.descriptor) == 0 else {
        throw .cannotWrite(path: file.final, reason: systemReason(errno))
      }
    }
    try UnfinishedOutput.shared.complete { () throws(StageError) in
      for file in files {
        guard let temporary = file.temporary else { continue }
        guard unsafe rename(temporary, file.final) == 0 else {
          throw .cannotWrite(path: file.final, reason: systemReason(errno))
        }
      }
    }
    let changed = files.filter { $0.temporary != nil }.map(\.final) + made
    for folder in Set(changed.map(Self.parent)) {
      let descriptor = unsafe Foundation.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      // Some file systems cannot flush a folder, and say EINVAL.
      if fsync(descriptor) != 0, errno == EIO || errno == ENOSPC || errno == EDQUOT {
        let reason = systemReason(errno)
        close(descriptor)
        throw .cannotWrite(path: folder, reason: reason)
      }
      close(descriptor)
    }
    for file in files { close(file.descriptor) }
    files = []
    index = [:]
  }

  private func discard() {
    for file in files { close(file.descriptor) }
    files = []
    UnfinishedOutput.shared.removeAll()
  }
}

/// The name of a folder's entry; bytes that are no UTF-8 are replaced by U+FFFD.
func fileName(_ entry: UnsafeMutablePointer<dirent>) -> String {
  unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
    unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
  }
}

/// A file as the system knows it, whatever names it has.
public struct FileIdentity: Hashable, Sendable {
  private var device: UInt64
  private var inode: UInt64

  /// The regular file of that path, links followed; `nil` when there is none.
  public init?(path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// The regular file behind a descriptor; `nil` when it is something else.
  public init?(descriptor: Int32) {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init?(_ status: stat) {
    guard status.st_mode & S_IFMT == S_IFREG else { return nil }
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(truncatingIfNeeded: status.st_ino)
  }
}

/// What this process began to write and has not finished, for removing it when the run ends early.
public final class UnfinishedOutput: @unchecked Sendable {
  /// That of this process.
  public static let shared = UnfinishedOutput()

  private let lock = NSLock()
  private var files: Set<String> = []
  private var folders: [String] = []
  private var isComplete = false

  func add(_ path: String) {
    lock.withLock { _ = files.insert(path) }
  }

  func remove(_ path: String) {
    lock.withLock { _ = files.remove(path) }
  }

  /// Notes a folder that was made for the output; it is removed only when it is empty.
  func addFolder(_ path: String) {
    lock.withLock { folders.append(path) }
  }

  /// Gives everything its final name; an interruption comes before it or after it, not amid.
  func complete(_ rename: () throws(StageError) -> Void) throws(StageError) {
    lock.lock()
    defer { lock.unlock() }
    try rename()
    files = []
    folders = []
    isComplete = true
  }

  /// Removes everything that is not finished.
  func removeAll() {
    lock.withLock { removeLocked() }
  }

  private func removeLocked() {
    for path in files { unsafe unlink(path) }
    for path in folders.reversed() { unsafe rmdir(path) }
    files = []
    folders = []
  }

  /// Removes everything that is not finished, and lets nothing new be begun: the process is to end.
  ///
  /// - Returns: whether the output had its final names already.
  public func abandon() -> Bool {
    lock.lock()
    removeLocked()
    return isComplete
  }
}
