internal import Bytes

/// Decompresses the header blocks of one direction of a connection.
///
/// Blocks must come in order, all of them; where one is missing, ``loseTrack()`` tells so, and
/// fields that refer to the missing part are unknown from then on: see ``DynamicTable``.
///
/// What a receiver must refuse is refused here too, but for two things. The size of a table is not
/// held against SETTINGS, which the other direction sent and the capture may lack. A field without
/// a name is passed on: that field is malformed, the block is not.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc7541>
struct HPACKDecoder {
  /// Where decoded text goes before it is known to be needed.
  struct Scratch {
    /// The fields of the block: a ``FieldList``.
    var list = HeadBuffer()
    /// The text of Huffman-coded strings of the current field.
    var text = HeadBuffer()

    /// Frees the memory.
    mutating func deallocate() {
      list.deallocate()
      text.deallocate()
    }
  }

  /// A string: a part of the block, or decoded text.
  private enum Piece {
    case plain(Int, Int)
    case decoded(Int, Int)
  }

  private(set) var table: DynamicTable
  /// How often a sender asked for a table larger than is held.
  private(set) var largeTables: UInt64 = 0

  /// A decoder for a direction that was seen from its start, or for one that was not.
  init(isFromStart: Bool) {
    table = DynamicTable(isFromStart: isFromStart)
  }

  /// Frees the memory.
  mutating func deallocate() {
    table.deallocate()
  }

  /// A block was missed.
  mutating func loseTrack() {
    table.loseTrack()
  }

  /// Decodes a block into `scratch.list`, which it empties before.
  ///
  /// - Returns: whether the block was decoded to its end; if not, the fields before the damage
  ///   count, and the table is unknown.
  mutating func decode(
    _ block: ByteView, _ scratch: inout Scratch, _ facts: inout HeaderFacts
  ) -> Bool {
    scratch.list.cut(to: 0)
    facts = HeaderFacts()
    var position = 0
    guard tableSizes(block, &position) else {
      loseTrack()
      return false
    }
    while position < block.count {
      guard field(block, &position, &scratch, &facts) else {
        loseTrack()
        return false
      }
    }
    return true
  }

  /// Takes over the sizes of the table, which stand before all fields: the smallest one since the
  /// last block and the present one, so two at most.
  ///
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc7541#section-4.2>
  private mutating func tableSizes(
    _ block: ByteView, _ position: inout Int
  ) -> Bool {
    for _ in 0..<2 {
      guard position < block.count, block[position] & 0xE0 == 0x20 else { return true }
      guard let size = Self.integer(block, &position, 5) else { return false }
      if size > CaptureLimits.headerTable { largeTables &+= 1 }
      table.resize(to: size)
    }
    return true
  }

  /// Decodes one representation of a field: RFC 7541, sections 6.1 and 6.2.
  private mutating func field(
    _ block: ByteView, _ position: inout Int, _ scratch: inout Scratch,
    _ facts: inout HeaderFacts
  ) -> Bool {
    let first = block[position]
    if first & 0x80 != 0 {
      guard let index = Self.integer(block, &position, 7), index > 0 else { return false }
      return indexed(index, &scratch, &facts)
    }
    // A size of the table cannot stand here.
    if first & 0xE0 == 0x20 { return false }
    let isInserted = first & 0x40 != 0
    guard let index = Self.integer(block, &position, isInserted ? 6 : 4) else { return false }
    scratch.text.cut(to: 0)
    var name: Piece?
    if index == 0 {
      guard let piece = Self.string(block, &position, &scratch.text) else { return false }
      name = piece
    }
    guard let valuePiece = Self.string(block, &position, &scratch.text) else { return false }
    let value = Self.bytes(valuePiece, block, scratch.text)
    var nameBytes: ByteView?
    if let name {
      nameBytes = Self.bytes(name, block, scratch.text)
    } else if index <= StaticTable.count {
      nameBytes = StaticTable.shared.name(index)
    } else {
      switch table.lookup(index - StaticTable.count) {
      case .entry(let known, _): nameBytes = known
      case .unknown: nameBytes = nil
      case .none: return false
      }
    }
    note(nameBytes, value, &scratch, &facts)
    if isInserted { table.insert(name: nameBytes, value: value) }
    return true
  }

  private func indexed(
    _ index: Int, _ scratch: inout Scratch, _ facts: inout HeaderFacts
  ) -> Bool {
    if index <= StaticTable.count {
      note(StaticTable.shared.name(index), StaticTable.shared.value(index), &scratch, &facts)
      return true
    }
    switch table.lookup(index - StaticTable.count) {
    case .entry(let name, let value): note(name, value, &scratch, &facts)
    case .unknown: note(nil, nil, &scratch, &facts)
    case .none: return false
    }
    return true
  }

  private func note(
    _ name: ByteView?, _ value: ByteView?, _ scratch: inout Scratch,
    _ facts: inout HeaderFacts
  ) {
    facts.see(name: name, value: value)
    guard let name, let value else { return }
    // The table goes on being kept, but a field of one byte may stand for thousands.
    let length = name.count + value.count + FieldList.overhead
    if scratch.list.count + length > CaptureLimits.headLength { facts.isTooLong = true }
    guard !facts.isTooLong else { return }
    FieldList.append(name, value, to: &scratch.list)
  }

  private static func bytes(
    _ piece: Piece, _ block: ByteView, _ text: HeadBuffer
  ) -> ByteView {
    switch piece {
    case .plain(let start, let end): block.part(start, end)
    case .decoded(let start, let end): text.bytes.part(start, end)
    }
  }

  /// An integer with a prefix of that many bits; `nil` when it is cut, or larger than any that
  /// means something here.
  ///
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc7541#section-5.1>
  static func integer(
    _ block: ByteView, _ position: inout Int, _ prefix: Int
  ) -> Int? {
    guard position < block.count else { return nil }
    let mask = (1 << prefix) - 1
    var value = Int(block[position]) & mask
    position += 1
    guard value == mask else { return value }
    var shift = 0
    while position < block.count, shift <= 28 {
      let byte = block[position]
      position += 1
      value += Int(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value <= Int(UInt32.max) ? value : nil }
      shift += 7
    }
    return nil
  }

  /// A string; `nil` when it is cut or badly coded.
  ///
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc7541#section-5.2>
  private static func string(
    _ block: ByteView, _ position: inout Int, _ text: inout HeadBuffer
  ) -> Piece? {
    guard position < block.count else { return nil }
    let isCoded = block[position] & 0x80 != 0
    guard let length = integer(block, &position, 7), length <= block.count - position else {
      return nil
    }
    let start = position
    position += length
    guard isCoded else { return .plain(start, position) }
    let textStart = text.count
    guard HuffmanCode.shared.decode(block.part(start, position), into: &text) else { return nil }
    return .decoded(textStart, text.count)
  }
}
