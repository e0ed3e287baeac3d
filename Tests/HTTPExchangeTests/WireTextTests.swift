import HTTPExchange
import TestSupport
import Testing

struct WireTextTests {
  @Test(
    "the text of special bytes gives them back",
    arguments: [
      [], [0x00], [0x41], [0xE9], [0xC3, 0xA9], [0xC3], [0xE2, 0x82], [0xE2, 0x82, 0xAC],
      [0xF0, 0x9F, 0x98, 0x80], [0xF0, 0x9F, 0x98], [0xC0, 0x80], [0xE0, 0x80, 0x80],
      [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF, 0xFE],
      [0xEF, 0x9E, 0x80], [0xEF, 0x9F, 0xBF], [0xEF, 0x9D, 0xBF], [0xEF, 0xA0, 0x80],
      [0xEF, 0x9E], [0x80, 0xC3, 0xA9, 0x80], [0xCC, 0x81],
    ] as [[UInt8]])
  func special(bytes: [UInt8]) {
    #expect(WireText.bytes(of: WireText.decode(bytes)) == bytes)
  }

  @Test("any bytes come back")
  func bijection() {
    var generator = SeededGenerator(seed: 5)
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        let bytes = [0x61, first, second]
        #expect(WireText.bytes(of: WireText.decode(bytes)) == bytes)
      }
    }
    for length in 0..<2000 {
      // Few values, so that sequences of several bytes are often complete.
      let bytes: [UInt8] = (0..<length % 24).map { _ in
        generator.pick([0x61, 0x80, 0x82, 0x9E, 0x9F, 0xAC, 0xBF, 0xC3, 0xE2, 0xED, 0xEF, 0xF0])
      }
      #expect(WireText.bytes(of: WireText.decode(bytes)) == bytes)
      let random = generator.bytes(length % 40)
      #expect(WireText.bytes(of: WireText.decode(random)) == random)
      #expect(WireText.decode(random[...]) == WireText.decode(random))
    }
  }

  @Test("well-formed text stands for itself")
  func wellFormed() {
    for text in ["", "abc", "é", "e\u{301}", "€", "😀", "\u{F77F}", "\u{F800}"] {
      #expect(WireText.decode(Array(text.utf8)).utf8.elementsEqual(text.utf8))
    }
    #expect(WireText.decode([0xE9]) == "\u{F7E9}")
  }

  @Test("two texts are the same bytes only if they are")
  func sameBytes() {
    #expect("abc".hasSameBytes(as: "abc"))
    #expect(!"abc".hasSameBytes(as: "abC"))
    // Equal for Swift, not for a browser.
    #expect("\u{E9}" == "e\u{301}")
    #expect(!"\u{E9}".hasSameBytes(as: "e\u{301}"))
    #expect(!"\u{212B}".hasSameBytes(as: "\u{C5}"))
    #expect("\u{E9}".hasSameBytes(as: "\u{E9}"))
  }

  @Test("only ASCII letters are turned into lower case")
  func lowercased() {
    #expect("AZaz09-É\u{212A}".asciiLowercased == "azaz09-É\u{212A}")
    #expect("".asciiLowercased == "")
  }
}

struct HeaderNameTests {
  @Test("a name is the same in any case and is written in lower case")
  func anyCase() {
    for name in ["Access-Control-Allow-Origin", "X-Made-Up", "ORIGIN", "x_y"] {
      #expect(HeaderName(name) == HeaderName(name.lowercased()))
      #expect(HeaderName(name) == HeaderName(name.uppercased()))
      #expect(HeaderName(name).description == name.lowercased())
    }
    #expect(HeaderName("Origin") == .origin)
    #expect(HeaderName("origin ") != .origin)
    #expect(HeaderName("access_control_allow_origin") != .accessControlAllowOrigin)
  }

  @Test("every known name can be read back", arguments: HeaderName.known)
  func known(name: HeaderName) {
    #expect(HeaderName(name.description) == name)
    #expect(name.description == name.description.lowercased())
  }

  @Test("what a verdict reads is kept, what nobody needs is not")
  func kept() {
    for name in [HeaderName.origin, .accessControlRequestMethod, .cookie, .contentType] {
      #expect(name.isKeptInRequests)
    }
    for name in [HeaderName.accessControlAllowOrigin, .location, .vary, .setCookie] {
      #expect(name.isKeptInResponses)
      #expect(!name.isKeptInRequests)
    }
    #expect(!HeaderName.origin.isKeptInResponses)
    #expect(!HeaderName("x-made-up").isKeptInRequests)
    #expect(!HeaderName("x-made-up").isKeptInResponses)
  }
}

struct HeaderEvidenceTests {
  @Test("a field is recorded, absent or unrecorded")
  func evidence() {
    let fields = [HeaderField(.vary, "a"), HeaderField(.vary, "b"), HeaderField(.cookie, nil)]
    let complete = MessageEvidence(coverage: .complete, fields: fields)
    #expect(complete.evidence(of: .vary) == .recorded(["a", "b"], .exact))
    #expect(complete.evidence(of: .cookie) == .recorded([nil], .exact))
    #expect(complete.evidence(of: .origin) == .absent)
    #expect(complete.first(.vary) == "a" && complete.first(.cookie) == nil)
    #expect(complete.contains(.cookie) && complete.records(.origin))

    let truncated = MessageEvidence(coverage: .truncated, fields: fields)
    // A further line may stand in the part that was not seen.
    #expect(truncated.evidence(of: .vary) == .recorded(["a", "b"], .firstLine))
    #expect(truncated.evidence(of: .origin) == .unrecorded)
    #expect(!truncated.records(.origin) && truncated.records(.vary))

    let log = MessageEvidence(
      coverage: .only([.vary: .firstLine, .origin: [.firstLine, .absentOrEmpty]]), fields: fields)
    #expect(log.evidence(of: .vary) == .recorded(["a", "b"], .firstLine))
    #expect(log.evidence(of: .origin) == .absent)
    #expect(log.evidence(of: .cookie) == .unrecorded)
    #expect(log.records(.origin) && !log.records(.cookie))
    #expect(MessageEvidence.unseen.evidence(of: .origin) == .unrecorded)
  }
}
