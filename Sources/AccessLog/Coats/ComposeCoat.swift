internal import Bytes

extension LogCoat {
  /// `compose`: what `docker compose logs` puts before the lines of each service: `NAME  | LINE`.
  static let compose = LogCoat(
    name: "compose", summary: "docker compose logs: the service, a bar, the line",
    rule: .line { line, _ in composeLine(line) })

  private static func composeLine(_ line: ByteView) -> CoatedLine? {
    var end = 0
    while end < line.count, end <= AccessLogLimits.serviceNameBytes, isNameByte(line[end]) {
      end += 1
    }
    guard end > 0, end <= AccessLogLimits.serviceNameBytes else { return nil }
    // Names are filled up with blanks to one width.
    var bar = end
    while bar < line.count, line[bar] == 0x20 { bar += 1 }
    guard bar > end, bar + 1 < line.count, line[bar] == UInt8(ascii: "|"), line[bar + 1] == 0x20
    else { return nil }
    return CoatedLine(text: line.part(bar + 2..<line.count), sender: line.part(0..<end))
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."): true
    default: false
    }
  }
}
