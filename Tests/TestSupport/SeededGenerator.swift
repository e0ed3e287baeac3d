/// A generator that gives the same numbers for the same seed on every machine (SplitMix64).
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// The generator of that seed.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next number of the sequence.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// One of the elements; the first when there is no other.
  public mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int(next() % UInt64(elements.count))]
  }

  /// A number below `bound`.
  public mutating func number(below bound: Int) -> Int {
    Int(next() % UInt64(bound))
  }

  /// True in `count` of `total` cases.
  public mutating func chance(_ count: Int, in total: Int) -> Bool {
    number(below: total) < count
  }

  /// So many bytes of any value.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}

extension Array where Element == UInt8 {
  /// The bytes with one of them changed, removed, doubled or replaced by a mark that parsers know.
  public func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
    guard !isEmpty else { return self }
    var bytes = self
    let index = generator.number(below: count)
    switch generator.number(below: 4) {
    case 0: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
    case 1: bytes.remove(at: index)
    case 2: bytes.insert(bytes[index], at: index)
    default: bytes[index] = generator.pick(Array("\"\\/:?#@[]{}%,.0-+e ".utf8))
    }
    return bytes
  }
}
