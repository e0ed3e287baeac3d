/// The secrets that a capture is read with: those that were given, and those that it holds itself.
final class TLSKeys {
  let given: TLSKeyLog
  var own = TLSKeyLog()

  init(_ given: TLSKeyLog) {
    self.given = given
  }

  var isEmpty: Bool { given.isEmpty && own.isEmpty }

  /// Whether any secret of a connection with that client random is known.
  func knows(_ random: TLSRandom) -> Bool {
    own.knows(random) || given.knows(random)
  }

  /// The secret with that label of the connection with that client random.
  func secret(_ label: TLSKeyLog.Label, _ random: TLSRandom) -> [UInt8]? {
    own.secret(label, random) ?? given.secret(label, random)
  }
}

/// What happened in one TLS connection.
struct TLSCounts {
  /// Records that were opened.
  var records: UInt64 = 0
  /// Records that were lost in gaps, as far as the numbers of later ones tell.
  var lostRecords: UInt64 = 0
  /// Records that no key opened.
  var unopenedRecords: UInt64 = 0
  /// Gaps behind which a record was found again by its tag.
  var resynchronised: UInt64 = 0
  /// Records of early data that were not opened.
  var earlyRecords: UInt64 = 0
  var keyUpdates: UInt64 = 0
  var retries: UInt64 = 0
  var alerts: UInt64 = 0
  /// Directions that were given up.
  var lostDirections: UInt64 = 0
}

/// What happened in all TLS connections of a capture.
struct TLSTotals {
  /// Connections of which any record was opened.
  var decrypted: UInt64 = 0
  var counts = TLSCounts()
  /// Connections of which none was opened, by the kind of the reason.
  var closed: [String: UInt64] = [:]
  /// The same in words, by host.
  var reasons: [TLSReason: UInt64] = [:]
  /// Connections that are being decrypted.
  var active = 0
  /// Bytes that wait in them.
  var heldBytes = 0
}

/// Why connections to one host were not decrypted.
struct TLSReason: Hashable {
  var serverName: String?
  var obstacle: TLSConnection.Obstacle

  /// In words.
  var text: String {
    let to = serverName.map { " to \($0)" } ?? ""
    return switch obstacle {
    case .withoutStart: "TLS\(to): its ClientHello is not in the capture"
    case .brokenHandshake: "TLS\(to): the handshake is not whole in the capture"
    case .withoutKeys: "TLS\(to): the key log has no secret of the connection"
    case .wrongKeys: "TLS\(to): the secrets in the key log do not fit"
    case .cipher(let number): "TLS\(to): cipher suite 0x\(Self.digits(number)) is not supported"
    case .version(let number):
      "TLS\(to): protocol version 0x\(Self.digits(number)) is not supported"
    case .limit: "TLS\(to): too many connections at once"
    }
  }

  private static func digits(_ number: UInt16) -> String {
    String(String(UInt32(number) + 0x10000, radix: 16).dropFirst())
  }
}

extension TLSConnection.Obstacle {
  /// The name of the note that counts it.
  var note: String {
    switch self {
    case .withoutStart: "tls-without-start"
    case .brokenHandshake: "tls-handshake-incomplete"
    case .withoutKeys: "tls-without-keys"
    case .wrongKeys: "tls-wrong-keys"
    case .cipher: "tls-unsupported-cipher"
    case .version: "tls-unsupported-version"
    case .limit: "tls-limit-reached"
    }
  }
}
