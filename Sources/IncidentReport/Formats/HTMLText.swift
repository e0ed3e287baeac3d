internal import Bytes
internal import Foundation
internal import HTTPExchange
internal import Mustache

/// Escapes every value of a template byte by byte.
///
/// The template library's own escaping compares whole characters, and so lets through a `<` or a `"`
/// that a combining mark follows or a prepended sign precedes.
struct HTMLText: MustacheContentType {
  /// The name under which templates ask for it.
  static let name = "ESCAPED_HTML"

  func escapeText(_ text: String) -> String {
    text.withByteView { bytes in
      guard bytes.contains(where: { Self.entity($0) != nil }) else {
        return String(decoding: bytes, as: UTF8.self)
      }
      var escaped: [UInt8] = []
      escaped.reserveCapacity(bytes.count + 16)
      for byte in bytes {
        if let entity = Self.entity(byte) {
          escaped.append(ByteView(entity))
        } else {
          escaped.append(byte)
        }
      }
      return String(decoding: escaped, as: UTF8.self)
    }
  }

  private static func entity(_ byte: UInt8) -> StaticString? {
    switch byte {
    case UInt8(ascii: "<"): "&lt;"
    case UInt8(ascii: ">"): "&gt;"
    case UInt8(ascii: "&"): "&amp;"
    case UInt8(ascii: "\""): "&quot;"
    case UInt8(ascii: "'"): "&#39;"
    default: nil
    }
  }

  /// Bytes that the values of a view take in the page, tags and all, roughly.
  static func weight(of value: Any) -> Int {
    if let text = value as? String {
      return text.utf8.reduce(40) { $0 + (entity($1)?.utf8CodeUnitCount ?? 1) }
    }
    return Mirror(reflecting: value).children.reduce(40) { $0 + weight(of: $1.value) }
  }

  /// What a content security policy calls an inline style or script.
  static func policyHash(of text: String) -> String {
    let digits = Array(Redaction.digest(text.utf8).utf8)
    let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
      UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
    }
    return "sha256-" + Data(bytes).base64EncodedString()
  }
}

/// The templates of the page, parsed once.
struct PageTemplates {
  /// By name, in parts that are rendered one behind the other.
  private var templates: [String: [MustacheTemplate]] = [:]
  let style: String
  let script: String

  init() throws(ReportError) {
    MustacheContentTypes.register(HTMLText(), named: HTMLText.name)
    style = String(decoding: PackageResources.report_css, as: UTF8.self)
    script = String(decoding: PackageResources.report_js, as: UTF8.self)
    let sources: [(String, [UInt8])] = [
      ("opening", PackageResources.opening_mustache),
      ("incident", PackageResources.incident_mustache),
      ("closing", PackageResources.closing_mustache),
    ]
    for (name, bytes) in sources {
      do {
        templates[name] = try Self.parts(String(decoding: bytes, as: UTF8.self)).map {
          try MustacheTemplate(string: "{{% CONTENT_TYPE:\(HTMLText.name)}}\n" + $0)
        }
      } catch {
        throw ReportError("the template \(name) of the page cannot be read: \(error)")
      }
    }
  }

  /// A template cut at the ends of lines behind which no section is open.
  ///
  /// For each tag, the template library counts the characters of all that is left to parse.
  private static func parts(_ template: String) -> [String] {
    var parts: [String] = []
    var part = ""
    var depth = 0
    let lines = template.split(separator: "\n", omittingEmptySubsequences: false)
    for line in lines.dropLast() {
      part += line + "\n"
      for tag in line.split(separator: "{{").dropFirst(line.hasPrefix("{{") ? 0 : 1) {
        if tag.hasPrefix("#") || tag.hasPrefix("^") { depth += 1 }
        if tag.hasPrefix("/") { depth -= 1 }
      }
      guard depth == 0 else { continue }
      parts.append(part)
      part = ""
    }
    return parts + [part + lines[lines.count - 1]]
  }

  func render(_ name: String, _ values: Any) throws(ReportError) -> String {
    guard let parts = templates[name] else {
      throw ReportError("there is no template \(name)")
    }
    let members = Self.members(of: values)
    return parts.reduce(into: "") { $0 += $1.render(members) }
  }

  /// A view as dictionaries: the template library would look at the whole of a struct by reflection
  /// for every single name in it.
  private static func members(of value: Any) -> Any {
    if isPlain(value) { return value }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional:
      return mirror.children.first.map { members(of: $0.value) } ?? value
    case .collection where !(value is [String]):
      return mirror.children.map { members(of: $0.value) }
    case .struct where !(value is String) && !mirror.children.isEmpty:
      var members: [String: Any] = [:]
      for child in mirror.children {
        guard let label = child.label, !isNil(child.value) else { continue }
        members[label] = Self.members(of: child.value)
      }
      return members
    default:
      return value
    }
  }

  /// Whether a value is none that has members: most are, and looking into a text costs more than
  /// rendering it.
  private static func isPlain(_ value: Any) -> Bool {
    value is String || value is Bool || value is Int || value is [String]
  }

  private static func isNil(_ value: Any) -> Bool {
    if isPlain(value) { return false }
    let mirror = Mirror(reflecting: value)
    return mirror.displayStyle == .optional && mirror.children.isEmpty
  }
}
