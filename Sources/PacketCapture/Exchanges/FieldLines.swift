internal import Bytes

/// The field lines of a header block, one after another.
///
/// A line that goes on in the next one (obs-fold) is joined by a space, as browsers do; a line
/// without a colon is passed over.
struct FieldLines {
  private let bytes: ByteView
  private var position: Int
  /// Joined values; the last one stands here.
  private var scratch: [UInt8] = []

  /// The lines behind the start line of `bytes`, which hold whole lines only.
  init(_ bytes: ByteView) {
    self.bytes = bytes
    position = bytes.position(of: 0x0A, from: 0).map { $0 + 1 } ?? bytes.count
  }

  /// Calls `body` with name and value of each field.
  ///
  /// - Parameter known: whether a whole line was dealt with, so that it need not be read.
  mutating func forEach(
    _ known: (_ line: ByteView) -> Bool,
    _ body: (_ line: ByteView, _ name: ByteView, _ value: ByteView) -> Void
  ) {
    while position < bytes.count {
      let start = position
      let end = lineEnd()
      guard end > start else { continue }
      let isFolded = position < bytes.count && isBlank(bytes[position])
      let line = bytes.part(start, end)
      if !isFolded, known(line) { continue }
      guard let colon = bytes.part(0, end).position(of: UInt8(ascii: ":"), from: start) else {
        continue
      }
      var nameEnd = colon
      while nameEnd > start, isBlank(bytes[nameEnd - 1]) { nameEnd -= 1 }
      // A line that begins with white space and follows no field is no field either.
      guard nameEnd > start, !isBlank(bytes[start]) else { continue }
      let name = bytes.part(start, nameEnd)
      let value = trimmed(colon + 1, end)
      if isFolded {
        joinFolded(value)
        scratch.withByteView { body(ByteView(), name, $0) }
      } else {
        body(line, name, value)
      }
    }
  }

  /// Moves behind the next line, and returns where its content ends.
  private mutating func lineEnd() -> Int {
    let newline = bytes.position(of: 0x0A, from: position) ?? bytes.count
    var end = newline
    if end > position, bytes[end - 1] == 0x0D { end -= 1 }
    position = min(newline + 1, bytes.count)
    return end
  }

  /// The bytes without spaces and tabs around them; other control bytes stay, as in browsers.
  private func trimmed(_ start: Int, _ end: Int) -> ByteView {
    var start = start
    var end = end
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return bytes.part(start, end)
  }

  private mutating func joinFolded(_ first: ByteView) {
    scratch.removeAll(keepingCapacity: true)
    scratch.append(contentsOf: first)
    while position < bytes.count, isBlank(bytes[position]) {
      let start = position
      let piece = trimmed(start, lineEnd())
      guard !piece.isEmpty else { continue }
      if !scratch.isEmpty { scratch.append(0x20) }
      scratch.append(contentsOf: piece)
    }
  }
}
