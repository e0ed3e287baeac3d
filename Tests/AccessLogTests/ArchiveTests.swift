import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// Archives of the same seven calls of a real Chromium to an API on loopback: of mitmproxy between the
/// two, which sees preflights, and of its own DevTools and Playwright, which see what the browser told
/// its pages.
@Suite("HTTP archives")
struct ArchiveTests {
  struct Archive: CustomTestStringConvertible {
    var testDescription: String
    /// Method, path and status of each entry, marked where the call failed in the browser.
    var entries: [String]
  }

  static let archives = [
    Archive(
      testDescription: "mitmproxy",
      entries: [
        "GET / 200", "OPTIONS /orders/1 204", "PUT /orders/1 200", "GET /orders 200",
        "GET /public/8 200", "GET /twice/9 200", "OPTIONS /auth/10 401", "GET /broken/11 500",
        "OPTIONS /orders/6 204",
      ]),
    Archive(
      testDescription: "playwright",
      entries: [
        "GET / 200", "PUT /orders/1 200", "GET /orders 200", "GET /public/8 200",
        "GET /twice/9 none failed", "GET /auth/10 none failed", "GET /broken/11 none failed",
        "PATCH /orders/6 none failed",
      ]),
  ]

  private func read(_ name: String) throws -> LogReading {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let bytes = try [UInt8](
      Data(contentsOf: folder.appendingPathComponent("Lines/Archives/\(name).har")))
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    #expect(format.name == "har")
    let reading = try LogReading(bytes, format)
    #expect(reading.addsUp)
    #expect(reading.record.damageCount == 0)
    return reading
  }

  private func summary(_ exchange: Exchange) -> String {
    let path = exchange.url.target.split(separator: "?").first ?? ""
    let status = exchange.status.map(String.init) ?? "none"
    let ending = exchange.observed == .failed ? " failed" : ""
    return "\(exchange.method) \(path) \(status)\(ending)"
  }

  @Test("an archive has what its writer saw: preflights, or what failed", arguments: archives)
  func entries(archive: Archive) throws {
    #expect(try read(archive.testDescription).exchanges.map(summary) == archive.entries)
  }

  @Test("mitmproxy's archive has every line of a field")
  func lines() throws {
    let response = try read("mitmproxy").exchanges[5].response
    guard case .recorded(let lines, _) = response.evidence(of: .accessControlAllowOrigin) else {
      Issue.record("not recorded")
      return
    }
    #expect(lines.count == 2 && lines.last == "*")
  }

  @Test("DevTools' archive has preflights and failures, and a call begins when its request is sent")
  func devtools() throws {
    let reading = try read("devtools")
    // A call and its preflight are listed in either order.
    #expect(
      reading.exchanges.map(summary).sorted() == [
        "GET / 200", "GET /broken/11 500 failed", "GET /favicon.ico 200", "GET /orders 200",
        "GET /public/8 200", "GET /twice/9 200 failed", "OPTIONS /auth/10 401",
        "OPTIONS /orders/1 204", "OPTIONS /orders/6 204", "PUT /orders/1 200",
      ])
    // What the browser did not send, since its preflight had failed, is no exchange.
    #expect(reading.record.passedOver["not-sent"] == 2)
    func exchange(_ method: String) throws -> Exchange {
      try #require(
        reading.exchanges.first { $0.method == method && $0.url.target == "/orders/1" })
    }
    let preflight = try #require(try exchange("OPTIONS").endedAt)
    let request = try #require(try exchange("PUT").startedAt)
    // Both are told by the millisecond.
    #expect(request.nanoseconds > preflight.nanoseconds - 2_000_000)
    for exchange in reading.exchanges {
      #expect(try #require(exchange.startedAt) <= (try #require(exchange.endedAt)))
    }
  }

  @Test(
    "a request that failed by itself is one, whatever preflights there are of its URL elsewhere")
  func failedAlone() throws {
    func entry(_ method: String, _ second: Int, _ status: Int, _ more: String = "") -> String {
      #"{"startedDateTime":"2026-11-23T18:54:\#(second).000Z","time":500,"timings":{"blocked":400,"receive":10},"#
        + #""request":{"method":"\#(method)","url":"https://api.example/a","headers":[]},"#
        + #""response":{"status":\#(status),"headers":[]\#(more)}}"#
    }
    func read(_ entries: [String]) throws -> LogReading {
      let text =
        #"{"log":{"version":"1.2","creator":{"name":"x"},"entries":["#
        + entries.joined(separator: ",") + "]}}"
      let format = try #require(LogReader.recognizes(Array(text.utf8), choice: .automatic))
      let reading = try LogReading(Array(text.utf8), format)
      #expect(reading.addsUp)
      return reading
    }
    let failed = entry("GET", 10, 0, #","_error":"net::ERR_FAILED""#)
    let later = try read([failed, entry("OPTIONS", 20, 204), entry("GET", 21, 200)])
    #expect(later.exchanges.count == 3 && later.record.passedOver.isEmpty)
    let during = try read([failed, entry("OPTIONS", 10, 403)])
    #expect(during.exchanges.map(\.method) == ["OPTIONS"])
    #expect(during.record.passedOver == ["not-sent": 1])
    let many = try read([failed] + (0..<80).map { entry("GET", 11 + $0 / 2, 200) })
    #expect(many.exchanges.count == 81)
    // An answered call begins when it was sent, and ends with its header block.
    let answered = try #require(later.exchanges.first { $0.status == 200 })
    #expect(answered.startedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:21.400Z")
    #expect(answered.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:21.490Z")
  }
}
