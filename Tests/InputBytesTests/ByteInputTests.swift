import CZlib
import TestSupport
import Testing

@testable import InputBytes

@Suite("Byte input")
struct ByteInputTests {
  /// What an input delivers, and how it ends.
  struct Delivery {
    var bytes: [UInt8] = []
    var damage: InputDamage?
    var offset: UInt64 = 0
    var compression: String?
    var head: [UInt8] = []
    var digest = ""
  }

  /// Reads a file to its end, carrying up to `carry` bytes from each buffer to the next.
  static func read(
    _ stored: [UInt8], readsAhead: Bool = false, carry: Int = 0
  ) throws -> Delivery {
    try withTemporaryFile(stored, named: "a.log") { path in
      let input = try ByteInput(path: path, readsAhead: readsAhead)
      #expect(input.name == "a.log")
      var delivery = Delivery()
      delivery.compression = input.compression
      delivery.head = input.head
      delivery.digest = input.digest
      var carried = 0
      do {
        while let buffer = try input.next(carrying: carried) {
          // What was carried stands in front, unchanged.
          #expect(buffer.count > carried)
          #expect(Array(buffer[..<carried]) == Array(delivery.bytes.suffix(carried)))
          delivery.bytes += buffer[carried...]
          carried = min(carry, buffer.count)
        }
      } catch let error as InputDamage {
        delivery.damage = error
        #expect(try input.next() == nil)
      }
      delivery.offset = input.offset
      return delivery
    }
  }

