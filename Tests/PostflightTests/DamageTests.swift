import AccessLog
import FetchCORS
import Foundation
import HTTPExchange
import InputBytes
import PacketCapture
import TestSupport
import Testing

@testable import Postflight

/// The samples, cut, changed, thinned out, doubled and shuffled.
@Suite("Damaged samples")
struct DamageTests {
  private static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("SampleCaptures")

  private static let captures: [String] = names(".pcap.gz")
  private static let logs: [String] = names(".log.gz")

  /// Every sample with that ending.
  private static func names(_ ending: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
    return (names ?? []).filter { $0.hasSuffix(ending) }.sorted()
  }

  /// How often a sample is damaged: as often as stated if it is small, less often if it is large.
  private static func rounds(_ most: Int, _ bytes: [UInt8]) -> Int {
    max(3, most * 50_000 / max(50_000, bytes.count))
  }

  @Test("there are samples of both kinds")
  func samples() {
    #expect(Self.captures.count > 10 && Self.logs.count > 3)
  }

  private static func unpacked(_ name: String) throws -> [UInt8] {
    let input = try ByteInput(path: folder.appendingPathComponent(name).path)
    var bytes: [UInt8] = []
    while let buffer = try input.next() { bytes += buffer }
    return bytes
  }

  private static func keys(_ name: String) throws -> TLSKeyLog {
    let path = folder.appendingPathComponent("\(name.prefix { $0 != "." }).keys").path
    return FileManager.default.fileExists(atPath: path) ? try TLSKeyLog(path: path) : TLSKeyLog()
  }

  /// Lengths from nothing to the whole: all small ones, then more and more seldom.
  private static func lengths(_ count: Int, about number: Int) -> [Int] {
    Array(0..<min(count, 80)) + Array(stride(from: 80, to: count, by: max(1, count / number)))
  }

  private static func isSmall(_ bytes: [UInt8]) -> Bool { bytes.count < 64_000 }

  /// The ends of packets or lines where the sample is small, and some of them with the places one byte
  /// before and behind.
  private static func places(_ ends: some Collection<Int>, _ bytes: [UInt8]) -> [Int] {
    let ends = ends.sorted()
    let some = stride(from: 0, to: ends.count, by: max(1, ends.count / 5)).map { ends[$0] }
    let all = some.flatMap { [$0 - 1, $0, $0 + 1] } + (isSmall(bytes) ? ends : [])
    return Set(all).filter { $0 < bytes.count }.sorted()
  }

  // MARK: Captures

  // Every length of every sample is tried on the file alone: see SampleCutTests.
  @Test(
    "a capture cut at every packet of small samples and at some of large ones keeps all before it",
    arguments: captures)
  func cutCaptures(name: String) throws {
    let bytes = try Self.unpacked(name)
    let keys = try Self.keys(name)
    let whole = try Outcome(capture: bytes, keys)
    #expect(whole.exchanges.count > 20 || name.hasPrefix("tls-without-keys"))
    let known = Set(whole.exchanges.map(\.content))
    for length in Self.places(Packets(bytes).ends, bytes) where length >= 24 {
      let cut = try Outcome(capture: Array(bytes.prefix(length)), keys)
      cut.expectSound("\(length) bytes")
      for exchange in cut.exchanges where exchange.ending == .complete {
        #expect(known.contains(exchange.content), "\(length) bytes: \(exchange.content)")
      }
      cut.expectNoOpposite(of: whole, "\(length) bytes")
      // The file ends between two packets, or says that it does not.
      let isWhole = Packets(bytes).ends.contains(length)
      #expect(cut.record.damageCount == (isWhole ? 0 : 1), "\(length) bytes")
    }
  }

  // The smallest sample is unpacked at every length: see SampleGzipCutTests.
  @Test(
    "of a compressed capture that is cut at some lengths everything before the cut is used",
    arguments: captures)
  func cutCompressed(name: String) throws {
    let bytes = try [UInt8](Data(contentsOf: Self.folder.appendingPathComponent(name)))
    let keys = try Self.keys(name)
    var before = 0
    for length in Self.lengths(bytes.count, about: Self.rounds(40, bytes)) where length >= 200 {
      let cut = try Outcome(capture: Array(bytes.prefix(length)), keys)
      cut.expectSound("\(length) bytes")
      #expect(cut.record.damageCount >= 1, "\(length) bytes")
      #expect(cut.exchanges.count >= before, "\(length) bytes")
      before = cut.exchanges.count
    }
    #expect(before > 0 || name.hasPrefix("tls-without-keys"))
  }

