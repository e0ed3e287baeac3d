import Bytes
import HTTPExchange
import InputBytes
import TestSupport

@testable import PacketCapture

/// Capture files, link layers and TCP.
let captureTargets: [FuzzTarget] = [
  FuzzTarget(
    "capture-file", dictionary: "capture", seeds: CaptureSeeds.files,
    run: { bytes in
      let whole = try FileReading(bytes, pieces: bytes.count)
      let pieces = try FileReading(bytes, pieces: 1 + Int(bytes.last ?? 0))
      // In search of the next record, what is plausible depends on how much is in sight.
      guard !whole.wasLost, !pieces.wasLost else { return }
      try expect(whole.steps == pieces.steps, "the packets depend on the size of the buffers")
      try expectEqual(whole.damages, pieces.damages, "damages")
    }),
  FuzzTarget(
    "capture", dictionary: "capture", seeds: CaptureSeeds.files,
    run: { bytes in
      try withMemoryFile(bytes) { path in
        let input = try ByteInput(path: path)
        guard CaptureReader.recognizes(input.head) else { return }
        _ = CaptureReader.firstTime(in: input.head)
        var options = IngestOptions()
        options.keepsAll = bytes.count % 2 == 0
        options.trustsForwarded = bytes.count % 3 == 0
        try expectSoundReading(of: CaptureReader(input: input, options: options))
      }
    }),
  FuzzTarget(
    "packet", maximumLength: 2048, dictionary: nil, seeds: CaptureSeeds.packets,
    run: { bytes in
      var reader = InputReader(bytes)
      let links = CaptureSeeds.links
      let link = LinkLayer(linkType: links[reader.byte() % links.count])
      var decoder = PacketDecoder()
      var whole: UInt64 = 0
      var time: Int64 = 0
      while !reader.isAtEnd {
        let frame = reader.take(reader.word() % 1600)
        let wire = frame.count + reader.byte()
        time += Int64(reader.byte()) << 27
        let fate = decoder.decode(link, frame, wire: wire, at: time)
        _ = fate.name
        guard fate == .segment else { continue }
        whole &+= decoder.segment.payload.fingerprint
        try expect(decoder.segment.missing >= 0, "fewer than no bytes are missing")
        try expect(decoder.segment.payload.count <= 65535, "a segment longer than its datagram")
        _ = decoder.segment.source.text
      }
      var fragments = decoder.fragments
      fragments.finish()
    }),
  FuzzTarget(
    "tcp", maximumLength: 4096, dictionary: "http", seeds: CaptureSeeds.segments,
    run: { bytes in
      let harness = ConnectionsHarness()
      var reader = InputReader(bytes)
      var time: Int64 = 1_700_000_000_000_000_000
      var next: [UInt32] = [1000, 5000, .max - 40, 7]
      var number: UInt64 = 0
      while !reader.isAtEnd {
        let kind = reader.byte()
        let side = kind & 1
        let flow = kind >> 1 & 1
        let index = flow * 2 + side
        let step = reader.byte()
        time += step < 0xF0 ? Int64(step) << 20 : Int64(step & 15) << 36
        let shift = Int8(truncatingIfNeeded: kind & 0x20 == 0 ? 0 : reader.byte())
        let payload = reader.take(reader.byte())
        var segment = Segment()
        segment.source = Address(ipv4: UInt32(side))
        segment.destination = Address(ipv4: UInt32(1 - side))
        segment.sourcePort = UInt16(flow * 8 + side)
        segment.destinationPort = UInt16(flow * 8 + 1 - side)
        segment.sequence = next[index] &+ UInt32(bitPattern: Int32(shift))
        if kind & 0x40 != 0 {
          segment.flags |= Segment.ack
          segment.acknowledgment = next[index ^ 1]
        }
        switch kind >> 2 & 7 {
        case 1: segment.flags |= Segment.syn
        case 2: segment.flags |= Segment.fin
        case 3: segment.flags |= Segment.rst
        case 4: segment.missing = reader.word()
        case 5: segment.sequence = UInt32(reader.word()) << 16
        default: break
        }
        segment.payload = payload
        number += 1
        harness.receive(
          segment, Mark(time: time, number: number, acknowledgment: segment.acknowledgment))
        // Kept apart from the stream's own position, so that most segments follow each other.
        next[index] &+= UInt32(payload.count + segment.missing)
        if segment.flags & (Segment.syn | Segment.fin) != 0 { next[index] &+= 1 }
        if kind & 0x80 != 0 { harness.connections.expire() }
      }
      try harness.finish()
    }),
]

/// What a reader of captures found in a file of records.
private struct FileReading {
  var steps: [UInt64] = []
  var damages: [SourceRecord.Damage]
  var wasLost = false

