import Foundation
import Testing

/// The built `postflight`, run as a user runs it.
struct CommandRun {
  /// How the process ended: an exit status, or minus the signal that ended it.
  var status: Int32
  var output: String
  /// Lines on standard error.
  var errors: [String]

  /// Beside the tests, where the build puts the products.
  static let binary =
    Bundle.main.executableURL?.deletingLastPathComponent()
    .appendingPathComponent("postflight").path ?? "postflight"

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - arguments: what follows `postflight`.
  ///   - shell: a script that runs the binary as `"$0" "$@"`; `nil` runs it by itself.
  ///   - input: a file that standard input comes from.
  init(_ arguments: [String], shell: String? = nil, input: String = "/dev/null") throws {
    let running = try Running(arguments, shell: shell, input: input)
    self = try running.end()
  }

  fileprivate init(status: Int32, output: String, errors: [String]) {
    self.status = status
    self.output = output
    self.errors = errors
  }

  /// A command that has not ended yet.
  final class Running {
    let process = Process()
    private let folder: URL

    /// - Parameter standardInput: a pipe instead of a file.
    init(
      _ arguments: [String], shell: String? = nil, input: String = "/dev/null",
      standardInput: Pipe? = nil
    ) throws {
      folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("postflight-run-\(UUID().uuidString)", isDirectory: true)
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      // Files, not pipes: nothing waits for a reader.
      for name in ["output", "errors"] {
        _ = FileManager.default.createFile(
          atPath: folder.appendingPathComponent(name).path, contents: nil)
      }
      process.executableURL = URL(fileURLWithPath: shell == nil ? CommandRun.binary : "/bin/sh")
      process.arguments =
        shell.map { ["-c", $0, CommandRun.binary] + arguments } ?? arguments
      process.standardOutput = try FileHandle(
        forWritingTo: folder.appendingPathComponent("output"))
      process.standardError = try FileHandle(
        forWritingTo: folder.appendingPathComponent("errors"))
      process.standardInput =
        standardInput ?? FileHandle(forReadingAtPath: input) ?? FileHandle.nullDevice
      try process.run()
    }

    /// Waits until something holds, or half a minute has passed.
    func wait(until condition: () -> Bool) -> Bool {
      for _ in 0..<3000 where process.isRunning {
        if condition() { return true }
        usleep(10_000)
      }
      return condition()
    }

    /// Waits for the end; what does not end within two minutes is killed.
    func end() throws -> CommandRun {
      for _ in 0..<12000 where process.isRunning { usleep(10_000) }
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      defer { try? FileManager.default.removeItem(at: folder) }
      func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: folder.appendingPathComponent(name)), as: UTF8.self)
      }
      let status = process.terminationStatus
      return CommandRun(
        status: process.terminationReason == .uncaughtSignal ? -status : status,
        output: try text("output"),
        errors: try text("errors").split(separator: "\n").map(String.init))
    }
  }
}

/// A folder for one test, removed at its end.
final class Workspace {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("postflight-test-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a name in it.
  func at(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file, with the folders that it needs, and gives its path.
  @discardableResult
  func write(_ name: String, _ text: String) throws -> String {
    let file = URL(fileURLWithPath: at(name))
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return at(name)
  }

  func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: at(name))), as: UTF8.self)
  }

  /// The names in a folder of it, hidden ones too; `nil` when there is no such folder.
  func names(_ folder: String = "") -> [String]? {
    try? FileManager.default.contentsOfDirectory(atPath: at(folder)).sorted()
  }
}

/// Lines of the log format `nginx-cors`.
enum CORSLog {
  /// A `GET` of another page, blocked unless `allowOrigin` names it.
  static func line(
    second: Int = 0, path: String = "/a", origin: String = "http://page.test",
    allowOrigin: String = "-", referer: String? = nil
  ) -> String {
    "192.0.2.1 [2026-11-24T23:35:54+00:00] \(1_795_563_354 + second).000 0.000 http://api.test "
      + "\"GET \(path) HTTP/1.1\" 200 11 origin=\"\(origin)\" acrm=\"-\" acrh=\"-\" "
      + "fetch-mode=\"cors\" fetch-site=\"-\" fetch-dest=\"-\" content-type=\"-\" cookie=0 "
      + "authorization=0 acao=\"\(allowOrigin)\" acac=\"-\" acam=\"-\" acah=\"-\" max-age=\"-\" "
      + "vary=\"-\" location=\"-\" upstream=- cache=- xff=\"-\" ua=\"Mozilla/5.0 (X11; Linux x86_64) "
      + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36\" rid=-\n"
  }

  /// So many blocked calls, one a second.
  static func blocked(_ count: Int, path: String = "/a") -> String {
    (0..<count).map { line(second: $0, path: path) }.joined()
  }
}

/// The files of a report.
let reportNames = ["blocked.csv", "likely-blocked.csv", "report.html", "summary.json"]
