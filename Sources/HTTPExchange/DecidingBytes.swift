internal import Bytes

/// What a verdict reads of some exchanges, as bytes: where they are equal, so is the verdict.
///
/// Left out is what names an exchange or serves causes alone: its time, client, path, `Server` and
/// the like. Texts count by their bytes, since two spellings of one character are two values.
/// Bytes are compared only with others of the same writer, which numbers what would be long.
public struct DecidingBytes: Sendable {
  /// A key for a table.
  public struct Key: Hashable, Sendable {
    let bytes: [UInt8]
    /// Of the bytes and a number that nobody else knows, so that collisions cannot be chosen.
    let digest: UInt64

    /// How many bytes there are.
    public var count: Int { bytes.count }

    /// Whether all bytes are equal.
    public static func == (left: Self, right: Self) -> Bool {
      left.digest == right.digest && left.bytes.count == right.bytes.count
        && left.bytes.withByteView { first in right.bytes.withByteView { first.equals($0) } }
    }

    /// Hashes the digest of all bytes.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(digest)
    }
  }

  /// Coverages that are numbered: a source has some, a flood of records any number.
  private static let limit = 64

  private var bytes: [UInt8] = []
  private let seed = UInt64.random(in: .min ... .max)
  private var coverages: [Coverage] = []

  /// A writer that has numbered nothing yet.
  public init() {
    bytes.reserveCapacity(1024)
  }

  /// The bytes since the last ``begin()``.
  public var key: Key { Key(bytes: bytes, digest: digest) }

  /// The general hasher takes four times as long, and there are a thousand bytes to an exchange.
  private var digest: UInt64 {
    bytes.withByteView { ByteHash.of($0, seed: seed) }
  }

  /// Forgets what was written, and makes room.
  ///
  /// - Returns: whether earlier keys are void, because the numbers begin anew.
  public mutating func begin() -> Bool {
    bytes.removeAll(keepingCapacity: true)
    guard coverages.count >= Self.limit else { return false }
    coverages.removeAll()
    return true
  }

  /// Writes a text.
  public mutating func append(_ text: String?) {
    guard let text else {
      bytes.append(0)
      return
    }
    append(count: text.utf8.count &+ 1)
    text.withByteView { bytes.append($0) }
  }

  /// Writes a number.
  public mutating func append(_ number: Int) {
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  /// Writes what a verdict reads of an exchange.
  public mutating func append(_ exchange: Exchange?) {
    guard let parts = exchange?.parts else {
      bytes.append(0)
      return
    }
    bytes.append(1)
    append(count: (parts.status ?? -1) &+ 1)
    append(parts.method)
    append(parts.url.scheme)
    append(parts.url.host)
    append(count: parts.url.port.map { Int($0) &+ 1 } ?? 0)
    bytes.append(parts.url.isPattern ? 1 : 0)
    append(parts.httpVersion)
    append(parts.request)
    append(parts.response)
  }

  private mutating func append(_ message: MessageEvidence) {
    append(count: number(of: message.coverage))
    for index in message.fields.indices {
      let code = message.fields[index].name.code
      guard !HeaderName.isForCausesOnly(code) else { continue }
      bytes.append(code)
      if code == 0 { append(message.fields[index].name.description) }
      append(message.fields[index].value)
    }
    // No name has this code.
    bytes.append(.max)
  }

  private mutating func number(of coverage: Coverage) -> Int {
    if let index = coverages.firstIndex(of: coverage) { return index }
    coverages.append(coverage)
    return coverages.count - 1
  }

  /// Writes a number that is hardly ever large.
  private mutating func append(count: Int) {
    var rest = UInt(bitPattern: count)
    while rest >= 128 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }
}
