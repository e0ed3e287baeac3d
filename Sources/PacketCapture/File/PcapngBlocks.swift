internal import Bytes
internal import HTTPExchange

/// The current section of a pcapng file.
struct PcapngSection {
  var isBig = false
  var interfaces: [CaptureInterface] = []

  /// Whether the bytes at `position` look like `chain` blocks in a row, as far as they are there.
  func isPlausible(_ bytes: ByteView, _ position: Int, chain: Int) -> Bool {
    var position = position
    for _ in 0..<chain {
      guard position + 12 <= bytes.count else { return true }
      let type = bytes.word32(position, isBig: isBig)
      let length = Int(bytes.word32(position + 4, isBig: isBig))
      guard (1...10).contains(type) || type & 0x7FFF_FFFF == 0xBAD || type == 0x0A0D_0D0A,
        length >= 12, length % 4 == 0, length <= CaptureLimits.blockLength
      else { return false }
      guard position + length <= bytes.count else {
        return isPlausiblePacket(bytes, position, length)
      }
      position += length
      guard bytes.word32(position - 4, isBig: isBig) == UInt32(length) else { return false }
    }
    return true
  }
}

extension PcapngSection {
  /// Whether a block whose end is not in sight looks like an enhanced packet block.
  private func isPlausiblePacket(
    _ bytes: ByteView, _ position: Int, _ length: Int
  ) -> Bool {
    guard position + 28 <= bytes.count, bytes.word32(position, isBig: isBig) == 6 else {
      return false
    }
    let captured = Int(bytes.word32(position + 20, isBig: isBig))
    return bytes.word32(position + 8, isBig: isBig) < UInt32(interfaces.count)
      && captured > 0 && captured + 32 <= length && length <= captured + 32 + 4096
  }
}

/// One interface of a pcapng section: how its frames begin, and how its clock counts.
struct CaptureInterface {
  var link = LinkLayer.other(0)
  var snapshotLength = 0
  /// Units of a time stamp in one second.
  var unitsPerSecond: UInt64 = 1_000_000
  /// Seconds to add to every time.
  var offset: Int64 = 0
  /// Packets that the interface's own counter says were dropped.
  var dropped: UInt64 = 0

  /// Nanoseconds of the clock's step.
  var resolution: Int32 {
    Int32(max(1, 1_000_000_000 / unitsPerSecond))
  }

  /// The instant of a time stamp in nanoseconds since the epoch; saturates.
  @inline(__always)
  func time(_ stamp: UInt64) -> Int64 {
    let (seconds, rest) = stamp.quotientAndRemainder(dividingBy: unitsPerSecond)
    let fraction: UInt64
    if unitsPerSecond == 1_000_000 {
      fraction = rest * 1000
    } else {
      // The remainder is below the divisor, so the quotient is below 10^9.
      let product = rest.multipliedFullWidth(by: 1_000_000_000)
      fraction = unitsPerSecond.dividingFullWidth(product).quotient
    }
    let whole = Int64(clamping: seconds).addingReportingOverflow(offset)
    return EventTime(
      seconds: whole.overflow ? (offset < 0 ? .min : .max) : whole.partialValue,
      nanoseconds: Int64(fraction)
    ).nanoseconds
  }

  /// Reads `if_tsresol`: a power of ten, or of two if the high bit is set.
  mutating func setResolution(_ value: UInt8) {
    let exponent = Int(value & 0x7F)
    if value & 0x80 != 0 {
      unitsPerSecond = 1 << UInt64(min(exponent, 63))
    } else {
      var units: UInt64 = 1
      for _ in 0..<min(exponent, 19) { units *= 10 }
      unitsPerSecond = units
    }
  }
}

