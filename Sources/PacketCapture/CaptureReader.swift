internal import Bytes
public import HTTPExchange
public import InputBytes

/// Reads a packet capture: capture file → packet → segment → stream → HTTP → exchange.
///
/// Damage and losses never end the run: they are counted in ``record``, and reading goes on with
/// what is left. Memory is bounded by the connections that are open: see `CaptureLimits`.
public final class CaptureReader {
  /// What was read so far; final once ``nextBatch()`` has returned `nil`.
  public private(set) var record: SourceRecord

  private let input: ByteInput
  let connections: Connections
  private let builder: ExchangeBuilder
  private var intake = PacketIntake()
  private var carried = 0
  private var isFinished = false

  /// A reader of `input`, whose first bytes ``recognizes(_:)`` accepted.
  ///
  /// - Parameter keys: secrets for the TLS connections, beside those that the capture itself holds.
  public init(input: ByteInput, options: IngestOptions, keys: TLSKeyLog = TLSKeyLog()) {
    self.input = input
    builder = ExchangeBuilder(source: input.source, options: options)
    connections = Connections(builder: builder, keys: TLSKeys(keys))
    record = SourceRecord(
      input: input.name, digest: input.digest, kind: "pcap", compression: input.compression)
  }

  /// Whether an input that begins with these bytes is a capture.
  public static func recognizes(_ head: [UInt8]) -> Bool {
    head.withByteView { CaptureFile.recognizes($0) }
  }

  /// The time of the first packet, as far as `head`, the first bytes of the input, shows it.
  public static func firstTime(in head: [UInt8]) -> EventTime? {
    head.withByteView { bytes in
      var file = CaptureFile()
      var position = 0
      while true {
        switch file.step(bytes, &position) {
        case .packet: return EventTime(nanoseconds: file.packet.time)
        case .needsMore: return nil
        case .skipped, .keyLog, .nothing: continue
        }
      }
    }
  }

  /// Reads about one buffer of input.
  ///
  /// - Returns: the exchanges that became complete, perhaps none; `nil` when all was given out.
  public func nextBatch() -> ExchangeBatch? {
    if isFinished { return nil }
    var buffer: ByteView?
    do throws(InputDamage) {
      buffer = try input.next(carrying: carried)
    } catch {
      intake.file.addDamage(SourceRecord.Damage(offset: error.offset, what: error.what))
    }
    if let buffer {
      carried = intake.read(
        buffer, at: input.offset - UInt64(buffer.count), into: connections)
      connections.expire()
    } else {
      finish()
    }
    let watermark = EventTime(nanoseconds: connections.watermark)
      .advanced(by: -min(intake.disorder, ExchangeBatch.reorderWindow))
    return ExchangeBatch(exchanges: builder.takeExchanges(), watermark: watermark)
  }

  private func finish() {
    isFinished = true
    intake.file.finish(carried, end: input.offset)
    intake.file.endSection()
    connections.finishAll()
    writeRecord()
  }
}

extension CaptureReader {
  private func writeRecord() {
    let file = intake.file
    record.kind = file.format == .pcapng ? "pcapng" : "pcap"
    let links =
      intake.links.isEmpty && file.format == .pcap ? [file.pcap.link] : intake.links
    record.format = links.isEmpty ? nil : links.map(\.name).joined(separator: ", ")
    record.bytes = input.offset
    record.read = file.number
    record.used = intake.used
    for skip in Skip.allCases where intake.skipped(skip) > 0 {
      record.skip(skip.name, intake.skipped(skip))
    }
    for (fate, count) in intake.named { record.skip(fate.name, count) }
    record.exchanges = builder.found
    if builder.passedOver > 0 { record.passedOver[CORSConcern.none.rawValue] = builder.passedOver }
    if intake.firstTime <= intake.lastTime {
      record.see(EventTime(nanoseconds: intake.firstTime))
      record.see(EventTime(nanoseconds: intake.lastTime))
    }
    for damage in file.damages { record.addDamage(damage) }
    for _ in file.damages.count..<Int(clamping: max(file.damageCount, UInt64(file.damages.count))) {
      // Only the number of further damages is known.
      record.addDamage(SourceRecord.Damage(offset: nil, what: ""))
    }
    writeNotes()
    writeWarnings()
  }

