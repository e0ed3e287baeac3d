internal import Bytes

/// One element of a line: text that stands in every line, or a field.
enum LineElement {
  case literal([UInt8])
  case field(FieldMeaning, FieldForm)
}

/// What can be said of a field's end beyond "where the next literal begins".
enum FieldForm {
  case text
  /// One word: no blank stands in it.
  case word
  /// Values of several upstream servers, parted by `, ` and ` : `.
  case list
  /// A JSON text, number or name; the quotation marks belong to it.
  case json
}

/// Where a field's value stands, in bytes from the start of the line.
struct FieldRange {
  var start: Int32
  /// Less than `start` for a JSON `null`.
  var end: Int32

  var count: Int { Int(end &- start) }
}

/// A log format compiled to what one line needs: the literals between its fields, and which field
/// means what.
///
/// Immutable once it is made; the memory of its literals is its own.
final class LineLayout: @unchecked Sendable {
  /// How a field ends.
  private enum Ending: UInt8 {
    /// At the first place where the next literal stands.
    case search
    /// At the first blank, with which the next literal begins.
    case blank
    /// The same, from the right: the literal is the last one.
    case suffix
    /// At the first quotation mark: none can stand inside.
    case quoted
    /// At the first quotation mark without a backslash.
    case quotedEscapes
    case list
    /// Before the slash with which the next field begins.
    case slash
    case json
    /// At the end of the line.
    case rest
    /// At the end of the line, without a blank before it.
    case lastWord
    /// At the next blank, where unknown text may follow.
    case word
  }

  private struct Slot {
    var ending: Ending
    var first: UInt8
    var literal: Int32
    var literalCount: Int32
  }

  let escaping: Escaping
  let meanings: [FieldMeaning]
  let roles: FieldRoles
  /// Whether the server is nginx, or may be.
  let mayBeNginx: Bool
  /// Whether text may follow that the format does not name.
  let allowsTail: Bool
  let elements: [LineElement]
  /// All literals in one run, for telling layouts apart.
  let signature: [UInt8]
  /// How fields are found that are not told by the literals between them.
  let structure: Structure
  /// The scheme of the connections that the log is about; `nil` where they can be of both.
  let hopScheme: String?
  /// Which of the ``FieldFamily`` values of a reading its lines belong to; -1 when what a line does
  /// not name is not recorded.
  ///
  /// Set while the layout is made, before anybody else knows it.
  var family = -1

  /// How the fields of a line are found.
  enum Structure {
    case literals
    case columns(ColumnRule)
    case members(MemberMap)
  }

  /// Whether fields are told by the literals between them, which is asked for every line.
  private let hasLiterals: Bool
  private let slots: [Slot]
  private let literalMemory: ByteStore
  /// All literals, in that memory.
  private let literals: ByteView
  private let leadCount: Int
  private let slotCount: Int
  private let lastLiteral: Int
  private let lastLiteralCount: Int

  /// Compiles a sequence of elements; more fields than ``AccessLogLimits/fields`` are ignored by
  /// the callers, which refuse them.
  init(
    elements source: [LineElement], escaping: Escaping, mayBeNginx: Bool, allowsTail: Bool = false,
    repeats: Repeats? = nil, limits: [Int] = [], hopScheme: String? = nil
  ) {
    structure = .literals
    hasLiterals = true
    self.hopScheme = hopScheme
    let elements = Self.joined(source)
    self.elements = elements
    self.escaping = escaping
    self.mayBeNginx = mayBeNginx
    self.allowsTail = allowsTail
    var meanings: [FieldMeaning] = []
    var slots: [Slot] = []
    var bytes: [UInt8] = []
    var signature: [UInt8] = []
    var lead = 0
    var before: [UInt8] = []
    for (index, element) in elements.enumerated() {
      switch element {
      case .literal(let text):
        if index == 0 {
          lead = text.count
          bytes += text
        }
        before = text
        signature += text
      case .field(let meaning, let form):
        signature.append(0)
        var after: [UInt8] = []
        var isBeforeField = false
        if index + 1 < elements.count {
          if case .literal(let text) = elements[index + 1] {
            after = text
          } else {
            isBeforeField = true
          }
        }
        let isLast = index + 2 == elements.count && !allowsTail
        let quote = UInt8(ascii: "\"")
        let ending: Ending =
          if isBeforeField {
            .slash
          } else if form == .json {
            .json
          } else if after.isEmpty {
            allowsTail ? .word : form == .word ? .lastWord : .rest
          } else if !escaping.isUnescaped, before.last == quote, after.first == quote {
            escaping.writesNoQuote ? .quoted : .quotedEscapes
          } else if form == .list {
            .list
          } else if form == .word, after.first == 0x20 {
            .blank
          } else {
            isLast ? .suffix : .search
          }
        slots.append(
          Slot(
            ending: ending, first: after.first ?? UInt8(ascii: "/"), literal: Int32(bytes.count),
            literalCount: Int32(after.count)))
        bytes += after
        meanings.append(meaning)
        before = []
      }
    }
    self.meanings = meanings
    self.signature = signature
    roles = FieldRoles(meanings, escaping: escaping, repeats: repeats, limits: limits)
    leadCount = lead
    slotCount = slots.count
    lastLiteral = Int(slots.last?.literal ?? 0)
    lastLiteralCount = Int(slots.last?.literalCount ?? 0)
    self.slots = slots
    let memory = ByteStore(capacity: bytes.count)
    bytes.withByteView { memory.write($0, at: 0) }
    literalMemory = memory
    literals = memory.view(0..<bytes.count)
  }

