public import Bytes
public import FetchCORS
public import HTTPExchange

/// Makes a report out of calls, in one pass and bounded memory.
///
/// Calls are added in the order of the merged stream, a few minutes' disorder aside; equal input in equal
/// order gives equal bytes.
/// Not safe for use by several threads at once.
public final class ReportBuilder {
  private let options: ReportOptions
  private let spool: RowSpool
  // One thread alone calls this, and nothing hands out access to what is changed: checking that for
  // each call again would cost more than what is done with it.
  @safe @exclusivity(unchecked) private var routes: RouteTable
  @safe @exclusivity(unchecked) private var learner: RouteLearner
  @safe @exclusivity(unchecked) private var queue = CallQueue()
  @safe @exclusivity(unchecked) private var nextFinding: UInt32 = 1
  @safe @exclusivity(unchecked) private var key: [UInt8] = []
  @safe @exclusivity(unchecked) private var content = ReportContent()
  @safe @exclusivity(unchecked) private var others: [UInt8: OverflowGroup] = [:]

  /// Requests that need a preflight and have none in logs that tell no origins.
  @safe @exclusivity(unchecked) private var strayRequests: UInt64 = 0

  /// A report without calls.
  ///
  /// - Parameter spool: the folder in which a temporary file is made when there are many rows.
  public init(options: ReportOptions = ReportOptions(), spool folder: String = "/tmp") {
    self.options = options
    spool = RowSpool(folder: folder)
    routes = RouteTable(limit: options.maximumRoutes, byteLimit: options.maximumSampleBytes)
    learner = RouteLearner(limit: options.maximumRoutes * 4)
  }

  /// Calls by verdict so far.
  public var totals: ReportTotals { content.totals }

  /// Adds a call.
  ///
  /// - Throws: ``ReportError`` when the temporary file cannot be written.
  public func add(_ call: Call) throws(ReportError) {
    content.count(call)
    content.timeline.add(call.time, call.verdict)
    queue.push(call)
    while let (call, footprint) = queue.pop(isLast: false) { try place(call, footprint) }
  }

  /// Puts a call into its group; calls come here in the order of time.
  private func place(_ call: Call, _ footprint: Int) throws(ReportError) {
    RouteKey.write(call, to: &key)
    let group = routes.group(for: key) ?? newGroup()
    content.exposure.add(call, host: group.host, route: group.route)
    let before = group.bytes
    let finding = group.add(call, footprint: footprint, nextNumber: &nextFinding)
    let number = finding?.number ?? 0
    if group.bytes > before { routes.account(group.bytes - before) { fold($0) } }
    try spoolRows(of: call, finding: number)
  }

  /// Adds what was read of one input.
  public func add(_ source: SourceRecord) {
    strayRequests &+= source.notes["requests-without-preflight"] ?? 0
    content.add(source)
  }

  /// Adds exchanges that no CORS verdict applies to.
  public func addNotCORS(kind: String, count: UInt64) {
    content.totals.notCORS &+= count
    content.notCORS.add(DisplayText.visible(kind, limit: 60), count)
  }

  /// Adds a line of the stream that `replay` writes.
  public func add(_ record: CallStreamRecord) throws(ReportError) {
    switch record {
    case .call(let call): try add(call)
    case .source(let source): add(source)
    case .traffic(let traffic):
      for (kind, count) in traffic.counts.sorted(by: { $0.key < $1.key }) {
        addNotCORS(kind: kind, count: count)
      }
    }
  }

  /// Decides causes, incidents and what is likely, and gives every output in pieces.
  ///
  /// The pieces of different files come interleaved, those of one file in order. A second call does
  /// the same again.
  ///
  /// - Parameter write: receives the bytes of a file; `calls.ndjson` only when the options ask for it.
  /// - Throws: ``ReportError``, or what `write` throws.
  public func finish(writing write: (ReportFile, ByteView) throws -> Void) throws {
    while let (call, footprint) = queue.pop(isLast: true) { try place(call, footprint) }
    let resolution = resolve()
    try writeRows(resolution, write)
    try HTMLReport.write(content, options: options) { bytes in
      try bytes.withByteView { try write(.html, $0) }
    }
    let summary = SummaryJSON.bytes(of: content, options: options)
    try summary.withByteView { try write(.summary, $0) }
  }

  /// The short answer for a terminal; complete after ``finish(writing:)``.
  ///
  /// Control characters of values from the wire are made visible.
  ///
  /// - Parameters:
  ///   - colored: whether escape sequences for colours are used.
  ///   - width: columns, 40 or more.
  public func summaryText(colored: Bool, width: Int) -> String {
    TerminalSummary(colored: colored, width: max(40, width)).text(of: content)
  }

  // MARK: - Adding

