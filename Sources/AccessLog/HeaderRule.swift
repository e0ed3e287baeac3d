internal import Bytes
internal import HTTPExchange

/// Reads the lines of a log that say how its other lines are made.
struct HeaderRule: Sendable {
  enum Kind: Sendable {
    /// `#Fields:` of W3C extended logs.
    case w3c
    /// `#fields` of Zeek.
    case zeek
    /// The first line holds the names of the columns.
    case columns(separator: UInt8)
  }

  enum Reading {
    /// A line of the log itself.
    case line
    /// One that says nothing that is needed.
    case remark
    /// The layouts of the lines from here on.
    case layouts([LineLayout])
  }

  let kind: Kind
  /// What columns mean whose names say nothing; by name in lower case.
  var names: [String: FieldMeaning] = [:]
  /// The instant that the last `#Date:` told, in seconds since the epoch.
  private(set) var date: Int64?
  /// The zone that `#GMT-Offset:` told.
  private(set) var secondsFromUTC: Int64?
  /// Whether `#Software:` named one of Microsoft's servers.
  private(set) var isMicrosoft = false
  /// The text of the last `#Fields:`.
  private var fields: String?

  init(kind: Kind, names: [String: FieldMeaning] = [:]) {
    self.kind = kind
    self.names = names
  }

  var escaping: Escaping {
    switch kind {
    case .w3c: .plus
    case .zeek: .zeek
    case .columns: .doubled
    }
  }

  mutating func read(_ base: ByteView, _ end: Int, isFirst: Bool) -> Reading {
    switch kind {
    case .w3c, .zeek:
      guard base[0] == UInt8(ascii: "#") else { return .line }
      let text = String(decoding: base.part(0, end), as: UTF8.self)
      let layouts = kind.isZeek ? zeek(text) : directive(text)
      return layouts.map { .layouts($0) } ?? .remark
    case .columns(let separator):
      guard isFirst else { return .line }
      return .layouts([columns(base, end, separator)].compactMap { $0 })
    }
  }

  /// The layouts from here on, when a directive of a W3C extended log says something of them.
  private mutating func directive(_ text: String) -> [LineLayout]? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let value = String(text[text.index(after: colon)...]).trimming { $0 == " " || $0 == "\t" }
    switch text[..<colon].lowercased() {
    case "#fields": fields = value
    case "#software":
      isMicrosoft = value.lowercased().hasPrefix("microsoft")
      return nil
    case "#date":
      guard let date = StampReader.directive(value) else { return nil }
      self.date = date
      // Where lines tell the whole instant, the date of the directive changes nothing.
      guard let fields, Self.tellsTimeOfDayOnly(fields) else { return nil }
    case "#gmt-offset":
      guard let seconds = StampReader.zone(value) else { return nil }
      secondsFromUTC = seconds
      guard fields != nil else { return nil }
    default: return nil
    }
    return fields.map { w3c($0) }
  }

  /// Whether lines with these fields have a time, and the date stands in a directive alone.
  private static func tellsTimeOfDayOnly(_ fields: String) -> Bool {
    let columns = fields.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
    return columns.contains("time") && !columns.contains("date")
  }
}

extension HeaderRule.Kind {
  fileprivate var isZeek: Bool {
    if case .zeek = self { true } else { false }
  }
}
