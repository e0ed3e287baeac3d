import Bytes
import InputBytes
import TestSupport
import Testing

@testable import PacketCapture

@Suite("TLS key logs")
struct TLSKeyLogTests {
  private func log(_ text: String) -> TLSKeyLog {
    var log = TLSKeyLog()
    Array(text.utf8).withByteView { log.add(text: $0) }
    return log
  }

  private let random = String(repeating: "0a", count: 32)

  @Test("lines give secrets by label, in any case and with any line end")
  func lines() {
    let secret = String(repeating: "Bc", count: 32)
    let log = log(
      """
      # a comment\r
      \r
      CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)\r
      SERVER_TRAFFIC_SECRET_0 \(random.uppercased()) \(secret.uppercased())
      EXPORTER_SECRET \(random) \(secret)
      QUIC_CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)
      RSA 0011223344556677 \(String(repeating: "ab", count: 48))
        CLIENT_RANDOM \(random) \(String(repeating: "01", count: 48))
      """)
    #expect(log.count == 3)
    #expect(log.malformedLines == 0)
    let key = Array(random.utf8).withByteView { TLSRandom(hexadecimal: $0) }
    guard let key else {
      Issue.record("no random")
      return
    }
    #expect(key.bytes == [UInt8](repeating: 10, count: 32))
    #expect(log.secret(.clientTraffic, key) == [UInt8](repeating: 0xBC, count: 32))
    #expect(log.secret(.serverTraffic, key) == [UInt8](repeating: 0xBC, count: 32))
    #expect(log.secret(.master, key) == [UInt8](repeating: 1, count: 48))
    #expect(log.secret(.clientEarly, key) == nil)
  }

  @Test(
    "lines that are none are counted",
    arguments: [
      "CLIENT_RANDOM", "CLIENT_RANDOM 00", "nonsense", "CLIENT_RANDOM 00 00",
      "CLIENT_RANDOM \(String(repeating: "0g", count: 32)) \(String(repeating: "00", count: 48))",
      "CLIENT_RANDOM \(String(repeating: "00", count: 32)) \(String(repeating: "00", count: 47))",
      "CLIENT_RANDOM \(String(repeating: "00", count: 32)) \(String(repeating: "0x", count: 48))",
      "CLIENT_TRAFFIC_SECRET_0 \(String(repeating: "00", count: 32)) 0",
    ])
  func malformed(line: String) {
    let log = log(line + "\n")
    #expect(log.isEmpty)
    #expect(log.malformedLines == 1)
  }

  @Test("the same secret twice is one, and a later one replaces it")
  func again() {
    let first = String(repeating: "01", count: 48)
    let second = String(repeating: "02", count: 48)
    let log = log("CLIENT_RANDOM \(random) \(first)\nCLIENT_RANDOM \(random) \(second)\n")
    #expect(log.count == 1)
    let key = Array(random.utf8).withByteView { TLSRandom(hexadecimal: $0) }
    #expect(key.flatMap { log.secret(.master, $0) } == [UInt8](repeating: 2, count: 48))
  }

  @Test("a file is read across its buffers, and an endless line is passed over")
  func file() throws {
    var text = ""
    for index in 0..<4000 {
      let digits = String(String(index + 65536, radix: 16).dropFirst())
      text += "CLIENT_RANDOM \(String(repeating: digits, count: 16)) "
      text += String(repeating: "ab", count: 48) + "\n"
      if index == 1000 { text += String(repeating: "x", count: 1 << 20) + "\n" }
    }
    // The last line has no end.
    text.removeLast()
    let log = try withTemporaryFile(Array(text.utf8), named: "keys.log") { try TLSKeyLog(path: $0) }
    #expect(log.count == 4000)
    #expect(log.malformedLines == 1)
  }

  @Test("a file that cannot be opened is an error of one line")
  func missing() {
    #expect(throws: InputError.self) { try TLSKeyLog(path: "/nonexistent/keys.log") }
    #expect(throws: InputError.self) { try TLSKeyLog(path: "/") }
  }

  @Test("nothing of a secret is printed")
  func silence() {
    let session = SyntheticTLS(.aes128)
    let log = session.keyLog()
    var dumped = ""
    dump(log, to: &dumped)
    for text in ["\(log)", String(reflecting: log), dumped] {
      #expect(text.contains("5 secrets"))
      #expect(text.count < 60)
    }
  }

  @Test("secrets beyond the limit are refused and counted, and known ones may still be replaced")
  func limit() {
    var log = TLSKeyLog(limit: 100)
    func add(_ number: Int, _ digit: String) {
      let random =
        String(String(number + 1_000_000).dropFirst()) + String(repeating: "0", count: 58)
      Array("CLIENT_RANDOM \(random) \(String(repeating: digit, count: 96))".utf8)
        .withByteView { log.add(text: $0) }
    }
    for number in 0..<130 { add(number, "a") }
    #expect(log.count == 100 && log.refusedLines == 30 && log.malformedLines == 0)
    for number in 0..<100 { add(number, "b") }
    #expect(log.count == 100 && log.refusedLines == 30)
    add(500, "c")
    #expect(log.refusedLines == 31)
    // About a hundred bytes each: what the limit of every other key log comes to.
    #expect(TLSKeyLog.maximumSecrets * 100 < 128 << 20)
  }
}