extension CaptureFile {
  /// Reads one block of a pcapng file.
  ///
  /// ```
  /// type(32)  length(32)  body  length(32)
  /// ```
  ///
  /// - Standard: <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>
  mutating func pcapngStep(_ buffer: ByteView, _ position: inout Int) -> Step {
    guard position + 12 <= buffer.count else { return .needsMore }
    if buffer.big32(position) == 0x0A0D_0D0A {
      switch buffer.big32(position + 8) {
      case 0x1A2B_3C4D: beginSection(isBig: true)
      case 0x4D3C_2B1A: beginSection(isBig: false)
      default:
        lose(position, "a section header has no byte-order magic")
        return .nothing
      }
    }
    let type = buffer.word32(position, isBig: section.isBig)
    let length = Int(buffer.word32(position + 4, isBig: section.isBig))
    guard length >= 12, length <= CaptureLimits.blockLength else {
      // A section header with such a length is the beginning of no other file.
      if !Self.isSection(buffer, at: position) {
        if position + 24 > buffer.count { return .needsMore }
        if beginFile(buffer, &position) { return .nothing }
      }
      lose(position, "the length of a block (\(length)) is not possible")
      return .nothing
    }
    // Writers that forget the padding exist; readers round up.
    let padded = (length + 3) & ~3
    let isNeeded: Bool
    switch type {
    case 1, 5, 0x0A0D_0D0A: isNeeded = length <= CaptureLimits.headLength
    case 2, 3, 6: isNeeded = length <= CaptureLimits.packetLength + 4096
    case 10: isNeeded = true
    default:
      isNeeded = false
      // A joined pcap file, whose magic number looks like a block type.
      if type & 0x7FFF_FFFF != 0xBAD, !(3...10).contains(type) {
        if position + 24 > buffer.count, length >= 24 { return .needsMore }
        if beginFile(buffer, &position) { return .nothing }
      }
    }
    guard isNeeded else {
      return passOver(type, padded, buffer, &position)
    }
    guard position + padded <= buffer.count else { return .needsMore }
    let block = buffer.part(position, position + length)
    let offset = bufferOffset + UInt64(position)
    guard block.word32(length & ~3 - 4, isBig: section.isBig) == UInt32(length) || length % 4 != 0
    else {
      // A wrong length behind the block is forgiven when the next block stands where it should.
      if position + padded + 12 <= buffer.count,
        section.isPlausible(buffer, position + padded, chain: 1)
      {
        addDamage(
          SourceRecord.Damage(
            offset: offset, number: number + 1, what: "the two lengths of a block differ"))
        position += padded
        return read(type, block, at: offset)
      }
      lose(position, "the two lengths of a block differ")
      return .nothing
    }
    position += padded
    return read(type, block, at: offset)
  }

  private mutating func beginSection(isBig: Bool) {
    endSection()
    section = PcapngSection(isBig: isBig)
  }

  /// Adds the counters of the section that ends.
  mutating func endSection() {
    for interface in section.interfaces { dropped &+= interface.dropped }
    section.interfaces.removeAll()
  }

  private mutating func passOver(
    _ type: UInt32, _ length: Int, _ buffer: ByteView, _ position: inout Int
  ) -> Step {
    let skipped = min(length, buffer.count - position)
    pendingSkip = length - skipped
    position += skipped
    switch type {
    case 2, 3, 6:
      number += 1
      return .skipped(.tooLong)
    default: break
    }
    return .nothing
  }

  /// - Parameter offset: where the block begins in the input.
  private mutating func read(_ type: UInt32, _ block: ByteView, at offset: UInt64) -> Step {
    switch type {
    case 1: return interfaceDescription(block, at: offset)
    case 2: return oldPacket(block)
    case 3: return simplePacket(block)
    case 5: return interfaceStatistics(block)
    case 6: return enhancedPacket(block)
    case 10: return decryptionSecrets(block)
    default: return .nothing
    }
  }

  /// Type 10: secrets type (`TLSK` is a key log), length, secrets.
  private mutating func decryptionSecrets(_ block: ByteView) -> Step {
    secrets += 1
    guard block.count >= 20, block.word32(8, isBig: section.isBig) == 0x544C_534B else {
      return .nothing
    }
    let length = Int(block.word32(12, isBig: section.isBig))
    return .keyLog(block.part(16, 16 + min(length, block.count - 20)))
  }

  /// Calls `body` with code and value of each option that is whole.
  private func options(
    _ block: ByteView, from start: Int,
    _ body: (_ code: UInt16, _ value: ByteView) -> Void
  ) {
    var offset = start
    let end = block.count - 4
    while offset + 4 <= end {
      let code = block.word16(offset, isBig: section.isBig)
      let length = Int(block.word16(offset + 2, isBig: section.isBig))
      guard code != 0, offset + 4 + length <= end else { return }
      body(code, block.part(offset + 4, offset + 4 + length))
      offset += 4 + (length + 3) & ~3
    }
  }

