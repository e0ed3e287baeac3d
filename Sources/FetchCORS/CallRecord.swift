public import HTTPExchange

extension Call {
  /// The value of `schema` in such a record.
  public static let schema = "postflight.call/1"

  /// The columns of the CSV files and the keys of the records, in their order.
  public static let columns = [
    "time", "verdict", "likely", "phase", "hop", "reason", "parameter", "cause", "origin",
    "method", "url", "client", "engine", "userAgent", "kind", "credentials", "mode",
    "preflightStatus", "responseStatus", "allowOrigin", "allowCredentials", "allowMethods",
    "allowHeaders", "maxAge", "requestHeaders", "missing", "assumes", "otherFaults",
    "standardVerdict", "message", "incident", "preflightId", "requestId",
  ]

  /// A value of a column.
  public enum ColumnValue: Equatable, Sendable {
    case text(String?)
    case number(Int?)
    case list([String])
  }

  /// The values of ``columns``, in their order.
  public var columnValues: [ColumnValue] {
    let preflight = preflight
    let request = request
    let deciding = decidingResponse?.response
    func field(_ name: HeaderName, of message: MessageEvidence?) -> ColumnValue {
      guard case .recorded(let lines, _) = message?.evidence(of: name) else { return .text(nil) }
      return .text(lines.compactMap { $0 }.joined(separator: ", "))
    }
    return [
      .text(time.rfc3339(resolution)), .text(verdict.rawValue), .text(likely),
      .text(phase?.rawValue), .number(hop), .text(reason.map { $0.code(in: phase ?? .response) }),
      .text(parameter), .text(cause), .text(origin), .text(method), .text(url.description),
      .text(client), .text(engine), .text(userAgent), .text(kind.rawValue),
      .text(credentials.rawValue), .text(mode.rawValue), .number(preflight?.status),
      .number(request?.status), field(.accessControlAllowOrigin, of: deciding),
      field(.accessControlAllowCredentials, of: deciding),
      field(.accessControlAllowMethods, of: preflight?.response),
      field(.accessControlAllowHeaders, of: preflight?.response),
      field(.accessControlMaxAge, of: preflight?.response),
      field(.accessControlRequestHeaders, of: preflight?.request), .list(missing), .list(assumes),
      .list(otherFaults), .text(standardVerdict?.rawValue), .text(message), .text(incident),
      .text(preflight?.id.description), .text(request?.id.description),
    ]
  }

  /// Writes the record as one line.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("schema", Self.schema)
      for (name, value) in zip(Self.columns, columnValues) {
        switch value {
        case .text(let text): writer.member(name, text)
        case .number(let number): writer.member(name, number)
        case .list(let texts): writer.member(name, texts)
        }
      }
      writer.member("known", url.known)
      writer.key("worlds")
      writer.array { writer in
        for world in worlds { world.write(to: &writer) }
      }
      writer.key("exchanges")
      writer.array { writer in
        for part in exchanges {
          writer.object { writer in
            writer.member("role", part.role.rawValue)
            writer.member("hop", part.hop)
            part.exchange.writeMembers(to: &writer)
          }
        }
      }
    }
    writer.endLine()
  }

  /// Reads a record back.
  public init(json: JSONValue) throws(RecordError) {
    func text(_ name: String) throws(RecordError) -> String {
      guard let text = json[name]?.text else {
        throw RecordError("no member \"\(name)\" that is a text")
      }
      return text
    }
    func member<Value: RawRepresentable>(
      _ name: String, _ type: Value.Type
    ) throws(RecordError) -> Value where Value.RawValue == String {
      guard let value = Value(rawValue: try text(name)) else {
        throw RecordError("\"\(name)\" has a value that is not known")
      }
      return value
    }
    var parts: [CallExchange] = []
    for part in json["exchanges"]?.elements ?? [] {
      guard let role = part["role"]?.text.flatMap(CallExchange.Role.init(rawValue:)),
        let hop = part["hop"]?.integer
      else { throw RecordError("an exchange without \"role\" and \"hop\"") }
      parts.append(CallExchange(role: role, hop: hop, exchange: try Exchange(json: part)))
    }
    guard let first = parts.first?.exchange else { throw RecordError("a call without exchanges") }
    guard let time = EventTime(rfc3339: try text("time")) else {
      throw RecordError("\"time\" is no date and time of RFC 3339")
    }
    guard let url = RequestURL(try text("url"), known: json["known"]?.texts) else {
      throw RecordError("\"url\" is no URL")
    }
    self.init(
      time: time, resolution: first.resolution, verdict: try member("verdict", Verdict.self),
      phase: json["phase"]?.text.flatMap(Phase.init(rawValue:)), hop: json["hop"]?.integer ?? 0,
      reason: json["reason"]?.text.flatMap(BlockedReason.init(code:)),
      parameter: json["parameter"]?.text, origin: try text("origin"), method: try text("method"),
      url: url, client: try text("client"), engine: try text("engine"),
      userAgent: json["userAgent"]?.text, kind: try member("kind", CallKind.self),
      credentials: try member("credentials", CredentialsEvidence.self),
      mode: try member("mode", ModeEvidence.self), missing: json["missing"]?.texts ?? [],
      assumes: json["assumes"]?.texts ?? [], otherFaults: json["otherFaults"]?.texts ?? [],
      standardVerdict: json["standardVerdict"]?.text.flatMap(Verdict.init(rawValue:)),
      message: json["message"]?.text,
      worlds: try (json["worlds"]?.elements ?? []).map { json throws(RecordError) in
        try WorldOutcome(json: json)
      },
      exchanges: parts)
    likely = json["likely"]?.text
    cause = json["cause"]?.text
    incident = json["incident"]?.text
  }
}

extension WorldOutcome {
  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("assuming", assuming)
      writer.member("verdict", verdict.rawValue)
      writer.member("phase", phase?.rawValue)
      writer.member("hop", hop)
      writer.member("reason", reason.map { $0.code(in: phase ?? .response) })
      writer.member("parameter", parameter)
    }
  }

  init(json: JSONValue) throws(RecordError) {
    guard let verdict = json["verdict"]?.text.flatMap(Verdict.init(rawValue:)) else {
      throw RecordError("a world without a verdict")
    }
    self.init(
      assuming: json["assuming"]?.texts ?? [], verdict: verdict,
      phase: json["phase"]?.text.flatMap(Phase.init(rawValue:)), hop: json["hop"]?.integer ?? 0,
      reason: json["reason"]?.text.flatMap(BlockedReason.init(code:)),
      parameter: json["parameter"]?.text)
  }
}
