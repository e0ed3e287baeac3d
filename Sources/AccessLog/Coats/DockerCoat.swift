extension LogCoat {
  /// `docker`: what the `json-file` driver writes.
  ///
  /// A line of more than 16 KiB is several objects, of which the last alone ends in a line feed.
  static let docker = LogCoat(
    name: "docker", summary: "Docker's json-file driver: {\"log\":LINE,\"stream\":…,\"time\":…}",
    rule: .line { line, scratch in dockerMembers.read(line, scratch) })

  private static let dockerMembers = JSONCoat(
    texts: ["log"], signs: ["stream"], senders: ["stream"],
    // Fluent Bit writes the same names around lines that it took out of a CRI coat.
    containers: ["kubernetes"], stamps: [("time", .any), ("@timestamp", .any)],
    partials: [("logtag", "P")], needsLineFeed: true)
}
