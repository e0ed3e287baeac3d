extension LogFormat {
  /// `haproxy`: `option httplog`, with or without captured headers.
  static let haproxy = LogFormat(
    name: "haproxy",
    summary: "HAProxy's httplog: captured headers only when its configuration is given",
    rule: .layouts(HAProxyLines.layouts(request: nil, response: nil)),
    configuration: HAProxyLines.configuration,
    hides: [
      "which header stands in which captured slot is known from the configuration alone: give it "
        + "with --format @haproxy.cfg",
      "of several lines of a field only the last is captured",
      "a capture is cut at its len, and a line at the len of its log target (1024 by default)",
    ], rank: .unmistakable)
}

extension LogFormat {
  /// `haproxy-clf`: `option httplog clf`, with or without captured headers.
  static let haproxyCLF = LogFormat(
    name: "haproxy-clf",
    summary: "HAProxy's httplog clf: captured headers only when its configuration is given",
    rule: .layouts(HAProxyLines.layouts(request: nil, response: nil, isCLF: true)),
    configuration: HAProxyLines.configuration,
    hides: haproxy.hides,
    rank: .unmistakable)
}

/// The lines of `option httplog`.
enum HAProxyLines {
  /// A captured header: what it is, and where it is cut.
  struct Slot {
    var meaning: FieldMeaning
    var length: Int
  }

  /// The layouts of the lines, the fullest first: each block stands there only where headers of that
  /// direction are captured, and that of the response not always.
  ///
  /// - Parameters:
  ///   - request: the slots of the request; `nil` when it is not known whether there are any.
  ///   - isCLF: whether the lines are those of `option httplog clf`.
  static func layouts(
    request: [Slot]?, response: [Slot]?, isCLF: Bool = false
  ) -> [LineLayout] {
    let unknown = [Slot(meaning: .ignored, length: 0)]
    guard let request, let response else {
      // The slots of the other order stand at the end of the line, one like another.
      return isCLF
        ? [clfLayout([], allowsTail: true)] : [[unknown, unknown], [unknown], []].map(layout)
    }
    if isCLF {
      // The blank that parts captures stands at the end where there are none, unless a syslog daemon
      // takes it off.
      return (request.isEmpty || response.isEmpty ? [] : [clfLayout([request, response])])
        + (request.isEmpty && response.isEmpty
          ? [] : [clfLayout([request.isEmpty ? response : request])])
        + [clfLayout([]), clfLayout([], end: "\" ")]
    }
    switch (request.isEmpty, response.isEmpty) {
    case (true, true): return [layout([])]
    // An unreadable request has no block at all.
    case (false, true): return [layout([request]), layout([])]
    case (true, false): return [layout([response]), layout([])]
    case (false, false): return [layout([request, response]), layout([request]), layout([])]
    }
  }

  /// The fields of a line as it is put together from the left.
  private struct Fields {
    private var elements: [LineElement] = []
    private var limits: [Int] = []

    mutating func add(
      _ meaning: FieldMeaning, _ form: FieldForm, after literal: String, length: Int = 0
    ) {
      end(with: literal)
      elements.append(.field(meaning, form))
      limits.append(length)
    }

    mutating func end(with literal: String) {
      elements.append(.literal(Array(literal.utf8)))
    }

    func layout(allowsTail: Bool = false) -> LineLayout {
      LineLayout(
        elements: elements, escaping: .hashCaptures, mayBeNginx: false, allowsTail: allowsTail,
        repeats: Repeats(request: .last, response: .last), limits: limits)
    }
  }

  private static func layout(_ blocks: [[Slot]]) -> LineLayout {
    var line = Fields()
    line.add(.clientAndPort, .word, after: "")
    line.add(.stamp(Stamp(form: .clf, isStart: true)), .text, after: " [")
    line.add(.frontend, .word, after: "] ")
    line.add(.ignored, .word, after: " ")
    for index in 0..<4 { line.add(.ignored, .text, after: index == 0 ? " " : "/") }
    line.add(.duration(unit: 1_000_000), .word, after: "/")
    line.add(.status, .word, after: " ")
    // Bytes, cookies, how it ended, connections, queues.
    for _ in 0..<6 { line.add(.ignored, .word, after: " ") }
    for block in blocks {
      for (index, slot) in block.enumerated() {
        line.add(slot.meaning, .text, after: index == 0 ? " {" : "|", length: slot.length)
      }
      line.end(with: "}")
    }
    line.add(.requestLine, .text, after: " \"")
    line.end(with: "\"")
    return line.layout()
  }

