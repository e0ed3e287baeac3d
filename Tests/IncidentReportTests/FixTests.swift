import FetchCORS
import Foundation
import HTTPExchange
import Testing

@testable import IncidentReport

/// A server whose own check of a configuration can be run here.
struct ServerCheck: CustomTestStringConvertible {
  var family: ServerFamily
  var program: String
  /// A whole configuration around the lines of a fix.
  var wrap: @Sendable (String) -> String
  var arguments: @Sendable (String) -> [String]

  var testDescription: String { "\(family)" }

  /// Lines that belong outside of the location, and the others.
  private static func nginx(_ text: String) -> String {
    var outer: [Substring] = []
    var inner: [Substring] = []
    var isMap = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("map ") { isMap = true }
      if isMap { outer.append(line) } else { inner.append(line) }
      if line.hasPrefix("}") { isMap = false }
    }
    return """
      events {}
      pid nginx.pid;
      error_log stderr;
      http {
        access_log off;
        \(outer.joined(separator: "\n"))
        server {
          listen 127.0.0.1:9;
          location / {
            \(inner.joined(separator: "\n"))
            proxy_pass http://127.0.0.1:9;
          }
        }
      }
      """
  }

  static let all = [
    ServerCheck(
      family: .nginx, program: "/usr/sbin/nginx", wrap: nginx,
      arguments: { ["-t", "-p", ($0 as NSString).deletingLastPathComponent, "-c", $0] }),
    ServerCheck(
      family: .apache, program: "/usr/sbin/apache2",
      wrap: { text in
        let modules = [
          "mpm_event", "authz_core", "authz_user", "authn_core", "headers", "rewrite", "setenvif",
        ].map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so" }
        return """
          ServerRoot /tmp
          ServerName localhost
          Listen 127.0.0.1:9
          PidFile /tmp/postflight-apache.pid
          ErrorLog /dev/null
          \(modules.joined(separator: "\n"))
          <Location "/">
          \(text.split(separator: "\n").filter { !$0.hasPrefix("SetEnvIfExpr") }.joined(separator: "\n"))
          </Location>
          \(text.split(separator: "\n").filter { $0.hasPrefix("SetEnvIfExpr") }.joined(separator: "\n"))
          """
      }, arguments: { ["-t", "-f", $0] }),
    ServerCheck(
      family: .haproxy, program: "/usr/sbin/haproxy",
      wrap: {
        """
        defaults
          mode http
          timeout client 1s
          timeout connect 1s
          timeout server 1s
        frontend edge
          bind 127.0.0.1:9
        \($0)
          default_backend application
        backend application
          server one 127.0.0.1:9

        """
      }, arguments: { ["-c", "-f", $0] }),
    ServerCheck(
      family: .caddy, program: "/usr/bin/caddy",
      wrap: { "http://localhost:9 {\n\($0)\nreverse_proxy 127.0.0.1:9\n}\n" },
      arguments: { ["adapt", "--adapter", "caddyfile", "--config", $0] }),
  ].filter { FileManager.default.isExecutableFile(atPath: $0.program) }
}

@Test(
  "a server takes every fix that is written for it",
  .enabled(
    if: !ServerCheck.all.isEmpty, "neither nginx, Apache, HAProxy nor Caddy is here"),
  arguments: ServerCheck.all)
func serversTakeFixes(_ server: ServerCheck) throws {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "postflight-fix-\(ProcessInfo.processInfo.processIdentifier)-\(server.family)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  for credentials in [CredentialsEvidence.unknown, .include] {
    let call = CallBuilder.preflightFailure(
      204, .headerDisallowedByPreflightResponse, [("access-control-allow-headers", "content-type")]
    ).with {
      $0.credentials = credentials
      $0.preflightRequest = [("access-control-request-headers", "content-type,x-release")]
    }.call
    let values = ServerFix.Values(
      CauseContext(symptoms: Symptoms(call), surroundings: Surroundings(), call: call))
    for repair in ServerFix.Repair.allCases {
      let text = try #require(ServerFix.snippets(repair, values, for: server.family).first?.text)
      let file = folder.appendingPathComponent("\(repair).conf")
      try Data(server.wrap(text).utf8).write(to: file)
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: server.program)
      process.arguments = server.arguments(file.path)
      process.standardOutput = output
      process.standardError = output
      try process.run()
      let said = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      #expect(
        process.terminationStatus == 0,
        "\(repair): \(String(decoding: said.prefix(600), as: UTF8.self))\n\(text)")
    }
  }
}
