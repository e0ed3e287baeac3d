internal import ArgumentParser
internal import Foundation
internal import IncidentReport
internal import Postflight

/// The main job.
struct AnalyzeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "analyze",
    abstract: "Reads captures and logs, and writes the report of what was blocked.")

  @OptionGroup var ingest: IngestArguments
  @OptionGroup var engine: EngineArguments
  @OptionGroup var filter: FilterArguments
  @OptionGroup var reporting: ReportArguments

  @Option(
    help: ArgumentHelp(
      "Write every call as NDJSON there, - for standard output.", valueName: "file"))
  var calls: String?

  @Flag(inversion: .prefixedNo, help: "Show how far the run is; by default on a terminal only.")
  var progress: Bool = Terminal.isTerminal(STDERR_FILENO)

  func run() throws {
    var options = try ingest.stageOptions()
    options.engine = engine.value
    options.filter = try filter.filter(ingest.timezone)
    options.report.writesCalls = calls != nil
    let callsToOutput = calls == "-"
    reporting.apply(to: &options, summaryToError: callsToOutput)
    let line = ProgressLine()
    if progress { options.onProgress = { line.show($0, $1) } }
    try withExitStatus {
      let folder = try OutputFolder(reporting.output)
      options.ownOutputs = try folder.openReport(calls: calls)
      let result = try analyze(options) { (file, bytes) throws(StageError) in
        if file == .calls, callsToOutput {
          try Terminal.write(bytes)
        } else {
          try folder.write(file.rawValue, path: file == .calls ? calls : nil, bytes)
        }
      }
      line.clear()
      try folder.commit()
      return try reporting.conclude(result, summaryToError: callsToOutput)
    }
  }
}

extension OutputFolder {
  /// Creates every file of a report, and gives those of an earlier one that they will replace.
  fileprivate func openReport(calls: String?) throws(StageError) -> Set<FileIdentity> {
    var earlier = Set([FileIdentity(descriptor: STDOUT_FILENO)].compactMap(\.self))
    for file in ReportFile.allCases {
      if file == .calls, calls == nil || calls == "-" { continue }
      if let identity = try open(file.rawValue, path: file == .calls ? calls : nil) {
        earlier.insert(identity)
      }
    }
    return earlier
  }
}

/// Calls in, report files out.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report", abstract: "Writes the report of calls that 'replay' judged.")

  @Argument(help: "Files of calls; - for standard input.")
  var files: [String] = ["-"]

  @OptionGroup var filter: FilterArguments
  @OptionGroup var reporting: ReportArguments

  @Option(
    help: ArgumentHelp(
      "Write every call as NDJSON there, with cause and incident.", valueName: "file"))
  var calls: String?

  func run() throws {
    var options = StageOptions(inputs: files)
    options.filter = try filter.filter(nil)
    options.report.writesCalls = calls != nil
    let callsToOutput = calls == "-"
    reporting.apply(to: &options, summaryToError: callsToOutput)
    try withExitStatus {
      let folder = try OutputFolder(reporting.output)
      options.ownOutputs = try folder.openReport(calls: calls)
      let result = try report(options) { (file, bytes) throws(StageError) in
        if file == .calls, callsToOutput {
          try Terminal.write(bytes)
        } else {
          try folder.write(file.rawValue, path: file == .calls ? calls : nil, bytes)
        }
      }
      try folder.commit()
      return try reporting.conclude(result, summaryToError: callsToOutput)
    }
  }
}
