public import Bytes
public import InputBytes

/// The secrets of TLS connections in the NSS key log format, found by a connection's client random.
///
/// Browsers and tools write such a file where `SSLKEYLOGFILE` names one. Nothing of its content is
/// ever written or printed.
public struct TLSKeyLog: Sendable {
  /// Secrets that are kept at most, some 100 MB; further ones are counted in ``refusedLines``.
  public static let maximumSecrets = 1 << 20

  /// Lines that look like no line of a key log.
  public private(set) var malformedLines: UInt64 = 0
  /// Secrets beyond ``maximumSecrets``, which were left out.
  public private(set) var refusedLines: UInt64 = 0
  private var heads: [TLSRandom: Int32] = [:]
  private var entries: [Entry] = []
  private var bytes: [UInt8] = []

  private struct Entry: Sendable {
    var label: Label
    var length: UInt8
    var offset: UInt32
    /// The next secret with the same random; each label stands once.
    var next: Int32
  }

  /// What a secret is for.
  enum Label: UInt8, Sendable {
    case master
    case clientEarly
    case clientHandshake
    case serverHandshake
    case clientTraffic
    case serverTraffic

    /// The label of these bytes; `nil` for one that decrypts no record.
    init?(_ bytes: ByteView) {
      switch bytes.count {
      case 13 where bytes.has("CLIENT_RANDOM"): self = .master
      case 27 where bytes.has("CLIENT_EARLY_TRAFFIC_SECRET"): self = .clientEarly
      case 31 where bytes.has("CLIENT_HANDSHAKE_TRAFFIC_SECRET"): self = .clientHandshake
      case 31 where bytes.has("SERVER_HANDSHAKE_TRAFFIC_SECRET"): self = .serverHandshake
      case 23 where bytes.has("CLIENT_TRAFFIC_SECRET_0"): self = .clientTraffic
      case 23 where bytes.has("SERVER_TRAFFIC_SECRET_0"): self = .serverTraffic
      default: return nil
      }
    }

    /// Whether a secret of that many bytes is possible: the master secret has 48, the others have
    /// the length of a hash.
    func admits(_ length: Int) -> Bool {
      self == .master ? length == 48 : length == 32 || length == 48
    }
  }

  /// Secrets that this one keeps at most.
  private let limit: Int

  /// An empty key log.
  public init() {
    self.init(limit: Self.maximumSecrets)
  }

  /// An empty key log that keeps so many secrets.
  init(limit: Int) {
    self.limit = limit
  }

  /// Reads a key log, plain or gzip.
  ///
  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: `InputError` when the file cannot be opened or read.
  public init(path: String) throws(InputError) {
    self.init()
    try add(path: path)
  }

  /// Adds the secrets of another file.
  ///
  /// - Parameter path: a file, or `-` for standard input.
  /// - Throws: `InputError` when the file cannot be opened or read; what stood before the fault is
  ///   kept.
  public mutating func add(path: String) throws(InputError) {
    let input = try ByteInput(path: path)
    var carried = 0
    var isInLongLine = false
    do throws(InputDamage) {
      while let buffer = try input.next(carrying: carried) {
        let end = buffer.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        var whole = buffer.part(0, end)
        if isInLongLine, let first = whole.position(of: 0x0A, from: 0) {
          whole = whole.from(first + 1)
          isInLongLine = false
        }
        add(text: whole)
        carried = buffer.count - end
        // No line of a key log is as long; the rest of this one is passed over.
        if carried > Self.lineLength {
          if !isInLongLine { malformedLines += 1 }
          isInLongLine = true
          carried = 0
        }
        last = isInLongLine ? [] : Array(buffer.from(buffer.count - carried))
      }
    } catch {
      throw InputError(path: path, reason: error.what)
    }
    let rest = last
    last = []
    rest.withByteView { add(text: $0) }
  }

  private static let lineLength = 1024
  /// A line whose end has not been read.
  private var last: [UInt8] = []

  /// Whether no secret is known.
  public var isEmpty: Bool { entries.isEmpty }

  /// Secrets that are known.
  public var count: Int { entries.count }

  /// Adds the lines of a text.
  public mutating func add(text: ByteView) {
    var start = 0
    while start < text.count {
      let end = text.position(of: 0x0A, from: start) ?? text.count
      add(line: text.part(start, end))
      start = end + 1
    }
  }

