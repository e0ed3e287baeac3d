/// Makes the IP packets of one TCP connection, for tests.
public struct Conversation {
  /// One end of the connection.
  public enum Side: Sendable {
    case client, server
  }

  /// The sender has no more to say.
  public static let fin: UInt8 = 0x01
  /// The first segment of each side.
  public static let syn: UInt8 = 0x02
  /// The sender knows no such connection.
  public static let rst: UInt8 = 0x04
  /// Set on segments with data.
  public static let push: UInt8 = 0x08
  /// The acknowledgment counts.
  public static let ack: UInt8 = 0x10

  /// Addresses of 4 or 16 bytes.
  public var client: [UInt8]
  /// The address of the server.
  public var server: [UInt8]
  /// The port of the client.
  public var clientPort: Int
  /// The port of the server.
  public var serverPort: Int
  /// The sequence number of each side's next byte.
  public var clientNext: UInt32
  /// The same of the server.
  public var serverNext: UInt32

  /// A connection between those ends, each of whose numbers begin with its initial one.
  public init(
    client: [UInt8] = [192, 0, 2, 1], server: [UInt8] = [198, 51, 100, 7], clientPort: Int = 40001,
    serverPort: Int = 8080, clientInitial: UInt32 = 1000, serverInitial: UInt32 = 5000
  ) {
    self.client = client
    self.server = server
    self.clientPort = clientPort
    self.serverPort = serverPort
    clientNext = clientInitial
    serverNext = serverInitial
  }

  /// The three packets that open the connection.
  public mutating func open() -> [[UInt8]] {
    let syn = packet(.client, [], flags: Self.syn, acknowledges: false)
    clientNext &+= 1
    let answer = packet(.server, [], flags: Self.syn | Self.ack)
    serverNext &+= 1
    return [syn, answer, packet(.client, [], flags: Self.ack)]
  }

  /// The packets that close the connection in both directions.
  public mutating func close(by side: Side = .client) -> [[UInt8]] {
    let other: Side = side == .client ? .server : .client
    var packets: [[UInt8]] = []
    for end in [side, other] {
      packets.append(packet(end, [], flags: Self.fin | Self.ack))
      advance(end, 1)
    }
    return packets + [packet(side, [], flags: Self.ack)]
  }

  /// One segment of text, the next in order.
  public mutating func send(_ side: Side, _ text: String) -> [UInt8] {
    send(side, Array(text.utf8))
  }

  /// One segment of bytes, the next in order.
  public mutating func send(_ side: Side, _ bytes: [UInt8]) -> [UInt8] {
    let result = packet(side, bytes)
    advance(side, bytes.count)
    return result
  }

  /// The bytes in segments of `size` each.
  public mutating func send(_ side: Side, _ text: String, inPiecesOf size: Int) -> [[UInt8]] {
    let bytes = Array(text.utf8)
    return stride(from: 0, to: bytes.count, by: size).map { start in
      send(side, Array(bytes[start..<min(start + size, bytes.count)]))
    }
  }

  /// Moves a side's sequence number on, as if bytes had been sent that nobody saw.
  public mutating func advance(_ side: Side, _ count: Int) {
    if side == .client {
      clientNext &+= UInt32(count)
    } else {
      serverNext &+= UInt32(count)
    }
  }

  /// An acknowledgment of everything sent so far.
  public func acknowledge(_ side: Side) -> [UInt8] {
    packet(side, [], flags: Self.ack)
  }

  /// Any segment, with sequence numbers as they are or as given.
  public func packet(
    _ side: Side, _ payload: [UInt8], flags: UInt8 = push | ack, sequence: UInt32? = nil,
    acknowledges: Bool = true
  ) -> [UInt8] {
    let isClient = side == .client
    var segment = CaptureBuilder.big16(isClient ? clientPort : serverPort)
    segment += CaptureBuilder.big16(isClient ? serverPort : clientPort)
    segment += CaptureBuilder.big32(sequence ?? (isClient ? clientNext : serverNext))
    segment += CaptureBuilder.big32(acknowledges ? (isClient ? serverNext : clientNext) : 0)
    segment += [0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0] + payload
    return Self.ip(
      isClient ? client : server, isClient ? server : client, protocol: 6, segment)
  }

  /// An IPv4 or IPv6 packet, as the length of the addresses says.
  public static func ip(
    _ source: [UInt8], _ destination: [UInt8], protocol number: UInt8, _ payload: [UInt8]
  ) -> [UInt8] {
    if source.count == 4 {
      return [0x45, 0] + CaptureBuilder.big16(payload.count + 20) + [0, 1, 0, 0, 64, number, 0, 0]
        + source + destination + payload
    }
    return [0x60, 0, 0, 0] + CaptureBuilder.big16(payload.count) + [number, 64] + source
      + destination + payload
  }

  /// A UDP datagram in an IP packet.
  public static func udp(
    _ source: [UInt8], _ destination: [UInt8], ports: (Int, Int), _ payload: [UInt8]
  ) -> [UInt8] {
    ip(
      source, destination, protocol: 17,
      CaptureBuilder.big16(ports.0) + CaptureBuilder.big16(ports.1)
        + CaptureBuilder.big16(payload.count + 8) + [0, 0] + payload)
  }
}
