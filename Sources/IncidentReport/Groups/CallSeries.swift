internal import HTTPExchange

/// How many calls there were over time, in a bounded number of equal steps.
///
/// As in ``Timeline`` the step depends on the span alone, so that neither the order of the calls nor
/// the way in which they were split matters: ``merge(_:)`` is associative and commutative.
struct CallSeries: Hashable {
  /// The most steps that are held; four weeks come in steps of three hours.
  static let maximumSteps = 256

  private(set) var widthIndex = 0
  /// The number of the first step, counted from 1970.
  private(set) var first: Int64 = 0
  private(set) var steps: [UInt32] = []

  /// Seconds that a step lasts.
  var width: Int64 { Timeline.widths[widthIndex] }

  /// Bytes that it takes at the most.
  static let maximumBytes = maximumSteps * 4 + 64

  mutating func add(_ time: EventTime) {
    let second = Timeline.floor(time.nanoseconds, 1_000_000_000)
    if steps.isEmpty {
      first = Timeline.floor(second, width)
      steps.append(0)
    }
    reach(Timeline.floor(second, width), second: second)
    let index = Int(Timeline.floor(second, width) - first)
    if steps[index] < .max { steps[index] += 1 }
  }

  /// Makes room for a step, with wider steps where there would be too many.
  private mutating func reach(_ step: Int64, second: Int64) {
    var position = step
    while max(position, first + Int64(steps.count) - 1) - min(position, first)
      >= Int64(Self.maximumSteps), widthIndex + 1 < Timeline.widths.count
    {
      widen()
      position = Timeline.floor(second, width)
    }
    if position < first {
      steps.insert(contentsOf: repeatElement(0, count: Int(first - position)), at: 0)
      first = position
    }
    while position - first >= Int64(steps.count) { steps.append(0) }
  }

  private mutating func widen() {
    let factor = Timeline.widths[widthIndex + 1] / width
    let newFirst = Timeline.floor(first, factor)
    var wider: [UInt32] = []
    for (offset, count) in steps.enumerated() {
      let index = Int(Timeline.floor(first + Int64(offset), factor) - newFirst)
      while wider.count <= index { wider.append(0) }
      wider[index] = Self.sum(wider[index], count)
    }
    widthIndex += 1
    first = newFirst
    steps = wider
  }

  private static func sum(_ left: UInt32, _ right: UInt32) -> UInt32 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  /// Adds the calls of another series.
  mutating func merge(_ other: CallSeries) {
    guard !other.steps.isEmpty else { return }
    guard !steps.isEmpty else {
      self = other
      return
    }
    var other = other
    while other.widthIndex < widthIndex { other.widen() }
    while widthIndex < other.widthIndex { widen() }
    // The last step first: reaching it may widen the steps.
    for edge in [other.first + Int64(other.steps.count) - 1, other.first] {
      let (second, overflow) = edge.multipliedReportingOverflow(by: other.width)
      reach(Timeline.floor(overflow ? .max : second, width), second: overflow ? .max : second)
    }
    while other.widthIndex < widthIndex { other.widen() }
    for (offset, count) in other.steps.enumerated() where count > 0 {
      let index = Int(other.first - first) + offset
      guard steps.indices.contains(index) else { continue }
      steps[index] = Self.sum(steps[index], count)
    }
  }

  /// The same calls in steps of another width, which is this one's or wider.
  func widened(to index: Int) -> CallSeries {
    var series = self
    while !series.steps.isEmpty, series.widthIndex < index { series.widen() }
    return series
  }

  /// Calls of a step that is counted from 1970 in steps of this width.
  func count(at step: Int64) -> UInt32 {
    let index = step - first
    return index >= 0 && index < Int64(steps.count) ? steps[Int(index)] : 0
  }

  /// When a step begins.
  static func start(of step: Int64, width: Int64) -> EventTime {
    let (seconds, overflow) = step.multipliedReportingOverflow(by: width)
    return EventTime(seconds: overflow ? (step < 0 ? .min : .max) : seconds)
  }
}
