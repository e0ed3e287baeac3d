internal import Bytes
internal import CZlib
internal import Foundation

// `unsafe` here: `read` and zlib get memory that its owner keeps, and how much of it there is: the rest
// of a buffer behind what they filled. zlib's stream never moves.

/// Fills buffers with the unpacked bytes of one open file.
///
/// Not safe for use by two threads at once; it is handed over from one to the next as a whole.
final class ByteSource {
  private let descriptor: Int32
  private var inflater: Inflater?
  private var delivered: UInt64 = 0

  /// Whether the stored bytes are gzip.
  var isGzip: Bool { inflater != nil }

  /// Takes over an open descriptor and looks at its first bytes.
  init(descriptor: Int32) throws(InputDamage) {
    self.descriptor = descriptor
    let input = Inflater(descriptor: descriptor)
    try input.refill()
    if input.beginsWithGzipMagic {
      inflater = input
    } else {
      plainHead = input
    }
  }

  /// The bytes that were read to recognise a file that turned out to be plain.
  private var plainHead: Inflater?

  /// Text of UTF-16 is handed on as UTF-8; `nil` for other inputs.
  private var decoder: UTF16Reader?
  private var hasBegun = false
  private var isDecoded = false

  /// Fills as much of `buffer` as the input has, and returns how much that was; 0 is the end.
  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(InputDamage) -> Int {
    if decoder != nil { return try unsafe fillDecoded(buffer) }
    let filled = try unsafe fillStored(buffer)
    guard !hasBegun else { return filled }
    hasBegun = true
    let head = unsafe ByteView(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
    guard filled >= 2,
      var decoder = UTF16Reader(mark: head[0], head[1]) ?? UTF16Reader(unmarked: head)
    else { return filled }
    // A mark becomes one of UTF-8, which every text may begin with.
    decoder.put(head)
    self.decoder = decoder
    return try unsafe fillDecoded(buffer)
  }

  private func fillDecoded(
    _ buffer: UnsafeMutableRawBufferPointer
  ) throws(InputDamage) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      filled += unsafe decoder?.take(into: rest) ?? 0
      if filled == buffer.count || isDecoded { break }
      // What was decoded before a damage is delivered first; the damage is met again.
      let space = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      do throws(InputDamage) {
        let count = try unsafe fillStored(space)
        unsafe decoder?.put(ByteView(UnsafeRawBufferPointer(rebasing: space[..<count])))
        if count == 0 {
          decoder?.finish()
          isDecoded = true
        }
      } catch {
        if filled > 0 { break }
        throw error
      }
    }
    return filled
  }

  private func fillStored(_ buffer: UnsafeMutableRawBufferPointer) throws(InputDamage) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let count: Int
      if let inflater {
        // What was inflated before a damage is delivered first; the damage is met again.
        do throws(InputDamage) {
          count = unsafe try inflater.inflate(into: rest, at: delivered)
        } catch {
          if filled > 0 { break }
          throw error
        }
      } else if let head = plainHead {
        count = unsafe head.take(into: rest)
        if count == 0 {
          plainHead = nil
          continue
        }
      } else {
        do throws(InputDamage) {
          count = unsafe try readBytes(descriptor, into: rest, at: delivered)
        } catch {
          if filled > 0 { break }
          throw error
        }
      }
      if count == 0 { break }
      filled += count
      delivered += UInt64(count)
    }
    return filled
  }

  deinit {
    close(descriptor)
  }
}

/// Reads once, again after an interruption; 0 is the end.
func readBytes(
  _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
) throws(InputDamage) -> Int {
  while true {
    let count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
    if count >= 0 { return count }
    if errno != EINTR {
      throw InputDamage(offset: offset, what: systemReason(errno))
    }
  }
}

/// Inflates the gzip members of a file, one after another.
@safe
final class Inflater {
  /// Bytes of the stored file that are read at once.
  private static let inputSize = 128 * 1024

