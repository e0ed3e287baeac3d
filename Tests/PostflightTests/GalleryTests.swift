import Bytes
import Foundation
import HTTPExchange
import Testing

/// A recorded story with one incident, and the cause that its `.md` names.
struct Story: CustomTestStringConvertible {
  var sample: String
  var cause: String
  /// Seconds between the last blocked call and the moment at which the end is seen, at the most.
  static let slack = 6.0

  var testDescription: String { sample }
  var name: String { String(sample.prefix { $0 != "." }) }

  static let all = [
    Story(sample: "release-header.pcap", cause: "new-request-header"),
    Story(sample: "outage-502.pcap", cause: "gateway-error"),
    Story(sample: "outage-502.log", cause: "gateway-error"),
    Story(sample: "auth-on-options.pcap", cause: "preflight-auth-401"),
    Story(sample: "slash-redirect.pcap", cause: "preflight-redirect-slash"),
    Story(sample: "header-twice.pcap", cause: "duplicate-allow-origin"),
    Story(sample: "stale-copy.pcap", cause: "cached-for-other-origin"),
    Story(sample: "cookies-and-wildcard.pcap", cause: "wildcard-with-credentials"),
    Story(sample: "www-origin.pcap", cause: "origin-spelling"),
    Story(sample: "www-origin.log", cause: "origin-spelling"),
  ]

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  static func summary(_ sample: String) throws -> JSONValue {
    let bytes = try Data(contentsOf: root.appendingPathComponent("Reports/\(sample)/summary.json"))
    return try Array(bytes).withByteView { try JSONReader.read($0) }
  }

  /// When the calls were made that a browser refused to hand over, in seconds since 1970.
  static func refused(_ name: String) throws -> [Double] {
    let file = root.appendingPathComponent("SampleCaptures/\(name).truth.ndjson")
    return try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")).compactMap { line in
      let json = try Array(line).withByteView { try JSONReader.read($0) }
      guard json["outcome"]?.text == "refused", case .number(let at) = json["at"] else {
        return nil
      }
      return Double(at).map { $0 / 1000 }
    }
  }
}

@Test("a story's report names its cause, its onset and its end", arguments: Story.all)
func storiesAreTold(_ story: Story) throws {
  let summary = try Story.summary(story.sample)
  let refused = try Story.refused(story.name)
  #expect(summary["totals"]?["blocked"]?.integer == refused.count)
  let incidents = try #require(summary["incidents"]?.elements)
  #expect(incidents.map { $0["cause"]?.text } == [story.cause])
  let course = try #require(incidents.first?["course"])
  func seconds(_ name: String) throws -> Double {
    let text = try #require(course[name]?.text)
    return Double(try #require(EventTime(rfc3339: text)).nanoseconds) / 1e9
  }
  let first = try #require(refused.min())
  let last = try #require(refused.max())
  // The page says when it asked, the server when it was asked.
  #expect(abs(try seconds("onset") - first) < 1, "\(story.sample)")
  #expect(try seconds("end") > last - 1 && seconds("end") < last + Story.slack, "\(story.sample)")
}

@Test("a day on which nothing is wrong has no incident, and what is hidden is never called good")
func quietAndHidden() throws {
  let quiet = try Story.summary("quiet-day.pcap")
  #expect(quiet["totals"]?["blocked"]?.integer == 0)
  #expect(quiet["totals"]?["allowed"]?.integer ?? 0 >= 60)
  #expect(quiet["incidents"]?.elements?.isEmpty == true)
  #expect(quiet["refusals"]?.elements?.isEmpty == true)
  let hidden = try Story.summary("tls-without-keys.pcap")
  #expect(hidden["totals"]?["calls"]?.integer == 0)
  #expect(hidden["answer"]?.texts?.first?.hasPrefix("Nothing can be judged") == true)
}
