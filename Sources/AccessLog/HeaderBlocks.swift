internal import Bytes
internal import HTTPExchange

/// Names of header fields as they stand in blocks, each looked up once.
struct HeaderBlocks {
  /// A name with what is done to its values.
  struct Name {
    var name: HeaderName
    var requestKind: ValueKind
    var responseKind: ValueKind
    var isKeptInResponses: Bool
  }

  private let names: ByteTable<Name>

  init(isForFewLines: Bool) {
    names = ByteTable(
      entries: isForFewLines ? 64 : 1024, bytes: isForFewLines ? 4096 : 1 << 16,
      free: Self.name(""))
  }

  /// The name of those bytes.
  func name(_ start: ByteView) -> Name {
    let hash = ByteTable<Name>.hash(start, seed: 1)
    if let known = names.find(start, hash) { return known }
    let text = WireText.decode(start)
    let name = Self.name(text)
    if start.count <= 256 { names.insert(start, hash, name) }
    return name
  }

  private static func name(_ text: String) -> Name {
    let name = HeaderName(text)
    return Name(
      name: name, requestKind: name.isKeptInRequests ? ValueKind(request: name) : .hidden,
      responseKind: ValueKind(response: name), isKeptInResponses: name.isKeptInResponses)
  }
}

extension ExchangeBuilder {
  /// The request's header fields as a line tells them, and which of them it would have told.
  mutating func requestEvidence(_ line: Line) -> MessageEvidence {
    if line.layout.roles.requestBlock >= 0, line.hasBlock(line.layout.roles.requestBlock) {
      sawRequestBlock = true
      let fields = block(
        line, line.layout.roles.requestBlock, line.layout.roles.requestShape, isRequest: true)
      return blocks.evidence(
        coverage: requestCoverage(line, of: fields), fields: fields)
    }
    var fields: [HeaderField] = []
    fields.reserveCapacity(line.layout.roles.requestFields.count)
    for entry in line.layout.roles.requestFields {
      if line.isAbsent(entry.field) {
        noteAbsence(line, entry.field)
      } else if !entry.isFlag {
        noteField(line, entry.name, isRequest: true)
        append(line, entry.field, entry.name, entry.kind, to: &fields)
      } else if line.isFlagSet(entry.field) {
        fields.append(HeaderField(entry.name, nil))
      }
    }
    if line.layout.roles.requestBlock >= 0, line.layout.family < 0 {
      // The block was left out of the line: nothing is known of what it would have held.
      return blocks.evidence(coverage: .truncated, fields: fields)
    }
    var coverage = coverage(line, isRequest: true)
    if !line.layout.roles.limits.isEmpty { mark(line, isRequest: true, &coverage) }
    return blocks.evidence(coverage: coverage, fields: fields)
  }

  /// The response's, in the same way.
  mutating func responseEvidence(_ line: Line) -> MessageEvidence {
    if line.layout.roles.responseBlock >= 0, line.hasBlock(line.layout.roles.responseBlock) {
      sawResponseBlock = true
      let fields = block(
        line, line.layout.roles.responseBlock, line.layout.roles.responseShape, isRequest: false)
      if line.layout.roles.responseShape.isWhole || isBlockCut {
        return blocks.evidence(
          coverage: isBlockCut
            ? .truncated
            : line.layout.roles.responseShape.repeats == .all
              ? .complete : Self.allOfResponses(line.layout.roles.responseShape.repeats),
          fields: fields)
      }
      for field in fields { noteField(line, field.name, isRequest: false) }
      return blocks.evidence(
        coverage: line.layout.family >= 0
          ? families[line.layout.family].responseCoverage : .truncated, fields: fields)
    }
    var fields: [HeaderField] = []
    fields.reserveCapacity(line.layout.roles.responseFields.count)
    for entry in line.layout.roles.responseFields {
      if line.isAbsent(entry.field) {
        noteAbsence(line, entry.field)
      } else {
        noteField(line, entry.name, isRequest: false)
        append(line, entry.field, entry.name, entry.kind, to: &fields)
      }
    }
    if line.layout.roles.responseBlock >= 0, line.layout.family < 0 {
      return blocks.evidence(coverage: .truncated, fields: fields)
    }
    var coverage = coverage(line, isRequest: false)
    if !line.layout.roles.limits.isEmpty { mark(line, isRequest: false, &coverage) }
    for entry in line.layout.roles.lineCounts {
      count(line, entry.field, entry.name, &fields, &coverage)
    }
    return blocks.evidence(coverage: coverage, fields: fields)
  }

