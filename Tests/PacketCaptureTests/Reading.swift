import HTTPExchange
import InputBytes
import TestSupport

@testable import PacketCapture

/// What a capture gave.
struct Reading {
  var exchanges: [Exchange] = []
  var record: SourceRecord
  /// Exchanges that began before a watermark which was given out earlier.
  var early = 0
  /// Whether nothing was still held when the capture had ended.
  var isReleased = false

  /// Reads a capture to its end.
  init(
    _ bytes: [UInt8], keepsAll: Bool = true, readsAhead: Bool = false,
    keys: TLSKeyLog = TLSKeyLog()
  ) throws {
    self = try withTemporaryFile(bytes, named: "test.pcap") { path in
      try Reading(path: path, keepsAll: keepsAll, readsAhead: readsAhead, keys: keys)
    }
  }

  /// Reads a capture file to its end.
  init(
    path: String, keepsAll: Bool = true, readsAhead: Bool = false, keys: TLSKeyLog = TLSKeyLog()
  ) throws {
    var options = IngestOptions()
    options.keepsAll = keepsAll
    let reader = CaptureReader(
      input: try ByteInput(path: path, readsAhead: readsAhead), options: options, keys: keys)
    var watermark = EventTime(nanoseconds: .min)
    record = reader.record
    while let batch = reader.nextBatch() {
      early += batch.exchanges.count { $0.time < watermark }
      watermark = max(watermark, batch.watermark)
      exchanges += batch.exchanges
    }
    record = reader.record
    let connections = reader.connections
    isReleased =
      connections.heldBytes == 0 && connections.openBytes == 0 && connections.partialBytes == 0
      && connections.tableBytes == 0 && connections.requestCount == 0
      && connections.firstOpen == nil
      && connections.tls.active == 0 && connections.tls.heldBytes == 0
      && connections.firstHolding == nil && connections.table.count == 0
  }

  /// `METHOD target status`, in the order in which they were found.
  var summaries: [String] {
    exchanges.map {
      "\($0.method.isEmpty ? "-" : $0.method) \($0.url.target.isEmpty ? "-" : $0.url.target)"
        + " \($0.status.map(String.init) ?? $0.ending.rawValue)"
    }
  }

  /// Whether the counts add up, and nothing leaked.
  var isBalanced: Bool {
    isReleased && record.read == record.used + record.skipped.values.reduce(0, +)
      && record.exchanges == UInt64(exchanges.count) + record.passedOver.values.reduce(0, +)
  }
}

/// A request head.
func request(_ target: String, _ fields: String...) -> String {
  "GET \(target) HTTP/1.1\r\nHost: api.example\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
}

/// A response with a body of so many bytes.
func response(_ status: Int, _ fields: String..., body: Int = 0) -> String {
  "HTTP/1.1 \(status) Reason\r\nContent-Length: \(body)\r\n"
    + fields.map { $0 + "\r\n" }.joined() + "\r\n" + String(repeating: "b", count: body)
}

/// A capture with one conversation.
func capture(
  link: CaptureBuilder.Link = .ethernet, _ conversation: Conversation = Conversation(),
  opens: Bool = true, _ build: (inout CaptureBuilder, inout Conversation) -> Void
) -> CaptureBuilder {
  var builder = CaptureBuilder(link: link)
  var conversation = conversation
  if opens { builder.add(conversation.open()) }
  build(&builder, &conversation)
  return builder
}
