import Foundation
import Testing

/// What a run leaves behind, however it ends.
@Suite("Reports appear whole or not at all")
struct OutputTests {
  /// A run that has created its files and waits for more input.
  private func waiting(
    _ workspace: Workspace, output: String, shell: String? = nil
  ) throws -> (run: CommandRun.Running, input: Pipe) {
    let input = Pipe()
    let run = try CommandRun.Running(
      ["analyze", "-", "--output", workspace.at(output), "--no-progress"], shell: shell,
      standardInput: input)
    let path = workspace.at(output)
    let didBegin = run.wait {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.filter { $0.contains(".partial-") }.count == reportNames.count
    }
    #expect(didBegin)
    return (run, input)
  }

  @Test(
    "a signal ends the run as signals do, and nothing of it stays",
    arguments: [
      SIGINT, SIGTERM, SIGHUP,
    ])
  func interrupted(signal: Int32) throws {
    let workspace = try Workspace()
    let (run, input) = try waiting(workspace, output: "deep/report")
    kill(run.process.processIdentifier, signal)
    let result = try run.end()
    withExtendedLifetime(input) {}
    #expect(result.status == -signal)
    #expect(result.errors.count == 1 && result.errors[0].contains("interrupted"))
    #expect(workspace.names() == [])
  }

  @Test("an interrupted run leaves the report of the run before")
  func keepsEarlier() throws {
    let workspace = try Workspace()
    try workspace.write("report/report.html", "earlier")
    let (run, input) = try waiting(workspace, output: "report")
    kill(run.process.processIdentifier, SIGTERM)
    #expect(try run.end().status == -SIGTERM)
    withExtendedLifetime(input) {}
    #expect(try workspace.text("report/report.html") == "earlier")
    #expect(workspace.names("report") == ["report.html"])
  }

