internal import Bytes

/// Learns the layout of lines that name their fields themselves, from one of them.
///
/// A producer writes the same names in the same order, so that what was learned from one line fits
/// the next ones, and reading them costs no more than a format that was given.
struct LayoutLearner: Sendable {
  /// What kind of line is learned.
  enum Kind: Sendable {
    /// One JSON object a line.
    case json
    /// A known left part, then fields that name themselves.
    case named
    /// A known left part, then anything.
    case tail
  }

  /// What the first line that is learned has to show.
  enum Sign: Sendable {
    case anything
    /// One of Envoy's words for what became of a request, or a name that Istio gives by default.
    case envoy
    /// A member whose name begins so.
    case member(prefix: StaticString)
    /// A request line with a whole URL in it, and a field of that name.
    case absoluteTarget(with: StaticString)
  }

  let kind: Kind
  /// The left parts that are tried, in this order.
  let lefts: [LineLayout]
  let escaping: Escaping
  let repeats: Repeats?
  let sign: Sign
  /// Whether the server leaves out members that have no value.
  let infersAbsence: Bool

  init(
    _ kind: Kind, lefts: [LineLayout] = [], escaping: Escaping? = nil, repeats: Repeats? = nil,
    sign: Sign = .anything, infersAbsence: Bool = false
  ) {
    self.kind = kind
    self.lefts = lefts
    self.escaping = escaping ?? (kind == .json ? .anyJSON : .anyText)
    self.repeats = repeats
    self.sign = sign
    self.infersAbsence = infersAbsence
  }

  /// The layout of a line; `nil` when the line is none of this kind, or says too little.
  ///
  /// - Parameters:
  ///   - isFirst: whether nothing was learned before, so that the sign has to be shown.
  ///   - isStamped: whether a coat tells the time of lines that do not tell it.
  func learn(_ base: ByteView, _ end: Int, isFirst: Bool, isStamped: Bool) -> LineLayout? {
    if isFirst, !showsSign(base, end) { return nil }
    let layout = kind == .json ? json(base, end) : text(base, end)
    guard let layout, layout.roles.status >= 0, layout.count <= AccessLogLimits.fields,
      // A request that could not be read has neither method nor path to leave out.
      layout.roles.tellsTime || isStamped, layout.roles.tellsRequest || (infersAbsence && !isFirst)
    else { return nil }
    return layout
  }

  private func showsSign(_ base: ByteView, _ end: Int) -> Bool {
    func holds(_ text: StaticString) -> Bool {
      let count = text.utf8CodeUnitCount
      let first = ByteView(text)[0]
      var place = base.first(first, from: 0, to: end)
      while place + count <= end {
        if base.has(text, at: place) { return true }
        place = base.first(first, from: place + 1, to: end)
      }
      return false
    }
    switch sign {
    case .anything: return true
    case .envoy:
      for word in Self.envoyWords where holds(word) { return true }
      return false
    case .member(let prefix): return holds(prefix)
    case .absoluteTarget(let field):
      return (holds(" http://") || holds("- http://")) && holds(field)
    }
  }

  /// Values of `%RESPONSE_CODE_DETAILS%`, as far as they begin a value, and Istio's names.
  private static let envoyWords: [StaticString] = [
    "\"via_upstream", "\"direct_response", "\"route_not_found", "\"cluster_not_found",
    "\"no_healthy_upstream", "\"upstream_reset_", "\"upstream_response_timeout",
    "\"http1.", "\"http2.", "\"http3.", "\"ext_authz_", "\"jwt_authn_", "\"rbac_access_denied",
    "\"downstream_remote_disconnect", "\"response_code_details\":", "\"response_flags\":",
    "\"upstream_service_time\":",
  ]

  /// What a line of JSON does not tell that a request needs, as far as its names are known; `nil`
  /// for a line that is no JSON.
  func missingParts(_ base: ByteView, _ end: Int) -> [String]? {
    guard kind == .json, let roles = json(base, end)?.roles else { return nil }
    let hasTarget = roles.requestLine >= 0 || roles.target >= 0 || roles.path >= 0
    let parts: [(String, Bool)] = [
      ("time", roles.tellsTime), ("method", roles.requestLine >= 0 || roles.method >= 0),
      ("url", hasTarget), ("status", roles.status >= 0),
    ]
    return parts.compactMap { $0.1 ? nil : $0.0 }
  }

