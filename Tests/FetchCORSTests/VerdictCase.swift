import FetchCORS
import Foundation
import HTTPExchange
import TestSupport
import Testing

/// A section of a file in `Cases`: what was recorded of a call, and the verdict on it.
///
/// `Cases/README.md` says how they are written.
struct VerdictCase: Sendable, CustomTestStringConvertible {
  let name: String
  let file: String
  /// The engines for which it holds; `nil` stands for a user agent that names none.
  let engines: [Engine?]
  let evidence: CallEvidence
  /// The lines of the verdict block.
  let verdict: [String]

  var testDescription: String { name }

  struct Mistake: Error {
    let reason: String
  }

  /// Every case of every file.
  static let all: Result<[VerdictCase], any Error> = Result {
    guard let folder = Bundle.module.url(forResource: "Cases", withExtension: nil) else {
      throw Mistake(reason: "no folder of cases")
    }
    let files = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil)
    return try files.filter { $0.pathExtension == "md" && $0.lastPathComponent != "README.md" }
      .sorted { $0.lastPathComponent < $1.lastPathComponent }
      .flatMap { file in
        try sections(of: String(contentsOf: file, encoding: .utf8)).map {
          try VerdictCase(file: file.lastPathComponent, section: $0)
        }
      }
  }

  /// What a call comes to, as a verdict block says it.
  ///
  /// - Parameter keys: of the facts that most cases leave out, those that this one states.
  static func describe(_ call: Call, stating keys: Set<String>) -> [String] {
    var first = call.verdict.rawValue
    if let reason = call.reason, let phase = call.phase {
      first += " \(reason.code(in: phase)) \(phase.rawValue) hop \(call.hop)"
    }
    var lines = [first]
    func line(_ key: String, _ value: String?) {
      if let value, !value.isEmpty { lines.append("\(key) \(value)") }
    }
    line("parameter", call.parameter)
    line("otherFaults", call.otherFaults.joined(separator: " "))
    line("missing", call.missing.joined(separator: " "))
    line("assumes", call.assumes.joined(separator: " "))
    line("standardVerdict", call.standardVerdict?.rawValue)
    if keys.contains("credentials") { line("credentials", call.credentials.rawValue) }
    if keys.contains("mode") { line("mode", call.mode.rawValue) }
    if keys.contains("message") { line("message", call.message) }
    if keys.contains("world") {
      for world in call.worlds {
        let reason = world.reason.map { " " + $0.code(in: world.phase ?? .response) } ?? ""
        line(
          "world", "\(world.assuming.joined(separator: " ")): \(world.verdict.rawValue)\(reason)")
      }
    }
    return lines
  }

  /// The keys of the verdict block.
  var keys: Set<String> {
    Set(verdict.dropFirst().map { String($0.prefix { $0 != " " }) })
  }
}

/// A heading and the blocks under it.
private struct Section {
  var name: String
  var blocks: [(kind: String, lines: [String])] = []
}

private func sections(of text: String) throws -> [Section] {
  var sections: [Section] = []
  var block: (kind: String, lines: [String])?
  for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
    if line.hasPrefix("```") {
      if let open = block {
        guard !sections.isEmpty else { throw VerdictCase.Mistake(reason: "a block of no case") }
        sections[sections.count - 1].blocks.append(open)
        block = nil
      } else {
        block = (String(line.dropFirst(3)), [])
      }
    } else if block != nil {
      block?.lines.append(line)
    } else if line.hasPrefix("## ") {
      sections.append(Section(name: String(line.dropFirst(3))))
    }
  }
  guard block == nil else { throw VerdictCase.Mistake(reason: "a block does not end") }
  return sections
}

extension VerdictCase {
  fileprivate init(file: String, section: Section) throws {
    func lines(_ kind: String) -> [String]? {
      section.blocks.first { $0.kind == kind }?.lines
    }
    guard let http = lines("http"), let verdict = lines("verdict"), !verdict.isEmpty else {
      throw Mistake(reason: "\(section.name): no http or verdict block")
    }
    name = section.name
    self.file = file
    self.verdict = verdict
    var exchanges = try Self.exchanges(http)
    guard let first = exchanges.first else { throw Mistake(reason: "\(name): no request") }
    var origin = first.request.first(.origin) ?? "https://app.example"
    for exchange in exchanges.reversed() {
      origin = exchange.request.first(.origin).flatMap { $0 == "null" ? nil : $0 } ?? origin
    }
    var kind: CallKind?
    var engines: [Engine?] = Engine.allCases
    var isStored = false
    for line in lines("evidence") ?? [] {
      let parts = line.split(separator: ":", maxSplits: 1).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      guard parts.count == 2 else { throw Mistake(reason: "\(name): \(line)") }
      switch parts[0] {
      case "engine":
        engines = try parts[1].split(separator: " ").map {
          if $0 == "unknown" { return nil }
          guard let engine = Engine(rawValue: String($0)) else {
            throw Mistake(reason: "\(section.name): no engine \($0)")
          }
          return engine
        }
      case "origin": origin = parts[1]
      case "kind":
        kind = CallKind(rawValue: parts[1])
        guard kind != nil else { throw Mistake(reason: "\(name): no kind \(parts[1])") }
      case "stored response": isStored = parts[1] == "readable"
      default: try Self.cover(&exchanges, parts[0], parts[1])
      }
    }
    var hops: [CallEvidence.Hop] = []
    for exchange in exchanges {
      let isPreflight = exchange.method == "OPTIONS" && exchange.status != 418
      if isPreflight || hops.last.map({ $0.request != nil }) ?? true { hops.append(.init()) }
      if isPreflight {
        hops[hops.count - 1].preflight = exchange
      } else {
        hops[hops.count - 1].request = exchange
      }
    }
    let isPreflighted = hops[0].preflight != nil
    self.engines = engines
    evidence = CallEvidence(
      origin: origin, engine: nil, hops: hops,
      kind: kind
        ?? (!isPreflighted ? .simple : hops[0].request == nil ? .preflightOnly : .preflighted),
      hasReadableStoredResponse: isStored)
  }

