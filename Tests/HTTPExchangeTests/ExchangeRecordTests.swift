import Bytes
import HTTPExchange
import TestSupport
import Testing

/// Texts that something on the way could break.
let hostileTexts = [
  "", "plain", "\"", "\\", "\\\"", "\u{0}", "\n\r\t\u{8}\u{C}\u{1B}[31m", "\u{7F}", "\u{2028}",
  "é", "e\u{301}", "\u{301}", "😀", "\u{80}\u{9B}\u{9F}\u{A0}",
  "a\u{200E}\u{202E}b\u{2066}\u{2069}\u{200B}", "\u{F780}\u{F7FF}", "</script>", "=1+1", "null",
  WireText.decode([0xFF, 0xC3, 0x28, 0xEF, 0x9E, 0x80]), String(repeating: "x", count: 5000),
]

private func line(_ write: (inout JSONWriter) -> Void) -> [UInt8] {
  var writer = JSONWriter()
  write(&writer)
  return writer.bytes
}

private func read(_ bytes: [UInt8]) throws -> StreamRecord {
  try bytes.withByteView { bytes in try StreamRecord(line: bytes) }
}

struct ExchangeRecordTests {
  static func random(_ generator: inout SeededGenerator) -> Exchange {
    let resolution = generator.pick([
      TimeResolution.second, .millisecond, .microsecond, .nanosecond,
      TimeResolution(nanoseconds: 10_000_000),
    ])
    func time() -> EventTime {
      let steps = Int64(generator.next() >> 2) / resolution.nanoseconds
      return EventTime(nanoseconds: steps * resolution.nanoseconds)
    }
    let basis = generator.pick([TimeBasis.both, .start, .end])
    let text = hostileTexts + ["https://app.example", "*"]
    func message() -> MessageEvidence {
      let names = (0..<generator.number(below: 5)).map { _ in
        generator.pick(HeaderName.known + [HeaderName("x-made-up"), HeaderName("\"\n")])
      }
      let fields = names.map {
        HeaderField($0, generator.chance(1, in: 5) ? nil : generator.pick(text))
      }
      let fidelities = names.map { ($0, Fidelity(rawValue: UInt8(generator.number(below: 64)))) }
      return MessageEvidence(
        coverage: generator.pick([
          .complete, .truncated, .only(Dictionary(fidelities, uniquingKeysWith: { $1 })),
        ]), fields: fields)
    }
    return Exchange(
      id: ExchangeID(
        source: generator.pick(text), number: generator.next(),
        ordinal: UInt32(truncatingIfNeeded: generator.next())),
      startedAt: basis == .end ? nil : time(), endedAt: basis == .start ? nil : time(),
      timeBasis: basis, resolution: resolution, client: generator.pick(text),
      forwardedFor: generator.pick([nil, generator.pick(text)]),
      userAgent: generator.pick([nil, generator.pick(text)]), method: generator.pick(text),
      url: RequestURL(
        scheme: generator.pick([nil, "http", "https"]),
        host: generator.pick([nil, "api.example", "[::1]"]),
        port: generator.pick([nil, 80, 443, 8080]), target: generator.pick(text)),
      status: generator.pick([nil, 200, 0, 999, 65_534]),
      requestID: generator.pick([nil, generator.pick(text)]),
      httpVersion: generator.pick([nil, "HTTP/2", generator.pick(text)]),
      ending: generator.pick([.complete, .clientClosed, .serverClosed, .gap, .unanswered]),
      request: message(), response: message())
  }

  @Test("an exchange is read back as it was written, whatever is in it")
  func roundTrip() throws {
    var generator = SeededGenerator(seed: 6)
    for _ in 0..<2000 {
      let exchange = Self.random(&generator)
      let bytes = line { exchange.write(to: &$0) }
      #expect(bytes.filter { $0 == 0x0A }.count == 1 && bytes.last == 0x0A)
      guard case .exchange(let again) = try read(bytes) else {
        Issue.record("read as another record")
        continue
      }
      #expect(again == exchange)
      #expect(line { again.write(to: &$0) } == bytes)
    }
  }

  @Test(
    "a resolution is the shortest decimal number",
    arguments: [
      (TimeResolution.second, "1"), (.millisecond, "0.001"), (.nanosecond, "0.000000001"),
      (TimeResolution(nanoseconds: 500_000_000), "0.5"),
    ])
  func resolution(resolution: TimeResolution, text: String) {
    var exchange = Exchange.sample()
    exchange.resolution = resolution
    let written = String(decoding: line { exchange.write(to: &$0) }, as: UTF8.self)
    #expect(written.contains("\"resolution\":\(text),"))
  }

  @Test("every fidelity has its own form and is read back")
  func fidelity() throws {
    for raw in UInt8(0)..<64 {
      var exchange = Exchange.sample()
      exchange.request.coverage = .only([.origin: Fidelity(rawValue: raw)])
      guard case .exchange(let again) = try read(line { exchange.write(to: &$0) }) else { return }
      #expect(again.request.coverage == exchange.request.coverage)
    }
  }

