import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// Calls of one route with times and whether each was blocked.
struct Traffic {
  var calls: [(second: Int64, isBlocked: Bool)] = []
  /// When the share of blocked calls rose; `nil` when it never did.
  var onset: Int64?

  static let hour: Int64 = 3600
  static let start: Int64 = 1_790_000_000

  var course: Course {
    var blocked = CallSeries()
    var judged = CallSeries()
    for call in calls {
      judged.add(EventTime(seconds: call.second))
      if call.isBlocked { blocked.add(EventTime(seconds: call.second)) }
    }
    return Course(blocked: blocked, calls: judged)
  }

  /// Calls whose number follows the hour and the day of the week, and whose share of blocked ones is
  /// what a function says.
  static func over(
    days: Int64, busiest: Double, _ generator: inout SeededGenerator,
    share: (Int64) -> Double
  ) -> Traffic {
    var traffic = Traffic()
    for step in 0..<(days * 24) {
      let day = step / 24 % 7
      let hour = step % 24
      let busy = (day >= 5 ? 0.25 : 1.0) * (hour < 7 ? 0.1 : hour < 20 ? 1.0 : 0.4)
      for _ in 0..<Int((busiest * busy * Double.random(in: 0.6...1.4, using: &generator)).rounded())
      {
        let second = start + step * hourLength + Int64.random(in: 0..<hourLength, using: &generator)
        traffic.calls.append(
          (second, Double.random(in: 0..<1, using: &generator) < share(second - start)))
      }
    }
    traffic.calls.sort { $0.second < $1.second }
    return traffic
  }

  private static let hourLength: Int64 = 3600
}

@Test("an onset is found among twenty calls")
func onsetAmongTwenty() {
  for badCalls in 3...17 {
    var traffic = Traffic()
    for index in 0..<20 {
      traffic.calls.append((Traffic.start + Int64(index) * 40, index >= 20 - badCalls))
    }
    let course = traffic.course
    #expect(course.shape == .began, "\(badCalls)")
    let expected = traffic.calls[20 - badCalls].second
    #expect(abs((course.onset?.nanoseconds ?? 0) / 1_000_000_000 - expected) <= course.resolution)
    #expect(course.end == nil)
  }
}

@Test("an end is found as well, and one blocked call among many is neither")
func endAmongTwenty() {
  var traffic = Traffic()
  for index in 0..<20 {
    traffic.calls.append((Traffic.start + Int64(index) * 40, (8..<14).contains(index)))
  }
  #expect(traffic.course.shape == .began)
  #expect(traffic.course.episodes.map(\.blocked) == [6])
  #expect(traffic.course.end != nil)
  for index in 0..<20 {
    traffic.calls = (0..<20).map { (Traffic.start + Int64($0) * 40, $0 == index) }
    #expect(traffic.course.shape == .throughout, "\(index)")
    #expect(traffic.course.onset == nil)
  }
}

@Test("what was blocked from the first call on has no onset, and may have an end")
func fromTheStart() {
  var traffic = Traffic()
  traffic.calls = (0..<40).map { (Traffic.start + Int64($0) * 10, true) }
  #expect(traffic.course.shape == .fromStart)
  #expect(traffic.course.onset == nil && traffic.course.end == nil)
  traffic.calls = (0..<40).map { (Traffic.start + Int64($0) * 10, $0 < 25) }
  #expect(traffic.course.shape == .fromStart)
  #expect(traffic.course.end != nil)
  #expect(Course(blocked: CallSeries(), calls: CallSeries()).shape == .throughout)
}

/// How a detector did on traffic of which the truth is known.
struct OnsetScore: CustomStringConvertible {
  var found = 0
  var missed = 0
  var falseOnes = 0
  /// Seconds between the onset and what was found, and the step in which it was looked for.
  var errors: [(seconds: Int64, resolution: Int64)] = []

  mutating func add(_ course: Course, _ onset: Int64?) {
    guard let seen = course.onset.map({ $0.nanoseconds / 1_000_000_000 }) else {
      if onset != nil { missed += 1 }
      return
    }
    guard let onset else {
      falseOnes += 1
      return
    }
    let error = abs(seen - onset)
    // What is further off than a twelfth of the period is another event.
    guard error <= max(2 * course.resolution, 6 * 3600) else {
      missed += 1
      falseOnes += 1
      return
    }
    found += 1
    errors.append((error, course.resolution))
  }

  var recall: Double { Double(found) / Double(max(1, found + missed)) }
  var precision: Double { Double(found) / Double(max(1, found + falseOnes)) }
  var median: Int64 { errors.map(\.seconds).sorted().dropFirst(errors.count / 2).first ?? 0 }

  var description: String {
    "precision \(precision), recall \(recall), \(found + missed) onsets, \(falseOnes) false, "
      + "median error \(median) s in steps of \(errors.map(\.resolution).max() ?? 0) s"
  }
}

