internal import AccessLog
internal import FetchCORS
internal import HTTPExchange
internal import IncidentReport
internal import InputBytes

/// Explains the call that an exchange belongs to.
///
/// - Parameters:
///   - id: the identifier of any of its exchanges.
///   - path: a file of calls, `-` for standard input.
/// - Returns: lines that are safe for a terminal; `nil` when no call has such an exchange.
public func explain(_ id: String, in path: String) throws(StageError) -> [String]? {
  let input: ByteInput
  do throws(InputError) {
    input = try ByteInput(path: path)
  } catch {
    throw .noInput([error.description])
  }
  var lines = LineInput(input)
  while let line = try lines.nextRecord(of: path) {
    do throws(RecordError) {
      guard case .call(let call) = try CallStreamRecord(line: line),
        call.exchanges.contains(where: { $0.exchange.id.description == id })
      else { continue }
      return explanation(of: call).map(visible)
    } catch {
      throw .notThatStage(
        path: path, line: lines.number,
        reason: "no record of 'postflight replay' or --calls: \(error.reason)")
    }
  }
  return nil
}

/// A text whose control and direction characters are shown instead of sent.
public func visible(_ text: String) -> String {
  var result = String.UnicodeScalarView()
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse:
      result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
    default: result.append(scalar)
    }
  }
  return String(result)
}

/// The list of log formats for people.
///
/// - Parameters:
///   - name: only this one; `nil` when there is no such format.
///   - showsConfiguration: whether the server's configuration is shown instead of the fields.
public func formatsText(name: String?, showsConfiguration: Bool) -> String? {
  var formats = LogFormat.all
  if let name {
    guard let format = LogFormat.named(name) else { return nil }
    formats = [format]
  }
  var text = ""
  for format in formats {
    if showsConfiguration {
      // Of columns nothing says who writes them: of all of them at once it says enough.
      if name == nil, format.configuration == nil { continue }
      let configuration = format.configuration ?? LogFormat.combinedConfiguration
      // Alone it can go into a file as it is.
      text += name == nil ? "# \(format.name)\n\(configuration)\n\n" : configuration
      continue
    }
    text += "\(format.name): \(format.summary)"
    text += format.isRecognizedAlone ? "\n" : "; only with --format\n"
    if format.recordsAllFields {
      text += "  every header field of request and response"
      text += format.joinsResponseLines ? ", of the response with several lines joined\n" : "\n"
      continue
    }
    for (title, fields) in [("request", format.requestFields), ("response", format.responseFields)]
    where !fields.isEmpty {
      let list = fields.map { "\($0.key) (\($0.value))" }.sorted().joined(separator: ", ")
      text += "  \(title): \(list)\n"
    }
  }
  if name == nil, !showsConfiguration {
    text += "\naround the lines of any of them, and recognised by themselves:\n"
    for coat in LogCoat.all { text += "\(coat.name): \(coat.summary)\n" }
    for (name, summary) in LogFormat.arrangements { text += "\(name): \(summary)\n" }
  }
  return text
}
