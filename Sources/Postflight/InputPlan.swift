internal import AccessLog
internal import Foundation
internal import HTTPExchange
internal import InputBytes
internal import PacketCapture

/// An input that could not be used, with the reason for the user.
public struct InputProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// As the user gave it, or as it was found in a folder.
  public var path: String
  /// In lower case, without a full stop; says what to do where something can be done.
  public var reason: String
  /// Whether the user named it; what merely lay in a folder is no failure.
  public var isNamed: Bool

  /// One line: the path and what is wrong.
  public var description: String { "\(path): \(reason)" }
}

/// Which inputs there are, what each is, and in which order they are opened.
struct InputPlan {
  /// In the order of their first record, then of their name.
  private(set) var sources: [PlannedSource] = []
  /// Shared with the sources, which note there what goes wrong later.
  let problems = ProblemList()
  private(set) var kinds: [InputKind] = []

  /// Problems that are found while the stage runs.
  final class ProblemList {
    var all: [InputProblem] = []
    var opened: [any ExchangeSource] = []
  }

  /// - Parameters:
  ///   - arguments: files, folders, patterns, `-`.
  ///   - keys: secrets for the TLS connections of captures.
  ///   - expectsRecords: whether only records of an earlier stage will do.
  init(
    _ arguments: [String], format: FormatChoice, options: IngestOptions,
    keys: TLSKeyFiles = TLSKeyFiles(), jobs: Int, expectsRecords: Bool = false
  ) {
    problems.all += keys.problems
    let threads = ThreadBudget(jobs)
    var seen: Set<String> = []
    for file in InputFiles(arguments, problems).files {
      let identity = realPath(file.path)
      guard file.path == "-" || seen.insert(identity).inserted else { continue }
      add(file, format, options, keys.log, threads, expectsRecords)
    }
    if sources.count > OpenFiles.fewFiles { OpenFiles.raiseLimit() }
    sources.sort {
      let (first, second) = (
        $0.firstTime ?? EventTime(nanoseconds: .min), $1.firstTime ?? EventTime(nanoseconds: .min)
      )
      return first == second ? ($0.name, $0.path) < ($1.name, $1.path) : first < second
    }
  }

  private mutating func add(
    _ file: InputFiles.File, _ format: FormatChoice, _ options: IngestOptions,
    _ keys: TLSKeyLog, _ threads: ThreadBudget, _ expectsRecords: Bool
  ) {
    let path = file.path
    let problems = problems
    func refuse(_ reason: String) {
      problems.all.append(InputProblem(path: path, reason: reason, isNamed: file.isNamed))
    }
    let input: ByteInput
    do throws(InputError) {
      input = try ByteInput(path: path)
    } catch {
      refuse(error.reason)
      return
    }
    guard !input.head.isEmpty else {
      if input.compression != nil {
        refuse("the gzip file is damaged from its start, or holds nothing")
      } else {
        refuse("the file is empty")
      }
      return
    }
    let kind: InputKind
    if expectsRecords {
      kind = .records
    } else if let recognized = Self.recognize(input.head, format) {
      kind = recognized
    } else {
      refuse(Self.describe(input.head, format))
      return
    }
    kinds.append(kind)
    let firstTime: EventTime? =
      switch kind {
      case .capture: CaptureReader.firstTime(in: input.head)
      case .log(let format): LogReader.firstTime(in: input.head, format: format, options: options)
      case .records: Self.firstTime(ofRecords: input.head)
      }
    // Standard input cannot be opened again.
    let kept = path == "-" ? input : nil
    let choice = format
    sources.append(
      PlannedSource(path: path, name: input.name, firstTime: firstTime) {
        () throws(StageError) -> (any ExchangeSource)? in
        let usesThread = threads.take()
        let again: ByteInput
        do throws(InputError) {
          if let kept {
            again = kept
          } else {
            again = try ByteInput(path: path, readsAhead: usesThread)
          }
        } catch {
          problems.all.append(InputProblem(path: path, reason: error.reason, isNamed: true))
          return nil
        }
        let source: any ExchangeSource =
          switch kind {
          case .capture: CaptureSource(again, options, keys)
          case .log(let format): LogSource(again, format, choice, options)
          case .records: RecordSource(again)
          }
        let ending = EndingSource(source)
        problems.opened.append(ending)
        return usesThread ? PrefetchingSource(ending, onEnd: threads.give) : ending
      })
  }

  private static func recognize(_ head: [UInt8], _ format: FormatChoice) -> InputKind? {
    if CaptureReader.recognizes(head) { return .capture }
    if head.starts(with: Array("{\"schema\":\"postflight.".utf8)) { return .records }
    return LogReader.recognizes(head, choice: format).map(InputKind.log)
  }

