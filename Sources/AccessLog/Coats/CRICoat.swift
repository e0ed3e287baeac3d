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
      text: isPartial ? text : text.withoutReturn, sender: stream.part(0..<6),
      isPartial: isPartial, stamp: CoatStamp(line.part(0..<stamp)))
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
      sender: line.part(0..<max(0, start - 1)), stamp: CoatStamp(rest.part(0..<stamp)))
  }
}
