import Bytes
import InputBytes

@testable import Postflight

/// Files as streams of bytes, and lines in them.
let inputTargets: [FuzzTarget] = [
  FuzzTarget(
    "gzip", maximumLength: 8192,
    seeds: {
      try ["chromium-tls.log.gz", "firefox-calls.log.gz", "firefox-calls.pcap.gz"].map {
        try Samples.stored("SampleCaptures/\($0)")
      } + [Array("plain text\nin two lines\n".utf8), []]
    },
    run: { bytes in
      try withMemoryFile(bytes) { path in
        let plain = try Delivery(path, carrying: 0, readsAhead: false)
        let carrying = try Delivery(path, carrying: 7, readsAhead: bytes.count % 16 == 0)
        try expect(plain == carrying, "what is delivered depends on how it is read")
        if bytes.count >= 2, bytes[0] == 0x1F, bytes[1] == 0x8B {
          try expectEqual(plain.compression, "gzip", "compression")
        } else if bytes.areReadAsStored {
          try expectEqual(plain.count, UInt64(bytes.count), "bytes of a plain file")
          try expectEqual(plain.fingerprint, bytes.fingerprint, "content of a plain file")
        }
      }
    }),
  FuzzTarget(
    "lines",
    seeds: { [Array("one\ntwo\n\nthree".utf8), Array("\n\n".utf8)] },
    run: { bytes in
      try withMemoryFile(bytes) { path in
        var lines = LineInput(try ByteInput(path: path))
        var expected = bytes.lines.map(\.fingerprint)
        // A line end at the end of the input begins no further line.
        if bytes.last ?? 0x0A == 0x0A { expected.removeLast() }
        var found: [UInt64] = []
        do throws(InputDamage) {
          while let line = try lines.next() { found.append(line.fingerprint) }
        } catch {
          try expect(bytes.count >= 2 && bytes[0] == 0x1F, "a plain file is damaged: \(error.what)")
          return
        }
        guard bytes.areReadAsStored else { return }
        try expect(found == expected, "\(found.count) lines are not the \(expected.count) there")
        try expectEqual(lines.number, UInt64(expected.count), "number of the last line")
      }
    }),
]

/// What an input delivered until its end.
private struct Delivery: Equatable {
  /// Bytes after which a bomb has been read long enough.
  private static let enough: UInt64 = 4 << 20

  var count: UInt64 = 0
  var fingerprint: UInt64 = 0xCBF2_9CE4_8422_2325
  var compression: String?
  var damage: InputDamage?

  init(_ path: String, carrying: Int, readsAhead: Bool) throws {
    let input = try ByteInput(path: path, readsAhead: readsAhead)
    compression = input.compression
    var last: [UInt8] = []
    do throws(InputDamage) {
      while count < Self.enough, let buffer = try input.next(carrying: last.count) {
        guard buffer.prefix(last.count).elementsEqual(last) else {
          throw InputDamage(offset: input.offset, what: "the carried bytes changed")
        }
        for byte in buffer.dropFirst(last.count) {
          fingerprint = (fingerprint ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        count += UInt64(buffer.count - last.count)
        last = Array(buffer.suffix(carrying))
      }
    } catch {
      damage = error
    }
    try expectEqual(input.offset, count, "offset")
    try expect(damage?.what != "the carried bytes changed", "the carried bytes changed")
    if let damage { try expectEqual(damage.offset, count, "offset of the damage") }
  }
}
