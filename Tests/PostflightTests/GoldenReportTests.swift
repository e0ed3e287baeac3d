import Foundation
import IncidentReport
import Testing

@testable import Postflight

/// What the tool says of each sample, compared with what `Scripts/record-golden` wrote.
@Suite("Reports of the samples")
struct GoldenReportTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static var samples: [String] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: root.appendingPathComponent("SampleCaptures").path)
    return (names ?? []).filter { $0.hasSuffix(".pcap.gz") || $0.hasSuffix(".log.gz") }.sorted()
  }

  private final class Files {
    var bytes: [ReportFile: [UInt8]] = [:]
  }

  @Test("every sample has its description and its report")
  func isComplete() {
    #expect(Self.samples.count >= 3)
    for sample in Self.samples {
      let stem = sample.prefix { $0 != "." }
      let description = Self.root.appendingPathComponent("SampleCaptures/\(stem).md").path
      #expect(FileManager.default.fileExists(atPath: description), "\(sample) has no description")
    }
  }

  @Test("the report of a sample is the one that was looked at", arguments: samples)
  func isGolden(sample: String) throws {
    let folder = Self.root.appendingPathComponent("SampleCaptures")
    var options = StageOptions(inputs: [folder.appendingPathComponent(sample).path])
    let keys = folder.appendingPathComponent("\(sample.prefix { $0 != "." }).keys").path
    if sample.contains(".pcap"), FileManager.default.fileExists(atPath: keys) {
      options.tlsKeyFiles = [keys]
    }
    let files = Files()
    _ = try analyze(options) { (file, bytes) throws(StageError) in
      files.bytes[file, default: []] += Array(bytes)
    }
    let golden = Self.root.appendingPathComponent("Reports/\(sample.dropLast(3))")
    for (file, bytes) in files.bytes {
      let expected = try Data(contentsOf: golden.appendingPathComponent(file.rawValue))
      #expect(
        Array(expected) == bytes,
        "\(sample): \(file.rawValue) differs; run Scripts/record-golden and look at the difference")
    }
  }
}
