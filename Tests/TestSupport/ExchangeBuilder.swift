public import HTTPExchange

extension Exchange {
  /// An exchange for tests: one that `GET`s a URL at noon, changed as the test needs it.
  public static func sample(
    _ method: String = "GET", _ url: String = "https://api.example/orders", status: Int? = 200,
    number: UInt64 = 1, at seconds: Int64 = 1_795_435_200, client: String = "192.0.2.7",
    userAgent: String? = nil, httpVersion: String? = "HTTP/1.1",
    request: [(String, String?)] = [], response: [(String, String?)] = []
  ) -> Exchange {
    let start = EventTime(seconds: seconds)
    return Exchange(
      id: ExchangeID(source: "sample.pcap@0123456789ab", number: number), startedAt: start,
      endedAt: status == nil ? nil : start.advanced(by: 20_000_000), timeBasis: .both,
      resolution: .microsecond, client: client, userAgent: userAgent, method: method,
      url: RequestURL(url) ?? RequestURL(scheme: nil, host: nil, port: nil, target: url),
      status: status, httpVersion: httpVersion, ending: status == nil ? .unanswered : .complete,
      request: .complete(request), response: status == nil ? .unseen : .complete(response))
  }
}

extension MessageEvidence {
  /// A whole header block.
  public static func complete(_ fields: [(String, String?)]) -> MessageEvidence {
    MessageEvidence(
      coverage: .complete, fields: fields.map { HeaderField(HeaderName($0.0), $0.1) })
  }

  /// What a source would have recorded of a header block that was seen whole.
  ///
  /// - Parameters:
  ///   - names: the fields that it records, with their fidelity.
  ///   - limit: the bytes after which it cuts values, where the fidelity says so.
  public func recorded(only names: [HeaderName: Fidelity], limit: Int = 12) -> MessageEvidence {
    var kept: [HeaderField] = []
    for (name, fidelity) in names {
      guard case .recorded(var lines, let own) = evidence(of: name), own == .exact else { continue }
      if fidelity.contains(.firstLine) { lines = [lines[0]] }
      if fidelity.contains(.lastLine) { lines = [lines[lines.count - 1]] }
      if fidelity.contains(.joined) {
        lines = [lines.compactMap { $0 }.joined(separator: ", ")]
      }
      if fidelity.contains(.cut) {
        lines = lines.map { line in
          line.map { String(decoding: $0.utf8.prefix(limit), as: UTF8.self) }
        }
      }
      if fidelity.contains(.presence) { lines = lines.map { _ in nil } }
      if fidelity.contains(.absentOrEmpty), lines.allSatisfy({ $0?.isEmpty ?? false }) { continue }
      kept += lines.map { HeaderField(name, $0) }
    }
    return MessageEvidence(coverage: .only(names), fields: kept)
  }

  /// What is left of a header block that was cut after so many lines.
  public func truncated(after lines: Int) -> MessageEvidence {
    MessageEvidence(coverage: .truncated, fields: Array(fields.prefix(lines)))
  }

  /// The same header block, one field less known.
  public func hiding(_ name: HeaderName) -> MessageEvidence {
    var names: [HeaderName: Fidelity] = [:]
    switch coverage {
    case .only(let own): names = own
    case .complete: for known in HeaderName.known + fields.map(\.name) { names[known] = .exact }
    case .truncated:
      return MessageEvidence(
        coverage: .truncated, fields: fields.filter { $0.name != name })
    }
    names[name] = nil
    return MessageEvidence(coverage: .only(names), fields: fields.filter { $0.name != name })
  }
}
