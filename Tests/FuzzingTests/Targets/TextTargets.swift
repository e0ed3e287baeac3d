import Bytes
import HTTPExchange

@testable import FetchCORS

/// URLs, origins and header values.
let textTargets: [FuzzTarget] = [
  FuzzTarget(
    "url", maximumLength: 256, dictionary: "url",
    seeds: {
      [
        "https://user:pw@api.example:8443/a;jsessionid=1/../b?token=0123456789abcdef#f",
        "//api.example/%2e%2e/a?b", "/a/b?x=y", "?q=1&access_token=x", "https:///a", "null",
        "HTTP://[2001:db8::1]:80/", "https:a\\b", "data:text/html,x", "https://%41.example:/",
      ].map { Array($0.utf8) }
    },
    run: { bytes in
      let text = WireText.decode(bytes)
      if let origin = Origin(text) {
        try expect(Origin(origin.description) == origin, "origin \(origin) does not come back")
      }
      if let url = RequestURL(text) {
        try expectSame(RequestURL(url.description, known: url.known), url)
      }
      try expectSame(text: Redaction.url(Redaction.url(text)), Redaction.url(text))
      for base in bases {
        switch base.locationURL(text) {
        case .url(let url, _):
          try expect(
            url.target.utf8.allSatisfy { (0x21...0x7E).contains($0) } || url.target == base.target,
            "a target that no browser sends: \(url.target)")
          try expectSame(RequestURL(url.description, known: url.known), url)
        case .otherScheme(let scheme): try expect(!scheme.isEmpty, "an empty scheme")
        case .invalid, .unrecorded: break
        }
      }
    }),
  FuzzTarget(
    "header-list", maximumLength: 1024, dictionary: "cors", seeds: HeaderSeeds.calls,
    run: { bytes in
      var reader = InputReader(bytes)
      let evidence = CallEvidence(fuzzing: &reader)
      let engines = [nil] + Engine.allCases.map(Optional.some)
      let engine = engines[bytes.count % engines.count]
      let call = evaluate(evidence, as: engine)
      if Thoroughness.chooses(bytes.count / engines.count) {
        try expect(call == evaluate(evidence, as: engine), "two verdicts on the same evidence")
      }
      switch call.verdict {
      case .allowed:
        try expect(call.reason == nil && call.missing.isEmpty, "allowed, with a reason")
      case .blocked, .contradicted:
        try expect(call.reason != nil && call.phase != nil, "refused without a reason")
        try expect(call.assumes.isEmpty && call.missing.isEmpty, "refused on an assumption")
      case .undetermined:
        try expect(call.assumes.isEmpty, "undetermined, yet something is assumed")
      }
      if Thoroughness.chooses(bytes.count / engines.count) { try expectStable(call) }
    }),
]

/// URLs that a `Location` is resolved against.
private let bases = [
  RequestURL(scheme: "https", host: "api.example", port: 443, target: "/a/b?c"),
  RequestURL(scheme: "http", host: "[::1]", port: 8080, target: "/"),
  RequestURL(scheme: nil, host: "api.example", port: nil, target: "/a"),
  RequestURL(scheme: nil, host: nil, port: nil, target: ""),
]

/// A URL comes back as it was written.
private func expectSame(_ read: RequestURL?, _ written: RequestURL) throws {
  guard let read, read == written, read.target.hasSameBytes(as: written.target) else {
    throw Violation(description: "\(written) comes back as \(String(describing: read))")
  }
}

private func expectSame(text left: String, _ right: String) throws {
  try expect(left.hasSameBytes(as: right), "redacted again: \(left), not \(right)")
}

