extension LogFormat {
  /// `combined`: the default of nginx and the usual one of Apache.
  static let combined = LogFormat(
    name: "combined", summary: "nginx and Apache combined: no header that CORS rests on",
    layout: CommonParts.layout(CommonParts.common + CommonParts.agents),
    configuration: CommonParts.configuration)

  /// `common`: the oldest format.
  static let common = LogFormat(
    name: "common", summary: "Common Log Format: neither origin nor user agent",
    layout: CommonParts.layout(CommonParts.common), configuration: CommonParts.configuration)

  /// `vhost_combined`: Debian's Apache format for several hosts.
  static let vhostCombined = LogFormat(
    name: "vhost_combined", summary: "Apache combined with the virtual host and port in front",
    layout: CommonParts.layout(CommonParts.vhost + CommonParts.common + CommonParts.agents),
    configuration: apacheCORS.configuration)

  /// `vcombined`: combined with the virtual host in front.
  static let vcombined = LogFormat(
    name: "vcombined", summary: "combined with the virtual host in front",
    layout: CommonParts.layout(CommonParts.host + CommonParts.common + CommonParts.agents),
    configuration: CommonParts.configuration)

  /// `vcommon`: common with the virtual host in front.
  static let vcommon = LogFormat(
    name: "vcommon", summary: "common with the virtual host in front",
    layout: CommonParts.layout(CommonParts.host + CommonParts.common),
    configuration: CommonParts.configuration)

  /// `main`: what nginx's own packages configure.
  static let nginxMain = LogFormat(
    name: "main", summary: "nginx combined with X-Forwarded-For behind it",
    layout: CommonParts.layout(
      CommonParts.common + CommonParts.agents + " \"$http_x_forwarded_for\""),
    configuration: nginxCORS.configuration)

  /// `combined-and-more`: combined with fields behind it that nothing names.
  static let combinedAndMore = LogFormat(
    name: "combined-and-more",
    summary: "common or combined, followed by fields that nothing names and that are not read",
    rule: .learned(
      LayoutLearner(
        .tail,
        lefts: [
          CommonParts.layout(
            CommonParts.vhost + CommonParts.common + CommonParts.agents, allowsTail: true),
          CommonParts.layout(CommonParts.common + CommonParts.agents, allowsTail: true),
          CommonParts.layout(CommonParts.common, allowsTail: true),
        ]), first: nil), configuration: CommonParts.configuration, rank: .fallback)
}

/// The pieces from which the formats of the Common Log Format's family are made.
///
/// nginx and Apache write the same lines, one at the end and the other with the start of a request.
/// Since a line does not say which of them wrote it, the stamp counts as the end, which excludes
/// no pair that can be true.
enum CommonParts {
  static let vhost = "$server_name:$server_port "
  static let host = "$server_name "
  /// The host where others write the client's identity.
  static let hostSecond =
    "$remote_addr $identity $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
  static let hostSecondNames: [String: (FieldMeaning, FieldForm)] = [
    "identity": (.identityOrHost, .word)
  ]
  static let common =
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent"
  static let agents = " \"$http_referer\" \"$http_user_agent\""
  static let timed =
    "$remote_addr [$time_iso8601] $msec $request_time $scheme://$host:$server_port \"$request\""
    + " $status $body_bytes_sent"

  /// Nothing in such lines says whether nginx or Apache wrote them.
  static let configuration =
    "# Where nginx writes the log:\n\n" + (LogFormat.nginxCORS.configuration ?? "")
    + "\n# Where Apache does:\n\n" + (LogFormat.apacheCORS.configuration ?? "")

  /// A layout of lines that any server may have written.
  static func layout(_ pattern: String, allowsTail: Bool = false) -> LineLayout {
    LineLayout.builtIn(pattern, escaping: .anyText, allowsTail: allowsTail)
  }
}

extension LineLayout {
  /// The layout of a pattern in nginx's spelling that is part of the program.
  ///
  /// - Parameter names: what names mean that are no variables of nginx.
  static func builtIn(
    _ pattern: String, escaping: Escaping, allowsTail: Bool = false,
    names: [String: (FieldMeaning, FieldForm)] = [:], repeats: Repeats? = nil
  ) -> LineLayout {
    // The patterns are tested one by one; what does not compile would fit no line.
    var elements =
      (try? NginxPattern.elements(Array(pattern.utf8), flags: [:], names: names)) ?? []
    if escaping == .anyText {
      for index in elements.indices {
        if case .field(.stamp(var stamp), let form) = elements[index], stamp.form == .clf {
          stamp.isFirm = false
          elements[index] = .field(.stamp(stamp), form)
        }
      }
    }
    return LineLayout(
      elements: elements, escaping: escaping, mayBeNginx: names.isEmpty, allowsTail: allowsTail,
      repeats: repeats)
  }
}