  private func spoolRows(of call: Call, finding: UInt32) throws(ReportError) {
    let overflow = OverflowGroup.index(
      verdict: call.verdict, phase: call.phase, reason: call.reason)
    switch call.verdict {
    case .blocked:
      try spool.append(
        kind: .blocked, finding: finding, overflow: overflow, pieces: CSVRow.pieces(of: call))
    case .undetermined:
      try spool.append(
        kind: .undetermined, finding: finding, overflow: overflow, pieces: CSVRow.pieces(of: call))
    case .allowed, .contradicted: break
    }
    if options.writesCalls {
      try spool.append(
        kind: .call, finding: finding, overflow: overflow, pieces: CallLine.pieces(of: call))
    }
  }

  /// The group of a key that has none: of what was learned of its route, or a new one.
  private func newGroup() -> RouteGroup {
    if learner.hasLearned {
      let parts = RouteGroup.parts(of: key)
      let route = learner.canonical(host: parts.host, route: parts.route)
      if route != parts.route {
        RouteKey.write(origin: parts.origin, host: parts.host, route: route, to: &key)
        if let known = routes.group(for: key) { return known }
      }
    }
    let group = routes.insert(key) { fold($0) }
    learner.add(group)
    return group
  }

  /// Adds a group that has to go to the row of the others.
  private func fold(_ group: RouteGroup) {
    content.foldedRoutes &+= 1
    content.foldedCalls &+= group.calls
    for finding in group.findings.values.sorted(by: { $0.number < $1.number }) {
      let index = OverflowGroup.index(
        verdict: finding.symptoms.verdict, phase: finding.symptoms.phase,
        reason: finding.symptoms.reason)
      others[index, default: OverflowGroup(finding)].add(finding)
    }
    // What routes were learned from may be held longer than the group itself.
    group.release()
  }

  // MARK: - Finishing

  /// What late columns say of the calls of a finding.
  private struct Resolution {
    var cause: [UInt32: String] = [:]
    var incident: [UInt32: String] = [:]
    var likely: [UInt32: String] = [:]
    var otherCause: [UInt8: String] = [:]
    var otherIncident: [UInt8: String] = [:]
  }

  private func resolve() -> Resolution {
    var resolution = Resolution()
    var incidents: [IncidentKey: Incident] = [:]
    var members: [IncidentKey: [ReachIndex.Member]] = [:]
    for group in routes.groups {
      group.template = learner.canonical(host: group.host, route: group.route)
    }
    let surroundings = SurroundingsIndex(routes.groups, strayRequests: strayRequests)
    content.routes = UInt64(routes.groups.count)
    content.likely = []
    content.totals.likelyBlocked = 0
    content.totals.likelyAllowed = 0
    for (index, group) in routes.groups.enumerated() {
      let around = surroundings.around(group)
      var isCounted: Set<IncidentKey> = []
      for finding in group.findings.values.sorted(by: { $0.number < $1.number }) {
        switch finding.symptoms.verdict {
        case .blocked:
          let incident = Self.incident(of: finding, in: group, around, &isCounted)
          members[incident.key, default: []].append(
            ReachIndex.Member(group: index, goodAfter: group.allowed &- finding.goodUntilLast))
          resolution.cause[finding.number] = incident.key.cause
          resolution.incident[finding.number] = incident.key.id
          if incidents[incident.key] == nil {
            incidents[incident.key] = incident
          } else {
            incidents[incident.key]?.merge(incident)
          }
        case .undetermined:
          let text = Likely.text(finding.symptoms, around)
          resolution.likely[finding.number] = text
          content.add(finding, likely: text, of: group, around)
        case .allowed, .contradicted: break
        }
      }
    }
    for (index, other) in others.sorted(by: { $0.key < $1.key }) where other.verdict == .blocked {
      let incident = other.incident
      resolution.otherCause[index] = incident.key.cause
      resolution.otherIncident[index] = incident.key.id
      incidents[incident.key] = incident
    }
    settle(incidents.values, members, &resolution)
    content.likely.sort(by: LikelyGroup.ranks)
    content.likelyCases = LikelyCase.all(of: content.likely)
    return resolution
  }

  /// Puts incidents together that one change would repair, and tells refusals from outages.
  private func settle(
    _ parts: some Collection<Incident>, _ members: [IncidentKey: [ReachIndex.Member]],
    _ resolution: inout Resolution
  ) {
    var membersOfUnited: [IncidentKey: [ReachIndex.Member]] = [:]
    var name: [String: String] = [:]
    content.incidents = []
    content.refusals = []
    content.totals.refused = 0
    for (incident, keys) in Incident.united(Array(parts)) {
      for key in keys { name[key.id] = incident.key.id }
      membersOfUnited[incident.key] = keys.flatMap { members[$0] ?? [] }
      if incident.isRefusal {
        content.totals.refused &+= incident.tally.count
        content.refusals.append(incident)
      } else {
        content.incidents.append(incident)
      }
    }
    content.incidents.sort(by: Incident.ranks)
    content.refusals.sort(by: Incident.ranks)
    var hosts: [String: CallSeries] = [:]
    for group in routes.groups { hosts[group.host, default: CallSeries()].merge(group.judged) }
    let reaches = ReachIndex(routes.groups)
    func widen(_ incident: inout Incident, _ key: IncidentKey) {
      let host = incident.key.host
      guard let reach = reaches.reach(of: membersOfUnited[key] ?? [], host: host) else { return }
      incident.widen(reach)
    }
    // Courses cost more than counts, so only those are told that somebody may look at.
    for index in content.incidents.indices.prefix(options.maximumListedIncidents) {
      content.incidents[index].settle(
        host: hosts[content.incidents[index].key.host] ?? CallSeries())
      widen(&content.incidents[index], content.incidents[index].key)
    }
    for index in content.refusals.indices.prefix(options.maximumListedIncidents) {
      content.refusals[index].settle(host: hosts[content.refusals[index].key.host] ?? CallSeries())
      widen(&content.refusals[index], content.refusals[index].key)
    }
    for (number, id) in resolution.incident { resolution.incident[number] = name[id] ?? id }
    for (number, id) in resolution.otherIncident {
      resolution.otherIncident[number] = name[id] ?? id
    }
  }

