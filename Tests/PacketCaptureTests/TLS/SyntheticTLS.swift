import Bytes
import Crypto
import Foundation
import TestSupport
import Testing

@testable import PacketCapture

/// Makes the records of one TLS session with secrets of its own.
///
/// Keys are derived and records sealed here apart from the code under test.
struct SyntheticTLS {
  enum Side: Int {
    case client, server
  }

  /// A cipher suite, by its number, and whether it is one of TLS 1.3.
  struct Suite: CustomTestStringConvertible {
    var number: UInt16
    var isTLS13 = true
    var usesChaCha = false
    var keyLength = 16
    var hashLength = 32

    var testDescription: String { String(number, radix: 16) }

    static let aes128 = Suite(number: 0x1301)
    static let all = [
      aes128, Suite(number: 0x1302, keyLength: 32, hashLength: 48),
      Suite(number: 0x1303, usesChaCha: true, keyLength: 32),
      Suite(number: 0xC02F, isTLS13: false), Suite(number: 0x009C, isTLS13: false),
      Suite(number: 0xC030, isTLS13: false, keyLength: 32, hashLength: 48),
      Suite(number: 0xCCA9, isTLS13: false, usesChaCha: true, keyLength: 32),
    ]
  }

  struct Keys {
    var key: SymmetricKey
    var iv: [UInt8]
    var secret: [UInt8] = []
    var sequence: UInt64 = 0
  }

  var suite: Suite
  var serverName = "api.example"
  var offersEarlyData = false
  let clientRandom: [UInt8]
  let serverRandom: [UInt8]
  let secrets: [String: [UInt8]]
  /// Keys of the two sides' next records.
  var keys: [Keys] = []

  init(_ suite: Suite, seed: UInt64 = 7) {
    self.suite = suite
    var generator = SeededGenerator(seed: seed)
    func bytes(_ count: Int) -> [UInt8] {
      (0..<count).map { _ in .random(in: 0...255, using: &generator) }
    }
    clientRandom = bytes(32)
    serverRandom = bytes(32)
    var secrets: [String: [UInt8]] = [:]
    let labels =
      suite.isTLS13
      ? [
        "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
      ] : ["CLIENT_RANDOM"]
    for label in labels { secrets[label] = bytes(suite.isTLS13 ? suite.hashLength : 48) }
    self.secrets = secrets
  }

  /// The lines of a key log, but for some labels.
  func keyLogText(without left: [String] = []) -> String {
    secrets.sorted { $0.key < $1.key }.filter { !left.contains($0.key) }
      .map { "\($0.key) \(hexadecimal(clientRandom)) \(hexadecimal($0.value))\n" }.joined()
  }

  func keyLog(without left: [String] = []) -> TLSKeyLog {
    var log = TLSKeyLog()
    Array(keyLogText(without: left).utf8).withByteView { log.add(text: $0) }
    return log
  }

  // MARK: Messages in the clear

  func record(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
    [type, 3, 3] + CaptureBuilder.big16(content.count) + content
  }

