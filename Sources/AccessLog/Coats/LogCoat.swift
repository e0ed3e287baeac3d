/// What a container runtime, a journal or a shipper puts around the lines of a log.
///
/// A coat is data. A new one is a file in `Coats/` and its line in ``all``.
public struct LogCoat: Sendable {
  /// How a coat is taken off.
  enum Rule: Sendable {
    /// Every line has a coat of its own.
    case line(@Sendable (_ line: UnsafeBufferPointer<UInt8>, CoatScratch) -> CoatedLine?)
    /// An entry is several lines: the journal's export format.
    case journalExport
  }

  /// What the coat is called: `docker` for example.
  public let name: String
  /// One sentence for people, without a full stop.
  public let summary: String

  let rule: Rule

  /// Every coat, in the order in which they are tried.
  public static let all: [LogCoat] = [
    .docker, .cri, .journalExport, .journalJSON, .shipperJSON, .syslog5424, .syslog3164,
    .timestamped, .compose,
  ]
}

/// A line that was found under a coat.
struct CoatedLine {
  /// The line, in the coated one or in the scratch, without its end.
  var text: UnsafeBufferPointer<UInt8>
  /// Who wrote it, in the coated line: a stream, or the name of a program.
  var sender = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// What tells senders of one name apart, in the coated line: a container, a connection.
  var container = UnsafeBufferPointer<UInt8>(start: nil, count: 0)
  /// Whether the line goes on in the next one of the same sender and container.
  var isPartial = false
}

/// Memory for a line whose bytes are not those of its coat, reused for all.
final class CoatScratch: @unchecked Sendable {
  private var memory = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
  private var capacity = 4096
  private(set) var count = 0

  deinit {
    memory.deallocate()
  }

  /// The bytes that were put, until the next ``clear(room:)``.
  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: memory, count: count) }

  /// Begins anew, with room for that many bytes.
  func clear(room: Int) {
    count = 0
    guard room > capacity else { return }
    memory.deallocate()
    memory = .allocate(capacity: room)
    capacity = room
  }

  /// Puts a byte, for which there must be room.
  func put(_ byte: UInt8) {
    guard count < capacity else { return }
    memory[count] = byte
    count += 1
  }

  /// Puts bytes, for which there must be room.
  func put(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard let start = bytes.baseAddress, bytes.count <= capacity - count else { return }
    (memory + count).update(from: start, count: bytes.count)
    count += bytes.count
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// A part of the bytes.
  func part(_ range: Range<Int>) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(rebasing: self[range])
  }

  /// Whether the bytes are that text.
  func equals(_ text: StaticString) -> Bool {
    guard let start = baseAddress else { return text.utf8CodeUnitCount == 0 }
    return count == text.utf8CodeUnitCount && ByteSearch.equal(start, text.utf8Start, count)
  }

  /// Whether the bytes begin with that text.
  func begins(with text: StaticString) -> Bool {
    guard let start = baseAddress, count >= text.utf8CodeUnitCount else { return false }
    return ByteSearch.equal(start, text.utf8Start, text.utf8CodeUnitCount)
  }

  /// The place of the first such byte from `start` on; `count` when there is none.
  func place(of byte: UInt8, from start: Int = 0) -> Int {
    guard let base = baseAddress, start < count else { return count }
    return ByteSearch.first(byte, in: base, from: start, to: count)
  }

  /// Without a carriage return at the end.
  var withoutReturn: UnsafeBufferPointer<UInt8> {
    last == 0x0D ? part(0..<count - 1) : self
  }
}
