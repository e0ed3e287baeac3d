internal import Bytes

/// Finds the end of a header block, and what frames the body behind it.
///
/// It goes line by line over bytes that may grow between two calls, and looks at each byte once.
struct HeadScanner {
  enum Outcome {
    /// The block goes on behind the bytes.
    case incomplete
    /// The block ends before this offset.
    case complete(Int)
    /// The first line is no start line.
    case invalid
  }

  /// How the length of the body is told.
  enum TransferCoding: UInt8 {
    case none, chunked, other
  }

  /// What an `Upgrade` field asks for.
  enum Upgrade: UInt8 {
    case none, http2, other
  }

  private var lineStart = 0
  private var searched = 0
  private(set) var hasStartLine = false
  /// Where method and target of a request line stand; all 0 for a response.
  private(set) var methodEnd = 0
  private(set) var targetStart = 0
  private(set) var targetEnd = 0
  private(set) var status: UInt16 = 0
  private(set) var major: UInt8 = 1
  private(set) var minor: UInt8 = 1
  private(set) var isHead = false
  private(set) var isConnect = false
  private(set) var isOptions = false
  private(set) var hasOrigin = false
  private(set) var contentLength: UInt64?
  private(set) var hasBadLength = false
  private(set) var transferCoding = TransferCoding.none
  private(set) var upgrade = Upgrade.none

  /// A scanner that has not seen anything.
  init() {}

  /// What a header block of HTTP/2 would have shown, had it come in lines.
  init(_ facts: HeaderFacts) {
    hasStartLine = true
    status = facts.status
    major = 2
    minor = 0
    isHead = facts.isHead
    isConnect = facts.isConnect
    isOptions = facts.isOptions
    hasOrigin = facts.hasOrigin
    upgrade = facts.hasProtocol ? .other : .none
  }

  /// Bytes that hold whole lines.
  var wholeLines: Int { lineStart }

  /// Goes on with the block, of which `bytes` is all that has come so far.
  mutating func scan(_ bytes: ByteView, isRequest: Bool) -> Outcome {
    if !hasStartLine {
      guard let newline = bytes.position(of: 0x0A, from: searched) else {
        searched = bytes.count
        return .incomplete
      }
      let line = bytes.part(0, newline > 0 && bytes[newline - 1] == 0x0D ? newline - 1 : newline)
      lineStart = newline + 1
      searched = lineStart
      guard readStartLine(line, isRequest: isRequest) else { return .invalid }
      hasStartLine = true
    }
    // What is changed for each line stays out of memory.
    var start = lineStart
    var from = searched
    while let newline = bytes.position(of: 0x0A, from: from) {
      let line = start
      start = newline &+ 1
      from = start
      // A line goes from `line` to `newline`, both of which are within.
      let first = unsafe bytes.unchecked(line)
      if Self.initials & 1 << UInt64(first & 0x1F) != 0 {
        let isCut = unsafe newline > line && bytes.unchecked(newline &- 1) == 0x0D
        readField(bytes, line, isCut ? newline &- 1 : newline)
      } else if first == 0x0A || first == 0x0D && newline == line &+ 1 {
        lineStart = start
        searched = start
        return .complete(start)
      }
    }
    lineStart = start
    searched = bytes.count
    return .incomplete
  }

  /// The last five bits of what the names of the fields that count begin with: c, o, t, u.
  private static let initials: UInt64 = 1 << 3 | 1 << 15 | 1 << 20 | 1 << 21

  private mutating func readStartLine(_ line: ByteView, isRequest: Bool) -> Bool {
    if isRequest {
      guard let request = RequestLine(line) else { return false }
      major = request.major
      minor = request.minor
      methodEnd = request.methodEnd
      targetStart = request.targetStart
      targetEnd = request.targetEnd
      let method = line.part(0, request.methodEnd)
      isHead = method.count == 4 && method.has("HEAD")
      isConnect = method.count == 7 && method.has("CONNECT")
      isOptions = method.count == 7 && method.has("OPTIONS")
      return true
    }
    guard case .line(let status, let version) = StatusLine(line, isWhole: true) else {
      return false
    }
    self.status = status
    major = version.major
    minor = version.minor
    return true
  }

  @inline(__always)
  private mutating func readField(_ bytes: ByteView, _ start: Int, _ end: Int) {
    switch bytes[start] | 0x20 {
    case UInt8(ascii: "c"):
      if let value = Self.value(bytes, start, end, "content-length") { readLength(value) }
    case UInt8(ascii: "o"):
      if Self.value(bytes, start, end, "origin") != nil { hasOrigin = true }
    case UInt8(ascii: "t"):
      if let value = Self.value(bytes, start, end, "transfer-encoding") {
        // The last coding counts: RFC 9112, section 6.3.
        let isChunked = value.count >= 7 && value.hasCaseless("chunked", at: value.count - 7)
        transferCoding = isChunked ? .chunked : .other
      }
    case UInt8(ascii: "u"):
      if let value = Self.value(bytes, start, end, "upgrade") {
        upgrade = value.hasCaseless("h2c") ? .http2 : .other
      }
    default:
      break
    }
  }

  /// The value of the line when its name is `name`, without white space around it.
  @inline(__always)
  private static func value(
    _ bytes: ByteView, _ start: Int, _ end: Int, _ name: StaticString
  ) -> ByteView? {
    var index = start + name.utf8CodeUnitCount
    // Most other names end elsewhere, which is seen at once.
    guard index < end, bytes[index] == UInt8(ascii: ":") || isBlank(bytes[index]),
      bytes.hasCaseless(name, at: start)
    else { return nil }
    while index < end, isBlank(bytes[index]) { index += 1 }
    guard index < end, bytes[index] == UInt8(ascii: ":") else { return nil }
    index += 1
    while index < end, isBlank(bytes[index]) { index += 1 }
    var end = end
    while end > index, isBlank(bytes[end - 1]) { end -= 1 }
    return bytes.part(index, end)
  }

  private mutating func readLength(_ value: ByteView) {
    // A list of equal numbers is one number: RFC 9110, section 8.6.
    var number: UInt64 = 0
    var digits = 0
    for index in 0...value.count {
      if index < value.count, isDigit(value[index]) {
        digits += 1
        // More digits than a length of this world has.
        guard digits <= 18 else {
          hasBadLength = true
          return
        }
        number = number * 10 + UInt64(value[index] - 48)
      } else if index == value.count || value[index] == UInt8(ascii: ",") {
        guard digits > 0, contentLength ?? number == number else {
          hasBadLength = true
          return
        }
        contentLength = number
        number = 0
        digits = 0
      } else if !isBlank(value[index]) {
        hasBadLength = true
        return
      }
    }
  }
}
