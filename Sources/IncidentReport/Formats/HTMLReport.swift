internal import FetchCORS
internal import HTTPExchange

/// `report.html`: one page that opens anywhere and runs nothing that it was not written with.
enum HTMLReport {
  /// Bytes that the page may take, whatever the input.
  static let maximumBytes = 1_950_000
  /// Bytes that one list may take beside the incidents; what does not fit is counted.
  static let maximumListBytes = 300_000
  /// Incidents that are listed in the table.
  static let maximumRows = 200

  static func write(
    _ content: ReportContent, options: ReportOptions, _ write: ([UInt8]) throws -> Void
  ) throws {
    let templates = try PageTemplates()
    let places = SourceNames(content.sources)
    let closing = try templates.render("closing", ClosingView(content, templates, places))
    // Incidents get what the rest leaves; a table without links is no longer than one with them.
    var opening = OpeningView(content, templates: templates, shownInFull: .max)
    var beginning = try templates.render("opening", opening)
    let rest = beginning.utf8.count + closing.utf8.count + 1000
    var sections: [String] = []
    var size = rest
    for (index, incident) in content.incidents.prefix(options.maximumShownIncidents).enumerated() {
      let section = try templates.render(
        "incident", IncidentView(incident, number: index + 1, places))
      size += section.utf8.count
      guard size <= maximumBytes else { break }
      sections.append(section)
    }
    if sections.count < content.incidents.count {
      opening = OpeningView(content, templates: templates, shownInFull: sections.count)
      beginning = try templates.render("opening", opening)
    }
    try write(Array(beginning.utf8))
    for section in sections { try write(Array(section.utf8)) }
    try write(Array(closing.utf8))
  }
}

extension Sequence where Element: Encodable {
  /// The first elements, as many as a number of bytes of the page has room for.
  func fitting(_ bytes: Int) -> [Element] {
    var rest = bytes
    var fitting: [Element] = []
    for element in self {
      rest -= HTMLText.weight(of: element)
      guard rest >= 0 else { break }
      fitting.append(element)
    }
    return fitting
  }
}

/// What the numbers in the identifiers of each input count.
struct SourceNames {
  private var units: [String: String] = [:]

  init(_ sources: [SourceRecord]) {
    for source in sources {
      units["\(source.input)@\(source.digest)"] =
        switch source.kind {
        case "log": "line"
        case "pcap", "pcapng": "packet"
        default: nil
        }
    }
  }

  /// `edge.log line 4711`: the file's name and the packet or line.
  func place(_ id: ExchangeID) -> String {
    let name = id.source.lastIndex(of: "@").map { String(id.source[..<$0]) } ?? id.source
    return "\(DisplayText.visible(name, limit: 60)) \(units[id.source] ?? "no.") \(id.number)"
  }
}