  /// Reads requests and responses, each with its first line and fields, set apart by empty lines.
  private static func exchanges(_ lines: [String]) throws -> [Exchange] {
    var exchanges: [Exchange] = []
    for message in lines.split(separator: "") {
      let start = message[message.startIndex].split(separator: " ").map(String.init)
      let fields = try message.dropFirst().map { line -> (String, String?) in
        guard let colon = line.firstIndex(of: ":") else { throw Mistake(reason: line) }
        let value = line[line.index(after: colon)...].replacing("\\t", with: "\t")
          .replacing("\\xE9", with: "\u{F7E9}")
        return (String(line[..<colon]), value.trimmingCharacters(in: .whitespaces))
      }
      if start[0].hasPrefix("HTTP/"), !exchanges.isEmpty, start.count > 1 {
        let last = exchanges.count - 1
        exchanges[last].status = Int(start[1])
        exchanges[last].httpVersion = start[0] == "HTTP/?" ? nil : start[0]
        exchanges[last].response = .complete(fields)
        exchanges[last].ending = .complete
      } else if start.count == 2 {
        exchanges.append(
          Exchange.sample(
            start[0], start[1], status: nil, number: UInt64(exchanges.count + 1),
            at: 1_795_435_200 + Int64(exchanges.count), request: fields))
      } else {
        throw Mistake(reason: start.joined(separator: " "))
      }
    }
    return exchanges
  }

  /// Takes away what a source does not record: `hop 1 response: only location, vary firstLine`.
  private static func cover(
    _ exchanges: inout [Exchange], _ place: String, _ what: String
  ) throws {
    let words = place.split(separator: " ").map(String.init)
    let isRequest = words.last == "request"
    guard isRequest || words.last == "response" else { throw Mistake(reason: place) }
    let number = words.firstIndex(of: "exchange").flatMap { Int(words[$0 + 1]) }
    for index in exchanges.indices where number.map({ $0 == index + 1 }) ?? true {
      let isPreflight = exchanges[index].method == "OPTIONS"
      if words.contains("preflight") != isPreflight, number == nil { continue }
      let whole = isRequest ? exchanges[index].request : exchanges[index].response
      let part: MessageEvidence
      if what.hasPrefix("truncated after ") {
        part = whole.truncated(after: Int(what.dropFirst(16)) ?? 0)
      } else if what.hasPrefix("without ") {
        part = what.dropFirst(8).split(separator: " ").reduce(whole) {
          $0.hiding(HeaderName($1))
        }
      } else if what.hasPrefix("only ") {
        part = try recorded(whole, String(what.dropFirst(5)))
      } else {
        throw Mistake(reason: what)
      }
      if isRequest { exchanges[index].request = part } else { exchanges[index].response = part }
    }
  }

  private static func recorded(_ whole: MessageEvidence, _ list: String) throws -> MessageEvidence {
    var names: [HeaderName: Fidelity] = [:]
    var limit = 12
    for item in list.split(separator: ",") {
      let words = item.split(separator: " ").map(String.init)
      var fidelity: Fidelity = .exact
      for word in words.dropFirst() {
        switch word {
        case "firstLine": fidelity.insert(.firstLine)
        case "lastLine": fidelity.insert(.lastLine)
        case "joined": fidelity.insert(.joined)
        case "presence": fidelity.insert(.presence)
        case "absentOrEmpty": fidelity.insert(.absentOrEmpty)
        case _ where word.hasPrefix("cut="):
          fidelity.insert(.cut)
          limit = Int(word.dropFirst(4)) ?? 0
        default: throw Mistake(reason: word)
        }
      }
      names[HeaderName(words[0])] = fidelity
    }
    return whole.recorded(only: names, limit: limit)
  }
}
