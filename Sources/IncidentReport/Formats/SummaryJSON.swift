internal import FetchCORS
internal import HTTPExchange

/// `summary.json`: the report's numbers for programs.
enum SummaryJSON {
  /// The value of `schema`.
  static let schema = "postflight.summary/1"

  static func bytes(of content: ReportContent, options: ReportOptions) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.member("schema", schema)
      let answer = Answer(content)
      writer.member("answer", [answer.what, answer.change])
      writer.key("period")
      writer.object { writer in
        writer.member("first", content.first.map(content.text))
        writer.member("last", content.last.map(content.text))
      }
      writeTotals(content, to: &writer)
      writer.member("blockedClients", content.blockedClients.count)
      writer.key("blockedClientsAreAtLeast")
      writer.bool(content.blockedClients.isSaturated)
      write(
        "kinds", zip(CallKind.allCases.map(\.rawValue), content.kinds).map { ($0, $1) }, &writer)
      write(
        "reasons", content.reasons.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, &writer)
      write("engines", content.engines.present.map { ($0.name, $0.count) }, &writer)
      write("blockedEngines", content.blockedEngines.present.map { ($0.name, $0.count) }, &writer)
      write("disagreements", content.disagreements, &writer)
      write("notCORS", content.notCORS, &writer)
      write("assumptions", content.assumptions, &writer)
      writeMissing(content, to: &writer)
      let limit = options.maximumListedIncidents
      writer.member("incidentCount", content.incidents.count)
      writer.key("incidents")
      write(content.incidents.prefix(limit), to: &writer)
      writer.member("refusalCount", content.refusals.count)
      writer.key("refusals")
      write(content.refusals.prefix(limit), to: &writer)
      writeExposure(content, to: &writer)
      writeLikely(content, limit: options.maximumListedIncidents, to: &writer)
      writer.key("limits")
      writer.object { writer in
        writer.member("routes", content.routes)
        writer.member("routesAddedUp", content.foldedRoutes)
        writer.member("callsOfRoutesAddedUp", content.foldedCalls)
      }
      writer.key("completeness")
      writer.object { writer in
        writer.member("damages", content.totals.damages)
        writer.member(
          "damagedSources", content.sources.reduce(0) { $0 + ($1.damageCount > 0 ? 1 : 0) })
        writer.member("sources", UInt64(content.sources.count) &+ content.omittedSources)
        writer.member("sourcesOmitted", content.omittedSources)
      }
      writer.key("sources")
      writer.array { writer in
        for source in content.sources {
          var record = JSONWriter()
          source.write(to: &record)
          writer.raw(String(decoding: record.bytes.dropLast(), as: UTF8.self))
        }
      }
    }
    writer.endLine()
    return writer.bytes
  }

  private static func writeTotals(_ content: ReportContent, to writer: inout JSONWriter) {
    let totals = content.totals
    writer.key("totals")
    writer.object { writer in
      writer.member("calls", totals.calls)
      writer.member("blocked", totals.blocked)
      writer.member("likelyBlocked", totals.likelyBlocked)
      writer.member("allowed", totals.allowed)
      writer.member("allowedWithoutAssumption", content.allowedOutright)
      writer.member("undetermined", totals.undetermined)
      writer.member("likelyAllowed", totals.likelyAllowed)
      writer.member("contradicted", totals.contradicted)
      writer.member("notCORS", totals.notCORS)
      writer.member("refused", totals.refused)
    }
  }

  private static func write(
    _ name: String, _ counts: [(String, UInt64)], _ writer: inout JSONWriter
  ) {
    writer.key(name)
    writer.object { writer in for (name, count) in counts { writer.member(name, count) } }
  }

  private static func write(_ name: String, _ texts: CountedTexts, _ writer: inout JSONWriter) {
    var counts = texts.counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    if texts.others > 0 { counts.append((OverflowGroup.name, texts.others)) }
    write(name, counts, &writer)
  }

  private static func writeMissing(_ content: ReportContent, to writer: inout JSONWriter) {
    writer.key("missing")
    writer.array { writer in
      for (name, count) in content.missing.ranked {
        let advice = MissingEvidence.advice(name)
        writer.object { writer in
          writer.member("name", name)
          writer.member("calls", count)
          writer.member("meaning", advice.meaning)
          writer.member("advice", advice.advice)
        }
      }
    }
  }

  private static func writeExposure(_ content: ReportContent, to writer: inout JSONWriter) {
    writer.key("notExposed")
    writer.array { writer in
      for line in content.exposure.lines {
        writer.object { writer in
          writer.member("host", line.host)
          writer.member("header", line.header)
          writer.member("calls", line.calls)
          writer.member("sentence", line.sentence)
          writer.member("fix", line.fix)
        }
      }
    }
  }

  private static func write(_ name: String, _ counts: NamedCounts, _ writer: inout JSONWriter) {
    var ranked = counts.ranked.map { ($0.name, $0.count) }
    if counts.others > 0 { ranked.append((OverflowGroup.name, counts.others)) }
    write(name, ranked, &writer)
  }

  private static func write(_ course: Course?, of incident: Incident, to writer: inout JSONWriter) {
    writer.key("course")
    guard let course else {
      writer.null()
      return
    }
    let resolution = incident.onset.moment.resolution
    writer.object { writer in
      writer.member("shape", course.shape.rawValue)
      writer.member("onset", course.onset.map { $0.rfc3339(resolution) })
      writer.member("end", course.end.map { $0.rfc3339(.second) })
      writer.key("periodSeconds")
      if let period = course.period { writer.number(period) } else { writer.null() }
      writer.member("resolutionSeconds", Int(course.resolution))
      for (name, share) in [
        ("shareDuring", course.shareDuring), ("shareOutside", course.shareOutside),
      ] {
        writer.key(name)
        writer.raw(decimal(share))
      }
      writer.key("episodes")
      writer.array { writer in
        for episode in course.episodes {
          writer.object { writer in
            writer.member("start", episode.start.rfc3339(.second))
            writer.member("end", episode.end.map { $0.rfc3339(.second) })
            writer.member("blocked", episode.blocked)
            writer.member("calls", episode.calls)
          }
        }
      }
    }
  }

  /// A number from 0 to 1 with four digits, the same on every machine.
  private static func decimal(_ share: Double) -> String {
    let digits = Int((min(1, max(0, share)) * 10_000).rounded())
    let fraction = String(digits % 10_000)
    return "\(digits / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
  }

  private static func write(_ incidents: some Sequence<Incident>, to writer: inout JSONWriter) {
    writer.array { writer in
      for incident in incidents {
        let tally = incident.tally
        let key = incident.key
        writer.object { writer in
          writer.member("id", key.id)
          writer.member("origin", key.origin)
          writer.member("host", key.host)
          writer.member("route", key.route)
          write("origins", incident.blast.origins, &writer)
          write("routes", incident.blast.routes, &writer)
          write("reasons", incident.blast.reasons, &writer)
          writer.member("phase", key.phase.rawValue)
          writer.member("reason", key.reason.code(in: key.phase))
          writer.member("cause", key.cause)
          writer.member("certainty", incident.certainty.rawValue)
          writer.member("sentence", incident.onset.explanation.sentence)
          writer.member("fix", incident.onset.explanation.fix)
          writer.member("calls", tally.count)
          writer.member("routeCalls", incident.routeCalls)
          writer.member("clients", tally.clients.count)
          writer.key("clientsAreAtLeast")
          writer.bool(tally.clients.isSaturated)
          write("engines", tally.engines.present.map { ($0.name, $0.count) }, &writer)
          writer.member("methods", tally.methods.sorted())
          writer.member("parameters", tally.parameters.sorted())
          writer.member("first", tally.first?.text)
          writer.member("last", tally.last?.text)
          writer.member("lastGoodBefore", incident.onset.lastGood.flatMap { Moment($0) }?.text)
          writer.member("firstGoodAfter", incident.recovery.firstGood.flatMap { Moment($0) }?.text)
          write(incident.course, of: incident, to: &writer)
          writer.member("samples", tally.samples.map(\.moment.id.description))
        }
      }
    }
  }

  private static func writeLikely(
    _ content: ReportContent, limit: Int, to writer: inout JSONWriter
  ) {
    writer.member("undeterminedGroupCount", content.likely.count)
    writer.key("undeterminedGroups")
    writer.array { writer in
      for group in content.likely.prefix(limit) {
        writer.object { writer in
          writer.member("origin", group.origin)
          writer.member("host", group.host)
          writer.member("route", group.route)
          writer.member("likely", group.likely)
          writer.member("missing", group.missing)
          writer.member("calls", group.tally.count)
          writer.member("first", group.tally.first?.text)
          writer.member("last", group.tally.last?.text)
        }
      }
    }
  }
}
