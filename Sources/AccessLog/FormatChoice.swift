internal import HTTPExchange
internal import InputBytes

/// Which log format an input may have.
public enum FormatChoice: Sendable {
  /// Any that is known, whichever fits.
  case automatic
  /// This one.
  case format(LogFormat)
  /// One of those that a configuration file defines.
  case candidates([LogFormat])
}

extension FormatChoice {
  /// Reads the argument of `--format`.
  ///
  /// - Parameter argument: the name of a format; a pattern, in which `$` means nginx and `%`
  ///   Apache, or Envoy where it has such operators, and `$context.` API Gateway; a whole `log_format` or `LogFormat` line; a
  ///   mapping such as `json:method=verb,url=uri` (see ``MappedFormat``); or `@` and the path of a
  ///   configuration file of nginx, Apache, HAProxy, Envoy, Istio, lighttpd or Varnish, or of a file
  ///   that holds the pattern of an API Gateway.
  /// - Throws: ``FormatError`` when there is no such format, when a pattern cannot be compiled
  ///   (with the column), or when a file defines no format (with the line, where one is wrong).
  public init(argument: String) throws(FormatError) {
    if argument == "auto" {
      self = .automatic
    } else if argument.hasPrefix("@") {
      self = .candidates(try Self.read(file: String(argument.dropFirst())))
    } else if let format = LogFormat.named(argument) {
      self = .format(format)
    } else if let format = try MappedFormat.format(argument) {
      self = .format(format)
    } else {
      self = .format(try Self.pattern(argument))
    }
  }

  private static func read(file: String) throws(FormatError) -> [LogFormat] {
    let text = try contents(of: file)
    do throws(FormatError) {
      let formats = try ServerConfiguration(text).formats
      guard !formats.isEmpty else { throw FormatError("defines no log format") }
      // nginx has this one without a definition.
      return formats.contains { $0.name == "combined" } ? formats : formats + [.combined]
    } catch {
      var error = error
      error.file = file
      throw error
    }
  }

  private static func contents(of file: String) throws(FormatError) -> [UInt8] {
    let input: ByteInput
    do throws(InputError) {
      input = try ByteInput(path: file)
    } catch {
      throw FormatError(error.reason, file: file)
    }
    var text: [UInt8] = []
    do throws(InputDamage) {
      while let buffer = try input.next() {
        text.append(contentsOf: buffer)
        if text.count > AccessLogLimits.configurationBytes { break }
      }
    } catch {
      throw FormatError(error.what, file: file)
    }
    guard text.count <= AccessLogLimits.configurationBytes else {
      throw FormatError("too large for a configuration file", file: file)
    }
    return text
  }

  private static func pattern(_ argument: String) throws(FormatError) -> LogFormat {
    let text = Array(argument.utf8)
    let trimmed = argument.drop { $0.isWhitespace }
    let word = trimmed.prefix { !$0.isWhitespace }.lowercased()
    if ["log_format", "logformat", "customlog", "map"].contains(word) {
      // The semicolon is easily left out on a command line.
      let isClosed = argument.contains(";") || word != "log_format"
      let formats = try ServerConfiguration(isClosed ? text : text + [UInt8(ascii: ";")]).formats
      guard let format = formats.first else {
        throw FormatError("the directive defines no log format")
      }
      return format
    }
    if trimmed.hasPrefix("'") || trimmed.hasPrefix("escape="), trimmed.contains("$") {
      // The strings of a log_format, copied without the directive in front.
      let directive = "log_format pattern \(argument)" + (argument.hasSuffix(";") ? "" : ";")
      if let format = try? ServerConfiguration(Array(directive.utf8)).formats.first {
        return format
      }
    }
    var columns: [Int] = []
    let unescaped = ServerConfiguration.formatUnescaped(text, columns: &columns)
    do throws(FormatError) {
      if GatewayPattern.recognizes(argument) {
        return .gateway(try GatewayPattern.layout(text), "of the command line")
      }
      if text.contains(UInt8(ascii: "$")) {
        // A bare pattern says nothing of `escape=`; JSON is hardly ever written without it.
        let escaping: Escaping = trimmed.hasPrefix("{") ? .anyJSON : .nginxDefault
        return LogFormat(
          name: "pattern", summary: "nginx log_format of the command line",
          layout: try NginxPattern.layout(unescaped, escaping: escaping))
      }
      if argument.contains("%REQ(") || argument.contains("%START_TIME") {
        return LogFormat(
          name: "pattern", summary: "Envoy format of the command line",
          layout: try EnvoyPattern.layout(unescaped))
      }
      if text.contains(UInt8(ascii: "%")) {
        return LogFormat(
          name: "pattern", summary: "Apache LogFormat of the command line",
          layout: try ApachePattern.layout(unescaped))
      }
    } catch {
      var error = error
      error.column = error.column.map {
        columns.indices.contains($0 - 1) ? columns[$0 - 1] + 1 : $0
      }
      throw error
    }
    let names = LogFormat.all.map(\.name).joined(separator: ", ")
    throw FormatError("no log format is called \"\(argument)\"; there are \(names)")
  }
}
