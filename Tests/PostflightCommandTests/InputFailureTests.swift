import Foundation
import Testing

/// Inputs that vanish, grow, lead astray or are the tool's own.
@Suite("Inputs that fail or mislead")
struct InputFailureTests {
  private func totals(_ workspace: Workspace, _ folder: String) throws -> [String: Int] {
    let bytes = Data(try workspace.text("\(folder)/summary.json").utf8)
    let summary = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    let totals = try #require(summary["totals"] as? [String: Any])
    return totals.compactMapValues { $0 as? Int }
  }

  @Test("a pipe is read from its beginning, under whatever name it comes")
  func pipes() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(40))
    let run = try CommandRun(
      ["analyze", workspace.at("p"), "--output", workspace.at("report")],
      shell: "mkfifo '\(workspace.at("p"))'; cat '\(log)' >'\(workspace.at("p"))' & \"$0\" \"$@\"")
    #expect(run.status == 0)
    #expect(try totals(workspace, "report")["blocked"] == 40)
  }

  /// Runs with a second input that holds the run up between looking at the first and reading it.
  private func holding(
    _ workspace: Workspace, _ change: String
  ) throws -> CommandRun {
    try CommandRun(
      [
        "analyze", workspace.at("a.log"), workspace.at("p"), "--output", workspace.at("report"),
        "--quiet",
      ],
      shell: "cd '\(workspace.path)'; mkfifo p; (exec 3>p; \(change); cat b.log >&3) & "
        + "exec \"$0\" \"$@\"")
  }

  @Test("an input that vanishes is named, and the report is made from the rest: 2")
  func vanished() throws {
    let workspace = try Workspace()
    try workspace.write("a.log", CORSLog.blocked(40))
    try workspace.write("b.log", CORSLog.line(second: 100))
    let run = try holding(workspace, "rm a.log")
    #expect(run.status == 2)
    #expect(run.errors.count == 1)
    #expect(run.errors.first?.hasSuffix("a.log: no such file or directory") == true)
    #expect(try totals(workspace, "report")["blocked"] == 1)
  }

  @Test("an input that grows meanwhile is read to where it ends then")
  func grows() throws {
    let workspace = try Workspace()
    try workspace.write("a.log", CORSLog.blocked(40))
    try workspace.write("b.log", CORSLog.line(second: 100))
    let run = try holding(workspace, "cat b.log b.log >>a.log")
    #expect(run.status == 0)
    #expect(try totals(workspace, "report")["blocked"] == 43)
  }

  @Test("half a line at the end of an input that grows is damage that is named: 2")
  func halfLine() throws {
    let workspace = try Workspace()
    try workspace.write("a.log", CORSLog.blocked(40))
    try workspace.write("b.log", CORSLog.line(second: 100))
    let run = try holding(workspace, "head -c 50 b.log >>a.log")
    #expect(run.status == 2)
    #expect(try totals(workspace, "report")["blocked"] == 41)
    #expect(try workspace.text("report/report.html").contains("the input ends inside a line"))
  }

  @Test(
    "an input that is emptied or replaced meanwhile, as rotation does, is named: 2",
    arguments: [
      (": >a.log", 1), ("mv a.log a.1; tail -n 3 a.1 >a.log", 4),
      ("head -c 700 a.log >a.2; cat a.2 >a.log", 2),
    ])
  func replaced(change: String, calls: Int) throws {
    let workspace = try Workspace()
    try workspace.write("a.log", CORSLog.blocked(1000))
    try workspace.write("b.log", CORSLog.line(second: 2000))
    let run = try holding(workspace, change)
    #expect(run.status == 2)
    #expect(run.errors.count == 1)
    #expect(
      run.errors.first?.hasSuffix(
        "a.log: became another file while this ran: what it held before was not read") == true)
    #expect(try totals(workspace, "report")["blocked"] == calls)
  }

  @Test("what a run writes into a folder that it reads is no input of it, nor of the next run")
  func outputInsideInput() throws {
    let workspace = try Workspace()
    try workspace.write("logs/a.log", CORSLog.blocked(40))
    for output in ["logs", "logs/report", "logs/other"] {
      for _ in 0..<2 {
        let run = try CommandRun([
          "analyze", workspace.at("logs"), "--output", workspace.at(output), "--calls",
          workspace.at("\(output)/calls.ndjson"),
        ])
        #expect(run.status == 0, "\(run.errors)")
        #expect(try totals(workspace, output)["blocked"] == 40)
      }
    }
    let run = try CommandRun(
      ["extract", workspace.at("logs")],
      shell: "exec \"$0\" \"$@\" >'\(workspace.at("logs/out.ndjson"))'")
    #expect(run.status == 0 && run.errors == [])
    let lines = try workspace.text("logs/out.ndjson").split(separator: "\n")
    #expect(lines.filter { $0.contains("\"postflight.exchange/1\"") }.count == 40)
  }

  @Test("a folder may hold links, pipes, devices and loops: none blocks, each is accounted for")
  func strangeFolder() throws {
    let workspace = try Workspace()
    try workspace.write("outside/b.log", CORSLog.line(second: 50))
    try workspace.write("logs/a.log", CORSLog.blocked(40))
    let files = FileManager.default
    for (name, target) in [
      ("loop", "."), ("self", "self"), ("device", "/dev/zero"), ("folder", "../outside"),
      ("b.log", "../outside/b.log"), ("again.log", "a.log"), ("gone.log", "nowhere"),
    ] {
      try files.createSymbolicLink(
        atPath: workspace.at("logs/\(name)"), withDestinationPath: target)
    }
    #expect(mkfifo(workspace.at("logs/pipe.log"), 0o600) == 0)
    let run = try CommandRun(["analyze", workspace.at("logs"), "--output", workspace.at("report")])
    #expect(run.status == 0 && run.errors == [])
    // The link to a file outside is followed, as folders of links to logs need it.
    #expect(try totals(workspace, "report")["blocked"] == 41)
    let summary = try workspace.text("report/summary.json")
    for name in ["pipe.log", "device", "loop", "self", "folder", "gone.log"] {
      #expect(summary.contains("\"input\":\"\(name)\""), "\(name)")
    }
  }

  @Test("folders that nest too deeply are named, and what lies above is read: 2")
  func deepFolders() throws {
    let workspace = try Workspace()
    func folder(_ depth: Int) -> String {
      "logs" + (0..<depth).map { "/\($0)" }.joined()
    }
    try workspace.write("\(folder(31))/a.log", CORSLog.blocked(3))
    try workspace.write("\(folder(32))/b.log", CORSLog.blocked(5))
    let run = try CommandRun(["analyze", workspace.at("logs"), "--output", workspace.at("report")])
    #expect(run.status == 2)
    #expect(run.errors.count == 1)
    #expect(run.errors.first?.contains("/31: folders nest deeper than 32") == true)
    #expect(try totals(workspace, "report")["blocked"] == 3)
    let rest = try CommandRun(
      ["analyze", workspace.at(folder(32)), "--output", workspace.at("rest")])
    #expect(rest.status == 0)
    #expect(try totals(workspace, "rest")["blocked"] == 5)
  }

  @Test("a name is shown, never sent: newlines, escape sequences, directions, markup")
  func strangeNames() throws {
    let workspace = try Workspace()
    let names = [
      "a\nb.log", "\u{1B}]0;owned\u{7}.log", "\u{1B}[31mred.log", "\u{202E}gol.exe.log",
      "=cmd|' /C calc'!A0.log", "<img src=x onerror=alert(1)>.log", "-rf.log",
    ]
    for (index, name) in names.enumerated() {
      try workspace.write("logs/\(name)", CORSLog.line(second: index))
    }
    try workspace.write("logs/empty\u{1B}[2J\n", "no log\n")
    let run = try CommandRun(
      ["analyze", workspace.at("logs"), "--output", workspace.at("report"), "--calls", "-"])
    #expect(run.status == 0)
    let error = try CommandRun(["analyze", workspace.at("logs/empty\u{1B}[2J\n")])
    #expect(error.status == 66 && error.errors.count == 1)
    var outputs = [run.output, run.errors.joined(), error.errors.joined()]
    for name in reportNames { outputs.append(try workspace.text("report/\(name)")) }
    for hostile: Unicode.Scalar in ["\u{1B}", "\u{202E}", "\u{7}"] {
      for output in outputs { #expect(!output.unicodeScalars.contains(hostile)) }
    }
    #expect(run.output.split(separator: "\n").count == names.count)
    #expect(try !workspace.text("report/report.html").contains("<img src"))
    #expect(try totals(workspace, "report")["blocked"] == names.count)
  }

  @Test("a name that is not UTF-8 is said, not passed over")
  func invalidName() throws {
    let workspace = try Workspace()
    try workspace.write("logs/a.log", CORSLog.blocked(3))
    let made = try CommandRun(
      [],
      shell:
        "cp '\(workspace.at("logs/a.log"))' \"$(printf '%s/b\\377.log' '\(workspace.at("logs"))')\""
    )
    #expect(made.status == 0)
    let run = try CommandRun(["analyze", workspace.at("logs"), "--output", workspace.at("report")])
    #expect(run.status == 2)
    #expect(run.errors.count == 1)
    #expect(run.errors.first?.contains("not valid UTF-8") == true)
    #expect(try totals(workspace, "report")["blocked"] == 3)
  }

  @Test("a copy of an input is used and warned of; the same file under two names counts once")
  func copies() throws {
    let workspace = try Workspace()
    let log = try workspace.write("x/a.log", CORSLog.blocked(4))
    try workspace.write("y/a.log", CORSLog.blocked(4))
    let copies = try CommandRun(
      ["analyze", workspace.at("x"), workspace.at("y"), "--output", workspace.at("report")])
    #expect(copies.status == 0)
    #expect(copies.errors.count == 1 && copies.errors[0].contains("as a copy has"))
    #expect(try totals(workspace, "report")["blocked"] == 4)
    let twice = try CommandRun(
      [
        "analyze", log, workspace.at("x/../x/a.log"), workspace.at("x"), "--output",
        workspace.at("r"),
      ])
    #expect(twice.status == 0 && twice.errors == [])
    #expect(try totals(workspace, "r")["blocked"] == 4)
  }

  @Test("300 logs of the same hour need few descriptors")
  func manyFiles() throws {
    let workspace = try Workspace()
    for number in 0..<300 {
      try workspace.write("logs/\(number).log", CORSLog.blocked(2, path: "/\(number)"))
    }
    let run = try CommandRun(
      ["analyze", workspace.at("logs"), "--output", workspace.at("report"), "--jobs", "2"],
      shell: "ulimit -n 80; exec \"$0\" \"$@\"")
    #expect(run.status == 0 && run.errors == [])
    #expect(try totals(workspace, "report")["blocked"] == 600)
  }
}
