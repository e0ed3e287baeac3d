import Foundation
import Testing

/// Small floods and bombs of the kinds that `Benchmarks/withstand` runs at full size.
@Suite("Floods and bombs")
struct FloodTests {
  struct Flood: CustomTestStringConvertible {
    var name: String
    var count: Int
    /// Statuses with which it may end.
    var statuses: [Int32]
    /// What the summary names.
    var says: [String]

    var testDescription: String { name }

    init(_ name: String, _ count: Int, _ statuses: [Int32], _ says: String...) {
      self.name = name
      self.count = count
      self.statuses = statuses
      self.says = says
    }
  }

  static let floods = [
    Flood("half-open-connections", 3000, [3]),
    Flood("ip-fragments", 500, [3], "fragment"),
    Flood("out-of-order-segments", 20_000, [2, 3]),
    Flood("endless-heads", 22_000, [2, 3]),
    Flood("unanswered-requests", 500, [0, 2, 3]),
    Flood(
      "pcapng-interfaces", 5000, [2], "\"damages\":904", "more than 4096 interfaces",
      "\"offset\":81948"),
    Flood("http2-streams", 2000, [3], "stream-limit-reached\":976", "\"undetermined\":2000"),
    Flood("http2-tables", 20, [0, 2, 3]),
    Flood("http2-table-updates", 1000, [3], "\"exchanges\":1000"),
    Flood(
      "http2-references", 80_000, [3], "header-blocks-too-long\":5", "\"exchanges\":6"),
    Flood("http2-continuations", 20_000, [3], "header-blocks-too-long\":1", "\"read\":20007"),
    Flood("client-hellos", 300, [3]),
    Flood("quic-flows", 1000, [3], "quic"),
    Flood("origins", 9000, [0], "\"blocked\":9000"),
    Flood("clients", 300, [0], "\"allowed\":300"),
    Flood("routes", 9000, [0], "\"blocked\":9000"),
    Flood("lonely-preflights", 300, [0, 3], "\"undetermined\":300"),
    Flood("same-preflight", 600, [0, 3], "\"undetermined\":600", "calls-given-up-early\":88"),
    Flood("cached-preflights", 300, [0], "\"allowed\":300"),
    Flood("big-fields", 3, [0, 3]),
    Flood("gigabyte-line", 3000, [2], "line-too-long\":1", "a line of more than 1048576 bytes"),
    Flood("gzip-bomb", 3000, [0], "\"blocked\":3000"),
    Flood("deep-json", 20_000, [2]),
  ]

  /// The generator, compiled once; `nil` where there is no C compiler.
  static let generator: String? = {
    let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Benchmarks/generate-flood.c").standardized.path
    let program = NSTemporaryDirectory() + "postflight-generate-flood-\(getpid())"
    let run = try? CommandRun(
      [source, program],
      shell:
        "for c in cc clang gcc; do command -v $c >/dev/null && exec $c -O1 -o \"$2\" \"$1\"; done; "
        + "exit 1")
    guard run?.status == 0 else { return nil }
    return program
  }()

  @Test(
    "each ends with a status of a run that came to its end, and what is cut is counted",
    .enabled(if: generator != nil, "a C compiler makes the floods"), arguments: floods)
  func flood(_ flood: Flood) throws {
    let generator = try #require(Self.generator)
    let workspace = try Workspace()
    let pack = flood.name == "gzip-bomb" ? "| gzip -9 " : ""
    let run = try CommandRun(
      ["analyze", "-", "--output", workspace.at("report"), "--quiet"],
      shell: "'\(generator)' \(flood.name) \(flood.count) \(pack)| \"$0\" \"$@\"")
    #expect(flood.statuses.contains(run.status), "\(run.status) \(run.errors)")
    #expect(run.errors == [])
    let summary = try workspace.text("report/summary.json")
    for part in flood.says { #expect(summary.contains(part), "\(summary.prefix(3000))") }
  }

  @Test("a record of endless depth is no record: 65", .enabled(if: generator != nil))
  func deepRecord() throws {
    let generator = try #require(Self.generator)
    let run = try CommandRun(
      ["replay", "-"], shell: "'\(generator)' deep-record 100000 | \"$0\" \"$@\"")
    #expect(run.status == 65)
    #expect(run.errors.count == 1 && run.errors[0].contains("-: line 1: "))
  }

  @Test(
    "a configuration of endless formats is refused, and said", .enabled(if: generator != nil)
  )
  func manyFormats() throws {
    let generator = try #require(Self.generator)
    let workspace = try Workspace()
    let log = try workspace.write("a.log", CORSLog.blocked(3))
    let run = try CommandRun(
      [
        "analyze", log, "--output", workspace.at("report"), "--format",
        "@\(workspace.at("nginx.conf"))",
      ],
      shell: "'\(generator)' log-formats 2000 >'\(workspace.at("nginx.conf"))'; \"$0\" \"$@\"")
    #expect(run.status == 64)
    #expect(run.errors.count == 1 && run.errors[0].contains("more than 256 log formats"))
  }
}