  @Test("a changed payload leaves every other connection as it was", arguments: captures)
  func changedPayloads(name: String) throws {
    let bytes = try Self.unpacked(name)
    let keys = try Self.keys(name)
    let packets = Packets(bytes)
    let whole = try Outcome(capture: bytes, keys)
    var generator = SeededGenerator(seed: 3)
    for round in 0..<Self.rounds(24, bytes) {
      var changed = bytes
      let packet = generator.pick(packets.all.filter { $0.payload.count > 0 })
      for _ in 0...generator.number(below: 6) {
        changed[packet.payload.lowerBound + generator.number(below: packet.payload.count)] =
          UInt8(truncatingIfNeeded: generator.next())
      }
      let outcome = try Outcome(capture: changed, keys)
      outcome.expectSound("round \(round)")
      let order = Array(packets.all.indices)
      #expect(
        outcome.contents(order, packets, but: [packet.connection])
          == whole.contents(order, packets, but: [packet.connection]), "round \(round)")
      outcome.expectVerdicts(of: whole, but: [packet.client], "round \(round)")
    }
  }

  @Test(
    "bytes that are changed anywhere are survived, and all packets stay counted",
    arguments: captures)
  func changedBytes(name: String) throws {
    let bytes = try Self.unpacked(name)
    let keys = try Self.keys(name)
    var generator = SeededGenerator(seed: 4)
    for round in 0..<Self.rounds(40, bytes) {
      var changed = bytes
      for _ in 0...generator.number(below: 40) {
        changed[24 + generator.number(below: bytes.count - 24)] =
          UInt8(truncatingIfNeeded: generator.next())
      }
      try Outcome(capture: changed, keys).expectSound("round \(round)")
    }
  }

  @Test("lost packets cost what they carried, and are noticed", arguments: captures)
  func lostPackets(name: String) throws {
    let bytes = try Self.unpacked(name)
    let keys = try Self.keys(name)
    let packets = Packets(bytes)
    let whole = try Outcome(capture: bytes, keys)
    var generator = SeededGenerator(seed: 5)
    for round in 0..<Self.rounds(24, bytes) {
      let lost = Set(
        (0...generator.number(below: 3)).map { _ in generator.number(below: packets.all.count) })
      let order = packets.all.indices.filter { !lost.contains($0) }
      let outcome = try Outcome(capture: packets.file(order), keys)
      outcome.expectSound("round \(round)")
      let touched = Set(lost.map { packets.all[$0].connection })
      let others = whole.contents(Array(packets.all.indices), packets, but: touched)
      #expect(!others.isEmpty || name.hasPrefix("tls-without-keys"))
      #expect(outcome.contents(order, packets, but: touched) == others, "round \(round)")
      outcome.expectNoOpposite(of: whole, "round \(round)")
      outcome.expectVerdicts(
        of: whole, but: Set(lost.map { packets.all[$0].client }), "round \(round)")
      if Set(outcome.exchanges.map(\.content)) != Set(whole.exchanges.map(\.content)) {
        let (left, right) = (
          Set(outcome.exchanges.map(\.content)), Set(whole.exchanges.map(\.content))
        )
        #expect(
          outcome.record.notes != whole.record.notes,
          "round \(round): \(lost) \(left.subtracting(right)) in place of \(right.subtracting(left))"
        )
      }
    }
  }

  @Test("packets that come twice change nothing", arguments: captures)
  func doubledPackets(name: String) throws {
    let bytes = try Self.unpacked(name)
    let keys = try Self.keys(name)
    let packets = Packets(bytes)
    let whole = try Outcome(capture: bytes, keys)
    var generator = SeededGenerator(seed: 6)
    for round in 0..<Self.rounds(12, bytes) {
      let order = packets.all.indices.flatMap {
        [Int](repeating: $0, count: generator.chance(1, in: 5) ? 2 : 1)
      }
      let outcome = try Outcome(capture: packets.file(order), keys)
      outcome.expectSound("round \(round)")
      #expect(
        outcome.exchanges.map(\.content).sorted() == whole.exchanges.map(\.content).sorted(),
        "round \(round)")
      #expect(outcome.verdicts == whole.verdicts, "round \(round)")
    }
  }

  @Test("neighbouring packets of one direction may stand in the wrong order", arguments: captures)
  func shuffledPackets(name: String) throws {
    let bytes = try Self.unpacked(name)
    let keys = try Self.keys(name)
    let packets = Packets(bytes)
    let whole = try Outcome(capture: bytes, keys)
    var generator = SeededGenerator(seed: 7)
    for round in 0..<Self.rounds(12, bytes) {
      var order = Array(packets.all.indices)
      for index in 1..<order.count
      where packets.all[order[index]].isData && packets.all[order[index - 1]].isData
        && packets.all[order[index]].connection == packets.all[order[index - 1]].connection
        && packets.all[order[index]].isFromClient == packets.all[order[index - 1]].isFromClient
        && generator.chance(1, in: 2)
      {
        order.swapAt(index, index - 1)
      }
      let outcome = try Outcome(capture: packets.file(order), keys)
      outcome.expectSound("round \(round)")
      #expect(
        outcome.exchanges.map(\.untimedContent).sorted()
          == whole.exchanges.map(\.untimedContent).sorted(), "round \(round)")
    }
  }

  // MARK: Logs

  @Test(
    "a log cut at every line and within the last one of small samples, at some lines of large ones",
    arguments: logs)
  func cutLogs(name: String) throws {
    let bytes = try Self.unpacked(name)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let whole = try Outcome(log: bytes, format)
    #expect(whole.exchanges.count > 20)
    let ends = bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
    let last = Self.isSmall(bytes) ? Array((ends.dropLast().last ?? 0)..<bytes.count) : []
    for length in Self.places(ends + [80, 81], bytes) + last {
      let cut = try Outcome(log: Array(bytes.prefix(length)), format)
      cut.expectSound("\(length) bytes")
      let lines = bytes.prefix(length).count { $0 == 0x0A }
      #expect(cut.exchanges.count >= lines && cut.exchanges.count <= lines + 1, "\(length) bytes")
      #expect(
        cut.exchanges.prefix(lines).map(\.content) == whole.exchanges.prefix(lines).map(\.content),
        "\(length) bytes")
    }
  }

  @Test(
    "lines that are changed, lost, doubled or shuffled leave the others as they were",
    arguments: logs)
  func changedLogs(name: String) throws {
    let bytes = try Self.unpacked(name)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    let lines = bytes.split(separator: 0x0A).map { Array($0) }
    let whole = try Outcome(log: bytes, format).exchanges.map(\.content)
    #expect(whole.count == lines.count)
    var generator = SeededGenerator(seed: 8)
    for round in 0..<Self.rounds(60, bytes) {
      var order = Array(lines.indices)
      var expected: [String] = []
      var text: [UInt8] = []
      if round % 3 == 1 { order.shuffle(using: &generator) }
      if round % 3 == 2 {
        order = order.flatMap { [Int](repeating: $0, count: generator.number(below: 3)) }
      }
      for index in order {
        let isChanged = generator.chance(1, in: 8)
        var line = lines[index]
        if isChanged { for _ in 0..<5 { line = line.mutated(&generator) } }
        line.removeAll { $0 == 0x0A }
        if !isChanged { expected.append(whole[index]) }
        text += line + [0x0A]
      }
      let outcome = try Outcome(log: text, format)
      outcome.expectSound("round \(round)")
      #expect(outcome.record.read == UInt64(order.count))
      var left = expected[...]
      for exchange in outcome.exchanges where exchange.content == left.first { left.removeFirst() }
      #expect(left.isEmpty, "round \(round): \(left.first ?? "")")
    }
  }
}

