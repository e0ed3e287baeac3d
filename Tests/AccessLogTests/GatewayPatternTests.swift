import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// Access log formats of API Gateway stages, which are text with `$context` variables.
@Suite struct GatewayPatternTests {
  static let clf =
    "$context.identity.sourceIp $context.identity.caller $context.identity.user "
    + "[$context.requestTime]\"$context.httpMethod $context.path $context.protocol\" "
    + "$context.status $context.responseLength $context.requestId"

  /// Each way of writing a format, with a line of it after the documentation.
  static let samples: [(name: String, pattern: String, line: String)] = [
    (
      "CLF", clf,
      "203.0.113.9 - - [23/Nov/2026:18:54:34 +0000]\"OPTIONS /prod/v1/orders HTTP/1.1\" 403 42 c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    ),
    (
      "JSON",
      #"{ "ip": "$context.identity.sourceIp", "epoch": $context.requestTimeEpoch, "m": "$context.httpMethod", "p": "$context.path", "s": $context.status, "why": $context.error.messageString }"#,
      #"{ "ip": "203.0.113.9", "epoch": 1795460074930, "m": "OPTIONS", "p": "/prod/v1/orders", "s": 403, "why": "Missing \"Authentication\" Token" }"#
    ),
    (
      "CSV",
      "$context.identity.sourceIp,$context.requestTime,$context.httpMethod,$context.path,"
        + "$context.status,$context.authorizer.origin",
      "203.0.113.9,23/Nov/2026:18:54:34 +0000,OPTIONS,/prod/v1/orders,403,https://app.example.com"
    ),
    (
      "XML",
      "<request id=\"$context.requestId\"> <ip>$context.identity.sourceIp</ip> "
        + "<requestTime>$context.requestTime</requestTime> <httpMethod>$context.httpMethod</httpMethod> "
        + "<path>$context.path</path> <status>$context.status</status> </request>",
      "<request id=\"c6af9ac6\"> <ip>203.0.113.9</ip> <requestTime>23/Nov/2026:18:54:34 +0000</requestTime> "
        + "<httpMethod>OPTIONS</httpMethod> <path>/prod/v1/orders</path> <status>403</status> </request>"
    ),
  ]

  @Test("CLF, JSON, CSV and XML formats of a stage read their lines", arguments: samples)
  func spellings(name: String, pattern: String, line: String) throws {
    let found = try #require(try exchange(line, pattern))
    #expect(found.client == "203.0.113.9")
    #expect(found.method == "OPTIONS")
    #expect(found.url.target == "/prod/v1/orders")
    #expect(found.status == 403)
    let isFine = pattern.contains("Epoch")
    #expect(
      found.startedAt?.rfc3339(.millisecond)
        == (isFine ? "2026-11-23T18:54:34.930Z" : "2026-11-23T18:54:34.000Z"))
    #expect(
      found.request.evidence(of: .origin)
        == (name == "CSV" ? .recorded(["https://app.example.com"], .firstLine) : .unrecorded))
    #expect(found.response.evidence(of: .accessControlAllowOrigin) == .unrecorded)
  }

  @Test("a format is read out of the file that holds it")
  func file() throws {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("format-\(UUID().uuidString).txt")
    defer { try? FileManager.default.removeItem(at: path) }
    try Data((Self.clf + "\n").utf8).write(to: path)
    let choice = try FormatChoice(argument: "@\(path.path)")
    let line = Array((Self.samples[0].line + "\n").utf8)
    let format = try #require(LogReader.recognizes(line, choice: choice))
    #expect(try LogReading(line, format).exchanges.first?.status == 403)
  }

  @Test(
    "a route is what was asked for only where nothing better is logged, and counts as a pattern",
    arguments: [
      ("$context.httpMethod $context.resourcePath", "PUT /items/{id}", "PUT", "/items/{id}", true),
      ("$context.routeKey", "PUT /items/{id}", "PUT", "/items/{id}", true),
      ("$context.routeKey", "ANY /{proxy+}", "", "/{proxy+}", true),
      ("$context.httpMethod \"$context.routeKey\"", "PUT \"$default\"", "PUT", "", false),
      ("$context.httpMethod \"$context.routeKey\"", "OPTIONS \"ANY /v1\"", "OPTIONS", "/v1", false),
      (
        "\"$context.routeKey\" $context.httpMethod $context.path", "\"ANY /v1/{id}\" PUT /v1/7",
        "PUT", "/v1/7", false
      ),
    ])
  func routes(
    fields: String, values: String, method: String, target: String, isPattern: Bool
  ) throws {
    let found = try #require(
      try exchange(
        "23/Nov/2026:18:54:34 +0000 | \(values) | 200",
        "$context.requestTime | \(fields) | $context.status"))
    #expect(found.method == method)
    #expect(found.url.target == target)
    #expect(found.url.isPattern == isPattern)
  }

  @Test("of the JSON that is usual the path counts, then the resource, then the route")
  func jsonRoutes() throws {
    func read(_ members: String) throws -> Exchange? {
      let line =
        #"{"requestTimeEpoch":"1795460074930","httpMethod":"PUT","status":"200",\#(members)}"#
        + "\n"
      let format = try #require(
        LogReader.recognizes(Array(line.utf8), choice: .format(.apiGateway)))
      return try LogReading(Array(line.utf8), format).exchanges.first
    }
    let all = #""routeKey":"ANY /r","resourcePath":"/items/{id}","path":"/prod/items/7""#
    #expect(try read(all)?.url.target == "/prod/items/7")
    let resource = #""routeKey":"ANY /r/{id}","resourcePath":"/items/{id}""#
    #expect(try read(resource)?.url.target == "/items/{id}")
    #expect(try read(#""routeKey":"ANY /r/{id}""#)?.url.target == "/r/{id}")
    #expect(try read(#""routeKey":"$default""#)?.url.target == "")
  }

  @Test("a value that is the text between others makes the line ambiguous, not wrong")
  func ambiguous() throws {
    let pattern =
      "$context.requestTime \"$context.identity.userAgent\" \"$context.httpMethod\" $context.path $context.status"
    guard case .format(let format) = try FormatChoice(argument: pattern) else { return }
    let line =
      "23/Nov/2026:18:54:34 +0000 \"x\" \"GET\" /a 200\" \"OPTIONS\" /b 204\n"
    let reading = try LogReading(Array(line.utf8), format)
    #expect(reading.exchanges.isEmpty)
    #expect(reading.addsUp)
  }

  @Test(
    "what cannot be read from a format is said",
    arguments: [
      ("$context.requestTime $context.httpMethod", "add $context.path"),
      ("$context.requestTime $input.path", "nothing else can be logged there"),
      ("$context. $context.path", "without the name"),
    ])
  func errors(pattern: String, reason: String) {
    #expect {
      try FormatChoice(argument: pattern)
    } throws: { error in
      (error as? FormatError)?.reason.contains(reason) == true
    }
  }
}
