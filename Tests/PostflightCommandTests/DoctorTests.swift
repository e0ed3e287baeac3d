import Foundation
import Testing

/// What `doctor` says of a log, and that its advice fits what the log holds.
@Suite("What doctor says")
struct DoctorTests {
  private func lines(_ text: String, _ options: [String] = []) throws -> [String] {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", text)
    return try CommandRun(["doctor", log] + options, input: "/dev/null").output
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private static let combined =
    "203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"OPTIONS /a HTTP/1.1\" 204 0 \"-\" \"Mozilla/5.0\"\n"

  private static func json(_ members: String) -> String {
    #"{"msec":1795460074.930,"remote_addr":"203.0.113.9","scheme":"https","host":"api.example","#
      + #""server_port":"443","protocol":"HTTP/2.0","ua":"Mozilla/5.0",\#(members)}"# + "\n"
  }

  @Test("one is one, and many are many")
  func numbers() throws {
    let one = try lines(Self.combined)
    #expect(one.contains { $0.hasPrefix("  1 line read, 1 used, 1 exchange, 0 of them") })
    #expect(one.contains { $0.hasPrefix("0 of 1 cross-origin call is decided") })
    #expect(one.contains("  1 lacks origin: log the request's Origin"))
    let two = try lines(Self.combined + Self.combined.replacing("/a", with: "/b"))
    #expect(two.contains { $0.hasPrefix("  2 lines read, 2 used, 2 exchanges, 0 of them") })
    #expect(two.contains("  2 lack origin: log the request's Origin"))
  }

  @Test("of a log that records everything, what is joined is said, and no field by itself")
  func everything() throws {
    let event =
      #"{"timestamp":"2026-11-23T18:54:34.93+0000","event_type":"http","src_ip":"203.0.113.9","dest_port":80,"#
      + #""http":{"hostname":"api.example","url":"/a","http_method":"GET","protocol":"HTTP/1.1","status":200,"#
      + #""request_headers":[{"name":"Origin","value":"http://app.example"},{"name":"User-Agent","value":"Mozilla/5.0"}],"#
      + #""response_headers":[{"name":"Server","value":"x"}]}}"# + "\n"
    let text = try lines(event + event)
    let both = "every header field of request and response"
    let all = "\(both), of the response with several lines joined"
    #expect(text.contains("  records: \(all)"))
    #expect(!text.contains { $0.hasPrefix("  does not record") })
    for name in ["suricata", "caddy"] {
      let format = try CommandRun(["formats", name], input: "/dev/null").output
        .split(separator: "\n").map(String.init)
      #expect(format.count == 2)
      #expect(format.last == "  " + (name == "caddy" ? both : all))
    }
  }

  @Test("a line that is none is named by its number, in the summary and in the report")
  func unreadable() throws {
    let workspace = try Workspace()
    let log = try workspace.write("a.log", Self.combined + "rubbish\n" + Self.combined)
    let run = try CommandRun(
      ["analyze", log, "--output", workspace.at("report")],
      input: "/dev/null")
    #expect(run.status == 2)
    #expect(run.output.contains("a.log: a line that is not of the format at line 2"))
    #expect(
      try workspace.text("report/report.html").contains("line 2, byte \(Self.combined.utf8.count) ")
    )
  }

