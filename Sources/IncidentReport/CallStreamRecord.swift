public import Bytes
public import FetchCORS
public import HTTPExchange

/// Exchanges that are no CORS call, counted by kind by the pairing stage.
///
/// Written as `"schema":"postflight.traffic/1"` into the stream of calls, so that the totals of a
/// report add up across processes. Several records of one stream add up.
public struct TrafficRecord: Hashable, Sendable {
  /// The value of `schema` in such a record.
  public static let schema = "postflight.traffic/1"

  /// Counts by kind, as `same-origin`, `no-cors`, `navigation` or `websocket`.
  public var counts: [String: UInt64]

  /// A record of those counts.
  public init(counts: [String: UInt64]) {
    self.counts = counts
  }

  /// Writes the record as one line, kinds in the order of their names.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("schema", Self.schema)
      writer.key("counts")
      writer.object { writer in
        for (kind, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(kind, count) }
      }
    }
    writer.endLine()
  }

  /// Reads a record back.
  public init(json: JSONValue) throws(RecordError) {
    guard let members = json["counts"]?.members else {
      throw RecordError("no member \"counts\" that is an object")
    }
    counts = [:]
    for member in members {
      guard case .number(let text) = member.value, let count = UInt64(text) else {
        throw RecordError("a count of \"counts\" is no whole number")
      }
      let sum = counts[member.name, default: 0].addingReportingOverflow(count)
      counts[member.name] = sum.overflow ? .max : sum.partialValue
    }
  }
}

/// A line of the stream that `replay` writes and `report` reads.
public enum CallStreamRecord: Sendable {
  case call(Call)
  case source(SourceRecord)
  case traffic(TrafficRecord)

  /// Reads one line.
  ///
  /// - Throws: `RecordError` for a line that is no JSON, has no schema or one that is not known
  ///   here, or lacks a member; it says which.
  public init(line: ByteView) throws(RecordError) {
    let json: JSONValue
    do throws(JSONReader.Failure) {
      json = try JSONReader.read(line)
    } catch {
      throw RecordError("\(error.reason) at byte \(error.offset) of the line")
    }
    switch json["schema"]?.text {
    case Call.schema: self = .call(try Call(json: json))
    case SourceRecord.schema: self = .source(try SourceRecord(json: json))
    case TrafficRecord.schema: self = .traffic(try TrafficRecord(json: json))
    case .some(let schema): throw RecordError("a record of the schema \"\(schema)\"")
    case nil: throw RecordError("no member \"schema\"")
    }
  }
}
