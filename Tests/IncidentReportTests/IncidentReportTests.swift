import FetchCORS
import Foundation
import HTTPExchange
import Testing

@testable import IncidentReport

/// A morning in which several things break.
enum Morning {
  static var calls: [Call] {
    var calls: [Call] = []
    for minute in 0..<240 {
      let offset = Int64(minute * 60)
      for repeatIndex in 0..<(6 + minute % 7) {
        calls.append(
          CallBuilder.allowed.at(offset + Int64(repeatIndex)).with {
            $0.client = "198.51.100.\(repeatIndex)"
            $0.url = "https://api.example/v1/items/\(minute)"
          }.call)
      }
      if minute < 90 {
        calls.append(CallBuilder.allowedPreflighted.at(offset + 20).call)
      } else {
        calls.append(
          CallBuilder.preflightFailure(
            401, .missingAllowOriginHeader,
            [("www-authenticate", "Bearer"), ("server", "nginx"), ("content-type", "text/html")]
          ).at(offset + 20).with {
            $0.client = "198.51.100.\(minute % 23)"
            $0.message =
              "Access to fetch at 'https://api.example/v1/items/\(minute)' from origin "
              + "'https://app.example' has been blocked by CORS policy: Response to preflight "
              + "request doesn't pass access control check: No 'Access-Control-Allow-Origin' header "
              + "is present on the requested resource."
          }.call)
      }
      if minute % 9 == 4 {
        calls.append(
          CallBuilder.responseFailure(502, .missingAllowOriginHeader, [("server", "nginx")])
            .at(offset + 30).with { $0.engine = "firefox" }.call)
      }
      if minute % 20 == 7 {
        calls.append(
          CallBuilder.responseFailure(
            200, .allowOriginMismatch, [("access-control-allow-origin", "https://www.app.example")]
          ).at(offset + 40).with {
            $0.url = "https://cdn.example/fonts/a.woff2"
            $0.engine = "webkit"
          }.call)
      }
      if minute % 30 == 11 {
        calls.append(
          CallBuilder.preflightFailure(403, .invalidStatus).at(offset + 50).with {
            $0.verdict = .undetermined
            $0.phase = nil
            $0.reason = nil
            $0.missing = ["preflight"]
            $0.url = "https://old.example/api/report"
          }.call)
      }
    }
    return calls
  }

  static var sources: [SourceRecord] {
    var pcap = SourceRecord(input: "edge.pcap", digest: "0123456789ab", kind: "pcapng")
    pcap.bytes = 123_456_789
    pcap.read = 345_678
    pcap.used = 300_000
    pcap.exchanges = 6000
    pcap.skip("udp", 45_678)
    pcap.note("tls connections without keys", 12)
    pcap.see(EventTime(seconds: 1_790_000_000))
    pcap.see(EventTime(seconds: 1_790_014_400))
    pcap.addDamage(
      .init(offset: 123_456_700, number: 345_678, what: "the file ends inside a packet"))
    var log = SourceRecord(input: "access.log.gz", digest: "ab", kind: "log", compression: "gzip")
    log.format = "nginx-cors"
    log.read = 1000
    log.used = 990
    log.bytes = 99_000
    return [pcap, log]
  }

  static func outputs(_ options: ReportOptions = ReportOptions()) throws -> Outputs {
    try Outputs.of(
      calls, sources: sources, notCORS: [("same-origin", 12_345), ("navigation", 321)],
      options: options)
  }
}

/// Set `POSTFLIGHT_LOOK` to a folder in order to look at what is written.
@Test("the page allows its own style and script and nothing else")
func pageIsSelfContained() throws {
  let outputs = try Morning.outputs(ReportOptions(writesCalls: true))
  if let folder = ProcessInfo.processInfo.environment["POSTFLIGHT_LOOK"] {
    for (file, bytes) in outputs.files {
      try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + file.rawValue))
    }
    try Data(outputs.summary.utf8).write(to: URL(fileURLWithPath: folder + "/summary.txt"))
  }
  let html = outputs.text(.html)
  #expect(html.hasSuffix("</html>\n"))
  func content(_ tag: String) throws -> String {
    let start = try #require(html.firstRange(of: "<\(tag)>"))
    let end = try #require(html[start.upperBound...].firstRange(of: "</\(tag)>"))
    return String(html[start.upperBound..<end.lowerBound])
  }
  for tag in ["style", "script"] {
    let hash = HTMLText.policyHash(of: try content(tag))
    #expect(html.contains("\(tag)-src &#39;\(hash)&#39;"), "\(tag)")
  }
  #expect(html.contains("default-src &#39;none&#39;"))
  for word in [" src=", "url(", "@import", " style=", "<link", "<iframe", "javascript:"] {
    #expect(!html.contains(word), "\(word)")
  }
  // Links lead into the page or to the standard.
  for part in html.split(separator: "href=\"").dropFirst() {
    #expect(part.hasPrefix("#") || part.hasPrefix("https://fetch.spec.whatwg.org/"))
  }
  // Every link into the page has its place.
  for part in html.split(separator: "href=\"#").dropFirst() {
    #expect(html.contains("id=\"\(part.prefix { $0 != "\"" })\""))
  }
}

@Test("a page opens with the answer and shows each incident with its evidence")
func pageTellsTheStory() throws {
  let html = try Morning.outputs().text(.html)
  for text in [
    "<strong>Since 15:43:40 UTC on 21 September 2026</strong>, browsers have blocked calls of",
    "<strong>https://app.example</strong> to",
    "<strong>150\u{A0}PUT\u{A0}calls</strong> of 23 clients",
    "At api.example: answer OPTIONS before authentication",
    "id=\"incident-", "Last good call at 15:42:40 beside the first bad one at 15:43:40",
    "edge.pcap packet 5421", "console would have said", "the file ends inside a packet",
    "The preflight was answered with 403.", "same-origin", "Read in part",
  ] {
    #expect(html.contains(text), "\(text)")
  }
}
