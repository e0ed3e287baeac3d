import Bytes
import Foundation
import HTTPExchange
import IncidentReport
import Testing

@testable import Postflight

/// The same input through one process and through the three stages.
@Suite("Stages as separate processes")
struct StageChainTests {
  /// Two nodes whose clocks differ by two seconds: preflights land on one, requests on the other.
  ///
  /// One file is cut off, and one holds nothing that can be read.
  private func writeInputs(to folder: URL) throws -> [String] {
    var paths: [String] = []
    for file in 0..<50 {
      let node = file % 2
      var lines = ""
      for index in 0..<40 {
        let millisecond = file / 2 * 60_000 + index * 1400 + node * (300 + 2000)
        let isPreflight = node == 0
        let origin = index % 3 == 0 ? "https://staging.example.com" : "https://app.example.com"
        let allowed = origin.contains("staging") ? "-" : origin
        let seconds = Double(1_795_461_000_000 + millisecond) / 1000
        lines +=
          "203.0.113.\(index % 7) [\(stamp(Int(seconds)))] "
          + "\(String(format: "%.3f", seconds)) 0.010 https://api.example.com:443 "
          + "\"\(isPreflight ? "OPTIONS" : "PUT") /v1/orders/\(index) HTTP/1.1\" 200 0 "
          + "origin=\"\(origin)\" acrm=\"\(isPreflight ? "PUT" : "-")\" acrh=\"-\" "
          + "fetch-mode=\"cors\" fetch-site=\"cross-site\" fetch-dest=\"empty\" cookie=0 "
          + "authorization=0 acao=\"\(allowed)\" acam=\"PUT\" acah=\"-\" acac=\"-\" max-age=\"0\" "
          + "expose=\"-\" vary=\"-\" location=\"-\" ua=\"\(TrafficBuilder.chrome)\" "
          + "rid=\(file)-\(index)\n"
      }
      if file == 7 { lines = String(lines.dropLast(300)) }
      let path = folder.appendingPathComponent("node-\(node)-\(file).log").path
      try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
      paths.append(path)
    }
    let corrupt = folder.appendingPathComponent("corrupt.log.gz").path
    try Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3] + Array(repeating: 0xAA, count: 500))
      .write(to: URL(fileURLWithPath: corrupt))
    return paths + [corrupt]
  }

  private func stamp(_ seconds: Int) -> String {
    EventTime(seconds: Int64(seconds)).rfc3339(.second).replacing("Z", with: "+00:00")
  }

  private final class Files {
    var bytes: [ReportFile: [UInt8]] = [:]
    func write(_ file: ReportFile, _ piece: ByteView) {
      bytes[file, default: []] += Array(piece)
    }
  }

  private func withFolder(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("postflight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder)
  }

  private func analyzed(_ paths: [String], jobs: Int) throws -> (Files, StageResult) {
    let files = Files()
    var options = StageOptions(inputs: paths)
    options.jobs = jobs
    options.report.writesCalls = true
    let result = try analyze(options) { (file, bytes) throws(StageError) in files.write(file, bytes)
    }
    return (files, result)
  }

  private func chained(_ paths: [String], in folder: URL) throws -> (Files, StageResult) {
    func stage(
      _ name: String, _ body: (@escaping ByteSink) throws -> Void
    ) throws -> String {
      let output = Files()
      try body { bytes in output.write(.calls, bytes) }
      let path = folder.appendingPathComponent(name).path
      try Data(output.bytes[.calls] ?? []).write(to: URL(fileURLWithPath: path))
      return path
    }
    let exchanges = try stage("exchanges.ndjson") {
      _ = try extract(StageOptions(inputs: paths), to: $0)
    }
    let calls = try stage("calls.ndjson") {
      _ = try replay(StageOptions(inputs: [exchanges]), to: $0)
    }
    let files = Files()
    var options = StageOptions(inputs: [calls])
    options.report.writesCalls = true
    let result = try report(options) { (file, bytes) throws(StageError) in files.write(file, bytes)
    }
    return (files, result)
  }

  @Test(
    "extract, replay and report give byte for byte what analyze gives, on 51 files of two nodes")
  func chainIsAnalyze() throws {
    try withFolder { folder in
      let paths = try writeInputs(to: folder)
      let (whole, result) = try analyzed(paths, jobs: 1)
      let (stages, stagedResult) = try chained(paths, in: folder)
      #expect(result.totals.blocked > 0)
      #expect(result.totals.allowed > 0)
      #expect(result.totals == stagedResult.totals)
      #expect(result.isPartial && stagedResult.isPartial)
      for file in ReportFile.allCases {
        #expect(whole.bytes[file] == stages.bytes[file], "\(file.rawValue) differs")
      }
    }
  }

  @Test("the result does not depend on the order of the arguments, nor on threads")
  func independentOfOrderAndThreads() throws {
    try withFolder { folder in
      let paths = try writeInputs(to: folder)
      let (one, _) = try analyzed(paths, jobs: 1)
      let (many, _) = try analyzed(paths.reversed(), jobs: 4)
      for file in ReportFile.allCases {
        #expect(one.bytes[file] == many.bytes[file], "\(file.rawValue) differs")
      }
    }
  }

  @Test("the verdicts do not depend on how the traffic is split into files")
  func independentOfSplit() throws {
    try withFolder { folder in
      let paths = try writeInputs(to: folder)
      let lines = try paths.filter { $0.hasSuffix(".log") && !$0.hasSuffix("-7.log") }
        .flatMap { try String(contentsOfFile: $0, encoding: .utf8).split(separator: "\n") }
      let sorted = lines.sorted { $0.split(separator: " ")[2] < $1.split(separator: " ")[2] }
      func verdicts(_ parts: Int) throws -> [String] {
        let size = (sorted.count + parts - 1) / parts
        let files = try (0..<parts).map { part -> String in
          let slice = sorted.dropFirst(part * size).prefix(size)
          let path = folder.appendingPathComponent("split-\(parts)-\(part).log").path
          try Data((slice.joined(separator: "\n") + "\n").utf8).write(
            to: URL(fileURLWithPath: path))
          return path
        }
        let (output, _) = try analyzed(files, jobs: 2)
        let calls = String(decoding: output.bytes[.calls] ?? [], as: UTF8.self)
        // Identifiers name the file, so they are left out of the comparison.
        return calls.split(separator: "\n").compactMap { line in
          let fields = ["time", "verdict", "kind", "reason", "origin", "url", "client"]
          let json = Array(line.utf8).withByteView { try? JSONReader.read($0) }
          return json.map { value in
            fields.map { value[$0]?.text ?? "-" }.joined(separator: " ")
          }
        }.sorted()
      }
      let whole = try verdicts(1)
      #expect(!whole.isEmpty)
      #expect(try verdicts(5) == whole)
      #expect(try verdicts(37) == whole)
    }
  }

  @Test("a line that is no record of the stage is named with its number")
  func namesTheLine() throws {
    try withFolder { folder in
      let path = folder.appendingPathComponent("bad.ndjson").path
      try Data("{\"schema\":\"postflight.call/1\"}\n".utf8).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: StageError.self) {
        _ = try replay(StageOptions(inputs: [path]), to: { _ in })
      }
      let reason = "no record of 'postflight extract': a record of the schema \"postflight.call/1\""
      #expect(error == .notThatStage(path: path, line: 1, reason: reason))
    }
  }
}
