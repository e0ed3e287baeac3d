/// Builds packet captures byte by byte, for tests.
public struct CaptureBuilder: Sendable {
  /// How frames begin.
  public enum Link: UInt32, CaseIterable, Sendable {
    case null = 0
    case ethernet = 1
    case ppp = 9
    case raw12 = 12
    case raw14 = 14
    case raw = 101
    case pppoe = 51
    case ciscoHDLC = 104
    case loop = 108
    case enc = 109
    case linuxCooked = 113
    case ipv4 = 228
    case ipv6 = 229
    case nflog = 239
    case linuxCooked2 = 276
  }

  /// A frame as it was captured.
  public struct Packet: Sendable {
    /// The bytes that were captured.
    public var frame: [UInt8]
    /// Nanoseconds since the epoch.
    public var time: Int64
    /// Bytes on the wire; more than `frame` holds when the snapshot length cut it.
    public var wire: Int
    /// The interface that a pcapng file names.
    public var interface = 0
  }

  /// How frames begin.
  public var link: Link
  /// The packets so far.
  public private(set) var packets: [Packet] = []
  /// The time of the next packet.
  public var time: Int64 = 1_700_000_000_000_000_000
  /// Nanoseconds between two packets.
  public var step: Int64 = 1_000_000
  /// Bytes of a frame that are captured.
  public var snapshotLength = 262_144
  /// Put in front of each IP packet, behind the link header's addresses: VLAN tags, for example.
  public var wrap: (@Sendable ([UInt8]) -> [UInt8])?

  /// A capture without packets.
  public init(link: Link = .ethernet) {
    self.link = link
  }

  /// Adds one IP packet in a frame.
  public mutating func add(_ packet: [UInt8]) {
    addFrame(wrap?(packet) ?? Self.frame(link, packet))
  }

  /// Adds IP packets in order.
  public mutating func add(_ packets: [[UInt8]]) {
    for packet in packets { add(packet) }
  }

  /// Adds a frame as it is.
  public mutating func addFrame(_ frame: [UInt8], interface: Int = 0) {
    packets.append(
      Packet(
        frame: Array(frame.prefix(snapshotLength)), time: time, wire: frame.count,
        interface: interface))
    time += step
  }

  /// An IP packet behind the header of a link layer.
  public static func frame(_ link: Link, _ packet: [UInt8]) -> [UInt8] {
    let isV6 = packet.first.map { $0 >> 4 == 6 } ?? false
    let type: [UInt8] = isV6 ? [0x86, 0xDD] : [0x08, 0x00]
    switch link {
    case .null: return [isV6 ? 30 : 2, 0, 0, 0] + packet
    case .loop: return [0, 0, 0, isV6 ? 24 : 2] + packet
    case .ethernet: return ethernet(type, packet)
    case .ppp: return [0xFF, 0x03, 0x00, isV6 ? 0x57 : 0x21] + packet
    case .pppoe:
      return [0x11, 0, 0, 1] + big16(packet.count + 2) + [0, isV6 ? 0x57 : 0x21] + packet
    case .raw, .raw12, .raw14, .ipv4, .ipv6: return packet
    case .ciscoHDLC: return [0x0F, 0] + type + packet
    case .enc: return [UInt8](repeating: 0, count: 12) + packet
    case .linuxCooked: return [UInt8](repeating: 0, count: 14) + type + packet
    case .linuxCooked2: return type + [UInt8](repeating: 0, count: 18) + packet
    case .nflog:
      // A mark of four bytes, then the packet; lengths in the byte order of a little-endian writer.
      let length = packet.count + 4
      return [2, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 0]
        + [UInt8(length & 255), UInt8(length >> 8), 9, 0] + packet
    }
  }

  /// An Ethernet frame of that type.
  public static func ethernet(_ type: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + type + payload
  }

  /// 16 bits in network order.
  public static func big16(_ value: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }

  /// 32 bits in network order.
  public static func big32(_ value: UInt32) -> [UInt8] {
    big16(Int(value >> 16)) + big16(Int(value & 0xFFFF))
  }

  // MARK: Files

  /// The variants of pcap: the magic number, and what it says.
  public enum Variant: UInt32, CaseIterable, Sendable {
    case microseconds = 0xA1B2_C3D4
    case nanoseconds = 0xA1B2_3C4D
    case modified = 0xA1B2_CD34
    case mesquita = 0xA1B2_34CD
    case navtel = 0xA12B_3C4D

    var isNanoseconds: Bool { self == .nanoseconds || self == .navtel }
    var isModified: Bool { self == .modified || self == .mesquita }
  }

  /// The capture as a pcap file.
  public func pcap(_ variant: Variant = .microseconds, isBig: Bool = false) -> [UInt8] {
    var file = Words(isBig: isBig)
    file.put32(variant.rawValue)
    file.put16(2)
    file.put16(4)
    file.put32(0)
    file.put32(0)
    file.put32(UInt32(snapshotLength))
    file.put32(link.rawValue)
    for packet in packets {
      file.put32(UInt32(truncatingIfNeeded: packet.time / 1_000_000_000))
      let fraction = packet.time % 1_000_000_000
      file.put32(UInt32(variant.isNanoseconds ? fraction : fraction / 1000))
      file.put32(UInt32(packet.frame.count))
      file.put32(UInt32(packet.wire))
      if variant.isModified { file.bytes += [1, 0, 0, 0, 8, 0, 0, 0] }
      file.bytes += packet.frame
    }
    return file.bytes
  }

