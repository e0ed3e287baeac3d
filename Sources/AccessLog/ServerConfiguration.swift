internal import HTTPExchange

/// The log formats that a server's configuration defines.
struct ServerConfiguration {
  /// In the order of the file.
  private(set) var formats: [LogFormat] = []

  /// Reads `log_format` and `map` of nginx, or `LogFormat` and `CustomLog` of Apache.
  ///
  /// - Throws: ``FormatError`` with the line, when a format cannot be compiled.
  init(_ text: [UInt8]) throws(FormatError) {
    let words = String(decoding: text, as: UTF8.self)
    if GatewayPattern.recognizes(words) {
      // The file is the format itself, as access log settings name it.
      let pattern = words.trimming { $0.isWhitespace }
      formats = [.gateway(try GatewayPattern.layout(Array(pattern.utf8)), "of a file")]
    } else if Self.isApache(text) {
      try readApache(text)
    } else if HAProxyConfiguration.recognizes(text) {
      formats = try HAProxyConfiguration(text).formats
    } else if EnvoyConfiguration.recognizes(words) {
      formats = try EnvoyConfiguration(words).formats
    } else if words.contains("accesslog.") || words.contains("mod_accesslog") {
      try readLighttpd(words)
    } else if words.contains("varnishncsa") {
      try readVarnish(words)
    } else {
      try readNginx(text)
    }
    // One more than the limit is read, which tells that there are more.
    guard formats.count <= AccessLogLimits.configurationFormats else {
      throw FormatError(
        "has more than \(AccessLogLimits.configurationFormats) log formats: give one of them by itself"
      )
    }
  }

  // MARK: lighttpd and Varnish

  /// Reads `accesslog.format`, or takes the default where there is none.
  private mutating func readLighttpd(_ text: String) throws(FormatError) {
    var patterns: [(String, Int)] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = HAProxyConfiguration.words(Array(line.utf8))
      guard words.count >= 3, words[0] == "accesslog.format", words[1] == "=" else { continue }
      patterns.append((words[2], index + 1))
    }
    if patterns.isEmpty {
      patterns.append((#"%h %V %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#, 1))
    }
    for (pattern, line) in patterns.prefix(AccessLogLimits.configurationFormats + 1) {
      try add(pattern, of: .lighttpd, named: "lighttpd", line: line, like: .lighttpd)
    }
  }

  /// Reads the arguments of `varnishncsa`: `-F FORMAT`, and `-j` beside it.
  private mutating func readVarnish(_ text: String) throws(FormatError) {
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = HAProxyConfiguration.words(Array(line.utf8))
      guard words.contains(where: { $0.hasSuffix("varnishncsa") }),
        formats.count <= AccessLogLimits.configurationFormats
      else { continue }
      let place = words.firstIndex(of: "-F").map { $0 + 1 }
      let pattern = place.flatMap { words.indices.contains($0) ? words[$0] : nil }
      try add(
        pattern ?? #"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-agent}i""#,
        of: words.contains("-j") ? .varnishJSON : .varnish, named: "varnishncsa-\(index + 1)",
        line: index + 1, like: .varnish)
    }
  }

  private mutating func add(
    _ pattern: String, of server: ApachePattern.Server, named name: String, line: Int,
    like format: LogFormat
  ) throws(FormatError) {
    do throws(FormatError) {
      let layout = try ApachePattern.layout(
        Self.formatUnescaped(Array(pattern.utf8)), of: server)
      formats.append(
        LogFormat(
          name: name, summary: "\(format.name) format of a configuration", layout: layout,
          configuration: format.configuration, hides: server == .lighttpd ? [] : format.hides))
    } catch {
      guard error.column != nil else { return }
      var error = error
      error.line = line
      throw error
    }
  }

  private static func isApache(_ text: [UInt8]) -> Bool {
    text.split(separator: 0x0A).contains { line in
      let words = line.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
      guard let first = words.first else { return false }
      let word = String(decoding: first.prefix(20), as: UTF8.self).asciiLowercased
      return ["logformat", "customlog", "globallog", "transferlog"].contains(word)
    }
  }

  // MARK: nginx

  private struct Word {
    var bytes: [UInt8]
    var line: Int
  }

