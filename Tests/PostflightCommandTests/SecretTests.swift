import Foundation
import TestSupport
import Testing

/// Secrets that were planted in every place where one can stand, and what all stages write.
@Suite("No secret leaves ingest")
struct SecretTests {
  /// A page's call with a secret wherever a request and its answer can hold one.
  private enum Planted {
    static let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzM2NyM3QifQ.s3cr3tSignature"
    static let basic = "czNjcjN0OnMzY3IzdA=="
    /// None of these may be in any output.
    static let marks = [
      "s3cr3t", basic, "czNjcjN0", "eyJzdWIi", "4f3c2e1d0b9a8f7e6d5c4b3a29181706",
    ]

    static let queries = [
      "access_token=s3cr3t01", "code=s3cr3t02", "sig=s3cr3t03", "a=1&token=s3cr3t04&b=2",
      "id_token=\(jwt)", "q=\(jwt)", "X-Amz-Signature=s3cr3t05", "password=s3cr3t06",
      "user%5Bpassword%5D=s3cr3t07", "api_key=s3cr3t08", "h=4f3c2e1d0b9a8f7e6d5c4b3a29181706",
      "a;session=s3cr3t09", "state=s3cr3t10", "%74oken=s3cr3t11",
    ]
    static let targets =
      queries.map { "/orders?\($0)" } + [
        "/reset/\(jwt)", "/reset/\(jwt)/confirm?x=1", "/app;jsessionid=s3cr3t12/orders",
        "/app;jsessionid=s3cr3t13", "http://user:s3cr3t14@api.test/orders",
      ]
    static let locations = targets + ["https://s3cr3t15@login.test/", "/cb#access_token=s3cr3t16"]
    static let names = [
      "content-type", "x-a,authorization: Bearer s3cr3t17", "x-a,token=s3cr3t18", "x-a,\(jwt)",
    ]

    static let userAgent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 "
      + "Safari/537.36"
  }

  private func capture() -> [UInt8] {
    var builder = CaptureBuilder()
    for (index, target) in Planted.targets.enumerated() {
      var talk = Conversation()
      talk.clientPort = 40_000 + index
      builder.add(talk.open())
      let location = Planted.locations[index % Planted.locations.count]
      let common =
        "Host: user:s3cr3t20@api.test\r\nOrigin: http://page.test\r\nUser-Agent: \(Planted.userAgent)\r\n"
        + "Referer: http://user:s3cr3t21@page.test\(Planted.targets[0])\r\n"
      builder.add(
        talk.send(
          .client,
          "OPTIONS \(target) HTTP/1.1\r\n\(common)Access-Control-Request-Method: PUT\r\n"
            + "Access-Control-Request-Headers: \(Planted.names[index % Planted.names.count])\r\n\r\n"
        ))
      builder.add(
        talk.send(
          .server,
          "HTTP/1.1 \(index % 3 == 0 ? "401 s3cr3t22" : "204 No Content")\r\nContent-Length: 0\r\n"
            + "Access-Control-Allow-Origin: http://page.test\r\nAccess-Control-Allow-Methods: PUT\r\n"
            + "WWW-Authenticate: s3cr3t23\r\nLocation: \(location)\r\n"
            + "Access-Control-Allow-Headers: content-type\r\nSet-Cookie: s=s3cr3t24\r\n\r\n"))
      builder.add(
        talk.send(
          .client,
          "PUT \(target) HTTP/1.1\r\n\(common)Cookie: s=s3cr3t25; t=\(Planted.jwt)\r\n"
            + "Authorization: \(index % 2 == 0 ? "Bearer \(Planted.jwt)" : "Basic \(Planted.basic)")\r\n"
            + "Proxy-Authorization: Basic \(Planted.basic)\r\nX-Api-Key: s3cr3t26\r\n"
            + "X-Request-Id: \(Planted.jwt)\r\nContent-Type: text/plain;k=\(Planted.jwt)\r\n"
            + "Content-Length: 8\r\n\r\ns3cr3t27"))
      builder.add(
        talk.send(
          .server,
          "HTTP/1.1 \(index % 2 == 0 ? "302 Found" : "200 OK")\r\nContent-Length: 8\r\n"
            + "Location: \(location)\r\nSet-Cookie: s=s3cr3t28\r\nVia: 1.1 \(Planted.jwt)\r\n"
            + "Access-Control-Allow-Origin: http://user:s3cr3t29@page.test\r\n\r\ns3cr3t30"))
      // Not what it should be: nothing of it may be quoted.
      builder.add(talk.send(.client, "s3cr3t31 \(Planted.jwt)\r\nCookie: s3cr3t32\r\n\r\n"))
    }
    return builder.pcap()
  }