  /// What other calls say about a finding.
  private static func around(_ finding: Finding, _ route: Surroundings) -> Surroundings {
    var around = route
    around.passedWithoutParameter = finding.passedWithoutParameter
    return around
  }

  /// What causes are decided from, for each group of blocked calls that are alike; for tests of the
  /// rules.
  func blockedFindings() throws -> [(symptoms: Symptoms, surroundings: Surroundings)] {
    while let (call, footprint) = queue.pop(isLast: true) { try place(call, footprint) }
    let surroundings = SurroundingsIndex(routes.groups, strayRequests: strayRequests)
    return routes.groups.flatMap { group in
      group.findings.values.filter { $0.symptoms.verdict == .blocked }
        .sorted { $0.number < $1.number }
        .map { ($0.symptoms, Self.around($0, surroundings.around(group))) }
    }
  }

  private static func incident(
    of finding: Finding, in group: RouteGroup, _ around: Surroundings,
    _ isCounted: inout Set<IncidentKey>
  ) -> Incident {
    let around = Self.around(finding, around)
    let (rule, certainty) = CauseRule.cause(of: finding.symptoms, in: around)
    let key = IncidentKey(
      origin: group.origin, host: group.host, route: group.template,
      phase: finding.symptoms.phase ?? .response,
      reason: finding.symptoms.reason ?? .missingAllowOriginHeader, cause: rule.id,
      parameter: finding.symptoms.parameter)
    func onset(_ call: Call, _ moment: Moment, _ lastGood: HeldCall?, strength: Double) -> Onset {
      let context = CauseContext(
        symptoms: finding.symptoms, surroundings: around, call: call,
        firstSeen: finding.firstMoment)
      return Onset(
        moment: moment, firstBad: call, lastGood: lastGood?.call,
        explanation: rule.explanation(context), strength: strength)
    }
    let first = onset(finding.first, finding.firstMoment, finding.lastGood, strength: 0)
    let peak = finding.peak
    let isFirst = isCounted.insert(key).inserted
    return Incident(
      key: key, tally: finding.tally, routeCalls: isFirst ? group.calls : 0, certainty: certainty,
      onset: first,
      peak: peak.height > 0
        ? onset(peak.first, peak.moment, peak.lastGood, strength: peak.height) : first,
      recovery: Recovery(moment: finding.lastMoment, firstGood: finding.goodAfter?.call),
      blockedSeries: finding.series, judgedSeries: isFirst ? group.judged : CallSeries())
  }

  private func writeRows(
    _ resolution: Resolution, _ write: (ReportFile, ByteView) throws -> Void
  ) throws {
    var buffers: [ReportFile: [UInt8]] = [.blocked: CSVRow.header, .likelyBlocked: CSVRow.header]
    if options.writesCalls { buffers[.calls] = [] }
    func flush(_ file: ReportFile) throws {
      try buffers[file]?.withByteView { try write(file, $0) }
      buffers[file]?.removeAll(keepingCapacity: true)
    }
    try spool.forEach { row in
      let likely = resolution.likely[row.finding]
      let cause = resolution.cause[row.finding] ?? resolution.otherCause[row.overflow]
      let incident = resolution.incident[row.finding] ?? resolution.otherIncident[row.overflow]
      let file: ReportFile
      switch row.kind {
      case .blocked: file = .blocked
      case .undetermined:
        guard Likely.isBlocked(likely) else { return }
        file = .likelyBlocked
      case .call: file = .calls
      }
      let values = [likely, cause, incident].map { text -> [UInt8] in
        if row.kind == .call { return CallLine.value(text) }
        var bytes: [UInt8] = []
        if let text { CSVRow.append(text, to: &bytes) }
        return bytes
      }
      for (index, piece) in row.pieces.enumerated() {
        buffers[file]?.append(contentsOf: piece)
        if index < row.pieces.count - 1, index < values.count {
          buffers[file]?.append(contentsOf: values[index])
        }
      }
      if buffers[file]?.count ?? 0 > 1 << 18 { try flush(file) }
    }
    for file in [ReportFile.blocked, .likelyBlocked, .calls] where buffers[file] != nil {
      try flush(file)
    }
  }
}
