internal import Bytes
internal import HTTPExchange

// What the header lines of W3C extended logs, of Zeek and of plain columns say.

extension HeaderRule {
  /// The layouts of the lines behind `#Fields: NAME NAME …`.
  ///
  /// Servers part the names by blanks, and the values by blanks or by tabs.
  ///
  /// - Parameters:
  ///   - fields: the names alone.
  ///   - isCloudFront: whether it is known who writes the lines; else the names tell.
  func w3c(_ fields: String, isCloudFront: Bool = false) -> [LineLayout] {
    let columns = fields.split { $0 == " " || $0 == "\t" }.map { $0.lowercased() }
    guard !columns.isEmpty, columns.count <= AccessLogLimits.fields else { return [] }
    let dialect = W3CDialect(columns, isMicrosoft: isMicrosoft, isCloudFront: isCloudFront)
    var meanings: [FieldMeaning] = []
    var spans: [Int] = []
    var index = 0
    while index < columns.count {
      let next = index + 1 < columns.count ? columns[index + 1] : ""
      switch (columns[index], next) {
      case ("date", "time"):
        let form: StampForm =
          if let secondsFromUTC {
            .isoOf(secondsFromUTC: secondsFromUTC)
          } else {
            dialect.isUTC ? .isoUTC : .iso
          }
        meanings.append(dialect.stamp(form))
        spans.append(2)
        index += 2
      case ("time", _) where !columns.contains("date"):
        // The date stands in the directive alone, as IIS had it by default up to version 6.
        let form = date.map {
          StampForm.timeOfDay(after: $0, secondsFromUTC: secondsFromUTC ?? 0)
        }
        meanings.append(names["time"] ?? form.map(dialect.stamp) ?? .ignored)
        spans.append(1)
        index += 1
      case ("date-local", "time-local"):
        meanings.append(dialect.stamp(.iso))
        spans.append(2)
        index += 2
      default:
        meanings.append(names[columns[index]] ?? dialect.meaning(of: columns[index]))
        spans.append(1)
        index += 1
      }
    }
    return [ColumnRule.Separator.byte(0x09), .blanks].map { separator in
      LineLayout(
        .columns(ColumnRule(separator: separator, isQuoted: true, spans: spans)),
        meanings: meanings, escaping: dialect.escaping,
        limits: meanings.map { dialect.limit(of: $0) })
    }
  }

  /// The layout of the lines behind `#fields NAME…`; `nil` for another directive.
  func zeek(_ text: String) -> [LineLayout]? {
    // The separator is a tab unless the log says otherwise, and stands between the names, too.
    guard text.hasPrefix("#fields") else { return nil }
    let rest = text.dropFirst(7)
    guard let separator = rest.utf8.first, separator < 0x80 else { return nil }
    let columns = rest.utf8.dropFirst().split(
      separator: separator, omittingEmptySubsequences: false
    ).map { String(Substring($0)) }
    guard columns.count <= AccessLogLimits.fields else { return [] }
    let meanings = columns.map { names[$0.lowercased()] ?? ZeekNames.meaning(of: $0) }
    return [
      LineLayout(
        .columns(
          ColumnRule(
            separator: .byte(separator), isQuoted: false,
            spans: Array(repeating: 1, count: columns.count))),
        meanings: meanings, escaping: .zeek, repeats: ZeekNames.repeats, hopScheme: "http")
    ]
  }

  /// The layout of the lines behind a line of names.
  func columns(_ base: ByteView, _ end: Int, _ separator: UInt8) -> LineLayout? {
    let text = String(decoding: base.part(0, end), as: UTF8.self)
    let columns = text.utf8.split(separator: separator, omittingEmptySubsequences: false).map {
      String(Substring($0)).trimming { $0 == "\"" || $0 == " " }
    }
    guard columns.count > 1, columns.count <= AccessLogLimits.fields else { return nil }
    let meanings = columns.map { name in
      names.isEmpty ? FieldNames.meaning(of: name.utf8) : names[name.lowercased()] ?? .ignored
    }
    let layout = LineLayout(
      .columns(
        ColumnRule(
          separator: .byte(separator), isQuoted: true,
          spans: Array(repeating: 1, count: columns.count))),
      meanings: meanings, escaping: .doubled)
    return layout.roles.isSufficient ? layout : nil
  }
}

/// What a field of a W3C extended log means depends on who writes it.
private struct W3CDialect {
  /// Amazon's CDN: values are percent-encoded, times are in seconds.
  let isCloudFront: Bool
  let isMicrosoft: Bool
  private let hasHostHeader: Bool

