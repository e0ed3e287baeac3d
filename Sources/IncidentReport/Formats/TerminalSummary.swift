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
    let answer = Answer(content)
    var lines = wrapped(answer.what, style: .bold)
    if let why = answer.why {
      lines += labelled("Why", answer.certainty == .proved ? .bold : .yellow, why)
    }
    lines += labelled(answer.isRepair ? "Change" : "Next", .green, answer.change)
    if let rest = answer.rest { lines += wrapped(rest, indent: "        ", style: .faint) }
    lines += [""] + numbers(content.totals)
    if content.incidents.count == 1, let only = content.incidents.first {
      // The answer has said the rest.
      lines += wrapped(
        "cause \(only.certainty.rawValue) (\(only.key.cause)), report.html#incident-\(only.key.id)",
        style: .faint)
    } else {
      for (index, incident) in content.incidents.prefix(Self.maximumIncidents).enumerated() {
        lines += [""] + self.lines(of: incident, number: index + 1)
      }
    }
    let further = content.incidents.count - Self.maximumIncidents
    if further > 0 {
      lines += [
        "",
        paint("\(DisplayText.counted(UInt64(further), "further incident")) in report.html", .faint),
      ]
    }
    if content.incidents.isEmpty {
      for likely in content.likelyCases.prefix(Self.maximumIncidents) {
        lines += [""] + self.lines(of: likely)
      }
    }
    lines += damage(content)
    return lines.joined(separator: "\n") + "\n"
  }

  /// The numbers in one line, or one under the other where that is too long.
  private func numbers(_ totals: ReportTotals) -> [String] {
    let all: [(UInt64, String, Style)] = [
      (totals.blocked &- totals.refused, "blocked", .red),
      (totals.likelyBlocked, "likely blocked", .yellow),
      (totals.allowed, "allowed", .green),
      (totals.undetermined &- totals.likelyBlocked, "cannot tell", .bold),
      (totals.refused, "refused on purpose", .bold), (totals.contradicted, "contradicted", .bold),
      (totals.notCORS, "no CORS call", .faint),
    ]
    let shown = all.enumerated().filter { $0.offset < 4 || $0.element.0 > 0 }.map(\.element)
    let texts = shown.map { (DisplayText.grouped($0.0), $0.1, $0.0 > 0 ? $0.2 : .faint) }
    let length = texts.reduce(0) { $0 + $1.0.count + 1 + $1.1.count } + (texts.count - 1) * 3
    if length <= width {
      return [texts.map { "\(paint($0.0, $0.2)) \($0.1)" }.joined(separator: "   ")]
    }
    let column = texts.map(\.0.count).max() ?? 0
    return texts.map { number, name, style in
      "\(String(repeating: " ", count: column - number.count))\(paint(number, style)) \(name)"
    }
  }

  private func lines(of incident: Incident, number: Int) -> [String] {
    let key = incident.key
    let tally = incident.tally
    let ordinal = "\(number). "
    let indent = String(repeating: " ", count: ordinal.count)
    var lines = wrapped(ordinal + incident.onset.explanation.title, hanging: indent, style: .bold)
    lines += wrapped(
      "\(incident.pageText) → \(incident.placeText)",
      indent: indent)
    var facts = paint(DisplayText.counted(tally.count, "call"), .red)
    if incident.routeCalls > tally.count {
      facts += " (\(DisplayText.percent(tally.count, of: incident.routeCalls)))"
    }
    facts +=
      " of \(tally.clients.text) client\(tally.clients.count == 1 ? "" : "s")"
      + span(tally) + "; cause \(incident.certainty.rawValue)"
    lines += wrapped(facts, indent: indent)
    lines += wrapped("report.html#incident-\(key.id)", indent: indent, style: .faint)
    return lines
  }

  private func lines(of likely: LikelyCase) -> [String] {
    let title = likely.suspicion?.explanation.title ?? "Probably blocked"
    var lines = wrapped("?  \(title)", hanging: "   ", style: .bold)
    lines += wrapped(
      "\(Answer.page(likely.origin)) → \(likely.placeText)",
      indent: "   ")
    lines += wrapped(
      paint(DisplayText.counted(likely.tally.count, "call"), .yellow)
        + " of \(likely.tally.clients.text) client\(likely.tally.clients.count == 1 ? "" : "s")"
        + span(likely.tally) + "; not proved", indent: "   ")
    lines += wrapped("report.html#likely-\(likely.id)", indent: "   ", style: .faint)
    return lines
  }

  private func span(_ tally: Tally) -> String {
    guard let first = tally.first?.time, let last = tally.last?.time else { return "" }
    if first == last { return ", \(DisplayText.time(first))" }
    let isOneDay = TimeText.day(first) == TimeText.day(last)
    return ", \(DisplayText.time(first)) to "
      + (isOneDay ? TimeText.clock(last) : DisplayText.time(last))
  }

  private func damage(_ content: ReportContent) -> [String] {
    guard content.totals.damages > 0 else { return [] }
    var lines = ["", paint("Read in part:", .yellow)]
    for source in content.sources.filter({ $0.damageCount > 0 }).prefix(5) {
      let first = source.damages.first
      // A line of a log is found by its number; in a capture the byte leads there.
      let byte = first?.offset.map { " at byte \(DisplayText.grouped($0))" }
      let number = first?.number.map { " at \(source.unit.one) \(DisplayText.grouped($0))" }
      let place = (source.kind == "log" ? number ?? byte : byte ?? number) ?? ""
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

  /// A text behind a short word.
  private func labelled(_ label: String, _ style: Style, _ text: String) -> [String] {
    let column = 8
    var lines = wrapped(text, indent: String(repeating: " ", count: column))
    let padding = String(repeating: " ", count: column - label.count)
    lines[0] = paint(label, style) + padding + lines[0].dropFirst(column)
    return lines
  }

  /// Breaks a text at spaces; a word that is longer than a line stands alone.
  ///
  /// - Parameter hanging: what stands before all lines but the first, where that is not `indent`.
  private func wrapped(
    _ text: String, indent: String = "", hanging: String? = nil, style: Style? = nil
  ) -> [String] {
    var lines: [(indent: String, text: String, length: Int)] = []
    var line = (indent: indent, text: "", length: 0)
    for word in text.split(separator: " ") {
      let length = Self.visibleLength(word)
      if line.length > 0, line.indent.count + line.length + 1 + length > width {
        lines.append(line)
        line = (hanging ?? indent, "", 0)
      }
      if line.length > 0 {
        line.text += " "
        line.length += 1
      }
      line.text += word
      line.length += length
    }
    lines.append(line)
    return lines.map { line in
      line.indent + (style.map { paint(line.text, $0) } ?? line.text)
    }
  }

  /// Characters without those of escape sequences.
  private static func visibleLength(_ word: Substring) -> Int {
    var length = 0
    var isEscape = false
    for scalar in word.unicodeScalars {
      if scalar == "\u{1B}" {
        isEscape = true
      } else if isEscape {
        isEscape = scalar != "m"
      } else {
        length += 1
      }
    }
    return length
  }
}
