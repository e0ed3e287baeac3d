import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// Archives of the same seven calls of a real Chromium to an API on loopback, as mitmproxy between the
/// two wrote them and as Playwright did, which sees what the browser told its pages.
@Suite struct ArchiveTests {
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
    return "\(exchange.method) \(path) \(exchange.status.map(String.init) ?? "none")"
  }

  @Test("mitmproxy's archive has the preflights and every line of a field")
  func mitmproxy() throws {
    let reading = try read("mitmproxy")
    #expect(
      reading.exchanges.map(summary) == [
        "GET / 200", "OPTIONS /orders/1 204", "PUT /orders/1 200", "GET /orders 200",
        "GET /public/8 200", "GET /twice/9 200", "OPTIONS /auth/10 401", "GET /broken/11 500",
        "OPTIONS /orders/6 204",
      ])
    guard
      case .recorded(let lines, _) = reading.exchanges[5].response.evidence(
        of: .accessControlAllowOrigin)
    else {
      Issue.record("not recorded")
      return
    }
    #expect(lines.count == 2 && lines.last == "*")
    #expect(reading.exchanges.allSatisfy { $0.observed == nil })
  }

  @Test("Playwright's archive says which calls failed in the browser")
  func playwright() throws {
    let reading = try read("playwright")
    #expect(
      reading.exchanges.map(summary) == [
        "GET / 200", "PUT /orders/1 200", "GET /orders 200", "GET /public/8 200",
        "GET /twice/9 none", "GET /auth/10 none", "GET /broken/11 none", "PATCH /orders/6 none",
      ])
    #expect(
      reading.exchanges.map { $0.observed == .failed }
        == [false, false, false, false, true, true, true, true])
  }
}
