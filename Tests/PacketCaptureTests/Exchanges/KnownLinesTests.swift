import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("Header lines that come again")
struct KnownLinesTests {
  private static let names = [
    "Origin: https://a.example", "origin: https://b.example", "Accept: */*", "Cookie: id=1",
    "Cookie: id=2", "X-Api-Key: secret", "X-Owl: 1", "Referer: https://a.example/page?q=1",
    "X-Request-Id: same", "X-Request-Id: other", "X-Forwarded-For: 203.0.113.5",
    "Content-Type: text/plain", "Accept-Encoding: gzip", "Connection: keep-alive",
    "User-Agent: Owl/1", "User-Agent: Owl/2", "Host: a.example", "Host: b.example",
    "Accept: text/html,\r\n application/json", "nothing", ": no name",
  ]
  private static let answers = [
    "Access-Control-Allow-Origin: *", "Access-Control-Allow-Origin: https://a.example",
    "Vary: Origin", "Vary: Accept", "Server: owl", "Content-Length: 0", "Age: 1", "Age: 2",
    "X-Request-Id: one", "X-Correlation-Id: two", "Set-Cookie: a=b", "Date: today", "ETag: x",
    "Access-Control-Allow-Headers: a,\r\n b", "CF-Ray: 7",
  ]

  /// Messages of a few lines, which come in any number and order.
  private static func messages(_ seed: UInt64) -> [(request: String, response: String)] {
    var random = SeededGenerator(seed: seed)
    return (0..<60).map { number in
      let asks = (0..<random.number(below: 9)).map { _ in random.pick(names) + "\r\n" }
      let says = (0..<random.number(below: 8)).map { _ in random.pick(answers) + "\r\n" }
      return (
        "GET /\(number % 5) HTTP/1.1\r\n" + asks.joined() + "\r\n",
        "HTTP/1.1 204 No Content\r\n" + says.joined() + "\r\n"
      )
    }
  }

  @Test(
    "what was read before makes no difference to an exchange", arguments: 0..<10 as Range<UInt64>)
  func alike(seed: UInt64) throws {
    let messages = Self.messages(seed)
    let file = capture { builder, talk in
      for (request, response) in messages {
        builder.add(talk.send(.client, request))
        builder.add(talk.send(.server, response))
      }
    }
    let together = try Reading(file.pcap(), keepsAll: true).exchanges
    #expect(together.count == messages.count)
    for (exchange, (request, response)) in zip(together, messages) {
      // Read by itself, nothing was read before.
      var alone = try ExchangeBuilderTests.exchange(request, response).exchange
      alone.id = exchange.id
      alone.startedAt = exchange.startedAt
      alone.endedAt = exchange.endedAt
      #expect(alone == exchange, "\(request)\(response)")
    }
  }

  @Test("a preflight and its request have one URL, and secrets in it are replaced in each")
  func urls() throws {
    let file = capture { builder, talk in
      for target in ["/a", "/a", "/b?token=secret", "/b?token=secret", "/a", "/\u{e9}", "/\u{e9}"] {
        builder.add(talk.send(.client, "GET \(target) HTTP/1.1\r\nHost: a.example\r\n\r\n"))
        builder.add(talk.send(.server, "HTTP/1.1 204 No Content\r\n\r\n"))
      }
    }
    let urls = try Reading(file.pcap(), keepsAll: true).exchanges.map(\.url)
    #expect(urls.count == 7)
    #expect(urls[0] == urls[1] && urls[1] == urls[4])
    #expect(urls[0].description == "http://a.example/a")
    #expect(urls[2] == urls[3] && urls[2].target.hasPrefix("/b?token=~"))
    #expect(urls[5] == urls[6] && urls[5].target == "/\u{e9}")
  }

  @Test("a target is the same whether it is short enough to be remembered or not")
  func targets() throws {
    let targets = [511, 512, 513, 2000].map { "/" + String(repeating: "x", count: $0 - 1) }
    let file = capture { builder, talk in
      for target in targets + targets {
        builder.add(talk.send(.client, "GET \(target) HTTP/1.1\r\nHost: a.example\r\n\r\n"))
        builder.add(talk.send(.server, "HTTP/1.1 204 No Content\r\n\r\n"))
      }
    }
    let urls = try Reading(file.pcap(), keepsAll: true).exchanges.map(\.url.target)
    #expect(urls == targets + targets)
  }

  @Test("lines are pushed out by others, and the longest are not remembered")
  func bounds() {
    let lines = KnownLines()
    func isKnown(_ text: String) -> Bool {
      Array(text.utf8).withByteView { lines.use($0) { _ in } }
    }
    func remember(_ text: String) {
      Array(text.utf8).withByteView { lines.remember($0, .nothing) }
    }
    #expect(!isKnown(""))
    remember("Accept: */*")
    #expect(isKnown("Accept: */*"))
    #expect(!isKnown("Accept: */+"))
    let long = String(repeating: "x", count: 513)
    remember(long)
    #expect(!isKnown(long))
    for number in 0..<20_000 { remember("X-Number: \(number)") }
    let count = (0..<20_000).count { isKnown("X-Number: \($0)") }
    #expect(count > 1000 && count <= 2048)
  }
}