/// What a damaged input came to.
fileprivate struct Outcome {
  var exchanges: [Exchange] = []
  var record: SourceRecord
  var calls: [Call]
  private var notCORS: [String: UInt64]

  init(capture bytes: [UInt8], _ keys: TLSKeyLog) throws {
    var options = IngestOptions()
    options.keepsAll = true
    let read = try withTemporaryFile(bytes, named: "sample") { path in
      let reader = CaptureReader(input: try ByteInput(path: path), options: options, keys: keys)
      var exchanges: [Exchange] = []
      while let batch = reader.nextBatch() { exchanges += batch.exchanges }
      return (exchanges, reader.record)
    }
    self.init(read.0, read.1)
  }

  init(log bytes: [UInt8], _ format: LogFormat) throws {
    var options = IngestOptions()
    options.keepsAll = true
    let read = try withTemporaryFile(bytes, named: "sample") { path in
      let reader = LogReader(input: try ByteInput(path: path), format: format, options: options)
      var exchanges: [Exchange] = []
      while let batch = reader.nextBatch() { exchanges += batch.exchanges }
      return (exchanges, reader.record)
    }
    self.init(read.0, read.1)
  }

  private init(_ exchanges: [Exchange], _ record: SourceRecord) {
    self.exchanges = exchanges
    self.record = record
    var pairing = Pairing()
    for exchange in exchanges.sorted(by: { ($0.time, $0.id) < ($1.time, $1.id) }) {
      pairing.add(exchange)
    }
    pairing.finish()
    calls = pairing.takeCalls()
    notCORS = pairing.notCORS
  }

  /// Whether everything is counted exactly once.
  func expectSound(_ what: String) {
    #expect(record.read == record.used + record.skipped.values.reduce(0, +), "\(what)")
    #expect(
      record.exchanges == UInt64(exchanges.count) + record.passedOver.values.reduce(0, +),
      "\(what)")
    let paired = calls.reduce(0) { $0 + $1.exchanges.count }
    #expect(
      UInt64(exchanges.count) == UInt64(paired) + notCORS.values.reduce(0, +),
      "\(what): \(exchanges.count) exchanges, \(paired) in calls, others \(notCORS)")
  }

  /// The exchanges of all connections but some.
  ///
  /// - Parameter order: which packet each of the capture's is.
  func contents(_ order: [Int], _ packets: Packets, but touched: Set<String>) -> [String] {
    exchanges.filter { exchange in
      let packet = packets.all[order[Int(exchange.id.number) - 1]]
      return !touched.contains(packet.connection)
    }.map(\.content).sorted()
  }

  /// The verdict on each request.
  var verdicts: [String: Verdict] {
    var result: [String: Verdict] = [:]
    for call in calls {
      guard let request = call.exchanges.last(where: { $0.role == .request })?.exchange else {
        continue
      }
      result[request.content] = call.verdict
    }
    return result
  }

  /// Whether all calls of browsers that nothing happened to are judged as before.
  func expectVerdicts(of whole: Outcome, but touched: Set<String>, _ what: String) {
    func untouched(_ outcome: Outcome) -> [String: Verdict] {
      outcome.verdicts.filter { request, _ in
        !touched.contains { request.hasPrefix($0 + " ") }
      }
    }
    #expect(untouched(self) == untouched(whole), "\(what)")
  }

  /// Whether no request that stayed what it was is judged the other way round.
  func expectNoOpposite(of whole: Outcome, _ what: String) {
    let before = whole.verdicts
    for (request, verdict) in verdicts {
      let opposite: Set<Verdict> = [.allowed, .blocked]
      guard let known = before[request], known != verdict else { continue }
      #expect(!opposite.isSuperset(of: [known, verdict]), "\(what): \(known) became \(verdict)")
    }
  }
}

