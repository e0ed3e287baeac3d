/// The lines of a header block, with what is asked of them again and again: many messages share one.
@usableFromInline
final class HeaderBlock: Sendable {
  @usableFromInline let coverage: Coverage
  @usableFromInline let fields: [HeaderField]
  /// Where the lines stand whose values each message has for itself; they have none here.
  @usableFromInline let ownPlaces: [Int]
  /// Whether other messages may have the same block.
  let isShared: Bool
  /// A bit for each number of a known name that has a line, and bit 0 for all other names.
  @usableFromInline let names: UInt128
  /// Bytes of memory that it holds, roughly.
  let bytes: Int
  /// The bytes that the names in long lists cost in addition, once they have been read.
  let bytesOfNames: Int

  @usableFromInline
  init(_ coverage: Coverage, _ fields: [HeaderField], ownPlaces: [Int]? = nil) {
    self.coverage = coverage
    self.fields = fields
    self.ownPlaces = ownPlaces ?? []
    isShared = ownPlaces != nil
    var names: UInt128 = 0
    var bytes = 0
    var bytesOfNames = 0
    // Elements are read in place: a copy of each would cost more than the sum.
    for index in fields.indices {
      names |= 1 << UInt128(fields[index].name.code)
      bytes &+= 48
      guard let value = fields[index].value else { continue }
      bytes &+= value.utf8.count
      bytesOfNames &+= Self.bytesOfNames(in: value)
    }
    self.names = names
    self.bytes = bytes
    self.bytesOfNames = bytesOfNames
  }

  /// Lines with a value of the message's own that a shared block may have: each look at a line without a
  /// value goes through all of them.
  static let maximumOwnLines = 64

  /// Nothing of a message.
  static let unseen = HeaderBlock(.truncated, [])

  /// Bytes of a value up to which its names count as part of what an exchange costs anyway.
  private static let shortValue = 512
  /// Bytes that one name of a list costs: a text as it was asked for, as a field's name, as it was
  /// listed and as it is looked up.
  private static let nameCost = 100

  /// Bytes of the names in a long list, which a hostile one has ten thousands of.
  static func bytesOfNames(in value: String) -> Int {
    guard value.utf8.count > shortValue else { return 0 }
    var names = 1
    for byte in value.utf8 where byte == UInt8(ascii: ",") { names &+= 1 }
    return names &* nameCost &+ 3 &* value.utf8.count
  }
}