  /// Bytes that do not repeat soon, the same in every run.
  static func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed
    return (0..<count).map { index in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return index % 3 == 0 ? UInt8(truncatingIfNeeded: index >> 4) : UInt8(state >> 56)
    }
  }

  /// One gzip member.
  static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    guard
      deflateInit2_(
        &stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
        Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return [] }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 32)
    let written = input.withUnsafeMutableBufferPointer { source in
      output.withUnsafeMutableBufferPointer { target in
        stream.next_in = source.baseAddress
        stream.avail_in = UInt32(source.count)
        stream.next_out = target.baseAddress
        stream.avail_out = UInt32(target.count)
        deflate(&stream, Z_FINISH)
        deflateEnd(&stream)
        return target.count - Int(stream.avail_out)
      }
    }
    return Array(output.prefix(written))
  }

  static let sizes = [
    1, 2, 17, 100, ByteInput.headSize - 1, ByteInput.headSize, ByteInput.headSize + 1,
    ByteInput.headSize + ByteInput.chunkSize, 1_000_003,
  ]

  @Test("plain and gzip files give their bytes", arguments: sizes, [false, true])
  func wholeFiles(size: Int, readsAhead: Bool) throws {
    let bytes = Self.noise(size)
    let plain = try Self.read(bytes, readsAhead: readsAhead)
    #expect(plain.bytes == bytes)
    #expect(plain.compression == nil)
    #expect(plain.offset == UInt64(size))
    #expect(plain.damage == nil)
    #expect(plain.head == Array(bytes.prefix(ByteInput.headSize)))
    let packed = try Self.read(Self.gzip(bytes), readsAhead: readsAhead)
    #expect(packed.bytes == bytes)
    #expect(packed.compression == "gzip")
    #expect(packed.damage == nil)
    #expect(packed.digest == plain.digest)
    #expect(packed.digest.count == 12)
  }

  @Test("several gzip members are one stream", arguments: [false, true])
  func members(readsAhead: Bool) throws {
    let parts = [Self.noise(5), [], Self.noise(300_000, seed: 2), Self.noise(1, seed: 3)]
    let stored = parts.flatMap { Self.gzip($0) }
    let delivery = try Self.read(stored, readsAhead: readsAhead)
    #expect(delivery.bytes == parts.flatMap { $0 })
    #expect(delivery.damage == nil)
  }

  @Test("many small members are one stream")
  func manyMembers() throws {
    let parts = (0..<3000).map { Self.noise(40 + $0 % 60, seed: UInt64($0 + 1)) }
    let delivery = try Self.read(parts.flatMap { Self.gzip($0) })
    #expect(delivery.bytes == parts.flatMap { $0 })
    #expect(delivery.damage == nil)
  }

  @Test("a gzip file cut off at any length gives what it holds, and says that it is cut off")
  func cutOff() throws {
    let bytes = Array(String(repeating: "one line of a log that repeats itself\n", count: 60).utf8)
    let stored = Self.gzip(bytes)
    for length in 3..<stored.count {
      let delivery = try Self.read(Array(stored[..<length]))
      #expect(bytes.starts(with: delivery.bytes), "length \(length)")
      let damage = try #require(delivery.damage, "length \(length)")
      #expect(damage.what == "the gzip file is cut off", "length \(length)")
      #expect(damage.offset == UInt64(delivery.bytes.count), "length \(length)")
    }
  }

  @Test("a large gzip file that is cut off gives what it holds", arguments: [false, true])
  func cutOffLarge(readsAhead: Bool) throws {
    let bytes = Self.noise(900_000)
    let stored = Self.gzip(bytes)
    for share in [0.3, 0.5, 0.9, 0.999] {
      let length = Int(Double(stored.count) * share)
      let delivery = try Self.read(Array(stored[..<length]), readsAhead: readsAhead, carry: 100)
      #expect(bytes.starts(with: delivery.bytes))
      #expect(delivery.bytes.count > Int(Double(bytes.count) * (share - 0.15)))
      #expect(delivery.damage?.offset == UInt64(delivery.bytes.count))
    }
  }

  @Test("a member that is cut off behind a whole one is damage")
  func cutOffSecond() throws {
    let first = Self.noise(500)
    let second = Self.gzip(Self.noise(500, seed: 9))
    for length in 1..<second.count {
      let delivery = try Self.read(Self.gzip(first) + second[..<length])
      #expect(delivery.bytes.starts(with: first), "length \(length)")
      #expect(delivery.damage != nil, "length \(length)")
    }
  }

  @Test("garbage behind gzip data is said, zeros are padding")
  func garbage() throws {
    let bytes = Self.noise(2000)
    let said = try Self.read(Self.gzip(bytes) + Array("not gzip".utf8))
    #expect(said.bytes == bytes)
    #expect(said.damage?.what == "text that is not gzip stands behind the gzip data")
    #expect(said.damage?.offset == 2000)
    for zeros in [1, 17, 18, 512, 300_000] {
      let padded = try Self.read(Self.gzip(bytes) + [UInt8](repeating: 0, count: zeros))
      #expect(padded.bytes == bytes, "\(zeros) zeros")
      #expect(padded.damage == nil, "\(zeros) zeros")
    }
  }

  @Test("damaged gzip data give what was right before")
  func damaged() throws {
    let bytes = Self.noise(700_000)
    var stored = Self.gzip(bytes)
    for position in [stored.count / 2, stored.count - 6] {
      stored[position] ^= 0x55
      for readsAhead in [false, true] {
        let delivery = try Self.read(stored, readsAhead: readsAhead)
        #expect(delivery.damage != nil)
        #expect(delivery.damage?.offset == UInt64(delivery.bytes.count))
        #expect(delivery.bytes.count > 200_000)
      }
      stored[position] ^= 0x55
    }
  }

  @Test("randomly changed gzip files end, without a crash")
  func mutations() throws {
    let bytes = Self.noise(3000)
    let stored = Self.gzip(bytes) + Self.gzip(bytes)
    var state: UInt64 = 5
    for _ in 0..<300 {
      var changed = stored
      for _ in 0..<3 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        changed[Int(state >> 33) % changed.count] ^= UInt8(truncatingIfNeeded: state >> 20)
      }
      let delivery = try Self.read(changed)
      #expect(delivery.offset == UInt64(delivery.bytes.count))
    }
  }

  @Test("an empty file has no bytes and no damage", arguments: [false, true])
  func empty(readsAhead: Bool) throws {
    let delivery = try Self.read([], readsAhead: readsAhead)
    #expect(delivery.bytes.isEmpty)
    #expect(delivery.head.isEmpty)
    #expect(delivery.damage == nil)
    let packed = try Self.read(Self.gzip([]), readsAhead: readsAhead)
    #expect(packed.bytes.isEmpty)
    #expect(packed.damage == nil)
    #expect(packed.compression == "gzip")
  }

  @Test("a folder and a missing file are errors that name the path")
  func unreadable() throws {
    try withTemporaryFile([1]) { path in
      let folder = String(path.dropLast("/input".count))
      let isFolder = #expect(throws: InputError.self) { try ByteInput(path: folder) }
      #expect(isFolder == InputError(path: folder, reason: "is a directory"))
      let isMissing = #expect(throws: InputError.self) { try ByteInput(path: path + ".gz") }
      #expect(
        isMissing == InputError(path: path + ".gz", reason: "no such file or directory"))
    }
  }

  @Test(
    "carried bytes stand in front of the next buffer, however many they are",
    arguments: [1, 100, 65_536, 65_537, 300_000, 2_000_000], [false, true])
  func carrying(carry: Int, readsAhead: Bool) throws {
    let bytes = Self.noise(1_500_000)
    for stored in [bytes, Self.gzip(bytes)] {
      let delivery = try Self.read(stored, readsAhead: readsAhead, carry: carry)
      #expect(delivery.bytes == bytes)
      #expect(delivery.offset == UInt64(bytes.count))
    }
  }

  @Test("an input that is given up early lets its thread end")
  func givenUp() throws {
    let bytes = Self.noise(3_000_000)
    try withTemporaryFile(bytes) { path in
      for count in 0..<4 {
        let input = try ByteInput(path: path, readsAhead: true)
        for _ in 0..<count { #expect(try input.next() != nil) }
      }
    }
  }
}
