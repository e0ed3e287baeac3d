import TestSupport

@testable import PacketCapture

/// Captures, packets and segments to begin with.
enum CaptureSeeds {
  /// The numbers of all link layers that are known, and one that is not.
  static let links: [UInt32] = CaptureBuilder.Link.allCases.map(\.rawValue) + [50, 147]

  static let request =
    "OPTIONS /v1 HTTP/1.1\r\nHost: api.example\r\nOrigin: https://app.example\r\n"
    + "Access-Control-Request-Method: PUT\r\n\r\n"
  static let response =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n\r\nok"

  private static func builder(_ link: CaptureBuilder.Link) -> CaptureBuilder {
    var builder = CaptureBuilder(link: link)
    var talk = Conversation()
    builder.add(talk.open())
    builder.add(talk.send(.client, request))
    builder.add(talk.send(.server, response))
    builder.add(talk.close())
    return builder
  }

  /// Small files of every variant.
  static func files() throws -> [[UInt8]] {
    var files = CaptureBuilder.Variant.allCases.flatMap { variant in
      [false, true].map { builder(.ethernet).pcap(variant, isBig: $0) }
    }
    files += CaptureBuilder.PacketBlock.allCases.flatMap { block in
      [false, true].map { builder(.raw).pcapng(block: block, isBig: $0) }
    }
    files += CaptureBuilder.Link.allCases.map { builder($0).pcap() }
    // The snapshot length cuts the second half of each frame.
    var snapped = CaptureBuilder(link: .ethernet)
    snapped.snapshotLength = 100
    var talk = Conversation()
    snapped.add(talk.open())
    snapped.add(talk.send(.client, request))
    files.append(snapped.pcap())
    // Two files in a row.
    files.append(builder(.ethernet).pcap() + builder(.raw).pcapng())
    return files
  }

  /// Frames as the target `packet` reads them: link layer, then length, frame, and two parameters.
  static func packets() throws -> [[UInt8]] {
    func input(_ link: CaptureBuilder.Link, _ frames: [[UInt8]]) -> [UInt8] {
      let index = links.firstIndex(of: link.rawValue) ?? 0
      return [UInt8(index)] + frames.flatMap { word($0.count) + $0 + [0, 1] }
    }
    let whole = CaptureBuilder.Link.allCases.map { link in
      input(link, builder(link).packets.map(\.frame))
    }
    let packet = Conversation().packet(.client, Array(request.utf8))
    func wrapped(_ type: [UInt8], _ header: [UInt8]) -> [UInt8] {
      input(.ethernet, [CaptureBuilder.ethernet(type, header + packet)])
    }
    let source: [UInt8] = [192, 0, 2, 1]
    let other: [UInt8] = [198, 51, 100, 7]
    func inIP(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
      input(.raw, [Conversation.ip(source, other, protocol: number, payload)])
    }
    func inUDP(_ port: Int, _ payload: [UInt8]) -> [UInt8] {
      input(.raw, [Conversation.udp(source, other, ports: (40000, port), payload)])
    }
    var first = packet
    first[6] = 0x20
    first[3] = 60
    var second = Array(packet[..<20] + packet[60...])
    second[7] = 5
    second[3] = UInt8(second.count)
    let frame = CaptureBuilder.ethernet([8, 0], packet)
    return whole + [
      wrapped([0x81, 0], [0, 5, 8, 0]), wrapped([0x88, 0xA8], [0, 5, 0x81, 0, 0, 6, 8, 0]),
      wrapped([0x88, 0x47], [0, 1, 0x01, 64]),
      wrapped([0x88, 0x64], [0x11, 0, 0, 1, 0, 99, 0, 0x21]),
      inIP(4, packet), inIP(47, [0, 0, 8, 0] + packet), inIP(47, [0, 0, 0x65, 0x58] + frame),
      inIP(47, [0x10, 0, 0x88, 0xBE, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0] + frame),
      inUDP(4789, [8, 0, 0, 0, 0, 0, 7, 0] + frame),
      inUDP(6081, [0, 0, 0x65, 0x58, 0, 0, 7, 0] + frame),
      inUDP(2152, [0x30, 0xFF, 0, UInt8(packet.count & 255), 0, 0, 0, 1] + packet),
      inUDP(443, [0xC0, 0, 0, 0, 1, 8] + [UInt8](repeating: 1, count: 30)),
      input(.raw, [Array(first[..<60]), second]),
    ]
  }

  /// Segments as the target `tcp` reads them.
  static func segments() throws -> [[UInt8]] {
    func segment(_ side: Int, _ text: String, kind: Int = 0, shift: Int? = nil) -> [UInt8] {
      let payload = Array(text.utf8.prefix(255))
      return [UInt8(0x40 | kind << 2 | side | (shift == nil ? 0 : 0x20)), 1]
        + (shift.map { [UInt8(truncatingIfNeeded: $0)] } ?? []) + [UInt8(payload.count)] + payload
    }
    let open = segment(0, "", kind: 1) + segment(1, "", kind: 1)
    let close = segment(0, "", kind: 2) + segment(1, "", kind: 2)
    let chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    return [
      open + segment(0, request) + segment(1, response) + close,
      open + segment(0, request + request) + segment(1, response) + segment(1, chunked) + close,
      open + segment(0, request) + segment(1, response, shift: 9)
        + segment(1, response, shift: -60),
      segment(0, request) + segment(1, response) + segment(0, "", kind: 3),
      open + segment(0, String(request.prefix(40))) + segment(0, String(request.dropFirst(40)))
        + segment(1, "HTTP/1.1 101 x\r\n\r\n", kind: 4) + close,
    ]
  }
}
