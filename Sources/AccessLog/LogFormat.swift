public import HTTPExchange

/// A format of access logs: what its lines hold, and how faithfully.
///
/// A format is data. A new one is a file in `Formats/` and its line in ``all``.
public struct LogFormat: Sendable {
  /// How the layout of a line is known.
  enum Rule: Sendable {
    /// Every line has this layout.
    case layout(LineLayout)
    /// The lines say it themselves; the layout of the first one that was seen, if any.
    case learned(LayoutLearner, first: LineLayout?)
  }

  /// What the format is called: `combined` for example.
  public let name: String
  /// One sentence for people, without a full stop.
  public let summary: String
  /// What has to stand in the server's configuration to get such lines; `nil` when that is the
  /// server's default, or not one thing.
  public let configuration: String?

  let rule: Rule
  /// What stands around every line, from the outermost; none for most logs.
  private(set) var coats: [LogCoat] = []

  init(name: String, summary: String, layout: LineLayout, configuration: String? = nil) {
    self.name = name
    self.summary = summary
    self.configuration = configuration
    rule = .layout(layout)
  }

  init(name: String, summary: String, learner: LayoutLearner, first: LineLayout? = nil) {
    self.name = name
    self.summary = summary
    configuration = nil
    rule = .learned(learner, first: first)
  }

  /// Every format that can be named, in the order in which they are tried.
  public static let all: [LogFormat] = [
    .nginxCORSJSON, .nginxCORS, .apacheCORS, .vhostCombined, .vcombined, .vcommon, .combined,
    .common,
    .nginxMain, .ingressNginx, .jsonLines, .keyValue, .combinedAndMore,
  ]

  /// The format of that name.
  public static func named(_ name: String) -> LogFormat? {
    all.first { $0.name == name.asciiLowercased }
  }

  /// The same format with something around every line.
  func wearing(_ coats: [LogCoat]) -> LogFormat {
    var format = self
    format.coats = coats
    return format
  }

  /// The name for people, with those of the coats: `combined in cri`.
  var description: String {
    ([name] + coats.reversed().map(\.name)).joined(separator: " in ")
  }

  /// The layout that tells what is recorded; `nil` before a line that says it was seen.
  var layout: LineLayout? {
    switch rule {
    case .layout(let layout): layout
    case .learned(_, let first): first
    }
  }

  /// The request header fields that the lines hold, with their fidelity.
  public var requestFields: [HeaderName: Fidelity] {
    guard case .only(let names) = layout?.roles.requestCoverage else { return [:] }
    return names
  }

  /// The response header fields that the lines hold, with their fidelity.
  public var responseFields: [HeaderName: Fidelity] {
    guard case .only(let names) = layout?.roles.responseCoverage else { return [:] }
    return names
  }

  /// What the lines hold, with its fidelity: `time`, `client`, `method`, `scheme`, `host`, `port`,
  /// `target`, `status`, `duration`, `user-agent`, `request-id`, and header fields as
  /// `request.origin` and `response.vary`.
  ///
  /// Empty for a format whose lines name their fields, before a line was seen.
  public var recordedFields: [String: Fidelity] {
    guard let layout else { return [:] }
    let roles = layout.roles
    var fields: [String: Fidelity] = [:]
    for (name, fidelity) in requestFields { fields["request.\(name)"] = fidelity }
    for (name, fidelity) in responseFields { fields["response.\(name)"] = fidelity }
    let hasRequest = roles.requestLine >= 0
    let parts: [(String, Bool)] = [
      ("time", !(roles.starts.isEmpty && roles.ends.isEmpty)),
      ("duration", roles.duration >= 0), ("client", roles.client >= 0 || roles.peer >= 0),
      ("method", hasRequest || roles.method >= 0),
      ("target", hasRequest || roles.target >= 0 || roles.path >= 0),
      ("protocol", hasRequest || roles.httpVersion >= 0), ("scheme", roles.scheme >= 0),
      ("host", roles.hostHeader >= 0 || roles.host >= 0 || roles.serverName >= 0),
      ("port", roles.hostHeader >= 0 || roles.port >= 0), ("status", roles.status >= 0),
      ("user-agent", roles.userAgent >= 0), ("request-id", roles.requestID >= 0),
    ]
    for (name, isRecorded) in parts where isRecorded { fields[name] = .exact }
    return fields
  }
}
