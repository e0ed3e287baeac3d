import HTTPExchange
import Testing

@testable import AccessLog

@Suite struct NginxPatternTests {
  @Test(
    "a pattern that cannot be compiled is refused at its column",
    arguments: [
      ("$remote_addr [$time_local] $ \"$request\"", 28, "without the name"),
      ("[$time_local] ${request", 15, "lacks its \"}\""),
      ("a\\tb $", 6, "without the name"),
    ])
  func errorsNameTheColumn(pattern: String, column: Int, reason: String) {
    let error = #expect(throws: FormatError.self) { try FormatChoice(argument: pattern) }
    #expect(error?.column == column)
    #expect(error?.reason.contains(reason) == true)
    #expect(error?.description.contains("\n") == false)
  }

  @Test(
    "a format whose lines can become no exchange is refused",
    arguments: ["$remote_addr $time_iso8601 $status", "[$time_local] $status $request_method"])
  func insufficientFormats(pattern: String) {
    #expect(throws: FormatError.self) { try FormatChoice(argument: pattern) }
  }

  @Test("msec and request_time tell both ends by the millisecond")
  func milliseconds() throws {
    let found = try exchange(
      "1795460074.930 0.007 GET /a 200", "$msec $request_time $request_method $request_uri $status")
    let exchange = try #require(found)
    #expect(exchange.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:34.930Z")
    #expect(exchange.startedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:34.923Z")
    #expect(exchange.timeBasis == .both)
    #expect(exchange.resolution == .millisecond)
  }

  @Test(
    "a stamp by the second is the end alone",
    arguments: [
      ("[23/Nov/2026:19:54:34 +0100] 0.007 \"GET /a HTTP/1.1\"", "[$time_local]"),
      ("[2026-11-23T18:54:34+00:00] 0.007 \"GET /a HTTP/1.1\"", "[$time_iso8601]"),
    ])
  func secondsAreTheEnd(line: String, stamp: String) throws {
    let exchange = try #require(try exchange(line, "\(stamp) $request_time \"$request\""))
    #expect(exchange.endedAt?.rfc3339(.second) == "2026-11-23T18:54:34Z")
    #expect(exchange.startedAt == nil)
    #expect(exchange.timeBasis == .end)
    #expect(exchange.resolution == .second)
  }

  @Test("the URL is put together from scheme, host and port")
  func urlParts() throws {
    let found = try exchange(
      "1795460074.930 https://api.example.com:8443 GET /a?b=1 HTTP/2.0 200",
      "$msec $scheme://$host:$server_port $request_method $request_uri $server_protocol $status")
    let exchange = try #require(found)
    #expect(exchange.url.description == "https://api.example.com:8443/a?b=1")
    #expect(exchange.url.known == ["scheme", "host", "port"])
    #expect(exchange.httpVersion == "HTTP/2")
  }

  @Test(
    "what the log does not tell of the URL stays unknown",
    arguments: [
      // `$host` never names a port.
      ("1795460074.930 https api.example.com GET /a", "$msec $scheme $host", ["scheme", "host"]),
      (
        "1795460074.930 https api.example.com GET /a", "$msec $scheme $http_host",
        ["scheme", "host", "port"]
      ),
      ("1795460074.930 8080 api.example.com GET /a", "$msec $server_port $host", ["host"]),
      ("1795460074.930 https _ GET /a", "$msec $scheme $host", ["scheme"]),
      ("1795460074.930 - - GET /a", "$msec $scheme $http_host", []),
    ])
  func unknownURLParts(line: String, pattern: String, known: [String]) throws {
    let exchange = try #require(try exchange(line, pattern + " $request_method $request_uri"))
    #expect(exchange.url.known == known)
  }

  @Test("a path and a query that stand apart are joined")
  func pathAndArguments() throws {
    for pattern in ["$uri$is_args$args", "${uri}${is_args}$query_string"] {
      let found = try exchange(
        "1795460074.930 GET /a?b=1 200", "$msec $request_method \(pattern) $status")
      #expect(found?.url.target == "/a?b=1")
    }
    let found = try exchange(
      "1795460074.930 GET /a b=1 200", "$msec $request_method $uri $args $status")
    #expect(found?.url.target == "/a?b=1")
  }