/// Set `POSTFLIGHT_SCORES` in order to see the scores.
@Test("onsets that are known are found, and no others")
func onsetsAreScored() {
  var generator = SeededGenerator(state: 20_261_125)
  var score = OnsetScore()
  for _ in 0..<120 {
    let days = Int64.random(in: 2...28, using: &generator)
    let onset = Int64.random(in: 12 * 3600..<(days * 86_400 - 12 * 3600), using: &generator)
    let before = ([0, 0, 0.01, 0.05] as [Double]).randomElement(using: &generator) ?? 0
    let after = Double.random(in: 0.3...1, using: &generator)
    let end =
      Bool.random(using: &generator)
      ? onset + Int64.random(in: 6...72, using: &generator) * 3600 : .max
    let traffic = Traffic.over(
      days: days, busiest: Double.random(in: 2...30, using: &generator), &generator
    ) { $0 >= onset && $0 < end ? after : before }
    // What counts is the first blocked call of the new share.
    let first = traffic.calls.first { $0.second >= Traffic.start + onset && $0.isBlocked }?.second
    let during = traffic.calls.filter {
      $0.second - Traffic.start >= onset && $0.second - Traffic.start < end
    }
    // An outage in which hardly anybody called cannot be told from chance.
    guard during.count(where: { $0.isBlocked }) >= 5 else { continue }
    score.add(traffic.course, first)
  }
  Scores.show("known onsets", score)
  #expect(score.recall >= 0.95, "\(score)")
  #expect(score.precision >= 0.95, "\(score)")
  #expect(score.errors.allSatisfy { $0.seconds <= max(3 * $0.resolution, 6 * 3600) }, "\(score)")
}

@Test("neither a weekly rhythm nor a steady share has an onset")
func rhythmHasNoOnset() {
  var generator = SeededGenerator(state: 7_2026)
  var steady = OnsetScore()
  var weekly = OnsetScore()
  var daily = OnsetScore()
  for _ in 0..<60 {
    let busiest = Double.random(in: 3...40, using: &generator)
    let share = ([0, 0.002, 0.02, 0.2, 0.9] as [Double]).randomElement(using: &generator) ?? 0
    steady.add(Traffic.over(days: 28, busiest: busiest, &generator) { _ in share }.course, nil)
    // A partner's page that is open on weekdays and always blocked, beside others that pass.
    let high = Double.random(in: 0.1...0.9, using: &generator)
    weekly.add(
      Traffic.over(days: 28, busiest: busiest, &generator) { second in
        second / 86_400 % 7 < 5 ? high : high / 10
      }.course, nil)
    // A job that breaks the calls every night.
    daily.add(
      Traffic.over(days: 14, busiest: busiest + 20, &generator) { second in
        second / 3600 % 24 < 4 ? 0.7 : 0
      }.course, nil)
  }
  for (name, score) in [("steady", steady), ("weekly", weekly), ("daily", daily)] {
    Scores.show(name, score)
    #expect(score.falseOnes <= 1, "\(name): \(score)")
  }
}

@Test("the series that courses are found in merge in any order and grouping", arguments: 0..<8)
func seriesMerge(_ seed: Int) {
  var generator = SeededGenerator(state: UInt64(seed))
  let span = [60, 5_000, 400_000, 90_000_000][seed % 4]
  let times = (0..<300).map { _ in
    EventTime(seconds: Int64.random(in: -1000...Int64(span), using: &generator))
  }
  func series(_ times: some Sequence<EventTime>) -> CallSeries {
    var series = CallSeries()
    for time in times { series.add(time) }
    return series
  }
  let whole = series(times)
  #expect(whole.steps.count <= CallSeries.maximumSteps)
  #expect(whole.steps.reduce(0, +) == 300)
  #expect(series(times.shuffled(using: &generator)) == whole)
  let parts = [times[..<50], times[50..<51], times[51..<200], times[200...]].map { series($0) }
  func merged(_ left: CallSeries, _ right: CallSeries) -> CallSeries {
    var result = left
    result.merge(right)
    return result
  }
  #expect(merged(merged(merged(parts[0], parts[1]), parts[2]), parts[3]) == whole)
  #expect(merged(merged(parts[3], parts[1]), merged(parts[2], parts[0])) == whole)
  #expect(merged(whole, CallSeries()) == whole)
}

@Test("a series takes every time that there is")
func seriesExtremes() {
  var series = CallSeries()
  for nanoseconds in [Int64.min, .max, 0, -1, 1, .min + 1] {
    series.add(EventTime(nanoseconds: nanoseconds))
  }
  #expect(series.steps.count <= CallSeries.maximumSteps)
  #expect(series.steps.reduce(0, +) == 6)
  #expect(Course(blocked: series, calls: series).shape == .fromStart)
}

@Test("names are counted in any order and grouping, and exactly", arguments: 0..<6)
func namesMerge(_ seed: Int) {
  var generator = SeededGenerator(state: UInt64(seed))
  let names = (0..<2000).map { _ in
    "name \(Int.random(in: 0..<(40 + seed * 60), using: &generator))"
  }
  func counts(_ names: some Sequence<String>) -> NamedCounts {
    var counts = NamedCounts()
    for name in names { counts.add(name) }
    return counts
  }
  let whole = counts(names)
  #expect(whole.total == 2000)
  #expect(whole.counts.count <= NamedCounts.limit)
  for (name, count) in whole.counts {
    #expect(count == UInt64(names.count { $0 == name }))
  }
  #expect(whole.distinct.count == Set(names).count)
  func merged(_ left: NamedCounts, _ right: NamedCounts) -> NamedCounts {
    var result = left
    result.merge(right)
    return result
  }
  let parts = [names[..<300], names[300..<900], names[900...]].map { counts($0) }
  #expect(merged(merged(parts[0], parts[1]), parts[2]) == whole)
  #expect(merged(parts[2], merged(parts[1], parts[0])) == whole)
}