extension Exchange {
  /// All that it says, without where it stands.
  fileprivate var content: String { "\(client) \(startedAt?.nanoseconds ?? 0) \(untimedContent)" }

  fileprivate var untimedContent: String {
    "\(method) \(url) \(status ?? 0) \(ending) \(request.coverage == .complete) "
      + "\(request.fields.map { "\($0.name)=\($0.value ?? "?")" }) "
      + "\(response.fields.map { "\($0.name)=\($0.value ?? "?")" })"
  }
}

/// The packets of a pcap file, and whose they are.
fileprivate struct Packets {
  struct Packet {
    /// Header and frame.
    var range: Range<Int>
    var payload: Range<Int>
    /// Address and port of the client.
    var connection = ""
    /// Its address.
    var client = ""
    var isFromClient: Bool
    var isData: Bool { payload.count > 0 }
  }

  private let bytes: [UInt8]
  private(set) var all: [Packet] = []

  /// The places at which the file may end.
  var ends: Set<Int> { Set(all.map(\.range.upperBound) + [24]) }

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    func little32(_ offset: Int) -> Int {
      (0..<4).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    func big16(_ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }
    let link = little32(20)
    var position = 24
    while position + 16 <= bytes.count {
      let end = position + 16 + little32(position + 8)
      guard end <= bytes.count else { break }
      // Ethernet, or Linux's cooked header.
      let network = position + 16 + (link == 1 ? 14 : link == 113 ? 16 : 0)
      var packet = Packet(
        range: position..<end, payload: end..<end, isFromClient: false)
      if network + 40 <= end, bytes[network] >> 4 == 4, bytes[network + 9] == 6 {
        let transport = network + Int(bytes[network] & 15) * 4
        let start = transport + Int(bytes[transport + 12] >> 4) * 4
        let stop = min(end, network + big16(network + 2))
        if start < stop { packet.payload = start..<stop }
        packet.isFromClient = big16(transport) > big16(transport + 2)
        let address = network + (packet.isFromClient ? 12 : 16)
        let port = big16(transport + (packet.isFromClient ? 0 : 2))
        packet.client = bytes[address..<address + 4].map(String.init).joined(separator: ".")
        packet.connection = "\(packet.client) \(port)"
      }
      all.append(packet)
      position = end
    }
  }

  /// A file of these packets in this order.
  func file(_ order: [Int]) -> [UInt8] {
    Array(bytes[..<24]) + order.flatMap { bytes[all[$0].range] }
  }
}
