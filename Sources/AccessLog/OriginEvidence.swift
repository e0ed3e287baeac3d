internal import Bytes
internal import HTTPExchange

extension ExchangeBuilder {
  /// Whether a line says that the request had no `Origin`: the field is recorded, and is not there.
  @inline(__always)
  func showsNoOrigin(_ line: Line) -> Bool {
    let origin = line.layout.roles.origin
    if line.layout.roles.requestBlock < 0, line.layout.family < 0 {
      return origin >= 0 && line.isAbsent(origin)
    }
    if origin >= 0, !line.isAbsent(origin) { return false }
    return leavesOutOrigin(line)
  }

  private func leavesOutOrigin(_ line: Line) -> Bool {
    let block = line.layout.roles.requestBlock
    if block >= 0, line.hasBlock(block), line.layout.roles.requestShape.isWhole {
      return !hidesOrigin && !mayNameOrigin(line)
    }
    guard line.layout.family >= 0 else { return false }
    let origin = line.layout.roles.origin
    return families[line.layout.family].recordsOrigin
      || (families[line.layout.family].isExplicit && origin >= 0 && line.isNamed(origin))
  }

  /// Whether a block that is no object of names may have an `Origin`.
  private func mayNameOrigin(_ line: Line) -> Bool {
    let shape = line.layout.roles.requestShape
    guard shape.spelling != .object else { return false }
    let range = line.fields[line.layout.roles.requestBlock]
    let isList = shape.spelling == .list
    // `"origin"` in a list of names, `origin:` in lines.
    let end = Int(range.end) - 7
    var index = Int(range.start)
    while index <= end {
      if line.base[index] | 0x20 == UInt8(ascii: "o"),
        "rigin".utf8.enumerated().allSatisfy({
          line.base[index + 1 + $0.offset] | 0x20 == $0.element
        })
      {
        let after = line.base[index + 6]
        if isList ? after == UInt8(ascii: "\"") && line.base[index - 1] == after : true {
          return true
        }
      }
      index += 1
    }
    return range.count >= shape.limit
  }

  /// What the browser itself said of the request.
  func observed(_ line: Line) -> ObservedOutcome? {
    let field = line.layout.roles.browserError
    guard field >= 0, line.isNamed(field) else { return nil }
    let range = line.fields[field]
    if range.count <= 0 { return .completed }
    return line.equals(field, "net::ERR_FAILED") ? .failed : nil
  }
}