  @Test("what a killed run leaves has no final name, and the next run takes it away")
  func killed() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(3))
    let (run, input) = try waiting(workspace, output: "report")
    kill(run.process.processIdentifier, SIGKILL)
    #expect(try run.end().status == -SIGKILL)
    withExtendedLifetime(input) {}
    let left = try #require(workspace.names("report"))
    #expect(left.count == 4 && left.allSatisfy { $0.contains(".partial-") })
    let next = try CommandRun(["analyze", log, "--output", workspace.at("report")])
    #expect(next.status == 0)
    #expect(workspace.names("report") == reportNames)
  }

  @Test("a run takes nothing away from one that still writes")
  func livingNeighbour() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(3))
    let (run, input) = try waiting(workspace, output: "report")
    #expect(try CommandRun(["analyze", log, "--output", workspace.at("report")]).status == 0)
    #expect(workspace.names("report")?.count == 8)
    input.fileHandleForWriting.write(Data(CORSLog.blocked(7).utf8))
    try input.fileHandleForWriting.close()
    #expect(try run.end().status == 0)
    #expect(workspace.names("report") == reportNames)
    #expect(try workspace.text("blocked.csv".inReport).split(separator: "\r\n").count == 8)
  }

  @Test("a run that nohup protects from SIGHUP goes on")
  func nohup() throws {
    let workspace = try Workspace()
    let (run, input) = try waiting(
      workspace, output: "report", shell: "trap '' HUP; exec \"$0\" \"$@\"")
    kill(run.process.processIdentifier, SIGHUP)
    input.fileHandleForWriting.write(Data(CORSLog.blocked(7).utf8))
    try input.fileHandleForWriting.close()
    #expect(try run.end().status == 0)
  }

  @Test("a file that cannot grow is an output that cannot be written: 74, and nothing stays")
  func limitOfTheFileSize() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(30))
    try workspace.write("old/report.html", "earlier")
    for folder in ["new", "old"] {
      let run = try CommandRun(
        ["analyze", log, "--output", workspace.at(folder)], shell: "ulimit -f 1; exec \"$0\" \"$@\""
      )
      #expect(run.status == 74)
      #expect(run.errors.count == 1 && run.errors[0].contains(workspace.at(folder)))
      #expect(run.errors[0].hasSuffix("cannot be written: file too large"))
    }
    #expect(workspace.names() == ["a.log", "old"])
    #expect(workspace.names("old") == ["report.html"])
    #expect(try workspace.text("old/report.html") == "earlier")
  }

  /// Whether this machine lets the test mount file systems of its own.
  private static let canMount: Bool = {
    let run = try? CommandRun(
      [],
      shell: "d=$(mktemp -d) && mount -t tmpfs -o size=16k none \"$d\" && umount \"$d\"; s=$?; "
        + "rmdir \"$d\"; exit $s")
    return run?.status == 0
  }()

  @Test(
    "a full disk is an output that cannot be written: 74, and nothing stays",
    .enabled(if: canMount, "mounting a small file system needs root"))
  func fullDisk() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(300))
    try FileManager.default.createDirectory(
      atPath: workspace.at("disk"), withIntermediateDirectories: true)
    let run = try CommandRun(
      ["analyze", log, "--output", workspace.at("disk/report")],
      shell: "mount -t tmpfs -o size=64k none '\(workspace.at("disk"))' && \"$0\" \"$@\"; s=$?; "
        + "ls -A '\(workspace.at("disk"))'; umount '\(workspace.at("disk"))'; exit $s")
    #expect(run.status == 74)
    #expect(run.errors.count == 1)
    #expect(run.errors.first?.hasSuffix("cannot be written: no space left on device") == true)
    #expect(run.output == "")
  }

  @Test(
    "a read-only disk is an output that cannot be created: 73, before anything is read",
    .enabled(if: canMount, "mounting a small file system needs root"))
  func readOnly() throws {
    let workspace = try Workspace()
    try FileManager.default.createDirectory(
      atPath: workspace.at("disk"), withIntermediateDirectories: true)
    // Standard input never ends: a run that read it first would never come back.
    let input = Pipe()
    let run = try CommandRun.Running(
      ["analyze", "-", "--output", workspace.at("disk")],
      shell: "mount -t tmpfs -o ro none '\(workspace.at("disk"))' && \"$0\" \"$@\"; s=$?; "
        + "umount '\(workspace.at("disk"))'; exit $s", standardInput: input)
    let result = try run.end()
    withExtendedLifetime(input) {}
    #expect(result.status == 73)
    #expect(result.errors.count == 1)
    #expect(result.errors.first?.hasSuffix("cannot be created: read-only file system") == true)
  }

  @Test("an output that cannot be created is named with the reason: 73")
  func cannotBeCreated() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(1))
    try workspace.write("report/report.html/x", "")
    let cases: [([String], String)] = [
      (["--output", log], "a file of that name exists"),
      (["--output", log + "/x"], "not a directory"),
      (["--output", "/proc/postflight"], "no such file or directory"),
      (["--output", workspace.at("report")], "a folder of that name exists"),
      (["--output", workspace.at("r"), "--calls", workspace.at("no/calls")], "no such file"),
      (["--output", workspace.at("r"), "--calls", workspace.path], "a folder of that name exists"),
      (
        ["--output", workspace.at("r"), "--calls", workspace.at("r/blocked.csv")],
        "another output has that name"
      ),
    ]
    for (arguments, reason) in cases {
      let run = try CommandRun(["analyze", log] + arguments)
      #expect(run.status == 73)
      #expect(run.errors.count == 1 && run.errors[0].contains(reason), "\(run.errors)")
      #expect(workspace.names() == ["a.log", "report"])
      #expect(workspace.names("report") == ["report.html"])
    }
  }

  @Test("a run without an input leaves no folder behind: 66")
  func noInput() throws {
    let workspace = try Workspace()
    let run = try CommandRun(
      ["analyze", workspace.at("gone.log"), "--output", workspace.at("a/b/c")])
    #expect(run.status == 66)
    #expect(run.errors.count == 1)
    #expect(workspace.names() == [])
  }

  @Test(
    "a reader that closes the pipe is an output that cannot be written: 74, one line",
    arguments: [
      ["extract"], ["analyze", "--calls", "-"], ["doctor"],
    ])
  func closedPipe(arguments: [String]) throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(20))
    let output = arguments[0] == "analyze" ? ["--output", workspace.at("report")] : []
    // The reader is gone before the first byte.
    let run = try CommandRun(
      arguments + output + [log],
      shell: "{ { sleep 1; \"$0\" \"$@\"; echo $? >'\(workspace.at("status"))'; } | :; }")
    #expect(run.errors == ["postflight: standard output: cannot be written: broken pipe"])
    #expect(try workspace.text("status") == "74\n")
    #expect(workspace.names("report") == nil)
  }

  @Test(
    "a full device behind standard output cannot be written: 74, one line",
    .enabled(
      if: FileManager.default.fileExists(atPath: "/dev/full"), "the system has a full device"),
    arguments: [
      ["extract"], ["analyze", "--calls", "-"], ["analyze"], ["doctor"],
    ])
  func fullDevice(arguments: [String]) throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(20))
    let output = arguments[0] == "analyze" ? ["--output", workspace.at("report")] : []
    let run = try CommandRun(
      arguments + output + [log], shell: "exec \"$0\" \"$@\" >/dev/full")
    #expect(run.status == 74)
    #expect(
      run.errors == ["postflight: standard output: cannot be written: no space left on device"])
  }

  @Test("calls go to a pipe or a device as they are, and it stays what it is")
  func callsToPipe() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(5))
    let run = try CommandRun(
      [
        "analyze", log, "--output", workspace.at("report"), "--quiet", "--calls", workspace.at("p"),
      ],
      shell:
        "cd '\(workspace.path)'; mkfifo p; { \"$0\" \"$@\"; echo $? >status; } & cat p; "
        + "while [ ! -s status ]; do sleep 0.1; done; test -p p && exit $(cat status)")
    #expect(run.status == 0)
    #expect(run.output.split(separator: "\n").count == 5)
    #expect(workspace.names("report") == reportNames)
  }

  @Test("a link that the user names is followed, one that lies in the folder is replaced")
  func links() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(5))
    try workspace.write("report/keep", "")
    try workspace.write("target", "before")
    try workspace.write("precious", "before")
    try FileManager.default.createSymbolicLink(
      atPath: workspace.at("calls"), withDestinationPath: workspace.at("target"))
    try FileManager.default.createSymbolicLink(
      atPath: workspace.at("report/report.html"), withDestinationPath: workspace.at("precious"))
    let run = try CommandRun([
      "analyze", log, "--output", workspace.at("report"), "--calls", workspace.at("calls"),
    ])
    #expect(run.status == 0)
    #expect(try workspace.text("target").split(separator: "\n").count == 5)
    #expect(try workspace.text("precious") == "before")
    #expect(try workspace.text("report/report.html").hasPrefix("<!doctype html>"))
  }

  @Test("a closed standard stream is never mistaken for a file")
  func closedStreams() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(5))
    let report = ["analyze", log, "--output", workspace.at("report")]
    let noInput = try CommandRun(
      ["analyze", "-", "--output", workspace.at("r")], shell: "exec \"$0\" \"$@\" <&-")
    #expect(noInput.status == 66)
    #expect(noInput.errors == ["postflight: -: bad file descriptor"])
    let noOutput = try CommandRun(report, shell: "exec \"$0\" \"$@\" >&-")
    #expect(noOutput.status == 74)
    #expect(
      noOutput.errors == ["postflight: standard output: cannot be written: bad file descriptor"])
    let nothing = try CommandRun(report + ["--quiet"], shell: "exec \"$0\" \"$@\" <&- >&- 2>&-")
    #expect(nothing.status == 0)
    for name in reportNames {
      let text = try workspace.text(name.inReport)
      #expect(!text.contains("postflight:") && !text.contains("\nreport: "))
    }
  }
}

extension String {
  fileprivate var inReport: String { "report/\(self)" }
}
