internal import Bytes
internal import HTTPExchange

/// Finds the entries of an HTTP archive (HAR 1.2) in its bytes as they come.
///
/// An archive is one JSON document of any size, most of it bodies. Nothing is kept but the entry that
/// is read at the moment, without its long texts.
struct HARScanner {
  /// Bytes of one entry, long texts left out.
  static let entryBytes = 4 << 20
  /// Bytes of one text; longer ones are bodies, which nothing here needs.
  static let textBytes = 64 << 10

  private enum Place: UInt8 { case outside, root, log, entries, entry }

  private var place = Place.outside
  /// Objects and arrays that are open beyond that place.
  private var depth = 0
  private var isInText = false
  private var isEscaped = false
  /// The text that was read last where names matter, and whether a colon followed it.
  private var name: [UInt8] = []
  private var key: [UInt8] = []
  private var textCount = 0
  private var entry: [UInt8] = []
  private var isTooLong = false
  /// Entries that were found.
  private(set) var count: UInt64 = 0
  /// Entries of more than ``entryBytes``.
  private(set) var tooLong: UInt64 = 0
  /// Whether the list of entries was seen to its end.
  private(set) var isComplete = false

  /// Whether the head of an input is that of an archive.
  static func recognizes(_ head: [UInt8]) -> Bool {
    var text = head[...]
    if text.starts(with: [0xEF, 0xBB, 0xBF]) { text = text.dropFirst(3) }
    let compact = text.prefix(4096).filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
    guard compact.starts(with: "{\"log\":{".utf8) else { return false }
    let words = String(decoding: text.prefix(LogReader.headLimit), as: UTF8.self)
    return ["\"creator\"", "\"entries\"", "\"pages\""].contains { words.contains($0) }
  }

  /// Takes the next bytes, and gives each entry that ends in them.
  mutating func take(
    _ bytes: ByteView, _ give: (ByteView, UInt64) -> Void
  ) {
    var index = 0
    while index < bytes.count {
      if isInText {
        index = takeText(bytes, index, bytes.count)
        continue
      }
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        isInText = true
        isEscaped = false
        textCount = 0
        name.removeAll(keepingCapacity: true)
        keep(byte)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        open(byte)
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        close(byte, give)
      case UInt8(ascii: ":"):
        if depth == 0, place == .root || place == .log { swap(&key, &name) }
        keep(byte)
      case 0x20, 0x09, 0x0A, 0x0D: break
      default: keep(byte)
      }
    }
  }

  private mutating func takeText(
    _ base: ByteView, _ start: Int, _ end: Int
  ) -> Int {
    var index = start
    while index < end {
      let byte = base[index]
      index += 1
      if isEscaped {
        isEscaped = false
        keepText(byte)
      } else if byte == UInt8(ascii: "\\") {
        // An escape is kept whole or not at all.
        isEscaped = true
        if textCount < Self.textBytes { keepText(byte) } else { textCount = Self.textBytes + 1 }
      } else if byte == UInt8(ascii: "\"") {
        isInText = false
        keep(byte)
        return index
      } else {
        keepText(byte)
      }
    }
    return index
  }

  private mutating func keepText(_ byte: UInt8) {
    guard textCount <= Self.textBytes else { return }
    textCount += 1
    if place == .entry {
      keep(byte)
    } else if name.count < 16 {
      name.append(byte)
    }
  }

  private mutating func keep(_ byte: UInt8) {
    guard place == .entry, !isTooLong else { return }
    if entry.count >= Self.entryBytes {
      isTooLong = true
      entry.removeAll()
    } else {
      entry.append(byte)
    }
  }

  private mutating func open(_ byte: UInt8) {
    let isObject = byte == UInt8(ascii: "{")
    switch place {
    case .outside where isObject && depth == 0: place = .root
    case .root where isObject && depth == 0 && key.elementsEqual("log".utf8): place = .log
    case .log where !isObject && depth == 0 && key.elementsEqual("entries".utf8): place = .entries
    case .entries where isObject && depth == 0:
      place = .entry
      entry.removeAll(keepingCapacity: true)
      isTooLong = false
      keep(byte)
    default:
      depth += 1
      keep(byte)
    }
  }

  private mutating func close(
    _ byte: UInt8, _ give: (ByteView, UInt64) -> Void
  ) {
    keep(byte)
    if depth > 0 {
      depth -= 1
      return
    }
    switch place {
    case .outside: break
    case .root: place = .outside
    case .log: place = .root
    case .entries:
      place = .log
      isComplete = true
    case .entry:
      place = .entries
      count += 1
      if isTooLong {
        tooLong += 1
      } else {
        entry.withByteView { give($0, count) }
      }
    }
    key.removeAll(keepingCapacity: true)
  }
}
