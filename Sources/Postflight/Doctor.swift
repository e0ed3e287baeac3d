internal import AccessLog
internal import FetchCORS
internal import HTTPExchange
internal import IncidentReport

/// Says what the evidence can and cannot decide, and what would have to be recorded.
///
/// - Returns: lines for people, safe for a terminal; and whether anything could be judged.
public func doctor(
  _ options: StageOptions
) throws(StageError) -> (lines: [String], result: StageResult) {
  let plan = InputPlan(
    options.inputs, format: options.format, options: options.ingest,
    keys: try TLSKeyFiles(options.tlsKeyFiles), jobs: options.jobs)
  try plan.requireInput()
  var diagnosis = Diagnosis()
  let end = try judge(plan, options) { (call) throws(StageError) in diagnosis.add(call) }
  var judgement = Judgement()
  for record in end.records { judgement.note(record) }
  judgement.note(end.traffic)
  var result = StageResult()
  result.problems = plan.problems.all
  result.totals = diagnosis.totals
  result.isPartial = judgement.isDamaged || plan.hasFailures
  result.isJudgeable = judgement.isJudgeable(diagnosis.totals)
  var lines: [String] = []
  let formats = LogFormats(plan)
  for record in end.records { lines += describe(record, formats) + [""] }
  lines += diagnosis.lines(end.traffic, end.records, formats)
  return (lines.map(visible), result)
}

/// The formats of the logs of a plan, and those that they went on in.
private struct LogFormats {
  private let planned: [LogFormat]

  init(_ plan: InputPlan) {
    planned = plan.kinds.compactMap { kind in
      if case .log(let format) = kind { format } else { nil }
    }
  }

  /// The formats of a record, which names them with commas between and their coats behind.
  func formats(of record: SourceRecord) -> [LogFormat] {
    guard record.kind == "log", let text = record.format else { return [] }
    return text.split(separator: ",").compactMap { part in
      let name = part.drop { $0 == " " }.prefix { $0 != " " }
      return planned.first { $0.name == name } ?? LogFormat.named(String(name))
    }
  }
}

/// What was read of one input, and what it records.
private func describe(_ record: SourceRecord, _ known: LogFormats) -> [String] {
  let (oneUnit, unit) = record.unit
  var lines = [
    "\(record.input): \(record.kind)" + (record.format.map { ", \($0)" } ?? "")
      + (record.compression.map { ", \($0)" } ?? "")
  ]
  let formats = known.formats(of: record)
  for format in formats { lines.append("  \(format.name): \(format.summary)") }
  lines.append(
    "  \(record.read) \(record.read == 1 ? oneUnit : unit) read, \(record.used) used, "
      + "\(counted(record.exchanges, "exchange")), "
      + "\(record.passedOver.values.reduce(0, &+)) of them of no concern to CORS")
  for (kind, count) in record.skipped.sorted(by: { $0.key < $1.key }) {
    lines.append("  skipped: \(count) \(kind)")
  }
  for (kind, count) in record.notes.sorted(by: { $0.key < $1.key }) {
    lines.append("  seen: \(count) \(kind)")
  }
  for damage in record.damages {
    let place = [
      damage.number.map { "\(oneUnit) \($0)" }, damage.offset.map { "byte \($0)" },
    ].compactMap { $0 }.joined(separator: ", ")
    lines.append("  damaged" + (place.isEmpty ? "" : " at \(place)") + ": \(damage.what)")
  }
  for warning in record.warnings { lines.append("  note: \(warning)") }
  if let fields = record.records {
    lines.append("  records: " + recorded(fields, record.fidelity))
    let absent = neededFields.filter { !fields.contains($0) }
    if !absent.isEmpty { lines.append("  does not record: \(absent.joined(separator: ", "))") }
  } else if record.kind.hasPrefix("pcap") {
    lines.append("  records: every header line of what was not cut or closed")
  }
  for format in formats {
    for fact in format.hides { lines.append("  hides: \(fact)") }
  }
  return lines
}

