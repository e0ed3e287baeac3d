/// How the frames of an interface begin.
///
/// A new one is added here, in `PacketDecoder.decode`, and with a sample in the tests.
enum LinkLayer: Hashable {
  case ethernet
  case null
  case loop
  case raw
  case ipv4
  case ipv6
  case linuxCooked
  case linuxCooked2
  case ppp
  case pppoe
  case ciscoHDLC
  case nflog
  case enc
  case other(UInt32)

  /// The link layer with that number in a capture file.
  ///
  /// - Standard: <https://www.tcpdump.org/linktypes.html>
  init(linkType: UInt32) {
    switch linkType {
    case 0: self = .null
    case 1: self = .ethernet
    case 9, 50: self = .ppp
    // 12 and 14 are RAW under the local numbers of two systems, written by mistake.
    case 12, 14, 101: self = .raw
    case 51: self = .pppoe
    case 104: self = .ciscoHDLC
    case 108: self = .loop
    case 109: self = .enc
    case 113: self = .linuxCooked
    case 228: self = .ipv4
    case 229: self = .ipv6
    case 239: self = .nflog
    case 276: self = .linuxCooked2
    default: self = .other(linkType)
    }
  }

  /// What reports call it.
  var name: String {
    switch self {
    case .ethernet: "ethernet"
    case .null: "null"
    case .loop: "loop"
    case .raw: "raw-ip"
    case .ipv4: "raw-ipv4"
    case .ipv6: "raw-ipv6"
    case .linuxCooked: "linux-sll"
    case .linuxCooked2: "linux-sll2"
    case .ppp: "ppp"
    case .pppoe: "pppoe"
    case .ciscoHDLC: "c-hdlc"
    case .nflog: "nflog"
    case .enc: "enc"
    case .other(let type): "link type \(type)"
    }
  }
}
