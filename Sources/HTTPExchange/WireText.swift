public import Bytes

/// Bytes from the wire as text, and back, without loss.
///
/// Header values may hold any byte. Well-formed UTF-8 stands for itself; every other byte `b`
/// becomes the private-use scalar U+F700 + `b`, and the bytes of those scalars themselves are
/// mapped in the same way, so that ``bytes(of:)`` returns exactly what was read.
public enum WireText {
  /// The first scalar of the range that stands for single bytes (0x80 to 0xFF are used).
  private static let escapeBase: UInt32 = 0xF700

  /// Decodes bytes of any content.
  public static func decode(_ bytes: ByteView) -> String {
    if bytes.isASCII {
      // As many bytes as there is room for, and all of them ASCII.
      return unsafe String(unsafeUninitializedCapacity: bytes.count) { buffer in
        unsafe bytes.withUnsafeBytes {
          unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0)
        }
        return bytes.count
      }
    }
    return decodeMixed(bytes)
  }

  /// Decodes bytes of any content.
  public static func decode(_ bytes: some Collection<UInt8>) -> String {
    // The storage is kept and unchanged until the text is made.
    let text = bytes.withContiguousStorageIfAvailable {
      unsafe decode(ByteView(UnsafeRawBufferPointer($0)))
    }
    return text ?? Array(bytes).withByteView { decode($0) }
  }

  private static func decodeMixed(_ bytes: ByteView) -> String {
    var scalars = String.UnicodeScalarView()
    func escape(_ byte: UInt8) {
      // 0xF780 to 0xF7FF are scalars, so the initialiser cannot fail here.
      if let scalar = Unicode.Scalar(escapeBase + UInt32(byte)) { scalars.append(scalar) }
    }
    var index = 0
    while index < bytes.count {
      let first = bytes[index]
      if first < 0x80 {
        scalars.append(Unicode.Scalar(first))
        index += 1
        continue
      }
      let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0
      guard length > 0, first < 0xF5, index + length <= bytes.count else {
        escape(first)
        index += 1
        continue
      }
      var value = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
      var wellFormed = true
      for offset in 1..<length {
        let next = bytes[index + offset]
        wellFormed = wellFormed && next & 0xC0 == 0x80
        value = value << 6 | UInt32(next & 0x3F)
      }
      let least: UInt32 = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000
      if wellFormed, value >= least, let scalar = Unicode.Scalar(value),
        !(escapeBase + 0x80...escapeBase + 0xFF).contains(value)
      {
        scalars.append(scalar)
        index += length
      } else {
        escape(first)
        index += 1
      }
    }
    return String(scalars)
  }

  /// The bytes that ``decode(_:)`` was given.
  public static func bytes(of text: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if (escapeBase + 0x80...escapeBase + 0xFF).contains(scalar.value) {
        result.append(UInt8(scalar.value - escapeBase))
      } else {
        result.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
      }
    }
    return result
  }
}

extension String {
  /// Whether two texts are the same bytes.
  ///
  /// `==` compares by canonical equivalence, under which two different header values can be equal;
  /// browsers compare bytes.
  public func hasSameBytes(as other: String) -> Bool {
    if isSameReference(as: other) { return true }
    guard utf8.count == other.utf8.count else { return false }
    return withByteView { bytes in other.withByteView { bytes.equals($0) } }
  }

  /// The two words that a text is.
  @inline(__always)
  var representation: (UInt64, UInt64) {
    // They are compared and never taken apart.
    unsafe unsafeBitCast(self, to: (UInt64, UInt64).self)
  }

  /// Whether two texts are short and of the same bytes, or two references to one memory.
  @inline(__always)
  func isSameReference(as other: String) -> Bool { representation == other.representation }

  /// The text with A to Z turned into a to z and nothing else changed.
  public var asciiLowercased: String {
    guard utf8.contains(where: { $0 >= 65 && $0 <= 90 }) else { return self }
    return String(decoding: utf8.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }, as: UTF8.self)
  }
}

extension String? {
  /// Whether both are texts of the same bytes, or neither is one.
  public func hasSameBytes(as other: String?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return self.hasSameBytes(as: other)
  }

  /// Whether both are the same reference, or neither is one.
  func isSameReference(as other: String?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return self.isSameReference(as: other)
  }
}
