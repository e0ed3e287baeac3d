import AccessLog
import FetchCORS
import Foundation
import HTTPExchange
import Testing

@testable import Postflight

/// The verdicts of the same requests in the logs of seven servers, against what is expected of them.
///
/// The logs stand outside the repository, with a README that says what a browser decides; where they
/// are missing the tests are skipped, and say so.
@Suite struct SampleLogVerdictTests {
  /// A log and its configuration file, if any; how many calls at least are decided as expected without
  /// an assumption that hides the answer; and what the others may lack.
  struct Sample: CustomStringConvertible, Sendable {
    var log: String
    var configuration: String?
    var decided: Int
    var missing: Set<String>

    var description: String { log + (configuration.map { " @\($0)" } ?? "") }
  }

  private static let certain: Set<String> = ["credentials", "actual-request"]
  /// One of several lines of a response field is shown, which may not be the one that counts.
  private static let oneLine = certain.union([
    "access-control-allow-methods", "access-control-allow-headers",
  ])
  private static let everything = oneLine.union([
    "access-control-allow-origin", "access-control-allow-credentials", "cross-origin",
    "request-mode", "engine", "origin", "stored-response", "access-control-request-method",
    "access-control-request-headers",
  ])

  static let samples: [Sample] = [
    Sample(log: "nginx/cors.log", decided: 26, missing: oneLine),
    Sample(log: "nginx/cors.log.1.gz", decided: 26, missing: oneLine),
    Sample(log: "nginx/cors-only.log", decided: 26, missing: oneLine),
    Sample(log: "nginx/cors.json", decided: 26, missing: oneLine),
    Sample(log: "nginx/cors.json.2members.gz", decided: 26, missing: oneLine),
    Sample(
      log: "nginx/cors.log", configuration: "nginx/nginx.conf", decided: 26, missing: oneLine),
    Sample(
      log: "nginx/cors.json", configuration: "nginx/nginx.conf", decided: 26, missing: oneLine),
    Sample(
      log: "nginx/cors.tsv", configuration: "nginx/nginx.conf", decided: 10, missing: everything),
    Sample(log: "apache/cors.log", decided: 26, missing: oneLine),
    Sample(log: "apache/cors.json", decided: 26, missing: oneLine),
    Sample(
      log: "apache/cors.log", configuration: "apache/httpd.conf", decided: 26, missing: oneLine),
    Sample(
      log: "apache/cors.json", configuration: "apache/httpd.conf", decided: 26, missing: oneLine),
    Sample(
      log: "haproxy/captured.log", configuration: "haproxy/haproxy.cfg", decided: 25,
      missing: oneLine),
    Sample(
      log: "haproxy/captured.log.1.gz", configuration: "haproxy/haproxy.cfg", decided: 25,
      missing: oneLine),
    Sample(log: "haproxy/json.log", decided: 12, missing: oneLine),
    Sample(
      log: "haproxy/json.log", configuration: "haproxy/haproxy.cfg", decided: 12, missing: oneLine),
    Sample(log: "caddy/access.json", decided: 28, missing: certain),
    Sample(log: "caddy/console.log", decided: 28, missing: certain),
    Sample(log: "caddy/access-2026-11-23T19-00-34.000.json.gz", decided: 28, missing: certain),
    Sample(log: "caddy/filtered.json", decided: 5, missing: everything),
    Sample(log: "varnish/cors.log", decided: 26, missing: oneLine),
    Sample(log: "varnish/cors.json", decided: 26, missing: oneLine),
    Sample(
      log: "varnish/cors.log", configuration: "varnish/formats.sh", decided: 26, missing: oneLine),
    Sample(
      log: "varnish/cors.json", configuration: "varnish/formats.sh", decided: 26, missing: oneLine),
    Sample(log: "envoy/cors.log", decided: 29, missing: certain),
    Sample(log: "envoy/cors.json", decided: 29, missing: certain),
    Sample(log: "envoy/cors.json.gz", decided: 29, missing: certain),
    Sample(log: "envoy/cors-omit.json", decided: 29, missing: certain),
    Sample(
      log: "envoy/cors.log", configuration: "envoy/envoy.yaml", decided: 29, missing: certain),
    Sample(
      log: "envoy/cors-omit.json", configuration: "envoy/envoy.yaml", decided: 29,
      missing: certain),
    Sample(log: "lighttpd/cors.log", decided: 28, missing: oneLine),
    Sample(
      log: "lighttpd/cors.log", configuration: "lighttpd/lighttpd.conf", decided: 31,
      missing: certain),
    // Logs without a header that CORS rests on: no verdict at all.
    Sample(log: "nginx/access.log", decided: 0, missing: everything),
    Sample(log: "nginx/ingress.log", decided: 0, missing: everything),
    Sample(log: "apache/access.log", decided: 0, missing: everything),
    Sample(log: "apache/access_common.log", decided: 0, missing: everything),
    Sample(log: "apache/other_vhosts_access.log", decided: 0, missing: everything),
    Sample(log: "haproxy/httplog.log", decided: 0, missing: everything),
    Sample(log: "haproxy/captured.log", decided: 0, missing: everything),
    Sample(log: "varnish/access.log", decided: 0, missing: everything),
    Sample(log: "envoy/access.log", decided: 0, missing: everything),
    Sample(log: "envoy/istio.log", decided: 0, missing: everything),
  ]

