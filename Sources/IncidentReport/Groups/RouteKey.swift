internal import Bytes
internal import FetchCORS
internal import HTTPExchange

/// Origin, host and route of a call as one run of bytes, parted by zeros.
enum RouteKey {
  /// Writes the key of a call over what is there.
  static func write(_ call: Call, to key: inout [UInt8]) {
    key.removeAll(keepingCapacity: true)
    append(call.origin, to: &key)
    key.append(0)
    let url = call.url
    if let host = url.host { append(host, to: &key) }
    if let port = url.port, port != 80, port != 443 {
      key.append(UInt8(ascii: ":"))
      key.append(contentsOf: String(port).utf8)
    }
    key.append(0)
    RouteTemplate.append(url.target, to: &key)
  }

  /// The key with its route replaced.
  static func write(origin: String, host: String, route: String, to key: inout [UInt8]) {
    key.removeAll(keepingCapacity: true)
    for (index, part) in [origin, host, route].enumerated() {
      if index > 0 { key.append(0) }
      key.append(contentsOf: part.utf8)
    }
  }

  /// Appends a text: long ones cut and told apart by their digest.
  private static func append(_ text: String, to key: inout [UInt8]) {
    let start = key.count
    if text.utf8.count <= 256 {
      let isClean = text.withByteView { bytes in
        key.append(bytes)
        return bytes.first(0, from: 0, to: bytes.count) == bytes.count
      }
      if isClean { return }
    } else {
      let head = String(text.unicodeScalars.prefix(100)) + "…" + Redaction.token(of: text)
      key.append(contentsOf: head.utf8)
    }
    // The byte that separates parts cannot stand in one.
    for index in start..<key.count where key[index] == 0 { key[index] = UInt8(ascii: " ") }
  }
}
