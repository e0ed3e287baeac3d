internal import FetchCORS
internal import HTTPExchange

/// The short answer on a terminal.
struct TerminalSummary {
  /// Incidents that are shown.
  static let maximumIncidents = 5

  let colored: Bool
  let width: Int

  private enum Style: String {
    case bold = "1"
    case red = "1;31"
    case yellow = "33"
    case green = "32"
    case faint = "2"
  }

  func text(of content: ReportContent) -> String {
    let totals = content.totals
    let answer = Answer(content)
    var lines = wrapped(answer.what, indent: "", style: .bold)
    lines += wrapped(answer.change, indent: "")
    lines.append("")
    let numbers: [(UInt64, String, Style)] = [
      (totals.blocked, "blocked", .red), (totals.likelyBlocked, "likely blocked", .yellow),
      (totals.allowed, "allowed", .green),
      (totals.undetermined &- totals.likelyBlocked, "cannot tell", .faint),
      (totals.contradicted, "contradicted", .faint), (totals.notCORS, "no CORS call", .faint),
    ]
    let shown = numbers.enumerated().filter { $0.offset < 4 || $0.element.0 > 0 }.map(\.element)
    let column = shown.map { DisplayText.grouped($0.0).count }.max() ?? 0
    for (count, name, style) in shown {
      let number = DisplayText.grouped(count)
      let padding = String(repeating: " ", count: column - number.count)
      lines.append("  \(padding)\(paint(number, count > 0 ? style : .faint))  \(name)")
    }
    for (index, incident) in content.incidents.prefix(Self.maximumIncidents).enumerated() {
      lines += [""] + self.lines(of: incident, number: index + 1)
    }
    let further = content.incidents.count - Self.maximumIncidents
    if further > 0 {
      lines += [
        "",
        paint("\(DisplayText.counted(UInt64(further), "further incident")) in report.html", .faint),
      ]
    }
    lines += damage(content)
    return lines.joined(separator: "\n") + "\n"
  }

  private func lines(of incident: Incident, number: Int) -> [String] {
    let key = incident.key
    let tally = incident.tally
    var lines = wrapped(
      "\(number). \(incident.pageText) → \(incident.placeText)",
      indent: "", style: .bold)
    let share =
      incident.routeCalls > 0
      ? " (\(DisplayText.percent(tally.count, of: incident.routeCalls)) of its calls)" : ""
    lines += wrapped(
      "\(DisplayText.counted(tally.count, "call")) blocked\(share), \(tally.clients.text) "
        + "client\(tally.clients.count == 1 ? "" : "s"), \(key.reason.code(in: key.phase))",
      indent: "   ")
    lines += wrapped(
      "\(incident.onset.explanation.sentence) (\(key.cause), \(incident.certainty.rawValue))",
      indent: "   ")
    var span =
      "since \(tally.first.map { DisplayText.time($0) } ?? "?"), last "
      + (tally.last.map { DisplayText.time($0) } ?? "?")
    if let good = incident.onset.lastGood.flatMap({ Moment($0) }) {
      span += ", last good before \(DisplayText.time(good))"
    }
    lines += wrapped("\(span); report.html#incident-\(key.id)", indent: "   ", style: .faint)
    return lines
  }

  private func damage(_ content: ReportContent) -> [String] {
    guard content.totals.damages > 0 else { return [] }
    var lines = ["", paint("Read in part:", .yellow)]
    for source in content.sources.filter({ $0.damageCount > 0 }).prefix(5) {
      let first = source.damages.first
      let place =
        first?.offset.map { " at byte \(DisplayText.grouped($0))" }
        ?? first?.number.map { " at no. \(DisplayText.grouped($0))" } ?? ""
      lines += wrapped(
        "\(DisplayText.visible(source.input, limit: 60)): "
          + "\(DisplayText.visible(first?.what ?? "damaged", limit: 120))\(place)"
          + (source.damageCount > 1
            ? ", and \(DisplayText.grouped(source.damageCount - 1)) more" : ""),
        indent: "  ")
    }
    return lines
  }

  private func paint(_ text: String, _ style: Style) -> String {
    colored ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }

  /// Breaks a text at spaces; a word that is longer than a line stands alone.
  private func wrapped(_ text: String, indent: String, style: Style? = nil) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, indent.count + line.count + 1 + word.count > width {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    lines.append(line)
    return lines.map { line in indent + (style.map { paint(line, $0) } ?? line) }
  }
}