  // MARK: What a line would have told

  private func coverage(_ line: Line, isRequest: Bool) -> Coverage {
    let all = isRequest ? line.layout.roles.requestCoverage : line.layout.roles.responseCoverage
    guard line.layout.family >= 0 else { return all }
    let family = families[line.layout.family]
    guard family.isExplicit else {
      return isRequest ? family.requestCoverage : family.responseCoverage
    }
    guard case .members = line.layout.structure, case .only(var names) = all else { return all }
    // What is absent is written down, so that only what the line names is recorded.
    for entry in isRequest
      ? line.layout.roles.requestFields.map({ ($0.field, $0.name) })
      : line.layout.roles.responseFields.map({ ($0.field, $0.name) })
    where !line.isNamed(entry.0) {
      names[entry.1] = nil
    }
    return .only(names)
  }

  private mutating func noteAbsence(_ line: Line, _ field: Int) {
    guard line.layout.family >= 0, line.isNamed(field) else { return }
    families[line.layout.family].seeExplicitAbsence()
  }

  private mutating func noteField(_ line: Line, _ name: HeaderName, isRequest: Bool) {
    let family = line.layout.family
    guard family >= 0 else { return }
    if isRequest {
      guard families[family].request[name] == nil else { return }
      var fidelity = Fidelity.firstLine
      if case .only(let names) = line.layout.roles.requestCoverage {
        fidelity = names[name] ?? fidelity
      }
      families[family].see(request: name, fidelity)
    } else {
      guard families[family].response[name] == nil else { return }
      var fidelity = Fidelity.firstLine
      if case .only(let names) = line.layout.roles.responseCoverage {
        fidelity = names[name] ?? fidelity
      }
      families[family].see(response: name, fidelity)
    }
  }

  /// The coverage of a request whose fields stand in a block.
  private mutating func requestCoverage(_ line: Line, of fields: [HeaderField]) -> Coverage {
    if isBlockCut { return .truncated }
    guard line.layout.roles.requestShape.isWhole else {
      for field in fields { noteField(line, field.name, isRequest: true) }
      return line.layout.family >= 0
        ? families[line.layout.family].requestCoverage : .truncated
    }
    if line.fields[line.layout.roles.requestBlock].count >= line.layout.roles.requestShape.limit {
      return .truncated
    }
    // What every browser sends beside what is there was left out by a filter of the log.
    func has(_ name: HeaderName, _ value: String? = nil) -> Bool {
      fields.contains { $0.name == name && (value == nil || $0.value == value) }
    }
    let isCORS =
      has(.accessControlRequestMethod)
      || (has(.secFetchSite, "cross-site") && has(.secFetchMode, "cors"))
    if isCORS, !has(.origin) { hidesOrigin = true }
    let lacksAgent =
      blockUserAgent == nil
      && (line.layout.roles.userAgent < 0 || line.isAbsent(line.layout.roles.userAgent))
    if has(.secFetchMode), lacksAgent { hidesUserAgent = true }
    var hidden: [HeaderName] = []
    if hidesOrigin, !has(.origin) { hidden.append(.origin) }
    if hidesUserAgent, lacksAgent { hidden.append(.userAgent) }
    if line.layout.roles.browserError >= 0 {
      // An archive may have been sanitized.
      hidden += [.cookie, .authorization].filter { !has($0) }
    }
    return hidden.isEmpty ? .complete : Self.allBut(hidden)
  }

  private static func allBut(_ hidden: [HeaderName]) -> Coverage {
    var names: [HeaderName: Fidelity] = [:]
    for name in HeaderName.known where !hidden.contains(name) { names[name] = .exact }
    return .only(names)
  }

  /// Every field of a response that is kept, of which a block shows lines in this way.
  private static func allOfResponses(_ repeats: RepeatedLines) -> Coverage {
    repeats == .joined ? joinedResponse : responseCoverage(repeats)
  }

