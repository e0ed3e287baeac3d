internal import Bytes

/// The parts of a request line, as offsets into it.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9112#name-request-line>
struct RequestLine {
  var methodEnd: Int
  var targetStart: Int
  var targetEnd: Int
  var major: UInt8
  var minor: UInt8

  /// Bytes of a method; the longest that is registered has 17.
  private static let longestMethod = 64

  /// Reads a line without its end; `nil` when it is no request line.
  ///
  /// Several spaces between the parts and spaces within the target are tolerated, as servers do;
  /// control characters are not.
  init?(_ line: ByteView) {
    guard let space = Self.endOfMethod(line), space < line.count,
      !Self.hasControl(line, from: space)
    else { return nil }
    methodEnd = space
    var end = line.count
    while end > space, line[end - 1] == 0x20 { end -= 1 }
    // HTTP/1.1 has eight characters.
    guard end - space > 8, let version = HTTPVersion(line, at: end - 8), line[end - 9] == 0x20
    else { return nil }
    major = version.major
    minor = version.minor
    end -= 8
    while end > space, line[end - 1] == 0x20 { end -= 1 }
    var index = space
    while index < end, line[index] == 0x20 { index += 1 }
    targetStart = index
    targetEnd = end
  }

  /// Whether bytes without a line end may be the beginning of a request line.
  ///
  /// Every beginning of a line that is one may be; so what a stream says does not depend on the
  /// segments that it comes in.
  static func mayBegin(with bytes: ByteView) -> Bool {
    guard let space = endOfMethod(bytes) else { return false }
    // The line end may be cut in half.
    let isCut = bytes.last == 0x0D
    return !hasControl(
      bytes.part(0, isCut ? max(space, bytes.count - 1) : bytes.count), from: space)
  }

  /// Where the method ends, at a space or with the bytes; `nil` when they begin with none.
  private static func endOfMethod(_ bytes: ByteView) -> Int? {
    // What most requests begin with.
    if bytes.has("GET ") { return 3 }
    let visible = min(bytes.count, longestMethod + 1)
    var index = 0
    while index < visible, isTokenByte(bytes[index]) { index += 1 }
    guard index > 0, index <= longestMethod, index == bytes.count || bytes[index] == 0x20 else {
      return nil
    }
    return index
  }

  private static func hasControl(_ bytes: ByteView, from start: Int) -> Bool {
    precondition(start >= 0)
    let ones: UInt64 = 0x0101_0101_0101_0101
    var index = start
    while index &+ 8 <= bytes.count {
      // Eight bytes from here on are there.
      let word = unsafe bytes.uncheckedWord(index)
      let delete = word ^ (0x7F &* ones)
      // A byte's highest bit is set where it was below 0x20, or is 0x7F; others may be, behind one.
      let controls = (word &- 0x20 &* ones) & ~word | (delete &- ones) & ~delete
      if controls & (0x80 &* ones) != 0 { return true }
      index &+= 8
    }
    while index < bytes.count {
      if bytes[index] < 0x20 || bytes[index] == 0x7F { return true }
      index += 1
    }
    return false
  }
}

/// `HTTP/1.1` in a start line.
struct HTTPVersion {
  var major: UInt8 = 1
  var minor: UInt8 = 1

  /// The usual one, 1.1.
  init() {}

  /// Reads the eight characters at `offset`.
  @inline(__always)
  init?(_ bytes: ByteView, at offset: Int) {
    if Self.isUsual(bytes, at: offset) {
      (major, minor) = (1, 1)
      return
    }
    guard bytes.count >= offset + 8, bytes.hasCaseless("http/", at: offset),
      bytes[offset + 6] == UInt8(ascii: "."), isDigit(bytes[offset + 5]),
      isDigit(bytes[offset + 7])
    else { return nil }
    major = bytes[offset + 5] - 48
    minor = bytes[offset + 7] - 48
  }

  /// Whether the eight characters at `offset` are `HTTP/1.1`.
  @inline(__always)
  static func isUsual(_ bytes: ByteView, at offset: Int) -> Bool {
    guard offset >= 0, bytes.count &- offset >= 8 else { return false }
    // Eight bytes are there.
    return unsafe UInt64(littleEndian: bytes.uncheckedWord(offset)) == 0x312E_312F_5054_5448
  }
}

/// What bytes say as the status line that they may begin.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9112#name-status-line>
enum StatusLine {
  case line(status: UInt16, version: HTTPVersion)
  /// It goes on behind the bytes.
  case incomplete
  case none

  /// Bytes before the status: a version and white space.
  private static let longestVersion = 24

