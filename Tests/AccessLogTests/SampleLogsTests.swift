import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// Logs of real servers that stand outside the repository; skipped where they are missing.
@Suite struct SampleLogsTests {
  private func shared(_ path: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../shared").standardizedFileURL.path
    let file = "\(root)/\(path)"
    if FileManager.default.fileExists(atPath: file) { return file }
    print("skipped: no \(file)")
    return nil
  }

  /// Configuration (or nothing), file, the name of the format, lines, exchanges.
  static let samples: [(String, String, String, UInt64, UInt64)] = [
    ("", "sample-logs/nginx/access.log", "combined", 51, 50),
    ("", "sample-logs/nginx/access.log.1.gz", "combined", 51, 50),
    ("", "sample-logs/nginx/cors.log", "key-value", 51, 50),
    ("", "sample-logs/nginx/cors-only.log", "key-value", 46, 46),
    ("", "sample-logs/nginx/cors.json", "json", 51, 49),
    ("", "sample-logs/nginx/cors.json.2members.gz", "json", 51, 49),
    ("", "sample-logs/nginx/ingress.log", "ingress-nginx", 51, 50),
    ("nginx/nginx.conf", "sample-logs/nginx/cors.log", "cors", 51, 50),
    ("nginx/nginx.conf", "sample-logs/nginx/cors.json", "cors_json", 51, 49),
    ("nginx/nginx.conf", "sample-logs/nginx/cors.tsv", "cors_tsv", 51, 48),
    ("nginx/nginx.conf", "sample-logs/nginx/ingress.log", "upstreaminfo", 51, 50),
    ("", "sample-logs/apache/access.log", "combined", 47, 47),
    ("", "sample-logs/apache/access_common.log", "common", 47, 47),
    ("", "sample-logs/apache/other_vhosts_access.log", "vhost_combined", 47, 47),
    ("", "sample-logs/apache/cors.log", "key-value", 47, 47),
    ("", "sample-logs/apache/cors.json", "json", 47, 47),
    ("apache/httpd.conf", "sample-logs/apache/cors.log", "cors", 47, 47),
    ("apache/httpd.conf", "sample-logs/apache/cors.json", "json", 47, 47),
    ("apache/httpd.conf", "sample-logs/apache/other_vhosts_access.log", "vhost_combined", 47, 47),
    ("", "access-logs/examples/apache_logs", "combined", 10000, 9999),
    ("", "access-logs/lnav/logfile_access_log.0", "combined", 3, 3),
    ("", "access-logs/lnav/logfile_shop_access_log.0", "main", 1000, 1000),
    ("", "access-logs/matomo-log-analytics/common_encoding_big5.log", "vcombined", 1, 1),
    ("", "access-logs/matomo-log-analytics/common.log", "common", 1, 1),
    ("", "access-logs/matomo-log-analytics/common.log.gz", "common", 1, 1),
    ("", "access-logs/matomo-log-analytics/common_vhost.log", "vcommon", 1, 1),
    ("", "access-logs/matomo-log-analytics/ovh.log", "lighttpd", 1, 1),
    ("", "access-logs/matomo-log-analytics/alb.log", "alb", 1, 1),
    ("", "access-logs/matomo-log-analytics/haproxy.log", "haproxy", 1, 1),
    ("", "access-logs/matomo-log-analytics/iis.log", "w3c", 5, 1),
    ("", "access-logs/matomo-log-analytics/netscaler.log", "w3c", 5, 1),
    ("", "access-logs/matomo-log-analytics/caddy_json.log", "caddy", 3, 3),
    ("", "access-logs/lnav/logfile_w3c.0", "w3c", 5, 1),
    ("", "access-logs/lnav/logfile_w3c.3", "w3c", 10, 3),
    ("", "access-logs/lnav/logfile_caddy_log.0", "caddy", 39, 4),
    ("", "access-logs/lnav/logfile_cloudflare.json", "cloudflare", 1, 1),
    ("", "access-logs/lnav/logfile_bro_http.log.0", "zeek", 206, 197),
    ("", "access-logs/matomo-log-analytics/static_ignores.log", "vcombined", 4, 4),
  ]

  @Test("the sample logs are recognised and read whole", arguments: samples)
  func readWhole(
    configuration: String, file: String, name: String, lines: UInt64, exchanges: UInt64
  ) throws {
    guard let path = shared(file) else { return }
    var choice = FormatChoice.automatic
    if !configuration.isEmpty {
      guard let server = shared("sample-logs/\(configuration)") else { return }
      choice = try FormatChoice(argument: "@\(server)")
    }
    let head = try ByteInput(path: path).head
    let format = try #require(LogReader.recognizes(head, choice: choice))
    #expect(format.name == name)
    let reading = try LogReading(path: path, format)
    #expect(reading.record.read == lines)
    #expect(reading.record.used == exchanges)
    #expect(reading.addsUp)
    print("\(file): \(format.name), \(lines) lines, skipped \(reading.record.skipped)")
  }

  @Test(
    "logs of other servers are not taken for these",
    arguments: [
      "sample-logs/nginx/error.log", "sample-logs/nginx/nginx.conf", "sample-logs/nginx/cors.tsv",
      "access-logs/README.md", "access-logs/lnav/logfile_w3c.2",
    ])
  func others(file: String) throws {
    guard let path = shared(file) else { return }
    #expect(LogReader.recognizes(try ByteInput(path: path).head, choice: .automatic) == nil)
  }

  @Test("what nginx wrote of one request as text and as JSON is the same")
  func spellingsAgree() throws {
    guard let nginx = shared("sample-logs/nginx/cors.log"),
      let nginxServer = shared("sample-logs/nginx/nginx.conf"),
      let nginxJSON = shared("sample-logs/nginx/cors.json")
    else { return }
    let choice = try FormatChoice(argument: "@\(nginxServer)")
    guard case .candidates(let formats) = choice else { return }
    let text = try LogReading(path: nginx, try #require(formats.first { $0.name == "cors" }))
    let json = try LogReading(
      path: nginxJSON, try #require(formats.first { $0.name == "cors_json" }))
    let others = Dictionary(uniqueKeysWithValues: json.exchanges.map { ($0.id.number, $0) })
    for exchange in text.exchanges {
      guard let other = others[exchange.id.number] else { continue }
      #expect(exchange.endedAt == other.endedAt)
      #expect(exchange.url.host == other.url.host)
      #expect(exchange.status == other.status)
      #expect(exchange.request.first(.origin) ?? "" == other.request.first(.origin) ?? "")
    }
  }
}
