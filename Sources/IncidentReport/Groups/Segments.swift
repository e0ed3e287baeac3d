internal import Foundation

/// Stretches of time in which the share of blocked calls stayed the same.
///
/// An optimal partition: of all ways to cut the steps it is the one under which the calls are most
/// likely, where every cut costs as much as chance could gain by it. Only shares count: that there are
/// more calls by day or on weekdays is no change.
enum Segments {
  struct Segment: Hashable {
    /// The first step, and the one behind the last.
    var start: Int
    var end: Int
    var blocked: Double
    var calls: Double

    var share: Double { calls > 0 ? blocked / calls : 0 }
  }

  /// What a cut must gain in logarithmic likelihood.
  ///
  /// The logarithm of the number of calls pays for the choice of the place. More calls than a hundred
  /// cost more: they are less independent of one another than the model has it (one client that
  /// tries again and again).
  static func cost(ofCutAmong calls: Double) -> Double {
    1 + log(max(2, calls)) + 0.5 * log(max(1, calls / 100))
  }

  /// Cuts steps, each with its blocked calls and all calls.
  static func cut(_ steps: [(blocked: UInt32, calls: UInt32)]) -> [Segment] {
    let cells = cells(steps)
    guard let last = cells.last else { return [] }
    var sums: [(blocked: Double, calls: Double)] = [(0, 0)]
    for cell in cells {
      sums.append(
        (sums[sums.count - 1].blocked + cell.blocked, sums[sums.count - 1].calls + cell.calls))
    }
    let cost = cost(ofCutAmong: sums[sums.count - 1].calls)
    // The best partition of the first n cells, and where its last segment begins.
    var best = [Double](repeating: .infinity, count: cells.count + 1)
    var begin = [Int](repeating: 0, count: cells.count + 1)
    best[0] = -cost
    for end in 1...cells.count {
      for start in 0..<end {
        let value =
          best[start] + cost
          + disorder(sums[end].blocked - sums[start].blocked, sums[end].calls - sums[start].calls)
        // Equal likelihoods choose the earlier cut, whatever the rounding of the last digits.
        if value < best[end] - 1e-9 {
          best[end] = value
          begin[end] = start
        }
      }
    }
    var segments: [Segment] = []
    var end = cells.count
    while end > 0 {
      let start = begin[end]
      segments.append(
        Segment(
          start: cells[start].start, end: cells[end - 1].end,
          blocked: sums[end].blocked - sums[start].blocked,
          calls: sums[end].calls - sums[start].calls))
      end = start
    }
    segments.reverse()
    segments[segments.count - 1].end = last.end
    return segments
  }

  /// Steps with calls; neighbours that are purely good or purely blocked are one.
  private static func cells(_ steps: [(blocked: UInt32, calls: UInt32)]) -> [Segment] {
    var cells: [Segment] = []
    for (index, step) in steps.enumerated() where step.calls > 0 {
      let calls = Double(step.calls)
      let blocked = min(Double(step.blocked), calls)
      let isPure = blocked == 0 || blocked == calls
      if isPure, let last = cells.last, last.share == blocked / calls {
        cells[cells.count - 1].end = index + 1
        cells[cells.count - 1].blocked += blocked
        cells[cells.count - 1].calls += calls
      } else {
        cells.append(Segment(start: index, end: index + 1, blocked: blocked, calls: calls))
      }
    }
    return cells
  }

  /// The negative logarithm of the likelihood under the segment's own share.
  static func disorder(_ blocked: Double, _ calls: Double) -> Double {
    let good = calls - blocked
    guard blocked > 0, good > 0 else { return 0 }
    return -(blocked * log(blocked / calls) + good * log(good / calls))
  }
}