  /// Reads a line.
  ///
  /// - Parameter isWhole: whether nothing of the line comes behind the bytes. Where something does,
  ///   the outcome is the same for any part of the line that says enough.
  init(_ bytes: ByteView, isWhole: Bool) {
    // `HTTP/1.1 200 ` is told with a look at each byte; the rules below say the same of it.
    if bytes.count > 12, HTTPVersion.isUsual(bytes, at: 0), bytes[8] == 0x20, isDigit(bytes[9]),
      isDigit(bytes[10]), isDigit(bytes[11]), bytes[9] > UInt8(ascii: "0"),
      !isTokenByte(bytes[12])
    {
      let hundreds = UInt16(bytes[9] &- 48) &* 100
      let status = hundreds &+ UInt16(bytes[10] &- 48) &* 10 &+ UInt16(bytes[11] &- 48)
      self = .line(status: status, version: HTTPVersion())
      return
    }
    self = isWhole ? .none : .incomplete
    guard bytes.count >= 8 else {
      if !Self.beginsVersion(bytes) { self = .none }
      return
    }
    guard let version = HTTPVersion(bytes, at: 0) else {
      self = .none
      return
    }
    // Browsers read HTTP/1.10 as 1.1.
    var index = 8
    while index < min(bytes.count, 12), isDigit(bytes[index]) { index += 1 }
    guard index < bytes.count else { return }
    guard isBlank(bytes[index]) else {
      self = .none
      return
    }
    while index < min(bytes.count, Self.longestVersion), isBlank(bytes[index]) { index += 1 }
    var status: UInt16 = 0
    for offset in index..<index + 3 {
      guard offset < bytes.count else { return }
      guard isDigit(bytes[offset]) else {
        self = .none
        return
      }
      status = status * 10 + UInt16(bytes[offset] - 48)
    }
    if index + 3 == bytes.count, !isWhole { return }
    let isOver = index + 3 == bytes.count || !isTokenByte(bytes[index + 3])
    self = status >= 100 && isOver ? .line(status: status, version: version) : .none
  }

  /// Whether less than a version begins one.
  private static func beginsVersion(_ bytes: ByteView) -> Bool {
    let pattern = ByteView("http/1.1")
    for index in 0..<bytes.count {
      let isAlike =
        index == 5 || index == 7
        ? isDigit(bytes[index]) : lowered(bytes[index]) == pattern[index]
      if !isAlike { return false }
    }
    return true
  }
}

/// Whether bytes whose place in a stream is not known begin a message.
enum MessageGuess {
  case yes
  case no
  /// They may, once more of them are there.
  case unclear

  /// Judges the beginning of what may be a request.
  static func request(_ bytes: ByteView) -> MessageGuess {
    var index = 0
    while index < bytes.count, index <= 32, isTokenByte(bytes[index]) { index += 1 }
    if index == bytes.count { return index > 0 && index <= 32 ? .unclear : .no }
    guard index > 0, index <= 32, bytes[index] == 0x20 else { return .no }
    let visible = min(bytes.count, CaptureLimits.undecidedBytes)
    guard let end = bytes.part(0, visible).position(of: 0x0A, from: index) else {
      // A long target is cut by the segment.
      guard RequestLine.mayBegin(with: bytes.part(0, visible)) else { return .no }
      if visible == bytes.count { return .unclear }
      return isKnownMethod(bytes.part(0, index)) ? .yes : .no
    }
    let line = bytes.part(0, bytes[end - 1] == 0x0D ? end - 1 : end)
    return RequestLine(line) == nil ? .no : .yes
  }

  /// Judges the beginning of what may be a response.
  static func response(_ bytes: ByteView) -> MessageGuess {
    guard bytes.count > 0 else { return .no }
    switch StatusLine(bytes, isWhole: false) {
    case .line: return .yes
    case .incomplete: return .unclear
    case .none: return .no
    }
  }

  /// Whether bytes begin with a method that is known, and a space behind it.
  ///
  /// Behind bytes that were not understood, anything else may be the second half of a word: of
  /// `OPTIONS /` whose first packet is lost, `NS /` is left.
  static func beginsWithKnownMethod(_ bytes: ByteView) -> Bool {
    guard let space = bytes.part(0, min(bytes.count, 16)).position(of: 0x20, from: 0) else {
      return false
    }
    return isKnownMethod(bytes.part(0, space))
  }

  /// The methods of RFC 9110, PATCH and QUERY, and those of WebDAV that pages send.
  static func isKnownMethod(_ method: ByteView) -> Bool {
    switch method.count {
    case 3: method.has("GET") || method.has("PUT")
    case 4: method.has("POST") || method.has("HEAD") || method.has("COPY") || method.has("MOVE")
    case 5:
      method.has("PATCH") || method.has("QUERY") || method.has("TRACE") || method.has("MKCOL")
    case 6: method.has("DELETE") || method.has("REPORT") || method.has("SEARCH")
    case 7: method.has("OPTIONS") || method.has("CONNECT")
    case 8: method.has("PROPFIND")
    case 9: method.has("PROPPATCH")
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
