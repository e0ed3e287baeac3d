import Foundation
import Testing

/// What reaches the disk, and in which order, as the system's calls show it.
@Suite("Reports reach the disk")
struct OutputFlushTests {
  /// Whether this machine lets the system calls of a process be followed.
  private static let canTrace: Bool = {
    let run = try? CommandRun([], shell: "strace -f -y -e trace=fsync -o /dev/null true")
    return run?.status == 0
  }()

  /// Runs the binary under `strace`.
  ///
  /// - Parameter injecting: a failure that a call shall have.
  /// - Returns: the run, and its calls of `fsync` and `rename` with their paths.
  private func traced(
    _ arguments: [String], _ workspace: Workspace, injecting failure: String? = nil
  ) throws -> (run: CommandRun, calls: [String]) {
    let injection = failure.map { "-e inject=\($0) " } ?? ""
    let run = try CommandRun(
      arguments,
      shell: "exec strace -f -qq -y -e trace=fsync,rename,renameat,renameat2 \(injection)"
        + "-e signal=none -o '\(workspace.at("trace"))' \"$0\" \"$@\"")
    let call = #/(fsync|rename)\w*\((.*)\) += (-?\d+)/#
    let calls = try workspace.text("trace").split(separator: "\n").compactMap { line in
      line.firstMatch(of: call).map { "\($0.1) \($0.2)" }
    }
    return (run, calls)
  }

  /// The name of a file without what tells the run apart.
  private func name(_ call: String) -> String? {
    call.firstMatch(of: #/([a-z-]+\.(csv|html|json|ndjson))/#).map { String($0.1) }
  }

  @Test(
    "files are flushed before they get their names, and the folders after that",
    .enabled(if: canTrace, "following system calls needs strace and a system that permits it"))
  func order() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(20))
    let (run, calls) = try traced(
      [
        "analyze", log, "--output", workspace.at("new/report"), "--calls",
        workspace.at("calls.ndjson"), "--quiet",
      ], workspace)
    #expect(run.status == 0)
    let names = Set(reportNames + ["calls.ndjson"])
    let count = names.count
    try #require(calls.count == 2 * count + 3, "\(calls)")
    let files = calls[..<count]
    #expect(files.allSatisfy { $0.hasPrefix("fsync") && $0.contains(".partial-") }, "\(files)")
    #expect(Set(files.compactMap(name)) == names)
    let renames = calls[count..<2 * count]
    #expect(renames.allSatisfy { $0.hasPrefix("rename") && $0.contains(".partial-") }, "\(renames)")
    #expect(Set(renames.compactMap(name)) == names)
    // The folder of the report, the one that it was made in, and that of the calls, which is the same
    // as the parent of both.
    let folders = Set(
      calls[(2 * count)...].compactMap { call in
        call.firstMatch(of: #/fsync \d+<(.*)>/#).map { String($0.1) }
      })
    let path = URL(fileURLWithPath: workspace.path).resolvingSymlinksInPath().path
    #expect(folders == [path, "\(path)/new", "\(path)/new/report"])
  }

  @Test(
    "what cannot be flushed has no name: 74, and the report before is left",
    .enabled(if: canTrace, "following system calls needs strace and a system that permits it"))
  func failingDisk() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(20))
    try workspace.write("report/report.html", "earlier")
    let (run, calls) = try traced(
      ["analyze", log, "--output", workspace.at("report")], workspace,
      injecting: "fsync:error=EIO:when=3")
    #expect(run.status == 74)
    #expect(
      run.errors.count == 1 && run.errors[0].hasSuffix("cannot be written: input/output error"))
    #expect(!calls.contains { $0.hasPrefix("rename") })
    #expect(workspace.names("report") == ["report.html"])
    #expect(try workspace.text("report/report.html") == "earlier")
  }
}
