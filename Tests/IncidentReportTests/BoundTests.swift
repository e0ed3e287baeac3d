import Bytes
import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

@Test("a hundred thousand origins are held in bounded memory, and none is lost from the totals")
func manyOrigins() throws {
  let builder = ReportBuilder(options: ReportOptions(maximumRoutes: 256))
  for index in 0..<100_000 {
    try builder.add(
      CallBuilder().with {
        $0.origin = "https://a\(index).example"
        $0.number = UInt64(index)
        $0.second += Int64(index)
      }.call)
    // An incident that begins late and grows is not lost in the noise.
    if index > 60_000, index % 40 == 0 {
      try builder.add(
        CallBuilder.responseFailure(502, .missingAllowOriginHeader).with {
          $0.number = UInt64(index)
          $0.second += Int64(index)
        }.call)
    }
  }
  var files: [ReportFile: [UInt8]] = [:]
  try builder.finish { files[$0, default: []].append(contentsOf: $1) }
  // No value of these rows holds a line end.
  let blocked = files[.blocked] ?? []
  #expect(blocked.withByteView { $0.reduce(0) { $1 == 0x0A ? $0 + 1 : $0 } } == 101_000)
  #expect(builder.totals.blocked == 100_999)
  let json = try (files[.summary] ?? []).withByteView { try JSONReader.read($0) }
  let incidents = json["incidents"]?.elements ?? []
  #expect(incidents.count <= 300)
  #expect(incidents.reduce(0) { $0 + ($1["calls"]?.integer ?? 0) } == 100_999)
  #expect(incidents.contains { $0["cause"]?.text == "gateway-error" })
  #expect(incidents.contains { $0["origin"]?.text == "(others)" })
  #expect(files[.html]?.count ?? .max < 2_000_000)
}

@Test("many hostile samples stay below the limit of bytes")
func manyLargeSamples() throws {
  let filler = String(repeating: "x", count: 100_000)
  let options = ReportOptions(maximumSampleBytes: 1 << 20)
  let outputs = try Outputs.of(
    (0..<300).map { index in
      CallBuilder.allowed.with {
        $0.url = "https://api.example/route-\(index)x"
        $0.response = (200, (0..<20).map { ("x-filler-\($0)", filler) })
        $0.number = UInt64(index)
      }.call
    }, options: options)
  #expect(outputs.totals.allowed == 300)
  #expect(outputs.text(.summary).contains("\"routesAddedUp\":"))
  #expect(!outputs.text(.summary).contains("\"routesAddedUp\":0,"))
}

@Test("clients that are told apart count among the bytes that are bounded")
func manyClients() throws {
  func outputs(_ clients: Int) throws -> Outputs {
    try Outputs.of(
      (0..<4000).map { index in
        CallBuilder.responseFailure(502, .missingAllowOriginHeader).with {
          $0.url = "https://api.example/route-\(index % 40)x"
          $0.client = "client-\(index / 40 % clients)"
          $0.number = UInt64(index)
          $0.second += Int64(index)
        }.call
      }, options: ReportOptions(maximumSampleBytes: 1 << 18))
  }
  let few = try outputs(1)
  let many = try outputs(100)
  #expect(few.totals.blocked == 4000 && many.totals.blocked == 4000)
  let folded = (few: try addedUp(few), many: try addedUp(many))
  #expect(folded.many > folded.few, "\(folded)")
}

private func addedUp(_ outputs: Outputs) throws -> Int {
  let match = try #require(outputs.text(.summary).firstMatch(of: #/"routesAddedUp":(\d+)/#))
  return try #require(Int(match.1))
}

@Test("records of inputs are bounded by their bytes, and those left out are counted")
func largeSources() throws {
  let builder = ReportBuilder()
  let count = 40
  for number in 0..<count {
    var source = SourceRecord(input: "\(number).log", digest: "0", kind: "log")
    source.warnings = [String(repeating: "x", count: 1 << 20)]
    source.addDamage(.init(offset: 1, what: "a line that is not of the format"))
    builder.add(source)
  }
  var summary: [UInt8] = []
  try builder.finish { if $0 == .summary { summary += $1 } }
  let text = String(decoding: summary, as: UTF8.self)
  let kept = ReportContent.maximumSourceBytes / (1 << 20) - 1
  #expect(text.contains("\"sourcesOmitted\":\(count - kept)"))
  #expect(builder.totals.damages == UInt64(count))
}

