internal import Bytes

extension LogCoat {
  /// `cri`: what containerd and CRI-O write below `/var/log/containers` of a Kubernetes node.
  static let cri = LogCoat(
    name: "cri", summary: "Kubernetes CRI: TIME stdout|stderr F|P LINE",
    rule: .line { line, _ in criLine(line) })

  private static func criLine(_ line: ByteView) -> CoatedLine? {
    guard let stamp = CoatStamp.endOfISO(line), line.place(of: 0x20, from: stamp) == stamp
    else { return nil }
    let stream = line.part(min(stamp + 1, line.count)..<line.count)
    guard stream.begins(with: "stdout ") || stream.begins(with: "stderr ") else { return nil }
    let tags = stamp + 8
    // Further tags may follow behind colons; the first says whether the line is whole.
    let blank = line.place(of: 0x20, from: tags)
    guard tags < blank, blank < line.count || line.count == tags + 1 else { return nil }
    let tag = line.part(tags..<blank)
    guard tag.equals("F") || tag.equals("P") || tag.begins(with: "F:") || tag.begins(with: "P:")
    else { return nil }
    let text = line.part(min(blank + 1, line.count)..<line.count)
    let isPartial = tag[0] == UInt8(ascii: "P")
    return CoatedLine(
      text: isPartial ? text : text.withoutReturn, sender: stream.part(0..<6), isPartial: isPartial)
  }

  /// `timestamped`: what `kubectl logs --timestamps` prints, with or without `--prefix`, and what
  /// an export from CloudWatch holds.
  static let timestamped = LogCoat(
    name: "timestamped",
    summary: "kubectl logs --timestamps, CloudWatch export: TIME LINE, perhaps behind [pod/…]",
    rule: .line { line, _ in timestampedLine(line) })

  private static func timestampedLine(_ line: ByteView) -> CoatedLine? {
    var start = 0
    if line.begins(with: "[pod/") {
      let bracket = line.place(of: UInt8(ascii: "]"))
      guard bracket + 1 < line.count, line[bracket + 1] == 0x20 else { return nil }
      start = bracket + 2
    }
    let rest = line.part(start..<line.count)
    guard let stamp = CoatStamp.endOfISO(rest), stamp > 20, rest[stamp - 1] == UInt8(ascii: "Z"),
      stamp < rest.count, rest[stamp] == 0x20
    else { return nil }
    return CoatedLine(
      text: rest.part(stamp + 1..<rest.count).withoutReturn,
      sender: line.part(0..<max(0, start - 1)))
  }
}

/// The time stamps of coats: their form alone, since the lines have stamps of their own.
enum CoatStamp {
  /// The end of `2026-11-23T18:54:34`, with or without fraction and zone; `nil` for anything else.
  static func endOfISO(_ text: ByteView) -> Int? {
    let form: StaticString = "0000-00-00T00:00:00"
    guard fits(text, at: 0, form) else { return nil }
    var index = form.utf8CodeUnitCount
    if index < text.count, text[index] == UInt8(ascii: ".") || text[index] == UInt8(ascii: ",") {
      index += 1
      while index < text.count, isDigit(text[index]) { index += 1 }
    }
    if index < text.count, text[index] == UInt8(ascii: "Z") { return index + 1 }
    if fits(text, at: index, "+00:00") || fits(text, at: index, "-00:00") { return index + 6 }
    return index
  }

  /// The end of `Nov 23 18:58:42`; `nil` for anything else.
  static func endOfBSD(_ text: ByteView, from start: Int) -> Int? {
    let months = ByteView("JanFebMarAprMayJunJulAugSepOctNovDec")
    guard start + 15 <= text.count,
      (0..<12).contains(where: { text.holds(months.part(3 * $0, 3 * $0 + 3), at: start) }),
      text[start + 3] == 0x20, text[start + 4] == 0x20 || isDigit(text[start + 4]),
      fits(text, at: start + 5, "0 00:00:00")
    else { return nil }
    return start + 15
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  /// Whether a text has digits where a form has `0`, and the form's bytes elsewhere.
  private static func fits(
    _ text: ByteView, at start: Int, _ form: StaticString
  ) -> Bool {
    let count = form.utf8CodeUnitCount
    guard start + count <= text.count else { return false }
    for index in 0..<count {
      let wanted = ByteView(form)[index]
      let byte = text[start + index]
      guard wanted == 48 ? isDigit(byte) : byte == wanted else { return false }
    }
    return true
  }
}
