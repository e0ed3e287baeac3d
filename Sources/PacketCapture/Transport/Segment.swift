internal import Bytes

/// A TCP segment as one packet showed it.
struct Segment {
  static let fin: UInt8 = 0x01
  static let syn: UInt8 = 0x02
  static let rst: UInt8 = 0x04
  static let ack: UInt8 = 0x10

  var source = Address()
  var destination = Address()
  var sourcePort: UInt16 = 0
  var destinationPort: UInt16 = 0
  var sequence: UInt32 = 0
  var acknowledgment: UInt32 = 0
  var flags: UInt8 = 0
  /// The payload as far as it was captured.
  var payload = ByteView()
  /// Bytes of payload that the packet carried behind `payload` and the capture left out.
  var missing = 0
}

/// Where and when something was seen.
struct Mark {
  /// Nanoseconds since the epoch.
  var time: Int64 = 0
  /// The number of the packet, from 1.
  var number: UInt64 = 0
  /// What the sender of the packet had received from the other side.
  var acknowledgment: UInt32 = 0
  /// Nanoseconds of the clock's step, at most a second.
  var resolution: Int32 = 1000
}

/// Why a packet carried nothing for an exchange.
enum Skip: UInt8, CaseIterable {
  case malformed
  case cutHeader
  case arp
  case icmp
  case udp
  case quic
  case encrypted
  case fragment
  case nesting
  case noPayload
  case retransmission
  case tls
  case otherTCP
  case afterClose
  case notIP
  case unknownInterface
  case tooLong

  /// The kind under which it is counted in the source record.
  var name: String {
    switch self {
    case .malformed: "malformed"
    case .cutHeader: "headers-cut"
    case .arp: "arp"
    case .icmp: "icmp"
    case .udp: "udp"
    case .quic: "quic"
    case .encrypted: "ipsec"
    case .fragment: "ip-fragment"
    case .nesting: "nested-too-deeply"
    case .noPayload: "tcp-no-payload"
    case .retransmission: "tcp-retransmission"
    case .tls: "tls"
    case .otherTCP: "tcp-other"
    case .afterClose: "tcp-after-close"
    case .notIP: "not-ip"
    case .unknownInterface: "unknown-interface"
    case .tooLong: "packet-too-long"
    }
  }
}

/// What became of a packet.
enum PacketFate: Hashable {
  /// It holds a TCP segment.
  case segment
  /// It carried something for an exchange.
  case used
  case skipped(Skip)
  /// Skipped for the protocol that it carries.
  case etherType(UInt16)
  case ipProtocol(UInt8)
  case linkType(UInt32)

  /// The kind under which it is counted in the source record.
  var name: String {
    switch self {
    case .segment, .used: "used"
    case .skipped(let skip): skip.name
    case .etherType(let type): "ethertype 0x" + Self.hexadecimal(type)
    case .ipProtocol(let number): "ip protocol \(number)"
    case .linkType(let type): "link type \(type)"
    }
  }

  private static func hexadecimal(_ value: UInt16) -> String {
    String(repeating: "0", count: value < 16 ? 3 : value < 256 ? 2 : value < 4096 ? 1 : 0)
      + String(value, radix: 16)
  }
}
