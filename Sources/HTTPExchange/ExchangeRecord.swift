public import Bytes

extension Exchange {
  /// The value of `schema` in such a record.
  public static let schema = "postflight.exchange/1"

  /// Writes the record as one line.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("schema", Self.schema)
      writeMembers(to: &writer)
    }
    writer.endLine()
  }

  /// Writes the members of the record into an object that is open.
  public func writeMembers(to writer: inout JSONWriter) {
    writer.member("id", id.description)
    writer.member("startedAt", startedAt?.rfc3339(resolution))
    writer.member("endedAt", endedAt?.rfc3339(resolution))
    writer.member("timeBasis", timeBasis.rawValue)
    writer.key("resolution")
    writer.raw(Self.seconds(resolution))
    writer.member("client", client)
    writer.member("forwardedFor", forwardedFor)
    writer.member("userAgent", userAgent)
    writer.member("method", method)
    writer.member("url", url.description)
    writer.member("known", url.known)
    writer.member("status", status)
    writer.member("requestId", requestID)
    writer.member("httpVersion", httpVersion)
    writer.member("ending", ending.rawValue)
    if let observed { writer.member("observed", observed.rawValue) }
    writer.key("request")
    request.write(to: &writer)
    writer.key("response")
    response.write(to: &writer)
  }

  /// A resolution in seconds as the shortest decimal number: `1`, `0.001`.
  private static func seconds(_ resolution: TimeResolution) -> String {
    guard resolution.nanoseconds < 1_000_000_000 else { return "1" }
    let digits = String(1_000_000_000 + resolution.nanoseconds).dropFirst()
    return "0." + digits.prefix(through: digits.lastIndex { $0 != "0" } ?? digits.startIndex)
  }

  /// Reads a record back.
  public init(json: JSONValue) throws(RecordError) {
    func text(_ name: String) throws(RecordError) -> String {
      guard let text = json[name]?.text else {
        throw RecordError("no member \"\(name)\" that is a text")
      }
      return text
    }
    func time(_ name: String) throws(RecordError) -> EventTime? {
      guard let text = json[name]?.text else { return nil }
      guard let time = EventTime(rfc3339: text) else {
        throw RecordError("\"\(name)\" is no date and time of RFC 3339")
      }
      return time
    }
    guard let id = ExchangeID(try text("id")) else {
      throw RecordError("\"id\" is not of the form NAME@DIGEST#N.K")
    }
    guard let basis = TimeBasis(rawValue: try text("timeBasis")) else {
      throw RecordError("\"timeBasis\" is none of both, start, end")
    }
    let known = json["known"]?.texts
    guard let url = RequestURL(try text("url"), known: known) else {
      throw RecordError("\"url\" is no URL")
    }
    guard case .number(let seconds) = json["resolution"] ?? .null, let step = Double(seconds),
      step > 0, step <= 1
    else { throw RecordError("\"resolution\" is no number of seconds up to 1") }
    let status = json["status"]?.integer
    guard status.map({ (0..<Int(UInt16.max)).contains($0) }) ?? true else {
      throw RecordError("\"status\" is no HTTP status")
    }
    let startedAt = try time("startedAt")
    let endedAt = try time("endedAt")
    guard startedAt != nil || endedAt != nil else {
      throw RecordError("neither \"startedAt\" nor \"endedAt\"")
    }
    self.init(
      id: id, startedAt: startedAt, endedAt: endedAt, timeBasis: basis,
      resolution: TimeResolution(nanoseconds: Int64((step * 1_000_000_000).rounded())),
      client: try text("client"), forwardedFor: json["forwardedFor"]?.text,
      userAgent: json["userAgent"]?.text, method: try text("method"), url: url,
      status: status, requestID: json["requestId"]?.text,
      httpVersion: json["httpVersion"]?.text,
      ending: json["ending"]?.text.flatMap(ExchangeEnding.init(rawValue:)) ?? .complete,
      observed: json["observed"]?.text.flatMap(ObservedOutcome.init(rawValue:)),
      request: try MessageEvidence(json: json["request"], name: "request"),
      response: try MessageEvidence(json: json["response"], name: "response"))
  }
}

extension MessageEvidence {
  /// Writes `{"coverage":…,"fields":[[name,value],…]}`; a value that was not kept is `null`.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.key("coverage")
      switch coverage {
      case .complete: writer.string("complete")
      case .truncated: writer.string("truncated")
      case .only(let names):
        writer.object { writer in
          for (name, fidelity) in names.map({ ($0.key.description, $0.value) })
            .sorted(by: { $0.0 < $1.0 })
          {
            writer.key(name)
            fidelity.write(to: &writer)
          }
        }
      }
      writer.key("fields")
      writer.array { writer in
        for field in fields {
          writer.array { writer in
            writer.string(field.name.description)
            if let value = field.value { writer.string(value) } else { writer.null() }
          }
        }
      }
    }
  }

  init(json: JSONValue?, name: String) throws(RecordError) {
    guard let json else { throw RecordError("no member \"\(name)\"") }
    let coverage: Coverage
    switch json["coverage"] {
    case .string("complete"): coverage = .complete
    case .string("truncated"): coverage = .truncated
    case .object(let members):
      var names: [HeaderName: Fidelity] = [:]
      for member in members {
        guard let fidelity = Fidelity(json: member.value) else {
          throw RecordError("the coverage of \"\(name)\" has a fidelity that is not known")
        }
        names[HeaderName(member.name)] = fidelity
      }
      coverage = .only(names)
    default:
      throw RecordError("\"\(name)\" has no coverage")
    }
    var fields: [HeaderField] = []
    for field in json["fields"]?.elements ?? [] {
      guard let pair = field.elements, pair.count == 2, let fieldName = pair[0].text else {
        throw RecordError("a field of \"\(name)\" is no pair of name and value")
      }
      fields.append(HeaderField(HeaderName(fieldName), pair[1].text))
    }
    self.init(coverage: coverage, fields: fields)
  }
}

extension Fidelity {
  /// Writes its name, or an array of names where several hold.
  func write(to writer: inout JSONWriter) {
    let held = Self.names.filter { contains($0.0) }.map(\.1)
    switch held.count {
    case 0: writer.string("exact")
    case 1: writer.string(held[0])
    default: writer.array { writer in for name in held { writer.string(name) } }
    }
  }

  init?(json: JSONValue) {
    self = .exact
    for name in json.texts ?? [json.text ?? ""] where name != "exact" {
      guard let member = Self.names.first(where: { $0.1 == name }) else { return nil }
      formUnion(member.0)
    }
  }
}

/// A line of a stream between two stages.
public enum StreamRecord: Sendable {
  case exchange(Exchange)
  case source(SourceRecord)

  /// Reads one line; records of other schemas are an error that names the schema.
  public init(line: ByteView) throws(RecordError) {
    let json: JSONValue
    do throws(JSONReader.Failure) {
      json = try JSONReader.read(line)
    } catch {
      throw RecordError("\(error.reason) at byte \(error.offset) of the line")
    }
    switch json["schema"]?.text {
    case Exchange.schema: self = .exchange(try Exchange(json: json))
    case SourceRecord.schema: self = .source(try SourceRecord(json: json))
    case .some(let schema): throw RecordError("a record of the schema \"\(schema)\"")
    case nil: throw RecordError("no member \"schema\"")
    }
  }
}
