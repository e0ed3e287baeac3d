import Bytes
import HTTPExchange
import InputBytes

@testable import PacketCapture

/// TLS and its key logs.
let tlsTargets: [FuzzTarget] = [
  FuzzTarget(
    "tls", maximumLength: 16384, seeds: TLSSeeds.talks,
    run: { bytes in
      var reader = InputReader(bytes)
      var log = TLSKeyLog()
      log.add(text: reader.take(reader.word()))
      let harness = ConnectionsHarness(keys: log)
      harness.open()
      var offsets = [0, 0]
      var number = 0
      while !reader.isAtEnd {
        // Side in the highest bit, then whether the bytes are lost, then their number.
        let parameters = reader.word()
        let side = parameters >> 15
        let payload = reader.take(parameters & 0x3FFF)
        number += 1
        if parameters & 0x4000 == 0 {
          harness.send(side, payload, offset: offsets[side], number: number)
        }
        offsets[side] += payload.count
      }
      try harness.finish()
      _ = harness.connections.tlsNotes
      _ = harness.connections.tlsWarnings
    }),
  FuzzTarget(
    "hello", maximumLength: 1024, seeds: TLSSeeds.hellos,
    run: { bytes in
      if let hello = ClientHello(bytes) {
        try expect(
          hello.serverName?.utf8.allSatisfy { (0x21...0x7E).contains($0) } ?? true,
          "a server name that cannot be printed")
      }
      if let hello = ServerHello(bytes) { _ = hello.isRetryRequest }
      _ = ServerHello.applicationProtocol(inEncryptedExtensions: bytes)
    }),
  FuzzTarget(
    "key-log", dictionary: "key-log", seeds: TLSSeeds.logs,
    run: { bytes in
      var whole = TLSKeyLog()
      whole.add(text: bytes)
      var lines = TLSKeyLog()
      for line in bytes.lines { lines.add(text: line) }
      try expectEqual(whole.count, lines.count, "secrets")
      try expectEqual(whole.malformedLines, lines.malformedLines, "malformed lines")
      guard bytes.areReadAsStored, !bytes.lines.contains(where: { $0.count > 1000 }) else { return }
      try withMemoryFile(bytes) { path in
        try expectEqual(try TLSKeyLog(path: path).count, whole.count, "secrets of the file")
      }
    }),
]

/// Recorded TLS connections with their secrets.
enum TLSSeeds {
  static func logs() throws -> [[UInt8]] {
    let text = try Samples.bytes("SampleCaptures/chromium-tls.keys")
    return [Array(text.prefix(1024)), Array("# comment\nCLIENT_RANDOM 00 11\n\r\n".utf8)]
  }

  /// Some bodies of hello messages of the sample.
  static func hellos() throws -> [[UInt8]] {
    try conversations().flatMap { talk in
      talk.prefix(2).compactMap { $0.bytes.count > 9 ? Array($0.bytes.dropFirst(9)) : nil }
    }
  }

  /// Key log and segments of each connection of the sample, as the target `tls` reads them.
  static func talks() throws -> [[UInt8]] {
    let log = String(
      decoding: try Samples.bytes("SampleCaptures/chromium-tls.keys"), as: UTF8.self)
    return try conversations().map { talk in
      // The client random stands behind the headers of record and message and the version.
      let random = talk[0].bytes.dropFirst(11).prefix(32).map {
        String(String(UInt16($0) + 256, radix: 16).dropFirst())
      }.joined()
      let keys = Array(
        log.split(separator: "\n").filter { $0.contains(random) }.joined(separator: "\n").utf8)
      return word(keys.count) + keys
        + talk.flatMap { word($0.side << 15 | $0.bytes.count) + $0.bytes }.prefix(12000)
    }
  }

  /// The payloads of each connection in the order of the capture; side 0 spoke first.
  private static func conversations() throws -> [[(side: Int, bytes: [UInt8])]] {
    let capture = try Samples.bytes("SampleCaptures/chromium-tls.pcap.gz")
    var talks: [[(side: Int, bytes: [UInt8])]] = []
    var places: [UInt32: (index: Int, firstPort: UInt16)] = [:]
    capture.withByteView { buffer in
      var file = CaptureFile()
      var decoder = PacketDecoder()
      var position = 0
      reading: while true {
        switch file.step(buffer, &position) {
        case .needsMore: break reading
        case .packet:
          let packet = file.packet
          guard
            decoder.decode(packet.link, packet.bytes, wire: packet.wire, at: packet.time)
              == .segment, !decoder.segment.payload.isEmpty,
            decoder.segment.payload.count < 0x4000
          else { continue }
          let key = FlowKey.of(decoder.segment).key.ports
          if places[key] == nil {
            places[key] = (talks.count, decoder.segment.sourcePort)
            talks.append([])
          }
          guard let place = places[key] else { continue }
          talks[place.index].append(
            (
              decoder.segment.sourcePort == place.firstPort ? 0 : 1,
              Array(decoder.segment.payload)
            ))
        default: continue
        }
      }
    }
    return talks.filter { !$0.isEmpty }
  }
}
