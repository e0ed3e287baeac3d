import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import PacketCapture

@Suite(
  "Captures of other projects",
  .disabled(if: SharedCaptures.areMissing, "no shared captures here"))
struct SharedCapturesTests {
  @Test("every capture is read without a crash, and its counts add up")
  func all() throws {
    for path in SharedCaptures.files() {
      let input = try ByteInput(path: path)
      guard CaptureReader.recognizes(input.head) else { continue }
      let reading = try Reading(path: path)
      #expect(reading.isBalanced, "\(path)")
    }
  }

  /// An exchange as the tables name it: method, host, URI and status.
  struct Line: Hashable, CustomStringConvertible {
    var method: String
    var host: String
    var uri: String
    var status: String

    var description: String { "\(method) \(host) \(uri) \(status)" }

    init(_ columns: [String]) {
      func value(_ index: Int) -> String { columns[index] == "-" ? "" : columns[index] }
      method = value(4)
      host = Self.host(value(5))
      uri = Self.uri(value(6))
      status = value(7)
    }

    init(_ exchange: Exchange) {
      method = exchange.method
      host = exchange.url.host ?? ""
      uri = Self.uri(exchange.url.target)
      status = exchange.status.map(String.init) ?? ""
    }

    /// Without a port, which the tables keep and an exchange has apart.
    private static func host(_ text: String) -> String {
      Origin.split(authority: text)?.host ?? text.lowercased()
    }

    /// Without an authority, and with secrets replaced.
    private static func uri(_ text: String) -> String {
      Redaction.url(RequestURL(text)?.target ?? text)
    }
  }

  @Test("exchanges are those that other dissectors see")
  func expected() throws {
    var total = 0
    var agreed = 0
    var report: [(missing: Int, text: String)] = []
    for columns in SharedCaptures.table("index.tsv") where columns.count > 21 && columns[21] != "-" {
      guard let folder = SharedCaptures.folder else { continue }
      let expected = SharedCaptures.table(columns[21]).filter { $0.count > 11 && $0[3] == "h1" }
        .map(Line.init)
      guard !expected.isEmpty else { continue }
      let path = folder.appendingPathComponent(columns[0]).path
      guard columns[18] == "-", let reading = try? Reading(path: path) else { continue }
      var seen: [Line: Int] = [:]
      for exchange in reading.exchanges { seen[Line(exchange), default: 0] += 1 }
      var missing: [Line] = []
      for line in expected {
        if let count = seen[line], count > 0 { seen[line] = count - 1 } else { missing.append(line) }
      }
      total += expected.count
      agreed += expected.count - missing.count
      if !missing.isEmpty {
        let extra = seen.filter { $0.value > 0 }.map(\.key.description).sorted().prefix(3)
        report.append(
          (
            missing.count,
            "\(columns[0]): \(missing.count) of \(expected.count), e.g. \(missing[0]); ours: \(extra)"
          ))
      }
    }
    print("\(agreed) of \(total) exchanges agree")
    for line in report.sorted(by: { $0.missing > $1.missing }).prefix(60) { print(line.text) }
    #expect(agreed * 100 >= total * 90)
  }
}
