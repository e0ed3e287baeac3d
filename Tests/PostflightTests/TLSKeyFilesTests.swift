import HTTPExchange
import IncidentReport
import TestSupport
import Testing

@testable import Postflight

@Suite("TLS key files")
struct TLSKeyFilesTests {
  private func extractWithMissingKeys() throws {
    var options = StageOptions(inputs: ["/nonexistent/capture.pcap"])
    options.tlsKeyFiles = ["/nonexistent/keys.log"]
    _ = try extract(options) { (_) throws(StageError) in }
  }

  @Test("a key log that cannot be opened ends the run")
  func missing() {
    let error = StageError.noInput(["/nonexistent/keys.log: no such file or directory"])
    #expect(throws: error) { try extractWithMissingKeys() }
  }

  @Test("several files are one key log, and what is none is named")
  func several() throws {
    let random = String(repeating: "0a", count: 32)
    let secret = String(repeating: "0b", count: 32)
    let first = "CLIENT_TRAFFIC_SECRET_0 \(random) \(secret)\nwhat is this\n"
    let second = "SERVER_TRAFFIC_SECRET_0 \(random) \(secret)\n"
    try withTemporaryFile(Array(first.utf8), named: "a.keys") { one in
      try withTemporaryFile(Array(second.utf8), named: "b.keys") { two in
        let files = try TLSKeyFiles([one, two])
        #expect(files.secretCount == 2)
        #expect(files.problems.map(\.reason) == ["1 line is none of a TLS key log"])
        #expect(files.problems.map(\.isNamed) == [false])
      }
    }
    try withTemporaryFile(Array("GET / HTTP/1.1\n".utf8), named: "c.keys") { path in
      let files = try TLSKeyFiles([path])
      #expect(files.problems.map(\.reason) == ["is no TLS key log"])
      #expect(files.problems.map(\.isNamed) == [true])
    }
  }

  @Test("only connections that were not decrypted hide anything")
  func hidden() {
    var record = SourceRecord(input: "a.pcap", digest: "", kind: "pcap")
    record.exchanges = 1
    record.note("tls-connections", 2)
    var closed = Judgement()
    closed.note(record)
    #expect(!closed.isJudgeable(ReportTotals()))
    record.note("tls-decrypted", 2)
    var open = Judgement()
    open.note(record)
    #expect(open.isJudgeable(ReportTotals()))
  }
}
