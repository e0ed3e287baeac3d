import Foundation
import HTTPExchange
import Testing

@testable import PacketCapture

@Suite(
  "HTTP/2 in captures of other projects",
  .disabled(if: SharedCaptures.areMissing, "no shared captures here"))
struct SharedHTTP2Tests {
  typealias Line = SharedCapturesTests.Line

  @Test("exchanges in clear text are those that other dissectors see")
  func expected() throws {
    let folder = try #require(SharedCaptures.folder)
    var total = 0
    var agreed = 0
    for columns in SharedCaptures.table("index.tsv") where columns.count > 21 && columns[21] != "-"
    {
      guard columns[18] == "-" else { continue }
      let expected = SharedCaptures.table(columns[21]).filter { $0.count > 11 && $0[3] == "h2" }
      guard !expected.isEmpty else { continue }
      let reading = try Reading(path: folder.appendingPathComponent(columns[0]).path)
      var seen = reading.exchanges.filter { $0.httpVersion == "HTTP/2" }
      #expect(reading.isBalanced)
      for columns in expected {
        total += 1
        let line = Line(columns)
        if let index = seen.firstIndex(where: { Line($0).agrees(with: line) }) {
          agreed += 1
          seen.remove(at: index)
        } else {
          print(
            "\(reading.record.input): missing \(line); ours: \(seen.map { Line($0) }.prefix(3))")
        }
      }
    }
    print("\(agreed) of \(total) HTTP/2 exchanges agree")
    // One was cancelled by its client before the answer came, which the table does not say.
    #expect(total == 14 && agreed >= 13)
  }
}
