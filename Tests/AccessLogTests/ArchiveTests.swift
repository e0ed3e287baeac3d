import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// Archives of the same seven calls of a real Chromium to an API on loopback: of mitmproxy between the
/// two, which sees preflights, and of Playwright, which sees what the browser told its pages.
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

  private func exchanges(_ name: String) throws -> [Exchange] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let bytes = try [UInt8](
      Data(contentsOf: folder.appendingPathComponent("Lines/Archives/\(name).har")))
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    #expect(format.name == "har")
    let reading = try LogReading(bytes, format)
    #expect(reading.addsUp)
    #expect(reading.record.damageCount == 0)
    return reading.exchanges
  }

  @Test("an archive has what its writer saw: preflights, or what failed", arguments: archives)
  func entries(archive: Archive) throws {
    let entries = try exchanges(archive.testDescription).map { exchange in
      let path = exchange.url.target.split(separator: "?").first ?? ""
      let status = exchange.status.map(String.init) ?? "none"
      let ending = exchange.observed == .failed ? " failed" : ""
      return "\(exchange.method) \(path) \(status)\(ending)"
    }
    #expect(entries == archive.entries)
  }

  @Test("mitmproxy's archive has every line of a field")
  func lines() throws {
    let response = try exchanges("mitmproxy")[5].response
    guard case .recorded(let lines, _) = response.evidence(of: .accessControlAllowOrigin) else {
      Issue.record("not recorded")
      return
    }
    #expect(lines.count == 2 && lines.last == "*")
  }
}
