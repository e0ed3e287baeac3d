import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// What lines that clouds write look like beside the plain ones of their documentation: the shapes are
/// those of lines of real services, the values are ours.
@Suite("Lines of clouds")
struct CloudLinesTests {
  private func read(_ text: String) throws -> LogReading {
    let bytes = Array(text.utf8)
    let reading = try LogReading(
      bytes, #require(LogReader.recognizes(bytes, choice: .automatic)))
    #expect(reading.addsUp)
    return reading
  }

  @Test("what S3 does without a request of its own is counted as that, and is no damage")
  func s3() throws {
    let owner = String(repeating: "0f", count: 32)
    let end =
      "- hostid/+= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader assets.s3.amazonaws.com TLSv1.2"
    func line(_ rest: String) -> String { "\(owner) assets [10/Sep/2026:15:11:07 +0000] \(rest)\n" }
    let text =
      line(
        "203.0.113.9 - 8CD7A4A71E2E5C9E REST.GET.OBJECT a.js \"GET /a.js?v=1 HTTP/1.1\" 200 - 142 142 17 9 \"https://app.example.com/\" \"Mozilla/5.0 (X11; \\\"Linux\\\")\" \(end)"
      )
      + line(
        "203.0.113.9 arn:aws:iam::111122223333:user/a 8CD7A4A71E2E5C9F BATCH.DELETE.OBJECT old.js - 204 - - 344017 - - - - \(end)"
      )
      + line(
        "- AmazonS3 366DB3C4B325AB11 S3.EXPIRE.OBJECT old.js \"-\" - - - 317 - - \"-\" \"-\" \(end)"
      )
      + line(
        "- svc:delivery.logs.amazonaws.com MVGXZXEVN3IG9S24 REST.PUT.OBJECT b.gz \"PUT /b.gz HTTP/1.1\" - - - 773 103 13 \"-\" \"-\" \(end) arn:aws:s3:us-west-1:111122223333:accesspoint/example Yes"
      )
    let reading = try read(text)
    #expect(reading.record.format == "s3")
    #expect(reading.record.skipped == ["no-request": 2])
    #expect(reading.exchanges.map(\.url.target) == ["/a.js?v=1", "/b.gz"])
    #expect(reading.exchanges.map(\.userAgent) == ["Mozilla/5.0 (X11; \"Linux\")", nil])
    #expect(reading.exchanges.map(\.status) == [200, nil])
    #expect(reading.exchanges.first?.request.first(.referer) == "https://app.example.com/")
    #expect(reading.exchanges.last?.request.evidence(of: .referer) == .absent)
  }

  @Test("API Gateway tells seconds of HTTP APIs and milliseconds of REST APIs")
  func apiGateway() throws {
    func line(_ epoch: String) -> String {
      #"{"apiId":"pv9","domainName":"api.example.com","httpMethod":"GET","ip":"203.0.113.9","protocol":"HTTP/1.1","requestTimeEpoch":"\#(epoch)","path":"/a","status":"200","stage":"$default"}"#
        + "\n"
    }
    let reading = try read(line("1795460074") + line("1795460074930"))
    #expect(reading.record.format == "api-gateway")
    #expect(
      Set(reading.exchanges.compactMap { $0.startedAt?.rfc3339(.millisecond) })
        == ["2026-11-23T18:54:34.000Z", "2026-11-23T18:54:34.930Z"])
  }

  @Test(
    "what gcloud prints of a load balancer is one array, and regional ones log the client's port")
  func googleCloud() throws {
    let text = """
      [
        {
          "httpRequest": {
            "latency": "0.001566s", "protocol": "HTTP/1.1", "remoteIp": "203.0.113.9:53663",
            "requestMethod": "OPTIONS", "requestUrl": "https://api.example.com/v1/orders",
            "serverIp": "192.0.2.17:443", "status": 404, "userAgent": "Mozilla/5.0"
          },
          "insertId": "65iqthfbg1sec",
          "jsonPayload": {
            "@type": "type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry",
            "cacheDecision": [ "RESPONSE_HAS_CONTENT_TYPE" ], "remoteIp": "203.0.113.9"
          },
          "timestamp": "2026-11-23T18:54:34.476986Z"
        }
      ]

      """
    let reading = try read(text)
    #expect(reading.record.format == "gclb in json-array")
    let exchange = try #require(reading.exchanges.first)
    #expect(exchange.client == "203.0.113.9")
    #expect(exchange.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:34.478Z")
  }

  @Test("CloudFront's 000 is no status: the client was gone before the answer")
  func cloudFront() throws {
    let text =
      "#Version: 1.0\n#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs(User-Agent) "
      + "cs-uri-query x-host-header cs-protocol x-forwarded-for\n"
      + "2026-11-23\t18:54:34\t2001:db8::9\tPOST\td1.cloudfront.net\t/a\t000\tMozilla/5.0%20(X11)\tq=1\t"
      + "api.example.com\thttps\t198.51.100.7,203.0.113.9\n"
    let exchange = try #require(read(text).exchanges.first)
    #expect(exchange.status == nil)
    #expect(exchange.client == "2001:db8::9")
    #expect(exchange.url.target == "/a?q=1")
    #expect(exchange.forwardedFor == "198.51.100.7")
  }

  @Test("of Suricata's events those of HTTP are requests; alerts and files only repeat them")
  func suricata() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    for (name, other) in [("Formats/suricata", 36), ("suricata-chromium-calls", 39)] {
      let text = try String(
        contentsOf: folder.appendingPathComponent("Lines/\(name).log"), encoding: .utf8)
      let reading = try read(text)
      #expect(reading.record.format == "suricata")
      #expect(reading.record.skipped == ["other-message": UInt64(other)])
      #expect(reading.exchanges.count == 27)
      #expect(Set(reading.exchanges.map(\.client)) == ["203.0.113.101"])
      let twice = try #require(reading.exchanges.first { $0.url.target == "/twice/list" })
      guard
        case .recorded(let lines, let fidelity) = twice.response.evidence(
          of: .accessControlAllowOrigin)
      else {
        Issue.record("not recorded")
        return
      }
      #expect(lines.count == 1 && fidelity == .joined)
    }
  }
}
