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
      uri = Redaction.url(Self.path(value(6)))
      status = value(7)
    }

    init(_ exchange: Exchange) {
      method = exchange.method
      host = exchange.url.host ?? ""
      uri = exchange.url.target
      status = exchange.status.map(String.init) ?? ""
    }

    /// How many parts are not known.
    var unknown: Int { [method, host, uri, status].count(where: \.isEmpty) }

    /// Whether both say the same, as far as the other one knows.
    func agrees(with expected: Line) -> Bool {
      func same(_ ours: String, _ theirs: String) -> Bool { theirs.isEmpty || ours == theirs }
      // tshark ends a URI at its first space.
      let cut = String(uri.prefix { $0 != " " })
      return same(method, expected.method) && same(host, expected.host)
        && (same(uri, expected.uri) || cut == expected.uri) && same(status, expected.status)
    }

    /// Without a port, which the tables keep and an exchange has apart.
    private static func host(_ text: String) -> String {
      Origin.split(authority: text)?.host ?? text.lowercased()
    }

    /// Without an authority.
    private static func path(_ text: String) -> String {
      text.hasPrefix("/") ? text : RequestURL(text)?.target ?? text
    }
  }

  @Test("exchanges are those that other dissectors see")
  func expected() throws {
    var total = 0
    var agreed = 0
    var report: [(missing: Int, text: String)] = []
    for columns in SharedCaptures.table("index.tsv") where columns.count > 21 && columns[21] != "-"
    {
      guard let folder = SharedCaptures.folder else { continue }
      let expected = SharedCaptures.table(columns[21]).filter { $0.count > 11 && $0[3] == "h1" }
        .map(Line.init)
      guard !expected.isEmpty else { continue }
      // Made up: every sequence number is 0, and plain answers follow a ClientHello.
      if columns[0].contains("monitor_large") { continue }
      let path = folder.appendingPathComponent(columns[0]).path
      var keys = TLSKeyLog()
      if columns[18].hasPrefix("keys/") {
        try keys.add(path: folder.appendingPathComponent(columns[18]).path)
      }
      guard let reading = try? Reading(path: path, keys: keys) else { continue }
      var seen = reading.exchanges.map { Line($0) }
      var missing: [Line] = []
      // What the witness knows in full comes first, so that it finds its own.
      for line in expected.sorted(by: { $0.unknown < $1.unknown }) {
        if let index = seen.firstIndex(where: { $0.agrees(with: line) }) {
          seen.remove(at: index)
        } else {
          missing.append(line)
        }
      }
      total += expected.count
      agreed += expected.count - missing.count
      if !missing.isEmpty {
        let extra = seen.map(\.description).sorted().prefix(3)
        report.append(
          (
            missing.count,
            "\(columns[0]): \(missing.count) of \(expected.count), e.g. \(missing[0]); ours: \(extra)"
          ))
      }
    }
    print("\(agreed) of \(total) exchanges agree")
    for line in report.sorted(by: { $0.missing > $1.missing }).prefix(60) { print(line.text) }
    #expect(total > 3500)
    #expect(agreed * 1000 >= total * 965)
  }
}