  /// Reads bytes that come in pieces of that size.
  init(_ bytes: ByteView, pieces: Int) throws {
    var file = CaptureFile()
    damages = []
    var start = 0
    var end = 0
    var packets: UInt64 = 0
    while end < bytes.count {
      end = min(bytes.count, end + max(1, pieces))
      let buffer = bytes.part(start, end)
      file.bufferOffset = UInt64(start)
      var position = 0
      steps: while true {
        let step = file.step(buffer, &position)
        try expect((0...buffer.count).contains(position), "a position behind the buffer")
        wasLost = wasLost || file.lostAt != nil
        switch step {
        case .packet:
          packets += 1
          steps.append(
            file.packet.bytes.fingerprint ^ UInt64(bitPattern: file.packet.time)
              ^ UInt64(file.packet.wire) << 20 ^ UInt64(file.packet.resolution) << 40)
        case .skipped(let skip):
          packets += 1
          steps.append(UInt64(skip.rawValue))
        case .keyLog(let text): steps.append(text.fingerprint)
        case .nothing: continue
        case .needsMore: break steps
        }
      }
      start += position
    }
    file.finish(bytes.count - start, end: UInt64(bytes.count))
    file.endSection()
    try expectEqual(file.number, packets, "packets counted")
    damages = file.damages
    steps += [file.dropped, file.joinedFiles, file.secrets, file.untimed, file.number]
  }
}

/// Reads a capture to its end, and checks that nothing is lost from the counts or held for ever.
func expectSoundReading(of reader: CaptureReader) throws {
  var count: UInt64 = 0
  while let batch = reader.nextBatch() {
    count += UInt64(batch.exchanges.count)
    for exchange in batch.exchanges { try expectStable(exchange) }
  }
  let record = reader.record
  try expectEqual(
    record.read, record.used + record.skipped.values.reduce(0, +), "packets read, used and skipped")
  try expectEqual(
    record.exchanges, count + record.passedOver.values.reduce(0, +), "exchanges found and kept")
  try expectReleased(reader.connections)
}

/// Whether connections that are all over hold nothing any more.
private func expectReleased(_ connections: Connections) throws {
  try expectEqual(connections.heldBytes, 0, "bytes held")
  try expectEqual(connections.openBytes, 0, "bytes of open requests")
  try expectEqual(connections.partialBytes, 0, "bytes of partial header blocks")
  try expectEqual(connections.tableBytes, 0, "bytes of HPACK tables")
  try expectEqual(connections.requestCount, 0, "requests remembered")
  try expectEqual(connections.tls.active, 0, "TLS connections")
  try expectEqual(connections.tls.heldBytes, 0, "bytes of TLS records")
  try expectEqual(connections.table.count, 0, "connections")
  try expect(connections.firstOpen == nil && connections.lastOpen == nil, "an open request")
  try expect(connections.firstHolding == nil && connections.lastHolding == nil, "a held segment")
}

/// Connections that meet segments without a capture file around them.
struct ConnectionsHarness {
  /// A builder that all runs of a process share, since its tables cost more than a run; `nil` where
  /// several threads run at once.
  nonisolated(unsafe) static var sharedBuilder: ExchangeBuilder?

  let connections: Connections
  private let builder: ExchangeBuilder
  private let foundBefore: UInt64

  init(keys: TLSKeyLog = TLSKeyLog()) {
    builder = Self.sharedBuilder ?? Self.makeBuilder()
    foundBefore = builder.found
    connections = Connections(builder: builder, keys: TLSKeys(keys))
  }

  static func makeBuilder() -> ExchangeBuilder {
    var options = IngestOptions()
    options.keepsAll = true
    return ExchangeBuilder(source: "fuzz@0", options: options)
  }

  func receive(_ segment: Segment, _ mark: Mark) {
    _ = connections.receive(segment, mark)
  }

  /// One segment of a connection that was seen from its beginning.
  ///
  /// - Parameter offset: bytes of that side that came before.
  func send(_ side: Int, _ payload: ByteView, offset: Int, number: Int) {
    var segment = Segment()
    segment.source = Address(ipv4: UInt32(side))
    segment.destination = Address(ipv4: UInt32(1 - side))
    segment.sourcePort = UInt16(side)
    segment.destinationPort = UInt16(1 - side)
    segment.sequence = UInt32(truncatingIfNeeded: offset + 1)
    segment.payload = payload
    receive(segment, Mark(time: Int64(number) << 16, number: UInt64(number)))
  }

  /// The SYN of each side.
  func open() {
    for side in 0...1 {
      var segment = Segment()
      segment.source = Address(ipv4: UInt32(side))
      segment.destination = Address(ipv4: UInt32(1 - side))
      segment.sourcePort = UInt16(side)
      segment.destinationPort = UInt16(1 - side)
      segment.flags = side == 0 ? Segment.syn : Segment.syn | Segment.ack
      segment.acknowledgment = side == 0 ? 0 : 1
      receive(segment, Mark(time: 0, number: 0))
    }
  }

  /// Ends all connections and checks that nothing is left of them.
  ///
  /// - Returns: the exchanges.
  @discardableResult
  func finish() throws -> [Exchange] {
    connections.finishAll()
    let exchanges = builder.takeExchanges()
    try expectEqual(builder.found - foundBefore, UInt64(exchanges.count), "exchanges found")
    try expectReleased(connections)
    for exchange in exchanges { try expectStable(exchange) }
    return exchanges
  }
}
