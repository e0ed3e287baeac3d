import HTTPExchange
import TestSupport
import Testing

@Suite("Bytes that decide a verdict")
struct DecidingBytesTests {
  private func key(_ writer: DecidingBytes, _ exchange: Exchange) -> DecidingBytes.Key {
    _ = writer.begin()
    writer.append(exchange)
    return writer.key
  }

  private static let base = Exchange.sample(
    request: [("Origin", "https://a.example"), ("X-Own", nil)],
    response: [("Access-Control-Allow-Origin", "*"), ("Server", "one")])

  @Test("what no verdict reads makes no difference")
  func alike() {
    let writer = DecidingBytes()
    let key = key(writer, Self.base)
    var other = Self.base
    other.id = ExchangeID(source: "b@1", number: 99)
    other.startedAt = EventTime(nanoseconds: 5)
    other.client = "192.0.2.77"
    other.url.target = "/elsewhere"
    other.response.fields[1].value = "two"
    other.response.fields.append(HeaderField(HeaderName("Age"), "7"))
    #expect(self.key(writer, other) == key)
    #expect(self.key(writer, other).hashValue == key.hashValue)
  }

  typealias Change = @Sendable (inout Exchange) -> Void

  static let changes: [(String, Change)] = [
    ("status", { $0.status = 201 }),
    ("no status", { $0.status = nil }),
    ("method", { $0.method = "PUT" }),
    ("host", { $0.url.host = "other.example" }),
    ("no host", { $0.url.host = nil }),
    ("scheme", { $0.url.scheme = nil }),
    ("port", { $0.url.port = 8443 }),
    ("pattern of paths", { $0.url.target = "/{id}" }),
    ("version", { $0.httpVersion = "HTTP/2" }),
    ("value", { $0.request.fields[0].value = "https://b.example" }),
    ("empty value", { $0.request.fields[0].value = "" }),
    ("no value", { $0.request.fields[0].value = nil }),
    ("unknown name", { $0.request.fields[1] = HeaderField(HeaderName("X-Owl"), nil) }),
    ("one line more", { $0.response.fields.append($0.response.fields[0]) }),
    ("line moved", { $0.response.fields.append($0.request.fields.removeLast()) }),
    ("coverage", { $0.response.coverage = .truncated }),
    ("recorded names", { $0.response.coverage = .only([.vary: .exact]) }),
    ("fidelity", { $0.response.coverage = .only([.vary: .firstLine]) }),
  ]

  @Test("everything that a verdict may read makes a difference")
  func different() {
    let writer = DecidingBytes()
    var keys: [DecidingBytes.Key: String] = [key(writer, Self.base): "nothing"]
    for (name, change) in Self.changes {
      var exchange = Self.base
      change(&exchange)
      let key = key(writer, exchange)
      #expect(keys[key] == nil, "\(name) is as \(keys[key] ?? "")")
      keys[key] = name
    }
  }

  @Test("numbers of coverages begin anew before they become too many")
  func coverages() {
    let writer = DecidingBytes()
    var resets = 0
    for index in 0..<1000 {
      var exchange = Self.base
      exchange.response.coverage = .only([HeaderName("x-\(index)"): .exact])
      if writer.begin() { resets += 1 }
      writer.append(exchange)
    }
    #expect(resets > 5)
  }
}