  /// HTTP/2 without Huffman codes and without a table.
  private func capture2() -> [UInt8] {
    func text(_ value: String) -> [UInt8] {
      let bytes = Array(value.utf8)
      return bytes.count < 127
        ? [UInt8(bytes.count)] + bytes : [127, UInt8((bytes.count - 127) & 127)] + bytes
    }
    func frame(_ fields: [(String, String)], _ stream: Int) -> [UInt8] {
      let block = fields.flatMap { [UInt8(0)] + text($0.0) + text($0.1) }
      return [0, UInt8(block.count >> 8), UInt8(block.count & 255), 1, 5, 0, 0, 0, UInt8(stream)]
        + block
    }
    var builder = CaptureBuilder()
    var talk = Conversation()
    builder.add(talk.open())
    builder.add(talk.send(.client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
    builder.add(talk.send(.client, [0, 0, 0, 4, 0, 0, 0, 0, 0]))
    builder.add(talk.send(.server, [0, 0, 0, 4, 0, 0, 0, 0, 0]))
    for (index, target) in Planted.targets.enumerated() {
      builder.add(
        talk.send(
          .client,
          frame(
            [
              (":method", "GET"), (":scheme", "http"), (":path", target),
              (":authority", "user:s3cr3t40@api.test"), ("origin", "http://page.test"),
              ("user-agent", Planted.userAgent), ("cookie", "s=s3cr3t41"),
              ("authorization", "Bearer \(Planted.jwt)"), ("x-token", "s3cr3t42"),
            ], 2 * index + 1)))
      builder.add(
        talk.send(
          .server,
          frame(
            [
              (":status", "302"), ("location", Planted.locations[index]),
              ("set-cookie", "s=s3cr3t43"), ("www-authenticate", "s3cr3t44"),
            ], 2 * index + 1)))
    }
    return builder.pcap()
  }

  /// The lines of a log in which everything is printed, and the option that names its format.
  private func logs() -> [(name: String, format: String?, text: String)] {
    var pattern = ""
    var json = ""
    var cors = ""
    var combined = ""
    var pairs = ""
    for (index, target) in Planted.targets.enumerated() {
      let time = "2026-11-24T23:35:\(10 + index % 50)+00:00"
      let location = Planted.locations[index]
      let referer = "http://user:s3cr3t50@page.test\(Planted.targets[index])"
      let names = Planted.names[index % Planted.names.count]
      for method in ["OPTIONS", "PUT"] {
        let isPreflight = method == "OPTIONS"
        let allow = isPreflight ? "http://page.test" : "http://user:s3cr3t51@page.test"
        pattern +=
          "192.0.2.1 [\(time)] api.test \"\(method) \(target) HTTP/1.1\" \(isPreflight ? 401 : 302) "
          + "\"http://page.test\" \"\(isPreflight ? "PUT" : "-")\" \"\(names)\" "
          + "\"Bearer \(Planted.jwt)\" \"s=s3cr3t52\" \"s=s3cr3t53\" \"\(location)\" \"\(referer)\" "
          + "\"\(allow)\" \"s3cr3t54\" \"\(Planted.userAgent)\"\n"
        json +=
          "{\"time\":\"\(time)\",\"remote_addr\":\"192.0.2.1\",\"host\":\"api.test\","
          + "\"method\":\"\(method)\",\"uri\":\"\(target)\",\"status\":\(isPreflight ? 401 : 302),"
          + "\"http_origin\":\"http://page.test\",\"http_authorization\":\"Basic \(Planted.basic)\","
          + "\"http_cookie\":\"s=s3cr3t55\",\"http_referer\":\"\(referer)\","
          + "\"sent_http_location\":\"\(location)\",\"sent_http_set_cookie\":\"s=s3cr3t56\","
          + "\"http_access_control_request_headers\":\"\(names)\","
          + "\"http_access_control_request_method\":\"\(isPreflight ? "PUT" : "-")\","
          + "\"sent_http_access_control_allow_origin\":\"\(allow)\","
          + "\"http_user_agent\":\"\(Planted.userAgent)\",\"body\":\"s3cr3t57\"}\n"
        pairs +=
          "192.0.2.1 - s3cr3tuser [24/Nov/2026:23:35:\(10 + index % 50) +0000] \"\(method) \(target) "
          + "HTTP/1.1\" 401 0 origin=\"http://page.test\" authorization=\"Bearer \(Planted.jwt)\" "
          + "cookie=\"s=s3cr3t58\" referer=\"\(referer)\" location=\"\(location)\" "
          + "acao=\"\(allow)\" acrh=\"\(names)\" set-cookie=\"s3cr3t62\" x=\"s3cr3t63\"\n"
      }
      cors += CORSLog.line(
        second: index, path: target, allowOrigin: "http://user:s3cr3t59@page.test")
      combined +=
        "192.0.2.1 - s3cr3tuser [24/Nov/2026:23:35:\(10 + index % 50) +0000] \"OPTIONS \(target) "
        + "HTTP/1.1\" 401 0 \"\(referer)\" \"\(Planted.userAgent)\"\n"
    }
    let broken = "s3cr3t60 \"\(Planted.jwt)\n\"Cookie: s3cr3t61\n"
    return [
      (
        "pattern.log",
        "$remote_addr [$time_iso8601] $host \"$request\" $status \"$http_origin\" "
          + "\"$http_access_control_request_method\" \"$http_access_control_request_headers\" "
          + "\"$http_authorization\" \"$http_cookie\" \"$sent_http_set_cookie\" "
          + "\"$sent_http_location\" \"$http_referer\" \"$sent_http_access_control_allow_origin\" "
          + "\"$sent_http_www_authenticate\" \"$http_user_agent\"", pattern + broken
      ),
      ("lines.json", nil, json + broken), ("cors.log", nil, cors + broken),
      ("combined.log", nil, combined + broken), ("pairs.log", nil, pairs + broken),
    ]
  }

  private func inspect(_ workspace: Workspace, _ input: String, _ format: String?) throws {
    let options = format.map { ["--format", $0] } ?? []
    var outputs: [(String, String)] = []
    func note(_ name: String, _ run: CommandRun) {
      #expect([0, 2, 3].contains(run.status), "\(name): \(run.status) \(run.errors)")
      outputs.append((name, run.output))
      outputs.append((name + " errors", run.errors.joined(separator: "\n")))
    }
    let extracted = try CommandRun(["extract", input] + options)
    #expect(extracted.output.contains("\"postflight.exchange/1\""))
    note("extract", extracted)
    note("extract --all", try CommandRun(["extract", "--all", input] + options))
    note("doctor", try CommandRun(["doctor", input] + options))
    let exchanges = try workspace.write("exchanges", extracted.output)
    let replayed = try CommandRun(["replay", exchanges])
    note("replay", replayed)
    let calls = try workspace.write("calls", replayed.output)
    note(
      "analyze",
      try CommandRun(
        [
          "analyze", input, "--output", workspace.at("a"), "--calls",
          workspace.at("a/calls.ndjson"),
        ]
          + options))
    note(
      "report",
      try CommandRun(
        ["report", calls, "--output", workspace.at("r"), "--calls", workspace.at("r/calls.ndjson")])
    )
    for folder in ["a", "r"] {
      for name in reportNames + ["calls.ndjson"] {
        outputs.append(("\(folder)/\(name)", try workspace.text("\(folder)/\(name)")))
      }
    }
    for line in replayed.output.split(separator: "\n") where line.contains("\"postflight.call/1\"")
    {
      let record = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      guard let id = (record?["preflightId"] ?? record?["requestId"]) as? String else { continue }
      note("explain", try CommandRun(["explain", id, calls]))
    }
    for (name, text) in outputs {
      for mark in Planted.marks {
        guard let place = text.range(of: mark) else { continue }
        let context = text[place.lowerBound...].prefix(60)
        let before = text[..<place.lowerBound].suffix(80)
        Issue.record("\(name) holds \(mark): \(before)\(context)")
        break
      }
    }
  }

  @Test("of a capture of HTTP/1")
  func http1() throws {
    let workspace = try Workspace()
    try Data(capture()).write(to: URL(fileURLWithPath: workspace.at("a.pcap")))
    try inspect(workspace, workspace.at("a.pcap"), nil)
  }

  @Test("of a capture of HTTP/2")
  func http2() throws {
    let workspace = try Workspace()
    try Data(capture2()).write(to: URL(fileURLWithPath: workspace.at("a.pcap")))
    try inspect(workspace, workspace.at("a.pcap"), nil)
  }

  @Test("of access logs of every kind")
  func logLines() throws {
    for log in logs() {
      let workspace = try Workspace()
      let path = try workspace.write(log.name, log.text)
      try inspect(workspace, path, log.format)
    }
  }
}
