import FetchCORS
import HTTPExchange

@testable import IncidentReport

/// Makes calls by hand: every value has a plain default.
struct CallBuilder {
  var second: Int64 = 1_790_000_000
  var number: UInt64 = 1
  var verdict = Verdict.blocked
  var phase: Phase? = .response
  var hop = 0
  var reason: BlockedReason? = .missingAllowOriginHeader
  var parameter: String?
  var origin = "https://app.example"
  var method = "GET"
  var url = "https://api.example/v1/items/42"
  var client = "203.0.113.7"
  var engine = "chromium"
  var kind = CallKind.simple
  var credentials = CredentialsEvidence.unknown
  var mode = ModeEvidence.cors
  var missing: [String] = []
  var assumes: [String] = []
  var worlds: [WorldOutcome] = []
  var standardVerdict: Verdict?
  var message: String?
  var source = "edge.pcap@0123456789ab"
  /// Status and response header lines of the preflight; `nil` without one.
  var preflight: (status: Int, fields: [(String, String)])?
  var preflightRequest: [(String, String)] = []
  /// Status and response header lines of the actual request; `nil` without one.
  var response: (status: Int, fields: [(String, String)])? = (200, [])
  var requestFields: [(String, String)] = []
  var sentOrigin: String?
  /// The hop before the failing one.
  var redirectedFrom: (url: String, status: Int, location: String)?
  var redirectedRequest: [(String, String)] = []

  func with(_ change: (inout CallBuilder) -> Void) -> CallBuilder {
    var copy = self
    change(&copy)
    return copy
  }

  /// The builder at another place in time.
  func at(_ offset: Int64) -> CallBuilder {
    with {
      $0.second += offset
      $0.number = UInt64(offset + 1)
    }
  }

  static func message(_ fields: [(String, String)]) -> MessageEvidence {
    MessageEvidence(
      coverage: .complete, fields: fields.map { HeaderField(HeaderName($0.0), $0.1) })
  }

  private func exchange(
    _ ordinal: UInt32, method: String, url: String, status: Int?, request: [(String, String)],
    response: [(String, String)]
  ) -> Exchange {
    let start = EventTime(seconds: second, nanoseconds: Int64(ordinal) * 1_000_000)
    return Exchange(
      id: ExchangeID(source: source, number: number, ordinal: ordinal), startedAt: start,
      endedAt: start, timeBasis: .both, resolution: .millisecond, client: client,
      userAgent: "Mozilla/5.0", method: method,
      url: RequestURL(url) ?? RequestURL(scheme: nil, host: nil, port: nil, target: url),
      status: status, request: Self.message(request), response: Self.message(response))
  }

  var call: Call {
    let sent = sentOrigin ?? origin
    var parts: [CallExchange] = []
    var target = url
    if let before = redirectedFrom {
      parts.append(
        CallExchange(
          role: .request, hop: 0,
          exchange: exchange(
            1, method: method, url: before.url, status: before.status,
            request: [("origin", origin)] + redirectedRequest,
            response: [("location", before.location), ("access-control-allow-origin", origin)])))
      target = before.location
    }
    if let preflight {
      let request = [("origin", sent), ("access-control-request-method", method)]
      parts.append(
        CallExchange(
          role: .preflight, hop: hop,
          exchange: exchange(
            2, method: "OPTIONS", url: target, status: preflight.status,
            request: request + preflightRequest, response: preflight.fields)))
    }
    if let response {
      parts.append(
        CallExchange(
          role: .request, hop: hop,
          exchange: exchange(
            3, method: method, url: target, status: response.status,
            request: [("origin", sent)] + requestFields, response: response.fields)))
    }
    let first = redirectedFrom?.url ?? url
    return Call(
      time: EventTime(seconds: second), resolution: .millisecond, verdict: verdict, phase: phase,
      hop: hop, reason: reason, parameter: parameter, origin: origin, method: method,
      url: RequestURL(first) ?? RequestURL(scheme: nil, host: nil, port: nil, target: first),
      client: client, engine: engine, userAgent: "Mozilla/5.0", kind: kind,
      credentials: credentials, mode: mode, missing: missing, assumes: assumes,
      standardVerdict: standardVerdict, message: message, worlds: worlds, exchanges: parts)
  }

