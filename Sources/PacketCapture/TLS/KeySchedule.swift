internal import Bytes
internal import Crypto
internal import Foundation

/// Derives the keys of records from the secrets of a key log.
enum KeySchedule {
  /// HKDF-Expand-Label with an empty context (RFC 8446, section 7.1).
  static func expandLabel(
    _ secret: SymmetricKey, _ label: StaticString, _ hash: CipherSuite.Hash, length: Int
  ) -> SymmetricKey {
    var info = Data()
    info.append(UInt8(truncatingIfNeeded: length >> 8))
    info.append(UInt8(truncatingIfNeeded: length))
    info.append(UInt8(6 + label.utf8CodeUnitCount))
    info.append(contentsOf: "tls13 ".utf8)
    info.append(contentsOf: ByteView(label))
    info.append(0)
    switch hash {
    case .sha256:
      return HKDF<SHA256>.expand(pseudoRandomKey: secret, info: info, outputByteCount: length)
    case .sha384:
      return HKDF<SHA384>.expand(pseudoRandomKey: secret, info: info, outputByteCount: length)
    }
  }

  /// The pseudorandom function of TLS 1.2 (RFC 5246, section 5).
  static func pseudorandom(
    _ secret: SymmetricKey, _ label: StaticString, _ seed: [UInt8], _ hash: CipherSuite.Hash,
    length: Int
  ) -> [UInt8] {
    var labelled = [UInt8]()
    labelled.append(ByteView(label))
    labelled += seed
    return switch hash {
    case .sha256: expand(SHA256.self, secret, labelled, length)
    case .sha384: expand(SHA384.self, secret, labelled, length)
    }
  }

  private static func expand<Hash: HashFunction>(
    _ function: Hash.Type, _ secret: SymmetricKey, _ seed: [UInt8], _ length: Int
  ) -> [UInt8] {
    var output: [UInt8] = []
    var chained = Array(HMAC<Hash>.authenticationCode(for: seed, using: secret))
    while output.count < length {
      output += HMAC<Hash>.authenticationCode(for: chained + seed, using: secret)
      chained = Array(HMAC<Hash>.authenticationCode(for: chained, using: secret))
    }
    output.removeSubrange(length...)
    return output
  }

  /// The protection of both directions of a TLS 1.2 connection (RFC 5246, section 6.3).
  static func tls12(
    _ master: [UInt8], _ suite: CipherSuite, client: TLSRandom, server: TLSRandom
  ) -> (client: RecordProtection, server: RecordProtection) {
    let keyLength = suite.algorithm.keyLength
    // RFC 5288, section 3: 4 bytes of the nonce are implicit; RFC 7905, section 2: all 12.
    let ivLength = suite.algorithm == .chaCha20Poly1305 ? 12 : 4
    let block = pseudorandom(
      SymmetricKey(data: master), "key expansion", server.bytes + client.bytes, suite.hash,
      length: 2 * (keyLength + ivLength))
    func protection(_ side: Int) -> RecordProtection {
      let key = side * keyLength
      let iv = 2 * keyLength + side * ivLength
      return RecordProtection(
        suite, SymmetricKey(data: block[key..<key + keyLength]),
        iv: Array(block[iv..<iv + ivLength]), secret: nil)
    }
    return (protection(0), protection(1))
  }

  /// The same, of the bytes of the secret.
  static func tls13(_ secret: [UInt8], _ suite: CipherSuite) -> RecordProtection {
    tls13(SymmetricKey(data: secret), suite)
  }

  /// The protection that a traffic secret of TLS 1.3 gives (RFC 8446, section 7.3).
  static func tls13(_ secret: SymmetricKey, _ suite: CipherSuite) -> RecordProtection {
    // The bytes of the key are copied before it can go.
    let iv = expandLabel(secret, "iv", suite.hash, length: 12)
    return RecordProtection(
      suite, expandLabel(secret, "key", suite.hash, length: suite.algorithm.keyLength),
      iv: unsafe iv.withUnsafeBytes { unsafe Array($0) }, secret: secret)
  }
}