@Test("of more inputs than are kept those stay that are damaged, or that say how all were read")
func telltaleSources() throws {
  let builder = ReportBuilder()
  let count = ReportContent.maximumSources + 500
  for number in 0..<count {
    var source = SourceRecord(input: "\(number).log", digest: "0", kind: "log")
    if number == count - 2 {
      source.addDamage(.init(offset: 1, number: 7, what: "a line that is not of the format"))
    }
    builder.add(source)
  }
  var pairing = SourceRecord(input: "pairing", digest: "", kind: "pairing")
  pairing.note("skewed-pairs", 3)
  pairing.warnings = ["the clocks of the inputs differ"]
  builder.add(pairing)
  var files: [ReportFile: [UInt8]] = [:]
  try builder.finish { files[$0, default: []].append(contentsOf: $1) }
  let summary = String(decoding: files[.summary] ?? [], as: UTF8.self)
  #expect(summary.contains("\"sourcesOmitted\":501"))
  #expect(summary.contains("\"sources\":\(count + 1)"))
  for text in [summary, String(decoding: files[.html] ?? [], as: UTF8.self)] {
    #expect(text.contains("the clocks of the inputs differ"))
    #expect(text.contains("\(count - 2).log"))
    #expect(text.contains("0.log"))
  }
}

@Test("symptoms beyond the limit of a route share one incident per reason")
func manySymptoms() throws {
  let calls = (0..<500).map { index in
    CallBuilder.preflightFailure(204, .headerDisallowedByPreflightResponse).at(Int64(index)).with {
      $0.parameter = "x-header-\(index)"
    }.call
  }
  let outputs = try Outputs.of(calls)
  let rows = outputs.rows(.blocked)
  #expect(rows.count == 500)
  #expect(Set(rows.compactMap { $0["cause"] }).count == 2)
  let json = try Array(outputs.text(.summary).utf8).withByteView { try JSONReader.read($0) }
  #expect(
    json["incidents"]?.elements?.reduce(0) { $0 + ($1["calls"]?.integer ?? 0) } == 500)
}

@Test("the page is bounded whatever the number of incidents, inputs and damages")
func pageIsBounded() throws {
  let quotes = String(repeating: "\"\u{202E}", count: 400)
  let calls = (0..<600).map { index in
    CallBuilder.preflightFailure(401, .missingAllowOriginHeader).at(Int64(index)).with {
      $0.origin = "https://a\(index).example" + quotes
      // One host each: what happens on one host at one time is one incident.
      $0.url = "https://api\(index).example/\(index)x" + quotes
      $0.message = quotes
      $0.preflight = (401, (0..<60).map { ("x-\($0)" + quotes, quotes) })
    }.call
  }
  let sources = (0..<3000).map { index in
    var source = Hostile.source(quotes + "\(index)")
    for _ in 0..<30 { source.addDamage(.init(offset: 1, what: quotes)) }
    return source
  }
  let outputs = try Outputs.of(calls, sources: sources)
  #expect(outputs.files[.html]?.count ?? .max < 2_000_000)
  #expect(outputs.rows(.blocked).count == 600)
  #expect(outputs.text(.html).contains("600 incidents in all"))
}

@Test("rows that do not fit into memory come back in order")
func spoolKeepsOrder() throws {
  let spool = RowSpool(folder: "/tmp")
  let filler = [UInt8](repeating: 7, count: 3000)
  for index in 0..<2000 {
    try spool.append(
      kind: index % 2 == 0 ? .blocked : .call, finding: UInt32(index), overflow: 3,
      pieces: [Array("\(index)".utf8), [], filler, [1]])
  }
  for _ in 0..<2 {
    var count = 0
    try spool.forEach { row in
      #expect(row.finding == UInt32(count))
      #expect(row.kind == (count % 2 == 0 ? .blocked : .call))
      #expect(row.pieces.map(\.count) == ["\(count)".utf8.count, 0, 3000, 1])
      #expect(String(decoding: row.pieces[0], as: UTF8.self) == "\(count)")
      count += 1
    }
    #expect(count == 2000)
  }
}

@Test("a folder that cannot be written to is an error that names it")
func spoolError() {
  let spool = RowSpool(folder: "/nonexistent-folder")
  #expect(throws: ReportError("the temporary file in /nonexistent-folder cannot be written")) {
    for _ in 0..<3000 {
      try spool.append(
        kind: .call, finding: 0, overflow: 0, pieces: [[UInt8](repeating: 0, count: 1000)])
    }
  }
}

@Test("an empty report says so")
func emptyReport() throws {
  let outputs = try Outputs.of([])
  #expect(outputs.text(.html).contains("no cross-origin call"))
  #expect(CSVReader.records(outputs.text(.blocked)) == [Call.columns])
  #expect(CSVReader.records(outputs.text(.likelyBlocked)) == [Call.columns])
  #expect(outputs.summary.contains("no cross-origin call"))
}

@Test("a report without blocked calls never says that something broke")
func nothingBlocked() throws {
  let outputs = try Outputs.of([CallBuilder.allowed.call])
  #expect(outputs.summary.hasPrefix("No call was blocked"))
  #expect(outputs.text(.html).contains("No call is proved to be blocked"))
  let unknown = try Outputs.of([
    CallBuilder().with {
      $0.verdict = .undetermined
      $0.phase = nil
      $0.reason = nil
      $0.missing = ["credentials"]
    }.call
  ])
  #expect(unknown.summary.hasPrefix("Nothing can be said of 1 cross-origin call"))
  #expect(unknown.text(.html).contains("whether the call was sent with credentials"))
}