  private mutating func readNginx(_ text: [UInt8]) throws(FormatError) {
    var directives: [[Word]] = []
    var flags: [String: HeaderName] = [:]
    var words: [Word] = []
    var line = 1
    var index = 0
    while index < text.count {
      let byte = text[index]
      switch byte {
      case 0x0A:
        line += 1
        index += 1
      case 0x20, 0x09, 0x0D:
        index += 1
      case UInt8(ascii: "#"):
        while index < text.count, text[index] != 0x0A { index += 1 }
      case UInt8(ascii: ";"), UInt8(ascii: "{"), UInt8(ascii: "}"):
        if let first = words.first {
          switch String(decoding: first.bytes, as: UTF8.self) {
          case "log_format" where byte != UInt8(ascii: "{"): directives.append(words)
          case "map" where byte == UInt8(ascii: "{") && words.count == 3:
            if let flag = Self.flag(words) { flags[flag.0] = flag.1 }
          default: break
          }
        }
        words = []
        index += 1
      default:
        let first = line
        guard let bytes = Self.word(text, &index, &line) else {
          throw FormatError("a quotation mark that is not closed", line: first)
        }
        // Only what is needed is remembered, so that a file of any content stays small.
        let name = words.first.map { String(decoding: $0.bytes, as: UTF8.self) }
        if name == nil || name == "log_format" || (name == "map" && words.count < 4) {
          words.append(Word(bytes: bytes, line: first))
        }
      }
    }
    if let first = words.first, first.bytes.elementsEqual("log_format".utf8) {
      throw FormatError("log_format lacks its \";\"", line: first.line)
    }
    for words in directives { try addNginx(words, flags: flags) }
  }

  private mutating func addNginx(
    _ words: [Word], flags: [String: HeaderName]
  ) throws(FormatError) {
    guard words.count >= 3 else {
      throw FormatError("log_format needs a name and a text", line: words[0].line)
    }
    guard formats.count <= AccessLogLimits.configurationFormats else { return }
    var escaping = Escaping.nginxDefault
    var strings = words[2...]
    if let word = strings.first, word.bytes.starts(with: "escape=".utf8) {
      let mode = String(decoding: word.bytes.dropFirst(7), as: UTF8.self)
      guard let known = Self.escaping(named: mode) else {
        throw FormatError("escape=\(mode) is none of default, json, none", line: word.line)
      }
      escaping = known
      strings = strings.dropFirst()
    }
    let name = String(decoding: words[1].bytes, as: UTF8.self)
    do throws(FormatError) {
      let layout = try NginxPattern.layout(
        strings.flatMap(\.bytes), escaping: escaping, flags: flags)
      formats.append(
        LogFormat(
          name: name, summary: "nginx log_format of a configuration", layout: layout,
          configuration: LogFormat.nginxCORS.configuration, hides: LogFormat.nginxCORS.hides))
    } catch {
      var error = error
      error.reason = "log_format \(name): \(error.reason)"
      error.line = words[1].line
      throw error
    }
  }

  static func escaping(named mode: String) -> Escaping? {
    switch mode {
    case "default": .nginxDefault
    case "json": .nginxJSON
    case "none": Escaping.none
    default: nil
    }
  }

  /// The variable of a `map` that says whether a header was there.
  private static func flag(_ words: [Word]) -> (String, HeaderName)? {
    let variable = String(decoding: words[2].bytes.dropFirst(), as: UTF8.self).asciiLowercased
    switch String(decoding: words[1].bytes, as: UTF8.self).asciiLowercased {
    case "$http_cookie": return (variable, .cookie)
    case "$http_authorization": return (variable, .authorization)
    default: return nil
    }
  }