  private static func firstTime(ofRecords head: [UInt8]) -> EventTime? {
    guard let end = head.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return head[..<end].withUnsafeBytes { line in
      guard case .exchange(let exchange)? = try? StreamRecord(line: line) else { return nil }
      return exchange.time
    }
  }

  /// What an input that is neither a capture nor a log is, as far as its first bytes tell.
  private static func describe(_ head: [UInt8], _ format: FormatChoice) -> String {
    let magics: [([UInt8], String)] = [
      ([0xFF, 0xD8, 0xFF], "a JPEG picture"), ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"),
      (Array("%PDF".utf8), "a PDF document"),
      (Array("PK\u{3}\u{4}".utf8), "a ZIP archive: unpack it first"),
      ([0x28, 0xB5, 0x2F, 0xFD], "compressed with zstd: unpack it with zstd -d first"),
      ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "compressed with xz: unpack it with xz -d first"),
      (Array("BZh".utf8), "compressed with bzip2: unpack it with bzip2 -d first"),
      (
        Array("GMBU".utf8),
        "a Microsoft Network Monitor capture: convert it with editcap -F pcapng first"
      ),
      (Array("snoop\0".utf8), "a snoop capture: convert it with editcap -F pcapng first"),
      ([0x7F, 0x45, 0x4C, 0x46], "a program"),
    ]
    if let (_, what) = magics.first(where: { head.starts(with: $0.0) }) {
      return "is no capture and no access log but \(what)"
    }
    if case .automatic = format {
      return "is no capture, and no line of it fits a log format that is known: name one with "
        + "--format (a name, a 'pattern', or @ and the server's configuration file)"
    }
    return "is no capture, and no line of it fits the log format that was named"
  }
}

/// How many sources may run on threads of their own.
final class ThreadBudget {
  private var left: Int

  init(_ jobs: Int) {
    left = jobs > 1 ? jobs : 0
  }

  /// Takes a thread, if one is left.
  func take() -> Bool {
    guard left > 0 else { return false }
    left -= 1
    return true
  }

  /// Gives a thread back.
  func give() {
    left += 1
  }
}

private func realPath(_ path: String) -> String {
  guard let resolved = realpath(path, nil) else { return path }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// The files that arguments name: themselves, all in a folder, all that fit a pattern.
struct InputFiles {
  struct File {
    var path: String
    var isNamed: Bool
  }

  private(set) var files: [File] = []
  /// Folders may nest this deep; links to folders are not followed, so that none is met twice.
  private static let maximumDepth = 32

  init(_ arguments: [String], _ problems: InputPlan.ProblemList) {
    for argument in arguments {
      if argument == "-" {
        files.append(File(path: "-", isNamed: true))
        continue
      }
      var status = stat()
      if stat(argument, &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else {
          files.append(File(path: argument, isNamed: true))
          continue
        }
        let before = files.count
        addFolder(argument, depth: 0, problems)
        if files.count == before {
          problems.all.append(
            InputProblem(path: argument, reason: "the folder holds no file", isNamed: true))
        }
      } else if argument.contains(where: { "*?[".contains($0) }) {
        let matches = Self.matches(argument)
        if matches.isEmpty {
          problems.all.append(
            InputProblem(path: argument, reason: "no file fits the pattern", isNamed: true))
        }
        files += matches.map { File(path: $0, isNamed: true) }
      } else {
        problems.all.append(
          InputProblem(
            path: argument, reason: String(cString: strerror(errno)).lowercased(), isNamed: true))
      }
    }
  }

  private mutating func addFolder(
    _ folder: String, depth: Int, _ problems: InputPlan.ProblemList
  ) {
    guard depth < Self.maximumDepth, let handle = opendir(folder) else {
      problems.all.append(
        InputProblem(path: folder, reason: "the folder cannot be read", isNamed: true))
      return
    }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    closedir(handle)
    let base = folder.hasSuffix("/") ? folder : folder + "/"
    for name in names.sorted() {
      var status = stat()
      guard lstat(base + name, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: addFolder(base + name, depth: depth + 1, problems)
      case S_IFREG: files.append(File(path: base + name, isNamed: false))
      case S_IFLNK:
        // A link to a file is a file; one to a folder could lead anywhere, and round in circles.
        if stat(base + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
          files.append(File(path: base + name, isNamed: false))
        }
      default:
        // A pipe or device in a folder could block for ever.
        problems.all.append(
          InputProblem(path: base + name, reason: "is no regular file", isNamed: false))
      }
    }
  }

  private static func matches(_ pattern: String) -> [String] {
    var result = glob_t()
    defer { globfree(&result) }
    guard glob(pattern, GLOB_NOSORT, nil, &result) == 0, let paths = result.gl_pathv else {
      return []
    }
    return (0..<Int(result.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }.sorted()
  }
}
