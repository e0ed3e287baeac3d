import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Capture files")
struct CaptureFileTests {
  static let sample = sample(port: 40001)

  /// One exchange in eight packets.
  static func sample(port: Int) -> CaptureBuilder {
    capture(Conversation(clientPort: port)) { builder, talk in
      builder.add(talk.send(.client, request("/one")))
      builder.add(talk.send(.server, response(200, body: 5)))
      builder.add(talk.close())
    }
  }

  @Test(
    "every variant of pcap is read, in both byte orders",
    arguments: CaptureBuilder.Variant.allCases, [false, true])
  func pcapVariants(variant: CaptureBuilder.Variant, isBig: Bool) throws {
    let file = Self.sample.pcap(variant, isBig: isBig)
    #expect(CaptureReader.recognizes(file))
    #expect(CaptureReader.firstTime(in: file) == EventTime(seconds: 1_700_000_000))
    let reading = try Reading(file)
    #expect(reading.summaries == ["GET /one 200"])
    #expect(reading.record.kind == "pcap")
    #expect(reading.record.format == "ethernet")
    #expect(reading.record.read == 8)
    #expect(reading.isBalanced)
    #expect(
      reading.exchanges.first?.startedAt == EventTime(nanoseconds: 1_700_000_000_003_000_000))
    #expect(reading.exchanges.first?.endedAt == EventTime(nanoseconds: 1_700_000_000_004_000_000))
    let resolution = reading.exchanges.first?.resolution
    #expect(
      resolution == (variant == .nanoseconds || variant == .navtel ? .nanosecond : .microsecond))
  }

  @Test(
    "packet blocks of pcapng are read, in both byte orders",
    arguments: CaptureBuilder.PacketBlock.allCases, [false, true])
  func pcapngBlocks(block: CaptureBuilder.PacketBlock, isBig: Bool) throws {
    let file = Self.sample.pcapng(block: block, isBig: isBig)
    #expect(CaptureReader.recognizes(file))
    let reading = try Reading(file)
    #expect(reading.summaries == ["GET /one 200"])
    #expect(reading.record.kind == "pcapng")
    #expect(reading.record.read == 8)
    #expect(reading.isBalanced)
    if block == .simple {
      #expect(reading.record.notes["packets-without-time"] == 8)
    } else {
      #expect(
        reading.exchanges.first?.startedAt == EventTime(nanoseconds: 1_700_000_000_003_000_000))
    }
  }

  @Test(
    "an interface's clock may count in any unit",
    arguments: [nil, 3, 6, 9, 10, 0x80 + 10, 0x80 + 20, 0x80 + 30] as [UInt8?])
  func resolutions(resolution: UInt8?) throws {
    let file = Self.sample.pcapng([.init(.ethernet, resolution: resolution)])
    let exchange = try #require(try Reading(file).exchanges.first)
    let started = try #require(exchange.startedAt).nanoseconds
    let error = 1_700_000_000_003_000_000 - started
    #expect(error >= 0 && error <= exchange.resolution.nanoseconds)
  }

  @Test("an interface's time offset is added")
  func timeOffset() throws {
    let file = Self.sample.pcapng([.init(.ethernet, offset: 3600)])
    #expect(CaptureReader.firstTime(in: file) == EventTime(seconds: 1_700_000_000))
  }

  @Test("interfaces of one section differ in link type and resolution")
  func interfaces() throws {
    var builder = CaptureBuilder()
    var talk = Conversation()
    for packet in talk.open() {
      builder.addFrame(CaptureBuilder.frame(.linuxCooked, packet), interface: 1)
    }
    builder.addFrame(
      CaptureBuilder.frame(.ethernet, talk.send(.client, request("/"))), interface: 0)
    builder.addFrame(
      CaptureBuilder.frame(.linuxCooked, talk.send(.server, response(204))), interface: 1)
    let reading = try Reading(
      builder.pcapng([.init(.ethernet), .init(.linuxCooked, resolution: 9)]))
    #expect(reading.summaries == ["GET / 204"])
    #expect(reading.record.format == "linux-sll, ethernet")
  }

  @Test("sections of one file may differ in byte order")
  func sections() throws {
    let file = Self.sample.pcapng(isBig: false) + Self.sample(port: 2).pcapng(isBig: true)
    #expect(try Reading(file).summaries == ["GET /one 200", "GET /one 200"])
  }

  @Test("joined files are read on, whatever the formats")
  func joined() throws {
    let pcap = Self.sample.pcap()
    let big = Self.sample(port: 2).pcap(.nanoseconds, isBig: true)
    let next = Self.sample(port: 3).pcapng()
    let reading = try Reading(pcap + big + next + Self.sample(port: 4).pcap())
    #expect(reading.exchanges.count == 4)
    #expect(reading.record.notes["joined-files"] == 3)
    #expect(reading.record.damageCount == 0)
    #expect(reading.record.read == 32)
  }

  @Test("a file that ends inside a packet gives everything before, and says where")
  func endsInside() throws {
    let file = Self.sample.pcap()
    let reading = try Reading(Array(file.dropLast(10)))
    #expect(reading.summaries == ["GET /one 200"])
    let damage = try #require(reading.record.damages.first)
    #expect(damage.number == 8)
    #expect(damage.offset == UInt64(file.count - 16 - 54))
    #expect(damage.what == "the file ends inside a packet")
  }

  @Test("a length that is not possible is damage; the packets behind it are found")
  func corruptLength() throws {
    var builder = Self.sample
    var talk = Conversation(clientPort: 40002)
    builder.add(talk.open())
    builder.add(talk.send(.client, request("/two")))
    builder.add(talk.send(.server, response(200)))
    var file = builder.pcap()
    // The captured length of the second packet.
    file[24 + 16 + 54 + 11] = 0x7F
    let reading = try Reading(file)
    #expect(reading.summaries == ["GET /one 200", "GET /two 200"])
    #expect(reading.record.damages.first?.offset == UInt64(24 + 16 + 54))
    #expect(reading.record.damages.first?.number == 2)
    #expect(reading.record.damageCount == 1)
    #expect(reading.isBalanced)
  }

  @Test("a block length that is not possible is damage; the blocks behind it are found")
  func corruptBlockLength() throws {
    var file = Self.sample.pcapng()
    // The length of the first packet block: behind a section header of 28 and an interface of 20.
    file[28 + 20 + 7] = 0x7F
    let reading = try Reading(file)
    #expect(reading.summaries == ["GET /one 200"])
    #expect(reading.record.damages.first?.offset == 48)
  }

  @Test("blocks that hold no packet are passed over; secrets and drops are counted")
  func otherBlocks() throws {
    var file = CaptureBuilder.Words(isBig: false)
    file.bytes = Self.sample.pcapng(options: [4, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    file.block(10) { $0.bytes += [UInt8](repeating: 1, count: 700_000) }
    file.block(4) { $0.bytes += [UInt8](repeating: 1, count: 64) }
    file.block(0xBAD) { $0.bytes += [UInt8](repeating: 1, count: 64) }
    file.block(5) { body in
      body.bytes += [UInt8](repeating: 0, count: 12)
      body.put16(5)
      body.put16(8)
      body.put64(3)
    }
    let reading = try Reading(file.bytes + Self.sample(port: 2).pcapng())
    #expect(reading.summaries == ["GET /one 200", "GET /one 200"])
    #expect(reading.record.notes["tls-secrets-blocks"] == 1)
    #expect(reading.record.notes["packets-dropped-by-capture"] == 59)
    #expect(reading.record.damageCount == 0)
  }

  @Test("a packet of an interface that was never described is counted")
  func unknownInterface() throws {
    var file = Self.sample.pcapng()
    file.replaceSubrange(56..<60, with: [9, 0, 0, 0])
    let reading = try Reading(file)
    #expect(reading.record.skipped["unknown-interface"] == 1)
    #expect(reading.isBalanced)
  }

  @Test("every prefix of a file is read without a crash, and loses only the end")
  func prefixes() throws {
    for file in [Self.sample.pcap(), Self.sample.pcapng(), Self.sample.pcap(.modified)] {
      var last = 0
      for length in 24...file.count {
        var reader = CaptureFile()
        var position = 0
        var packets = 0
        file[..<length].withByteView { bytes in
          while true {
            let step = reader.step(bytes, &position)
            if case .packet = step { packets += 1 }
            if case .needsMore = step { break }
          }
          reader.finish(bytes.count - position, end: UInt64(bytes.count))
        }
        #expect(packets >= last && packets <= last + 1)
        #expect(reader.damageCount == (position < length ? 1 : 0))
        last = packets
        if length % 41 == 0 { #expect(try Reading(Array(file[..<length])).isBalanced) }
      }
      #expect(last == 8)
    }
  }

  @Test("randomly changed files are read without a crash, and the counts add up")
  func mutations() throws {
    var generator = SeededGenerator(seed: 7)
    var builder = CaptureBuilder()
    for port in 0..<12 {
      var talk = Conversation(clientPort: 41000 + port)
      builder.add(talk.open())
      builder.add(talk.send(.client, request("/\(port)", "Origin: http://a.example")))
      builder.add(talk.send(.server, response(200, body: 300)))
      builder.add(talk.close())
    }
    let files = [builder.pcap(), builder.pcap(.modified, isBig: true), builder.pcapng()]
    for round in 0..<300 {
      var file = files[round % files.count]
      for _ in 0..<Int.random(in: 1...8, using: &generator) {
        let position = Int.random(in: 0..<file.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: file[position] = UInt8.random(in: 0...255, using: &generator)
        case 1: file.remove(at: position)
        case 2: file.insert(UInt8.random(in: 0...255, using: &generator), at: position)
        default:
          let end = min(file.count, position + 40)
          file.replaceSubrange(position..<end, with: file[0..<min(end - position, file.count)])
        }
      }
      let reading = try Reading(file)
      #expect(reading.isBalanced, "round \(round)")
    }
  }
}
