internal import Bytes

/// Header blocks of messages that were read before, for sources whose texts come out of a table: most
/// lines of a log say of the same few things the same.
///
/// One place for each hash: a newer block pushes out the older, and memory stays bounded.
public struct EvidenceTable {
  /// Bytes of a block that is worth remembering.
  private static let longestBlock = 4096
  private static let ownNames = HeaderNameSet(HeaderName.known.filter(\.isOfOneMessage))

  private let blocks: FixedTable<HeaderBlock?>
  private let ownNames = Self.ownNames

  /// - Parameter capacity: blocks that are remembered, a power of two.
  public init(capacity: Int) {
    precondition(capacity.nonzeroBitCount == 1)
    blocks = FixedTable(repeating: nil, count: capacity)
  }

  /// The message of those fields, which shares them with an earlier one that said the same.
  ///
  /// An earlier one is known again when its texts are the same references.
  public func evidence(coverage: Coverage, fields: [HeaderField]) -> MessageEvidence {
    var hash: UInt64 = 0
    for index in fields.indices {
      let code = fields[index].name.code
      let words = isOwn(code) ? (0, 0) : fields[index].value?.representation ?? (0, 0)
      hash = ByteHash.next(hash ^ words.0 ^ UInt64(code), words.1)
    }
    let place = Int(truncatingIfNeeded: hash) & (blocks.count - 1)
    if let known = blocks[place], holds(known, fields), known.coverage == coverage {
      return MessageEvidence(known, known.ownPlaces.map { fields[$0].value })
    }
    let evidence = MessageEvidence(sharing: fields, coverage: coverage)
    let block = evidence.block
    if block.isShared, block.bytes <= Self.longestBlock { blocks[place] = block }
    return evidence
  }

  private func holds(_ block: HeaderBlock, _ fields: [HeaderField]) -> Bool {
    guard block.fields.count == fields.count else { return false }
    for index in fields.indices {
      guard block.fields[index].name == fields[index].name,
        isOwn(fields[index].name.code)
          || block.fields[index].value.isSameReference(as: fields[index].value)
      else { return false }
    }
    return true
  }

  private func isOwn(_ code: UInt8) -> Bool { ownNames.bits >> UInt128(code) & 1 != 0 }
}
