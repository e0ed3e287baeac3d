internal import Bytes
internal import HTTPExchange

/// A packet as the file holds it; its bytes are those of the buffer that was read.
struct CapturedPacket {
  var bytes = ByteView()
  /// Bytes of the frame on the wire.
  var wire = 0
  /// Nanoseconds since the epoch.
  var time: Int64 = 0
  var link = LinkLayer.other(0)
  /// Nanoseconds of the clock's step.
  var resolution: Int32 = 1000
}

/// Reads the packets of a pcap or pcapng file out of buffers.
///
/// Files that were joined are read on: a file header may stand wherever a packet could.
struct CaptureFile {
  /// What ``step(_:_:)`` did.
  enum Step {
    /// `packet` holds the next packet.
    case packet
    /// A packet that cannot be decoded was passed over, and is counted.
    case skipped(Skip)
    /// The secrets of TLS connections, as a key log.
    case keyLog(ByteView)
    /// Something else was passed over.
    case nothing
    /// The buffer ends before the next record does.
    case needsMore
  }

  /// Which of the two formats the bytes are in.
  enum Format {
    case undecided
    case pcap
    case pcapng
  }

  /// The packet that was found last.
  var packet = CapturedPacket()
  var format = Format.undecided
  var pcap = PcapHeader()
  var section = PcapngSection()
  /// Bytes behind the end of the buffer that belong to a record nobody needs.
  var pendingSkip = 0
  /// The position in the buffer at which records stopped making sense, relative to the input.
  var lostAt: UInt64?
  /// The offset in the input of the buffer's first byte.
  var bufferOffset: UInt64 = 0
  /// The number of the last packet.
  var number: UInt64 = 0
  /// The time of the last packet, which later ones are expected to be near.
  var lastTime: Int64?
  var damages: [SourceRecord.Damage] = []
  var damageCount: UInt64 = 0
  /// Packets that the capturing system says it dropped.
  var dropped: UInt64 = 0
  var joinedFiles: UInt64 = 0
  var secrets: UInt64 = 0
  var untimed: UInt64 = 0
  /// Bytes that were passed over in search of the next record.
  var lostBytes: UInt64 = 0

  /// Whether the first bytes of an input are those of a capture file.
  static func recognizes(_ head: ByteView) -> Bool {
    PcapHeader(head, at: 0) != nil || isSection(head, at: 0)
  }

  static func isSection(_ bytes: ByteView, at position: Int) -> Bool {
    guard bytes.count >= position + 12, bytes.big32(position) == 0x0A0D_0D0A else { return false }
    let magic = bytes.big32(position + 8)
    return magic == 0x1A2B_3C4D || magic == 0x4D3C_2B1A
  }

  /// Reads one record at `position`, and moves that behind it.
  mutating func step(_ buffer: ByteView, _ position: inout Int) -> Step {
    if pendingSkip > 0 {
      let skipped = min(pendingSkip, buffer.count - position)
      pendingSkip -= skipped
      position += skipped
      if pendingSkip > 0 { return .needsMore }
    }
    if lostAt != nil, !resynchronise(buffer, &position) { return .needsMore }
    switch format {
    case .pcap: return pcapStep(buffer, &position)
    case .pcapng: return pcapngStep(buffer, &position)
    case .undecided:
      if beginFile(buffer, &position) { return .nothing }
      lose(position, "the file is neither pcap nor pcapng")
      return .nothing
    }
  }

  /// Takes the bytes at `position` for the beginning of a file, if they are one.
  mutating func beginFile(_ buffer: ByteView, _ position: inout Int) -> Bool {
    if let header = PcapHeader(buffer, at: position) {
      if format != .undecided { joinedFiles += 1 }
      format = .pcap
      pcap = header
      pcap.recordHeader = header.recordHeaderLength(buffer, at: position + 24)
      position += 24
      return true
    }
    if Self.isSection(buffer, at: position) {
      if format == .pcap { joinedFiles += 1 }
      format = .pcapng
      return true
    }
    return false
  }

  /// Notes that the record at `position` makes no sense; the next ones are searched for.
  mutating func lose(_ position: Int, _ what: String) {
    let offset = bufferOffset + UInt64(position)
    lostAt = offset
    addDamage(SourceRecord.Damage(offset: offset, number: number + 1, what: what))
  }

  mutating func addDamage(_ damage: SourceRecord.Damage) {
    damageCount += 1
    if damages.count < SourceRecord.maximumDamages { damages.append(damage) }
  }

  /// Searches for the next place where records make sense.
  ///
  /// - Returns: whether one was found; `position` is then there, else at the first byte that has
  ///   to be looked at again with more bytes behind it.
  private mutating func resynchronise(
    _ buffer: ByteView, _ position: inout Int
  ) -> Bool {
    let start = position
    if let lostAt, bufferOffset + UInt64(position) == lostAt, position < buffer.count {
      position += 1
    }
    // 64 bytes are enough to judge any kind of header.
    while position + 64 <= buffer.count {
      if isFileStart(buffer, position) || isPlausible(buffer, position) {
        lostAt = nil
        lostBytes += UInt64(position - start)
        return true
      }
      position += 1
    }
    lostBytes += UInt64(position - start)
    return false
  }

  private func isFileStart(_ buffer: ByteView, _ position: Int) -> Bool {
    let first = buffer[position]
    // The first bytes of all magic numbers.
    guard
      first == 0xA1 || first == 0xD4 || first == 0x4D || first == 0x34 || first == 0xCD
        || first == 0x0A
    else { return false }
    return PcapHeader(buffer, at: position) != nil || Self.isSection(buffer, at: position)
  }

  private func isPlausible(_ buffer: ByteView, _ position: Int) -> Bool {
    switch format {
    case .undecided: false
    case .pcap: pcap.isPlausible(buffer, position, near: lastTime, chain: 3)
    case .pcapng: section.isPlausible(buffer, position, chain: 2)
    }
  }

  /// Says what is wrong with bytes that are left when the input ends.
  mutating func finish(_ left: Int, end: UInt64) {
    if lostAt != nil {
      lostBytes += UInt64(left)
    } else if pendingSkip > 0 || left > 0 {
      addDamage(
        SourceRecord.Damage(
          offset: end - UInt64(left), number: number + 1,
          what: format == .pcapng
            ? "the file ends inside a block" : "the file ends inside a packet"))
    }
  }
}
