import Foundation
import HTTPExchange
import Testing

@testable import AccessLog

/// What the directives of W3C extended logs say of the lines behind them.
@Suite struct W3CDirectiveTests {
  private func read(_ text: String, zone: Int = 0) throws -> LogReading {
    let bytes = Array(text.utf8)
    let format = try #require(LogReader.recognizes(bytes, choice: .automatic))
    #expect(format.name == "w3c")
    let reading = try LogReading(bytes, format, zone: zone)
    #expect(reading.addsUp)
    return reading
  }

  private func times(_ reading: LogReading) -> [String?] {
    reading.exchanges.map { $0.endedAt?.rfc3339(.second) }
  }

  @Test("a time of day belongs to the date of the directive, and goes on over midnight")
  func timeOfDay() throws {
    let reading = try read(
      """
      #Software: Microsoft Internet Information Services 6.0
      #Version: 1.0
      #Date: 2026-11-23 18:54:34
      #Fields: time c-ip cs-method cs-uri-stem sc-status
      18:54:34 203.0.113.9 OPTIONS /a 204
      23:59:59 203.0.113.9 PUT /a 200
      00:00:01 203.0.113.9 PUT /b 200
      23:59:58 203.0.113.9 PUT /c 200
      00:00:02 203.0.113.9 PUT /d 200
      #Date: 2026-12-01 08:00:00
      08:00:00 203.0.113.9 PUT /e 200

      """)
    #expect(
      times(reading) == [
        "2026-11-23T18:54:34Z", "2026-11-23T23:59:59Z", "2026-11-24T00:00:01Z",
        "2026-11-23T23:59:58Z", "2026-11-24T00:00:02Z", "2026-12-01T08:00:00Z",
      ])
  }

  @Test("the draft's own example has its date in another spelling")
  func draft() throws {
    let reading = try read(
      """
      #Version: 1.0
      #Date: 12-Jan-1996 00:00:00
      #Fields: time cs-method cs-uri
      00:34:23 GET /foo/bar.html
      12:21:16 GET /foo/bar.html

      """)
    #expect(times(reading) == ["1996-01-12T00:34:23Z", "1996-01-12T12:21:16Z"])
  }

  @Test("a time of day without any date is no time")
  func noDate() throws {
    let text = "#Version: 1.0\n#Fields: time cs-method cs-uri\n00:34:23 GET /foo\n"
    #expect(LogReader.recognizes(Array(text.utf8), choice: .automatic) == nil)
  }

  @Test("the offset of a directive is the zone of the stamps, else the one that was named")
  func offset() throws {
    let lines = """
      #Fields: date time c-ip cs-method cs-uri-stem sc-status
      2026-11-23 18:54:34 203.0.113.9 GET /a 200

      """
    #expect(times(try read(lines)) == ["2026-11-23T18:54:34Z"])
    #expect(times(try read(lines, zone: -3600)) == ["2026-11-23T19:54:34Z"])
    for (offset, time) in [
      ("+0530", "2026-11-23T13:24:34Z"), ("-08:00", "2026-11-24T02:54:34Z"),
      ("nonsense", "2026-11-23T18:54:34Z"),
    ] {
      #expect(times(try read("#GMT-Offset: \(offset)\n" + lines)) == [time])
    }
    let later = lines + "#GMT-Offset: +0100\n2026-11-23 18:54:34 203.0.113.9 GET /a 200\n"
    #expect(times(try read(later)) == ["2026-11-23T18:54:34Z", "2026-11-23T17:54:34Z"])
  }

  @Test("directives of any content and a day after day of lines do no harm")
  func hostile() throws {
    var text = "#Date: 2261-12-31 00:00:00\n#Fields: time cs-method cs-uri\n"
    for _ in 0..<2000 { text += "23:00:00 GET /a\n01:00:00 GET /a\n" }
    let reading = try read(text)
    #expect(reading.exchanges.count < 4000)
    for value in ["", ":", "9999-99-99 99:99:99", "0000-00-00", "1-Jan-1 0:0:0", "\u{FFFD}"] {
      let text =
        ["Date", "GMT-Offset", "Software", "Fields"].map { "#\($0): \(value)\n" }.joined() + "x\n"
      #expect(LogReader.recognizes(Array(text.utf8), choice: .automatic) == nil)
    }
  }

  @Test("CloudFront's standard logs are read in each of their forms")
  func cloudFront() throws {
    let fields =
      "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
      + "cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header "
      + "cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher "
      + "x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port "
      + "time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start "
      + "sc-range-end"
    let line =
      "2026-11-23\t18:54:34\tFRA56-P4\t318\t203.0.113.9\tOPTIONS\td111111abcdef8.cloudfront.net\t"
      + "/v1/orders/17\t403\thttps://app.example.com/\tMozilla/5.0%20(X11;%20Linux%20x86_64)\tpage=1\t-\t"
      + "Miss\tk9XvZ==\tapi.example.com\thttps\t398\t0.007\t198.51.100.7\tTLSv1.3\t"
      + "TLS_AES_128_GCM_SHA256\tMiss\tHTTP/2.0\t-\t-\t51234\t0.007\tMiss\t-\t-\t-\t-\n"
    func check(_ reading: LogReading) throws {
      let exchange = try #require(reading.exchanges.first)
      #expect(exchange.endedAt?.rfc3339(.second) == "2026-11-23T18:54:34Z")
      #expect(exchange.method == "OPTIONS" && exchange.status == 403)
      #expect(exchange.client == "203.0.113.9" && exchange.forwardedFor == "198.51.100.7")
      #expect(exchange.url.description == "https://api.example.com/v1/orders/17?page=1")
      #expect(exchange.userAgent == "Mozilla/5.0 (X11; Linux x86_64)")
      #expect(exchange.request.evidence(of: .origin) == .unrecorded)
    }
    try check(try read("#Version: 1.0\n#Fields: \(fields)\n" + line))
    // Version 2 as plain text has no such line: the fields are named instead.
    let names = fields.replacing(" ", with: ",")
    let choice = try FormatChoice(argument: "cloudfront:\(names)")
    guard case .format(let plain) = choice else { return }
    try check(try LogReading(Array(line.utf8), plain))
    let fine =
      "#Version: 1.0\n#Fields: timestamp(ms) c-ip cs-method cs-uri-stem sc-status\n"
      + "1795460074930\t203.0.113.9\tOPTIONS\t/a%2520b\t204\n"
    let exchange = try #require(try read(fine).exchanges.first)
    #expect(exchange.endedAt?.rfc3339(.millisecond) == "2026-11-23T18:54:34.930Z")
    #expect(exchange.url.target == "/a%20b")
    #expect(throws: FormatError.self) { try FormatChoice(argument: "cloudfront:date,c-ip") }
  }
}