  private mutating func add(line whole: ByteView) {
    var line = whole
    func isSpace(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
    while isSpace(line.last) { line = line.part(0, line.count - 1) }
    while isSpace(line.first) { line = line.from(1) }
    guard let first = line.first, first != UInt8(ascii: "#") else { return }
    guard let labelEnd = line.position(of: 0x20, from: 0),
      let randomEnd = line.position(of: 0x20, from: labelEnd + 1)
    else {
      malformedLines += 1
      return
    }
    // Labels of exporters, of QUIC and of other methods are of no use here, and no fault.
    guard let label = Label(line.part(0, labelEnd)) else {
      let isLabel = line.part(0, labelEnd).allSatisfy { $0 &- 65 < 26 || $0 &- 48 < 10 || $0 == 95 }
      let isHexadecimal = line.part(labelEnd + 1, randomEnd).allSatisfy {
        $0 &- 48 < 10 || ($0 | 0x20) &- 97 < 6
      }
      if !isLabel || !isHexadecimal { malformedLines += 1 }
      return
    }
    let secret = line.from(randomEnd + 1)
    guard let random = TLSRandom(hexadecimal: line.part(labelEnd + 1, randomEnd)),
      secret.count % 2 == 0, label.admits(secret.count / 2)
    else {
      malformedLines += 1
      return
    }
    let offset = bytes.count
    for index in stride(from: 0, to: secret.count, by: 2) {
      guard let byte = hexadecimalByte(secret, index) else {
        bytes.removeSubrange(offset...)
        malformedLines += 1
        return
      }
      bytes.append(byte)
    }
    insert(label, random, offset)
  }

  private mutating func insert(_ label: Label, _ random: TLSRandom, _ offset: Int) {
    let head = heads[random] ?? -1
    var index = head
    while index >= 0 {
      if entries[Int(index)].label == label {
        // Logs are appended to: the same secret again, as a rule.
        let length = bytes.count - offset
        if length == Int(entries[Int(index)].length) {
          let old = Int(entries[Int(index)].offset)
          for place in 0..<length { bytes[old + place] = bytes[offset + place] }
        }
        bytes.removeSubrange(offset...)
        return
      }
      index = entries[Int(index)].next
    }
    guard entries.count < limit else {
      bytes.removeSubrange(offset...)
      refusedLines += 1
      return
    }
    heads[random] = Int32(entries.count)
    entries.append(
      Entry(
        label: label, length: UInt8(bytes.count - offset), offset: UInt32(offset), next: head))
  }

  /// Whether any secret of a connection with that client random is known.
  func knows(_ random: TLSRandom) -> Bool {
    heads[random] != nil
  }

  /// The secret with that label of the connection with that client random.
  func secret(_ label: Label, _ random: TLSRandom) -> [UInt8]? {
    var index = heads[random] ?? -1
    while index >= 0 {
      let entry = entries[Int(index)]
      if entry.label == label {
        return Array(bytes[Int(entry.offset)..<Int(entry.offset) + Int(entry.length)])
      }
      index = entry.next
    }
    return nil
  }
}

extension TLSKeyLog: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// How many secrets there are, and nothing of them.
  public var description: String { "key log with \(count) secrets" }

  /// The same.
  public var debugDescription: String { description }

  /// Shows no content, so that no dump of a value that holds a key log gives secrets away.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The 32 random bytes of a ClientHello or ServerHello.
struct TLSRandom: Hashable, Sendable {
  private var first: UInt64
  private var second: UInt64
  private var third: UInt64
  private var fourth: UInt64

  /// The 32 bytes at `offset`, which must be there.
  init(_ bytes: ByteView, at offset: Int) {
    first = bytes.big64(offset)
    second = bytes.big64(offset + 8)
    third = bytes.big64(offset + 16)
    fourth = bytes.big64(offset + 24)
  }

  /// 64 hexadecimal digits.
  init?(hexadecimal digits: ByteView) {
    guard digits.count == 64 else { return nil }
    var words: [UInt64] = [0, 0, 0, 0]
    for index in 0..<32 {
      guard let byte = hexadecimalByte(digits, 2 * index) else { return nil }
      words[index / 8] = words[index / 8] << 8 | UInt64(byte)
    }
    (first, second, third, fourth) = (words[0], words[1], words[2], words[3])
  }

  /// The bytes.
  var bytes: [UInt8] {
    [first, second, third, fourth].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
    }
  }
}

/// The value of two hexadecimal digits at `index`, which must be there.
private func hexadecimalByte(_ digits: ByteView, _ index: Int) -> UInt8? {
  func value(_ digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x41...0x46: digit - 0x41 + 10
    case 0x61...0x66: digit - 0x61 + 10
    default: nil
    }
  }
  guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
  return high << 4 | low
}
