import FetchCORS
import HTTPExchange
import TestSupport
import Testing

@testable import Postflight

/// What a page sends to its own origin stays within it, whatever a proxy in between makes of scheme,
/// host and port.
@Suite("Behind a terminator")
struct ForwardedTests {
  /// Forwarding fields that name the edge, one way or another.
  private func fields(
    _ origin: Origin, _ random: inout SeededGenerator
  ) -> [(String, String?)] {
    let isDefault = origin.port == Origin.defaultPort(of: origin.scheme)
    let port = origin.port.map { "\($0)" } ?? ""
    let hosts = [origin.host] + (isDefault ? [] : ["\(origin.host):\(port)"])
    // One that cannot be read is none.
    let host = random.pick(hosts + hosts + ["\(origin.host):port"])
    // A second proxy that says what its own hop was.
    let scheme = random.pick([origin.scheme, origin.scheme, "http"])
    let client = random.pick([
      "203.0.113.9", "\"[2001:db8::9]:4711\"", "_hidden", "unknown", "\"_SEVKISEK:80\"",
    ])
    let list = random.pick(["", ", for=10.0.0.1;proto=http;host=inner.local"])
    switch random.number(below: 6) {
    case 0: return []
    case 1: return [("X-Forwarded-For", "203.0.113.9, 10.0.0.1")]
    case 2:
      return [("X-Forwarded-Proto", scheme), ("X-Forwarded-For", "203.0.113.9")]
    case 3:
      return [
        ("X-Forwarded-Proto", scheme + random.pick(["", ", http"])), ("X-Forwarded-Host", host),
        ("X-Forwarded-Port", random.pick([port, "\(port), 8080"])),
      ]
    case 4:
      return [("Forwarded", "for=\(client);proto=\(scheme);host=\"\(host)\"\(list)")]
    default:
      return [
        ("Forwarded", "For=\(client) ; Proto=\"\(scheme)\""), ("Forwarded", "for=10.0.0.1"),
        ("X-Forwarded-Host", host),
      ]
    }
  }

  @Test("a call to the page's own origin is never blocked, trusted or not", arguments: 0..<40)
  func sameOrigin(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for trusts in [false, true] {
      var builder = TrafficBuilder()
      var pairing = Pairing()
      for index in 0..<60 {
        let origin = try #require(
          Origin(
            random.pick([
              "https://shop.example", "https://shop.example:8443", "http://shop.example",
              "http://shop.example:8080", "https://[2001:db8::5]:444", "https://192.0.2.80",
            ])))
        let forwarded = fields(origin, &random)
        let isDefault = origin.port == Origin.defaultPort(of: origin.scheme)
        // The hop behind: the browser's Host, the same without its port, or the proxy's own upstream.
        let host = random.pick([
          isDefault ? origin.host : "\(origin.host):\(origin.port ?? 0)", origin.host,
          random.pick(["10.0.0.5:8080", "backend", "shop.svc:9000"]),
        ])
        builder.origin = origin.description
        var exchange = builder.exchange(
          random.pick(["POST", "PUT", "DELETE"]), "/cart/\(index)", at: Int64(index) * 100,
          request: forwarded)
        exchange.url = RequestURL(
          hopScheme: origin.scheme == "http" && forwarded.isEmpty ? nil : "http", host: host,
          target: "/cart/\(index)", request: exchange.request, trustsForwarded: trusts)
        exchange.forwardedFor = Forwarded(exchange.request).client
        pairing.add(exchange)
      }
      pairing.finish()
      for call in pairing.takeCalls() {
        #expect(call.verdict != .blocked && call.verdict != .contradicted)
        let sent = call.exchanges[0].exchange.request.fields.map { "\($0.name): \($0.value ?? "")" }
        Issue.record("trusting \(trusts): \(call.origin) \(call.url) \(sent): a call that is none")
      }
    }
  }
}
