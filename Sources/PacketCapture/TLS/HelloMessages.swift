internal import Bytes

/// What matters here of a ClientHello (RFC 8446, section 4.1.2).
struct ClientHello {
  var random: TLSRandom
  /// The host that the client asks for, as it stands there.
  var serverName: String?
  var offersEarlyData = false

  /// The body of the message; `nil` when its lengths do not fit.
  init?(_ body: ByteView) {
    guard body.count >= 35 else { return nil }
    random = TLSRandom(body, at: 2)
    var reader = TLSReader(body, from: 34)
    guard reader.vector(lengthBytes: 1) != nil, reader.vector(lengthBytes: 2) != nil,
      reader.vector(lengthBytes: 1) != nil
    else { return nil }
    guard !reader.isAtEnd else { return }
    guard let extensions = reader.vector(lengthBytes: 2) else { return nil }
    var list = TLSReader(extensions)
    while let (type, value) = list.extensionBlock() {
      switch type {
      case 0: serverName = Self.serverName(value)
      case 42: offersEarlyData = true
      default: break
      }
    }
  }

  /// The first host name of the server_name extension (RFC 6066, section 3), made safe to print.
  private static func serverName(_ value: ByteView) -> String? {
    var reader = TLSReader(value)
    guard var names = reader.vector(lengthBytes: 2).map({ TLSReader($0) }),
      names.vector(byteCount: 1)?.first == 0, let name = names.vector(lengthBytes: 2),
      (1...253).contains(name.count)
    else { return nil }
    return String(
      decoding: name.map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
  }
}

/// What matters here of a ServerHello (RFC 8446, section 4.1.3).
struct ServerHello {
  var random: TLSRandom
  /// The version, `0x0303` for TLS 1.2 and `0x0304` for TLS 1.3.
  var version: UInt16
  var cipherSuite: UInt16
  var applicationProtocol: String?

  /// The body of the message; `nil` when its lengths do not fit.
  init?(_ body: ByteView) {
    guard body.count >= 38 else { return nil }
    version = body.big16(0)
    random = TLSRandom(body, at: 2)
    var reader = TLSReader(body, from: 34)
    guard reader.vector(lengthBytes: 1) != nil, let suite = reader.vector(byteCount: 3) else {
      return nil
    }
    cipherSuite = suite.big16(0)
    guard !reader.isAtEnd else { return }
    guard let extensions = reader.vector(lengthBytes: 2) else { return nil }
    var list = TLSReader(extensions)
    while let (type, value) = list.extensionBlock() {
      switch type {
      case 16: applicationProtocol = Self.applicationProtocol(value)
      case 43 where value.count == 2: version = value.big16(0)
      default: break
      }
    }
  }

  /// Whether it asks for another ClientHello: its random is the SHA-256 of "HelloRetryRequest".
  var isRetryRequest: Bool {
    random.bytes == Self.retryRandom
  }

  private static let retryRandom: [UInt8] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
  ]

  /// The protocol of the ALPN extension that the server chose (RFC 7301, section 3.1).
  static func applicationProtocol(_ value: ByteView) -> String? {
    var reader = TLSReader(value)
    guard var names = reader.vector(lengthBytes: 2).map({ TLSReader($0) }),
      let name = names.vector(lengthBytes: 1)
    else { return nil }
    return String(decoding: name, as: UTF8.self)
  }

  /// The protocol that EncryptedExtensions name (RFC 8446, section 4.3.1).
  static func applicationProtocol(inEncryptedExtensions body: ByteView) -> String? {
    var reader = TLSReader(body)
    guard var list = reader.vector(lengthBytes: 2).map({ TLSReader($0) }) else { return nil }
    while let (type, value) = list.extensionBlock() {
      if type == 16 { return applicationProtocol(value) }
    }
    return nil
  }
}

/// Reads the vectors of handshake messages, never beyond the bytes that are there.
struct TLSReader {
  private let bytes: ByteView
  private var position: Int

  /// A reader that begins at `position`, which must lie within the bytes.
  init(_ bytes: ByteView, from position: Int = 0) {
    self.bytes = bytes
    self.position = position
  }

  /// Whether nothing is left.
  var isAtEnd: Bool { position >= bytes.count }

  /// The next bytes; `nil` when there are not as many.
  mutating func vector(byteCount: Int) -> ByteView? {
    guard byteCount <= bytes.count - position else { return nil }
    defer { position += byteCount }
    return bytes.part(position, position + byteCount)
  }

  /// A vector behind its length of one or two bytes.
  mutating func vector(lengthBytes: Int) -> ByteView? {
    guard let length = vector(byteCount: lengthBytes) else { return nil }
    return vector(byteCount: lengthBytes == 1 ? Int(length[0]) : Int(length.big16(0)))
  }

  /// The next extension; `nil` at the end, or when its length does not fit.
  mutating func extensionBlock() -> (type: UInt16, value: ByteView)? {
    guard let type = vector(byteCount: 2), let value = vector(lengthBytes: 2) else { return nil }
    return (type.big16(0), value)
  }
}