  /// A layout whose fields are found otherwise: columns, or members of a JSON object.
  init(
    _ structure: Structure, meanings: [FieldMeaning], escaping: Escaping,
    repeats: Repeats? = nil, limits: [Int] = [], hopScheme: String? = nil
  ) {
    self.structure = structure
    hasLiterals = false
    self.meanings = meanings
    self.escaping = escaping
    self.hopScheme = hopScheme
    mayBeNginx = false
    allowsTail = true
    elements = []
    signature = []
    roles = FieldRoles(meanings, escaping: escaping, repeats: repeats, limits: limits)
    leadCount = 0
    slotCount = meanings.count
    lastLiteral = 0
    lastLiteralCount = 0
    slots = []
    literalMemory = ByteStore(capacity: 0)
    literals = ByteView()
  }

  /// What the lines of one producer have in common: the spelling of the members that are in all.
  var familyKey: [UInt8] {
    var key: [UInt8] = []
    var before: [UInt8] = []
    for element in elements {
      switch element {
      case .literal(let text): before = text
      case .field(let meaning, _):
        switch meaning {
        case .stamp, .status, .method, .target, .path, .requestLine:
          // The name is what stands before the value.
          key += before.suffix(while: { $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "{") }) + [0]
        default: break
        }
      }
    }
    return key
  }

  /// The number of fields.
  var count: Int { slotCount }

  /// Finds fields of a line, from the left.
  ///
  /// - Parameters:
  ///   - position: where the previous field's literal ended; 0 for the first.
  ///   - wanted: the numbers of the fields; the first of them follows the last call's.
  ///   - fields: where the ranges are put, by the number of the field.
  /// - Returns: where to go on, or -1 when the line does not fit.
  @inline(__always)
  func split(
    _ base: ByteView, _ end: Int, at position: Int, wanted: Range<Int>,
    into fields: FixedTable<FieldRange>
  ) -> Int {
    if !hasLiterals {
      switch structure {
      case .literals: break
      // These are found all at once.
      case .columns(let rule):
        return wanted.lowerBound > 0 || rule.split(base, end, slotCount, into: fields) ? end : -1
      case .members(let map):
        return wanted.lowerBound > 0 || map.split(base, end, slotCount, into: fields) ? end : -1
      }
    }
    var position = position
    if wanted.lowerBound == 0 {
      guard leadCount <= end, base.holds(literals.part(0, leadCount), at: 0) else { return -1 }
      position = leadCount
    }
    var index = wanted.lowerBound
    while index < wanted.upperBound {
      let slot = slots[index]
      let literalCount = Int(slot.literalCount)
      let literal = literals.part(Int(slot.literal), Int(slot.literal) &+ literalCount)
      var start = position
      var stop = position
      switch slot.ending {
      case .quoted:
        stop = base.first(UInt8(ascii: "\""), from: position, to: end)
      case .quotedEscapes:
        stop = ByteSearch.closingQuote(in: base, from: position, to: end)
        if stop < 0 { return -1 }
      case .search:
        stop = Self.find(literal, slot.first, base, position, end)
        if stop < 0 { return -1 }
        fields[index] = FieldRange(start: Int32(position), end: Int32(stop))
        position = stop &+ literalCount
        index &+= 1
        continue
      case .blank:
        stop = base.first(0x20, from: position, to: end)
      case .suffix:
        stop = end &- literalCount
      case .list:
        stop = Self.endOfList(literal, slot.first, base, position, end)
        if stop < 0 { return -1 }
      case .slash:
        stop = base.first(UInt8(ascii: "/"), from: position, to: end)
      case .rest:
        stop = end
      case .lastWord:
        stop = end
        if base.first(0x20, from: position, to: end) < end { return -1 }
      case .word:
        while stop < end, base[stop] != 0x20, base[stop] != 0x09 { stop &+= 1 }
      case .json:
        if position < end, base[position] == UInt8(ascii: "\"") {
          start = position &+ 1
          let quote = ByteSearch.closingQuote(in: base, from: start, to: end)
          if quote < 0 { return -1 }
          fields[index] = FieldRange(start: Int32(start), end: Int32(quote))
          position = quote &+ 1
          guard literalCount <= end &- position,
            base.holds(literal, at: position)
          else { return -1 }
          position = position &+ literalCount
          index &+= 1
          continue
        }
        // Numbers and names end where the next literal begins, but for lists of numbers.
        while stop < end, Self.isWordByte(base[stop]) { stop &+= 1 }
        if literalCount > end &- stop || !base.holds(literal, at: stop) {
          stop = JSONScan.endOfValue(base, position, end)
          if stop < 0 { return -1 }
        }
        if stop &- start == 4, base[start] == UInt8(ascii: "n") { start = stop &+ 1 }
      }
      guard stop >= position, literalCount <= end &- stop,
        base.holds(literal, at: stop)
      else { return -1 }
      fields[index] = FieldRange(start: Int32(start), end: Int32(stop))
      position = stop &+ literalCount
      index &+= 1
    }
    if index == slotCount, position != end, !allowsTail { return -1 }
    return position
  }

  /// Whether a line ends as every line of the format does: a cheap sign that it was not cut.
  @inline(__always)
  func endsAsLine(_ base: ByteView, _ end: Int) -> Bool {
    if allowsTail { return true }
    guard lastLiteralCount <= end else { return false }
    return base.holds(
      literals.part(lastLiteral, lastLiteral + lastLiteralCount), at: end &- lastLiteralCount)
  }

  /// Whether the fields are the same when they are looked for from the right: where nothing is
  /// escaped, a value may hold the text that ends it.
  func isUnambiguous(
    _ base: ByteView, _ end: Int, _ fields: FixedTable<FieldRange>
  ) -> Bool {
    guard case .literals = structure, !allowsTail else { return true }
    var position = end
    var index = slotCount &- 1
    while index >= 0 {
      let slot = slots[index]
      let count = Int(slot.literalCount)
      if count > 0 {
        let literal = literals.part(Int(slot.literal), Int(slot.literal) + count)
        var start = position &- count
        while start >= 0, !base.holds(literal, at: start) {
          start &-= 1
        }
        guard start == Int(fields[index].end) else { return false }
        position = start
      } else if slot.ending == .slash {
        return true
      }
      index &-= 1
    }
    return true
  }

  /// Whether a byte may be part of a JSON number or name.
  @inline(__always)
  private static func isWordByte(_ byte: UInt8) -> Bool {
    byte &- 48 < 10 || (byte | 0x20) &- 97 < 26
      || byte &- UInt8(ascii: "+") < 4
        && byte != UInt8(ascii: ",")
  }

  @inline(__always)
  private static func find(
    _ literal: ByteView, _ first: UInt8, _ base: ByteView,
    _ start: Int, _ end: Int
  ) -> Int {
    let count = literal.count
    var place = base.first(first, from: start, to: end)
    while place &+ count <= end {
      if base.holds(literal, at: place) { return place }
      place = base.first(first, from: place &+ 1, to: end)
    }
    return -1
  }

  /// The end of a list: a blank beside a comma or a colon belongs to it.
  private static func endOfList(
    _ literal: ByteView, _ first: UInt8, _ base: ByteView,
    _ start: Int, _ end: Int
  ) -> Int {
    var from = start
    while true {
      let place = find(literal, first, base, from, end)
      if place < 0 { return -1 }
      guard base[place] == UInt8(ascii: " ") else { return place }
      let before = place > start ? base[place &- 1] : 0
      let after = place &+ 1 < end ? base[place &+ 1] : 0
      let isColonBefore =
        before == UInt8(ascii: ":") && place &- 2 >= start
        && base[place &- 2] == UInt8(ascii: " ")
      let isColonAfter =
        after == UInt8(ascii: ":") && place &+ 2 < end
        && base[place &+ 2] == UInt8(ascii: " ")
      if before != UInt8(ascii: ","), !isColonBefore, !isColonAfter { return place }
      from = place &+ 1
    }
  }

  /// Literals side by side are joined; so are fields, where only together they can be read.
  private static func joined(_ source: [LineElement]) -> [LineElement] {
    var result: [LineElement] = []
    for element in source {
      switch (result.last, element) {
      case (_, .literal(let text)) where text.isEmpty:
        continue
      case (.literal(let left), .literal(let right)):
        result[result.count - 1] = .literal(left + right)
      case (.field(let left, let form), .field(let right, _)):
        switch (left, right) {
        case (.path, .query), (.target, .query), (.path, .arguments), (.target, .arguments):
          result[result.count - 1] = .field(.target, form)
        case (_, .target), (_, .path):
          result.append(element)
        default:
          // Nothing says where the first ends, so neither is recorded.
          result[result.count - 1] = .field(.ignored, .text)
        }
      default:
        result.append(element)
      }
    }
    return result
  }
}

extension Array<UInt8> {
  /// The last bytes that all fulfil a condition.
  fileprivate func suffix(while holds: (UInt8) -> Bool) -> [UInt8] {
    Array(self[(lastIndex { !holds($0) }.map { $0 + 1 } ?? startIndex)...])
  }
}
