import Bytes
import FetchCORS
import Foundation
import HTTPExchange
import Testing

@testable import IncidentReport

/// The part of JSON Schema that our schemas use.
enum SchemaCheck {
  /// Why a value does not fit a schema, with the place; empty when it fits.
  static func faults(
    _ value: JSONValue, _ schema: JSONValue, root: JSONValue, at place: String = "$"
  ) -> [String] {
    var schema = schema
    if let reference = schema["$ref"]?.text {
      var target = root
      for name in reference.split(separator: "/").dropFirst() {
        target = target[String(name)] ?? .null
      }
      schema = target
    }
    var faults: [String] = []
    if let constant = schema["const"], constant != value {
      faults.append("\(place): not \(constant)")
    }
    if let choices = schema["enum"]?.elements, !choices.contains(value) {
      faults.append("\(place): \(value) is none of the values")
    }
    if let type = schema["type"] {
      let names = type.texts.flatMap { $0.isEmpty ? nil : $0 } ?? [type.text ?? ""]
      if !names.contains(where: { matches(value, $0) }) { faults.append("\(place): not \(names)") }
    }
    if let choices = schema["anyOf"]?.elements,
      !choices.contains(where: { Self.faults(value, $0, root: root, at: place).isEmpty })
    {
      faults.append("\(place): fits none of anyOf")
    }
    if let pattern = schema["pattern"]?.text, let text = value.text {
      let found = text.range(of: pattern, options: .regularExpression) != nil
      if !found { faults.append("\(place): \(text) does not match \(pattern)") }
    }
    for name in schema["required"]?.texts ?? [] where value.members != nil && value[name] == nil {
      faults.append("\(place): no \(name)")
    }
    for member in value.members ?? [] {
      let place = place + "." + member.name
      if let property = schema["properties"]?[member.name] {
        faults += Self.faults(member.value, property, root: root, at: place)
      } else if let additional = schema["additionalProperties"] {
        faults += Self.faults(member.value, additional, root: root, at: place)
      } else if schema["properties"] != nil {
        faults.append("\(place): the schema does not know it")
      }
    }
    for (index, element) in (value.elements ?? []).enumerated() {
      let place = place + "[\(index)]"
      if let items = schema["items"] {
        faults += Self.faults(element, items, root: root, at: place)
      }
      if let items = schema["prefixItems"]?.elements, index < items.count {
        faults += Self.faults(element, items[index], root: root, at: place)
      }
    }
    return faults
  }

  private static func matches(_ value: JSONValue, _ type: String) -> Bool {
    switch (type, value) {
    case ("null", .null), ("boolean", .bool), ("string", .string), ("array", .array),
      ("object", .object), ("number", .number):
      true
    case ("integer", .number(let text)): !text.contains(".")
    default: false
    }
  }

  static func read(_ bytes: some Sequence<UInt8>) throws -> JSONValue {
    try Array(bytes).withByteView { try JSONReader.read($0) }
  }

  /// The repository's folder.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func schema(_ name: String) throws -> JSONValue {
    let file = root.appendingPathComponent(
      "Schemas/\(name.replacing("/", with: "-")).schema.json")
    return try read(Data(contentsOf: file))
  }
}

/// Records of every schema, ordinary and hostile ones.
private func documents() throws -> [(schema: String, lines: [[UInt8]])] {
  let calls = Morning.calls.prefix(400) + Hostile.calls("\"\u{0}\u{F780}")
  func lines(_ write: (inout JSONWriter) -> Void) -> [[UInt8]] {
    var writer = JSONWriter()
    write(&writer)
    return writer.bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
  }
  let sources = Morning.sources + [Hostile.source("\u{1}")]
  let outputs = try Outputs.of(
    Array(calls), sources: sources, notCORS: [("same-origin", 1)],
    options: ReportOptions(writesCalls: true))
  return [
    (
      Exchange.schema,
      lines { writer in
        for call in calls { for part in call.exchanges { part.exchange.write(to: &writer) } }
      }
    ),
    (SourceRecord.schema, lines { writer in for source in sources { source.write(to: &writer) } }),
    (TrafficRecord.schema, lines { TrafficRecord(counts: ["a": 1]).write(to: &$0) }),
    (
      Call.schema,
      (outputs.files[.calls] ?? []).split(separator: UInt8(ascii: "\n")).map { Array($0) }
    ),
    (SummaryJSON.schema, [outputs.files[.summary] ?? []]),
  ]
}

@Test("every record that is written fits its schema")
func recordsFitTheirSchemas() throws {
  for (name, lines) in try documents() {
    let schema = try SchemaCheck.schema(name)
    #expect(!lines.isEmpty)
    for line in lines {
      let faults = SchemaCheck.faults(try SchemaCheck.read(line), schema, root: schema)
      #expect(faults.prefix(3).isEmpty, "\(name)")
      guard faults.isEmpty else { break }
    }
  }
}

@Test("a schema refuses a record that lacks a member or has a wrong one")
func schemasRefuse() throws {
  let schema = try SchemaCheck.schema(Call.schema)
  var writer = JSONWriter()
  CallBuilder().call.write(to: &writer)
  let good = String(decoding: writer.bytes, as: UTF8.self)
  for (text, replacement) in [
    ("\"verdict\":\"blocked\"", "\"verdict\":\"perhaps\""), ("\"hop\":0,\"reason\"", "\"reason\""),
    ("\"missing\":[]", "\"missing\":[1]"), ("\"role\":\"request\"", "\"role\":\"reply\""),
    ("\"known\":", "\"unknown\":"),
  ] {
    let bad = good.replacing(text, with: replacement)
    #expect(bad != good)
    #expect(
      !SchemaCheck.faults(try SchemaCheck.read(bad.utf8), schema, root: schema).isEmpty, "\(text)")
  }
}

/// Whether `python3` has a full implementation of JSON Schema.
private let hasValidator: Bool = {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["python3", "-c", "import jsonschema"]
  process.standardError = FileHandle.nullDevice
  guard (try? process.run()) != nil else { return false }
  process.waitUntilExit()
  return process.terminationStatus == 0
}()

@Test(
  "a full validator agrees",
  .enabled(if: hasValidator, "python3 with the module jsonschema is not there"))
func fullValidatorAgrees() throws {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("postflight-schemas-\(ProcessInfo.processInfo.processIdentifier)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for (name, lines) in try documents() {
    let file = folder.appendingPathComponent(name.replacing("/", with: "-"))
    try Data(lines.joined(separator: [UInt8(ascii: "\n")])).write(to: file)
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", "-c",
      """
      import json, sys, jsonschema
      schema = json.load(open(sys.argv[1], encoding="utf-8"))
      jsonschema.Draft202012Validator.check_schema(schema)
      check = jsonschema.Draft202012Validator(schema)
      for line in open(sys.argv[2], encoding="utf-8", newline="\\n"):
          check.validate(json.loads(line))
      """,
      SchemaCheck.root.appendingPathComponent(
        "Schemas/\(name.replacing("/", with: "-")).schema.json"
      ).path, file.path,
    ]
    process.standardError = output
    try process.run()
    let message = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(
      process.terminationStatus == 0,
      "\(name): \(String(decoding: message.suffix(600), as: UTF8.self))")
  }
}