  private let descriptor: Int32
  private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: inputSize, alignment: 16)
  private var start = 0
  private var end = 0
  private var isAtEnd = false
  private var hasBegun = false
  private var isInMember = false
  private var damage: InputDamage?
  /// zlib keeps a pointer back to its stream, so the stream must never move.
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private var isStreamReady = false

  init(descriptor: Int32) {
    self.descriptor = descriptor
    unsafe stream.initialize(to: z_stream())
  }

  deinit {
    if isStreamReady { unsafe inflateEnd(stream) }
    unsafe stream.deallocate()
    unsafe input.deallocate()
  }

  /// Reads more stored bytes behind those that are left.
  func refill() throws(InputDamage) {
    if start > 0, end > start {
      unsafe input.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[start..<end]))
    }
    end -= start
    start = 0
    while !isAtEnd, end < 18 {
      let count = unsafe try readBytes(
        descriptor, into: UnsafeMutableRawBufferPointer(rebasing: input[end...]), at: 0)
      if count == 0 { isAtEnd = true }
      end += count
    }
  }

  /// Whether the next stored bytes open a gzip member.
  var beginsWithGzipMagic: Bool {
    unsafe end - start >= 2 && input[start] == 0x1F && input[start + 1] == 0x8B
  }

  /// Moves stored bytes out as they are.
  func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, end - start)
    unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[start..<start + count]))
    start += count
    return count
  }

  /// Inflates into `buffer` until it is full, the members end, or something is wrong.
  ///
  /// - Parameter offset: bytes that were inflated before, for the place of a damage.
  func inflate(
    into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64
  ) throws(InputDamage) -> Int {
    if let damage { throw damage }
    var filled = 0
    do throws(InputDamage) {
      while filled < buffer.count, damage == nil {
        if start == end {
          try refill()
          if start == end {
            if isInMember { throw failure("the gzip file is cut off", offset, filled) }
            break
          }
        }
        if !isInMember {
          if end - start < 18 { try refill() }
          guard beginsWithGzipMagic else {
            // Padding behind the last member is legal; anything else is said.
            if unsafe input[start..<end].allSatisfy({ $0 == 0 }) {
              start = end
              continue
            }
            throw failure("text that is not gzip stands behind the gzip data", offset, filled)
          }
          guard prepareStream() else { throw failure("zlib cannot start", offset, filled) }
          isInMember = true
        }
        unsafe filled += try inflateStep(
          UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]), offset, filled)
      }
    } catch {
      damage = error
      if filled == 0 { throw error }
      return filled
    }
    return filled
  }

  private func prepareStream() -> Bool {
    if isStreamReady { return unsafe inflateReset2(stream, 31) == Z_OK }
    // 31: a gzip wrapper, and the largest window.
    isStreamReady =
      unsafe inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    return isStreamReady
  }

  private func inflateStep(
    _ buffer: UnsafeMutableRawBufferPointer, _ offset: UInt64, _ filled: Int
  ) throws(InputDamage) -> Int {
    unsafe stream.pointee.next_in = unsafe input.baseAddress?.advanced(by: start)
      .assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_in = UInt32(end - start)
    unsafe stream.pointee.next_out = unsafe buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    unsafe stream.pointee.avail_out = UInt32(min(buffer.count, Int(UInt32.max)))
    let before = unsafe stream.pointee.avail_out
    let result = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
    start = unsafe end - Int(stream.pointee.avail_in)
    let count = unsafe Int(before - stream.pointee.avail_out)
    switch result {
    case Z_OK, Z_BUF_ERROR:
      break
    case Z_STREAM_END:
      isInMember = false
    default:
      let reason =
        unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "zlib error \(result)"
      damage = failure("the gzip data are damaged: \(reason)", offset, filled + count)
      if count == 0, let damage { throw damage }
    }
    return count
  }

  private func failure(_ what: String, _ offset: UInt64, _ filled: Int) -> InputDamage {
    InputDamage(offset: offset + UInt64(filled), what: what)
  }
}
