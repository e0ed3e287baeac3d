import Foundation
import TestSupport
import Testing

@testable import HTTPExchange

@Suite("The parts of an exchange")
struct ExchangePartsTests {
  @Test("they fit into memory that is freed without a lock")
  func size() throws {
    typealias UsableSize = @convention(c) (UnsafeMutableRawPointer) -> Int
    let symbol = try #require(unsafe dlsym(nil, "malloc_usable_size"))
    let usableSize = unsafe unsafeBitCast(symbol, to: UsableSize.self)
    let parts = Exchange.sample().parts
    // The object is alive, and the C library only looks at what stands in front of it.
    let size = withExtendedLifetime(parts) {
      unsafe usableSize(Unmanaged.passUnretained(parts).toOpaque())
    }
    #expect(size <= 120)
  }

  typealias Change = @Sendable (inout Exchange) -> Void

  static let changes: [(String, Change)] = [
    ("source", { $0.id.source = "other@1" }), ("number", { $0.id.number = 7 }),
    ("ordinal", { $0.id.ordinal = 7 }), ("start", { $0.startedAt = EventTime(nanoseconds: 7) }),
    ("no start", { $0.startedAt = nil }), ("end", { $0.endedAt = EventTime(nanoseconds: 7) }),
    ("no end", { $0.endedAt = nil }), ("basis", { $0.timeBasis = .end }),
    ("resolution", { $0.resolution = .second }), ("client", { $0.client = "192.0.2.99" }),
    ("forwarded", { $0.forwardedFor = "192.0.2.99" }), ("agent", { $0.userAgent = "Owl/1" }),
    ("method", { $0.method = "PUT" }), ("url", { $0.url.target = "/other" }),
    ("status", { $0.status = 404 }), ("no status", { $0.status = nil }),
    ("request id", { $0.requestID = "7" }), ("version", { $0.httpVersion = nil }),
    ("ending", { $0.ending = .gap }), ("observed", { $0.observed = .failed }),
    ("request", { $0.request = .unseen }), ("response", { $0.response = .unseen }),
  ]

  @Test("a change of one part changes that copy alone, and back makes it equal again")
  func copies() {
    let before = Exchange.sample(request: [("Origin", "https://a.example")])
    for (name, change) in Self.changes {
      var copy = before
      change(&copy)
      #expect(copy != before, "\(name)")
      var other = before
      change(&other)
      #expect(copy == other, "\(name)")
      #expect(before == Exchange.sample(request: [("Origin", "https://a.example")]), "\(name)")
      copy.id = before.id
      copy.startedAt = before.startedAt
      copy.endedAt = before.endedAt
      copy.timeBasis = before.timeBasis
      copy.resolution = before.resolution
      copy.client = before.client
      copy.forwardedFor = before.forwardedFor
      copy.userAgent = before.userAgent
      copy.method = before.method
      copy.url = before.url
      copy.status = before.status
      copy.requestID = before.requestID
      copy.httpVersion = before.httpVersion
      copy.ending = before.ending
      copy.observed = before.observed
      copy.request = before.request
      copy.response = before.response
      #expect(copy == before, "\(name)")
    }
  }

  @Test(
    "the ends of time and a status that is none are kept apart from what is absent",
    arguments: [Int64.min, .min + 1, -1, 0, .max])
  func extremes(nanoseconds: Int64) {
    var exchange = Exchange.sample()
    exchange.startedAt = EventTime(nanoseconds: nanoseconds)
    exchange.endedAt = EventTime(nanoseconds: nanoseconds)
    #expect(exchange.startedAt?.nanoseconds == max(nanoseconds, .min + 1))
    #expect(exchange.endedAt?.nanoseconds == max(nanoseconds, .min + 1))
    for status in [Int.min, -1, 0, 999, 65_534, 65_535, .max] {
      exchange.status = status
      #expect(exchange.status == max(0, min(status, 65_534)))
    }
  }

  @Test("senders and settings that are equal are one, and others are told apart")
  func tables() {
    let senders = SenderTable()
    let settings = SettingTable()
    let texts: [String?] = [
      nil, "", "192.0.2.1", String(repeating: "agent ", count: 20),
      String(repeating: "agent ", count: 200),
    ]
    for _ in 0..<2 {
      for client in texts.compactMap({ $0 }) {
        for forwarded in texts {
          for agent in texts {
            let sender = senders.sender(
              client: client, forwardedFor: forwarded, userAgent: agent)
            #expect(sender.client == client)
            #expect(sender.forwardedFor == forwarded)
            #expect(sender.userAgent == agent)
            let bytes = [client, forwarded, agent].reduce(0) { $0 + ($1?.utf8.count ?? 0) }
            let again = senders.sender(client: client, forwardedFor: forwarded, userAgent: agent)
            #expect((again === sender) == (bytes <= 1024))
          }
        }
        for version in texts {
          for basis in [TimeBasis.both, .end] {
            func setting() -> ExchangeSetting {
              settings.setting(
                source: "a@1", method: client, httpVersion: version, timeBasis: basis,
                resolution: .second)
            }
            let first = setting()
            #expect(first.method == client)
            #expect(first.httpVersion == version)
            #expect(first.timeBasis == basis)
            let isRemembered = client.utf8.count <= 64
            #expect((setting() === first) == isRemembered)
          }
        }
      }
    }
  }
}
