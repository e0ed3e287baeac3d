import Bytes
import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// Calls of one route that pass, are blocked between two seconds, and pass again.
private func story(
  _ second: Range<Int64>, until end: Int64 = 600, step: Int64 = 5, route: String = "/v1/items/1"
) -> [Call] {
  stride(from: 0, to: end, by: Int64.Stride(step)).map { offset in
    let call =
      second.contains(offset)
      ? CallBuilder.responseFailure(502, .missingAllowOriginHeader, [("server", "nginx")])
      : CallBuilder.allowed
    return call.at(offset).with { $0.url = "https://api.example" + route }.call
  }
}

private func answer(_ calls: [Call]) throws -> (what: String, change: String) {
  let json = try Array(try Outputs.of(calls).text(.summary).utf8).withByteView {
    try JSONReader.read($0)
  }
  let texts = json["answer"]?.elements?.compactMap(\.text) ?? []
  try #require(texts.count == 2)
  return (texts[0], texts[1])
}

@Test("the answer says from when to when, for whom and how many")
func answerOfAnEndedIncident() throws {
  let answer = try answer(story(200..<400))
  #expect(
    answer.what.hasPrefix(
      "From 14:16:40 to 14:19:55 UTC on 21 September 2026, browsers blocked calls of https://app.example "
        + "to api.example/v1/items/{id}: 40 GET calls of 1 client"))
  #expect(answer.what.hasSuffix("33% of the 120 calls there."))
  #expect(answer.change.hasPrefix("At api.example: repair the application first"))
}

@Test("what goes on when the evidence ends is not said to be over")
func answerOfAnOpenIncident() throws {
  let html = try Outputs.of(story(200..<600)).text(.html)
  #expect(html.contains("Since 14:16:40 UTC on 21 September 2026"))
  #expect(html.contains("the evidence shows no end"))
  #expect(!html.contains("it is over"))
}

@Test("what is blocked from the first call on is not said to have begun with it")
func answerWithoutBeginning() throws {
  let answer = try answer(story(0..<600))
  #expect(answer.what.hasPrefix("At least since 14:13:20 UTC on 21 September 2026"))
  #expect(answer.what.contains(", every one there."))
}

@Test("two routes that one change repairs are named together")
func answerOfTwoRoutes() throws {
  let calls =
    (story(200..<400, route: "/carts/all") + story(200..<400, route: "/orders/all"))
    .sorted { $0.time < $1.time }
  #expect(try answer(calls).what.contains("to api.example/carts/all and /orders/all: 80 GET"))
}

@Test("of many causes none is held to be the one")
func answerOfManyCauses() throws {
  let reasons: [BlockedReason] = [
    .missingAllowOriginHeader, .multipleAllowOriginValues, .wildcardOriginNotAllowed,
    .invalidAllowCredentials,
  ]
  let calls = reasons.enumerated().map { index, reason in
    CallBuilder.responseFailure(200, reason, [("access-control-allow-origin", "*")])
      .at(Int64(index)).call
  }
  let answer = try answer(calls)
  #expect(answer.what.contains("for 4 different causes"))
  #expect(answer.change.hasPrefix("Each incident below has its own fix."))
}

@Test("what was probably blocked says so, and what it would be")
func answerOfTheLikely() throws {
  let calls = (0..<9).map { offset in
    CallBuilder.preflightFailure(403, .invalidStatus).at(Int64(offset)).with {
      $0.verdict = .undetermined
      $0.phase = nil
      $0.reason = nil
      $0.missing = ["preflight"]
    }.call
  }
  let outputs = try Outputs.of(calls)
  let summary = outputs.summary.replacing("\n", with: " ")
  #expect(summary.contains("browsers probably blocked calls of https://app.example to"))
  #expect(summary.contains("The evidence does not prove it."))
  #expect(outputs.text(.html).contains("<h2 id=\"likely-title\">"))
  #expect(outputs.text(.html).contains("What it would be"))
  #expect(outputs.totals.blocked == 0)
}

