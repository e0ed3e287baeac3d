internal import Bytes

/// Turns UTF-16, which Windows shells write into redirected files, into UTF-8.
///
/// A lone half of a pair becomes U+FFFD, as does an odd byte at the end.
struct UTF16Reader {
  /// Whether the more significant byte of a unit stands first.
  private let isBigEndian: Bool
  /// The first byte of a unit whose second one was not seen.
  private var half: UInt8?
  /// The first unit of a pair.
  private var high: UInt32?
  /// Bytes of UTF-8 for which there was no room.
  private var pending: [UInt8] = []
  private var pendingStart = 0

  /// - Parameter mark: the first two bytes of the text; `nil` is returned when they are no byte order
  ///   mark of UTF-16.
  init?(mark first: UInt8, _ second: UInt8) {
    switch (first, second) {
    case (0xFF, 0xFE): isBigEndian = false
    case (0xFE, 0xFF): isBigEndian = true
    default: return nil
    }
  }

  /// - Parameter head: the first bytes of a text without a mark; `nil` is returned when they are not
  ///   those of one that begins with ASCII.
  init?(unmarked head: ByteView) {
    let count = min(head.count, 256) & ~1
    guard count >= 32 else { return nil }
    func isText(zerosAt odd: Int) -> Bool {
      for index in stride(from: 0, to: count, by: 2) {
        let byte = head[index + 1 - odd]
        guard head[index + odd] == 0, (0x20..<0x7F).contains(byte) || (0x09...0x0D).contains(byte)
        else { return false }
      }
      return true
    }
    if isText(zerosAt: 1) {
      isBigEndian = false
    } else if isText(zerosAt: 0) {
      isBigEndian = true
    } else {
      return nil
    }
  }

  /// Moves out what was decoded; returns how many bytes that were.
  mutating func take(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    // Not more than the buffer holds and than there is, by the line that follows.
    let count = min(buffer.count, pending.count - pendingStart)
    unsafe pending.withUnsafeBytes {
      unsafe buffer.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: $0[pendingStart..<pendingStart + count]))
    }
    pendingStart += count
    if pendingStart == pending.count {
      pending.removeAll(keepingCapacity: true)
      pendingStart = 0
    }
    return count
  }

  /// Decodes further bytes of the text.
  mutating func put(_ bytes: ByteView) {
    for byte in bytes {
      guard let first = half else {
        half = byte
        continue
      }
      half = nil
      let unit = isBigEndian ? UInt32(first) << 8 | UInt32(byte) : UInt32(byte) << 8 | UInt32(first)
      put(unit)
    }
  }

  /// Decodes what is left at the end of the text.
  mutating func finish() {
    if high != nil || half != nil { append(0xFFFD) }
    high = nil
    half = nil
  }

  private mutating func put(_ unit: UInt32) {
    if let first = high {
      high = nil
      if (0xDC00...0xDFFF).contains(unit) {
        append(0x10000 + (first - 0xD800) << 10 + (unit - 0xDC00))
        return
      }
      append(0xFFFD)
    }
    switch unit {
    case 0xD800...0xDBFF: high = unit
    case 0xDC00...0xDFFF: append(0xFFFD)
    default: append(unit)
    }
  }

  private mutating func append(_ value: UInt32) {
    switch value {
    case ..<0x80: pending.append(UInt8(value))
    case ..<0x800:
      pending.append(UInt8(0xC0 | value >> 6))
      pending.append(UInt8(0x80 | value & 0x3F))
    case ..<0x10000:
      pending.append(UInt8(0xE0 | value >> 12))
      pending.append(UInt8(0x80 | value >> 6 & 0x3F))
      pending.append(UInt8(0x80 | value & 0x3F))
    default:
      pending.append(UInt8(0xF0 | value >> 18))
      pending.append(UInt8(0x80 | value >> 12 & 0x3F))
      pending.append(UInt8(0x80 | value >> 6 & 0x3F))
      pending.append(UInt8(0x80 | value & 0x3F))
    }
  }
}
