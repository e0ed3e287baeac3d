import Foundation
import HTTPExchange
import IncidentReport
import InputBytes
import TestSupport
import Testing

@testable import Postflight

/// Samples that are a capture and the server's log of the same traffic.
@Suite("Inputs that overlap")
struct OverlappingInputsTests {
  private static let samples = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("SampleCaptures")

  private static func sample(_ name: String) -> String {
    samples.appendingPathComponent(name).path
  }

  private final class Files {
    var bytes: [ReportFile: [UInt8]] = [:]
  }

  private func analyzed(_ inputs: [String]) throws -> (Files, StageResult) {
    var options = StageOptions(inputs: inputs)
    options.tlsKeyFiles = [Self.sample("chromium-tls.keys")]
    options.report.writesCalls = true
    let files = Files()
    let result = try analyze(options) { (file, bytes) throws(StageError) in
      files.bytes[file, default: []] += Array(bytes)
    }
    return (files, result)
  }

  private func text(of path: String) throws -> String {
    let input = try ByteInput(path: path)
    var bytes: [UInt8] = []
    while let buffer = try input.next() { bytes += Array(buffer) }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test(
    "a capture and its log give what the capture gives, in any order, and say that they overlap",
    arguments: ["firefox-calls", "chromium-tls", "release-header"])
  func captureAndLog(name: String) throws {
    let (capture, log) = (Self.sample("\(name).pcap.gz"), Self.sample("\(name).log.gz"))
    let (_, alone) = try analyzed([capture])
    let (both, result) = try analyzed([capture, log])
    #expect(result.totals.blocked == alone.totals.blocked)
    #expect(result.totals.allowed == alone.totals.allowed)
    #expect(result.totals.calls == alone.totals.calls)
    // Wherever the lines of the terminal end.
    let words = result.summary.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("The inputs overlap"))
    let (reversed, _) = try analyzed([log, capture])
    for file in ReportFile.allCases {
      #expect(both.bytes[file] == reversed.bytes[file], "\(file.rawValue) differs")
    }
  }

  @Test("the same holds without request ids, and with a log in several files")
  func withoutIDs() throws {
    let (_, alone) = try analyzed([Self.sample("release-header.pcap.gz")])
    let lines = try text(of: Self.sample("release-header.log.gz")).split(separator: "\n")
      .map { String($0).components(separatedBy: " rid=")[0] }
    for parts in [1, 7] {
      var files: [(name: String, bytes: [UInt8])] = []
      let size = (lines.count + parts - 1) / parts
      for part in 0..<parts {
        let slice = lines.dropFirst(part * size).prefix(size)
        files.append(("access.log.\(part)", Array((slice.joined(separator: "\n") + "\n").utf8)))
      }
      try withTemporaryFolder(files) { folder in
        let (_, result) = try analyzed([folder, Self.sample("release-header.pcap.gz")])
        #expect(result.totals.calls == alone.totals.calls, "\(parts) parts")
        #expect(result.totals.blocked == alone.totals.blocked, "\(parts) parts")
      }
    }
  }

  @Test("the stages give what analyze gives of inputs that overlap")
  func chain() throws {
    let inputs = ["release-header.pcap.gz", "release-header.log.gz", "firefox-calls.log.gz"]
      .map(Self.sample)
    let (whole, _) = try analyzed(inputs)
    var exchanges: [UInt8] = []
    _ = try extract(StageOptions(inputs: inputs), to: { exchanges += Array($0) })
    let calls = try withTemporaryFile(exchanges) { path in
      var calls: [UInt8] = []
      _ = try replay(StageOptions(inputs: [path]), to: { calls += Array($0) })
      return calls
    }
    let files = Files()
    try withTemporaryFile(calls) { path in
      var options = StageOptions(inputs: [path])
      options.report.writesCalls = true
      _ = try report(options) { (file, bytes) throws(StageError) in
        files.bytes[file, default: []] += Array(bytes)
      }
    }
    for file in ReportFile.allCases {
      #expect(whole.bytes[file] == files.bytes[file], "\(file.rawValue) differs")
    }
  }
}
