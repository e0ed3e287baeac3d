internal import HTTPExchange

/// The log formats that an HAProxy configuration defines, one for each frontend.
struct HAProxyConfiguration {
  private(set) var formats: [LogFormat] = []

  private struct Section {
    var name: String
    var isFrontend: Bool
    var pattern = HAProxyPattern()
    var logFormat: (text: [UInt8], line: Int)?
    var isHTTPLog = false
    var isCLF = false
  }

  /// Whether a text is such a configuration.
  static func recognizes(_ text: [UInt8]) -> Bool {
    var sections = 0
    // nginx has a directive "listen", too, but in a block and with a semicolon.
    for line in text.split(separator: 0x0A)
    where line.first != 0x20 && line.first != 0x09 && !line.contains(UInt8(ascii: ";")) {
      let word = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.first
      switch word.map({ String(decoding: $0.prefix(20), as: UTF8.self) }) {
      case "frontend", "listen", "defaults", "backend": sections += 1
      default: break
      }
    }
    return sections > 0
  }

  /// - Throws: ``FormatError`` with the line, when a `log-format` cannot be compiled.
  init(_ text: [UInt8]) throws(FormatError) {
    var defaults = Section(name: "", isFrontend: false)
    var section: Section?
    var number = 0
    for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      let words = Self.words(Array(line))
      guard let first = words.first else { continue }
      switch first {
      case "frontend", "listen", "defaults", "backend", "global":
        try close(section, &defaults)
        section = Section(
          name: first == "defaults" ? "" : words.count > 1 ? words[1] : first,
          isFrontend: first == "frontend" || first == "listen")
        if first != "defaults" {
          section?.logFormat = defaults.logFormat
          section?.isHTTPLog = defaults.isHTTPLog
          section?.isCLF = defaults.isCLF
          section?.pattern = defaults.pattern
        }
      default:
        guard var open = section else { continue }
        Self.read(words, number, &open)
        section = open
      }
    }
    try close(section, &defaults)
  }

  private mutating func close(_ section: Section?, _ defaults: inout Section) throws(FormatError) {
    guard let section else { return }
    if section.name.isEmpty { defaults = section }
    guard section.isFrontend, formats.count <= AccessLogLimits.configurationFormats else { return }
    if let (text, line) = section.logFormat {
      do throws(FormatError) {
        let layout = try section.pattern.layout(text)
        formats.append(
          LogFormat(
            name: section.name, summary: "HAProxy log-format of a configuration",
            rule: .layout(layout), configuration: LogFormat.haproxy.configuration,
            hides: LogFormat.haproxy.hides))
      } catch {
        // Formats without time or request are for another purpose.
        if error.column == nil { return }
        var error = error
        error.reason = "log-format of \(section.name): \(error.reason)"
        error.line = line
        throw error
      }
    } else if section.isHTTPLog {
      formats.append(
        LogFormat(
          name: section.name, summary: "HAProxy httplog with the captures of a configuration",
          rule: .layouts(
            HAProxyLines.layouts(
              request: section.pattern.request, response: section.pattern.response,
              isCLF: section.isCLF)),
          configuration: LogFormat.haproxy.configuration, hides: LogFormat.haproxy.hides))
    }
  }

  private static func read(_ words: [String], _ line: Int, _ section: inout Section) {
    let length = words.firstIndex(of: "len").flatMap {
      $0 + 1 < words.count ? Int(words[$0 + 1]) : nil
    }
    let slot = words.firstIndex(of: "id").flatMap {
      $0 + 1 < words.count ? Int(words[$0 + 1]) : nil
    }
    switch (words[0], words.count > 1 ? words[1] : "") {
    case ("option", "httplog"):
      section.isHTTPLog = true
      section.isCLF = words.count > 2 && words[2] == "clf"
      section.logFormat = nil
    case ("log-format", _) where words.count > 1:
      section.logFormat = (Array(words[1].utf8), line)
    case ("capture", "request") where words.count > 3:
      let meaning = HAProxyPattern.header(of: "req.hdr(\(words[3]))") ?? .ignored
      section.pattern.request.append(.init(meaning: meaning, length: length ?? 0))
    case ("capture", "response") where words.count > 3:
      let meaning = HAProxyPattern.header(of: "res.hdr(\(words[3]))") ?? .ignored
      section.pattern.response.append(.init(meaning: meaning, length: length ?? 0))
    case ("declare", "capture") where words.count > 2:
      let new = HAProxyLines.Slot(meaning: .ignored, length: length ?? 0)
      if words[2] == "request" { section.pattern.request.append(new) }
      if words[2] == "response" { section.pattern.response.append(new) }
    case ("http-request", "capture") where words.count > 2:
      let meaning = HAProxyPattern.header(of: words[2]) ?? .ignored
      put(
        meaning, length, slot, isConditional: words.contains { $0 == "if" || $0 == "unless" },
        &section.pattern.request)
    case ("http-response", "capture") where words.count > 2:
      let meaning = HAProxyPattern.header(of: words[2]) ?? .ignored
      put(
        meaning, length, slot, isConditional: words.contains { $0 == "if" || $0 == "unless" },
        &section.pattern.response)
    case ("http-request", let action), ("http-response", let action):
      guard action.hasPrefix("set-var("), action.hasSuffix(")"), words.count > 2 else { return }
      section.pattern.variables[String(action.dropFirst(8).dropLast())] =
        HAProxyPattern.header(of: words[2])
    default: break
    }
  }

  /// A capture with `len` makes a slot of its own, one with `id` fills a slot that was declared.
  private static func put(
    _ meaning: FieldMeaning, _ length: Int?, _ slot: Int?, isConditional: Bool,
    _ slots: inout [HAProxyLines.Slot]
  ) {
    if let length {
      // Under a condition nothing is captured where the field may have been.
      slots.append(.init(meaning: isConditional ? .ignored : meaning, length: length))
    } else if let slot, slots.indices.contains(slot) {
      let isFree = slots[slot].meaning == .ignored && !isConditional
      slots[slot].meaning = isFree ? meaning : .ignored
    }
  }

  /// The words of a line, quotation marks and escapes undone; a comment ends it.
  static func words(_ line: [UInt8]) -> [String] {
    var words: [String] = []
    var word: [UInt8] = []
    var isOpen = false
    var quote: UInt8?
    var index = 0
    while index < line.count {
      let byte = line[index]
      if quote == nil, byte == UInt8(ascii: "#"), !isOpen { break }
      if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'"), index + 1 < line.count {
        word.append(line[index + 1])
        isOpen = true
        index += 2
        continue
      }
      if let open = quote {
        if byte == open { quote = nil } else { word.append(byte) }
      } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
        isOpen = true
      } else if byte == 0x20 || byte == 0x09 || byte == 0x0D {
        if isOpen { words.append(String(decoding: word, as: UTF8.self)) }
        word = []
        isOpen = false
      } else {
        word.append(byte)
        isOpen = true
      }
      index += 1
    }
    if isOpen { words.append(String(decoding: word, as: UTF8.self)) }
    return words
  }
}
