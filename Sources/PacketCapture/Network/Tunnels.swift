internal import Bytes

extension PacketDecoder {
  /// A UDP datagram: a tunnel that is known by its port, or nothing of interest.
  mutating func udp(
    _ bytes: ByteView, _ length: Int, _ source: Address, _ destination: Address,
    _ depth: Int
  ) -> PacketFate {
    guard bytes.count >= 8 else { return .skipped(.cutHeader) }
    let payload = bytes.from(8)
    let wire = length - 8
    switch (bytes.big16(0), bytes.big16(2)) {
    case (_, 4789), (_, 8472):
      // VXLAN: flags (8 = the network number is valid), number, Ethernet.
      guard payload.count >= 8, payload[0] & 0x08 != 0 else { return .skipped(.udp) }
      return tunnelled(payload, 8, wire, depth)
    case (_, 4790):
      return genericVXLAN(payload, wire, depth)
    case (_, 6081):
      // Geneve: version and length of the options in words, flags, protocol, number.
      guard payload.count >= 8, payload[0] >> 6 == 0 else { return .skipped(.udp) }
      let header = 8 + Int(payload[0] & 0x3F) * 4
      guard payload.count >= header else { return .skipped(.cutHeader) }
      guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
      isInTunnel = true
      return etherType(payload.big16(2), payload.from(header), wire - header, depth + 1)
    case (2152, _), (_, 2152):
      return gtp(payload, wire, depth)
    case (3544, _), (_, 3544):
      return teredo(payload, wire, depth)
    case (1701, _), (_, 1701):
      return l2tp(payload, wire, depth)
    case (443, _), (_, 443):
      segment.source = source
      segment.destination = destination
      segment.sourcePort = bytes.big16(0)
      segment.destinationPort = bytes.big16(2)
      return .skipped(.quic)
    default:
      return .skipped(.udp)
    }
  }

  private mutating func tunnelled(
    _ payload: ByteView, _ header: Int, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
    isInTunnel = true
    return ethernet(payload.from(header), wire - header, depth + 1)
  }

  /// VXLAN-GPE: as VXLAN, with the number of the next protocol in the fourth byte.
  private mutating func genericVXLAN(
    _ payload: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard payload.count >= 8 else { return .skipped(.udp) }
    guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
    switch payload[3] {
    case 1, 2:
      isInTunnel = true
      return ip(payload.from(8), wire - 8, depth + 1)
    case 3:
      return tunnelled(payload, 8, wire, depth)
    default:
      return .skipped(.udp)
    }
  }

  /// GTP-U: version 1, type 255 is a user's packet.
  private mutating func gtp(
    _ payload: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard payload.count >= 8, payload[0] >> 5 == 1, payload[0] & 0x10 != 0, payload[1] == 255
    else { return .skipped(.udp) }
    var offset = 8
    if payload[0] & 7 != 0 {
      offset = 12
      guard payload.count >= 12 else { return .skipped(.cutHeader) }
      var next = payload[0] & 4 != 0 ? payload[11] : 0
      while next != 0 {
        guard payload.count > offset else { return .skipped(.cutHeader) }
        let length = Int(payload[offset]) * 4
        guard length > 0 else { return .skipped(.malformed) }
        guard payload.count >= offset + length else { return .skipped(.cutHeader) }
        next = payload[offset + length - 1]
        offset += length
      }
    }
    guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
    isInTunnel = true
    return ip(payload.from(offset), wire - offset, depth + 1)
  }

  /// L2TP version 2: flags (length, sequence, offset present), tunnel and session, then PPP.
  private mutating func l2tp(
    _ payload: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard payload.count >= 6 else { return .skipped(.udp) }
    let flags = payload.big16(0)
    // The high bit marks a control message.
    guard flags & 0x8000 == 0, flags & 0x000F == 2, depth < CaptureLimits.nesting else {
      return .skipped(.udp)
    }
    var offset = 6 + (flags & 0x4000 != 0 ? 2 : 0) + (flags & 0x0800 != 0 ? 4 : 0)
    if flags & 0x0200 != 0 {
      guard payload.count >= offset + 2 else { return .skipped(.cutHeader) }
      offset += 2 + Int(payload.big16(offset))
    }
    guard payload.count >= offset + 2 else { return .skipped(.cutHeader) }
    if payload[offset] == 0xFF, payload[offset + 1] == 3 { offset += 2 }
    isInTunnel = true
    return ppp(payload.from(offset), wire - offset, depth + 1)
  }

  /// Teredo: IPv6, behind an authentication value and an origin where they are sent.
  private mutating func teredo(
    _ payload: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    var offset = 0
    if payload.count >= 4, payload.big16(0) == 1 {
      offset = 13 + Int(payload[2]) + Int(payload[3])
    }
    if payload.count >= offset + 8, payload.big16(offset) == 0 { offset += 8 }
    guard payload.count >= offset + 40, payload[offset] >> 4 == 6,
      depth < CaptureLimits.nesting
    else { return .skipped(.udp) }
    isInTunnel = true
    return ip(payload.from(offset), wire - offset, depth + 1)
  }

  /// Generic routing encapsulation, and the mirror sessions (ERSPAN) that it carries.
  ///
  /// ```
  /// C R K S s  recursion(3)  flags(5)  version(3)  protocol(16)  [checksum, offset] [key] [sequence]
  /// ```
  mutating func gre(
    _ bytes: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard bytes.count >= 4 else { return .skipped(.cutHeader) }
    let flags = bytes[0]
    let version = bytes[1] & 7
    var offset = 4
    if flags & 0x80 != 0 || flags & 0x40 != 0 { offset += 4 }
    if flags & 0x20 != 0 { offset += 4 }
    let hasSequence = flags & 0x10 != 0
    if hasSequence { offset += 4 }
    if version == 1, bytes[1] & 0x80 != 0 { offset += 4 }
    guard bytes.count > offset else { return .skipped(.cutHeader) }
    let rest = bytes.from(offset)
    switch bytes.big16(2) {
    case 0x88BE:
      // Type I has no header of its own, and no sequence number in GRE.
      let header = hasSequence ? 8 : 0
      guard rest.count >= header else { return .skipped(.cutHeader) }
      return ethernet(rest.from(header), wire - offset - header, depth)
    case 0x22EB:
      guard rest.count >= 12 else { return .skipped(.cutHeader) }
      let header = rest[11] & 1 != 0 ? 20 : 12
      guard rest.count >= header else { return .skipped(.cutHeader) }
      return ethernet(rest.from(header), wire - offset - header, depth)
    case 0x880B:
      guard rest.count >= 2 else { return .skipped(.cutHeader) }
      let skipped = rest[0] == 0xFF && rest[1] == 3 ? 2 : 0
      return ppp(rest.from(skipped), wire - offset - skipped, depth)
    case let type:
      return etherType(type, rest, wire - offset, depth)
    }
  }
}