@Test("times are said as people say them, across days and years")
func spokenTimes() {
  func time(_ seconds: Int64) -> EventTime { EventTime(seconds: seconds) }
  #expect(TimeText.span(time(0), time(0)) == "at 00:00:00 UTC on 1 January 1970")
  #expect(TimeText.span(time(5), time(65)) == "from 00:00:05 to 00:01:05 UTC on 1 January 1970")
  #expect(
    TimeText.span(time(5), time(86_400))
      == "from 00:00:05 UTC on 1 January to 00:00:00 UTC on 2 January 1970")
  #expect(
    TimeText.span(time(-1), time(1))
      == "from 23:59:59 UTC on 31 December 1969 to 00:00:01 UTC on 1 January 1970")
  #expect(TimeText.shortDay(time(86_400 * 59)) == "1 Mar")
}

@Test("the picture's lines stand at round numbers and hold the highest bar")
func roundGrid() {
  for largest in [1, 2, 3, 4, 5, 7, 10, 11, 41, 99, 100, 101, 12_345, 1 << 40, UInt64.max] {
    let (step, top) = TimelineView.roundGrid(largest)
    #expect(top >= largest || largest == .max)
    #expect(top / step <= 4 && top % step == 0, "\(largest)")
  }
  #expect(TimelineView.roundGrid(10) == (5, 10))
  #expect(TimelineView.roundGrid(11) == (5, 15))
}

@Test("nothing in the picture reaches out of it", arguments: [1, 2, 59, 4000, 90_000, 9_000_000])
func pictureIsWhole(_ span: Int64) throws {
  let calls = (0..<40).map { index in
    (index % 3 == 0
      ? CallBuilder.responseFailure(502, .missingAllowOriginHeader) : CallBuilder.allowed)
      .at(Int64(index) * span / 40).call
  }
  let html = try Outputs.of(calls).text(.html)
  let start = try #require(html.firstRange(of: "<svg width"))
  let end = try #require(html[start.upperBound...].firstRange(of: "</svg>"))
  let picture = html[start.upperBound..<end.lowerBound]
  var lengths = 0
  for part in picture.split(separator: "%\"") {
    guard let quote = part.lastIndex(of: "\"") else { continue }
    let text = part[part.index(after: quote)...]
    guard let number = Double(text) else { continue }
    lengths += 1
    #expect((0...100).contains(number), "\(text)")
  }
  #expect(lengths > 4)
  #expect(picture.contains("class=\"tick\""))
}

@Test("only the members that differ are marked in a list")
func marksMembers() throws {
  let good = CallBuilder.allowedPreflighted.call
  let bad = CallBuilder.preflightFailure(
    204, .headerDisallowedByPreflightResponse,
    [
      ("access-control-allow-origin", "https://app.example"),
      ("access-control-allow-methods", "PUT"), ("access-control-allow-headers", "content-type"),
      ("server", "nginx"),
    ]
  ).at(60).with {
    $0.preflightRequest = [("access-control-request-headers", "content-type,x-release")]
    $0.parameter = "x-release"
  }.call
  let html = try Outputs.of([good, bad]).text(.html)
  #expect(html.contains("content-type,<mark>x-release</mark>"))
  #expect(!html.contains("<mark>content-type"))
}

@Test("places in the evidence say whether they are packets or lines")
func placesNameTheirUnit() throws {
  var log = SourceRecord(input: "edge.pcap", digest: "0123456789ab", kind: "log")
  log.read = 1
  let call = CallBuilder.responseFailure(502, .missingAllowOriginHeader).call
  #expect(try Outputs.of([call], sources: [log]).text(.html).contains("edge.pcap line 1<"))
  #expect(try Outputs.of([call]).text(.html).contains("edge.pcap no. 1<"))
}

@Test("the summary fits its width, and has colours only where they are asked for")
func summaryFits() throws {
  let builder = ReportBuilder()
  for call in Morning.calls { try builder.add(call) }
  for source in Morning.sources { builder.add(source) }
  try builder.finish { _, _ in }
  for width in [40, 50, 80, 120] {
    let plain = builder.summaryText(colored: false, width: width)
    #expect(!plain.contains("\u{1B}"))
    for line in plain.split(separator: "\n") where line.count > width {
      // Only a word that is longer than a line may reach out.
      #expect(line.drop { $0 == " " }.split(separator: " ").count == 1, "\(width): \(line)")
    }
    let colored = builder.summaryText(colored: true, width: width)
    #expect(colored.contains("\u{1B}[1m"))
    #expect(colored.replacing(/\u{1B}\[[0-9;]*m/, with: "") == plain)
    #expect(plain.hasPrefix("Since 15:43:40 UTC"))
  }
}
