internal import Bytes

/// Takes frames apart down to the TCP segment, through tags and tunnels.
///
/// What a frame's headers claim is never believed beyond the bytes that were captured; `wire` is
/// the length that the rest of the frame had when it was sent.
struct PacketDecoder {
  /// The segment that ``decode(_:_:wire:at:)`` found last.
  var segment = Segment()
  private(set) var fragments = Fragments()
  /// Packets that came in a tunnel.
  private(set) var tunnelled: UInt64 = 0
  var isInTunnel = false
  var time: Int64 = 0

  /// Decodes one frame.
  ///
  /// - Returns: `.segment` when ``segment`` now holds one; it points into the frame, or into the
  ///   buffer of a reassembled datagram, until the next call.
  mutating func decode(
    _ link: LinkLayer, _ frame: ByteView, wire: Int, at time: Int64
  ) -> PacketFate {
    self.time = time
    isInTunnel = false
    if link == .ethernet, plainSegment(frame) { return .segment }
    let fate = decodeLink(link, frame, wire)
    if isInTunnel { tunnelled &+= 1 }
    return fate
  }

  private mutating func decodeLink(
    _ link: LinkLayer, _ frame: ByteView, _ wire: Int
  ) -> PacketFate {
    switch link {
    case .ethernet:
      return ethernet(frame, wire, 0)
    case .raw, .ipv4, .ipv6:
      return ip(frame, wire, 0)
    case .null, .loop:
      guard frame.count >= 4 else { return .skipped(.cutHeader) }
      // NULL is in the byte order of the writer, and some writers of LOOP are wrong.
      let family = frame.big32(0)
      let number = family > 0xFFFF ? family.byteSwapped : family
      switch number {
      case 2, 10, 23, 24, 28, 30: return ip(frame.from(4), wire - 4, 0)
      default: return .skipped(.notIP)
      }
    case .linuxCooked:
      guard frame.count >= 16 else { return .skipped(.cutHeader) }
      return etherType(frame.big16(14), frame.from(16), wire - 16, 0)
    case .linuxCooked2:
      guard frame.count >= 20 else { return .skipped(.cutHeader) }
      return etherType(frame.big16(0), frame.from(20), wire - 20, 0)
    case .ppp:
      guard frame.count >= 2 else { return .skipped(.cutHeader) }
      let hasAddress = frame[0] == 0xFF && frame[1] == 0x03
      return ppp(hasAddress ? frame.from(2) : frame, hasAddress ? wire - 2 : wire, 0)
    case .pppoe:
      return pppoe(frame, wire, 0)
    case .ciscoHDLC:
      guard frame.count >= 4 else { return .skipped(.cutHeader) }
      return etherType(frame.big16(2), frame.from(4), wire - 4, 0)
    case .nflog:
      return nflog(frame, wire)
    case .enc:
      guard frame.count >= 12 else { return .skipped(.cutHeader) }
      return ip(frame.from(12), wire - 12, 0)
    case .other(let type):
      return .linkType(type)
    }
  }

  /// An Ethernet frame, the outermost one or one in a tunnel.
  mutating func ethernet(
    _ frame: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard frame.count >= 14 else { return .skipped(.cutHeader) }
    return etherType(frame.big16(12), frame.from(14), wire - 14, depth)
  }

  /// What stands behind an EtherType or an 802.3 length.
  mutating func etherType(
    _ type: UInt16, _ rest: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    var type = type
    var rest = rest
    var wire = wire
    for _ in 0...CaptureLimits.tags {
      switch type {
      case 0x0800, 0x86DD:
        return ip(rest, wire, depth)
      case 0x8100, 0x88A8, 0x9100, 0x9200:
        guard rest.count >= 4 else { return .skipped(.cutHeader) }
        type = rest.big16(2)
        rest = rest.from(4)
        wire -= 4
      case 0x8847, 0x8848:
        return mpls(rest, wire, depth)
      case 0x8864:
        return pppoe(rest, wire, depth)
      case 0x6558:
        guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
        return ethernet(rest, wire, depth + 1)
      case 0x0806, 0x8035:
        return .skipped(.arp)
      case 0...1500, 4:
        // 802.3: LLC, with a SNAP header if it carries an EtherType.
        guard rest.count >= 8 else { return .skipped(.notIP) }
        if rest[0] == 0x06, rest[1] == 0x06 { return ip(rest.from(3), wire - 3, depth) }
        guard rest[0] == 0xAA, rest[1] == 0xAA, rest[2] == 3, rest.big16(6) > 1500 else {
          return .skipped(.notIP)
        }
        type = rest.big16(6)
        rest = rest.from(8)
        wire -= 8
      default:
        return .etherType(type)
      }
    }
    return .skipped(.nesting)
  }

  private mutating func mpls(
    _ labels: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    var offset = 0
    for _ in 0..<CaptureLimits.tags {
      guard labels.count >= offset + 5 else { return .skipped(.cutHeader) }
      let isBottom = labels[offset + 2] & 1 == 1
      offset += 4
      guard isBottom else { continue }
      let rest = labels.from(offset)
      switch rest[0] >> 4 {
      case 4, 6:
        return ip(rest, wire - offset, depth)
      default:
        // A pseudowire: Ethernet, behind a control word that begins with a zero nibble.
        guard depth < CaptureLimits.nesting else { return .skipped(.nesting) }
        let skipped = rest.count >= 4 && rest.big32(0) == 0 ? 4 : 0
        return ethernet(rest.from(skipped), wire - offset - skipped, depth + 1)
      }
    }
    return .skipped(.nesting)
  }

  private mutating func pppoe(
    _ header: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard header.count >= 8 else { return .skipped(.cutHeader) }
    guard header[1] == 0 else { return .skipped(.notIP) }
    return ppp(header.from(6), wire - 6, depth)
  }

  /// A PPP frame behind its address and control bytes.
  mutating func ppp(
    _ frame: ByteView, _ wire: Int, _ depth: Int
  ) -> PacketFate {
    guard frame.count >= 2 else { return .skipped(.cutHeader) }
    // An odd first byte is a compressed protocol number of one byte.
    let isShort = frame[0] & 1 == 1
    let number = isShort ? UInt16(frame[0]) : frame.big16(0)
    let length = isShort ? 1 : 2
    switch number {
    case 0x0021, 0x0057: return ip(frame.from(length), wire - length, depth)
    default: return .skipped(.notIP)
    }
  }

  /// Netfilter's log: a list of values, of which number 9 is the packet.
  private mutating func nflog(_ frame: ByteView, _ wire: Int) -> PacketFate {
    var offset = 4
    while offset + 4 <= frame.count {
      // Lengths and types are in the writer's byte order; types are below 256.
      let isBig = frame[offset + 3] != 0
      let length = Int(frame.word16(offset, isBig: isBig))
      guard length >= 4 else { return .skipped(.malformed) }
      if frame.word16(offset + 2, isBig: isBig) == 9 {
        let end = min(offset + length, frame.count)
        return ip(frame.part(offset + 4, end), length - 4, 0)
      }
      offset += (length + 3) & ~3
    }
    return .skipped(.notIP)
  }

  /// A datagram that all fragments are here of; it replaces `payload` of the last one.
  mutating func reassembled(
    _ fragment: Fragments.Key, offset: Int, isLast: Bool, _ payload: ByteView
  ) -> ByteView? {
    fragments.add(fragment, offset: offset, isLast: isLast, payload, at: time)
  }
}