  @Test(
    "where nothing tells whether requests crossed origins, that is said, and never that none did",
    arguments: [
      (#"GET /a HTTP/1.1" 200 5 "-" "Mozilla/5.0""#, "Log Origin"),
      (
        #"PUT /a HTTP/1.1" 200 5 "-" "Mozilla/5.0" origin="https://app.example" acao="-""#,
        "Log the host that the browser called"
      ),
    ])
  func unrecorded(rest: String, advice: String) throws {
    let workspace = try Workspace()
    let log = try workspace.write(
      "a.log", "203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"\(rest)\n")
    let run = try CommandRun(["analyze", log, "--output", workspace.at("report")])
    #expect(run.status == 3)
    let words = run.output.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
    #expect(words.hasPrefix("Nothing can be judged: of 1 request nothing tells whether it crossed"))
    #expect(words.contains(advice))
  }

  @Test("what is logged already is not asked for")
  func advice() throws {
    let plain = try lines(Self.combined)
    #expect(plain.contains("to record what combined lacks:"))
    #expect(
      plain.contains { $0.contains("where another server does: postflight formats NAME --config") })
    let full = try lines(
      Self.json(
        #""method":"GET","uri":"/a","status":200,"origin":"https://app.example","has_cookie":0,"#
          + #""sec_fetch_mode":"cors","sec_fetch_site":"cross-site","acao":"https://app.example","acac":"","#
          + #""acrm":"","acrh":"","acam":"","acah":"","max_age":"","location":"""#)
        + Self.json(
          #""method":"OPTIONS","uri":"/b","status":204,"origin":"https://app.example","has_cookie":0,"#
            + #""sec_fetch_mode":"cors","sec_fetch_site":"cross-site","acao":"https://app.example","acac":"","#
            + #""acrm":"PUT","acrh":"x-a,x-b","acam":"PUT","acah":"x-a","max_age":"","location":"""#
        ))
    #expect(full.contains { $0.contains("not-credentialed: no cookie and no other sign") })
    #expect(
      full.contains { $0.contains("lacks access-control-allow-headers: what is logged may be one") }
    )
    #expect(full.contains { $0.contains("(nginx 1.23 and later log all lines)") })
    #expect(
      !full.contains { $0.contains("log the response's") || $0.contains("log whether a Cookie") })
    #expect(!full.contains { $0.hasPrefix("to record what") })
  }

  @Test("a time that is a coat's, NUL bytes and a text of JSON are said")
  func oddities() throws {
    let line = #"{\"method\":\"GET\",\"uri\":\"/a\",\"status\":200}"#
    let docker = try lines(
      "{\"log\":\"\(line)\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-23T18:54:34.9Z\"}\n")
    #expect(docker.contains("a.log: log, json in docker"))
    #expect(
      docker.contains {
        $0.hasPrefix("  note: 1 line tells no time of its own: taken is that of docker")
      })
    let nul = try lines("\0\0\0" + Self.combined)
    #expect(nul.contains("  seen: 3 nul-bytes"))
    #expect(nul.contains { $0.hasPrefix("  damaged at line 1, byte 0: NUL bytes, as a log has") })
    let array = try lines(
      "[" + Self.json(#""method":"GET","uri":"/a","status":200"#) + ",{\"x\":1}]")
    #expect(array.contains("a.log: log, json in json-array"))
    #expect(array.contains { $0.hasPrefix("  2 entries read, 1 used") })
    #expect(array.contains { $0.hasPrefix("  damaged at entry 2, byte ") })
  }

  @Test("a path with placeholders is said to be none that was asked for")
  func patterns() throws {
    func line(_ second: Int, _ method: String, _ more: String) -> String {
      Self.json(
        #""method":"\#(method)","uri":"/orders/{id}","status":200,"origin":"https://app.example","#
          + #""acao":"https://app.example",\#(more)"#
      ).replacing("074.930", with: "07\(second).930")
    }
    let said = try lines(
      line(4, "OPTIONS", #""acrm":"PUT","acam":"PUT","acrh":"","acah":"""#)
        + line(5, "PUT", #""acrm":"","acam":"","acrh":"","acah":"""#))
    #expect(said.contains { $0.hasPrefix("  1 lacks path: log the path that was asked for") })
  }

  @Test(
    "an archive of DevTools is decided as the browser did", arguments: ["devtools", "mitmproxy"])
  func archives(name: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appendingPathComponent("AccessLogTests/Lines/Archives/\(name).har")
    let said = try CommandRun(["doctor", file.path], input: "/dev/null").output
      .split(separator: "\n").map(String.init)
    #expect(
      said.contains { $0.hasPrefix("7 of 7 cross-origin calls are decided (100 %)") }, "\(said)")
    #expect(!said.contains { $0.contains("outcomes-that-differ") })
    if name == "devtools" { #expect(said.contains("  seen: 5 browser-outcomes-that-agree")) }
  }
}