  private static let joinedResponse = responseCoverage(.joined)

  private static func responseCoverage(_ repeats: RepeatedLines) -> Coverage {
    var names: [HeaderName: Fidelity] = [:]
    for name in HeaderName.known where name.isKeptInResponses { names[name] = repeats.fidelity }
    return .only(names)
  }

  /// Marks the values that were cut: a value as long as the limit has to count as one.
  private func mark(_ line: Line, isRequest: Bool, _ coverage: inout Coverage) {
    guard case .only(var names) = coverage else { return }
    for limit in line.layout.roles.limits
    where limit.isRequest == isRequest
      && ValueEscapes.byteCount(line, limit.field) >= limit.bytes
    {
      names[limit.name]?.insert(.cut)
    }
    coverage = .only(names)
  }

  /// Applies a count of the lines of a field: with one line nothing is hidden, with more some are.
  private func count(
    _ line: Line, _ field: Int, _ name: HeaderName, _ fields: inout [HeaderField],
    _ coverage: inout Coverage
  ) {
    guard case .only(var names) = coverage, names[name] != nil, !line.isAbsent(field) else {
      return
    }
    let range = line.fields[field]
    let digits = line.bytes(range)
    guard let lines = Int(String(decoding: digits, as: UTF8.self)), lines >= 0 else { return }
    names[name]?.remove([.firstLine, .lastLine])
    if lines > 1 {
      // One is told, of the others only that they were there.
      for _ in 1..<min(lines, 16) { fields.insert(HeaderField(name, nil), at: 0) }
    }
    coverage = .only(names)
  }

  // MARK: Values

  /// Appends the lines of a field: one, or several where the log tells them apart.
  private mutating func append(
    _ line: Line, _ field: Int, _ name: HeaderName, _ kind: ValueKind,
    to fields: inout [HeaderField]
  ) {
    let range = line.fields[field]
    let start = Int(range.start)
    if line.layout.escaping.isJSON, range.count > 0, line.base[start] == UInt8(ascii: "["),
      start == 0 || line.base[start - 1] != UInt8(ascii: "\"")
    {
      let base = line.base
      var values: [FieldRange] = []
      _ = JSONScan.forEachElement(base, start, Int(range.end)) { value in
        values.append(MemberMap.range(base, value))
      }
      for value in values where value.count >= 0 {
        fields.append(
          HeaderField(name, interner.text(line.bytes(value), kind)))
      }
      // An empty array, or one without texts, says that the field was there.
      if values.isEmpty { fields.append(HeaderField(name, nil)) }
      return
    }
    let value = text(line, field, kind)
    let count = range.count
    if line.layout.escaping.isJSON, count == 8, line.equals(field, "REDACTED") {
      // Traefik hides a value so that its configuration wants hidden.
      fields.append(HeaderField(name, nil))
    } else if count > 0,
      line.base.first(UInt8(ascii: "\\"), from: start, to: start + count)
        < start + count, let value, value.utf8.contains(0x0D)
    {
      // Only an escape can be a line end.
      for part in Self.lines(of: value, name) { fields.append(HeaderField(name, part)) }
    } else {
      fields.append(HeaderField(name, value))
    }
  }

  /// lighttpd prints the header block as it stands in it: `A\r\nNAME: B` are two lines, since no
  /// value can hold a line end.
  private static func lines(of value: String, _ name: HeaderName) -> [String] {
    var lines: [String] = []
    for part in value.utf8.split(separator: 0x0D, omittingEmptySubsequences: false) {
      var text = Substring(part.first == 0x0A ? part.dropFirst() : part)
      if !lines.isEmpty {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")),
          HeaderName(text[..<colon]) == name
        else { return [value] }
        text = text[text.utf8.index(after: colon)...].drop { $0 == " " }
      }
      lines.append(String(text))
    }
    return lines
  }

  /// Whether one more field of a block may be kept; what is left out is unknown, not absent.
  private mutating func hasRoom(_ fields: [HeaderField]) -> Bool {
    if fields.count >= AccessLogLimits.blockFields { isBlockCut = true }
    return !isBlockCut
  }

