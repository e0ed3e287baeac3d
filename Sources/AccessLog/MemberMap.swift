internal import Bytes
internal import HTTPExchange

/// Which members of a JSON object, at any depth, are which fields of a line.
///
/// One pass over the line, whatever the order of its members; what is not named is skipped.
struct MemberMap: Sendable {
  /// A member's place: the names from the outside in.
  struct Place: Sendable {
    var path: [String]
    var meaning: FieldMeaning
    /// Whether the case of the last name does not matter, as for header fields.
    var foldsCase = false

    init(_ path: String..., is meaning: FieldMeaning) {
      self.path = path
      self.meaning = meaning
    }

    init(path: [String], meaning: FieldMeaning, foldsCase: Bool = false) {
      self.path = path
      self.meaning = meaning
      self.foldsCase = foldsCase
    }
  }

  /// What stands before the object.
  enum Lead: Sendable {
    case nothing
    /// Columns parted by tabs, the first of which is the time: Caddy's console.
    case console
  }

  private struct Child {
    var key: [UInt8]
    var foldsCase: Bool
    var node: Int
  }

  private struct Node {
    var children: [Child] = []
    var field = -1
  }

  private var nodes = [Node()]
  private let lead: Lead
  /// Of each group one field has to be there, or the line is another kind of message.
  private let requiredGroups: [[Int]]
  /// The field that says which kind of message a line is, and what it has to say.
  private var kind: (field: Int, name: [UInt8])?
  /// What each field means.
  let meanings: [FieldMeaning]
  /// Whether a field has one value, of which the first is taken where a line has a list.
  private let isSingle: [Bool]
  /// A member that goes on to the end of another one behind it: a date and its time.
  private var joined: (first: Int, last: Int)?

  /// - Parameters:
  ///   - places: the fields, in their order.
  ///   - required: of each group one path, its names joined by `/`, has to be there.
  ///   - pair: the paths of two members whose values tell one instant together.
  ///   - kind: a member and what it says in lines of requests; lines in which it says anything else,
  ///     or is not there, are other messages, whatever they hold.
  init(
    _ places: [Place], requiring required: [[String]], lead: Lead = .nothing,
    joining pair: [String] = [], kind: (member: String, name: String)? = nil
  ) {
    let places =
      places + pair.dropFirst().map { Place($0, is: .ignored) }
      + (kind.map { [Place($0.member, is: .ignored)] } ?? [])
    self.lead = lead
    var meanings: [FieldMeaning] = []
    if case .console = lead {
      meanings.append(.stamp(Stamp(form: .any, isStart: false)))
    }
    var paths: [String: Int] = [:]
    for place in places.prefix(AccessLogLimits.fields - 1) {
      var node = 0
      for (index, name) in place.path.enumerated() {
        let folds = place.foldsCase && index + 1 == place.path.count
        let key = Array((folds ? name.lowercased() : name).utf8)
        if let known = nodes[node].children.first(where: { $0.key == key && $0.foldsCase == folds })
        {
          node = known.node
        } else {
          nodes.append(Node())
          nodes[node].children.append(
            Child(key: key, foldsCase: folds, node: nodes.count - 1))
          node = nodes.count - 1
        }
      }
      if place.meaning == .browserError, let known = meanings.firstIndex(of: place.meaning) {
        // Programs have names of their own for it; a line has one of them.
        nodes[node].field = known
      }
      if nodes[node].field < 0 {
        nodes[node].field = meanings.count
        paths[place.path.joined(separator: "/")] = meanings.count
        meanings.append(place.meaning)
      }
    }
    self.meanings = meanings
    isSingle = meanings.map {
      switch $0 {
      case .requestHeader, .responseHeader, .requestBlock, .responseBlock: false
      default: true
      }
    }
    requiredGroups = required.map { group in group.compactMap { paths[$0] } }
    if pair.count == 2, let first = paths[pair[0]], let last = paths[pair[1]] {
      joined = (first, last)
    }
    if let kind, let field = paths[kind.member] { self.kind = (field, Array(kind.name.utf8)) }
  }

