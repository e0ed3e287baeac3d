internal import Bytes

/// What a container runtime, a journal or a shipper puts around the lines of a log.
///
/// A coat is data. A new one is a file in `Coats/` and its line in ``all``.
public struct LogCoat: Sendable {
  /// How a coat is taken off.
  enum Rule: Sendable {
    /// Every line has a coat of its own.
    case line(@Sendable (_ line: ByteView, CoatScratch) -> CoatedLine?)
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
  var text: ByteView
  /// Who wrote it, in the coated line: a stream, or the name of a program.
  var sender = ByteView()
  /// What tells senders of one name apart, in the coated line: a container, a connection.
  var container = ByteView()
  /// Whether the line goes on in the next one of the same sender and container.
  var isPartial = false
  /// When it was written, as the coat says, in the coated line.
  var stamp = CoatStamp.none
}

/// Memory for a line whose bytes are not those of its coat, reused for all.
final class CoatScratch: @unchecked Sendable {
  private var memory = ByteStore(capacity: 4096)
  private(set) var count = 0

  /// The bytes that were put, until the next ``clear(room:)``.
  var bytes: ByteView { memory.view(0..<count) }

  /// Begins anew, with room for that many bytes.
  func clear(room: Int) {
    count = 0
    if room > memory.capacity { memory = ByteStore(capacity: room) }
  }

  /// Puts a byte, for which there must be room.
  func put(_ byte: UInt8) {
    guard count < memory.capacity else { return }
    memory.write(byte, at: count)
    count += 1
  }

  /// Puts bytes, for which there must be room.
  func put(_ bytes: ByteView) {
    guard bytes.count <= memory.capacity - count else { return }
    memory.write(bytes, at: count)
    count += bytes.count
  }
}

extension ByteView {
  /// Whether the bytes begin with that text.
  func begins(with text: StaticString) -> Bool { has(text) }

  /// The place of the first such byte from `start` on; `count` when there is none.
  func place(of byte: UInt8, from start: Int = 0) -> Int {
    first(byte, from: start, to: count)
  }

  /// Without a carriage return at the end.
  var withoutReturn: ByteView {
    last == 0x0D ? part(0..<count - 1) : self
  }
}
