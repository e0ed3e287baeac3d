import Bytes
import TestSupport
import Testing

@testable import PacketCapture

@Suite("The short way through the layers")
struct PlainSegmentTests {
  /// What a decoder made of a frame.
  private struct Outcome: Equatable {
    var fate: PacketFate
    var segment: [UInt64] = []
    var payload: [UInt8] = []

    init(_ fate: PacketFate, _ segment: Segment) {
      self.fate = fate
      guard fate == .segment else { return }
      for address in [segment.source, segment.destination] {
        self.segment += [address.high, address.low]
      }
      self.segment += [
        UInt64(segment.sourcePort), UInt64(segment.destinationPort), UInt64(segment.sequence),
        UInt64(segment.acknowledgment), UInt64(segment.flags),
        UInt64(bitPattern: Int64(segment.missing)),
      ]
      payload = segment.payload.map { $0 }
    }
  }

  /// Both ways of decoding an Ethernet frame.
  private static func outcomes(_ frame: [UInt8], wire: Int) -> (short: Outcome, whole: Outcome) {
    frame.withByteView { bytes in
      var decoder = PacketDecoder()
      let short = decoder.decode(.ethernet, bytes, wire: wire, at: 0)
      var other = PacketDecoder()
      let whole = other.ethernet(bytes, wire, 0)
      return (Outcome(short, decoder.segment), Outcome(whole, other.segment))
    }
  }

  private static let frames: [[UInt8]] = {
    var frames: [[UInt8]] = []
    for client in [[192, 0, 2, 1], LinkLayerTests.v6[0]] as [[UInt8]] {
      var builder = CaptureBuilder()
      var talk = Conversation(
        client: client, server: client.count == 4 ? [198, 51, 100, 7] : LinkLayerTests.v6[1])
      builder.add(talk.open())
      builder.add(talk.send(.client, request("/")))
      builder.add(talk.send(.server, response(200)))
      builder.add(talk.close())
      frames += builder.packets.map(\.frame)
    }
    return frames
  }()

  @Test("it gives what the way through all layers gives, for every frame and every cut of it")
  func cuts() {
    for frame in Self.frames {
      for length in 0...frame.count {
        let (short, whole) = Self.outcomes(Array(frame[..<length]), wire: frame.count)
        #expect(short == whole, "\(length) of \(frame.count) bytes")
      }
      let (padded, whole) = Self.outcomes(frame + [0, 0, 0, 0], wire: frame.count + 4)
      #expect(padded == whole)
    }
  }

  @Test("it does so for frames that are damaged in the headers")
  func damaged() {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<20_000 {
      var frame = random.pick(Self.frames)
      for _ in 0..<1 + random.number(below: 3) {
        let place = random.number(below: min(60, frame.count))
        frame[place] =
          random.chance(1, in: 2)
          ? UInt8(truncatingIfNeeded: random.next())
          : frame[place] ^ 1 << UInt8(random.number(below: 8))
      }
      let (short, whole) = Self.outcomes(frame, wire: frame.count)
      #expect(short == whole, "\(frame)")
    }
  }
}
