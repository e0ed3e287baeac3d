internal import AccessLog
internal import ArgumentParser
internal import FetchCORS
internal import Foundation
internal import HTTPExchange
internal import IncidentReport
internal import Postflight

/// How inputs are read.
struct IngestArguments: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Captures and access logs, plain or gzip; folders, patterns, or - for standard input.",
      valueName: "input"))
  var inputs: [String]

  @Option(
    help: ArgumentHelp(
      "A log format: a name (see 'postflight formats'), a 'pattern', or @FILE, a server's "
        + "configuration of which the format that fits is taken. Logs of other programs: "
        + "'json:time=t,method=verb,url=http.uri,status=code,origin=headers.origin', where a dot "
        + "leads into an object; 'csv:time,client,method,url,status,origin,-' for columns in that "
        + "order, or 'csv:time=when,method=verb,url=uri' by the names in the first line ('tsv:' "
        + "alike); 'w3c:origin=cs-custom' for columns of your own. Without it the format is "
        + "recognised from the lines.", valueName: "format"))
  var format: String?

  @Option(
    help: ArgumentHelp(
      "A TLS key log (SSLKEYLOGFILE) that decrypts captures; may be given several times.",
      valueName: "file"))
  var tlsKeys: [String] = []

  @Flag(help: "Take scheme, host and client from forwarding headers.")
  var trustForwarded = false

  @Option(
    help: ArgumentHelp(
      "The offset of time stamps that name none, and of --since and --until: Z, +02:00.",
      valueName: "offset"))
  var timezone: UTCOffset?

  @Flag(help: "Replace client addresses by tokens, the same everywhere.")
  var anonymizeClients = false

  @Option(help: "Threads that read and parse.")
  var jobs = max(1, min(ProcessInfo.processInfo.activeProcessorCount, 16))

  func validate() throws {
    guard jobs >= 1, jobs <= 256 else { throw ValidationError("--jobs takes 1 to 256") }
    guard !inputs.isEmpty else { throw ValidationError("name at least one input") }
  }

  /// What the stages are told.
  func stageOptions() throws -> StageOptions {
    var options = StageOptions(inputs: inputs)
    if let format {
      do throws(FormatError) {
        options.format = try FormatChoice(argument: format)
      } catch {
        throw ValidationError("--format: \(error.description)")
      }
    }
    options.tlsKeyFiles = tlsKeys
    options.ingest.trustsForwarded = trustForwarded
    options.ingest.secondsFromUTC = timezone?.seconds ?? 0
    options.jobs = jobs
    options.anonymizesClients = anonymizeClients
    return options
  }
}

/// How calls are judged.
struct EngineArguments: ParsableArguments {
  enum Choice: String, CaseIterable, ExpressibleByArgument {
    case auto, standard, chromium, firefox, webkit
  }

  @Option(help: "Whose rules hold; auto takes the engine that the user agent names.")
  var engine = Choice.auto

  var value: Engine? { Engine(rawValue: engine.rawValue) }
}

/// What a report is narrowed to.
struct FilterArguments: ParsableArguments {
  @Option(help: ArgumentHelp("Calls from this time on, RFC 3339 or a date.", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("Calls before this time, RFC 3339 or a date.", valueName: "time"))
  var until: String?

  @Option(help: "Calls of pages of this origin.")
  var origin: String?

  @Option(help: "Calls to URLs that begin with this, or hold it when it is no whole URL.")
  var url: String?

  @Option(help: ArgumentHelp("Calls of this client.", valueName: "address"))
  var client: String?

  func filter(_ offset: UTCOffset?) throws -> CallFilter {
    var filter = CallFilter()
    filter.since = try since.map { try Self.time($0, "--since", offset) }
    filter.until = try until.map { try Self.time($0, "--until", offset) }
    filter.origin = origin
    filter.url = url
    filter.client = client
    return filter
  }

  private static func time(
    _ text: String, _ option: String, _ offset: UTCOffset?
  ) throws -> EventTime {
    let zone = offset?.text ?? "Z"
    // A date alone, a time without seconds, a time without a zone.
    for candidate in [text, text + zone, "\(text):00\(zone)", "\(text)T00:00:00\(zone)"] {
      if let time = EventTime(rfc3339: candidate) { return time }
    }
    throw ValidationError("\(option): '\(text)' is no time of the form 2026-11-23T18:54:34Z")
  }
}

/// A fixed offset from UTC.
struct UTCOffset: ExpressibleByArgument {
  var seconds: Int

  init?(argument: String) {
    if ["Z", "z", "UTC"].contains(argument) {
      seconds = 0
      return
    }
    let digits = argument.dropFirst().filter { $0 != ":" }
    guard let sign = argument.first, sign == "+" || sign == "-", digits.count == 4,
      let hours = Int(digits.prefix(2)), let minutes = Int(digits.suffix(2)), hours <= 14,
      minutes < 60
    else { return nil }
    seconds = (hours * 3600 + minutes * 60) * (sign == "-" ? -1 : 1)
  }

  /// `+02:00`, or `Z`.
  var text: String {
    guard seconds != 0 else { return "Z" }
    let minutes = abs(seconds) / 60
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(seconds < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
  }
}

/// Where a report goes and what is said beside it.
struct ReportArguments: ParsableArguments {
  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The folder that the report is written into.", valueName: "folder"))
  var output = "postflight-report"

  @Option(
    help: ArgumentHelp(
      "Exit with status 1 when that many calls or more were blocked: blocked, blocked:10.",
      valueName: "condition"))
  var failOn: FailCondition?

  @Flag(help: "Print no summary.")
  var quiet = false

  @Flag(help: "Use no colours.")
  var noColor = false

  /// Applies to the stage what the terminal allows.
  func apply(to options: inout StageOptions, summaryToError: Bool) {
    let descriptor = summaryToError ? STDERR_FILENO : STDOUT_FILENO
    let environment = ProcessInfo.processInfo.environment
    options.isColored =
      !noColor && Terminal.isTerminal(descriptor) && (environment["NO_COLOR"] ?? "").isEmpty
      && environment["TERM"] != "dumb"
    options.columns = Terminal.columns(descriptor)
  }

  /// Says what a run came to, and gives its status.
  func conclude(_ result: StageResult, summaryToError: Bool) throws -> ExitStatus {
    for problem in result.problems where problem.isSaid { Terminal.say(problem.description) }
    if !quiet {
      try Terminal.write(result.summary, toError: summaryToError)
      let path = OutputFolder.path("report.html", in: output)
      try Terminal.write("\nreport: \(path)\n", toError: summaryToError)
    }
    if let failOn, result.totals.blocked >= failOn.count { return .failOn }
    if result.isPartial { return .partial }
    return result.isJudgeable ? .done : .nothingJudged
  }
}

/// `blocked`, or `blocked:N`.
struct FailCondition: ExpressibleByArgument {
  var count: UInt64

  init?(argument: String) {
    let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.first == "blocked", parts.count <= 2 else { return nil }
    guard parts.count == 2 else {
      count = 1
      return
    }
    guard let number = UInt64(parts[1]), number > 0 else { return nil }
    count = number
  }
}
