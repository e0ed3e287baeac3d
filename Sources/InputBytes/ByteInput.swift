public import Bytes
internal import Crypto
internal import Foundation

// `unsafe` here: the C library reads a path until it returns, and writes one value of the type that it
// asks for; bytes are read into memory that its owner keeps, at most as many as there is room for.

/// A file or standard input, plain or gzip, as one stream of buffers.
///
/// What it is compressed with is decided by its first bytes, never by its name. Several gzip members
/// in a row are one stream. Memory is bounded whatever the input holds: a few buffers.
public final class ByteInput {
  /// The path as given, `-` for standard input.
  public let path: String
  /// The last component of the path, `-` for standard input: what reports call it.
  ///
  /// Control and direction characters in it are shown as `\u{…}`, since the identifiers of
  /// exchanges begin with it.
  public let name: String
  /// `gzip`, or `nil` when the bytes are stored as they are.
  public let compression: String?
  /// The first bytes of the unpacked input, up to 64 KiB, behind NUL bytes.
  public let head: [UInt8]
  /// The first 12 hexadecimal digits of the SHA-256 of ``head``.
  public let digest: String
  /// NUL bytes at the beginning of the unpacked input that are not delivered: as many as a log had
  /// bytes that was truncated while its writer kept its place.
  public let leadingNULs: UInt64
  /// Bytes of the unpacked input that ``next(carrying:)`` has come to.
  public private(set) var offset: UInt64

  /// Bytes at the start of an input that identify it.
  public static let headSize = 64 * 1024
  /// Bytes that one buffer brings at most.
  public static let chunkSize = 256 * 1024

  /// `NAME@DIGEST`, which the identifiers of this input's exchanges begin with.
  public var source: String { "\(name)@\(digest)" }

  /// Whether it can be opened again and begins with the same bytes; a pipe cannot.
  public let isRegularFile: Bool

  /// When it was written last, in seconds since the epoch; of a pipe, when it was opened.
  public let writtenBy: Int64

  private let bytes: ByteSource
  private let readAhead: ReadAhead?
  private var spare: Chunk?
  private var current: Chunk?
  private var visible = ByteView()
  private var damage: InputDamage?
  private var isAtEnd = false
  private var isHeadDelivered = false

