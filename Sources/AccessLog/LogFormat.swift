public import HTTPExchange

/// A format of access logs: what its lines hold, and how faithfully.
///
/// A format is data. A new one is a file in `Formats/` and its line in ``all``.
public struct LogFormat: Sendable {
  /// How the layout of a line is known.
  enum Rule: Sendable {
    /// Every line has this layout.
    case layout(LineLayout)
    /// Every line has one of these, of which the first is the fullest.
    case layouts([LineLayout])
    /// The lines say it themselves; the layout of the first one that was seen, if any.
    case learned(LayoutLearner, first: LineLayout?)
    /// Lines of their own say how the next ones are made; the layouts that hold before the first.
    case headed(HeaderRule, first: [LineLayout])
    /// There are no lines: the whole input is one document.
    case document(DocumentKind)
  }

  /// A document that holds many exchanges.
  enum DocumentKind: Sendable {
    case har
  }

  /// How likely a format is when others fit the same lines.
  enum Rank: Int, Comparable, Sendable {
    /// Lines of many programs fit it that others mostly wrote.
    case fallback
    /// Lines of many programs have this shape.
    case common
    /// Only lines of one program have it.
    case unmistakable

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }

  /// What the format is called: `combined` for example.
  public let name: String
  /// One sentence for people, without a full stop.
  public let summary: String
  /// What has to stand in the server's configuration to get a log that decides what a log can.
  ///
  /// It is `nil` where nothing says which server it is. What is said to people stands in comments
  /// of the server.
  public let configuration: String?
  /// Whether lines of it are known without `--format`.
  public let isRecognizedAlone: Bool
  /// What the server keeps to itself although the fields are there, in sentences without a full
  /// stop.
  public let hides: [String]

  let rule: Rule
  let rank: Rank
  /// Whether the server writes messages of another kind between the lines.
  let hasOtherMessages: Bool
  /// What is known of the members that lines leave out.
  var families: [FieldFamily]
  /// What stands around every line, from the outermost; none for most logs.
  private(set) var coats: [LogCoat] = []
  /// How lines stand in a JSON text, where it is not one object a line.
  private(set) var shape: ObjectScanner.Shape?

  init(
    name: String, summary: String, rule: Rule, configuration: String? = nil,
    isRecognizedAlone: Bool = true, hides: [String] = [], rank: Rank = .common,
    hasOtherMessages: Bool = false, families: [FieldFamily] = []
  ) {
    self.name = name
    self.summary = summary
    self.rule = rule
    self.configuration = configuration
    self.isRecognizedAlone = isRecognizedAlone
    self.hides = hides
    self.rank = rank
    self.hasOtherMessages = hasOtherMessages
    self.families = families
  }

  init(
    name: String, summary: String, layout: LineLayout, configuration: String? = nil,
    hides: [String] = []
  ) {
    self.init(
      name: name, summary: summary, rule: .layout(layout), configuration: configuration,
      hides: hides)
  }

  /// A format whose lines are JSON objects with members in known places.
  ///
  /// - Parameters:
  ///   - omits: whether members without a value are left out.
  init(
    name: String, summary: String, members map: MemberMap, escaping: Escaping,
    repeats: Repeats? = nil, omits: Bool = false, configuration: String? = nil,
    hides: [String] = [], hasOtherMessages: Bool = false, hopScheme: String? = nil
  ) {
    let layout = LineLayout(
      .members(map), meanings: map.meanings, escaping: escaping, repeats: repeats,
      hopScheme: hopScheme)
    if omits { layout.family = 0 }
    self.init(
      name: name, summary: summary, rule: .layout(layout), configuration: configuration,
      hides: hides, rank: .unmistakable, hasOtherMessages: hasOtherMessages,
      families: omits ? [FieldFamily()] : [])
  }

  /// The same format, as far as the first lines of an input tell more of it.
  func fitted(_ rule: Rule, families: [FieldFamily]) -> LogFormat {
    var format = LogFormat(
      name: name, summary: summary, rule: rule, configuration: configuration,
      isRecognizedAlone: isRecognizedAlone, hides: hides, rank: rank,
      hasOtherMessages: hasOtherMessages, families: families)
    format.coats = coats
    format.shape = shape
    return format
  }

  /// What to configure where nothing says which server writes a log.
  public static var combinedConfiguration: String { CommonParts.configuration }

  /// The shapes of JSON texts in which lines are found that are objects, and what each is.
  public static var arrangements: [(name: String, summary: String)] {
    ObjectScanner.Shape.allCases.map { ($0.name, $0.summary) }
  }

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

  /// The same format with its lines in a JSON text of that shape.
  func arranged(as shape: ObjectScanner.Shape) -> LogFormat {
    var format = self
    format.shape = shape
    return format
  }

  /// The name for people, with those of the coats: `combined in cri`.
  var description: String {
    ([name] + coats.reversed().map(\.name) + (shape.map { [$0.name] } ?? []))
      .joined(separator: " in ")
  }

  /// The layout that tells what is recorded; `nil` before a line that says it was seen.
  var layout: LineLayout? {
    switch rule {
    case .layout(let layout): layout
    case .layouts(let layouts): layouts.first
    case .learned(_, let first): first
    case .headed(_, let first): first.first
    case .document: nil
    }
  }

  /// Whether the lines tell a time of their own; others are read where a coat tells it.
  public var tellsTime: Bool { layout?.roles.tellsTime ?? true }

  /// Whether the server is nginx, or may be.
  public var mayBeNginx: Bool { layout?.mayBeNginx ?? false }

  /// The request header fields that the lines hold, with their fidelity; empty where every field is
  /// held, or where the lines name their fields.
  public var requestFields: [HeaderName: Fidelity] {
    guard case .only(let names) = layout?.roles.requestCoverage else { return [:] }
    return names
  }

  /// The response header fields that the lines hold, in the same way.
  public var responseFields: [HeaderName: Fidelity] {
    guard case .only(let names) = layout?.roles.responseCoverage else { return [:] }
    return names
  }

  /// Whether the lines hold every header field of the request and the response.
  public var recordsAllFields: Bool {
    if case .document = rule { return true }
    guard let roles = layout?.roles else { return false }
    return roles.requestBlock >= 0 && roles.requestShape.isWhole && roles.responseBlock >= 0
      && roles.responseShape.isWhole
  }

  /// Whether they do, with several lines of a field of the response joined into one.
  public var joinsResponseLines: Bool {
    recordsAllFields && layout?.roles.responseShape.repeats == .joined
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
      ("protocol", hasRequest || roles.httpVersion >= 0),
      ("scheme", roles.scheme >= 0 || roles.tls >= 0 || roles.frontend >= 0),
      ("host", roles.hostHeader >= 0 || roles.host >= 0 || roles.serverName >= 0),
      ("port", roles.hostHeader >= 0 || roles.port >= 0), ("status", roles.status >= 0),
      ("user-agent", roles.userAgent >= 0), ("request-id", roles.requestID >= 0),
    ]
    for (name, isRecorded) in parts where isRecorded { fields[name] = .exact }
    return fields
  }
}
