internal import HTTPExchange

/// Formats that are given as a mapping: `json:method=verb,url=uri`, `csv:time,method,url,status`.
///
/// Those of CloudFront are given in the field names of its documentation: `cloudfront:date,time,c-ip,…`.
///
/// What a field means is said with the names of ``FieldNames``: `time`, `start`, `end`, `client`, `method`,
/// `url`, `path`, `query`, `host`, `scheme`, `port`, `status`, `protocol`, `duration_ms`, `user-agent`,
/// `request-id`, `origin`, `acrm`, `acrh`, `acao`, `acac`, `acam`, `acah`, `acma`, and every other header
/// field as `request.NAME` or `response.NAME`.
enum MappedFormat {
  /// The format of an argument; `nil` when it is no mapping.
  static func format(_ argument: String) throws(FormatError) -> LogFormat? {
    guard let colon = argument.firstIndex(of: ":") else { return nil }
    let text = String(argument[argument.index(after: colon)...])
    switch argument[..<colon].lowercased() {
    case "json": return try json(text)
    case "csv": return try columns(text, separator: UInt8(ascii: ","), like: .csv)
    case "tsv": return try columns(text, separator: 0x09, like: .tsv)
    case "w3c":
      return headed(.w3c, try names(text), like: .w3c)
    case "zeek": return headed(.zeek, try names(text), like: .zeek)
    case "cloudfront":
      // Standard logs of version 2 as plain text have no line that names their fields.
      let names = text.split(separator: ",").map { $0.trimmed }
      let layouts = HeaderRule(kind: .w3c).w3c(
        names.joined(separator: " "), isCloudFront: true)
      guard let first = layouts.first, first.roles.isSufficient else { throw insufficient }
      return LogFormat(
        name: "cloudfront-plain",
        summary: "CloudFront standard logs with the fields of the command line",
        rule: .layouts(layouts), configuration: LogFormat.cloudFrontConfiguration,
        hides: LogFormat.cloudFrontJSON.hides)
    case "cloudfront-realtime":
      let names = text.split(separator: ",").map { $0.trimmed.lowercased() }
      if let wrong = names.first(where: { !CloudFrontFields.all.contains($0) }) {
        throw FormatError("cloudfront-realtime: \"\(wrong)\" is no field of such logs")
      }
      return try sufficient(CloudFrontFields.layout(names), like: .cloudFrontRealTime)
    default: return nil
    }
  }

  /// Members of JSON lines: `FIELD=MEMBER`, where a dot leads into an object and `\.` is a dot.
  private static func json(_ text: String) throws(FormatError) -> LogFormat {
    var places: [MemberMap.Place] = []
    for (meaning, member) in try pairs(text) {
      places.append(.init(path: path(member), meaning: meaning))
    }
    let stamps = places.filter { if case .stamp = $0.meaning { true } else { false } }
    let map = MemberMap(
      places,
      // Without a time of its own a line is known by any of the members.
      requiring: [(stamps.isEmpty ? places : stamps).map { $0.path.joined(separator: "/") }])
    let layout = LineLayout(
      .members(map), meanings: map.meanings, escaping: .anyJSON)
    layout.family = 0
    guard layout.roles.tellsRequest else { throw insufficient }
    return LogFormat(
      name: "json-mapped", summary: "JSON lines with the mapping of the command line",
      rule: .layout(layout), hides: [leftOut], families: [FieldFamily()])
  }

  private static let leftOut =
    "a member that a line leaves out counts as absent once another line has it, unless lines "
    + "write null or nothing for what is absent"

  /// Columns: in their order, or by the names in the first line.
  private static func columns(
    _ text: String, separator: UInt8, like format: LogFormat
  ) throws(FormatError) -> LogFormat {
    if text.contains("=") {
      return headed(.columns(separator: separator), try names(text), like: format)
    }
    var meanings: [FieldMeaning] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      let name = name.trimmed
      meanings.append(name.isEmpty || name == "-" ? .ignored : try meaning(of: name))
    }
    guard meanings.count <= AccessLogLimits.fields else {
      throw FormatError("more than \(AccessLogLimits.fields) columns")
    }
    let rule = ColumnRule(
      separator: .byte(separator), isQuoted: true,
      spans: Array(repeating: 1, count: meanings.count))
    return try sufficient(
      LineLayout(.columns(rule), meanings: meanings, escaping: .doubled), like: format)
  }

  private static func headed(
    _ kind: HeaderRule.Kind, _ names: [String: FieldMeaning], like format: LogFormat
  ) -> LogFormat {
    LogFormat(
      name: format.name, summary: format.summary,
      rule: .headed(HeaderRule(kind: kind, names: names), first: []),
      configuration: format.configuration, hides: format.hides)
  }

  private static func names(_ text: String) throws(FormatError) -> [String: FieldMeaning] {
    var names: [String: FieldMeaning] = [:]
    for (meaning, column) in try pairs(text) { names[column.lowercased()] = meaning }
    return names
  }

  private static func pairs(_ text: String) throws(FormatError) -> [(FieldMeaning, String)] {
    var pairs: [(FieldMeaning, String)] = []
    for part in text.split(separator: ",") {
      guard let equals = part.firstIndex(of: "=") else {
        throw FormatError("\"\(part)\" is not of the form FIELD=NAME")
      }
      let name = part[part.index(after: equals)...].trimmed
      guard !name.isEmpty else { throw FormatError("\"\(part)\" names no member or column") }
      pairs.append((try meaning(of: part[..<equals].trimmed), name))
    }
    guard !pairs.isEmpty, pairs.count <= AccessLogLimits.fields else {
      throw FormatError("a mapping of 1 to \(AccessLogLimits.fields) fields is needed")
    }
    return pairs
  }

  private static func meaning(of name: String) throws(FormatError) -> FieldMeaning {
    let meaning = FieldNames.meaning(of: name.utf8)
    guard meaning != .ignored else {
      throw FormatError(
        "\"\(name)\" is no field that is known: time, start, end, client, method, url, path, query, "
          + "host, scheme, port, status, protocol, duration_ms, user-agent, request-id, origin, "
          + "acrm, acrh, acao, acac, acam, acah, acma, request.NAME, response.NAME")
    }
    return meaning
  }

  private static func path(_ member: String) -> [String] {
    var path = [""]
    var isEscaped = false
    for character in member {
      if isEscaped || (character != "\\" && character != ".") {
        path[path.count - 1].append(character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        path.append("")
      }
    }
    return path
  }

  private static func sufficient(
    _ layout: LineLayout, like format: LogFormat
  ) throws(FormatError) -> LogFormat {
    guard layout.roles.tellsRequest else { throw insufficient }
    return LogFormat(
      name: format.name, summary: format.summary, layout: layout,
      configuration: format.configuration, hides: format.hides)
  }

  private static let insufficient = FormatError(
    "the mapping needs a method and url, or a request line")
}

extension StringProtocol {
  fileprivate var trimmed: String { String(self).trimming { $0 == " " } }
}
