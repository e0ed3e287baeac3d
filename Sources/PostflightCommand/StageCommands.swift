internal import ArgumentParser
internal import Foundation
internal import HTTPExchange
internal import Postflight

/// Ingest only.
struct ExtractCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Writes the exchanges that CORS could concern as NDJSON to standard output.")

  @OptionGroup var ingest: IngestArguments

  @Flag(help: "Write every exchange.")
  var all = false

  func run() throws {
    var options = try ingest.stageOptions()
    options.ingest.keepsAll = all
    try withExitStatus {
      options.ownOutputs = Set([FileIdentity(descriptor: STDOUT_FILENO)].compactMap(\.self))
      return try concludeStage(try extract(options, to: Terminal.write))
    }
  }
}

/// Exchanges in, calls out.
struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Reads exchanges that 'extract' wrote, and writes the calls with their verdicts.")

  @Argument(help: "Files of exchanges; - for standard input.")
  var files: [String] = ["-"]

  @OptionGroup var engine: EngineArguments
  @OptionGroup var filter: FilterArguments

  func run() throws {
    var options = StageOptions(inputs: files)
    options.engine = engine.value
    options.filter = try filter.filter(nil)
    try withExitStatus {
      options.ownOutputs = Set([FileIdentity(descriptor: STDOUT_FILENO)].compactMap(\.self))
      return try concludeStage(try replay(options, to: Terminal.write))
    }
  }
}

/// Names the inputs that could not be used, and gives the status of a stage.
private func concludeStage(_ result: StageResult) throws -> ExitStatus {
  for problem in result.problems where problem.isSaid { Terminal.say(problem.description) }
  return result.isPartial ? .partial : .done
}
