import Foundation
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Recorded TLS connections")
struct TLSRecordingsTests {
  private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test("all connections of the sample decrypt, and the browser chose HTTP/2 in all of them")
  func sample() throws {
    let folder = Self.package.appendingPathComponent("SampleCaptures")
    let keys = try TLSKeyLog(path: folder.appendingPathComponent("chromium-tls.keys").path)
    let reading = try Reading(
      path: folder.appendingPathComponent("chromium-tls.pcap.gz").path, keys: keys)
    #expect(reading.record.notes["tls-connections"] == 5)
    #expect(reading.record.notes["tls-decrypted"] == 5)
    #expect(reading.record.notes["http2-connections"] == 5)
    #expect(reading.record.notes["tls-records-not-opened"] == nil)
    #expect(reading.isBalanced)
  }

  private static let verdicts = package.deletingLastPathComponent()
    .appendingPathComponent("shared/browser-verdicts")

  @Test(
    "all connections of three browsers decrypt",
    .disabled(
      if: !FileManager.default.fileExists(atPath: verdicts.path), "no shared recordings here"),
    arguments: [("chromium", 11, 11), ("firefox", 18, 18), ("webkit", 136, 136)])
  func browsers(browser: String, connections: UInt64, http2: UInt64) throws {
    let folder = Self.verdicts.appendingPathComponent("\(browser)-tls-h2")
    let keys = try TLSKeyLog(path: folder.appendingPathComponent("sslkeys.log").path)
    let reading = try Reading(
      path: folder.appendingPathComponent("capture.pcap.gz").path, keys: keys)
    #expect(reading.record.notes["tls-connections"] == connections)
    #expect(reading.record.notes["tls-decrypted"] == connections)
    // Those of which ALPN says so.
    #expect(reading.record.notes["http2-connections"] == http2)
    #expect(reading.record.notes["tls-records-not-opened"] == nil)
    #expect(reading.isBalanced)
  }

  @Test(
    "captures of other projects decrypt but for one",
    .disabled(if: SharedCaptures.areMissing, "no shared captures here"))
  func others() throws {
    let folder = try #require(SharedCaptures.folder)
    var closed: [String] = []
    var exchanges = 0
    for columns in SharedCaptures.table("index.tsv") where columns.count > 21 && columns[18] != "-"
    {
      var keys = TLSKeyLog()
      if columns[18].hasPrefix("keys/") {
        try keys.add(path: folder.appendingPathComponent(columns[18]).path)
      }
      let reading = try Reading(path: folder.appendingPathComponent(columns[0]).path, keys: keys)
      let notes = reading.record.notes
      if notes["tls-connections"] != notes["tls-decrypted"] { closed.append(columns[0]) }
      exchanges += reading.exchanges.count
      #expect(reading.exchanges.allSatisfy { $0.url.scheme == "https" })
      #expect(reading.isBalanced)
    }
    // Its ClientHello is one of SSL 2.0, and its cipher RC4.
    #expect(closed == ["files/suricata-verify/bypass-depth-disabled__input.pcap"])
    #expect(exchanges >= 12)
  }
}