/// A number and what it counts.
private func counted(_ count: UInt64, _ one: String) -> String {
  "\(count) \(one)" + (count == 1 ? "" : "s")
}

/// Header fields with how faithfully they are told: those that are told alike stand together.
private func recorded(_ fields: [String], _ fidelity: [String: String]) -> String {
  if fields.isEmpty { return "no header field" }
  let all = HeaderName.known.filter { $0.isKeptInRequests || $0.isKeptInResponses }
  if all.allSatisfy({ fields.contains($0.description) }),
    fidelity.values.allSatisfy({ $0 == "exact" })
  {
    return "every header field of request and response"
  }
  let ofResponses = Set(all.filter(\.isKeptInResponses).map(\.description))
  if all.allSatisfy({ fields.contains($0.description) }),
    fidelity.allSatisfy({ $0.value == (ofResponses.contains($0.key) ? "joined" : "exact") })
  {
    return "every header field of request and response, of the response with several lines joined"
  }
  let groups = Dictionary(grouping: fields) { fidelity[$0] ?? "exact" }
  return groups.sorted { $0.key < $1.key }.map { fidelity, names in
    names.joined(separator: ", ") + " (\(explained(fidelity)))"
  }.joined(separator: "; ")
}

/// What a fidelity means, in words.
private func explained(_ fidelity: String) -> String {
  let words = [
    "exact": "as they were", "firstLine": "the first of possibly several lines",
    "lastLine": "the last of possibly several lines", "joined": "all lines, joined",
    "presence": "only whether it was there", "cut": "perhaps cut",
    "absentOrEmpty": "absent and empty alike",
  ]
  return fidelity.split(separator: "+").map { words[String($0)] ?? String($0) }
    .joined(separator: "; ")
}

/// The fields that verdicts rest on, for a log.
private let neededFields = [
  HeaderName.origin, .accessControlRequestMethod, .accessControlRequestHeaders, .secFetchMode,
  .secFetchSite, .cookie, .accessControlAllowOrigin, .accessControlAllowCredentials,
  .accessControlAllowMethods, .accessControlAllowHeaders, .accessControlMaxAge, .location,
].map(\.description)

/// What the calls of some evidence came to, and what they lacked.
private struct Diagnosis {
  private(set) var totals = ReportTotals()
  private var missing: [String: UInt64] = [:]
  private var assumes: [String: UInt64] = [:]

  mutating func add(_ call: Call) {
    switch call.verdict {
    case .allowed: totals.allowed += 1
    case .blocked: totals.blocked += 1
    case .undetermined: totals.undetermined += 1
    case .contradicted: totals.contradicted += 1
    }
    for fact in call.missing { missing[fact, default: 0] += 1 }
    for assumption in call.assumes { assumes[assumption, default: 0] += 1 }
  }