  /// Finds the fields of a line; those that are not there begin before it and have a range of less
  /// than nothing.
  ///
  /// - Returns: whether the line is an object with what it needs.
  func split(
    _ base: ByteView, _ end: Int, _ count: Int,
    into fields: FixedTable<FieldRange>
  ) -> Bool {
    for index in 0..<count { fields[index] = FieldRange(start: -1, end: -2) }
    var start = 0
    if case .console = lead {
      let tab = base.first(0x09, from: 0, to: end)
      fields[0] = FieldRange(start: 0, end: Int32(tab))
      start = tab
      // Level, logger and message follow.
      while start < end, base[start] == 0x09 {
        if start + 1 < end, base[start + 1] == UInt8(ascii: "{") {
          start += 1
          break
        }
        start = base.first(0x09, from: start + 1, to: end)
      }
    }
    let stop = object(base, start, end, 0, into: fields)
    guard stop >= 0, JSONScan.blank(base, stop, end) == end else { return false }
    if let joined {
      let last = fields[joined.last]
      if last.count <= 0 || last.start < fields[joined.first].end {
        fields[joined.first] = FieldRange(start: -1, end: -2)
      } else {
        fields[joined.first].end = last.end
      }
    }
    if let kind {
      let range = fields[kind.field]
      guard range.count == kind.name.count,
        kind.name.withByteView({ base.holds($0, at: Int(range.start)) })
      else { return false }
    }
    return requiredGroups.allSatisfy { group in group.contains { fields[$0].count >= 0 } }
  }

  /// Reads the object that begins at `start`; -1 when there is none.
  private func object(
    _ base: ByteView, _ start: Int, _ end: Int, _ node: Int,
    into fields: FixedTable<FieldRange>
  ) -> Int {
    var stop = -1
    let isWhole = JSONScan.forEachMember(base, start, end, endsAt: &stop) { name, value in
      guard let child = find(base, name, in: node) else { return }
      let first = base[value.lowerBound]
      let field = nodes[child].field
      if field >= 0 {
        var range = Self.range(base, value)
        if first == UInt8(ascii: "["), isSingle[field] {
          range = FieldRange(start: 0, end: -1)
          _ = JSONScan.forEachElement(base, value.lowerBound, value.upperBound) { element in
            if range.count < 0 { range = Self.range(base, element) }
          }
        }
        fields[field] = range
      }
      if !nodes[child].children.isEmpty, first == UInt8(ascii: "{") {
        _ = object(base, value.lowerBound, value.upperBound, child, into: fields)
      }
    }
    return isWhole ? stop : -1
  }

  /// A value without its quotation marks; `null` is less than nothing.
  static func range(_ base: ByteView, _ value: Range<Int>) -> FieldRange {
    guard !value.isEmpty else { return FieldRange(start: 0, end: -1) }
    let first = base[value.lowerBound]
    if first == UInt8(ascii: "\"") {
      return FieldRange(start: Int32(value.lowerBound + 1), end: Int32(value.upperBound - 1))
    }
    if value.count == 4, first == UInt8(ascii: "n") { return FieldRange(start: 0, end: -1) }
    return FieldRange(start: Int32(value.lowerBound), end: Int32(value.upperBound))
  }

  @inline(__always)
  private func find(_ base: ByteView, _ name: Range<Int>, in node: Int) -> Int? {
    for child in nodes[node].children where child.key.count == name.count {
      var isSame = true
      for (index, byte) in child.key.enumerated() {
        var other = base[name.lowerBound + index]
        if child.foldsCase, other &- 65 < 26 { other |= 0x20 }
        if other != byte {
          isSame = false
          break
        }
      }
      if isSame { return child.node }
    }
    return nil
  }
}

extension MemberMap {
  /// One member for each header field whose value is kept, named with a prefix: `request_Origin`.
  static func headers(prefix: String, isRequest: Bool, in path: [String] = []) -> [Place] {
    HeaderName.known.compactMap { name in
      let isKept = isRequest ? name.isKeptInRequests : name.isKeptInResponses
      guard isKept || (isRequest && (name == .userAgent || name == .host)) else { return nil }
      let meaning: FieldMeaning =
        !isRequest
        ? .responseHeader(name)
        : name == .userAgent ? .userAgent : name == .host ? .hostHeader : .requestHeader(name)
      return Place(path: path + [prefix + name.description], meaning: meaning, foldsCase: true)
    }
  }

  /// Fields that have to be known for themselves out of a block of header fields.
  static func blockFields(_ path: String...) -> [Place] {
    [("origin", .requestHeader(.origin)), ("user-agent", FieldMeaning.userAgent)]
      .map { Place(path: path + [$0.0], meaning: $0.1, foldsCase: true) }
  }
}