  /// A line of `option httplog clf`: everything but numbers is quoted, and the captured values follow
  /// one by one, without a sign where those of the response begin.
  private static func clfLayout(
    _ blocks: [[Slot]], end: String = "\"", allowsTail: Bool = false
  ) -> LineLayout {
    var line = Fields()
    line.add(.client, .word, after: "")
    line.add(.stamp(Stamp(form: .clf, isStart: true)), .text, after: " - - [")
    line.add(.requestLine, .text, after: "] \"")
    line.add(.status, .word, after: "\" ")
    line.add(.ignored, .word, after: " ")
    // The client's port, and the milliseconds at which it connected: not those of the stamp before,
    // which is of the request, and so later by a handshake and, where the connection was used
    // before, by any time.
    line.add(.ignored, .word, after: " \"\" \"\" ")
    line.add(.ignored, .word, after: " ")
    line.add(.frontend, .text, after: " \"")
    line.add(.ignored, .text, after: "\" \"")
    line.add(.ignored, .text, after: "\" \"")
    for index in 0..<4 { line.add(.ignored, .word, after: index == 0 ? "\" " : " ") }
    line.add(.duration(unit: 1_000_000), .word, after: " ")
    // How it ended, connections, queues; then cookies.
    for _ in 0..<8 { line.add(.ignored, .word, after: " ") }
    line.add(.ignored, .text, after: " \"")
    line.add(.ignored, .text, after: "\" \"")
    for slot in blocks.joined() {
      line.add(slot.meaning, .text, after: "\" \"", length: slot.length)
    }
    line.end(with: end)
    return line.layout(allowsTail: allowsTail)
  }

  static let configuration = """
    # haproxy.cfg, in the frontend. The lines name their fields, so that this file need not be kept
    # with the log; the count of Access-Control-Allow-Origin lines shows what a capture hides.
    frontend www
        log 127.0.0.1:514 len 8192 local0
        declare capture request len 256
        declare capture request len 32
        declare capture request len 1024
        declare capture request len 16
        declare capture request len 16
        declare capture request len 256
        declare capture request len 256
        declare capture request len 128
        declare capture response len 256
        declare capture response len 8
        declare capture response len 512
        declare capture response len 1024
        declare capture response len 16
        http-request capture req.fhdr(Origin) id 0
        http-request capture req.fhdr(Access-Control-Request-Method) id 1
        http-request capture req.fhdr(Access-Control-Request-Headers) id 2
        http-request capture req.fhdr(Sec-Fetch-Mode) id 3
        http-request capture req.fhdr(Sec-Fetch-Site) id 4
        http-request capture req.fhdr(Host) id 5
        http-request capture req.fhdr(User-Agent) id 6
        http-request capture req.fhdr(X-Forwarded-For) id 7
        http-request set-var(txn.cookie_n) req.fhdr_cnt(Cookie)
        http-response capture res.fhdr(Access-Control-Allow-Origin) id 0
        http-response capture res.fhdr(Access-Control-Allow-Credentials) id 1
        http-response capture res.fhdr(Access-Control-Allow-Methods) id 2
        http-response capture res.fhdr(Access-Control-Allow-Headers) id 3
        http-response capture res.fhdr(Access-Control-Max-Age) id 4
        http-response set-var(txn.acao_n) res.fhdr_cnt(Access-Control-Allow-Origin)
        log-format '{"start":"%tr","client":"%ci","frontend":"%ft","method":"%HM","uri":%{+E,+Q}HU,"protocol":"%HV","status":%ST,"duration_ms":%Ta,"state":"%tsc","http_host":"%[capture.req.hdr(5),json(utf8s)]","user_agent":"%[capture.req.hdr(6),json(utf8s)]","x_forwarded_for":"%[capture.req.hdr(7),json(utf8s)]","has_cookie":"%[var(txn.cookie_n)]","origin":"%[capture.req.hdr(0),json(utf8s)]","acrm":"%[capture.req.hdr(1),json(utf8s)]","acrh":"%[capture.req.hdr(2),json(utf8s)]","sec_fetch_mode":"%[capture.req.hdr(3),json(utf8s)]","sec_fetch_site":"%[capture.req.hdr(4),json(utf8s)]","acao":"%[capture.res.hdr(0),json(utf8s)]","acao_n":"%[var(txn.acao_n)]","acac":"%[capture.res.hdr(1),json(utf8s)]","acam":"%[capture.res.hdr(2),json(utf8s)]","acah":"%[capture.res.hdr(3),json(utf8s)]","acma":"%[capture.res.hdr(4),json(utf8s)]"}'

    """
}
