import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

@Suite struct RecognitionTests {
  static let common = "203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200 5"

  static let lines: [(String, String)] = [
    ("C", "common"), ("C \"-\" \"x\"", "combined"), ("api:443 C \"-\" \"x\"", "vhost_combined"),
    ("api C \"-\" \"x\"", "vcombined"), ("api C", "vcommon"), ("C \"-\" \"x\" \"-\"", "main"),
    ("C \"-\" \"x\" 12 [y] z", "combined-and-more"),
    ("C \"-\" \"x\" origin=\"-\" rt=0.1", "key-value"), ("C origin=\"-\"", "key-value"),
    ("{\"ts\":1795460074.1,\"request\":\"GET /a HTTP/1.1\",\"status\":\"200\"}", "json"),
  ]

  /// `C` stands for the common part.
  @Test("a format is known by its lines", arguments: lines)
  func known(line: String, name: String) {
    let text = line.replacingOccurrences(of: "C", with: Self.common) + "\n"
    #expect(LogReader.recognizes(Array(text.utf8), choice: .automatic)?.name == name)
  }

  @Test(
    "what is no access log is not taken for one",
    arguments: [
      "", "\n\n", "# only\n", "hello\n", "{}\n", "{\"a\":1}\n", "\u{FFFD}\u{0}\u{1}\u{2}\n",
      "time,method,uri\n1,GET,/\n", "[]\n", "{\"status\":200,\"uri\":\"/a\",\"method\":\"GET\"}\n",
      common.replacingOccurrences(of: "200", with: "2000") + "\n",
      common.replacingOccurrences(of: "/Nov/", with: "/Foo/") + "\n",
    ])
  func unknown(text: String) {
    #expect(LogReader.recognizes(Array(text.utf8), choice: .automatic) == nil)
  }

  @Test("binary data is no access log")
  func binary() {
    var random = SeededGenerator(state: 1)
    let noise = (0..<65536).map { _ in UInt8.random(in: 0...255, using: &random) }
    let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 0x10] + Array("JFIF".utf8) + noise
    #expect(LogReader.recognizes(noise, choice: .automatic) == nil)
    #expect(LogReader.recognizes(jpeg, choice: .automatic) == nil)
  }

  @Test("messages of a server between its lines do no harm, a sample in a text does not count")
  func mixed() {
    let mixed = "2026/11/23 18:54:41 [error] 1#1: x\n" + Self.common + "\n" + Self.common + "\n"
    #expect(LogReader.recognizes(Array(mixed.utf8), choice: .automatic)?.name == "common")
    let manual = String(repeating: "some words\n", count: 9) + Self.common + "\n"
    #expect(LogReader.recognizes(Array(manual.utf8), choice: .automatic) == nil)
    #expect(LogReader.recognizes(Array(manual.utf8), choice: .format(.common)) != nil)
  }

  @Test("a format that was named has to fit")
  func named() {
    let line = Array((Self.common + "\n").utf8)
    #expect(LogReader.recognizes(line, choice: .format(.combined)) == nil)
    #expect(LogReader.recognizes(line, choice: .format(.common))?.name == "common")
  }

  @Test("the first time is that of the first line that has one")
  func firstTime() {
    let text = "rubbish\n" + Self.common + "\n"
    let time = LogReader.firstTime(
      in: Array(text.utf8), format: .common, options: IngestOptions(), writtenBy: 0)
    #expect(time?.rfc3339(.second) == "2026-11-23T18:54:34Z")
    #expect(
      LogReader.firstTime(in: [], format: .common, options: IngestOptions(), writtenBy: 0) == nil)
  }

  @Test("the recommended formats record all that a verdict reads, and can be configured")
  func recommended() throws {
    let request: Set<HeaderName> = [
      .origin, .accessControlRequestMethod, .accessControlRequestHeaders, .secFetchMode,
      .secFetchSite, .secFetchDest, .cookie, .authorization,
    ]
    let response: Set<HeaderName> = [
      .accessControlAllowOrigin, .accessControlAllowCredentials, .accessControlAllowMethods,
      .accessControlAllowHeaders, .accessControlMaxAge, .vary, .location,
    ]
    for format in [LogFormat.nginxCORS, .nginxCORSJSON, .apacheCORS] {
      #expect(request.isSubset(of: format.requestFields.keys))
      #expect(response.isSubset(of: format.responseFields.keys))
      let configuration = try #require(format.configuration)
      let configured = try ServerConfiguration(Array(configuration.utf8)).formats
      #expect(configured.count == 1)
      #expect(configured.first?.recordedFields == format.recordedFields)
      #expect(configured.first?.layout?.signature == format.layout?.signature)
    }
  }

  @Test("every format has a name of its own, and those that know their layout say what they record")
  func list() {
    #expect(Set(LogFormat.all.map(\.name)).count == LogFormat.all.count)
    for format in LogFormat.all {
      #expect(LogFormat.named(format.name)?.name == format.name)
      #expect(!format.summary.isEmpty)
      guard case .layout(let layout) = format.rule else { continue }
      #expect(layout.roles.isSufficient)
      #expect(format.recordedFields["time"] != nil)
    }
  }
}
