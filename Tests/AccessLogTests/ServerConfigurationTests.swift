import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

@Suite struct ServerConfigurationTests {
  private func candidates(_ text: String) throws -> [LogFormat] {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("server-\(UUID().uuidString).conf")
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    guard case .candidates(let formats) = try FormatChoice(argument: "@\(file.path)") else {
      return []
    }
    return formats
  }

  @Test("all formats of an nginx configuration are found, comments are not")
  func nginx() throws {
    let formats = try candidates(
      """
      http {
        # log_format old '$msec $request';
        map $http_cookie $sent_cookie { "" 0; default 1; }
        log_format a '[$time_local] "$request" '
                     "$status\\t$sent_cookie"; # a "comment"
        log_format b escape=json '{"t":$msec,"r":"$request"}'; log_format c $msec\\t"$request";
        server { location / { return 200 "log_format x"; } }
      }
      """)
    #expect(
      formats.map(\.name) == ["a", "b", "combined"]
        || formats.map(\.name) == ["a", "b", "c", "combined"])
    #expect(formats.first?.requestFields == [.cookie: .presence])
    let line = "[23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200\t1"
    let format = LogReader.recognizes(Array(line.utf8), choice: .candidates(formats))
    #expect(format?.name == "a")
  }

  @Test("all formats of an Apache configuration are found")
  func apache() throws {
    let formats = try candidates(
      #"""
      # LogFormat "%h %t \"%r\"" old
      LogFormat "%h %l %u %t \"%r\" %>s %b" common
      logformat "%v:%p %h %l %u %t \
      \"%r\" %>s %O" vhost
      LogFormat "%{Referer}i -> %U" referer
      CustomLog ${APACHE_LOG_DIR}/a.log common env=!quiet
      CustomLog "logs/b.log" "%t \"%r\" origin=\"%{Origin}i\""
      """#)
    #expect(formats.map(\.name) == ["common", "vhost", "CustomLog", "combined"])
    let line = "api:80 ::1 - - [23/Nov/2026:18:54:34 +0000] \"GET /a HTTP/1.1\" 200 5"
    let format = LogReader.recognizes(Array(line.utf8), choice: .candidates(formats))
    #expect(format?.name == "vhost")
  }

  @Test(
    "what is wrong in a file is named with its line",
    arguments: [
      ("http {\n  log_format a\n    '$msec ${request';\n}", 2),
      ("\n\nlog_format a '$msec \"$request\"", 3),
      ("log_format a escape=html '$msec';", 1),
      ("LogFormat \"%h\" h\nLogFormat \"%t %{X\" x", 2),
    ])
  func errors(text: String, line: Int) throws {
    let error = #expect(throws: FormatError.self) { try candidates(text) }
    #expect(error?.line == line)
    #expect(error?.file?.hasSuffix(".conf") == true)
  }

  @Test("a file without a format, and none at all, are errors")
  func missing() {
    #expect(throws: FormatError.self) { try candidates("server { listen 80; }") }
    #expect(throws: FormatError.self) { try FormatChoice(argument: "@/nowhere/nginx.conf") }
  }

  @Test(
    "a whole directive is taken as an argument",
    arguments: [
      (#"log_format x escape=json '{"t":$msec,' '"r":"$request"}';"#, "x"),
      (#"log_format x '$msec "$request"'"#, "x"),
      (#"LogFormat "%t \"%r\"" y"#, "y"),
      (#"'$msec ' '"$request"'"#, "pattern"),
      (#"$msec "$request""#, "pattern"),
      ("combined", "combined"), ("NGINX-CORS", "nginx-cors"),
    ])
  func arguments(argument: String, name: String) throws {
    guard case .format(let format) = try FormatChoice(argument: argument) else {
      Issue.record("no single format")
      return
    }
    #expect(format.name == name)
  }

  @Test("an unknown name is answered with those that there are")
  func unknownName() {
    let error = #expect(throws: FormatError.self) { try FormatChoice(argument: "combnied") }
    #expect(error?.reason.contains("vhost_combined") == true)
  }

  @Test("every prefix of a configuration is read or refused")
  func prefixes() {
    let text = Array(BrowserLines.configuration.utf8)
    for count in 0..<text.count {
      _ = try? ServerConfiguration(Array(text[..<count]))
    }
    let apache = Array("LogFormat \"%{Origin}i %<s %!200{X}o \\\"%r\\\" %t\" x\n".utf8)
    for count in 0..<apache.count { _ = try? ServerConfiguration(Array(apache[..<count])) }
  }
}