  private mutating func interfaceDescription(_ block: ByteView, at offset: UInt64) -> Step {
    guard block.count >= 20, section.interfaces.count < CaptureLimits.interfaces else {
      addDamage(
        SourceRecord.Damage(
          offset: offset, number: number + 1,
          what: block.count < 20
            ? "an interface description is too short"
            : "a section has more than \(CaptureLimits.interfaces) interfaces"))
      return .nothing
    }
    let isBig = section.isBig
    var interface = CaptureInterface()
    interface.link = LinkLayer(linkType: UInt32(block.word16(8, isBig: isBig)))
    interface.snapshotLength = Int(block.word32(12, isBig: isBig))
    options(block, from: 16) { code, value in
      if code == 9, value.count >= 1 { interface.setResolution(value[0]) }
      if code == 14, value.count >= 8 {
        interface.offset = Int64(bitPattern: value.word64(0, isBig: isBig))
      }
    }
    section.interfaces.append(interface)
    return .nothing
  }

  private mutating func interfaceStatistics(_ block: ByteView) -> Step {
    guard block.count >= 24 else { return .nothing }
    let isBig = section.isBig
    let index = Int(block.word32(8, isBig: isBig))
    guard index < section.interfaces.count else { return .nothing }
    var dropped: UInt64 = 0
    options(block, from: 20) { code, value in
      // isb_ifdrop and isb_osdrop, each since the beginning of the capture.
      if code == 5 || code == 7, value.count >= 8 { dropped &+= value.word64(0, isBig: isBig) }
    }
    section.interfaces[index].dropped = dropped
    return .nothing
  }

  /// Makes `bytes` the next packet.
  @inline(__always)
  private mutating func deliver(
    _ block: ByteView, _ start: Int, _ captured: Int, _ wire: Int, _ interface: Int,
    _ stamp: UInt64
  ) -> Step {
    number += 1
    guard interface < section.interfaces.count else { return .skipped(.unknownInterface) }
    // A claim beyond the block is cut to what is there, as if the snapshot length had done it.
    let available = block.count - 4 - start
    guard available >= 0 else { return .skipped(.malformed) }
    packet.bytes = block.part(start, start + min(captured, available))
    packet.wire = max(wire, packet.bytes.count)
    packet.time = section.interfaces[interface].time(stamp)
    packet.link = section.interfaces[interface].link
    packet.resolution = section.interfaces[interface].resolution
    lastTime = packet.time
    return .packet
  }

  /// Type 6: interface, time, captured length, original length, bytes, options.
  private mutating func enhancedPacket(_ block: ByteView) -> Step {
    let isBig = section.isBig
    guard block.count >= 32 else {
      number += 1
      return .skipped(.malformed)
    }
    let captured = Int(block.word32(20, isBig: isBig))
    let step = deliver(
      block, 28, captured, Int(block.word32(24, isBig: isBig)), Int(block.word32(8, isBig: isBig)),
      UInt64(block.word32(12, isBig: isBig)) << 32 | UInt64(block.word32(16, isBig: isBig)))
    let end = 28 + (captured + 3) & ~3
    if end + 8 <= block.count {
      var drops: UInt64 = 0
      options(block, from: end) { code, value in
        if code == 4, value.count >= 8 { drops = value.word64(0, isBig: isBig) }
      }
      dropped &+= drops
    }
    return step
  }

  /// Type 2, of older writers: interface and drops in 16 bits each, then as type 6.
  private mutating func oldPacket(_ block: ByteView) -> Step {
    let isBig = section.isBig
    guard block.count >= 32 else {
      number += 1
      return .skipped(.malformed)
    }
    let drops = block.word16(10, isBig: isBig)
    if drops != 0xFFFF { dropped &+= UInt64(drops) }
    return deliver(
      block, 28, Int(block.word32(20, isBig: isBig)), Int(block.word32(24, isBig: isBig)),
      Int(block.word16(8, isBig: isBig)),
      UInt64(block.word32(12, isBig: isBig)) << 32 | UInt64(block.word32(16, isBig: isBig)))
  }

  /// Type 3: the original length and the bytes, of the first interface and without a time.
  private mutating func simplePacket(_ block: ByteView) -> Step {
    guard block.count >= 16 else {
      number += 1
      return .skipped(.malformed)
    }
    let wire = Int(block.word32(8, isBig: section.isBig))
    var captured = min(wire, block.count - 16)
    if let limit = section.interfaces.first?.snapshotLength, limit > 0 {
      captured = min(captured, limit)
    }
    let before = lastTime
    let step = deliver(block, 12, captured, wire, 0, 0)
    // It happened at or after what was captured before it.
    packet.time = before ?? 0
    lastTime = before
    untimed += 1
    return step
  }
}
