/// One header line as far as it was kept.
public struct HeaderField: Hashable, Sendable {
  /// The field's name.
  public var name: HeaderName
  /// The value without surrounding white space, or `nil` when only its presence was kept.
  public var value: String?

  /// A line of that name and value.
  public init(_ name: HeaderName, _ value: String?) {
    self.name = name
    self.value = value
  }

  /// By bytes: `==` of texts would take two spellings of one character for equal.
  public static func == (left: Self, right: Self) -> Bool {
    left.name == right.name && left.value.hasSameBytes(as: right.value)
  }
}

/// How far a recorded value can be trusted to be what was on the wire.
///
/// Several can hold at once: nginx's `escape=json` prints the first line only, and prints an absent
/// and an empty field alike. The empty set is ``exact``.
public struct Fidelity: OptionSet, Hashable, Sendable, CustomStringConvertible {
  /// The members as bits.
  public let rawValue: UInt8

  /// The set of those bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// All lines, in order, byte for byte.
  public static let exact: Fidelity = []
  /// The first of possibly several lines.
  public static let firstLine = Fidelity(rawValue: 1)
  /// The last of possibly several lines.
  public static let lastLine = Fidelity(rawValue: 2)
  /// All lines, joined by a comma.
  public static let joined = Fidelity(rawValue: 4)
  /// Whether the field was there, not what it said.
  public static let presence = Fidelity(rawValue: 8)
  /// The value was cut at a length limit.
  public static let cut = Fidelity(rawValue: 16)
  /// An absent and an empty field are printed alike.
  public static let absentOrEmpty = Fidelity(rawValue: 32)

  /// The names of what holds, joined by `+`; `exact` for none.
  public var description: String {
    let held = Self.names.filter { contains($0.0) }.map(\.1)
    return held.isEmpty ? "exact" : held.joined(separator: "+")
  }

  /// Every member with the name that records use.
  static let names: [(Fidelity, String)] = [
    (.firstLine, "firstLine"), (.lastLine, "lastLine"), (.joined, "joined"),
    (.presence, "presence"), (.cut, "cut"), (.absentOrEmpty, "absentOrEmpty"),
  ]
}

/// Which header fields a source would have shown, had they been there.
public enum Coverage: Hashable, Sendable {
  /// The whole header block: what is not among the fields was absent.
  case complete
  /// A prefix of the header block, or none of it: what is not among the fields is unrecorded.
  case truncated
  /// These fields with their fidelity; all others are unrecorded.
  case only([HeaderName: Fidelity])
}

/// What is known of one header field of one message.
public enum HeaderEvidence: Equatable, Sendable {
  /// The source does not say whether the field was there.
  case unrecorded
  /// The field was not there.
  case absent
  /// The field was there: its lines in order (`nil` where the value was not kept).
  case recorded([String?], Fidelity)
}

/// The header block of a request or response as far as the evidence holds it.
///
/// A value like any other; its lines lie in an allocation that messages which say the same can share.
public struct MessageEvidence: Hashable, Sendable {
  @usableFromInline var block: HeaderBlock
  /// The values of the lines that are this message's own, where the block leaves room for them.
  @usableFromInline var ownValues: [String?]

  /// Which names are recorded at all.
  public var coverage: Coverage {
    @inlinable get { block.coverage }
    set { self = MessageEvidence(coverage: newValue, fields: fields) }
  }

  /// The recorded lines, in the order of the wire, duplicates kept.
  public var fields: [HeaderField] {
    get {
      guard !ownValues.isEmpty else { return block.fields }
      var fields = block.fields
      for (place, value) in zip(block.ownPlaces, ownValues) { fields[place].value = value }
      return fields
    }
    set { self = MessageEvidence(coverage: coverage, fields: newValue) }
  }

  /// A message of those fields, which shares them with no other.
  public init(coverage: Coverage, fields: [HeaderField] = []) {
    block = HeaderBlock(coverage, fields)
    ownValues = []
  }

