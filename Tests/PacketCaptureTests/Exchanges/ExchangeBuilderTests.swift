import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Exchanges from header blocks")
struct ExchangeBuilderTests {
  static func exchange(
    _ request: String, _ response: String, keepsAll: Bool = true
  ) throws -> (exchange: Exchange, record: SourceRecord) {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request))
      if !response.isEmpty { builder.add(talk.send(.server, response)) }
    }
    let reading = try Reading(file.pcap(), keepsAll: keepsAll)
    return (try #require(reading.exchanges.first), reading.record)
  }

  @Test("every part of an exchange comes from where it should")
  func parts() throws {
    let (exchange, record) = try Self.exchange(
      "OPTIONS /api?page=1&token=secret HTTP/1.1\r\nHost: api.example:8080\r\n"
        + "Origin: http://app.example\r\nUser-Agent: Agent/1.0\r\nAccept-Encoding: gzip\r\n"
        + "Access-Control-Request-Method: PUT\r\nCookie: id=1\r\nX-Api-Key: abc\r\n"
        + "Authorization: Bearer abcdef\r\nX-Forwarded-For: 203.0.113.5, 10.0.0.1\r\n"
        + "X-Request-Id: from-request\r\n\r\n",
      "HTTP/1.1 403 Forbidden\r\nServer: nginx\r\nDate: now\r\nSet-Cookie: a=b\r\n"
        + "X-Request-Id: from-response\r\nAccess-Control-Allow-Origin: *\r\n"
        + "Content-Length: 0\r\n\r\n")
    #expect(exchange.id.number == 4)
    #expect(exchange.id.ordinal == 1)
    #expect(exchange.id.source.hasPrefix("test.pcap@\(record.digest)"))
    #expect(exchange.method == "OPTIONS")
    #expect(exchange.status == 403)
    #expect(exchange.client == "192.0.2.1")
    #expect(exchange.forwardedFor == "203.0.113.5")
    #expect(exchange.userAgent == "Agent/1.0")
    #expect(exchange.requestID == "from-response")
    #expect(exchange.httpVersion == "HTTP/1.1")
    #expect(exchange.timeBasis == .both)
    #expect(exchange.ending == .complete)
    #expect(exchange.url.host == "api.example")
    #expect(exchange.url.target.hasPrefix("/api?page=1&token=~"))
    let names = exchange.request.fields.map(\.name.description)
    #expect(
      names == [
        "origin", "access-control-request-method", "cookie", "x-api-key", "authorization",
        "x-forwarded-for", "x-request-id",
      ])
    #expect(exchange.request.evidence(of: .cookie) == .recorded([nil], .exact))
    #expect(exchange.request.evidence(of: HeaderName("x-api-key")) == .recorded([nil], .exact))
    #expect(exchange.request.first(.authorization) == "Bearer")
    #expect(
      exchange.response.fields.map(\.name.description) == [
        "server", "set-cookie", "x-request-id", "access-control-allow-origin", "content-length",
      ])
    #expect(exchange.response.evidence(of: .setCookie) == .recorded([nil], .exact))
    #expect(exchange.response.evidence(of: .vary) == .absent)
  }

  @Test(
    "white space around a value goes, and nothing else",
    arguments: [
      ("Access-Control-Allow-Origin:*", "*"), ("Access-Control-Allow-Origin: \t * \t", "*"),
      ("ACCESS-control-ALLOW-origin:  a b ", "a b"),
      ("Access-Control-Allow-Origin: a\r\n  b\r\n\tc", "a b c"),
      ("Access-Control-Allow-Origin:\r\n *", "*"), ("Access-Control-Allow-Origin: ", ""),
      ("Access-Control-Allow-Origin: \u{B}*\u{1}", "\u{B}*\u{1}"),
      ("Access-Control-Allow-Origin: é", "é"), ("Access-Control-Allow-Origin : *", "*"),
    ])
  func values(line: String, value: String) throws {
    let (exchange, _) = try Self.exchange(
      request("/"), "HTTP/1.1 200 OK\r\n\(line)\r\nContent-Length: 0\r\n\r\n")
    #expect(
      exchange.response.evidence(of: .accessControlAllowOrigin) == .recorded([value], .exact))
  }

  @Test("several lines of a field are kept in order")
  func lines() throws {
    let (exchange, _) = try Self.exchange(
      request("/"),
      response(
        200, "Access-Control-Allow-Origin: a", "Vary: x",
        "access-control-allow-origin: b"))
    #expect(
      exchange.response.evidence(of: .accessControlAllowOrigin) == .recorded(["a", "b"], .exact))
  }

  @Test("names that only look alike are other names")
  func otherNames() throws {
    let (exchange, _) = try Self.exchange(
      request("/", "Origi: a", "Origins: b", "0rigin: c", "Or\u{9}igin: d", ": e", "no colon"),
      response(200, "Access\rControl-Allow-Origin: *", "Access-Control-Allow-Origi: *"))
    #expect(exchange.request.evidence(of: .origin) == .absent)
    #expect(exchange.response.evidence(of: .accessControlAllowOrigin) == .absent)
  }

  @Test("only what CORS can concern is kept, and the rest is counted")
  func concern() throws {
    let file = capture { builder, talk in
      for (ask, answer) in [
        (request("/plain"), response(200)), (request("/redirect"), response(302)),
        (request("/origin", "Origin: null"), response(200)), (request("/plain"), response(404)),
        ("OPTIONS /options HTTP/1.1\r\n\r\n", response(200)),
      ] {
        builder.add(talk.send(.client, ask))
        builder.add(talk.send(.server, answer))
      }
    }
    let reading = try Reading(file.pcap(), keepsAll: false)
    #expect(
      reading.summaries == ["GET /redirect 302", "GET /origin 200", "OPTIONS /options 200"])
    #expect(reading.record.passedOver == ["no-origin": 2])
    #expect(reading.record.exchanges == 5)
    #expect(reading.isBalanced)
    #expect(try Reading(file.pcap(), keepsAll: true).exchanges.count == 5)
  }

  @Test("exchanges that begin in one packet are told apart")
  func ordinals() throws {
    let file = capture { builder, talk in
      builder.add(talk.send(.client, request("/1") + request("/2")))
      builder.add(talk.send(.client, request("/3")))
      builder.add(talk.send(.server, response(200) + response(200) + response(200)))
    }
    let ids = try Reading(file.pcap()).exchanges.map { "\($0.id.number).\($0.id.ordinal)" }
    #expect(ids == ["4.1", "4.2", "5.1"])
  }

  @Test("behind a terminator scheme and port are not recorded")
  func terminator() throws {
    let (secure, _) = try Self.exchange(
      request("/", "Origin: https://app.example"), response(200))
    #expect(secure.url.known == ["host"])
    let (clear, _) = try Self.exchange(request("/", "Origin: http://app.example"), response(200))
    #expect(clear.url.known == ["scheme", "host", "port"])
    #expect(clear.url.port == 80)
  }
}