  /// One word, perhaps quoted, with its escapes undone as nginx does it.
  private static func word(_ text: [UInt8], _ index: inout Int, _ line: inout Int) -> [UInt8]? {
    var result: [UInt8] = []
    let quote =
      text[index] == UInt8(ascii: "\"") || text[index] == UInt8(ascii: "'")
      ? text[index] : nil
    if quote != nil { index += 1 }
    while index < text.count {
      let byte = text[index]
      if byte == UInt8(ascii: "\\"), index + 1 < text.count {
        result += unescaped(text[index + 1])
        if text[index + 1] == 0x0A { line += 1 }
        index += 2
        continue
      }
      if let quote {
        if byte == quote {
          index += 1
          return result
        }
        if byte == 0x0A { line += 1 }
      } else {
        // In a word without quotation marks `${name}` may stand.
        if byte == UInt8(ascii: "{"), result.last == UInt8(ascii: "$") {
          while index < text.count, text[index] != UInt8(ascii: "}"), text[index] != 0x0A {
            result.append(text[index])
            index += 1
          }
          continue
        }
        if byte == UInt8(ascii: "}"), let open = result.lastIndex(of: UInt8(ascii: "{")),
          open > 0, result[open - 1] == UInt8(ascii: "$")
        {
          result.append(byte)
          index += 1
          continue
        }
        // To nginx other control characters are part of a word.
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ";"), UInt8(ascii: "{"), UInt8(ascii: "}"):
          return result
        default: break
        }
      }
      result.append(byte)
      index += 1
    }
    return quote == nil ? result : nil
  }

  /// What a backslash and a byte stand for in nginx's configuration.
  static func unescaped(_ byte: UInt8) -> [UInt8] {
    switch byte {
    case UInt8(ascii: "t"): [0x09]
    case UInt8(ascii: "r"): [0x0D]
    case UInt8(ascii: "n"): [0x0A]
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"): [byte]
    default: [UInt8(ascii: "\\"), byte]
    }
  }

  // MARK: Apache

  private mutating func readApache(_ text: [UInt8]) throws(FormatError) {
    var number = 0
    var line: [UInt8] = []
    var first = 1
    for part in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      number += 1
      if line.isEmpty { first = number }
      let isContinued = part.last == UInt8(ascii: "\\")
      line += isContinued ? part.dropLast() : part
      if isContinued { continue }
      try readApacheLine(line, number: first)
      line = []
    }
    try readApacheLine(line, number: first)
  }

  private mutating func readApacheLine(_ line: [UInt8], number: Int) throws(FormatError) {
    var index = 0
    guard let directive = Self.argument(line, &index) else { return }
    let pattern: [UInt8]
    let name: String
    switch String(decoding: directive.prefix(20), as: UTF8.self).asciiLowercased {
    case "logformat":
      guard let text = Self.argument(line, &index) else {
        throw FormatError("LogFormat needs a text", line: number)
      }
      pattern = text
      // Without a nickname it is the format of TransferLog.
      name = Self.argument(line, &index).map { String(decoding: $0, as: UTF8.self) } ?? "LogFormat"
    case "customlog", "globallog":
      guard Self.argument(line, &index) != nil, let text = Self.argument(line, &index),
        text.contains(UInt8(ascii: "%"))
      else { return }
      pattern = text
      name = "CustomLog"
    default:
      return
    }
    guard pattern.contains(UInt8(ascii: "%")),
      formats.count <= AccessLogLimits.configurationFormats
    else { return }
    do throws(FormatError) {
      formats.append(
        LogFormat(
          name: name, summary: "Apache LogFormat of a configuration",
          layout: try ApachePattern.layout(Self.formatUnescaped(pattern)),
          configuration: LogFormat.apacheCORS.configuration, hides: LogFormat.apacheCORS.hides))
    } catch {
      var error = error
      error.reason = "\(name): \(error.reason)"
      error.line = number
      // Formats such as `%{Referer}i -> %U` are for another purpose: no time, no request.
      if error.column == nil { return }
      throw error
    }
  }

  /// One argument of a directive, perhaps quoted, in which a backslash keeps a quotation mark.
  private static func argument(_ line: [UInt8], _ index: inout Int) -> [UInt8]? {
    while index < line.count, line[index] == 0x20 || line[index] == 0x09 || line[index] == 0x0D {
      index += 1
    }
    guard index < line.count, line[index] != UInt8(ascii: "#") else { return nil }
    let quote =
      line[index] == UInt8(ascii: "\"") || line[index] == UInt8(ascii: "'")
      ? line[index] : nil
    if quote != nil { index += 1 }
    var result: [UInt8] = []
    while index < line.count {
      let byte = line[index]
      if let quote {
        if byte == UInt8(ascii: "\\"), index + 1 < line.count,
          line[index + 1] == quote || line[index + 1] == UInt8(ascii: "\\")
        {
          result.append(line[index + 1])
          index += 2
          continue
        }
        if byte == quote {
          index += 1
          return result
        }
      } else if byte == 0x20 || byte == 0x09 || byte == 0x0D {
        return result
      }
      result.append(byte)
      index += 1
    }
    return result
  }

  /// Undoes what is left for the format itself: `\t`, `\n`, `\r`, `\\`, and a kept quotation mark.
  static func formatUnescaped(_ text: [UInt8]) -> [UInt8] {
    var columns: [Int] = []
    return formatUnescaped(text, columns: &columns)
  }

  /// The same, and from which place of the text each byte came.
  static func formatUnescaped(_ text: [UInt8], columns: inout [Int]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      let isEscape = text[index] == UInt8(ascii: "\\") && index + 1 < text.count
      let bytes = isEscape ? unescaped(text[index + 1]) : [text[index]]
      for _ in bytes { columns.append(index) }
      result += bytes
      index += isEscape ? 2 : 1
    }
    return result
  }
}
