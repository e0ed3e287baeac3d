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
  static func weight(of view: some Encodable) -> Int { weight(ofMember: ViewMembers.of(view)) }

  private static func weight(ofMember member: Any) -> Int {
    switch member {
    case let text as String:
      text.utf8.reduce(40) { $0 + (entity($1)?.utf8CodeUnitCount ?? 1) }
    case let members as [String: Any]:
      members.values.reduce(40) { $0 + weight(ofMember: $1) }
    case let elements as [Any]: elements.reduce(40) { $0 + weight(ofMember: $1) }
    default: 40
    }
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
    var start = template.startIndex
    var depth = 0
    var end = start
    let bytes = template.utf8
    while let newline = bytes[end...].firstIndex(of: UInt8(ascii: "\n")) {
      var rest = bytes[end..<newline]
      while let brace = rest.firstIndex(of: UInt8(ascii: "{")) {
        rest = rest[bytes.index(after: brace)...]
        guard rest.first == UInt8(ascii: "{") else { continue }
        rest = rest.dropFirst()
        switch rest.first {
        case UInt8(ascii: "#"), UInt8(ascii: "^"): depth += 1
        case UInt8(ascii: "/"): depth -= 1
        default: break
        }
      }
      end = bytes.index(after: newline)
      guard depth == 0 else { continue }
      parts.append(String(template[start..<end]))
      start = end
    }
    return parts + [String(template[start...])]
  }

  func render(_ name: String, _ view: some Encodable) throws(ReportError) -> String {
    guard let parts = templates[name] else {
      throw ReportError("there is no template \(name)")
    }
    let members = ViewMembers.of(view)
    return parts.reduce(into: "") { $0 += $1.render(members) }
  }
}
