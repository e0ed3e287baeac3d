import Foundation
import Testing

/// What an attacker writes into headers, and what all commands show of it.
@Suite("Text from the wire does not act")
struct HostileTextTests {
  private static let values = [
    "\u{1B}]0;owned\u{7}", "\u{1B}[2J\u{1B}[31m", "=cmd|' /C calc'!A0", "+SUM(1)", "@SUM(1)",
    "<img src=x onerror=alert(1)>", "</script><script>alert(1)</script>",
    "\"><svg onload=alert(1)>",
    "\u{202E}gpj.exe", "a\r\nSet-Cookie: b", "{{{x}}}", "javascript:alert(1)", "\u{0}nul",
  ]

  /// JSON lines with one of the values in every text.
  private func log() throws -> String {
    var lines = ""
    for (index, value) in Self.values.enumerated() {
      for method in ["OPTIONS", "PUT"] {
        let isPreflight = method == "OPTIONS"
        let record: [String: Any] = [
          "time": "2026-11-24T23:35:\(10 + index)Z", "remote_addr": "192.0.2.1\(value)",
          "host": index % 2 == 0 ? "api.test" : "api\(value).test", "method": method,
          "uri": "/a\(value)?x=\(value)", "status": isPreflight ? 204 : 200,
          "http_origin": index % 3 == 0 ? value : "http://page.test",
          "http_access_control_request_method": isPreflight ? "PUT" : "-",
          "http_access_control_request_headers": isPreflight ? "x-a,\(value)" : "-",
          "http_user_agent": "Mozilla/5.0 Chrome/140.0.0.0 \(value)",
          "sent_http_access_control_allow_origin": value,
          "sent_http_access_control_allow_methods": "PUT,\(value)",
          "sent_http_location": value, "sent_http_server": value, "request_id": value,
        ]
        let data = try JSONSerialization.data(withJSONObject: record, options: [.sortedKeys])
        lines += String(decoding: data, as: UTF8.self) + "\n"
      }
    }
    return lines
  }

  @Test("no output of any command holds a control character, a formula or markup of an input")
  func everywhere() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", try log())
    var outputs: [(name: String, text: String)] = []
    func run(_ arguments: [String]) throws -> CommandRun {
      let run = try CommandRun(arguments)
      #expect([0, 2, 3].contains(run.status), "\(arguments[0]): \(run.errors)")
      outputs.append((arguments[0], run.output))
      outputs.append((arguments[0] + " errors", run.errors.joined(separator: "\n")))
      return run
    }
    let exchanges = try workspace.write("exchanges", try run(["extract", "--all", log]).output)
    let replayed = try run(["replay", exchanges]).output
    let calls = try workspace.write("calls", replayed)
    _ = try run(["doctor", log])
    _ = try run(["analyze", log, "--output", workspace.at("a")])
    _ = try run(["report", calls, "--output", workspace.at("r")])
    for line in replayed.split(separator: "\n") where line.contains("\"postflight.call/1\"") {
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let id = (record?["preflightId"] ?? record?["requestId"]) as? String else { continue }
      _ = try run(["explain", id, calls])
    }
    #expect(outputs.contains { $0.name == "explain" && !$0.text.isEmpty })
    for folder in ["a", "r"] {
      for name in reportNames {
        outputs.append(("\(folder)/\(name)", try workspace.text("\(folder)/\(name)")))
      }
    }
    #expect(replayed.split(separator: "\n").count { $0.contains("\"postflight.call/1\"") } > 10)
    for (name, text) in outputs {
      let isCSV = name.hasSuffix(".csv")
      let control = text.unicodeScalars.first {
        ($0.value < 0x20 && $0 != "\n" && !(isCSV && $0 == "\r")) || $0.value == 0x7F
          || (0x80...0x9F).contains($0.value) || $0 == "\u{202E}"
      }
      #expect(control == nil, "\(name) holds \(control.map { $0.value } ?? 0)")
      if name.hasSuffix(".html") {
        for markup in ["<img", "<svg onload", "<script>alert", "href=\"javascript"] {
          #expect(!text.contains(markup), "\(name) holds \(markup)")
        }
      }
      if isCSV {
        let formula = text.firstMatch(of: #/(^|,|\n)"?[=+@\-]/#)
        #expect(
          formula == nil,
          "\(name): \(text[..<(formula?.range.upperBound ?? text.startIndex)].suffix(40))")
      }
      if name == "extract" || name == "replay" {
        for line in text.split(separator: "\n") {
          #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        }
      }
    }
  }
}