  func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    [type, UInt8(body.count >> 16)] + CaptureBuilder.big16(body.count & 0xFFFF) + body
  }

  private func block(_ type: Int, _ value: [UInt8]) -> [UInt8] {
    CaptureBuilder.big16(type) + CaptureBuilder.big16(value.count) + value
  }

  var clientHello: [UInt8] {
    let name = Array(serverName.utf8)
    var extensions = block(
      0, CaptureBuilder.big16(name.count + 3) + [0] + CaptureBuilder.big16(name.count) + name)
    extensions += block(16, [0, 9, 8] + Array("http/1.1".utf8))
    if offersEarlyData { extensions += block(42, []) }
    return message(
      1,
      [3, 3] + clientRandom + [0, 0, 2] + CaptureBuilder.big16(Int(suite.number)) + [1, 0]
        + CaptureBuilder.big16(extensions.count) + extensions)
  }

  func serverHello(random: [UInt8]? = nil) -> [UInt8] {
    let extensions =
      suite.isTLS13 ? block(43, [3, 4]) : block(16, [0, 9, 8] + Array("http/1.1".utf8))
    return message(
      2,
      [3, 3] + (random ?? serverRandom) + [0] + CaptureBuilder.big16(Int(suite.number)) + [0]
        + CaptureBuilder.big16(extensions.count) + extensions)
  }

  static let retryRandom = Array(SHA256.hash(data: Array("HelloRetryRequest".utf8)))

  // MARK: Protected records

  mutating func use(_ side: Side, _ label: String) {
    if keys.isEmpty {
      keys = [
        Keys(key: SymmetricKey(size: .bits128), iv: []),
        Keys(key: SymmetricKey(size: .bits128), iv: []),
      ]
    }
    keys[side.rawValue] = traffic(secrets[label] ?? [])
  }

  private func traffic(_ secret: [UInt8]) -> Keys {
    Keys(
      key: SymmetricKey(data: expand(secret, "key", suite.keyLength)),
      iv: expand(secret, "iv", 12), secret: secret)
  }

  private func expand(_ secret: [UInt8], _ label: String, _ length: Int) -> [UInt8] {
    let text = Array("tls13 \(label)".utf8)
    let info = CaptureBuilder.big16(length) + [UInt8(text.count)] + text + [0]
    let key = SymmetricKey(data: secret)
    return suite.hashLength == 32
      ? HKDF<SHA256>.expand(pseudoRandomKey: key, info: info, outputByteCount: length)
        .withUnsafeBytes { Array($0) }
      : HKDF<SHA384>.expand(pseudoRandomKey: key, info: info, outputByteCount: length)
        .withUnsafeBytes { Array($0) }
  }

  mutating func useMaster() {
    let seed = Array("key expansion".utf8) + serverRandom + clientRandom
    let master = SymmetricKey(data: secrets["CLIENT_RANDOM"] ?? [])
    func mac(_ bytes: [UInt8]) -> [UInt8] {
      suite.hashLength == 32
        ? Array(HMAC<SHA256>.authenticationCode(for: bytes, using: master))
        : Array(HMAC<SHA384>.authenticationCode(for: bytes, using: master))
    }
    var chained = seed
    var block: [UInt8] = []
    while block.count < 128 {
      chained = mac(chained)
      block += mac(chained + seed)
    }
    let ivLength = suite.usesChaCha ? 12 : 4
    keys = (0..<2).map { side in
      let iv = 2 * suite.keyLength + side * ivLength
      let key = side * suite.keyLength
      return Keys(
        key: SymmetricKey(data: block[key..<key + suite.keyLength]),
        iv: Array(block[iv..<iv + ivLength]))
    }
  }

  /// A protected record.
  mutating func seal(
    _ side: Side, _ content: [UInt8], type: UInt8 = 23, padding: Int = 0
  ) -> [UInt8] {
    let state = keys[side.rawValue]
    keys[side.rawValue].sequence += 1
    let number = (0..<8).map { UInt8(truncatingIfNeeded: state.sequence >> UInt64(56 - 8 * $0)) }
    let usesExplicit = state.iv.count == 4
    // Writers choose the explicit part of a nonce freely.
    let explicit: [UInt8] = usesExplicit ? [0xA5] + number.dropFirst() : []
    let nonce =
      usesExplicit ? state.iv + explicit : zip(state.iv, [0, 0, 0, 0] + number).map { $0 ^ $1 }
    let plain =
      suite.isTLS13 ? content + [type] + [UInt8](repeating: 0, count: padding) : content
    let length = explicit.count + plain.count + 16
    let header = [suite.isTLS13 ? 23 : type, 3, 3] + CaptureBuilder.big16(length)
    let additional =
      suite.isTLS13 ? header : number + [type, 3, 3] + CaptureBuilder.big16(plain.count)
    do {
      if suite.usesChaCha {
        let box = try ChaChaPoly.seal(
          plain, using: state.key, nonce: ChaChaPoly.Nonce(data: nonce),
          authenticating: additional)
        return header + explicit + box.ciphertext + box.tag
      }
      let box = try AES.GCM.seal(
        plain, using: state.key, nonce: AES.GCM.Nonce(data: nonce), authenticating: additional)
      return header + explicit + box.ciphertext + box.tag
    } catch {
      return []
    }
  }

  mutating func seal(_ side: Side, _ text: String, padding: Int = 0) -> [UInt8] {
    seal(side, Array(text.utf8), padding: padding)
  }

  /// A KeyUpdate; what follows is sealed with the next key.
  mutating func updateKey(_ side: Side) -> [UInt8] {
    let record = seal(side, message(24, [0]), type: 22)
    keys[side.rawValue] = traffic(
      expand(keys[side.rawValue].secret, "traffic upd", suite.hashLength))
    return record
  }

  // MARK: Handshakes

  /// What the two sides send until application data can follow, in turns that begin with the client.
  mutating func handshake() -> [[UInt8]] {
    let hello = record(22, clientHello)
    if suite.isTLS13 {
      use(.server, "SERVER_HANDSHAKE_TRAFFIC_SECRET")
      use(.client, "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
      var answer = record(22, serverHello()) + record(20, [1])
      let encrypted =
        message(8, [0, 15] + block(16, [0, 9, 8] + Array("http/1.1".utf8)))
        + message(11, [UInt8](repeating: 0x30, count: 3000))
      // A message may go on in the next record.
      answer += seal(.server, Array(encrypted.prefix(1000)), type: 22)
      answer += seal(
        .server, Array(encrypted.dropFirst(1000)) + message(20, [UInt8](repeating: 1, count: 32)),
        type: 22)
      let finish =
        record(20, [1])
        + seal(.client, message(20, [UInt8](repeating: 2, count: 32)), type: 22)
      use(.server, "SERVER_TRAFFIC_SECRET_0")
      use(.client, "CLIENT_TRAFFIC_SECRET_0")
      return [
        hello, answer, finish,
        seal(.server, message(4, [UInt8](repeating: 9, count: 80)), type: 22),
      ]
    }
    useMaster()
    let certificate = message(11, [UInt8](repeating: 0x30, count: 3000))
    let answer =
      record(22, serverHello() + certificate.prefix(500))
      + record(22, Array(certificate.dropFirst(500)) + message(14, []))
    let second =
      record(22, message(16, [UInt8](repeating: 3, count: 33))) + record(20, [1])
      + seal(.client, message(20, [UInt8](repeating: 4, count: 12)), type: 22)
    return [
      hello, answer, second,
      record(20, [1]) + seal(.server, message(20, [UInt8](repeating: 5, count: 12)), type: 22),
    ]
  }
}

func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { String(String(UInt16($0) + 256, radix: 16).dropFirst()) }.joined()
}

func bytes(_ hexadecimal: String) -> [UInt8] {
  let digits = hexadecimal.filter { !$0.isWhitespace }
  var result: [UInt8] = []
  var index = digits.startIndex
  while index < digits.endIndex {
    let next = digits.index(index, offsetBy: 2)
    result.append(UInt8(digits[index..<next], radix: 16) ?? 0)
    index = next
  }
  return result
}

extension Conversation.Side {
  var tls: SyntheticTLS.Side { self == .client ? .client : .server }
}

extension CaptureBuilder {
  /// Adds the packets of a handshake.
  mutating func addHandshake(
    _ session: inout SyntheticTLS, _ talk: inout Conversation, pieces: Int = 1400
  ) {
    for (index, turn) in session.handshake().enumerated() {
      add(turn, index % 2 == 0 ? .client : .server, &talk, pieces: pieces)
    }
  }

  /// Adds bytes in segments.
  mutating func add(
    _ bytes: [UInt8], _ side: Conversation.Side, _ talk: inout Conversation, pieces: Int = 1400
  ) {
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      add(talk.send(side, Array(bytes[start..<min(start + pieces, bytes.count)])))
    }
  }
}
