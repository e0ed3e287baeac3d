internal import Bytes

extension LogCoat {
  /// `syslog`: RFC 3164 and what daemons made of it: with or without priority and host, with the
  /// old stamp or one of ISO 8601.
  static let syslog3164 = LogCoat(
    name: "syslog", summary: "syslog, RFC 3164: <PRI>TIME HOST PROGRAM[PID]: LINE",
    rule: .line { line, _ in syslog3164Line(line) })

  /// `syslog-5424`: RFC 5424.
  static let syslog5424 = LogCoat(
    name: "syslog-5424",
    summary: "syslog, RFC 5424: <PRI>1 TIME HOST PROGRAM PID MESSAGE-ID DATA LINE",
    rule: .line { line, _ in syslog5424Line(line) })

  /// The end of `<134>`; `nil` when there is none.
  private static func endOfPriority(_ line: ByteView) -> Int? {
    guard line.first == UInt8(ascii: "<") else { return nil }
    let end = line.place(of: UInt8(ascii: ">"))
    guard (2...4).contains(end), end < line.count,
      line.part(1..<end).allSatisfy({ $0 &- 48 < 10 })
    else { return nil }
    return end + 1
  }

  private static func syslog3164Line(_ line: ByteView) -> CoatedLine? {
    let start = endOfPriority(line) ?? 0
    let old = CoatStamp.endOfBSD(line, from: start)
    let end = old ?? CoatStamp.endOfISO(line.part(start..<line.count)).map { start + $0 }
    guard let end, end < line.count, line[end] == 0x20 else { return nil }
    let stamp = CoatStamp(line.part(start..<end), old == nil ? .any : .bsd)
    // A host, then a program; or a program alone. A program ends with a colon.
    var word = end + 1
    for _ in 0..<2 {
      let blank = line.place(of: 0x20, from: word)
      guard blank > word else { return nil }
      if line[blank - 1] == UInt8(ascii: ":") {
        let program = line.part(word..<blank - 1)
        return CoatedLine(
          text: text(line, from: blank),
          sender: program.part(0..<program.place(of: UInt8(ascii: "["))), stamp: stamp)
      }
      guard blank < line.count else { return nil }
      word = blank + 1
    }
    return nil
  }

  private static func syslog5424Line(_ line: ByteView) -> CoatedLine? {
    guard let priority = endOfPriority(line),
      line.part(priority..<line.count).begins(with: "1 ")
    else { return nil }
    // Time, host, program, process, message: RFC 5424, section 6.
    var place = priority + 2
    var program = place..<place
    var stamp = CoatStamp.none
    for field in 0..<5 {
      let blank = line.place(of: 0x20, from: place)
      guard blank > place, blank < line.count else { return nil }
      if field == 0, CoatStamp.endOfISO(line.part(place..<blank)) == blank - place {
        stamp = CoatStamp(line.part(place..<blank))
      }
      if field == 2 { program = place..<blank }
      place = blank + 1
    }
    guard let data = endOfStructuredData(line, from: place) else { return nil }
    return CoatedLine(text: text(line, from: data), sender: line.part(program), stamp: stamp)
  }

  /// What stands behind the coat; daemons keep the blank of the old form beside that of the new.
  private static func text(
    _ line: ByteView, from start: Int
  ) -> ByteView {
    var start = start
    while start < line.count, line[start] == 0x20 { start += 1 }
    let text = line.part(start..<line.count).withoutReturn
    return text.begins(with: "\u{FEFF}") ? text.part(3..<text.count) : text
  }

  /// The end of `-` or of `[ID NAME="VALUE"]…`, in whose values `"`, `\` and `]` are escaped.
  private static func endOfStructuredData(
    _ line: ByteView, from start: Int
  ) -> Int? {
    guard start < line.count else { return nil }
    var index = start
    if line[index] == UInt8(ascii: "-") {
      index += 1
    } else {
      while index < line.count, line[index] == UInt8(ascii: "[") {
        var isQuoted = false
        index += 1
        while index < line.count, isQuoted || line[index] != UInt8(ascii: "]") {
          if line[index] == UInt8(ascii: "\"") { isQuoted.toggle() }
          index += isQuoted && line[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < line.count else { return nil }
        index += 1
      }
      guard index > start else { return nil }
    }
    return index == line.count || line[index] == 0x20 ? index : nil
  }
}
