extension LogFormat {
  /// `json`: one flat JSON object a line, whose members are known by their names.
  static let jsonLines = LogFormat(
    name: "json", summary: "one JSON object a line, its members known by their names",
    rule: .learned(LayoutLearner(.json), first: nil), configuration: CommonParts.configuration,
    hides: namelessHides)

  /// `key-value`: a known left part, then `NAME="value"` or `NAME=value`.
  static let keyValue = LogFormat(
    name: "key-value",
    summary: "common, combined or a timed line, then NAME=\"value\" pairs known by their names",
    rule: .learned(
      LayoutLearner(
        .named,
        lefts: [
          CommonParts.layout(CommonParts.timed, allowsTail: true),
          CommonParts.layout(
            CommonParts.vhost + CommonParts.common + CommonParts.agents, allowsTail: true),
          CommonParts.layout(CommonParts.common + CommonParts.agents, allowsTail: true),
          CommonParts.layout(CommonParts.vhost + CommonParts.common, allowsTail: true),
          CommonParts.layout(CommonParts.common, allowsTail: true),
        ]), first: nil),
    configuration: CommonParts.configuration, hides: namelessHides)

  static let namelessHides = [
    "nothing in the lines says which server wrote them, so each field counts as one of possibly "
      + "several lines; with the server's configuration (--format @FILE) it may count as all",
    "a member or a name that a line leaves out counts as not recorded",
  ]
}