  /// An interface of a pcapng file.
  public struct Interface: Sendable {
    /// How frames begin.
    public var link: Link
    /// `if_tsresol`; `nil` leaves the option out, which means microseconds.
    public var resolution: UInt8?
    /// `if_tsoffset` in seconds.
    public var offset: Int64?

    /// An interface of that kind.
    public init(_ link: Link, resolution: UInt8? = nil, offset: Int64? = nil) {
      self.link = link
      self.resolution = resolution
      self.offset = offset
    }

    var unitsPerSecond: UInt64 {
      guard let resolution else { return 1_000_000 }
      if resolution & 0x80 != 0 { return 1 << UInt64(resolution & 0x7F) }
      return (0..<resolution).reduce(1) { units, _ in units * 10 }
    }
  }

  /// The block types that hold a packet.
  public enum PacketBlock: Sendable, CaseIterable {
    case enhanced, simple, old
  }

  /// The capture as one section of a pcapng file.
  public func pcapng(
    _ interfaces: [Interface]? = nil, block: PacketBlock = .enhanced, isBig: Bool = false,
    options: [UInt8] = []
  ) -> [UInt8] {
    let interfaces = interfaces ?? [Interface(link)]
    var file = Words(isBig: isBig)
    file.block(0x0A0D_0D0A) { body in
      body.put32(0x1A2B_3C4D)
      body.put16(1)
      body.put16(0)
      body.put32(.max)
      body.put32(.max)
    }
    for interface in interfaces {
      file.block(1) { body in
        body.put16(UInt16(truncatingIfNeeded: interface.link.rawValue))
        body.put16(0)
        body.put32(UInt32(snapshotLength))
        if let resolution = interface.resolution {
          body.put16(9)
          body.put16(1)
          body.bytes += [resolution, 0, 0, 0]
        }
        if let offset = interface.offset {
          body.put16(14)
          body.put16(8)
          body.put64(UInt64(bitPattern: offset))
        }
        if interface.resolution != nil || interface.offset != nil { body.put32(0) }
      }
    }
    for packet in packets {
      let interface = interfaces[packet.interface]
      let time = packet.time - (interface.offset ?? 0) * 1_000_000_000
      let units = interface.unitsPerSecond
      let stamp =
        UInt64(time / 1_000_000_000) * units
        + UInt64(1_000_000_000).dividingFullWidth(
          units.multipliedFullWidth(by: UInt64(time % 1_000_000_000))
        ).quotient
      switch block {
      case .enhanced:
        file.block(6) { body in
          body.put32(UInt32(packet.interface))
          body.put32(UInt32(stamp >> 32))
          body.put32(UInt32(truncatingIfNeeded: stamp))
          body.put32(UInt32(packet.frame.count))
          body.put32(UInt32(packet.wire))
          body.putPadded(packet.frame)
          body.bytes += options
        }
      case .old:
        file.block(2) { body in
          body.put16(UInt16(packet.interface))
          body.put16(0xFFFF)
          body.put32(UInt32(stamp >> 32))
          body.put32(UInt32(truncatingIfNeeded: stamp))
          body.put32(UInt32(packet.frame.count))
          body.put32(UInt32(packet.wire))
          body.putPadded(packet.frame)
        }
      case .simple:
        file.block(3) { body in
          body.put32(UInt32(packet.wire))
          body.putPadded(packet.frame)
        }
      }
    }
    return file.bytes
  }

  /// Words in one byte order.
  public struct Words {
    /// The words so far.
    public var bytes: [UInt8] = []
    var isBig: Bool

    /// No words yet.
    public init(isBig: Bool) {
      self.isBig = isBig
    }

    /// Adds 16 bits.
    public mutating func put16(_ value: UInt16) {
      let word = CaptureBuilder.big16(Int(value))
      bytes += isBig ? word : word.reversed()
    }

    /// Adds 32 bits.
    public mutating func put32(_ value: UInt32) {
      let word = CaptureBuilder.big32(value)
      bytes += isBig ? word : word.reversed()
    }

    /// Adds 64 bits.
    public mutating func put64(_ value: UInt64) {
      let word =
        CaptureBuilder.big32(UInt32(value >> 32))
        + CaptureBuilder.big32(UInt32(truncatingIfNeeded: value))
      bytes += isBig ? word : word.reversed()
    }

    mutating func putPadded(_ content: [UInt8]) {
      bytes += content + [UInt8](repeating: 0, count: (4 - content.count % 4) % 4)
    }

    /// Adds a block of that type, with its length before and behind.
    public mutating func block(_ type: UInt32, _ write: (inout Words) -> Void) {
      var body = Words(isBig: isBig)
      write(&body)
      put32(type)
      put32(UInt32(body.bytes.count + 12))
      bytes += body.bytes
      put32(UInt32(body.bytes.count + 12))
    }
  }
}
