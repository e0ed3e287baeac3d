internal import Bytes

/// The types of frames that say something here; all others are skipped.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9113#name-frame-definitions>
enum FrameType {
  static let data: UInt8 = 0
  static let headers: UInt8 = 1
  static let priority: UInt8 = 2
  static let resetStream: UInt8 = 3
  static let settings: UInt8 = 4
  static let pushPromise: UInt8 = 5
  static let ping: UInt8 = 6
  static let goAway: UInt8 = 7
  static let windowUpdate: UInt8 = 8
  static let continuation: UInt8 = 9
}

/// The flags of frames.
enum FrameFlag {
  static let endStream: UInt8 = 0x01
  static let endHeaders: UInt8 = 0x04
  static let padded: UInt8 = 0x08
  static let priority: UInt8 = 0x20
}

/// The nine bytes in front of each frame's payload.
///
/// ```
/// length (3) | type (1) | flags (1) | reserved (1 bit), stream (31 bits)
/// ```
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9113#section-4.1>
struct FrameHeader {
  static let length = 9

  var payload: Int
  var type: UInt8
  var flags: UInt8
  var isReservedSet: Bool
  var stream: UInt32

  /// Reads the first eight bytes, in network order, and the ninth.
  init(first: UInt64, last: UInt8) {
    payload = Int(first >> 40)
    type = UInt8(truncatingIfNeeded: first >> 32)
    flags = UInt8(truncatingIfNeeded: first >> 24)
    let word = UInt32(truncatingIfNeeded: first) << 8 | UInt32(last)
    isReservedSet = word >> 31 == 1
    stream = word & 0x7FFF_FFFF
  }

  /// Reads the header at `offset`, whose nine bytes must be there.
  init(_ bytes: ByteView, at offset: Int) {
    self.init(first: bytes.big64(offset), last: bytes[offset + 8])
  }

  func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

  /// Whether bytes whose place in a stream is not known can be a frame header.
  ///
  /// - Parameters:
  ///   - lastStream: the highest stream number that is believed.
  ///   - longest: the payload that the other side allows.
  func isPlausible(lastStream: UInt32, longest: Int) -> Bool {
    guard !isReservedSet, payload <= longest, stream <= lastStream else { return false }
    let isOfStream = stream != 0
    switch type {
    case FrameType.data:
      return isOfStream && flags & ~0x09 == 0
    case FrameType.headers:
      return isOfStream && flags & ~0x2D == 0 && payload > 0
    case FrameType.priority:
      return isOfStream && flags == 0 && payload == 5
    case FrameType.resetStream:
      return isOfStream && flags == 0 && payload == 4
    case FrameType.settings:
      return !isOfStream && flags & ~1 == 0 && payload % 6 == 0 && payload <= 32 * 6
        && (flags == 0 || payload == 0)
    case FrameType.pushPromise:
      return isOfStream && flags & ~0x0C == 0 && payload > 4
    case FrameType.ping:
      return !isOfStream && flags & ~1 == 0 && payload == 8
    case FrameType.goAway:
      return !isOfStream && flags == 0 && payload >= 8 && payload <= 1024
    case FrameType.windowUpdate:
      return flags == 0 && payload == 4
    case FrameType.continuation:
      return isOfStream && flags & ~0x04 == 0
    default:
      return false
    }
  }

  /// Where a frame begins in bytes whose place in a stream is not known; `nil` for nowhere.
  ///
  /// The header must be plausible, and so must the one behind its payload, as far as it is there.
  static func find(_ bytes: ByteView, lastStream: UInt32, longest: Int) -> Int? {
    var offset = 0
    while offset + length <= bytes.count {
      // Most offsets fail here: the upper byte of a length is 0 unless frames are very long.
      if Int(bytes[offset]) << 16 <= longest, bytes[offset + 3] <= FrameType.continuation,
        isChain(bytes, offset, lastStream: lastStream, longest: longest)
      {
        return offset
      }
      offset += 1
    }
    return nil
  }

  private static func isChain(
    _ bytes: ByteView, _ offset: Int, lastStream: UInt32, longest: Int
  ) -> Bool {
    let header = FrameHeader(bytes, at: offset)
    guard header.isPlausible(lastStream: lastStream, longest: longest) else { return false }
    let next = offset + length + header.payload
    guard next + length <= bytes.count else { return true }
    return FrameHeader(bytes, at: next).isPlausible(lastStream: lastStream, longest: longest)
  }

  /// Whether the first bytes of a segment are frames without any doubt: several in a row, or one
  /// that ends where the segment does.
  static func beginsFrames(_ bytes: ByteView) -> Bool {
    var offset = 0
    var frames = 0
    while frames < 8, offset + length <= bytes.count {
      let header = FrameHeader(bytes, at: offset)
      guard
        header.isPlausible(
          lastStream: CaptureLimits.plausibleStream, longest: CaptureLimits.framePayload)
      else { return false }
      frames += 1
      offset += length + header.payload
    }
    return frames > 1 || (frames == 1 && offset == bytes.count)
  }
}
