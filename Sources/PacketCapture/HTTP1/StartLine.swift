/// The parts of a request line, as offsets into it.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9112#name-request-line>
struct RequestLine {
  var methodEnd: Int
  var targetStart: Int
  var targetEnd: Int
  var major: UInt8
  var minor: UInt8

  /// Reads a line without its end; `nil` when it is no request line.
  ///
  /// Several spaces between the parts and spaces within the target are tolerated, as servers do.
  init?(_ line: UnsafeRawBufferPointer) {
    var index = 0
    while index < line.count, isTokenByte(line[index]) { index += 1 }
    guard index > 0, index <= 64, index < line.count, isBlank(line[index]) else { return nil }
    methodEnd = index
    var end = line.count
    while end > index, isBlank(line[end - 1]) { end -= 1 }
    // HTTP/1.1 has eight characters.
    guard end - index > 8, let version = HTTPVersion(line, at: end - 8), isBlank(line[end - 9])
    else { return nil }
    major = version.major
    minor = version.minor
    end -= 8
    while end > index, isBlank(line[end - 1]) { end -= 1 }
    while index < end, isBlank(line[index]) { index += 1 }
    targetStart = index
    targetEnd = end
  }
}

/// `HTTP/1.1` in a start line.
struct HTTPVersion {
  var major: UInt8
  var minor: UInt8

  /// Reads the eight characters at `offset`.
  @inline(__always)
  init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
    guard bytes.count >= offset + 8, bytes.hasCaseless("http/", at: offset),
      bytes[offset + 6] == UInt8(ascii: "."), isDigit(bytes[offset + 5]),
      isDigit(bytes[offset + 7])
    else { return nil }
    major = bytes[offset + 5] - 48
    minor = bytes[offset + 7] - 48
  }
}

/// The status of a status line; `nil` when it is none.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9112#name-status-line>
func statusLine(_ line: UnsafeRawBufferPointer) -> (status: UInt16, version: HTTPVersion)? {
  guard let version = HTTPVersion(line, at: 0), line.count >= 12 else { return nil }
  // Browsers read HTTP/1.10 as 1.1.
  var index = 8
  while index < min(line.count, 12), isDigit(line[index]) { index += 1 }
  guard index < line.count, isBlank(line[index]) else { return nil }
  while index < line.count, isBlank(line[index]) { index += 1 }
  guard index + 3 <= line.count else { return nil }
  var status: UInt16 = 0
  for offset in index..<index + 3 {
    guard isDigit(line[offset]) else { return nil }
    status = status * 10 + UInt16(line[offset] - 48)
  }
  guard status >= 100, index + 3 == line.count || !isTokenByte(line[index + 3]) else { return nil }
  return (status, version)
}

/// Whether bytes whose place in a stream is not known begin a message.
enum MessageGuess {
  case yes
  case no
  /// They may, once more of them are there.
  case unclear

  /// Judges the beginning of what may be a request.
  static func request(_ bytes: UnsafeRawBufferPointer) -> MessageGuess {
    var index = 0
    while index < bytes.count, index <= 32, isTokenByte(bytes[index]) { index += 1 }
    if index == bytes.count { return index > 0 && index <= 32 ? .unclear : .no }
    guard index > 0, index <= 32, bytes[index] == 0x20 else { return .no }
    let visible = min(bytes.count, CaptureLimits.undecidedBytes)
    guard let end = bytes.part(0, visible).position(of: 0x0A, from: index) else {
      if visible < bytes.count { return isKnownMethod(bytes.part(0, index)) ? .yes : .no }
      // A long target is cut by the segment; control bytes are in no target.
      for offset in index..<visible where bytes[offset] < 0x20 && bytes[offset] != 0x0D {
        return .no
      }
      return .unclear
    }
    let line = bytes.part(0, bytes[end - 1] == 0x0D ? end - 1 : end)
    return RequestLine(line) == nil ? .no : .yes
  }

  /// Judges the beginning of what may be a response.
  static func response(_ bytes: UnsafeRawBufferPointer) -> MessageGuess {
    if bytes.count < 13 {
      let pattern: StaticString = "http/"
      for offset in 0..<min(5, bytes.count)
      where lowered(bytes[offset]) != pattern.utf8Start[offset] { return .no }
      return bytes.isEmpty ? .no : .unclear
    }
    return statusLine(bytes.part(0, min(bytes.count, 24))) == nil ? .no : .yes
  }

  static func isKnownMethod(_ method: UnsafeRawBufferPointer) -> Bool {
    switch method.count {
    case 3: method.has("GET") || method.has("PUT")
    case 4: method.has("POST") || method.has("HEAD")
    case 5: method.has("PATCH")
    case 6: method.has("DELETE")
    case 7: method.has("OPTIONS") || method.has("CONNECT")
    default: false
    }
  }
}

@inline(__always)
func isBlank(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x09
}

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool {
  byte &- 48 < 10
}

/// Whether a byte may stand in a method or field name.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9110#name-tokens>
@inline(__always)
func isTokenByte(_ byte: UInt8) -> Bool {
  // Bit n of the two words stands for the character n.
  let low: UInt64 = 0x03FF_6CFA_0000_0000
  let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
  return byte < 64
    ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte - 64) & 1 == 1
}
