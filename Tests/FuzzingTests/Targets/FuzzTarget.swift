import Bytes

/// One parser that meets bytes of any content, and what has to hold of what it makes of them.
///
/// Run by libFuzzer (`Scripts/fuzz`), which looks for bytes that break it, and by the tests, which
/// show it the seeds, their mutations, and everything that was ever found.
struct FuzzTarget: Sendable {
  /// What `Scripts/fuzz` calls it.
  let name: String
  /// Bytes of the longest input that is worth trying: longer ones only slow the search down.
  let maximumLength: Int
  /// The file in `Dictionaries` with words that the parser knows; `nil` for none.
  let dictionary: String?
  /// Well-formed inputs.
  let seeds: @Sendable () throws -> [[UInt8]]
  /// Shows the parser an input.
  ///
  /// - Throws: ``Violation`` when something does not hold of the result, or whatever the parser threw
  ///   although it should not have.
  let run: @Sendable (ByteView) throws -> Void

  init(
    _ name: String, maximumLength: Int = 4096, dictionary: String? = nil,
    seeds: @escaping @Sendable () throws -> [[UInt8]],
    run: @escaping @Sendable (ByteView) throws -> Void
  ) {
    self.name = name
    self.maximumLength = maximumLength
    self.dictionary = dictionary
    self.seeds = seeds
    self.run = run
  }

  /// Every target; a new parser adds its own here.
  static let all: [FuzzTarget] =
    inputTargets + captureTargets + httpTargets + tlsTargets + logTargets + textTargets
    + recordTargets

  /// The target of that name.
  static func named(_ name: String) -> FuzzTarget? {
    all.first { $0.name == name }
  }
}

/// What may be done less often where executions are counted in millions.
enum Thoroughness {
  /// Of as many texts or inputs one is looked at a second time: of each one for the tests.
  ///
  /// Which one depends on the input alone, so that what libFuzzer found is found again.
  nonisolated(unsafe) static var interval = 1

  static func chooses(_ number: Int) -> Bool { number % interval == 0 }
}

/// Something that should hold of every input and did not hold of this one.
struct Violation: Error, CustomStringConvertible {
  let description: String
}

/// Throws when a condition does not hold.
func expect(
  _ condition: Bool, _ what: @autoclosure () -> String
) throws {
  if !condition { throw Violation(description: what()) }
}

/// Throws when two values differ.
func expectEqual<Value: Equatable>(
  _ left: Value, _ right: Value, _ what: String
) throws {
  if left != right { throw Violation(description: "\(what): \(left) is not \(right)") }
}

/// Takes the parameters of a run from the front of an input.
struct InputReader {
  private let bytes: ByteView
  private var position = 0

  init(_ bytes: ByteView) {
    self.bytes = bytes
  }

  var isAtEnd: Bool { position >= bytes.count }

  /// The next byte, 0 behind the end.
  mutating func byte() -> Int {
    guard position < bytes.count else { return 0 }
    defer { position += 1 }
    return Int(bytes[position])
  }

  /// The next two bytes as a number, the upper one first.
  mutating func word() -> Int {
    let high = byte()
    return high << 8 | byte()
  }

  /// So many of the next bytes, or as many as there are.
  mutating func take(_ count: Int) -> ByteView {
    let end = min(bytes.count, position + count)
    defer { position = end }
    return bytes.part(position, end)
  }

  /// All that is left.
  mutating func rest() -> ByteView {
    take(bytes.count)
  }
}

/// Two bytes as ``InputReader/word()`` reads them.
func word(_ value: Int) -> [UInt8] {
  [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
}

extension ByteView {
  /// Whether a file of these bytes is read as it is stored: it is neither packed nor UTF-16, with a
  /// mark or without.
  var areReadAsStored: Bool {
    guard count > 1 else { return true }
    if count >= 32, (self[0] == 0) != (self[1] == 0), (self[0] | self[1]) < 0x80 { return false }
    return ![[0x1F, 0x8B], [0xFE, 0xFF], [0xFF, 0xFE]].contains([self[0], self[1]])
  }

  /// The lines, without their ends.
  var lines: [ByteView] {
    split(separator: 0x0A, omittingEmptySubsequences: false).map {
      part($0.startIndex, $0.endIndex)
    }
  }

  /// A number that differs where the bytes do (FNV-1a).
  var fingerprint: UInt64 {
    reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