  /// An answer that the page could read.
  static let allowed = CallBuilder().with {
    $0.verdict = .allowed
    $0.phase = nil
    $0.reason = nil
    $0.assumes = ["not-credentialed"]
    $0.response = (
      200, [("access-control-allow-origin", $0.origin), ("server", "nginx"), ("vary", "Origin")]
    )
  }

  /// An allowed call after a preflight that granted `content-type`.
  static let allowedPreflighted = allowed.with {
    $0.kind = .preflighted
    $0.method = "PUT"
    $0.preflight = (
      204,
      [
        ("access-control-allow-origin", $0.origin), ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "content-type"), ("server", "nginx"),
      ]
    )
    $0.preflightRequest = [("access-control-request-headers", "content-type")]
  }

  /// A preflight that failed.
  static func preflightFailure(
    _ status: Int, _ reason: BlockedReason, _ fields: [(String, String)] = []
  ) -> CallBuilder {
    CallBuilder().with {
      $0.phase = .preflight
      $0.kind = .preflightOnly
      $0.method = "PUT"
      $0.reason = reason
      $0.preflight = (status, fields)
      $0.preflightRequest = [("access-control-request-headers", "content-type")]
      $0.response = nil
    }
  }

  /// An actual response that failed.
  static func responseFailure(
    _ status: Int, _ reason: BlockedReason, _ fields: [(String, String)] = []
  ) -> CallBuilder {
    CallBuilder().with {
      $0.reason = reason
      $0.response = (status, fields)
    }
  }
}

/// Everything that a report consists of.
struct Outputs: Equatable {
  var files: [ReportFile: [UInt8]] = [:]
  var summary = ""
  var totals = ReportTotals()

  func text(_ file: ReportFile) -> String { String(decoding: files[file] ?? [], as: UTF8.self) }

  /// Rows of a CSV file by column.
  func rows(_ file: ReportFile) -> [[String: String]] {
    let records = CSVReader.records(text(file))
    guard let header = records.first else { return [] }
    return records.dropFirst().map {
      Dictionary(zip(header, $0), uniquingKeysWith: { left, _ in left })
    }
  }

  static func of(
    _ calls: [Call], sources: [SourceRecord] = [], notCORS: [(String, UInt64)] = [],
    options: ReportOptions = ReportOptions()
  ) throws -> Outputs {
    let builder = ReportBuilder(options: options)
    for call in calls { try builder.add(call) }
    for source in sources { builder.add(source) }
    for (kind, count) in notCORS { builder.addNotCORS(kind: kind, count: count) }
    var outputs = Outputs()
    try builder.finish { file, bytes in outputs.files[file, default: []].append(contentsOf: bytes) }
    outputs.summary = builder.summaryText(colored: false, width: 80)
    outputs.totals = builder.totals
    return outputs
  }
}

/// Reads RFC 4180 strictly, so that a row written wrongly is noticed.
enum CSVReader {
  static func records(_ text: String) -> [[String]] {
    var records: [[String]] = []
    var record: [String] = []
    var field: [UInt8] = []
    var isQuoted = false
    let bytes = Array(text.utf8)
    var index = 0
    func end() {
      record.append(String(decoding: field, as: UTF8.self))
      field = []
    }
    while index < bytes.count {
      let byte = bytes[index]
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "\"") {
            field.append(byte)
            index += 1
          } else {
            isQuoted = false
          }
        } else {
          field.append(byte)
        }
      } else if byte == UInt8(ascii: "\""), field.isEmpty {
        isQuoted = true
      } else if byte == UInt8(ascii: ",") {
        end()
      } else if byte == 0x0D, index + 1 < bytes.count, bytes[index + 1] == 0x0A {
        end()
        records.append(record)
        record = []
        index += 1
      } else {
        field.append(byte)
      }
      index += 1
    }
    return records
  }
}
