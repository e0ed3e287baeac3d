internal import Bytes
internal import HTTPExchange

/// Field lines that were read before, with what they came to: a browser or server sends most of its
/// lines again with every message.
///
/// One place for each hash: a newer line pushes out the older, and memory stays bounded.
final class KnownLines {
  /// What a line came to.
  enum Meaning {
    /// Nothing of it is kept.
    case nothing
    /// A field of ``HeaderShapes``.
    case field(UInt64)
    case userAgent(String)
    case host(String)
  }

  private static let capacity = 2048
  /// Longer lines seldom come again.
  private static let longestLine = 512

  private struct Entry {
    var hash: UInt64 = 0
    var meaning = Meaning.nothing
    /// The line; it stands in ``memory``, and is read without a count of who refers to that.
    var line = ByteView()
    var memory: ByteStore?
  }

  private let entries = FixedTable(repeating: Entry(), count: capacity)

  /// No line was read yet.
  init() {}

  /// Calls `body` with what a line came to.
  ///
  /// - Returns: whether it is known.
  @inline(__always)
  func use(_ line: ByteView, _ body: (borrowing Meaning) -> Void) -> Bool {
    let hash = ByteHash.of(line, seed: 0)
    let place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    guard entries[place].hash == hash, entries[place].memory != nil,
      entries[place].line.equals(line)
    else { return false }
    body(entries[place].meaning)
    return true
  }

  /// Remembers what a line came to.
  func remember(_ line: ByteView, _ meaning: Meaning) {
    guard line.count <= Self.longestLine, !line.isEmpty else { return }
    let hash = ByteHash.of(line, seed: 0)
    let copy = ByteStore(capacity: line.count)
    copy.write(line, at: 0)
    entries[Int(truncatingIfNeeded: hash) & (Self.capacity - 1)] = Entry(
      hash: hash, meaning: meaning, line: copy.view(0..<line.count), memory: copy)
  }
}
