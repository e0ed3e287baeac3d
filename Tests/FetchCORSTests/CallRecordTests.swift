import Bytes
import FetchCORS
import HTTPExchange
import TestSupport
import Testing

struct CallRecordTests {
  static let texts = [
    "", "plain", "\"\\", "\u{0}\n\r\t\u{1B}[31m\u{7F}", "\u{2028}", "e\u{301}", "\u{301}", "😀",
    "\u{F780}\u{F7FF}", "=1+1", WireText.decode([0xFF, 0xC3, 0x28, 0xEF, 0x9E, 0x80]),
  ]

  private func write(_ call: Call) -> [UInt8] {
    var writer = JSONWriter()
    call.write(to: &writer)
    return writer.bytes
  }

  private func read(_ bytes: [UInt8]) throws -> Call {
    try Call(json: bytes.withByteView { bytes in try JSONReader.read(bytes) })
  }

  @Test("a call is read back as it was written", arguments: [UInt64(1), 2])
  func roundTrip(seed: UInt64) throws {
    var random = RandomCall(generator: SeededGenerator(seed: seed))
    for _ in 0..<1500 {
      let call = evaluate(random.hiding(random.next()))
      let bytes = write(call)
      #expect(try read(bytes) == call)
      #expect(bytes.filter { $0 == 0x0A }.count == 1)
    }
  }

  @Test("a call of hostile texts is read back as it was written", arguments: texts)
  func hostile(text: String) throws {
    var random = RandomCall(generator: SeededGenerator(seed: 3))
    for _ in 0..<200 {
      var call = evaluate(random.next())
      call.likely = text
      call.parameter = text
      call.cause = text
      call.origin = text
      call.method = text
      call.url.target = "/" + text
      call.client = text
      call.engine = text
      call.userAgent = text
      call.missing = [text, text]
      call.assumes = [text]
      call.otherFaults = [text]
      call.message = text
      call.incident = text
      for index in call.worlds.indices { call.worlds[index].parameter = text }
      for index in call.exchanges.indices {
        call.exchanges[index].exchange.url.target = "/" + text
        call.exchanges[index].exchange.response.fields.append(HeaderField(HeaderName(text), text))
      }
      #expect(try read(write(call)) == call)
    }
  }

  @Test("every reason and phase is read back")
  func reasons() throws {
    var random = RandomCall(generator: SeededGenerator(seed: 4))
    for reason in BlockedReason.allCases {
      for phase in [Phase.preflight, .response, nil] {
        var call = evaluate(random.next())
        call.reason = reason
        call.phase = phase
        call.standardVerdict = .blocked
        #expect(try read(write(call)) == call)
      }
    }
  }

  @Test("there is a value for each column")
  func columns() {
    var random = RandomCall(generator: SeededGenerator(seed: 5))
    #expect(evaluate(random.next()).columnValues.count == Call.columns.count)
    #expect(Set(Call.columns).count == Call.columns.count)
  }

  @Test("every prefix of a record is refused, a mutated one is read or refused")
  func damaged() throws {
    var random = RandomCall(generator: SeededGenerator(seed: 6))
    let sample = write(evaluate(random.next()))
    for length in 0..<sample.count - 1 {
      #expect(throws: (any Error).self) { try read(Array(sample.prefix(length))) }
    }
    var bytes = sample
    for round in 0..<4000 {
      if round % 6 == 0 { bytes = write(evaluate(random.next())) }
      bytes = bytes.mutated(&random.generator)
      guard let call = try? read(bytes) else { continue }
      // What was accepted can be judged, explained and passed on.
      _ = (call.columnValues, call.decidingResponse)
      #expect(throws: Never.self) { try read(write(call)) }
    }
  }
}
