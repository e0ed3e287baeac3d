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
public struct MessageEvidence: Hashable, Sendable {
  /// Which names are recorded at all.
  public var coverage: Coverage
  /// The recorded lines, in the order of the wire, duplicates kept.
  public var fields: [HeaderField]

  /// A message of those fields.
  public init(coverage: Coverage, fields: [HeaderField] = []) {
    self.coverage = coverage
    self.fields = fields
  }

  /// Nothing of the message was seen.
  public static let unseen = MessageEvidence(coverage: .truncated)

  /// What is known of a field.
  @inlinable
  public func evidence(of name: HeaderName) -> HeaderEvidence {
    var lines: [String?] = []
    for field in fields where field.name == name { lines.append(field.value) }
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
    for field in fields where field.name == name { return field.value }
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
    fields.contains { $0.name == name }
  }

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
