import FetchCORS
import Foundation
import IncidentReport
import Testing

@testable import Postflight

@Suite("Calls on their way to the report")
struct ReportQueueTests {
  private func calls(_ count: Int) -> [Call] {
    var pairing = Pairing()
    var builder = TrafficBuilder()
    for index in 0..<count {
      pairing.add(
        builder.exchange(
          "GET", at: Int64(index),
          response: index % 3 == 0 ? [] : [("Access-Control-Allow-Origin", "*")]))
    }
    pairing.finish()
    return pairing.takeCalls()
  }

  @Test("every call is added once, with a thread and without", arguments: [true, false])
  func complete(usesThread: Bool) throws {
    let calls = calls(3000)
    #expect(calls.count == 3000)
    let builder = ReportBuilder()
    let queue = ReportQueue(builder, usesThread: usesThread)
    for call in calls { try queue.add(call) }
    try queue.finish()
    #expect(builder.totals.calls == 3000)
    #expect(builder.totals.blocked == 1000)
  }

  @Test("what adding fails with is thrown, and the thread ends", arguments: [true, false])
  func failure(usesThread: Bool) {
    let builder = ReportBuilder(spool: "/nowhere/at/all")
    let queue = ReportQueue(builder, usesThread: usesThread)
    #expect(throws: StageError.self) {
      for call in calls(30_000) { try queue.add(call) }
      try queue.finish()
    }
    queue.end()
  }
}