  func lines(
    _ traffic: TrafficRecord, _ records: [SourceRecord], _ known: LogFormats
  ) -> [String] {
    let decided = totals.calls - totals.undetermined
    var lines = [
      totals.calls == 0
        ? "no cross-origin call was found"
        : "\(decided) of \(counted(totals.calls, "cross-origin call")) "
          + (totals.calls == 1 ? "is decided " : "are decided ")
          + "(\(decided * 100 / totals.calls) %): \(totals.allowed) allowed, "
          + "\(totals.blocked) blocked, \(totals.contradicted) contradicted"
    ]
    let evidence = Evidence(records, known)
    if let count = traffic.counts["origin-not-recorded"] {
      lines.append(
        "\(counted(count, "request")) may have been cross-origin: "
          + (evidence.records(.origin)
            ? "the server refused to read the header fields, or a line does not tell Origin"
            : "Origin is not recorded"))
    }
    if let count = traffic.counts["target-not-recorded"] {
      lines.append(
        "\(counted(count, "request")) may have been cross-origin: the host that the browser called is not "
          + "recorded (log Host), or a proxy put its own in the place (log X-Forwarded-Host, and say "
          + "--trust-forwarded)")
    }
    let others = traffic.counts.filter { !$0.key.hasSuffix("-not-recorded") }
    if !others.isEmpty {
      let kinds = others.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      lines.append("of no concern to CORS as well: " + kinds.joined(separator: ", "))
    }
    let order: ((String, UInt64), (String, UInt64)) -> Bool = { ($1.1, $0.0) < ($0.1, $1.0) }
    for (fact, count) in missing.map({ ($0.key, $0.value) }).sorted(by: order) {
      lines.append("  \(count) \(count == 1 ? "lacks" : "lack") \(fact): \(evidence.advice(fact))")
    }
    for (assumption, count) in assumes.map({ ($0.key, $0.value) }).sorted(by: order) {
      lines.append(
        "  \(count) \(count == 1 ? "is" : "are") allowed on the assumption \(assumption): "
          + (assumption == Assumption.singleLine
            ? "of a field that is logged as one line there was no other"
            : "no cookie and no other sign of credentials was seen"))
    }
    var said: Set<String> = []
    for record in records {
      let lacks = record.records.map { fields in neededFields.contains { !fields.contains($0) } }
      guard lacks ?? false else { continue }
      for format in known.formats(of: record) {
        let configuration = format.configuration ?? LogFormat.combinedConfiguration
        guard said.insert(configuration).inserted else { continue }
        lines += ["", "to record what \(format.name) lacks:", ""]
        lines += configuration.split(separator: "\n", omittingEmptySubsequences: false).map {
          $0.isEmpty ? "" : "  \($0)"
        }
        if format.configuration == nil || configuration == LogFormat.combinedConfiguration {
          lines.append(
            "  where another server does: postflight formats NAME --config (caddy, envoy-json, haproxy, "
              + "lighttpd, traefik, varnish, w3c for IIS; nginx-cors-json for JSON)")
        }
      }
    }
    return lines
  }
}

/// What all inputs together record, for advice that fits them.
private struct Evidence {
  /// Names that every log records; `nil` where there is none but captures.
  private let names: Set<String>?
  private let mayBeNginx: Bool

  init(_ records: [SourceRecord], _ known: LogFormats) {
    let logs = records.compactMap { record in record.records.map(Set.init) }
    names = logs.dropFirst().reduce(logs.first) { $0?.intersection($1) }
    mayBeNginx = records.contains { known.formats(of: $0).contains(where: \.mayBeNginx) }
  }

  func records(_ name: HeaderName) -> Bool { names?.contains(name.description) ?? true }

  /// What would have to be recorded, or why nothing would help.
  func advice(_ fact: String) -> String {
    switch fact {
    case MissingFact.credentials:
      records(.cookie)
        ? "no cookie came along, which proves nothing: the page's code says whether it asks for credentials"
        : "log whether a Cookie came along; its absence proves nothing"
    case MissingFact.actualRequest:
      "a request after the preflight: it may be on another node, or the page gave up"
    case MissingFact.requestMode:
      (records(.secFetchMode) ? "" : "log Sec-Fetch-Mode; ")
        + "over clear text browsers do not send it"
    case MissingFact.redirectMode: "whether the page follows redirects; nothing on the wire says so"
    case MissingFact.crossOrigin:
      "scheme and host at the browser's edge: log them there, or say --trust-forwarded"
    case MissingFact.engine: "log User-Agent"
    case MissingFact.response: "the response was not seen"
    case MissingFact.storedResponse: "the response that this 304 refreshed was not seen"
    case MissingFact.origin where records(.origin): "a line that does not tell the request's Origin"
    case MissingFact.origin: "log the request's Origin"
    case MissingFact.path:
      "log the path that was asked for: a pattern with {placeholders} stands in its place, so that "
        + "nothing tells whose preflight is whose"
    default:
      if names?.contains(fact) ?? true {
        "what is logged may be one of several lines, or cut"
          + (mayBeNginx ? " (nginx 1.23 and later log all lines)" : "")
      } else {
        fact.hasPrefix("access-control-allow-") ? "log the response's \(fact)" : "log \(fact)"
      }
    }
  }
}
