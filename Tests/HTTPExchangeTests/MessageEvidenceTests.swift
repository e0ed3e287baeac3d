import HTTPExchange
import TestSupport
import Testing

@Suite("Header blocks that messages share")
struct MessageEvidenceTests {
  static let fields = [
    HeaderField(.server, "nginx"), HeaderField(.xRequestID, "one"), HeaderField(.vary, "Origin"),
    HeaderField(.contentLength, "17"), HeaderField(.setCookie, nil), HeaderField(.age, nil),
    HeaderField(HeaderName("x-owl"), "hoo"), HeaderField(.vary, "Accept"),
  ]

  @Test("a message that shares its block says the same as one that does not")
  func shared() {
    let alone = MessageEvidence(coverage: .complete, fields: Self.fields)
    let shared = MessageEvidence(sharing: Self.fields, coverage: .complete)
    #expect(shared == alone)
    #expect(alone == shared)
    #expect(shared.hashValue == alone.hashValue)
    #expect(shared.fields == Self.fields)
    for name in HeaderName.known + [HeaderName("x-owl"), HeaderName("x-other")] {
      #expect(shared.evidence(of: name) == alone.evidence(of: name), "\(name)")
      #expect(shared.first(name) == alone.first(name), "\(name)")
      #expect(shared.contains(name) == alone.contains(name), "\(name)")
      var values: [String?] = []
      shared.forEachValue(of: name) { values.append($0) }
      #expect(values == Self.fields.filter { $0.name == name }.map(\.value), "\(name)")
      #expect(!shared.contains(name) || shared.mayContain(anyOf: HeaderNameSet([name])))
    }
    #expect(!shared.mayContain(anyOf: HeaderNameSet([.origin, .allow])))
  }

  @Test("the values of one message are its own, and all others are those of the block")
  func own() {
    let first = MessageEvidence(sharing: Self.fields, coverage: .complete)
    let second = first.with(ownValues: ["two", nil, "9"])
    #expect(first.first(.xRequestID) == "one")
    #expect(second.first(.xRequestID) == "two")
    #expect(second.evidence(of: .contentLength) == .recorded([nil], .exact))
    #expect(second.first(.age) == "9")
    #expect(second.first(.server) == "nginx")
    #expect(second != first)
    #expect(second == MessageEvidence(coverage: .complete, fields: second.fields))
    var changed = second
    changed.fields.removeFirst()
    #expect(changed.first(.xRequestID) == "two")
    #expect(second.fields.count == Self.fields.count)
  }

  @Test(
    "a message with many values of its own says what it says, shared or not",
    arguments: [0, 1, 63, 64, 65, 5000])
  func manyOwn(count: Int) {
    let table = EvidenceTable(capacity: 1)
    for round in 0..<3 {
      let fields =
        (0..<count).map { HeaderField(.age, "\(round + $0)") } + [HeaderField(.setCookie, nil)]
      let alone = MessageEvidence(coverage: .complete, fields: fields)
      #expect(MessageEvidence(sharing: fields, coverage: .complete) == alone)
      #expect(table.evidence(coverage: .complete, fields: fields) == alone)
      #expect(table.evidence(coverage: .complete, fields: fields).fields == fields)
    }
  }

  @Test("a bit of a set stands for one known name")
  func bits() {
    #expect(HeaderName.known.count < 128)
    for name in HeaderName.known {
      let message = MessageEvidence(coverage: .complete, fields: [HeaderField(name, "x")])
      for other in HeaderName.known {
        #expect(message.mayContain(anyOf: HeaderNameSet([other])) == (name == other))
      }
    }
  }

  @Test("no verdict reads a field whose value is of one message")
  func undecided() {
    let names = HeaderName.known.filter(\.isOfOneMessage)
    #expect(names.count > 10)
    for name in names { #expect(name.isForCausesOnly, "\(name)") }
  }

  @Test("a table gives each message what it says, whatever came before")
  func table() {
    let table = EvidenceTable(capacity: 4)
    var random = SeededGenerator(seed: 11)
    let coverages: [Coverage] = [.complete, .truncated, .only([.vary: .firstLine])]
    let values: [String?] = [nil, "", "a", String(repeating: "long value ", count: 500)]
    for _ in 0..<2000 {
      var fields: [HeaderField] = []
      for _ in 0..<random.number(below: 5) {
        fields.append(
          HeaderField(
            random.pick([.server, .vary, .age, .xRequestID, HeaderName("x-owl")]),
            random.pick(values)))
      }
      let coverage = random.pick(coverages)
      let evidence = table.evidence(coverage: coverage, fields: fields)
      #expect(evidence.fields == fields)
      #expect(evidence.coverage == coverage)
      #expect(evidence == MessageEvidence(coverage: coverage, fields: fields))
    }
  }

  @Test("what is held of a message is counted with its own values and the names in its lists")
  func bytes() {
    func size(_ response: MessageEvidence) -> (Int, Int) {
      var exchange = Exchange.sample()
      exchange.response = response
      return (exchange.approximateBytes, exchange.approximateBytesOnceRead)
    }
    let shared = MessageEvidence(sharing: Self.fields, coverage: .complete)
    #expect(size(shared) == size(MessageEvidence(coverage: .complete, fields: Self.fields)))
    let list = String(repeating: "x-name, ", count: 1000)
    let long = shared.with(ownValues: [list, nil, nil])
    #expect(size(long).0 > size(shared).0 + 7000)
    #expect(size(long).1 > size(long).0 + 100_000)
  }
}