  @Test(
    "a record with a wrong member is refused, and the reason names it",
    arguments: [
      ("\"id\":\"sample.pcap@0123456789ab#1.1\"", "\"id\":\"x\"", "\"id\""),
      ("\"id\":\"sample.pcap@0123456789ab#1.1\"", "\"id\":\"x#1\"", "\"id\""),
      ("\"id\":\"sample.pcap@0123456789ab#1.1\"", "\"id\":\"x#1.99999999999\"", "\"id\""),
      ("\"timeBasis\":\"both\"", "\"timeBasis\":\"none\"", "\"timeBasis\""),
      ("\"resolution\":0.000001", "\"resolution\":0", "\"resolution\""),
      ("\"resolution\":0.000001", "\"resolution\":2", "\"resolution\""),
      ("\"resolution\":0.000001", "\"resolution\":1e999", "\"resolution\""),
      ("\"resolution\":0.000001", "\"resolution\":\"1\"", "\"resolution\""),
      ("\"status\":200", "\"status\":-1", "\"status\""),
      ("\"status\":200", "\"status\":65535", "\"status\""),
      ("2026-11-23T12:00:00.000000Z", "noon", "\"startedAt\""),
      ("\"https://api.example/orders\"", "\"https://a b/\"", "\"url\""),
      ("\"method\":\"GET\"", "\"method\":null", "\"method\""),
      ("\"coverage\":\"complete\"", "\"coverage\":\"all\"", "coverage"),
      ("\"coverage\":\"complete\"", "\"coverage\":{\"origin\":\"sharp\"}", "fidelity"),
      ("\"coverage\":\"complete\"", "\"coverage\":{\"origin\":7}", "fidelity"),
      ("\"fields\":[]", "\"fields\":[[\"a\"]]", "pair"),
      ("postflight.exchange/1", "postflight.exchange/2", "postflight.exchange/2"),
      ("\"schema\"", "\"scheme\"", "\"schema\""),
    ])
  func refused(part: String, replacement: String, named: String) throws {
    let sample = String(decoding: line { Exchange.sample().write(to: &$0) }, as: UTF8.self)
    let changed = sample.replacing(part, with: replacement, maxReplacements: 1)
    #expect(changed != sample)
    #expect {
      try read(Array(changed.utf8))
    } throws: { error in
      (error as? RecordError)?.reason.contains(named) == true
    }
  }

  @Test("an exchange without any time is refused")
  func noTime() throws {
    var exchange = Exchange.sample()
    exchange.startedAt = nil
    exchange.endedAt = nil
    #expect(throws: RecordError.self) { try read(line { exchange.write(to: &$0) }) }
  }

  @Test("every prefix of a record is refused with its place")
  func prefixes() throws {
    var source = SourceRecord(input: "a", digest: "b", kind: "log")
    source.skip("blank")
    for sample in [line { Exchange.sample().write(to: &$0) }, line { source.write(to: &$0) }] {
      for length in 0..<sample.count - 1 {
        #expect(throws: RecordError.self) { try read(Array(sample.prefix(length))) }
      }
      _ = try read(sample)
    }
  }

  @Test("a mutated record is read or refused, never more")
  func mutations() throws {
    var generator = SeededGenerator(seed: 7)
    var bytes: [UInt8] = []
    for round in 0..<6000 {
      if round % 6 == 0 {
        let exchange = Self.random(&generator)
        bytes = line { exchange.write(to: &$0) }
        if bytes.count > 4000 { bytes = line { Exchange.sample().write(to: &$0) } }
      }
      bytes = bytes.mutated(&generator)
      guard let record = try? read(bytes), case .exchange(let exchange) = record else { continue }
      // What was accepted can be passed on.
      let again = line { exchange.write(to: &$0) }
      #expect(throws: Never.self) { try read(again) }
      _ = (exchange.startInterval, exchange.endInterval)
    }
  }
}

struct SourceRecordTests {
  @Test("a source is read back as it was written, counts of 64 bits included")
  func roundTrip() throws {
    for text in hostileTexts {
      var source = SourceRecord(input: text, digest: text, kind: text, compression: "gzip")
      source.format = text
      source.bytes = .max
      source.read = .max - 1
      source.used = 7
      source.skip(text, 3)
      source.passedOver[text] = .max
      source.note("gaps", 2)
      source.exchanges = 4
      source.see(EventTime(nanoseconds: 5))
      source.see(EventTime(nanoseconds: -5))
      source.warnings = [text]
      source.records = text.isEmpty ? nil : [text]
      for number in 0..<UInt64(30) {
        source.addDamage(.init(offset: number == 0 ? nil : .max, number: number, what: text))
      }
      guard case .source(let again) = try read(line { source.write(to: &$0) }) else {
        Issue.record("read as another record")
        continue
      }
      #expect(again == source)
      #expect(again.damages.count == SourceRecord.maximumDamages && again.damageCount == 30)
    }
  }

  @Test("counts saturate, also after a record that claims the most")
  func saturation() throws {
    let text =
      "{\"schema\":\"postflight.source/1\",\"input\":\"a\",\"skipped\":{\"x\":18446744073709551615},"
      + "\"notes\":{\"x\":18446744073709551615},\"damageCount\":18446744073709551615,"
      + "\"bytes\":-1,\"read\":1e3,\"used\":99999999999999999999}"
    guard case .source(var source) = try read(Array(text.utf8)) else { return }
    source.skip("x")
    source.note("x")
    source.addDamage(.init(offset: nil, what: "more"))
    #expect(source.skipped["x"] == .max && source.notes["x"] == .max)
    #expect(source.damageCount == .max)
    #expect(source.bytes == 0 && source.read == 0 && source.used == 0)
  }

  @Test("only the first damages are kept, all are counted")
  func damages() {
    var source = SourceRecord(input: "a", digest: "b", kind: "log")
    for number in 0..<UInt64(50) { source.addDamage(.init(offset: number, what: "x")) }
    #expect(source.damages.map(\.offset) == (0..<20).map { UInt64($0) })
    #expect(source.damageCount == 50)
  }
}
