internal import FetchCORS
internal import HTTPExchange

/// Calls by verdict over time, in a bounded number of equal steps.
///
/// The step grows with the span and depends on nothing else, so that the order of the calls does
/// not matter.
struct Timeline: Hashable {
  /// Calls of one step.
  struct Step: Hashable {
    var allowed: UInt64 = 0
    var blocked: UInt64 = 0
    var undetermined: UInt64 = 0

    var total: UInt64 { allowed &+ blocked &+ undetermined }

    mutating func add(_ other: Step) {
      allowed &+= other.allowed
      blocked &+= other.blocked
      undetermined &+= other.undetermined
    }
  }

  /// The most steps that are held.
  static let maximumSteps = 96

  /// Each divides the next, so that steps can be added up without being split.
  static let widths: [Int64] = {
    var widths: [Int64] = [1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400]
    while let last = widths.last, last < 1 << 36 { widths.append(last * 2) }
    return widths
  }()

  private var widthIndex = 0
  private(set) var first: Int64 = 0
  private(set) var steps: [Step] = []

  /// Seconds that a step lasts.
  var width: Int64 { Self.widths[widthIndex] }

  /// Adds a call.
  mutating func add(_ time: EventTime, _ verdict: Verdict) {
    var position = Self.floor(Self.floor(time.nanoseconds, 1_000_000_000), width)
    if steps.isEmpty {
      first = position
      steps.append(Step())
    }
    while max(position, first + Int64(steps.count) - 1) - min(position, first)
      >= Int64(Self.maximumSteps), widthIndex + 1 < Self.widths.count
    {
      widen()
      position = Self.floor(Self.floor(time.nanoseconds, 1_000_000_000), width)
    }
    if position < first {
      steps.insert(contentsOf: repeatElement(Step(), count: Int(first - position)), at: 0)
      first = position
    }
    while position - first >= Int64(steps.count) { steps.append(Step()) }
    let index = Int(position - first)
    switch verdict {
    case .allowed: steps[index].allowed &+= 1
    case .blocked: steps[index].blocked &+= 1
    case .undetermined, .contradicted: steps[index].undetermined &+= 1
    }
  }

  private mutating func widen() {
    let factor = Self.widths[widthIndex + 1] / width
    var wider: [Step] = []
    let newFirst = Self.floor(first, factor)
    for (offset, step) in steps.enumerated() {
      let index = Int(Self.floor(first + Int64(offset), factor) - newFirst)
      while wider.count <= index { wider.append(Step()) }
      wider[index].add(step)
    }
    widthIndex += 1
    first = newFirst
    steps = wider
  }

  /// The quotient rounded down, for times before 1970 as well.
  static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// When a step begins.
  func start(of index: Int) -> EventTime {
    let (seconds, overflow) = (first &+ Int64(index)).multipliedReportingOverflow(by: width)
    return EventTime(seconds: overflow ? (first < 0 ? .min : .max) : seconds)
  }

  /// What a step is called: `15 minutes`.
  var widthText: String {
    switch width {
    case ..<60: width == 1 ? "second" : "\(width) seconds"
    case ..<3600: width == 60 ? "minute" : "\(width / 60) minutes"
    case ..<86_400: width == 3600 ? "hour" : "\(width / 3600) hours"
    default: width == 86_400 ? "day" : "\(width / 86_400) days"
    }
  }
}
