import ArgumentParser

@main
struct PostflightCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "postflight")
}