  /// The browser's verdict by what the path begins with, the first that fits; an origin where the path
  /// alone does not say it.
  private static let expected: [(path: String, origin: String?, verdict: Verdict)] = [
    ("/v1/orders/17", nil, .allowed), ("/v1/orders/18", nil, .allowed),
    ("/v1/orders/19", nil, .blocked), ("/v1/orders/20", nil, .blocked),
    ("/v1/orders/21", nil, .blocked), ("/v1/orders/22", nil, .blocked),
    ("/v1/orders", "https://partner.example.net", .blocked),
    ("/v1/orders", "https://app.example.com", .allowed), ("/v1/public/", nil, .allowed),
    ("/v1/cred/me", nil, .blocked), ("/v1/dup/list", nil, .blocked),
    ("/v1/slash/list", nil, .blocked), ("/v1/auth/me", nil, .blocked),
    ("/v1/moved/here", nil, .blocked), ("/v1/nooptions/a", nil, .blocked),
    ("/v1/none", nil, .blocked), ("/v1/boom/1", nil, .blocked),
    ("/v1/cached/a", nil, .allowed), ("/v1/lan/printer", nil, .allowed),
    ("/v1/null/doc", nil, .allowed), ("/down/1", nil, .blocked),
  ]

  /// Blocked for a reason that the log does not show: the two lines of `/v1/dup`, of which it prints
  /// one, and credentials, of which it says nothing.
  private static let hiddenReasons = ["/v1/dup/list", "/v1/cred/me"]

  private func shared(_ path: String) -> String? {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../shared/sample-logs").standardizedFileURL.path
    if FileManager.default.fileExists(atPath: "\(root)/\(path)") { return "\(root)/\(path)" }
    print("skipped: no \(root)/\(path)")
    return nil
  }

  @Test("the sample logs give the verdicts that are expected of them", arguments: samples)
  func verdicts(sample: Sample) throws {
    guard let path = shared(sample.log) else { return }
    var options = StageOptions(inputs: [path])
    if let configuration = sample.configuration {
      guard let file = shared(configuration) else { return }
      options.format = try FormatChoice(argument: "@\(file)")
    }
    let plan = InputPlan([path], format: options.format, options: options.ingest, jobs: 1)
    #expect(plan.problems.all.isEmpty)
    var calls: [Call] = []
    let end = try judge(plan, options) { (call) throws(StageError) in calls.append(call) }
    let record = try #require(end.records.first { $0.kind == "log" })
    #expect(record.read == record.used + record.skipped.values.reduce(0, +))
    var decided = 0
    var undetermined = 0
    for call in calls {
      let target = call.url.target
      let expected = Self.expected.first {
        target.hasPrefix($0.path) && ($0.origin == nil || $0.origin == call.origin)
      }
      guard let verdict = expected?.verdict else { continue }
      switch call.verdict {
      case verdict: decided += 1
      case .undetermined:
        undetermined += 1
        #expect(!call.missing.isEmpty)
        #expect(
          Set(call.missing).isSubset(of: sample.missing),
          "\(call.method) \(target): \(call.missing)")
      case .allowed:
        // Never without saying what was taken for granted.
        #expect(
          Self.hiddenReasons.contains { target.hasPrefix($0) } && !call.assumes.isEmpty,
          "\(call.method) \(target) is \(call.verdict), not \(verdict)")
      case .blocked, .contradicted:
        Issue.record("\(call.method) \(target) is \(call.verdict), not \(verdict)")
      }
    }
    #expect(decided >= sample.decided)
    print(
      "\(sample): \(record.format ?? "?"), \(decided) as expected, \(undetermined) undetermined")
  }
}
