import Bytes
import FetchCORS
import HTTPExchange
import IncidentReport
import InputBytes

@testable import Postflight

/// The records that stages write and read.
let recordTargets: [FuzzTarget] = [
  FuzzTarget(
    "record", dictionary: "record", seeds: RecordSeeds.lines,
    run: { bytes in
      if let record = try? StreamRecord(line: bytes) {
        switch record {
        case .exchange(let exchange): try expectStable(exchange)
        case .source(let source):
          try expectStable(
            source, { $0.write(to: &$1) },
            { (json) throws(RecordError) in try SourceRecord(json: json) })
        }
      }
      if let record = try? CallStreamRecord(line: bytes) {
        switch record {
        case .call(let call): try expectStable(call)
        case .source: break
        case .traffic(let traffic):
          try expectStable(
            traffic, { $0.write(to: &$1) },
            { (json) throws(RecordError) in try TrafficRecord(json: json) })
        }
      }
    }),
  FuzzTarget(
    "stages", maximumLength: 4096, dictionary: "record", seeds: RecordSeeds.streams,
    run: { bytes in
      try withMemoryFile(bytes) { path in
        var calls: [UInt8] = []
        var count: UInt64 = 0
        do throws(StageError) {
          _ = try replay(StageOptions(inputs: [path])) { calls += Array($0) }
        } catch {
          try expect(!error.description.contains("\n"), "an error of two lines")
          return
        }
        guard Thoroughness.chooses(calls.count) else { return }
        for line in calls.split(separator: 0x0A) {
          let record = line.withByteView { try? CallStreamRecord(line: $0) }
          guard let record else {
            throw Violation(description: "report cannot read what replay writes")
          }
          if case .call = record { count += 1 }
        }
        try calls.withByteView { calls in
          try withMemoryFile(calls) { path in
            let totals = try report(StageOptions(inputs: [path])) { _, _ in }.totals
            try expectEqual(
              UInt64(totals.allowed + totals.blocked + totals.undetermined + totals.contradicted),
              count, "calls in the report")
          }
        }
      }
    }),
]

/// What is read back from a record that was written is what was written, also the second time.
func expectStable<Value: Equatable>(
  _ value: Value, _ write: (Value, inout JSONWriter) -> Void,
  _ read: (JSONValue) throws(RecordError) -> Value
) throws {
  func text(_ value: Value) -> [UInt8] {
    var writer = JSONWriter()
    write(value, &writer)
    return writer.bytes
  }
  let written = text(value)
  try expect(written.last == 0x0A && !written.dropLast().contains(0x0A), "a record of two lines")
  let back: Value
  do {
    back = try read(try written.withByteView { try JSONReader.read($0) })
  } catch {
    throw Violation(description: "\(error): \(String(decoding: written, as: UTF8.self))")
  }
  let again = text(back)
  if again != written {
    throw Violation(
      description:
        "\(String(decoding: written, as: UTF8.self))\nis read as\n\(String(decoding: again, as: UTF8.self))"
    )
  }
}

/// An exchange survives being written.
func expectStable(_ exchange: Exchange) throws {
  let size =
    exchange.url.target.utf8.count + exchange.request.fields.count + exchange.response.fields.count
  guard Thoroughness.chooses(size) else { return }
  try expectStable(
    exchange, { $0.write(to: &$1) }, { (json) throws(RecordError) in try Exchange(json: json) })
}

/// A call survives being written.
func expectStable(_ call: Call) throws {
  try expectStable(
    call, { $0.write(to: &$1) }, { (json) throws(RecordError) in try Call(json: json) })
}

/// Records of a sample to begin with.
enum RecordSeeds {
  private static func lines(
    _ stage: (StageOptions, @escaping ByteSink) throws -> Void, _ input: String
  ) throws -> [[UInt8]] {
    var bytes: [UInt8] = []
    try stage(StageOptions(inputs: [input])) { bytes += Array($0) }
    return bytes.split(separator: 0x0A).map { Array($0) + [0x0A] }
  }

  private static func exchanges() throws -> [[UInt8]] {
    try lines({ _ = try extract($0, to: $1) }, Samples.path("SampleCaptures/firefox-calls.pcap.gz"))
  }

  /// Exchanges, calls, and the other records of both streams.
  static func lines() throws -> [[UInt8]] {
    let exchanges = try exchanges()
    let calls = try exchanges.flatMap { $0 }.withByteView { bytes in
      try withMemoryFile(bytes) { try lines({ _ = try replay($0, to: $1) }, $0) }
    }
    return Array(exchanges.prefix(6) + exchanges.suffix(1) + calls.prefix(6) + calls.suffix(2))
      .map { Array($0.dropLast()) }
  }

  /// Some exchanges in a row.
  static func streams() throws -> [[UInt8]] {
    let exchanges = try exchanges()
    return stride(from: 0, to: exchanges.count, by: 3).map { start in
      exchanges[start..<min(start + 3, exchanges.count)].flatMap { $0 }
    }
  }
}
