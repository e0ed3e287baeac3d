internal import Bytes

extension Connections {
  /// Passes over bytes of a body or chunk.
  ///
  /// - Returns: how many of `available` belong to it.
  @inline(__always)
  func pass(
    _ stream: RecordRef<Stream>, _ available: Int, then next: Phase
  ) -> Int {
    let count = min(UInt64(available), stream.pointee.remaining)
    stream.pointee.remaining -= count
    if stream.pointee.remaining == 0 { stream.pointee.phase = next }
    return Int(count)
  }

  /// Reads the lines between chunks.
  ///
  /// - Returns: how many bytes belong to them; 0 only when the phase has changed.
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc9112#name-chunked-transfer-coding>
  func chunkFraming(
    _ stream: RecordRef<Stream>, _ bytes: ByteView
  ) -> Int {
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch stream.pointee.phase {
      case .chunkSize:
        if let digit = hexadecimalDigit(byte) {
          guard stream.pointee.remaining < 1 << 58 else { return lost(stream, bytes) }
          stream.pointee.remaining = stream.pointee.remaining << 4 | UInt64(digit)
          stream.pointee.mayAnswerHead = false
        } else if byte == 0x0A {
          endChunkSize(stream)
          if stream.pointee.phase == .chunk { return index }
        } else if byte == UInt8(ascii: ";") || byte == 0x0D || isBlank(byte) {
          stream.pointee.phase = .chunkExtension
        } else if stream.pointee.mayAnswerHead, byte | 0x20 == UInt8(ascii: "h") {
          // The request, which was not seen, was a HEAD: this is the next response.
          stream.pointee.phase = .start
          return index - 1
        } else {
          return lost(stream, bytes)
        }
      case .chunkExtension:
        guard byte == 0x0A else { continue }
        endChunkSize(stream)
        if stream.pointee.phase == .chunk { return index }
      case .chunkEnd:
        if byte == 0x0A {
          stream.pointee.phase = .chunkSize
          stream.pointee.remaining = 0
        } else if byte != 0x0D {
          return lost(stream, bytes)
        }
      case .trailers:
        if byte != 0x0A {
          if byte != 0x0D { stream.pointee.remaining = 1 }
        } else if stream.pointee.remaining == 0 {
          stream.pointee.phase = .start
          return index
        } else {
          stream.pointee.remaining = 0
        }
      default:
        return index
      }
    }
    return index
  }

  private func endChunkSize(_ stream: RecordRef<Stream>) {
    stream.pointee.phase = stream.pointee.remaining == 0 ? .trailers : .chunk
  }

  private func lost(
    _ stream: RecordRef<Stream>, _ bytes: ByteView
  ) -> Int {
    stream.pointee.phase = .lost
    return bytes.count
  }

  private func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 65...70: byte - 55
    case 97...102: byte - 87
    default: nil
    }
  }
}
