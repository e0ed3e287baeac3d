internal import Bytes
internal import HTTPExchange

/// Takes the packets of a capture file one after another to their connections, and counts what
/// becomes of each.
///
/// One value, so that exclusive access to it is settled once for a buffer and not for each packet.
struct PacketIntake {
  var file = CaptureFile()
  private(set) var decoder = PacketDecoder()
  /// Packets that were good for something.
  private(set) var used: UInt64 = 0
  private var skips = [UInt64](repeating: 0, count: Skip.allCases.count)
  /// Packets that were passed over for reasons with numbers of their own.
  private(set) var named: [PacketFate: UInt64] = [:]
  /// The link layers, in the order of their first packets.
  private(set) var links: [LinkLayer] = []
  private var lastLink: LinkLayer?
  private(set) var firstTime = Int64.max
  private(set) var lastTime = Int64.min
  private var previousTime = Int64.min
  /// Packets that are older than the one before.
  private(set) var backwards: UInt64 = 0
  /// How far times have gone backwards at most, which the watermark stays behind.
  private(set) var disorder: Int64 = 0
  private var quicFlows: Set<FlowKeyHash> = []

  /// Two ends of a QUIC flow, mixed.
  private typealias FlowKeyHash = UInt64

  /// Connections over QUIC.
  var quicCount: Int { quicFlows.count }

  /// Packets that were passed over for that reason.
  func skipped(_ skip: Skip) -> UInt64 { skips[Int(skip.rawValue)] }

  /// Takes in the whole records of a buffer, whose first byte has that offset in the input.
  ///
  /// - Returns: bytes at the end of the buffer that belong to a record which goes on behind it.
  mutating func read(
    _ buffer: ByteView, at offset: UInt64, into connections: Connections
  ) -> Int {
    var position = 0
    file.bufferOffset = offset
    while true {
      if file.plainPacket(buffer, &position) {
        packet(connections)
        continue
      }
      switch file.step(buffer, &position) {
      case .packet: packet(connections)
      case .skipped(let skip): skips[Int(skip.rawValue)] &+= 1
      case .keyLog(let text): connections.keys.own.add(text: text)
      case .nothing: continue
      case .needsMore: return buffer.count - position
      }
    }
  }

  @inline(__always)
  private mutating func packet(_ connections: Connections) {
    let packet = file.packet
    if packet.time < previousTime { goBack(to: packet.time) }
    previousTime = packet.time
    if packet.time < firstTime { firstTime = packet.time }
    if packet.time > lastTime { lastTime = packet.time }
    if packet.link != lastLink { see(packet.link) }
    var fate = decoder.decode(
      packet.link, packet.bytes, wire: min(packet.wire, 4 * CaptureLimits.packetLength),
      at: packet.time)
    if case .segment = fate {
      let mark = Mark(
        time: packet.time, number: file.number,
        acknowledgment: decoder.segment.flags & Segment.ack != 0
          ? decoder.segment.acknowledgment : 0,
        resolution: packet.resolution)
      fate = connections.receive(decoder.segment, mark)
    }
    switch fate {
    case .used, .segment: used &+= 1
    case .skipped(let skip):
      skips[Int(skip.rawValue)] &+= 1
      if skip == .quic { seeQUIC() }
    default: name(fate)
    }
  }

  private mutating func goBack(to time: Int64) {
    backwards &+= 1
    let (distance, overflow) = lastTime.subtractingReportingOverflow(time)
    disorder = max(disorder, overflow ? .max : distance)
  }

  private mutating func see(_ link: LinkLayer) {
    lastLink = link
    if links.count < CaptureLimits.tags, !links.contains(link) { links.append(link) }
  }

  private mutating func seeQUIC() {
    guard quicFlows.count < CaptureLimits.quicFlows else { return }
    quicFlows.insert(FlowKey.of(decoder.segment).key.hash(0))
  }

  private mutating func name(_ fate: PacketFate) {
    // A hostile file may name thousands of protocols.
    let isNamed = named[fate] != nil || named.count < CaptureLimits.namedKinds
    if isNamed { named[fate, default: 0] += 1 } else { skips[Int(Skip.notIP.rawValue)] &+= 1 }
  }
}
