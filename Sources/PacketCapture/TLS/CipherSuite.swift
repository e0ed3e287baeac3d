/// A cipher suite whose records can be opened, and what it fixes.
struct CipherSuite: Equatable {
  /// How records are protected.
  enum Algorithm {
    case aes128GCM
    case aes256GCM
    case chaCha20Poly1305

    /// Bytes of a key.
    var keyLength: Int { self == .aes128GCM ? 16 : 32 }
  }

  /// The hash of the key schedule.
  enum Hash {
    case sha256
    case sha384
  }

  var algorithm: Algorithm
  var hash: Hash

  /// The suite with that number in the IANA registry; `nil` for one without such a cipher.
  ///
  /// The key exchange and the signature do not matter here: the key log holds what comes of them.
  init?(_ number: UInt16, isTLS13: Bool) {
    if isTLS13 {
      switch number {
      case 0x1301: (algorithm, hash) = (.aes128GCM, .sha256)
      case 0x1302: (algorithm, hash) = (.aes256GCM, .sha384)
      case 0x1303: (algorithm, hash) = (.chaCha20Poly1305, .sha256)
      default: return nil
      }
      return
    }
    switch number {
    // RSA, DHE, DH, DH_anon and PSK in their forms, with AES-GCM, are neighbours: 128, 256, 128, ...
    case 0x009C...0x00AD, 0xC02B...0xC032, 0xD001...0xD002:
      let is128 = number >= 0xC000 ? number % 2 == 1 : number % 2 == 0
      (algorithm, hash) = is128 ? (.aes128GCM, .sha256) : (.aes256GCM, .sha384)
    case 0xCCA8...0xCCAE:
      (algorithm, hash) = (.chaCha20Poly1305, .sha256)
    default:
      return nil
    }
  }
}