  private func json(_ base: ByteView, _ end: Int) -> LineLayout? {
    guard let members = JSONScan.members(base, end), !members.isEmpty else { return nil }
    var elements: [LineElement] = []
    var place = 0
    for member in members {
      elements.append(
        .literal(
          Array(base.part(place, member.value.lowerBound))))
      let name = base.part(member.name)
      let isList = base[member.value.lowerBound] == UInt8(ascii: "[")
      var meaning =
        member.isScalar || isList ? FieldNames.meaning(of: name) : FieldMeaning.ignored
      if isList {
        switch meaning {
        case .requestHeader, .responseHeader: break
        default: meaning = .ignored
        }
      }
      elements.append(.field(meaning, .json))
      place = member.value.upperBound
    }
    elements.append(.literal(Array(base.part(place, end))))
    return LineLayout(
      elements: elements, escaping: escaping, mayBeNginx: repeats == nil, repeats: repeats)
  }

  private func text(_ base: ByteView, _ end: Int) -> LineLayout? {
    for left in lefts {
      let fields = FixedTable(repeating: FieldRange(start: 0, end: -1), count: left.count)
      let place = left.split(base, end, at: 0, wanted: 0..<left.count, into: fields)
      guard place >= 0, left.looksRight(base, fields) else { continue }
      if place == end {
        if kind == .named { continue }
        return left
      }
      guard let tail = Self.tail(base, place, end, ignoresNames: kind == .tail) else { continue }
      if kind == .named, !tail.isNamed { continue }
      return LineLayout(
        elements: left.elements + tail.elements, escaping: escaping, mayBeNginx: repeats == nil,
        repeats: repeats)
    }
    return nil
  }

  /// The fields behind a known left part.
  private static func tail(
    _ base: ByteView, _ start: Int, _ end: Int, ignoresNames: Bool
  ) -> (elements: [LineElement], isNamed: Bool)? {
    var elements: [LineElement] = []
    var literal: [UInt8] = []
    var isNamed = false
    var index = start
    func isSeparator(_ byte: UInt8) -> Bool {
      byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: "|") || byte == UInt8(ascii: ",")
        || byte == UInt8(ascii: ";")
    }
    guard isSeparator(base[index]) else { return nil }
    while index < end {
      while index < end, isSeparator(base[index]) {
        literal.append(base[index])
        index += 1
      }
      if index == end { break }
      guard elements.count < 2 * AccessLogLimits.fields else { return nil }
      var meaning = FieldMeaning.ignored
      var nameEnd = index
      while nameEnd < end, isNameByte(base[nameEnd]) { nameEnd += 1 }
      if nameEnd > index, nameEnd < end, base[nameEnd] == UInt8(ascii: "=") {
        let name = base.part(index, nameEnd)
        if !ignoresNames { meaning = FieldNames.meaning(of: name) }
        if meaning != .ignored { isNamed = true }
        literal.append(contentsOf: name)
        literal.append(UInt8(ascii: "="))
        index = nameEnd + 1
      }
      if index < end, base[index] == UInt8(ascii: "\"") {
        let quote = ByteSearch.closingQuote(in: base, from: index + 1, to: end)
        guard quote >= 0 else { return nil }
        literal.append(UInt8(ascii: "\""))
        elements.append(.literal(literal))
        elements.append(.field(meaning, .text))
        literal = [UInt8(ascii: "\"")]
        index = quote + 1
        guard index == end || isSeparator(base[index]) else { return nil }
      } else {
        elements.append(.literal(literal))
        literal = []
        elements.append(.field(meaning, .text))
        while index < end, base[index] != 0x20, base[index] != 0x09 { index += 1 }
      }
    }
    elements.append(.literal(literal))
    return (elements, isNamed)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    default: false
    }
  }
}

extension LineLayout {
  /// Whether the fields of a line hold what they should: a status of three digits, and a time.
  func looksRight(
    _ base: ByteView, _ fields: FixedTable<FieldRange>
  ) -> Bool {
    if roles.status >= 0 {
      let range = fields[roles.status]
      let isNumber = (0..<max(0, range.count)).allSatisfy {
        base[Int(range.start) + $0] &- 48 < 10
      }
      let isDash = range.count == 1 && base[Int(range.start)] == UInt8(ascii: "-")
      guard (range.count == 3 && isNumber) || isDash else { return false }
    }
    var stamps = StampReader(secondsFromUTC: 0)
    for stamp in roles.ends + roles.starts {
      let range = fields[stamp.field]
      if stamps.read(base, Int(range.start), Int(range.end), stamp.form).resolution > 0 {
        return true
      }
    }
    return false
  }
}
