internal import Bytes
internal import HTTPExchange

/// The 24 bytes at the start of a pcap file.
struct PcapHeader {
  var isBig = false
  /// Nanoseconds that one unit of a time's fraction stands for.
  var unit: Int64 = 1000
  var minorVersion: UInt16 = 4
  /// Captured bytes beyond which a packet's length is not believed.
  private(set) var limit = CaptureLimits.usualPacketLength
  var link = LinkLayer.other(0)
  /// Bytes before each packet: 16, or 24 in the modified variants.
  var recordHeader = 16
  private var isModified = false

  /// A header of no file.
  init() {}

  /// Reads the header at `position`; `nil` when it is none.
  ///
  /// - Standard: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-05.html>
  init?(_ bytes: ByteView, at position: Int) {
    guard bytes.count >= position + 24 else { return nil }
    switch bytes.big32(position) {
    case 0xA1B2_C3D4: isBig = true
    case 0xD4C3_B2A1: break
    // Nanoseconds; the second is Navtel's number for the same.
    case 0xA1B2_3C4D, 0xA12B_3C4D: (isBig, unit) = (true, 1)
    case 0x4D3C_B2A1, 0x4D3C_2BA1: unit = 1
    // Kuznetzov's and Mesquita's variants, with more before each packet.
    case 0xA1B2_CD34, 0xA1B2_34CD: (isBig, isModified) = (true, true)
    case 0x34CD_B2A1, 0xCD34_B2A1: isModified = true
    default: return nil
    }
    guard bytes.word16(position + 4, isBig: isBig) == 2 else { return nil }
    minorVersion = bytes.word16(position + 6, isBig: isBig)
    guard minorVersion <= 4 else { return nil }
    let snapshotLength = Int(bytes.word32(position + 16, isBig: isBig))
    limit = max(CaptureLimits.usualPacketLength, min(snapshotLength, CaptureLimits.packetLength))
    // The high bits of the word may tell the length of a frame check sequence.
    link = LinkLayer(linkType: bytes.word32(position + 20, isBig: isBig) & 0x03FF_FFFF)
  }

  /// The two numbers that eight bytes of a record's header are.
  @inline(__always)
  func halves(of word: UInt64) -> (UInt32, UInt32) {
    let word = UInt64(littleEndian: word)
    let first = UInt32(truncatingIfNeeded: word)
    let second = UInt32(truncatingIfNeeded: word >> 32)
    return isBig ? (first.byteSwapped, second.byteSwapped) : (first, second)
  }

  /// Bytes before each packet; for a modified file the length that its first packets fit.
  func recordHeaderLength(_ bytes: ByteView, at position: Int) -> Int {
    guard isModified else { return 16 }
    var header = self
    header.recordHeader = 24
    if header.isPlausible(bytes, position, near: nil, chain: 2) { return 24 }
    header.recordHeader = 16
    return header.isPlausible(bytes, position, near: nil, chain: 2) ? 16 : 24
  }

  /// Whether the bytes at `position` look like `chain` packets in a row, as far as they are there.
  func isPlausible(
    _ bytes: ByteView, _ position: Int, near time: Int64?, chain: Int
  ) -> Bool {
    var position = position
    var seconds = time.map { $0 / 1_000_000_000 }
    for _ in 0..<chain {
      guard position + recordHeader <= bytes.count else { return true }
      let stamp = Int64(bytes.word32(position, isBig: isBig))
      let fraction = Int64(bytes.word32(position + 4, isBig: isBig))
      let captured = Int(bytes.word32(position + 8, isBig: isBig))
      let wire = Int(bytes.word32(position + 12, isBig: isBig))
      guard fraction < 1_000_000_000 / unit, captured > 0, captured <= limit, wire >= captured,
        wire <= CaptureLimits.packetLength
      else { return false }
      if let last = seconds, abs(stamp - last) > CaptureLimits.resynchronisationSpan {
        return false
      }
      seconds = stamp
      position += recordHeader + captured
    }
    return true
  }
}

extension CaptureFile {
  /// Reads the packet at `position` of a pcap file whose records are of the usual form, if it is whole and
  /// nothing is out of the ordinary.
  ///
  /// - Returns: whether it did; else ``step(_:_:)`` says what is there.
  @inline(__always)
  mutating func plainPacket(_ buffer: ByteView, _ position: inout Int) -> Bool {
    guard format == .pcap, pcap.recordHeader == 16, pcap.minorVersion > 3, pendingSkip == 0,
      lostAt == nil, buffer.count &- position >= 16
    else { return false }
    // The 16 bytes are there.
    let lengths = unsafe pcap.halves(of: buffer.uncheckedWord(position &+ 8))
    let captured = Int(lengths.0)
    guard captured > 0, captured <= pcap.limit, buffer.count &- position &- 16 >= captured
    else { return false }
    take(buffer, &position, captured: captured, wire: Int(lengths.1))
    return true
  }

  /// Takes the packet whose record begins at `position`, and is all there.
  @inline(__always)
  private mutating func take(
    _ buffer: ByteView, _ position: inout Int, captured: Int, wire: Int
  ) {
    // A record header has 16 bytes at least.
    let (seconds, fraction) = unsafe pcap.halves(of: buffer.uncheckedWord(position))
    let start = position &+ pcap.recordHeader
    position = start &+ captured
    number &+= 1
    packet.bytes = buffer.part(start, position)
    packet.wire = max(wire, captured)
    // 32 bits of each: at most 4.3e18 + 4.3e12, which fits.
    packet.time = Int64(seconds) &* 1_000_000_000 &+ Int64(fraction) &* pcap.unit
    packet.link = pcap.link
    packet.resolution = Int32(pcap.unit)
    lastTime = packet.time
  }

  /// Reads one packet of a pcap file.
  ///
  /// ```
  /// seconds(32)  fraction(32)  captured length(32)  original length(32)  [modified: 64]  bytes
  /// ```
  mutating func pcapStep(_ buffer: ByteView, _ position: inout Int) -> Step {
    let header = pcap.recordHeader
    guard buffer.count &- position >= header else { return .needsMore }
    var captured = Int(buffer.word32(position + 8, isBig: pcap.isBig))
    var wire = Int(buffer.word32(position + 12, isBig: pcap.isBig))
    // Old versions wrote the two lengths in the other order; those of 2.3 both ways.
    if pcap.minorVersion < 3 || (pcap.minorVersion == 3 && captured > wire) {
      swap(&captured, &wire)
    }
    // A joined file's time zone, where the captured length is looked for, is 0.
    if captured == 0 || captured > pcap.limit {
      if captured == 0, position + 24 > buffer.count { return .needsMore }
      if beginFile(buffer, &position) { return .nothing }
      if captured > pcap.limit {
        lose(position, "the length of a packet (\(captured)) is not possible")
        return .nothing
      }
    }
    guard buffer.count &- position &- header >= captured else { return .needsMore }
    take(buffer, &position, captured: captured, wire: wire)
    return .packet
  }
}
