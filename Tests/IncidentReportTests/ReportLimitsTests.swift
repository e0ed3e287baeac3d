import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// Bounds of what is shown, and of what is remembered as evidence; those of the whole report stand in
/// `BoundTests`.
@Suite("Limits of reports")
struct ReportLimitsTests {
  /// A report of incidents on hosts of their own, each of which lasts for a while.
  private func outputs(incidents: Int) throws -> Outputs {
    try Outputs.of(
      (0..<incidents).flatMap { index in
        (0..<20).map { step in
          CallBuilder.responseFailure(502, .missingAllowOriginHeader).with {
            $0.url = "https://api\(index).example/route"
            $0.origin = "https://app\(index).example"
            $0.number = UInt64(index * 100 + step)
            $0.second += Int64(step * 60 + index * 97)
          }.call
        }
      })
  }

  private func count(_ part: String, in text: String) -> Int { text.ranges(of: part).count }

  @Test("the terminal and the picture show some incidents, and how many more there are")
  func shownIncidents() throws {
    let most = try outputs(incidents: TerminalSummary.maximumIncidents)
    #expect(!most.summary.contains("further incident"))
    #expect(count("<rect class=\"lane", in: most.text(.html)) == TerminalSummary.maximumIncidents)
    let incidents = TimelineView.maximumLanes + 4
    let more = try outputs(incidents: incidents)
    let left = incidents - TerminalSummary.maximumIncidents
    #expect(more.summary.contains("\(left) further incidents"))
    let page = more.text(.html)
    #expect(count("<rect class=\"lane", in: page) == TimelineView.maximumLanes)
    #expect(
      page.contains(
        "The \(TimelineView.maximumLanes) with the most calls are drawn, of \(incidents)"))
    #expect(count("<line class=\"onset", in: page) == TimelineView.maximumOnsets)
  }

  @Test("of an incident's calls a few are shown, and all are in the file")
  func samples() {
    var tally = Tally()
    for index in 0..<10 as Range<Int64> { tally.add(CallBuilder().at(9 - index).call) }
    #expect(tally.count == 10)
    #expect(tally.samples.count == Tally.maximumSamples)
    #expect(tally.samples.map(\.moment.id.number) == [1, 2, 3])
  }

  @Test("of a long header block the lines that differ are shown, and the others counted")
  func differenceLines() throws {
    let common = (0..<60).map { ("x-common-\($0)", "same") }
    let good = CallBuilder.allowed.with { $0.response?.fields += common }.call
    let bad = CallBuilder.responseFailure(502, .missingAllowOriginHeader, common).call
    let response = try #require(HeaderDifference.between(good: good, bad: bad).first)
    #expect(response.lines.count == HeaderDifference.maximumLines)
    // The status, what was lost (three lines), and those of the others that fit.
    #expect(response.omitted == 1 + 3 + common.count - HeaderDifference.maximumLines)
    #expect(response.lines.prefix(4).allSatisfy { $0.change != .same })
  }

  @Test("a course has a number of episodes at most, and goes on behind the last one")
  func episodes() {
    var blocked = CallSeries()
    var judged = CallSeries()
    var second: Int64 = 1_790_000_000
    for _ in 0..<30 {
      for step in 0..<8 {
        for _ in 0..<400 {
          judged.add(EventTime(seconds: second))
          if step >= 3, step < 6 { blocked.add(EventTime(seconds: second)) }
        }
        second += 1
      }
    }
    #expect(judged.width == 1)
    let course = Course(blocked: blocked, calls: judged)
    #expect(course.episodes.count == Course.maximumEpisodes)
    let end = EventTime(seconds: 1_790_000_000 + 29 * 8 + 6)
    #expect(course.end == end, "\(String(describing: course.end))")
  }

  // MARK: Queues and series

  @Test("calls are put in order within a bound, and beyond it the earliest goes out first")
  func queueOfCalls() {
    var queue = CallQueue()
    let call = CallBuilder()
    var given = 0
    for number in 0..<CallQueue.maximumCalls + 10 {
      queue.push(call.with { $0.number = UInt64(number) }.call)
      while queue.pop(isLast: false) != nil { given += 1 }
    }
    #expect(given == 10)
    while queue.pop(isLast: true) != nil { given += 1 }
    #expect(given == CallQueue.maximumCalls + 10)
  }

  @Test("large calls that wait are bounded by their bytes")
  func queueOfBytes() {
    var queue = CallQueue()
    let filler = String(repeating: "x", count: 1 << 18)
    let call = CallBuilder.responseFailure(502, .missingAllowOriginHeader, [("via", filler)]).call
    var held = 0
    var most = 0
    for _ in 0..<300 {
      queue.push(call)
      held += 1
      while queue.pop(isLast: false) != nil { held -= 1 }
      most = max(most, held)
    }
    #expect(most < 300 && most >= CallQueue.maximumBytes / (2 * call.footprint))
    #expect(most <= CallQueue.maximumBytes / call.footprint + 1)
    while queue.pop(isLast: true) != nil { held -= 1 }
    #expect(held == 0)
  }

  @Test("a series takes no more bytes than it is counted with, whatever the span")
  func seriesBytes() {
    var series = CallSeries()
    for index in 0..<5000 as Range<Int64> { series.add(EventTime(seconds: index * index * 7)) }
    let bytes = MemoryLayout<CallSeries>.size + series.steps.count * MemoryLayout<UInt32>.size
    #expect(bytes <= CallSeries.maximumBytes)
    #expect(series.steps.reduce(0) { $0 + Int($1) } == 5000)
  }

  // MARK: Evidence

  private func group() -> RouteGroup {
    RouteGroup(key: Array("https://app.example\0api.example\0/a".utf8), hash: 1)
  }

  private func add(_ call: Call, to group: RouteGroup, _ number: inout UInt32) {
    _ = group.add(call, footprint: call.footprint, nextNumber: &number)
  }

  @Test("good calls are held for a number of methods, and all are counted")
  func methods() {
    let group = group()
    var number: UInt32 = 0
    for index in 0..<3 * RouteGroup.maximumMethods {
      let call = CallBuilder.allowedPreflighted.with { $0.method = "M\(index)" }.call
      add(call, to: group, &number)
    }
    #expect(group.goodPreflightAnswers.count == RouteGroup.maximumMethods)
    #expect(group.methods.count == 2 * RouteGroup.maximumMethods)
    #expect(group.allowed == UInt64(3 * RouteGroup.maximumMethods))
    #expect(group.passedPreflights == group.allowed)
  }

  @Test("names of requested headers are held up to a number, granted and refused ones apart")
  func headers() {
    let group = group()
    var number: UInt32 = 0
    for index in 0..<2 * RouteGroup.maximumHeaders {
      let asked = [("access-control-request-headers", "x-\(index)")]
      add(
        CallBuilder.allowedPreflighted.with { $0.preflightRequest = asked }.call, to: group, &number
      )
      add(
        CallBuilder.preflightFailure(204, .headerDisallowedByPreflightResponse).with {
          $0.preflightRequest = asked
        }.call, to: group, &number)
    }
    #expect(group.grantedHeaders.count == RouteGroup.maximumHeaders)
    #expect(group.askedHeaders.count == RouteGroup.maximumHeaders)
    #expect(group.blocked == UInt64(2 * RouteGroup.maximumHeaders))
  }

  @Test("a page is compared with as many of a host's origins as the limit: those with most calls")
  func origins() {
    func similar(_ others: Int) -> String? {
      var number: UInt32 = 0
      func group(_ origin: String, _ call: CallBuilder, times: Int) -> RouteGroup {
        let group = RouteGroup(key: Array("\(origin)\0api.example\0/a".utf8), hash: 1)
        for _ in 0..<times {
          add(call.with { $0.origin = origin }.call, to: group, &number)
        }
        return group
      }
      let own = group(
        "http://app.example", CallBuilder.responseFailure(200, .missingAllowOriginHeader), times: 1)
      // The same but for its scheme: it has fewer calls than all others.
      var groups = [own, group("https://app.example", CallBuilder.allowed, times: 1)]
      for index in 0..<others {
        groups.append(group("https://site-\(index).test", CallBuilder.allowed, times: 2))
      }
      return SurroundingsIndex(groups, strayRequests: 0).around(own).similarOrigin
    }
    #expect(similar(63) == "https://app.example")
    #expect(similar(64) == nil)
  }

  @Test("headers that are not exposed are listed for a number of hosts, and counted for the others")
  func exposure() {
    var exposure = Exposure()
    let call = CallBuilder.allowed.with { $0.response?.fields.append(("x-total-count", "7")) }.call
    for index in 0..<Exposure.limit + 40 {
      exposure.add(call, host: "api\(index).example", route: "/a")
    }
    #expect(exposure.warnings.count == Exposure.limit)
    #expect(exposure.others == 40)
    #expect(exposure.lines.count == Exposure.limit)
  }
}
