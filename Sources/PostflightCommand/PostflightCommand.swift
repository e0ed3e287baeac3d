internal import ArgumentParser
internal import Foundation
internal import Postflight

@main
struct PostflightCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "postflight",
    abstract: "Explains after the fact which cross-origin calls browsers blocked, and why.",
    discussion: """
      Reads packet captures and access logs, pairs CORS preflights with the requests that they \
      were for, replays the browser's verdict, and reports the calls that were blocked.

      Exit status: 0 done; 1 --fail-on holds; 2 done in part, some input was damaged; 3 nothing \
      could be judged; 64 usage; 65 a line is no record of the stage; 66 no input could be read; \
      73, 74 an output cannot be created or written.
      """,
    version: "0.1.0",
    subcommands: [
      AnalyzeCommand.self, ExtractCommand.self, ReplayCommand.self, ReportCommand.self,
      ExplainCommand.self, DoctorCommand.self, FormatsCommand.self,
    ])

  static func main() {
    Interruption.install()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch  where exitCode(for: error) == .validationFailure {
      // One line, like every other error.
      let help = CommandLine.arguments.dropFirst().first.flatMap { name in
        configuration.subcommands.first { $0.configuration.commandName == name }
      }
      let command = (help?.configuration.commandName).map { "postflight \($0)" } ?? "postflight"
      let lines = message(for: error).split(separator: "\n")
      let line = lines.first.map { $0.prefix(1).lowercased() + $0.dropFirst() } ?? "wrong usage"
      Terminal.say("\(line); see '\(command) --help'")
      Foundation.exit(EX_USAGE)
    } catch {
      exit(withError: error)
    }
  }
}

/// The statuses with which a run ends; where several apply, the first from the top counts.
enum ExitStatus: Int32 {
  case cannotCreate = 73
  case cannotWrite = 74
  case noInput = 66
  case notThatStage = 65
  case failOn = 1
  case partial = 2
  case nothingJudged = 3
  case done = 0

  /// The status of a stage that ended with an error.
  init(_ error: StageError) {
    switch error {
    case .noInput: self = .noInput
    case .notThatStage: self = .notThatStage
    case .cannotCreate: self = .cannotCreate
    case .cannotWrite: self = .cannotWrite
    }
  }
}

extension ParsableCommand {
  /// Runs a stage; what it throws becomes one line on standard error and an exit status.
  func withExitStatus(_ body: () throws -> ExitStatus) throws {
    let status: ExitStatus
    do {
      status = try body()
    } catch let error as StageError {
      Terminal.say(error.description)
      throw ExitCode(ExitStatus(error).rawValue)
    }
    if status != .done { throw ExitCode(status.rawValue) }
  }
}