  /// A message of those fields, which others can share but for the values that are of one message:
  /// see ``with(ownValues:)``.
  public init(sharing fields: [HeaderField], coverage: Coverage) {
    let places = fields.indices.filter { fields[$0].name.isOfOneMessage }
    guard places.count <= HeaderBlock.maximumOwnLines else {
      block = HeaderBlock(coverage, fields)
      ownValues = []
      return
    }
    ownValues = places.map { fields[$0].value }
    var shared = fields
    for place in places { shared[place].value = nil }
    block = HeaderBlock(coverage, shared, ownPlaces: places)
  }

  init(_ block: HeaderBlock, _ ownValues: consuming [String?]) {
    self.block = block
    self.ownValues = ownValues
  }

  /// Nothing of the message was seen.
  public static let unseen = MessageEvidence(.unseen, [])

  /// Another message with the same lines, but for the values of those whose names are
  /// ``HeaderName/isOfOneMessage``.
  ///
  /// - Parameter ownValues: one for each of those lines, in their order.
  public func with(ownValues: consuming [String?]) -> MessageEvidence {
    precondition(ownValues.count == block.ownPlaces.count)
    return MessageEvidence(block, ownValues)
  }

  /// By bytes, like their fields.
  public static func == (left: Self, right: Self) -> Bool {
    left.block === right.block && left.ownValues.isEmpty
      || left.coverage == right.coverage && left.fields == right.fields
  }

  /// Hashes how many lines there are, and their names.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(block.fields.count)
    for index in block.fields.indices { hasher.combine(block.fields[index].name) }
  }

  /// What is known of a field.
  public func evidence(of name: HeaderName) -> HeaderEvidence {
    var lines: [String?] = []
    forEachValue(of: name) { lines.append($0) }
    switch coverage {
    case .complete:
      return lines.isEmpty ? .absent : .recorded(lines, .exact)
    case .truncated:
      // More lines of the same name may stand in the part that was not seen.
      return lines.isEmpty ? .unrecorded : .recorded(lines, .firstLine)
    case .only(let names):
      guard let fidelity = names[name] else { return .unrecorded }
      return lines.isEmpty ? .absent : .recorded(lines, fidelity)
    }
  }

  /// The value of the first line of a field, when it was kept.
  @inlinable
  public func first(_ name: HeaderName) -> String? {
    guard mayContain(name) else { return nil }
    // Elements are read in place: a copy of each would cost more than looking at it.
    for index in block.fields.indices where block.fields[index].name == name {
      return value(at: index)
    }
    return nil
  }

  /// Whether there is a line of the name, or, of one without a number, may be.
  @inlinable
  @inline(__always)
  func mayContain(_ name: HeaderName) -> Bool {
    block.names >> UInt128(name.code) & 1 != 0
  }

  /// Calls `body` with the value of each line of a field, `nil` for one that was not kept.
  public func forEachValue(of name: HeaderName, _ body: (String?) -> Void) {
    guard mayContain(name) else { return }
    for index in block.fields.indices where block.fields[index].name == name {
      body(value(at: index))
    }
  }

  @inlinable
  func value(at index: Int) -> String? {
    if let value = block.fields[index].value { return value }
    for (number, place) in block.ownPlaces.enumerated() where place == index {
      return ownValues[number]
    }
    return nil
  }

  /// The origin that `Referer` names; `nil` when there is none.
  ///
  /// Usually the page's, and no proof of it: a page may hide or shorten it, and a script cannot write
  /// it, but another client can.
  public var refererOrigin: String? {
    first(.referer).flatMap { value in
      Origin(value.hasSuffix("…") ? value.dropLast(2) : value.dropLast(1))?.description
    }
  }

  /// Whether at least one line of the field was seen, with or without its value.
  @inlinable
  public func contains(_ name: HeaderName) -> Bool {
    guard mayContain(name) else { return false }
    if name.code != 0 { return true }
    for index in block.fields.indices where block.fields[index].name == name { return true }
    return false
  }

  /// Whether there may be a line of one of those fields.
  public func mayContain(anyOf names: HeaderNameSet) -> Bool { block.names & names.bits != 0 }

  /// Whether the source would have shown the field.
  @inlinable
  public func records(_ name: HeaderName) -> Bool {
    switch coverage {
    case .complete: true
    case .truncated: contains(name)
    case .only(let names): names[name] != nil
    }
  }
}