extension CallEvidence {
  /// A call whose parts the bytes choose, and whose header fields they are.
  fileprivate init(fuzzing reader: inout InputReader) {
    let shape = reader.byte()
    let kinds = CallKind.allCases
    let kind = kinds[reader.byte() % kinds.count]
    let statuses = [200, 204, 301, 303, 304, 307, 401, 404, 502, 0]
    let coverages: [Coverage] = [
      .complete, .complete, .truncated,
      .only([
        .origin: .firstLine, .accessControlAllowOrigin: .firstLine,
        .accessControlAllowMethods: [.firstLine, .absentOrEmpty],
        .accessControlAllowHeaders: .joined, .cookie: .presence, .location: .cut,
      ]),
    ]
    func exchange(_ number: UInt64, isPreflight: Bool) -> Exchange {
      let status = statuses[reader.byte() % statuses.count]
      let coverage = coverages[reader.byte() % coverages.count]
      let methods = ["GET", "PUT", "POST", "patch", "HEAD", ""]
      let method = methods[reader.byte() % methods.count]
      let start = EventTime(seconds: 1_795_460_000 + Int64(number))
      let hosts = ["api.example", "app.example", "b.example"]
      let host = hosts[reader.byte() % hosts.count]
      return Exchange(
        id: ExchangeID(source: "fuzz@0", number: number), startedAt: start, endedAt: start,
        timeBasis: .both, resolution: .microsecond, client: "192.0.2.1",
        method: isPreflight ? "OPTIONS" : method,
        url: RequestURL(scheme: "https", host: host, port: 443, target: "/a"),
        status: status == 0 ? nil : status, httpVersion: number % 2 == 0 ? "HTTP/2" : "HTTP/1.1",
        ending: status == 0 ? .unanswered : .complete,
        request: Self.message(coverage, reader.take(reader.byte())),
        response: status == 0 ? .unseen : Self.message(coverage, reader.take(reader.byte())))
    }
    var hops: [Hop] = []
    for index in 0...(shape >> 4 & 1) {
      let number = UInt64(2 * index + 1)
      let preflight = shape & (1 << index) != 0 ? exchange(number, isPreflight: true) : nil
      let hasRequest = shape & (4 << index) != 0 || preflight == nil || index < shape >> 4 & 1
      hops.append(
        Hop(
          preflight: preflight,
          request: hasRequest ? exchange(number + 1, isPreflight: false) : nil))
    }
    let origins = ["https://app.example", "null", "https://other.example:8443", "x"]
    self.init(
      origin: origins[shape >> 5 & 3],
      engine: shape & 0x80 == 0 ? nil : Engine.shipping[shape % Engine.shipping.count], hops: hops,
      kind: kind)
  }

  /// `name: value` lines; a number in place of a name stands for a known one.
  private static func message(
    _ coverage: Coverage, _ bytes: ByteView
  ) -> MessageEvidence {
    let fields = bytes.lines.compactMap { line -> HeaderField? in
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
      let name = WireText.decode(line[..<colon])
      let value = WireText.decode(line[(colon + 1)...])
      let known = Int(name).map { HeaderName.known[abs($0 % HeaderName.known.count)] }
      return HeaderField(known ?? HeaderName(name), value)
    }
    return MessageEvidence(coverage: coverage, fields: fields)
  }
}

/// Calls to begin with.
enum HeaderSeeds {
  static func calls() throws -> [[UInt8]] {
    func message(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
    let asked =
      "origin:https://app.example\naccess-control-request-method:PUT\n"
      + "access-control-request-headers:x-a,x-b"
    let allowed =
      "access-control-allow-origin:*\naccess-control-allow-methods:PUT, DELETE\n"
      + "access-control-allow-headers:x-a, *\naccess-control-max-age:600"
    let sent = "origin:https://app.example\nx-a:1\nsec-fetch-mode:cors\ncookie:"
    let answered =
      "access-control-allow-origin:https://app.example\naccess-control-allow-credentials:true"
    let redirect = "access-control-allow-origin:*\nlocation:https://b.example/a"
    let preflight: [UInt8] = [1, 0, 0, 0] + message(asked) + message(allowed)
    let request: [UInt8] = [0, 0, 1, 0] + message(sent) + message(answered)
    let hop: [UInt8] = [5, 0, 1, 0] + message(sent) + message(redirect)
    return [
      [0x05, 1] + preflight + request, [0x84, 0] + request, [0x15, 1] + preflight + hop + request,
      [0x01, 3] + preflight, [0x04, 4, 0, 3, 1, 0] + message(sent) + message(answered),
    ]
  }
}
