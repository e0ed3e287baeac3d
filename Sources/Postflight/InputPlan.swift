internal import AccessLog
internal import Bytes
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
  /// Whether it is read all the same: then this is a warning.
  public var isUsed = false

  /// Whether the user is told at once; of the rest the report tells.
  public var isSaid: Bool { isNamed || isUsed }

  /// One line: the path and what is wrong.
  public var description: String { "\(visible(path)): \(visible(reason))" }
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
    var opened: [OpenedSource] = []
  }

  /// - Parameters:
  ///   - arguments: files, folders, patterns, `-`.
  ///   - keys: secrets for the TLS connections of captures.
  ///   - outputs: files that the run writes itself.
  ///   - expectsRecords: whether only records of an earlier stage will do.
  init(
    _ arguments: [String], format: FormatChoice, options: IngestOptions,
    keys: TLSKeyFiles = TLSKeyFiles(), jobs: Int, outputs: Set<FileIdentity> = [],
    expectsRecords: Bool = false
  ) {
    problems.all += keys.problems
    let threads = ThreadBudget(jobs)
    for file in InputFiles(arguments, outputs, problems).files {
      add(file, format, options, keys.log, threads, expectsRecords)
    }
    if sources.count > OpenFiles.fewFiles { OpenFiles.raiseLimit() }
    warnOfCopies()
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
      input = try ByteInput(path: path, skipsNULs: true)
    } catch {
      refuse(error.reason)
      return
    }
    guard !input.head.isEmpty else {
      if input.leadingNULs > 0 {
        refuse(
          "the file holds nothing but \(input.leadingNULs) NUL bytes: what stood there was truncated or "
            + "never written")
      } else if input.compression != nil {
        refuse("the gzip file is damaged from its start, or holds nothing")
      } else {
        refuse("the file is empty")
      }
      return
    }
    if !file.isNamed, Self.isOwnOutput(input.head) {
      refuse("is a file of an earlier report or of 'replay', and no input")
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
    if case .log = kind {
    } else if input.leadingNULs > 0 {
      refuse(
        "\(input.leadingNULs) NUL bytes stand before what would be readable: cut them off with "
          + "tail -c +\(input.leadingNULs + 1)")
      return
    }
    kinds.append(kind)
    let firstTime: EventTime? =
      switch kind {
      case .capture: CaptureReader.firstTime(in: input.head)
      case .log(let format):
        LogReader.firstTime(
          in: input.head, format: format, options: options, writtenBy: input.writtenBy)
      case .records: Self.firstTime(ofRecords: input.head)
      }
    let isCapture = if case .capture = kind { true } else { false }
    let reorderWindow = if case .log = kind { ExchangeBatch.reorderWindow } else { Int64(0) }
    // A pipe cannot be opened again: what was read of it would be missing.
    let kept = input.isRegularFile ? nil : input
    let choice = format
    let (digest, count) = (input.digest, input.head.count)
    sources.append(
      PlannedSource(
        path: path, name: input.name, identity: input.source, firstTime: firstTime,
        isCapture: isCapture, reorderWindow: reorderWindow
      ) {
        () throws(StageError) -> (any ExchangeSource)? in
        let usesThread = kept == nil && threads.take()
        let again: ByteInput
        do throws(InputError) {
          if let kept {
            again = kept
          } else {
            again = try ByteInput(path: path, readsAhead: usesThread, skipsNULs: true)
          }
        } catch {
          problems.all.append(InputProblem(path: path, reason: error.reason, isNamed: true))
          return nil
        }
        if !again.goesOn(from: digest, of: count) {
          problems.all.append(
            InputProblem(
              path: path,
              reason: "became another file while this ran: what it held before was not read",
              isNamed: true, isUsed: true))
        }
        let source: any ExchangeSource =
          switch kind {
          case .capture: CaptureSource(again, options, keys)
          case .log(let format): LogSource(again, format, choice, options)
          case .records: RecordSource(again)
          }
        let opened = OpenedSource(
          usesThread ? PrefetchingSource(source) : source,
          atEnd: { if usesThread { threads.give() } })
        problems.opened.append(opened)
        return opened
      })
  }

  private static func recognize(_ head: [UInt8], _ format: FormatChoice) -> InputKind? {
    if CaptureReader.recognizes(head) { return .capture }
    if head.starts(with: Array("{\"schema\":\"postflight.".utf8)) { return .records }
    return LogReader.recognizes(head, choice: format).map(InputKind.log)
  }

  private static func firstTime(ofRecords head: [UInt8]) -> EventTime? {
    guard let end = head.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return head[..<end].withByteView { line in
      guard case .exchange(let exchange)? = try? StreamRecord(line: line) else { return nil }
      return exchange.time
    }
  }

  /// Whether a file that merely lies in a folder is what a later stage wrote.
  private static func isOwnOutput(_ head: [UInt8]) -> Bool {
    let begin = String(decoding: head.prefix(64), as: UTF8.self)
    let records = ["{\"schema\":\"postflight.exchange/", "{\"schema\":\"postflight.source/"]
    return begin.hasPrefix("time,verdict,likely,phase,hop,reason,")
      || (begin.hasPrefix("{\"schema\":\"postflight.") && !records.contains(where: begin.hasPrefix))
  }

  /// Says of inputs that begin with the same bytes under the same name that they may be copies: what
  /// both of them hold counts once.
  private func warnOfCopies() {
    var first: [String: String] = [:]
    for source in sources {
      guard let other = first[source.identity] else {
        first[source.identity] = source.path
        continue
      }
      problems.all.append(
        InputProblem(
          path: source.path,
          reason:
            "has the name and the beginning of \(other), as a copy has: what both hold counts "
            + "once", isNamed: false, isUsed: true))
    }
  }

  /// What an input that is neither a capture nor a log is, as far as its first bytes tell.
  private static func describe(_ head: [UInt8], _ format: FormatChoice) -> String {
    let magics: [([UInt8], String)] = [
      ([0xFF, 0xD8, 0xFF], "a JPEG picture"), ([0x89, 0x50, 0x4E, 0x47], "a PNG picture"),
      (Array("%PDF".utf8), "a PDF document"),
      (Array("<!doctype html".utf8), "an HTML page"),
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
    let pcap: [[UInt8]] = [
      [0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0xC3, 0xD4], [0x4D, 0x3C, 0xB2, 0xA1],
      [0xA1, 0xB2, 0x3C, 0x4D], [0x0A, 0x0D, 0x0D, 0x0A],
    ]
    if pcap.contains(where: { head.starts(with: $0) }) {
      return "begins like a capture, but its header is damaged or of an unknown version"
    }
    if let (_, what) = magics.first(where: { head.starts(with: $0.0) }) {
      return "is no capture and no access log but \(what)"
    }
    if let timeless = LogReader.recognizesTimeless(head, choice: format) {
      return
        "is no capture, and its lines fit the log format \(timeless.name) but tell no time: log "
        + "one, or give the lines with the time stamps that Docker, Kubernetes, the journal or syslog "
        + "keep beside them"
    }
    guard case .automatic = format else {
      return "is no capture, and no line of it fits the log format that was named"
    }
    if let missing = LogReader.missingMembers(in: head), !missing.isEmpty {
      let needed = missing.map { "\($0)=NAME" }.joined(separator: ",")
      return "is no capture, and its lines are JSON in which nothing is known for "
        + "\(missing.joined(separator: " and ")): name the members with --format json:\(needed) and those "
        + "of time, method, url and status beside them"
    }
    if isErrorLog(head) {
      return "is no access log but a server's error log: give the access log beside it"
    }
    return "is no capture, and no line of it fits a log format that is known: name one with "
      + "--format (a name, a 'pattern', or @ and the server's configuration file)"
  }

  /// Whether the first line is one of an error log: `2026/11/23 18:54:34 [error] 31#31: …` of nginx,
  /// `[Mon Nov 23 18:54:34.930 2026] [core:error] [pid 7] …` of Apache.
  private static func isErrorLog(_ head: [UInt8]) -> Bool {
    let line = String(decoding: head.prefix { $0 != 0x0A }.prefix(200), as: UTF8.self)
    let words = line.split(separator: " ")
    guard words.count > 5 else { return false }
    if words[2].hasPrefix("["), words[2].hasSuffix("]"), words[3].contains("#") {
      return words[0].split(separator: "/").count == 3 && words[3].hasSuffix(":")
    }
    return words[0].hasPrefix("[") && words[4].hasSuffix("]") && words[5].hasPrefix("[")
      && words[5].contains(":") && line.contains("[pid ")
  }
}

/// How many sources may run on threads of their own.
final class ThreadBudget {
  private var left: Int

  init(_ jobs: Int) {
    left = jobs > 1 ? jobs : 0
  }

  /// Gives a thread back.
  func give() {
    left += 1
  }

  /// Takes a thread, if one is left.
  func take() -> Bool {
    guard left > 0 else { return false }
    left -= 1
    return true
  }
}
