import Foundation
import Testing

/// Every way to use the command wrongly, as its user meets it.
@Suite("Errors are one line: which file, where in it, what is wrong, what to do")
struct ErrorMessageTests {
  struct Case: CustomTestStringConvertible {
    var testDescription: String
    /// `%` stands for the folder of the test.
    var arguments: [String]
    var status: Int32
    /// Parts of the one line, in this order.
    var says: [String]

    init(_ name: String, _ arguments: [String], _ status: Int32, _ says: String...) {
      testDescription = name
      self.arguments = arguments
      self.status = status
      self.says = says
    }
  }

  static let cases = [
    Case("no argument", ["analyze"], 64, "<input>", "postflight analyze --help"),
    Case("an unknown option", ["analyze", "%/a.log", "--bogus"], 64, "--bogus", "analyze --help"),
    Case("an unknown command", ["analyse"], 64, "analyse", "postflight --help"),
    Case(
      "a bad time", ["analyze", "%/a.log", "--since", "noon"], 64, "--since", "'noon'", "2026-"),
    Case("a bad zone", ["analyze", "%/a.log", "--timezone", "CET"], 64, "CET", "--timezone"),
    Case(
      "a bad number of threads", ["extract", "%/a.log", "--jobs", "0"], 64, "--jobs", "1 to 256"),
    Case("a bad condition", ["analyze", "%/a.log", "--fail-on", "x"], 64, "x", "--fail-on"),
    Case("a bad engine", ["replay", "--engine", "ie"], 64, "ie", "--engine"),
    Case("a bad pattern", ["analyze", "%/a.log", "--format", "$a$"], 64, "--format", "column 3"),
    Case("an unknown format", ["analyze", "%/a.log", "--format", "iis"], 64, "--format", "iis"),
    Case("no configuration", ["analyze", "%/a.log", "--format", "@%/no"], 64, "--format", "%/no"),
    Case("an unknown format to show", ["formats", "iis"], 64, "'iis'"),
    Case("a wrong path", ["analyze", "%/gone"], 66, "%/gone: no such file"),
    Case("an empty file", ["analyze", "%/empty"], 66, "%/empty: the file is empty"),
    Case("an empty folder", ["analyze", "%/void"], 66, "%/void: the folder holds no"),
    Case(
      "a folder of other things", ["analyze", "%/other"], 66, "2 files", "%/other/a.jpeg", "JPEG"),
    Case("a pattern without a match", ["analyze", "%/*.pcap"], 66, "%/*.pcap: no file fits"),
    Case("a picture", ["analyze", "%/other/a.jpeg"], 66, "a.jpeg: is no capture", "JPEG"),
    Case("an unknown log", ["analyze", "%/other/notes"], 66, "notes: is no capture", "--format"),
    Case(
      "an error log of nginx", ["analyze", "%/nginx-error"], 66, "%/nginx-error: ", "error log",
      "give the access log"),
    Case("an error log of Apache", ["analyze", "%/apache-error"], 66, "error log"),
    Case(
      "JSON without a method", ["analyze", "%/no-method"], 66, "nothing is known for method",
      "--format json:method=NAME"),
    Case(
      "JSON without a time", ["analyze", "%/no-time"], 66, "the log format json but tell no time",
      "Docker"),
    Case(
      "an array without a time", ["analyze", "%/no-time-array"], 66, "format json but tell no time"),
    Case(
      "a pattern without a time",
      ["analyze", "%/a.log", "--format", "$remote_addr $request $status"],
      66, "%/a.log", "the log format that was named"),
    Case(
      "a pattern without a time that fits",
      ["analyze", "%/no-time-text", "--format", "$remote_addr \"$request\" $status"], 66,
      "fit the log format pattern but tell no time"),
    Case(
      "NUL bytes alone", ["analyze", "%/nul"], 66, "%/nul: the file holds nothing but 70000 NUL"),
    Case("NUL bytes before records", ["replay", "%/nul-records"], 66, "3 NUL bytes", "tail -c +4"),
    Case(
      "a log that the named format does not fit",
      ["analyze", "%/a.log", "--format", "$remote_addr [$time_local] \"$request\" $status"],
      66,
      "%/a.log", "the log format that was named"),
    Case("no key log", ["analyze", "%/a.log", "--tls-keys", "%/gone"], 66, "%/gone: no such file"),
    Case(
      "a folder of keys", ["doctor", "%/a.log", "--tls-keys", "%/void"], 66, "%/void: is a dir"),
    Case("calls for replay", ["replay", "%/calls"], 65, "%/calls: line 1: ", "postflight.call/1"),
    Case(
      "exchanges for report", ["report", "%/exchanges"], 65, "line 1: ", "postflight.exchange/1"),
    Case("a log for replay", ["replay", "%/a.log"], 65, "%/a.log: line 1: ", "extract"),
    Case("a log for report", ["report", "%/a.log"], 65, "%/a.log: line 1: ", "replay"),
    Case("a damaged record", ["replay", "%/damaged"], 65, "%/damaged: line 2: "),
    Case(
      "calls as an input", ["analyze", "%/calls"], 65, "%/calls: line 1: ", "postflight.call/1"),
    Case("no such call", ["explain", "x@y#1.1", "%/calls"], 66, "%/calls", "x@y#1.1"),
    Case("no calls to explain", ["explain", "x@y#1.1", "%/gone"], 66, "%/gone: no such file"),
    Case("a log to explain", ["explain", "x@y#1.1", "%/a.log"], 65, "%/a.log: line 1: "),
  ]

