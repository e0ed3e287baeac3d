internal import HTTPExchange

extension LogFormat {
  /// `s3`: server access logs of S3.
  static let s3 = LogFormat(
    name: "s3",
    summary: "AWS S3 server access logs, after the documentation: "
      + "no Origin, preflights are named",
    rule: .layout(
      .builtIn(
        "$owner $bucket [$start] $client $requester $id $operation $key $line $status "
          + "$error $sent $size $total $turn $from $agent $version "
          + "$host_id $signature $cipher $authentication $host",
        escaping: .anyText, allowsTail: true, names: names)),
    configuration: """
      # S3 logs neither Origin nor any header of the response, and nothing can change that. Its CORS
      # rules (aws s3api get-bucket-cors) say what it answers; a CDN or proxy in front of the bucket
      # can log what the browser got.

      """,
    hides: [
      "neither Origin nor any header of the response is logged",
      "delivery is best effort: lines can come hours late, or not at all",
    ], rank: .unmistakable)

  private static let names: [String: (FieldMeaning, FieldForm)] = {
    var names: [String: (FieldMeaning, FieldForm)] = [
      "start": (.stamp(Stamp(form: .clf, isStart: true)), .text),
      "client": (.client, .word), "host": (.hostHeader, .word),
      // Of what S3 did without a request of its own, as in a batch, these stand without quotation marks.
      "line": (.requestLine, .json), "from": (.requestHeader(.referer), .json),
      "agent": (.userAgent, .json),
      "total": (.duration(unit: 1_000_000), .word),
    ]
    for name in [
      "owner", "bucket", "requester", "id", "operation", "key", "error", "sent", "size", "turn",
      "version", "host_id", "signature", "cipher", "authentication",
    ] {
      names[name] = (.ignored, .word)
    }
    return names
  }()
}
