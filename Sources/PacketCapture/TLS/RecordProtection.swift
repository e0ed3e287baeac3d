internal import Bytes
internal import Crypto
internal import Foundation

/// Opens the records of one direction that are protected with one key.
struct RecordProtection {
  /// The number of the next record.
  var sequence: UInt64 = 0
  /// Whether any record was opened.
  var hasOpened = false
  private let suite: CipherSuite
  private let key: SymmetricKey
  private let iv: [UInt8]
  /// The traffic secret of TLS 1.3; `nil` in TLS 1.2.
  private let secret: SymmetricKey?

  /// - Parameters:
  ///   - iv: 4 bytes for AES-GCM in TLS 1.2, else 12.
  ///   - secret: the traffic secret that all this came from, in TLS 1.3.
  init(_ suite: CipherSuite, _ key: SymmetricKey, iv: [UInt8], secret: SymmetricKey?) {
    self.suite = suite
    self.key = key
    self.iv = iv
    self.secret = secret
  }

  /// Whether this is of TLS 1.3.
  var isTLS13: Bool { secret != nil }

  /// Bytes of a record, its header included, beyond those of its content.
  var overhead: Int {
    isTLS13 ? 5 + 1 + 16 : iv.count == 4 ? 5 + 8 + 16 : 5 + 16
  }

  /// The protection after a KeyUpdate (RFC 8446, section 7.2); `nil` in TLS 1.2.
  var updated: RecordProtection? {
    guard let secret else { return nil }
    let length = suite.hash == .sha256 ? 32 : 48
    return KeySchedule.tls13(
      KeySchedule.expandLabel(secret, "traffic upd", suite.hash, length: length), suite)
  }

  /// The plaintext of a whole record, header included, with that number.
  ///
  /// - Returns: `nil` when the tag does not fit. In TLS 1.3 the plaintext still holds the content
  ///   type and the padding.
  func open(_ record: ByteView, sequence: UInt64) -> Data? {
    let explicit = isTLS13 || iv.count == 12 ? 0 : 8
    let start = 5 + explicit
    guard record.count >= start + 16 else { return nil }
    var combined = Data(capacity: 12 + record.count - start)
    if explicit > 0 {
      combined.append(contentsOf: iv)
      append(record.part(5, 5 + explicit), to: &combined)
    } else {
      for index in 0..<12 {
        let shift = UInt64(8 * (11 - index))
        combined.append(
          index < 4 ? iv[index] : iv[index] ^ UInt8(truncatingIfNeeded: sequence >> shift))
      }
    }
    append(record.from(start), to: &combined)
    var authenticated = [UInt8]()
    if isTLS13 {
      authenticated.append(contentsOf: record.part(0, 5))
    } else {
      authenticated.reserveCapacity(13)
      for index in 0..<8 {
        authenticated.append(UInt8(truncatingIfNeeded: sequence >> UInt64(56 - 8 * index)))
      }
      authenticated.append(contentsOf: record.part(0, 3))
      let length = record.count - start - 16
      authenticated.append(UInt8(truncatingIfNeeded: length >> 8))
      authenticated.append(UInt8(truncatingIfNeeded: length))
    }
    // What these throw says only that the bytes were not sealed so.
    switch suite.algorithm {
    case .aes128GCM, .aes256GCM:
      guard let box = try? AES.GCM.SealedBox(combined: combined) else { return nil }
      return try? AES.GCM.open(box, using: key, authenticating: authenticated)
    case .chaCha20Poly1305:
      guard let box = try? ChaChaPoly.SealedBox(combined: combined) else { return nil }
      return try? ChaChaPoly.open(box, using: key, authenticating: authenticated)
    }
  }

  private func append(_ bytes: ByteView, to data: inout Data) {
    // Foundation copies them at once.
    unsafe bytes.withUnsafeBytes { unsafe data.append(contentsOf: $0) }
  }
}
