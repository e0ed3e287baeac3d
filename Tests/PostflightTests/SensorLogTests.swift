import AccessLog
import FetchCORS
import Foundation
import HTTPExchange
import Testing

@testable import Postflight

/// What a network sensor logs of traffic decides what the traffic itself decides.
@Suite("A sensor's log")
struct SensorLogTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().appendingPathComponent("../..").standardizedFileURL

  private func calls(_ path: String) throws -> [Call] {
    let file = Self.root.appendingPathComponent(path).path
    let options = StageOptions(inputs: [file])
    let plan = InputPlan([file], format: options.format, options: options.ingest, jobs: 1)
    #expect(plan.problems.all.isEmpty)
    var calls: [Call] = []
    _ = try judge(plan, options) { (call) throws(StageError) in calls.append(call) }
    return calls
  }

  private func outcome(_ call: Call) -> String {
    "\(call.method) \(call.url) \(call.verdict) \(call.kind)"
      // Lines of one name are joined there: how many there were, Firefox's reason rests on.
      + (call.url.target == "/twice/list" ? "" : " \(call.reason.map { "\($0)" } ?? "-")")
  }

  @Test(
    "Suricata's eve.json gives the verdicts of the capture that it was made of",
    arguments: [
      ("firefox-calls", "Formats/suricata.log"), ("chromium-calls", "suricata-chromium-calls.log"),
    ])
  func suricata(capture: String, log: String) throws {
    let seen = try calls("SampleCaptures/\(capture).pcap.gz")
    let logged = try calls("Tests/AccessLogTests/Lines/\(log)")
    #expect(seen.count == 19)
    #expect(logged.map(outcome).sorted() == seen.map(outcome).sorted())
    #expect(logged.count { $0.verdict == .blocked } == 10)
  }

  @Test("a preflight whose end was acknowledged late belongs to the request that ended before it")
  func lateStamps() throws {
    func event(_ time: String, _ method: String, _ port: Int, _ more: String) -> String {
      #"{"timestamp":"2026-11-24T23:35:\#(time)+0000","event_type":"http","src_ip":"203.0.113.101","#
        + #""src_port":\#(port),"dest_port":80,"http":{"hostname":"api.example.test","url":"/orders/1","#
        + #""http_method":"\#(method)","protocol":"HTTP/1.1","status":200,"#
        + #""request_headers":[{"name":"Origin","value":"http://app.example.test"},"#
        + #"{"name":"User-Agent","value":"Mozilla/5.0 (X11; rv:153.0) Gecko/20100101 Firefox/153.0"}\#(more)],"#
        + #""response_headers":[{"name":"Access-Control-Allow-Origin","value":"http://app.example.test"},"#
        + #"{"name":"Access-Control-Allow-Methods","value":"PUT"}]}}"# + "\n"
    }
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("eve-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    let text =
      event("54.800000", "PUT", 1, "")
      + event(
        "54.835000", "OPTIONS", 2, #",{"name":"Access-Control-Request-Method","value":"PUT"}"#)
    try Data(text.utf8).write(to: file)
    let options = StageOptions(inputs: [file.path])
    let plan = InputPlan([file.path], format: options.format, options: options.ingest, jobs: 1)
    var calls: [Call] = []
    _ = try judge(plan, options) { (call) throws(StageError) in calls.append(call) }
    #expect(calls.map(\.kind) == [.preflighted])
    #expect(calls.map(\.verdict) == [.allowed])
  }
}