  /// The fields of a block.
  private mutating func block(
    _ line: Line, _ field: Int, _ shape: BlockShape, isRequest: Bool
  ) -> [HeaderField] {
    let range = line.fields[field]
    let base = line.base
    let start = Int(range.start)
    let end = Int(range.end)
    isBlockCut = false
    var fields: [HeaderField] = []
    switch shape.spelling {
    case .object:
      var stop = 0
      _ = JSONScan.forEachMember(base, start, end, endsAt: &stop) { name, value in
        guard !value.isEmpty, hasRoom(fields) else { return }
        if base[value.lowerBound] == UInt8(ascii: "[") {
          var isEmpty = true
          _ = JSONScan.forEachElement(base, value.lowerBound, value.upperBound) { element in
            isEmpty = false
            guard hasRoom(fields) else { return }
            add(base, name, MemberMap.range(base, element), isRequest, to: &fields)
          }
          // Caddy hides secrets so: the name is there, the value is not.
          if isEmpty { add(base, name, FieldRange(start: 0, end: -1), isRequest, to: &fields) }
        } else if !shape.isWhole, value.count == 2 || base[value.lowerBound] == UInt8(ascii: "n") {
          // Of chosen fields those that were absent are written as `""`.
          let known = headers.name(base.part(name))
          noteField(line, known.name, isRequest: isRequest)
        } else {
          add(base, name, MemberMap.range(base, value), isRequest, to: &fields)
        }
      }
    case .list:
      _ = JSONScan.forEachElement(base, start, end) { element in
        guard hasRoom(fields) else { return }
        var name: Range<Int>?
        var value = FieldRange(start: 0, end: -1)
        var stop = 0
        _ = JSONScan.forEachMember(
          base, element.lowerBound, element.upperBound, endsAt: &stop
        ) { key, text in
          guard !text.isEmpty else { return }
          if key.count == 4, base[key.lowerBound] == UInt8(ascii: "n") {
            name = text.lowerBound + 1..<max(text.lowerBound + 1, text.upperBound - 1)
          } else if key.count == 5, base[key.lowerBound] == UInt8(ascii: "v") {
            value = MemberMap.range(base, text)
          }
        }
        if let name { add(base, name, value, isRequest, to: &fields) }
      }
    case .lines:
      let text = Array(interner.decoded(line.bytes(range)).utf8)
      text.withByteView { buffer in
        for part in buffer.split(separator: 0x0A) where hasRoom(fields) {
          guard let colon = part.firstIndex(of: UInt8(ascii: ":")), colon > part.startIndex else {
            continue
          }
          let known = headers.name(buffer.part(part.startIndex, colon))
          let value = String(decoding: part[(colon + 1)...], as: UTF8.self)
          let kept =
            isRequest
            ? Redaction.requestValue(known.name, value) : Redaction.responseValue(known.name, value)
          fields.append(HeaderField(known.name, kept))
        }
      }
    }
    return fields
  }

  private mutating func add(
    _ base: ByteView, _ name: Range<Int>, _ value: FieldRange, _ isRequest: Bool,
    to fields: inout [HeaderField]
  ) {
    let known = headers.name(base.part(name))
    // What a pseudo-header says stands elsewhere.
    guard known.name.description.utf8.first != UInt8(ascii: ":"),
      isRequest || known.isKeptInResponses
    else { return }
    let kind = isRequest ? known.requestKind : known.responseKind
    // The host is part of the URL and the user agent a field of its own.
    if isRequest, known.name == .host { return }
    let text =
      value.count < 0
      ? nil
      : interner.text(
        base.part(Int(value.start), Int(value.end)), known.name == .userAgent ? .plain : kind)
    if isRequest, known.name == .userAgent {
      blockUserAgent = text?.isEmpty == true ? nil : text
      return
    }
    guard let text, text.utf8.contains(0x0A) else {
      fields.append(HeaderField(known.name, text))
      return
    }
    // Chromium's archives have the lines of one name in one value.
    for part in text.utf8.split(separator: 0x0A) {
      fields.append(HeaderField(known.name, String(Substring(part))))
    }
  }
}
