extension LogCoat {
  /// `filebeat`: what Filebeat, Logstash and Fluent Bit write as JSON.
  static let shipperJSON = LogCoat(
    name: "filebeat",
    summary: "Filebeat, Logstash, Fluent Bit: JSON with the line in message or log",
    rule: .line { line, scratch in shipperMembers.read(line, scratch) })

  /// Which pod or file a line is from stands in an object, which is compared as a whole; a path
  /// only tells files of one program apart.
  private static let shipperMembers = JSONCoat(
    texts: ["message", "log"], signs: ["@timestamp", "date", "time", "logtag", "ingestionTime"],
    senders: ["stream"], containers: ["kubernetes", "container", "container_id"],
    // The runtime's stamp is nearer to the line than the shipper's.
    stamps: [
      ("time", .any), ("@timestamp", .any), ("timestamp", .milliseconds), ("date", .any),
    ],
    partials: [("logtag", "P"), ("partial_message", "true")])
}
