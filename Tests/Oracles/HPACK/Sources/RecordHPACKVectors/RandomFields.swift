import NIOHPACK

/// A generator that gives the same numbers for the same seed on every machine (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`.
  mutating func number(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// True in `count` of `total` cases.
  mutating func chance(_ count: Int, in total: Int) -> Bool { number(below: total) < count }

  mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[number(below: elements.count)]
  }
}

/// Fields out of few names and values, so that many refer to the table.
struct RandomFields {
  private static let usual = [
    (":method", "GET"), (":method", "OPTIONS"), (":path", "/"), (":scheme", "https"),
    (":status", "200"), (":status", "204"), (":status", "403"), (":authority", "api.example.com"),
    ("origin", "https://www.example.com"), ("accept-encoding", "gzip, deflate"),
    ("access-control-allow-origin", "*"), ("access-control-allow-headers", "content-type"),
    ("content-type", "application/json"), ("vary", "Origin"), ("cookie", "a=1; b=22"),
    ("cache-control", ""),
  ]
  private static let texts = [
    "", "0", "no-store", "text/html; charset=utf-8", "Zürich", "日本語", "\u{1}\u{7F}", "{}|^`~<>\\",
    " blank ", "\u{0}", "2026-11-25T03:00:00Z", "😀",
  ]

  /// Up to ten fields; one in `rarity` is long.
  static func list(longOnceIn rarity: Int, _ generator: inout SeededGenerator) -> HPACKHeaders {
    var fields = HPACKHeaders()
    for _ in 0..<generator.number(below: 11) {
      let (name, value) = field(longOnceIn: rarity, &generator)
      let indexing: HPACKIndexing =
        switch generator.number(below: 10) {
        case 0: .neverIndexed
        case 1: .nonIndexable
        default: .indexable
        }
      fields.add(name: name, value: value, indexing: indexing)
    }
    return fields
  }

  private static func field(
    longOnceIn rarity: Int, _ generator: inout SeededGenerator
  ) -> (name: String, value: String) {
    var (name, value) = generator.pick(usual)
    if generator.chance(1, in: 3) { name = "x-\(generator.number(below: 12))" }
    switch generator.number(below: 4) {
    case 0: value = generator.pick(texts)
    case 1: value = String(generator.next() >> UInt64(generator.number(below: 60)), radix: 16)
    default: break
    }
    if generator.chance(1, in: rarity) {
      let part = generator.pick(["a0", "Value ", "~}{", "é"])
      value = String(repeating: part, count: 40 + generator.number(below: 900))
    }
    return (name, value)
  }
}
