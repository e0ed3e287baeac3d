internal import Bytes

extension PacketDecoder {
  /// An IP packet of either version.
  mutating func ip(_ packet: ByteView, _ wire: Int, _ depth: Int) -> PacketFate {
    guard packet.count >= 20 else { return .skipped(.cutHeader) }
    switch packet[0] >> 4 {
    case 4: return ipv4(packet, wire, depth)
    case 6: return ipv6(packet, wire, depth)
    default: return .skipped(.malformed)
    }
  }

  /// Takes apart what nearly every frame is: Ethernet, IPv4 without options and whole, TCP.
  ///
  /// - Returns: whether it is one, and ``segment`` holds what the way through all layers would give;
  ///   any other frame has to go that way.
  @inline(__always)
  mutating func plainSegment(_ frame: ByteView) -> Bool {
    guard frame.count >= 54 else { return false }
    // All that is looked at stands in the first 54 bytes.
    let types = unsafe UInt64(littleEndian: frame.uncheckedWord(12))
    let next = unsafe frame.unchecked(23)
    // EtherType 0x0800, version 4 and 20 bytes of header.
    guard types & 0xFF_FFFF == 0x45_0008, next == 6, frame.big16(20) & 0x3FFF == 0 else {
      return false
    }
    let total = Int(frame.big16(16))
    let header = unsafe Int(frame.unchecked(46) >> 4) &* 4
    let start = 34 &+ header
    let end = min(14 &+ total, frame.count)
    guard header >= 20, start <= end else { return false }
    segment.source = Address(ipv4: frame.big32(26))
    segment.destination = Address(ipv4: frame.big32(30))
    segment.sourcePort = frame.big16(34)
    segment.destinationPort = frame.big16(36)
    segment.sequence = frame.big32(38)
    segment.acknowledgment = frame.big32(42)
    segment.flags = unsafe frame.unchecked(47)
    segment.payload = frame.part(start, end)
    segment.missing = 14 &+ total &- end
    return true
  }

  private mutating func ipv4(
    _ packet: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    let header = Int(packet[0] & 15) * 4
    guard header >= 20 else { return .skipped(.malformed) }
    guard packet.count >= header else { return .skipped(.cutHeader) }
    var total = Int(packet.big16(2))
    // 0 is written by segmentation offload, for packets longer than the field can say.
    if total == 0 { total = max(wire, packet.count) }
    guard total >= header else { return .skipped(.malformed) }
    let source = Address(ipv4: packet.big32(12))
    let destination = Address(ipv4: packet.big32(16))
    let fragment = packet.big16(6)
    // What stands behind the packet's own length is padding of the frame.
    var payload = packet.part(header, min(total, packet.count))
    var length = total - header
    if fragment & 0x3FFF != 0 {
      guard payload.count == length else { return .skipped(.fragment) }
      let key = Fragments.Key(
        source: source, destination: destination, identification: UInt32(packet.big16(4)),
        next: packet[9])
      guard
        let whole = reassembled(
          key, offset: Int(fragment & 0x1FFF) * 8, isLast: fragment & 0x2000 == 0, payload)
      else { return .skipped(.fragment) }
      payload = whole
      length = whole.count
    }
    return transport(packet[9], payload, length, source, destination, depth)
  }

  private mutating func ipv6(
    _ packet: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard packet.count >= 40 else { return .skipped(.cutHeader) }
    var length = Int(packet.big16(4))
    // 0 is a jumbogram: its length stands in an option, and is that of the frame.
    if length == 0 { length = max(wire, packet.count) - 40 }
    let source = Address(ipv6: packet, at: 8)
    let destination = Address(ipv6: packet, at: 24)
    var payload = packet.part(40, min(40 + length, packet.count))
    var next = packet[6]
    for _ in 0...CaptureLimits.extensionHeaders {
      let headerLength: Int
      switch next {
      case 0, 43, 60, 135, 139, 140:
        guard payload.count >= 8 else { return .skipped(.cutHeader) }
        headerLength = Int(payload[1]) * 8 + 8
      case 51:
        guard payload.count >= 8 else { return .skipped(.cutHeader) }
        headerLength = Int(payload[1]) * 4 + 8
      case 44:
        guard payload.count >= 8 else { return .skipped(.cutHeader) }
        let field = payload.big16(2)
        let key = Fragments.Key(
          source: source, destination: destination, identification: payload.big32(4),
          next: payload[0])
        let isWhole = payload.count == length
        next = payload[0]
        payload = payload.from(8)
        length -= 8
        if field & 0xFFF9 == 0 { continue }
        guard isWhole,
          let whole = reassembled(
            key, offset: Int(field & 0xFFF8), isLast: field & 1 == 0, payload)
        else { return .skipped(.fragment) }
        payload = whole
        length = whole.count
        continue
      default:
        return transport(next, payload, length, source, destination, depth)
      }
      guard payload.count >= headerLength else { return .skipped(.cutHeader) }
      next = payload[0]
      payload = payload.from(headerLength)
      length -= headerLength
    }
    return .skipped(.nesting)
  }

  /// What an IP packet carries.
  ///
  /// - Parameter length: bytes of the payload by the packet's own header, captured or not.
  private mutating func transport(
    _ next: UInt8, _ payload: ByteView, _ length: Int, _ source: Address,
    _ destination: Address, _ depth: Int
  ) -> PacketFate {
    switch next {
    case 6:
      return tcp(payload, length, source, destination)
    case 17:
      return udp(payload, length, source, destination, depth)
    case 4, 41:
      guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
      isInTunnel = true
      return ip(payload, length, depth + 1)
    case 47:
      guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
      isInTunnel = true
      return gre(payload, length, depth + 1)
    case 1, 58:
      return .skipped(.icmp)
    case 50, 51:
      return .skipped(.encrypted)
    default:
      return .ipProtocol(next)
    }
  }

  private mutating func tcp(
    _ bytes: ByteView, _ length: Int, _ source: Address, _ destination: Address
  ) -> PacketFate {
    guard bytes.count >= 20 else { return .skipped(.cutHeader) }
    let header = Int(bytes[12] >> 4) * 4
    guard header >= 20, header <= length else { return .skipped(.malformed) }
    segment.source = source
    segment.destination = destination
    segment.sourcePort = bytes.big16(0)
    segment.destinationPort = bytes.big16(2)
    segment.sequence = bytes.big32(4)
    segment.acknowledgment = bytes.big32(8)
    segment.flags = bytes[13]
    segment.payload = bytes.from(min(header, bytes.count))
    segment.missing = length - header - segment.payload.count
    return .segment
  }
}