  @Test("each names what it is about", arguments: cases)
  func message(_ example: Case) throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(3))
    try workspace.write("empty", "")
    try workspace.write(
      "nginx-error",
      "2026/11/23 18:54:34 [error] 31#31: *7 open() \"/x\" failed (2: No such file)\n")
    try workspace.write(
      "apache-error",
      "[Mon Nov 23 18:54:34.930123 2026] [core:error] [pid 7:tid 9] [client 203.0.113.9:1] AH00126\n"
    )
    let json = #"{"method":"GET","uri":"/a","status":200}"# + "\n"
    try workspace.write("no-time", json)
    try workspace.write("no-time-array", "[\(json)]")
    try workspace.write("no-time-text", "203.0.113.9 \"GET /a HTTP/1.1\" 200\n")
    try workspace.write(
      "no-method", #"{"time":"2026-11-23T18:54:34Z","uri":"/a","status":200}"# + "\n")
    try workspace.write("nul", String(repeating: "\0", count: 70_000))
    try workspace.write("other/notes", "nothing of interest\n")
    try Data([0xFF, 0xD8, 0xFF, 0xE0, 0, 16]).write(
      to: URL(fileURLWithPath: workspace.at("other/a.jpeg")))
    try FileManager.default.createDirectory(
      atPath: workspace.at("void"), withIntermediateDirectories: true)
    let exchanges = try CommandRun(["extract", log]).output
    let exchangeFile = try workspace.write("exchanges", exchanges)
    try workspace.write("nul-records", "\0\0\0" + exchanges)
    try workspace.write("calls", try CommandRun(["replay", exchangeFile]).output)
    let lines = exchanges.split(separator: "\n")
    try workspace.write("damaged", "\(lines[0])\n\(lines[1].dropLast(30))\n")

    let arguments = example.arguments.map {
      $0.replacingOccurrences(of: "%", with: workspace.path)
    }
    let output = ["analyze", "report"].contains(example.arguments[0])
    let run = try CommandRun(
      arguments + (output ? ["--output", workspace.at("report")] : []), input: "/dev/null")
    #expect(run.status == example.status)
    #expect(run.output == "")
    #expect(run.errors.count == 1, "\(run.errors)")
    var rest = Substring(run.errors.first ?? "")
    #expect(rest.hasPrefix("postflight: "))
    for part in example.says {
      let text = part.replacingOccurrences(of: "%", with: workspace.path)
      let range = rest.range(of: text)
      #expect(range != nil, "\(text) in: \(run.errors)")
      rest = rest[(range?.upperBound ?? rest.startIndex)...]
    }
    #expect(workspace.names("report") == nil)
  }

  @Test("what is wrong with one of several inputs is one line, and the rest is reported: 2")
  func oneOfSeveral() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(3))
    let run = try CommandRun(
      ["analyze", log, workspace.at("gone"), "--output", workspace.at("report")])
    #expect(run.status == 2)
    #expect(run.errors == ["postflight: \(workspace.at("gone")): no such file or directory"])
    #expect(workspace.names("report") == reportNames)
  }
}