  /// Opens an input and reads its head.
  ///
  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - readsAhead: whether a thread of its own inflates ahead of the caller. What is stored as it
  ///     is needs none: handing a buffer over costs more than copying it out of the page cache.
  ///   - skipsNULs: whether NUL bytes at the beginning are passed over, and counted.
  /// - Throws: ``InputError`` when the file cannot be opened or its first bytes not be read.
  public convenience init(
    path: String, readsAhead: Bool = false, skipsNULs: Bool = false
  ) throws(InputError) {
    let descriptor =
      unsafe path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw InputError(path: path, reason: systemReason(errno))
    }
    try self.init(
      descriptor: descriptor, path: path, readsAhead: readsAhead, skipsNULs: skipsNULs)
  }

  /// Reads on from where a descriptor stands, and closes it in the end, also when this fails.
  ///
  /// - Parameters:
  ///   - descriptor: an open file, whose name need not exist any more.
  ///   - path: what it is called in messages.
  ///   - readsAhead: see ``init(path:readsAhead:skipsNULs:)``.
  ///   - skipsNULs: see ``init(path:readsAhead:skipsNULs:)``.
  /// - Throws: ``InputError`` when its first bytes cannot be read.
  public init(
    descriptor: CInt, path: String, readsAhead: Bool = false, skipsNULs: Bool = false
  ) throws(InputError) {
    do throws(InputDamage) {
      bytes = try ByteSource(descriptor: descriptor)
    } catch {
      throw InputError(path: path, reason: error.what)
    }
    self.path = path
    var status = stat()
    isRegularFile =
      unsafe path != "-" && fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    // No date behind the year 9999 is one.
    let written = isRegularFile ? status.st_mtim.tv_sec : time(nil)
    writtenBy = min(max(0, Int64(written)), 253_402_300_799)
    name = Self.shown(path.split(separator: "/").last.map(String.init) ?? path)
    compression = bytes.isGzip ? "gzip" : nil
    // The head is read before any thread starts, so that an input can be looked at and closed.
    var head = [UInt8](repeating: 0, count: Self.headSize)
    var filled = 0
    var nuls: UInt64 = 0
    do throws(InputDamage) {
      while filled < head.count {
        let count = try Self.fill(&head, from: filled, bytes)
        if count == 0 { break }
        filled += count
        guard skipsNULs, head[0] == 0 else { continue }
        let start = head[..<filled].firstIndex { $0 != 0 } ?? filled
        nuls += UInt64(start)
        filled -= start
        head.removeFirst(start)
        head.append(contentsOf: repeatElement(0, count: start))
      }
    } catch {
      damage = error
    }
    leadingNULs = nuls
    offset = nuls
    head.removeLast(head.count - filled)
    self.head = head
    digest = Self.digest(of: head[...])
    let isWorthIt = readsAhead && bytes.isGzip && damage == nil && filled == Self.headSize
    readAhead = isWorthIt ? ReadAhead(bytes) : nil
  }

  private static func digest(of bytes: ArraySlice<UInt8>) -> String {
    var hash = SHA256()
    hash.update(data: bytes)
    return hash.finalize().prefix(6)
      .map { String(String(UInt16($0) + 256, radix: 16).dropFirst()) }.joined()
  }

  /// Whether an input that was opened before, under this or another path, had this one's beginning: it
  /// may have grown since.
  ///
  /// - Parameters:
  ///   - digest: that of the other one.
  ///   - count: the bytes of its head.
  public func goesOn(from digest: String, of count: Int) -> Bool {
    guard head.count > count else { return head.count == count && digest == self.digest }
    return Self.digest(of: head[..<count]) == digest
  }

  private static func shown(_ name: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in name.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  private static func fill(
    _ head: inout [UInt8], from start: Int, _ bytes: ByteSource
  ) throws(InputDamage) -> Int {
    let result = unsafe head.withUnsafeMutableBytes { buffer in
      Result { () throws(InputDamage) in
        unsafe try bytes.fill(UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
      }
    }
    return try result.get()
  }

  deinit {
    readAhead?.stop()
  }

  /// The next bytes, behind the last `carried` bytes of the buffer that was returned before.
  ///
  /// - Parameter carried: bytes at the end of the previous buffer that the caller needs again, in
  ///   front of the new ones; a caller bounds it by the longest line or block that it accepts.
  /// - Returns: a buffer that is valid until the next call; `nil` at the end of the input.
  /// - Throws: ``InputDamage`` once, when nothing more can be read although the input goes on;
  ///   all bytes before it have been delivered.
  public func next(carrying carried: Int = 0) throws(InputDamage) -> ByteView? {
    guard var chunk = try nextChunk() else { return nil }
    offset += UInt64(chunk.count)
    if chunk.headroom < carried { chunk = chunk.moved(headroom: carried) }
    let tail = visible.from(max(0, visible.count - carried))
    visible = chunk.bytes(behind: tail)
    recycle(current)
    current = chunk
    return visible
  }

  private func nextChunk() throws(InputDamage) -> Chunk? {
    if isAtEnd { return nil }
    if !isHeadDelivered, !head.isEmpty {
      isHeadDelivered = true
      let chunk = Chunk()
      unsafe head.withUnsafeBytes { unsafe chunk.space.copyMemory(from: $0) }
      chunk.setCount(head.count)
      return chunk
    }
    if let damage {
      isAtEnd = true
      throw damage
    }
    if let readAhead {
      do throws(InputDamage) {
        let chunk = try readAhead.next()
        isAtEnd = chunk == nil
        return chunk
      } catch {
        isAtEnd = true
        throw error
      }
    }
    let chunk = spare ?? Chunk()
    spare = nil
    do throws(InputDamage) {
      unsafe chunk.setCount(try bytes.fill(chunk.space))
    } catch {
      isAtEnd = true
      throw error
    }
    isAtEnd = chunk.count == 0
    return isAtEnd ? nil : chunk
  }

  private func recycle(_ chunk: Chunk?) {
    // A chunk with more room in front than usual was made for one long line.
    guard let chunk, chunk.headroom == Chunk.usualHeadroom else { return }
    if let readAhead { readAhead.recycle(chunk) } else { spare = chunk }
  }
}
