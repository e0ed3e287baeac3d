internal import HTTPExchange

extension LogFormat {
  /// `cloudfront-realtime`: real-time logs with all fields in their documented order.
  static let cloudFrontRealTime = LogFormat(
    name: "cloudfront-realtime",
    summary: "CloudFront real-time logs with every field, after the documentation: "
      + "Origin, but no header "
      + "of the response",
    rule: .layout(CloudFrontFields.layout(CloudFrontFields.all, allowsMore: true)),
    configuration: """
      # CloudFront real-time logs: choose every field, or at least timestamp, c-ip, sc-status,
      # cs-method, cs-protocol, cs-host, cs-uri-stem, cs-uri-query, x-host-header, cs-user-agent and
      # cs-headers, with a sampling rate of 100. Lines have no header: name the fields in the order of
      # the configuration, as --format 'cloudfront-realtime:timestamp,c-ip,…'. No header of the
      # response can be logged (nor added by a function or a response headers policy be seen), so no
      # verdict is possible from this log alone: log at the origin, too.

      """,
    hides: [
      "no header of the response is logged, so there is never a verdict",
      "cs-headers is cut at 800 bytes", "lines are sampled by the configuration's rate",
    ])
}

/// The fields of CloudFront's real-time logs.
enum CloudFrontFields {
  /// In the order of the documentation, which is that of a configuration with all of them.
  static let all = [
    "timestamp", "c-ip", "s-ip", "time-to-first-byte", "sc-status", "sc-bytes", "cs-method",
    "cs-protocol", "cs-host", "cs-uri-stem", "cs-bytes", "x-edge-location", "x-edge-request-id",
    "x-host-header", "time-taken", "cs-protocol-version", "c-ip-version", "cs-user-agent",
    "cs-referer", "cs-cookie", "cs-uri-query", "x-edge-response-result-type", "x-forwarded-for",
    "ssl-protocol", "ssl-cipher", "x-edge-result-type", "fle-encrypted-fields", "fle-status",
    "sc-content-type", "sc-content-len", "sc-range-start", "sc-range-end", "c-port",
    "x-edge-detailed-result-type", "c-country", "cs-accept-encoding", "cs-accept",
    "cache-behavior-path-pattern", "cs-headers", "cs-header-names", "cs-headers-count",
  ]

  static func layout(_ names: [String], allowsMore: Bool = false) -> LineLayout {
    let hasHostHeader = names.contains("x-host-header")
    let meanings = names.map { name -> FieldMeaning in
      switch name {
      case "timestamp": .stamp(Stamp(form: .epoch(unit: 1_000_000_000), isStart: false))
      case "c-ip": .client
      case "sc-status": .status
      case "cs-method": .method
      case "cs-protocol": .scheme
      case "cs-host": hasHostHeader ? .ignored : .hostHeader
      case "x-host-header": .hostHeader
      case "cs-uri-stem": .path
      case "cs-uri-query": .arguments
      case "time-taken": .duration(unit: 1_000_000_000)
      case "cs-protocol-version": .httpVersion
      case "cs-user-agent": .userAgent
      case "cs-referer": .requestHeader(.referer)
      case "x-forwarded-for": .requestHeader(.xForwardedFor)
      case "cs-headers":
        .requestBlock(BlockShape(spelling: .lines, isWhole: true, limit: 800))
      default: .ignored
      }
    }
    return LineLayout(
      .columns(
        ColumnRule(
          separator: .byte(0x09), isQuoted: false,
          spans: Array(repeating: 1, count: names.count), allowsMore: allowsMore)),
      meanings: meanings, escaping: .percent)
  }
}
