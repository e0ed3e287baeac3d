internal import Bytes
internal import Foundation

// `unsafe` here: the C library reads a path until it returns, and writes one value of the type that it
// asks for, or a text that is copied at once.

/// The files that arguments name: themselves, all in a folder, all that fit a pattern.
struct InputFiles {
  struct File {
    /// `-` for standard input.
    var path: String
    /// Whether the user named it; it did not merely lie in a folder.
    var isNamed: Bool
  }

  /// Each file once, whatever names it was given under.
  private(set) var files: [File] = []
  /// Files that were met, known ones too.
  private var metCount = 0
  private var seen: Set<FileIdentity> = []
  private let outputs: Set<FileIdentity>
  /// Folders may nest this deep; links to folders are not followed, so that none is met twice.
  private static let maximumDepth = 32

  /// - Parameter outputs: files that this run writes; they are left out.
  init(
    _ arguments: [String], _ outputs: Set<FileIdentity>, _ problems: InputPlan.ProblemList
  ) {
    self.outputs = outputs
    for argument in arguments {
      if argument == "-" {
        let isKnown = files.contains { $0.path == "-" }
        if !isKnown { files.append(File(path: "-", isNamed: true)) }
        continue
      }
      var status = stat()
      if unsafe stat(argument, &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else {
          add(argument, isNamed: true, problems)
          continue
        }
        let before = metCount + problems.all.count
        addFolder(argument, depth: 0, problems)
        if metCount + problems.all.count == before {
          problems.all.append(
            InputProblem(
              path: argument, reason: "the folder holds no capture and no log", isNamed: true))
        }
      } else if argument.contains(where: { "*?[".contains($0) }) {
        let matches = Self.matches(argument)
        if matches.isEmpty {
          problems.all.append(
            InputProblem(path: argument, reason: "no file fits the pattern", isNamed: true))
        }
        for match in matches { add(match, isNamed: true, problems) }
      } else {
        problems.all.append(
          InputProblem(
            path: argument, reason: Self.reason(errno, of: argument), isNamed: true))
      }
    }
  }

  private mutating func add(
    _ path: String, isNamed: Bool, _ problems: InputPlan.ProblemList
  ) {
    metCount += 1
    if let identity = FileIdentity(path: path) {
      guard !outputs.contains(identity) else {
        problems.all.append(
          InputProblem(path: path, reason: "is an output of this run, and no input", isNamed: false)
        )
        return
      }
      guard seen.insert(identity).inserted else { return }
    }
    files.append(File(path: path, isNamed: isNamed))
  }

  private static func reason(_ error: Int32, of path: String) -> String {
    // Arguments and names are texts here: other bytes were replaced, and name no file any more.
    path.contains("\u{FFFD}")
      ? "its name is not valid UTF-8 and cannot be opened: rename it" : systemReason(error)
  }

  private mutating func addFolder(
    _ folder: String, depth: Int, _ problems: InputPlan.ProblemList
  ) {
    guard depth < Self.maximumDepth else {
      problems.all.append(
        InputProblem(
          path: folder, reason: "folders nest deeper than \(Self.maximumDepth): name it by itself",
          isNamed: true))
      return
    }
    guard let handle = unsafe opendir(folder) else {
      problems.all.append(
        InputProblem(
          path: folder,
          reason: "the folder cannot be read: \(systemReason(errno))",
          isNamed: true))
      return
    }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      let name = unsafe fileName(entry)
      if !name.hasPrefix("."), !Self.isUnfinished(name) { names.append(name) }
    }
    unsafe closedir(handle)
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    for name in names.sorted() {
      var status = stat()
      guard unsafe lstat(base + name, &status) == 0 else {
        // Nothing that lay in the folder is passed over without a word.
        problems.all.append(
          InputProblem(path: base + name, reason: Self.reason(errno, of: name), isNamed: true))
        continue
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: addFolder(base + name, depth: depth + 1, problems)
      case S_IFREG: add(base + name, isNamed: false, problems)
      case S_IFLNK:
        // A link to a file is a file; one to a folder could lead anywhere, and round in circles.
        if unsafe stat(base + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
          add(base + name, isNamed: false, problems)
        } else {
          problems.all.append(
            InputProblem(
              path: base + name, reason: "is a link to no file, and was not followed",
              isNamed: false))
        }
      default:
        // A pipe or device in a folder could block for ever.
        problems.all.append(
          InputProblem(path: base + name, reason: "is no regular file", isNamed: false))
      }
    }
  }

  /// Whether a name is that of an output that a run has not finished.
  private static func isUnfinished(_ name: String) -> Bool {
    guard let end = name.range(of: ".partial-", options: .backwards) else { return false }
    return end.upperBound < name.endIndex && name[end.upperBound...].allSatisfy(\.isNumber)
  }

  private static func matches(_ pattern: String) -> [String] {
    var result = unsafe glob_t()
    defer { unsafe globfree(&result) }
    guard unsafe glob(pattern, GLOB_NOSORT, nil, &result) == 0, let paths = unsafe result.gl_pathv
    else {
      return []
    }
    return unsafe (0..<Int(result.gl_pathc)).compactMap {
      unsafe paths[$0].map { unsafe String(cString: $0) }
    }.sorted()
  }
}
