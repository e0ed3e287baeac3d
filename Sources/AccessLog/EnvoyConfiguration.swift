internal import Bytes
internal import HTTPExchange

/// The log formats that a configuration of Envoy or Istio defines.
///
/// No YAML reader: the strings and maps of log formats are found by their keys, which are the same
/// in every version, and by the operators between percent signs.
struct EnvoyConfiguration {
  private(set) var formats: [LogFormat] = []

  /// Whether a text is such a configuration.
  static func recognizes(_ text: String) -> Bool {
    ["json_format", "inline_string", "text_format", "accessLogFormat"].contains {
      text.contains("\($0):")
    } && text.contains("%")
  }

  /// - Throws: ``FormatError`` with the line, when a format cannot be compiled.
  init(_ text: String) throws(FormatError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var index = 0
    while index < lines.count, formats.count <= AccessLogLimits.configurationFormats {
      let (indent, key, value) = Self.entry(lines[index])
      let number = index + 1
      index += 1
      switch key {
      case "inline_string", "text_format", "format", "accessLogFormat":
        var content = value
        if let mark = value.first, mark == "|" || mark == ">" {
          var block: [String] = []
          while index < lines.count,
            lines[index].allSatisfy({ $0 == " " }) || Self.indent(lines[index]) > indent
          {
            block.append(lines[index].trimming { $0 == " " })
            index += 1
          }
          content = block.joined(separator: mark == "|" ? "\n" : " ").trimming { $0 == "\n" }
        }
        guard content.contains("%") else { continue }
        try add(content, line: number)
      case "json_format", "labels":
        var places: [MemberMap.Place] = []
        var path: [(indent: Int, key: String)] = []
        while index < lines.count {
          let (inner, name, operation) = Self.entry(lines[index])
          if name.isEmpty {
            guard lines[index].allSatisfy({ $0 == " " }) else { break }
            index += 1
            continue
          }
          guard inner > indent else { break }
          while let last = path.last, last.indent >= inner { path.removeLast() }
          if operation.isEmpty {
            path.append((inner, name))
          } else if let meaning = Self.single(operation) {
            places.append(.init(path: path.map(\.key) + [name], meaning: meaning))
          }
          index += 1
        }
        add(places)
      default: break
      }
    }
  }

  private mutating func add(_ content: String, line: Int) throws(FormatError) {
    if content.first == "{",
      let object = Array(content.utf8).withByteView({ try? JSONReader.read($0) })
    {
      var places: [MemberMap.Place] = []
      for member in object.members ?? [] {
        if let text = member.value.text, let meaning = Self.single(text) {
          places.append(.init(path: [member.name], meaning: meaning))
        }
      }
      add(places)
      return
    }
    do throws(FormatError) {
      formats.append(
        LogFormat(
          name: "envoy-text-\(line)", summary: "Envoy's text format of a configuration",
          rule: .layout(try EnvoyPattern.layout(Array(content.utf8))),
          configuration: LogFormat.envoy.configuration, hides: LogFormat.envoy.hides))
    } catch {
      // What records neither time nor request is for another purpose.
      guard error.column != nil else { return }
      var error = error
      error.line = line
      throw error
    }
  }

  private mutating func add(_ places: [MemberMap.Place]) {
    let times = places.filter { if case .stamp = $0.meaning { true } else { false } }
    let status = places.filter { $0.meaning == .status }
    let map = MemberMap(
      places,
      requiring: [times, status].filter { !$0.isEmpty }.map {
        $0.map { $0.path.joined(separator: "/") }
      })
    guard !status.isEmpty else { return }
    let repeats = Repeats(request: .joined, response: .joined)
    let layout = LineLayout(
      .members(map), meanings: map.meanings, escaping: .envoyJSON, repeats: repeats)
    guard layout.roles.tellsRequest else { return }
    // The configuration says what is recorded, also where a line leaves it out.
    formats.append(
      LogFormat(
        name: "envoy-json-\(formats.count + 1)", summary: "Envoy's JSON format of a configuration",
        layout: layout, configuration: LogFormat.envoy.configuration))
  }

  /// What the value of a member means that is one operator and nothing else.
  private static func single(_ text: String) -> FieldMeaning? {
    guard text.hasPrefix("%"), text.hasSuffix("%"), text.count > 2,
      !text.dropFirst().dropLast().contains("% ")
    else { return nil }
    let name = String(text.dropFirst().dropLast())
    if name.hasSuffix(")") || !name.contains(")") { return EnvoyPattern.meaning(of: name).0 }
    // A value that may have been cut cannot be believed.
    return .ignored
  }

  private static func indent(_ line: String) -> Int { line.prefix { $0 == " " }.count }

  /// Indentation, key and value of a line `key: value`, with `- ` before it and quotes undone.
  private static func entry(_ line: String) -> (indent: Int, key: String, value: String) {
    var indent = indent(line)
    var rest = Substring(line.dropFirst(indent))
    while rest.hasPrefix("- ") {
      rest = rest.dropFirst(2)
      indent += 2
    }
    guard !rest.hasPrefix("#"), let colon = rest.firstIndex(of: ":") else {
      return (indent, "", "")
    }
    let key = String(rest[..<colon]).trimming { $0 == "\"" || $0 == "'" || $0 == " " }
    var value = String(rest[rest.index(after: colon)...]).trimming { $0 == " " || $0 == "\r" }
    // An anchor names the map that follows.
    if value.hasPrefix("&") { value = "" }
    if value.count >= 2, let quote = value.first, quote == "\"" || quote == "'",
      value.last == quote
    {
      value = String(value.dropFirst().dropLast())
      value =
        quote == "'"
        ? value.split(separator: "''", omittingEmptySubsequences: false).joined(separator: "'")
        : unescaped(value)
    }
    return (indent, key, value)
  }

  /// A text of YAML between double quotes.
  private static func unescaped(_ text: String) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        switch character {
        case "n": result.append("\n")
        case "t": result.append("\t")
        default: result.append(character)
        }
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}