  init(_ columns: [String], isMicrosoft: Bool, isCloudFront: Bool) {
    self.isCloudFront =
      isCloudFront
      || columns.contains {
        $0.hasPrefix("x-edge-") || $0.hasPrefix("fle-") || $0.hasPrefix("origin-")
          || $0 == "timestamp(ms)" || $0 == "cache-behavior-path-pattern"
      }
    self.isMicrosoft =
      !self.isCloudFront
      && (isMicrosoft
        || columns.contains {
          $0 == "sc-win32-status" || $0 == "s-sitename" || $0 == "sc-substatus"
        })
    hasHostHeader = columns.contains("x-host-header")
  }

  var escaping: Escaping { isCloudFront ? .percent : .plus }

  /// Both write times of UTC; what others write is not known.
  var isUTC: Bool { isCloudFront || isMicrosoft }

  /// Both write a line when the request has ended; of others nothing says so.
  func stamp(_ form: StampForm) -> FieldMeaning {
    .stamp(Stamp(form: form, isStart: false, isFirm: isCloudFront || isMicrosoft))
  }

  /// Bytes at which IIS cuts the values of fields that were added by configuration.
  func limit(of meaning: FieldMeaning) -> Int {
    switch meaning {
    case .requestHeader, .responseHeader: isMicrosoft ? 4096 : 0
    default: 0
    }
  }

  func meaning(of column: String) -> FieldMeaning {
    switch column {
    case "timestamp(ms)" where isCloudFront:
      return stamp(.epoch(unit: 1_000_000))
    case "timestamp" where isCloudFront:
      return stamp(.epoch(unit: 1_000_000_000))
    case "c-ip": return .client
    case "cs-method": return .method
    case "cs-uri-stem": return .path
    case "cs-uri-query": return .arguments
    case "cs-uri": return .target
    case "sc-status": return .status
    case "cs-version", "cs-protocol-version": return .httpVersion
    case "cs-protocol": return .scheme
    case "x-host-header": return .hostHeader
    case "cs(host)", "cs-host": return hasHostHeader ? .ignored : .hostHeader
    case "s-port": return .port
    case "time-taken":
      return isCloudFront
        ? .duration(unit: 1_000_000_000)
        : isMicrosoft ? .duration(unit: 1_000_000) : .ignored
    case "x-forwarded-for": return .requestHeader(.xForwardedFor)
    case "cs-username", "cs-bytes", "sc-bytes": return .ignored
    default: break
    }
    for (prefix, isResponse) in [("cs(", false), ("sc(", true), ("rs(", true)]
    where column.hasPrefix(prefix) && column.hasSuffix(")") {
      return FieldNames.header(
        named: String(column.dropFirst(3).dropLast()), isResponse: isResponse)
    }
    for (prefix, isResponse) in [("cs-", false), ("sc-", true), ("rs-", true)]
    where column.hasPrefix(prefix) {
      return FieldNames.header(named: String(column.dropFirst(3)), isResponse: isResponse)
    }
    return .ignored
  }
}

/// The names of Zeek's `http.log`.
enum ZeekNames {
  /// Zeek's script sees every line; those that the scripts in use keep are the first or, joined, all.
  static let repeats = Repeats(request: .first, response: .first)

  static func meaning(of name: String) -> FieldMeaning {
    switch name {
    case "ts": return .stamp(Stamp(form: .any, isStart: true))
    case "id.orig_h": return .client
    case "id.resp_p": return .port
    case "method": return .method
    case "host": return .host
    case "uri": return .target
    case "version": return .ignored
    case "referrer": return .requestHeader(.referer)
    case "user_agent": return .userAgent
    case "origin": return .requestHeader(.origin)
    case "status_code": return .status
    case "username", "password", "uid", "trans_depth", "status_msg", "info_code", "info_msg",
      "tags",
      "proxied", "id.orig_p", "id.resp_h":
      return .ignored
    default:
      switch FieldNames.meaning(of: name.utf8) {
      case .requestHeader(let name): return .requestHeader(name)
      case .responseHeader(let name): return .responseHeader(name)
      default: return .ignored
      }
    }
  }
}

extension String {
  /// The text without characters of a kind at both ends.
  func trimming(_ isRemoved: (Character) -> Bool) -> String {
    var text = Substring(self)
    while let first = text.first, isRemoved(first) { text.removeFirst() }
    while let last = text.last, isRemoved(last) { text.removeLast() }
    return String(text)
  }
}