  @Test("a host directly before the path ends at its slash")
  func hostBeforePath() throws {
    let found = try exchange(
      "1795460074.930 \"GET https://api.example.com/a?b HTTP/1.1\" 200",
      "$msec \"$request_method $scheme://$http_host$request_uri $server_protocol\" $status")
    #expect(found?.url.description == "https://api.example.com/a?b")
    #expect(found?.method == "GET")
  }

  @Test("the values of several upstream servers are one field")
  func upstreamLists() throws {
    let line =
      "203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"x\" 398 0.007 "
      + "[default-api-8080] [] 10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80 0, 12 : 5 0.001, - : 0.002 "
      + "502, 504 : 200 f3f0aba0a827677d086e8e61babd4339"
    let reading = try LogReading(Array(line.utf8), .ingressNginx)
    #expect(reading.exchanges.first?.requestID == "f3f0aba0a827677d086e8e61babd4339")
  }

  @Test("what the upstream sent is not what the browser got")
  func upstreamHeaders() throws {
    let found = try exchange(
      "1795460074.930 GET /a 200 \"*\" \"-\"",
      "$msec $request_method $request_uri $status \"$upstream_http_access_control_allow_origin\" "
        + "\"$sent_http_access_control_allow_origin\"")
    let exchange = try #require(found)
    #expect(exchange.response.evidence(of: .accessControlAllowOrigin) == .absent)
    #expect(!exchange.response.records(.vary))
  }

  @Test("the client that a proxy forwarded is the leftmost of the list")
  func forwardedFor() throws {
    let pattern =
      "$msec $request_method $request_uri $status \"$http_x_forwarded_for\" $remote_addr"
    let found = try exchange(
      "1795460074.930 GET /a 200 \"198.51.100.7, 10.0.0.1\" 10.0.0.2", pattern)
    #expect(found?.forwardedFor == "198.51.100.7")
    #expect(found?.client == "10.0.0.2")
    let alone = "$proxy_add_x_forwarded_for - $msec $request_method $request_uri"
    #expect(try exchange("10.0.0.2 - 1795460074.930 GET /a", alone)?.forwardedFor == nil)
    let chain = try exchange("198.51.100.7, 10.0.0.2 - 1795460074.930 GET /a", alone)
    #expect(chain?.forwardedFor == "198.51.100.7")
  }

  @Test(
    "a flag says that a header was there, whatever the words for it",
    arguments: [
      ("1", true), ("yes", true), ("present", true), ("0", false), ("-", false), ("no", false),
      ("false", false), ("absent", false),
    ])
  func flags(text: String, isPresent: Bool) throws {
    let found = try exchange(
      "1795460074.930 GET /a \(text)", "$msec $request_method $request_uri $has_cookie")
    let evidence = try #require(found).request.evidence(of: .cookie)
    #expect(evidence == (isPresent ? .recorded([nil], .presence) : .absent))
  }

  @Test("an answer that never came has no status and no header fields")
  func unanswered() throws {
    let pattern = "$msec $request_method $request_uri $status \"$sent_http_vary\""
    for (status, ending) in [("499", ExchangeEnding.clientClosed), ("444", .serverClosed)] {
      let exchange = try #require(try exchange("1795460074.930 GET /a \(status) \"-\"", pattern))
      #expect(exchange.status == nil)
      #expect(exchange.ending == ending)
      #expect(exchange.response.evidence(of: .vary) == .unrecorded)
    }
  }

  @Test("secrets do not leave the reader")
  func secrets() throws {
    let found = try exchange(
      "1795460074.930 GET /a?token=s3cret&x=1 200 \"sid=s3cret\" \"Bearer s3cret\"",
      "$msec $request_method $request_uri $status \"$http_cookie\" \"$http_authorization\"")
    let exchange = try #require(found)
    var writer = JSONWriter()
    exchange.write(to: &writer)
    #expect(!String(decoding: writer.bytes, as: UTF8.self).contains("s3cret"))
    #expect(exchange.request.first(.authorization) == "Bearer")
    #expect(exchange.request.contains(.cookie))
    #expect(exchange.url.target.contains("x=1"))
  }
}
