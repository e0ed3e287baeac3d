internal import FetchCORS
internal import HTTPExchange

/// Lines of `calls.ndjson`, with gaps for what is known only when all traffic is.
enum CallLine {
  /// The record of a call in pieces between which `likely`, `cause` and `incident` belong.
  static func pieces(of call: Call) -> [[UInt8]] {
    var call = call
    call.likely = nil
    call.cause = nil
    call.incident = nil
    var writer = JSONWriter()
    call.write(to: &writer)
    var pieces: [[UInt8]] = []
    var start = 0
    for name in CSVRow.lateColumns {
      // A quotation mark inside a text is escaped, so that this can only be the member itself.
      let member = Array("\"\(name)\":null".utf8)
      guard let found = index(of: member, in: writer.bytes, from: start) else { continue }
      let end = found + member.count - 4
      pieces.append(Array(writer.bytes[start..<end]))
      start = end + 4
    }
    pieces.append(Array(writer.bytes[start...]))
    return pieces
  }

  /// A text, or `null`.
  static func value(_ text: String?) -> [UInt8] {
    var writer = JSONWriter()
    if let text { writer.string(text) } else { writer.null() }
    return writer.bytes
  }

  private static func index(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
    var index = start
    while index + needle.count <= bytes.count {
      if bytes[index] == needle[0], bytes[index..<index + needle.count].elementsEqual(needle) {
        return index
      }
      index += 1
    }
    return nil
  }
}
