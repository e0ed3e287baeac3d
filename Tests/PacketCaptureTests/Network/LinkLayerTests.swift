import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Link layers and tunnels")
struct LinkLayerTests {
  static let v6: [[UInt8]] = [
    [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
    [0x20, 1, 0x0D, 0xB8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2],
  ]

  @Test("IPv4 is found on every link layer", arguments: CaptureBuilder.Link.allCases)
  func ipv4(link: CaptureBuilder.Link) throws {
    let file = capture(link: link) { builder, talk in
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.send(.server, response(200)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET / 200"])
    #expect(reading.exchanges.first?.client == "192.0.2.1")
    #expect(reading.isBalanced)
  }

  @Test("IPv6 is found on every link layer", arguments: CaptureBuilder.Link.allCases)
  func ipv6(link: CaptureBuilder.Link) throws {
    let file = capture(link: link, Conversation(client: Self.v6[0], server: Self.v6[1])) {
      builder, talk in
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.send(.server, response(200)))
    }
    let reading = try Reading(file.pcap())
    #expect(reading.summaries == ["GET / 200"])
    #expect(reading.exchanges.first?.client == "2001:db8::1")
  }

  @Test("every link layer has a name", arguments: CaptureBuilder.Link.allCases)
  func names(link: CaptureBuilder.Link) {
    #expect(!LinkLayer(linkType: link.rawValue).name.hasPrefix("link type"))
  }

  @Test("a link layer that is not known is counted by its number")
  func unknown() throws {
    var file = capture { _, _ in }.pcap()
    file[20] = 105
    let reading = try Reading(file)
    #expect(reading.record.skipped == ["link type 105": 3])
    #expect(reading.record.format == "link type 105")
    #expect(reading.isBalanced)
  }

  @Test(
    "address families of NULL are those of every system, in both byte orders",
    arguments: [24, 28, 30, 10, 23] as [UInt8], [false, true])
  func families(family: UInt8, isBig: Bool) throws {
    var builder = CaptureBuilder(link: .null)
    builder.wrap = { (isBig ? [0, 0, 0, family] : [family, 0, 0, 0]) + $0 }
    var talk = Conversation(client: Self.v6[0], server: Self.v6[1])
    builder.add(talk.open())
    builder.add(talk.send(.client, request("/")))
    #expect(try Reading(builder.pcap()).summaries == ["GET / unanswered"])
  }

  /// What stands between a frame's addresses and the IP packet.
  struct Wrapping: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var wrap: @Sendable ([UInt8]) -> [UInt8]
  }

  static let ends: ([UInt8], [UInt8]) = ([10, 0, 0, 1], [10, 0, 0, 2])

  static func udpTunnel(_ port: Int, _ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    CaptureBuilder.frame(
      .ethernet, Conversation.udp(ends.0, ends.1, ports: (12345, port), header + payload))
  }

  static func gre(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
    CaptureBuilder.frame(
      .ethernet, Conversation.ip(ends.0, ends.1, protocol: 47, header + payload))
  }

  static func inner(_ packet: [UInt8]) -> [UInt8] { CaptureBuilder.frame(.ethernet, packet) }

  static let wrappings: [Wrapping] = [
    Wrapping(testDescription: "VLAN") {
      CaptureBuilder.ethernet([0x81, 0, 0, 5], [8, 0] + $0)
    },
    Wrapping(testDescription: "QinQ") {
      CaptureBuilder.ethernet([0x88, 0xA8, 0, 5, 0x91, 0, 0, 6, 0x92, 0, 0, 7], [8, 0] + $0)
    },
    Wrapping(testDescription: "802.3 with LLC and SNAP") {
      CaptureBuilder.ethernet(
        CaptureBuilder.big16($0.count + 8), [0xAA, 0xAA, 3, 0, 0, 0, 8, 0] + $0)
    },
    Wrapping(testDescription: "MPLS") {
      CaptureBuilder.ethernet([0x88, 0x47], [0, 1, 0, 64, 0, 2, 1, 64] + $0)
    },
    Wrapping(testDescription: "an Ethernet pseudowire with a control word in MPLS") {
      CaptureBuilder.ethernet([0x88, 0x47], [0, 2, 1, 64, 0, 0, 0, 0] + inner($0))
    },
    Wrapping(testDescription: "PPPoE") {
      CaptureBuilder.ethernet(
        [0x88, 0x64], [0x11, 0, 0, 1] + CaptureBuilder.big16($0.count + 2) + [0, 0x21] + $0)
    },
    Wrapping(testDescription: "VXLAN") { udpTunnel(4789, [8, 0, 0, 0, 0, 0, 1, 0], inner($0)) },
    Wrapping(testDescription: "VXLAN on Linux's port") {
      udpTunnel(8472, [8, 0, 0, 0, 0, 0, 1, 0], inner($0))
    },
    Wrapping(testDescription: "VXLAN-GPE") { udpTunnel(4790, [12, 0, 0, 1, 0, 0, 1, 0], $0) },
    Wrapping(testDescription: "Geneve with an option") {
      udpTunnel(6081, [1, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 4], inner($0))
    },
    Wrapping(testDescription: "Geneve with IP inside") {
      udpTunnel(6081, [0, 0, 8, 0, 0, 0, 1, 0], $0)
    },
    Wrapping(testDescription: "GTP-U") { udpTunnel(2152, [0x30, 255, 0, 0, 0, 0, 0, 1], $0) },
    Wrapping(testDescription: "GTP-U with an extension") {
      udpTunnel(2152, [0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 0, 0], $0)
    },
    Wrapping(testDescription: "L2TP") {
      udpTunnel(1701, [0x40, 2, 0, 0, 0, 1, 0, 2, 0xFF, 3, 0, 0x21], $0)
    },
    Wrapping(testDescription: "GRE") { gre([0, 0, 8, 0], $0) },
    Wrapping(testDescription: "GRE with key, checksum and sequence, Ethernet inside") {
      gre([0xB0, 0, 0x65, 0x58] + [UInt8](repeating: 1, count: 12), inner($0))
    },
    Wrapping(testDescription: "ERSPAN type I") { gre([0, 0, 0x88, 0xBE], inner($0)) },
    Wrapping(testDescription: "ERSPAN type II") {
      gre([0x10, 0, 0x88, 0xBE, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 8), inner($0))
    },
    Wrapping(testDescription: "ERSPAN type III with a subheader") {
      gre(
        [0x10, 0, 0x22, 0xEB, 0, 0, 0, 1] + [UInt8](repeating: 0, count: 11) + [1]
          + [UInt8](repeating: 0, count: 8), inner($0))
    },
    Wrapping(testDescription: "IP in IP") {
      inner(Conversation.ip(ends.0, ends.1, protocol: 4, $0))
    },
    Wrapping(testDescription: "IP in IPv6 behind extension headers") {
      inner(
        Conversation.ip(
          v6[0], v6[1], protocol: 0, [60, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0] + $0))
    },
    Wrapping(testDescription: "padding behind a short packet") {
      inner($0) + [UInt8](repeating: 0x47, count: 30)
    },
    Wrapping(testDescription: "a total length of 0, as segmentation offload writes it") {
      inner(Array($0[..<2]) + [0, 0] + Array($0[4...]))
    },
    Wrapping(testDescription: "IPv4 options") {
      var packet = $0
      packet[0] = 0x46
      packet.replaceSubrange(2..<4, with: CaptureBuilder.big16($0.count + 4))
      packet.insert(contentsOf: [1, 1, 1, 1], at: 20)
      return inner(packet)
    },
  ]

  static func wrapped(_ wrapping: Wrapping) -> CaptureBuilder {
    var builder = CaptureBuilder()
    builder.wrap = wrapping.wrap
    var talk = Conversation()
    builder.add(talk.open())
    for index in 0..<2 {
      builder.add(talk.send(.client, request("/\(index)"), inPiecesOf: 20))
      builder.add(talk.send(.server, response(200, body: 6), inPiecesOf: 30))
    }
    builder.add(talk.close())
    return builder
  }

  @Test("packets in tags and tunnels are found", arguments: wrappings)
  func tunnels(_ wrapping: Wrapping) throws {
    let reading = try Reading(Self.wrapped(wrapping).pcap())
    #expect(reading.summaries == ["GET /0 200", "GET /1 200"])
    #expect(reading.exchanges.first?.client == "192.0.2.1")
    #expect(reading.isBalanced)
  }

  @Test("frames cut at every length are decoded without a crash", arguments: wrappings)
  func cut(_ wrapping: Wrapping) throws {
    let builder = Self.wrapped(wrapping)
    var decoder = PacketDecoder()
    for packet in builder.packets {
      for length in 0...packet.frame.count {
        packet.frame[..<length].withByteView { bytes in
          let fate = decoder.decode(.ethernet, bytes, wire: packet.frame.count, at: 0)
          if fate == .segment {
            #expect(decoder.segment.payload.count + decoder.segment.missing <= packet.frame.count)
          }
        }
      }
    }
  }

  @Test("randomly changed frames are decoded without a crash", arguments: wrappings)
  func changed(_ wrapping: Wrapping) {
    var generator = SeededGenerator(seed: 11)
    var decoder = PacketDecoder()
    let packets = Self.wrapped(wrapping).packets
    for round in 0..<500 {
      var frame = packets[round % packets.count].frame
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        frame[Int.random(in: 0..<min(frame.count, 90), using: &generator)] =
          UInt8.random(in: 0...255, using: &generator)
      }
      for link in CaptureBuilder.Link.allCases {
        frame.withByteView { bytes in
          let layer = LinkLayer(linkType: link.rawValue)
          let fate = decoder.decode(layer, bytes, wire: bytes.count, at: 0)
          if fate == .segment { #expect(decoder.segment.missing >= 0) }
        }
      }
    }
  }

  @Test("tunnels within tunnels end at a bound")
  func nesting() throws {
    var builder = CaptureBuilder()
    builder.wrap = { packet in
      var packet = packet
      for _ in 0..<20 { packet = Conversation.ip(Self.ends.0, Self.ends.1, protocol: 4, packet) }
      return Self.inner(packet)
    }
    var talk = Conversation()
    builder.add(talk.open())
    #expect(try Reading(builder.pcap()).record.skipped == ["nested-too-deeply": 3])
  }

  @Test("IPv4 fragments in any order are put together")
  func fragments() throws {
    for seed in 0..<8 {
      var generator = SeededGenerator(seed: UInt64(seed))
      var builder = CaptureBuilder()
      var talk = Conversation()
      builder.add(talk.open())
      let whole = talk.send(.client, request("/fragmented", "Origin: http://a.example"))
      let payload = Array(whole[20...])
      var pieces: [[UInt8]] = []
      for start in stride(from: 0, to: payload.count, by: 24) {
        let end = min(start + 24, payload.count)
        var header = Array(whole[..<20])
        header.replaceSubrange(2..<4, with: CaptureBuilder.big16(20 + end - start))
        header.replaceSubrange(
          6..<8, with: CaptureBuilder.big16(start / 8 | (end < payload.count ? 0x2000 : 0)))
        pieces.append(header + payload[start..<end])
      }
      builder.add((pieces + [pieces[1]]).shuffled(using: &generator))
      builder.add(talk.send(.server, response(200)))
      let reading = try Reading(builder.pcap())
      #expect(reading.summaries == ["GET /fragmented 200"])
      #expect(reading.record.notes["datagrams-reassembled"] == 1)
      #expect(reading.isBalanced)
    }
  }

  @Test("IPv6 fragments are put together")
  func ipv6Fragments() throws {
    var builder = CaptureBuilder()
    var talk = Conversation(client: Self.v6[0], server: Self.v6[1])
    builder.add(talk.open())
    let payload = Array(talk.send(.client, request("/fragmented"))[40...])
    for (start, end) in [(48, payload.count), (0, 48)] {
      let field = CaptureBuilder.big16(start | (end < payload.count ? 1 : 0))
      builder.add(
        Conversation.ip(
          Self.v6[0], Self.v6[1], protocol: 44,
          [6, 0] + field + [0, 0, 0, 9] + payload[start..<end]))
    }
    #expect(try Reading(builder.pcap()).summaries == ["GET /fragmented unanswered"])
  }

  @Test(
    "IPv6 addresses are written as RFC 5952 says",
    arguments: [
      ([0, 0, 0, 0, 0, 0, 0, 1], "::1"), ([0, 0, 0, 0, 0, 0, 0, 0], "::"),
      ([0x2001, 0xDB8, 0, 0, 1, 0, 0, 1], "2001:db8::1:0:0:1"),
      ([0x2001, 0xDB8, 0, 1, 1, 1, 1, 1], "2001:db8:0:1:1:1:1:1"),
      ([0xFE80, 0, 0, 0, 0, 0, 0, 0], "fe80::"), ([1, 0, 0, 2, 0, 0, 0, 3], "1:0:0:2::3"),
      ([0, 0, 0, 0, 0, 0xFFFF, 0xC000, 0x0201], "192.0.2.1"),
    ] as [([UInt16], String)])
  func addresses(groups: [UInt16], text: String) {
    let bytes = groups.flatMap { CaptureBuilder.big16(Int($0)) }
    #expect(bytes.withByteView { Address(ipv6: $0, at: 0) }.text == text)
  }
}