  private func writeNotes() {
    let counts = connections.counts
    let file = intake.file
    var fragments = intake.decoder.fragments
    fragments.finish()
    let notes: [(String, UInt64)] = [
      ("connections", counts.connections),
      ("http1-connections", counts.http1),
      ("tls-connections", counts.tls),
      ("http2-connections", counts.http2),
      ("http2-connections-not-decoded", counts.http2NotDecoded),
      ("http2-connections-without-start", counts.http2WithoutStart),
      ("other-connections", counts.other),
      ("quic-connections", UInt64(intake.quicCount)),
      ("connections-without-start", counts.withoutStart),
      ("one-sided-connections", counts.oneSided),
      ("connections-with-gaps", counts.withGaps),
      ("reused-ports", counts.reusedPorts),
      ("resets", counts.resets),
      ("resets-that-were-ignored", counts.ignoredResets),
      ("idle-connections-forgotten", counts.idle),
      ("connections-forgotten-for-room", counts.evicted),
      ("snapped-segments", counts.snapped),
      ("retransmissions", counts.retransmissions),
      ("retransmissions-that-differ", counts.differing),
      ("segments-out-of-order", counts.reordered),
      ("gaps", counts.gaps),
      ("gap-bytes", counts.gapBytes),
      ("held-limit-reached", counts.heldLimit),
      ("requests-waited-for-too-long", counts.overdue),
      ("late-answers", counts.lateAnswers),
      ("responses-without-request", counts.withoutRequest),
      ("interim-responses", counts.interim),
      ("upgraded-connections", counts.upgraded),
      ("connect-tunnels", counts.tunnels),
      ("proxy-protocol-headers", counts.proxyHeaders),
      ("header-blocks-too-long", counts.longHeads),
      ("resynchronised", counts.resynchronised),
      ("bytes-that-are-not-http", counts.lostBytes),
      ("pipeline-limit-reached", counts.pipelineLimit),
      ("refused-streams", counts.refusedStreams),
      ("stream-limit-reached", counts.streamLimit),
      ("pushed-responses", counts.pushed),
      ("malformed-frames", counts.malformedFrames),
      ("header-blocks-damaged", counts.damagedBlocks),
      ("header-blocks-with-unknown-fields", counts.blocksWithUnknownFields),
      ("unknown-fields", counts.unknownFields),
      ("hpack-tables-too-large", counts.largeTables),
      ("hpack-tables-forgotten", counts.forgottenTables),
      ("tunnelled-packets", intake.decoder.tunnelled),
      ("datagrams-reassembled", fragments.completed),
      ("datagrams-incomplete", fragments.incomplete),
      ("times-going-backwards", intake.backwards),
      ("packets-without-time", file.untimed),
      ("packets-dropped-by-capture", file.dropped),
      ("joined-files", file.joinedFiles),
      ("tls-secrets-blocks", file.secrets),
      ("bytes-passed-over", file.lostBytes),
    ]
    for (name, count) in notes + connections.tlsNotes where count > 0 { record.note(name, count) }
  }

  private func writeWarnings() {
    let counts = connections.counts
    func warn(_ count: UInt64, _ one: String, _ many: String) {
      if count > 0 { record.warnings.append(count == 1 ? "1 \(one)" : "\(count) \(many)") }
    }
    warn(
      counts.tls &- min(counts.tls, connections.tls.decrypted), "TLS connection was not decrypted",
      "TLS connections were not decrypted")
    record.warnings += connections.tlsWarnings
    warn(
      UInt64(intake.quicCount), "QUIC (HTTP/3) connection was not decrypted",
      "QUIC (HTTP/3) connections were not decrypted")
    warn(
      counts.http2NotDecoded, "HTTP/2 connection was not decoded",
      "HTTP/2 connections were not decoded")
    warn(
      counts.blocksWithUnknownFields,
      "HTTP/2 header block refers to fields that were not captured",
      "HTTP/2 header blocks refer to fields that were not captured")
    warn(
      counts.snapped, "segment was cut by the snapshot length: header blocks may be incomplete",
      "segments were cut by the snapshot length: header blocks may be incomplete")
    warn(
      intake.file.dropped, "packet was dropped by the capturing system",
      "packets were dropped by the capturing system")
  }
}
