internal import ArgumentParser
internal import Foundation
internal import Postflight

/// One call, step by step.
struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Explains one call step by step through the standard, from a file of calls alone.")

  @Argument(help: "The identifier of one of its exchanges: a preflightId or requestId.")
  var id: String

  @Argument(help: "A file of calls that --calls or 'replay' wrote; - for standard input.")
  var calls: String

  func run() throws {
    try withExitStatus {
      guard let lines = try explain(id, in: calls) else {
        Terminal.say("\(calls): no call has an exchange with the identifier \(id)")
        return .noInput
      }
      try Terminal.write(lines.joined(separator: "\n") + "\n", toError: false)
      return .done
    }
  }
}

/// The log formats that are known.
struct FormatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "formats",
    abstract: "Lists the log formats that are known, with what each records and how faithfully.")

  @Argument(help: "Show only this format.")
  var name: String?

  @Flag(help: "Print the configuration that makes the server write it.")
  var config = false

  func run() throws {
    try withExitStatus {
      guard let text = formatsText(name: name, showsConfiguration: config) else {
        throw ValidationError(
          "no format is called '\(name ?? "")': 'postflight formats' lists them")
      }
      try Terminal.write(text, toError: false)
      return .done
    }
  }
}

/// What this evidence can and cannot decide.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what the evidence can and cannot decide, and what to log to decide more.")

  @OptionGroup var ingest: IngestArguments
  @OptionGroup var engine: EngineArguments

  func run() throws {
    var options = try ingest.stageOptions()
    options.engine = engine.value
    try withExitStatus {
      let (lines, result) = try doctor(options)
      try Terminal.write(lines.joined(separator: "\n") + "\n", toError: false)
      for problem in result.problems where problem.isSaid { Terminal.say(problem.description) }
      if result.isPartial { return .partial }
      return result.isJudgeable ? .done : .nothingJudged
    }
  }
}
