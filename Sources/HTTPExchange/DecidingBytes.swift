internal import Bytes

/// What a verdict reads of some exchanges, as bytes: where they are equal, so is the verdict.
///
/// Left out is what names an exchange or serves causes alone: its time, client, path, `Server` and
/// the like. Texts count by their bytes, since two spellings of one character are two values.
/// Bytes are compared only with others of the same writer, which numbers what would be long.
public final class DecidingBytes {
  /// A key for a table.
  public struct Key: Hashable, Sendable {
    let bytes: [UInt8]
    /// Of the bytes and a number that nobody else knows, so that collisions cannot be chosen.
    public let digest: UInt64

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

  // Nobody else sees what is changed here: checking each access again would cost more than the access.
  @safe @exclusivity(unchecked) private var store = ByteStore(capacity: 4096)
  @safe @exclusivity(unchecked) private var count = 0
  private let seed = UInt64.random(in: .min ... .max)
  @safe @exclusivity(unchecked) private var coverages: [Coverage] = []
  private let causes = HeaderName.NamesForCauses()

  /// A writer that has numbered nothing yet.
  public init() {}

  /// The bytes since the last ``begin()``.
  public var key: Key { Key(bytes: Array(store.view(0..<count)), digest: digest) }

  /// The ``Key/digest`` of the bytes since the last ``begin()``.
  public var digest: UInt64 {
    // The general hasher takes four times as long, and there are a thousand bytes to an exchange.
    ByteHash.of(store.view(0..<count), seed: seed)
  }

  /// Whether the bytes since the last ``begin()`` are those of a key.
  public func equals(_ key: Key) -> Bool {
    key.bytes.withByteView { store.view(0..<count).equals($0) }
  }

  /// Forgets what was written.
  ///
  /// - Returns: whether earlier keys are void, because the numbers begin anew.
  public func begin() -> Bool {
    count = 0
    guard coverages.count >= Self.limit else { return false }
    coverages.removeAll()
    return true
  }

  /// Writes what a verdict reads of an exchange.
  public func append(_ exchange: Exchange) {
    let parts = exchange.parts
    append(count: (parts.status ?? -1) &+ 1)
    append(parts.setting.method)
    append(parts.url.scheme)
    append(parts.url.host)
    append(count: parts.url.port.map { Int($0) &+ 1 } ?? 0)
    append(parts.url.isPattern ? 1 : 0)
    append(parts.setting.httpVersion)
    append(parts.request)
    append(parts.response)
  }

  private func append(_ message: MessageEvidence) {
    append(count: number(of: message.coverage))
    let block = message.block
    for index in block.fields.indices {
      let code = block.fields[index].name.code
      guard !causes.contains(code) else { continue }
      append(code)
      if code == 0 { append(block.fields[index].name.description) }
      append(message.value(at: index))
    }
    // No name has this code.
    append(UInt8.max)
  }

  private func number(of coverage: Coverage) -> Int {
    switch coverage {
    case .complete: 0
    case .truncated: 1
    case .only: 2 &+ listed(coverage)
    }
  }

  private func listed(_ coverage: Coverage) -> Int {
    if let index = coverages.firstIndex(of: coverage) { return index }
    coverages.append(coverage)
    return coverages.count - 1
  }

  private func append(_ text: String?) {
    guard let text else {
      append(0)
      return
    }
    text.withByteView { bytes in
      append(count: bytes.count &+ 1)
      reserve(bytes.count)
      store.write(bytes, at: count)
      count &+= bytes.count
    }
  }

  /// Writes a number that is hardly ever large.
  private func append(count number: Int) {
    var rest = UInt(bitPattern: number)
    while rest >= 128 {
      append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  private func append(_ byte: UInt8) {
    reserve(1)
    store.write(byte, at: count)
    count &+= 1
  }

  @inline(__always)
  private func reserve(_ length: Int) {
    if count &+ length > store.capacity { grow(length) }
  }

  private func grow(_ length: Int) {
    let larger = ByteStore(capacity: max(count + length, 2 * store.capacity))
    larger.write(store.view(0..<count), at: 0)
    store = larger
  }
}
