internal import HTTPExchange

/// Two messages side by side, what differs first.
struct DifferenceView: Encodable {
  struct Run: Encodable {
    var runText: String
    var isMarked: Bool
  }

  struct Line: Encodable {
    var field: String
    var goodRuns: [Run]
    var badRuns: [Run]
    var mark: String
    var sign: String
    var word: String
  }

  var part: String
  var goodTitle: String?
  var changedLines: [Line]
  var hasChanged: Bool
  var sameLines: [Line]
  var hasSame: Bool
  var sameTitle: String
  var omittedLines: String?

  /// - Parameter good: the title of the good call's column; `nil` when there is no such call.
  init(_ difference: HeaderDifference, good: String?) {
    part = difference.part
    goodTitle = good
    let lines = difference.lines.map { Line($0) }
    changedLines = good == nil ? lines : lines.filter { $0.mark != "same" }
    hasChanged = !changedLines.isEmpty
    sameLines = good == nil ? [] : lines.filter { $0.mark == "same" }
    hasSame = !sameLines.isEmpty
    sameTitle =
      hasChanged
      ? "\(DisplayText.counted(UInt64(sameLines.count), "line")) alike in both"
      : "No recorded line differs: \(DisplayText.counted(UInt64(sameLines.count), "line")) alike in both"
    omittedLines =
      difference.omitted > 0
      ? "\(DisplayText.counted(UInt64(difference.omitted), "further line")) of other headers" : nil
  }
}

extension DifferenceView.Line {
  fileprivate init(_ line: HeaderDifference.Line) {
    field = line.name
    mark = line.change.rawValue
    switch line.change {
    case .same: (sign, word) = ("", "alike")
    case .changed: (sign, word) = ("≠", "changed")
    case .lost: (sign, word) = ("−", "gone")
    case .added: (sign, word) = ("+", "new")
    case .unrecorded: (sign, word) = ("?", "not recorded")
    }
    switch line.change {
    case .changed:
      goodRuns = Self.runs(line.good, unlike: line.bad)
      badRuns = Self.runs(line.bad, unlike: line.good)
    case .same, .lost, .added, .unrecorded:
      goodRuns = [.init(runText: line.good, isMarked: line.change == .lost)]
      badRuns = [.init(runText: line.bad, isMarked: line.change == .added)]
    }
  }

  /// The members of a list that the other one lacks are marked, or the whole of any other value.
  private static func runs(_ text: String, unlike other: String) -> [DifferenceView.Run] {
    func members(_ text: String) -> [Substring] {
      text.split(separator: ",", maxSplits: 40, omittingEmptySubsequences: false)
    }
    func key(_ member: Substring) -> String { member.filter { $0 != " " }.lowercased() }
    let mine = members(text)
    let others = Set(members(other).map(key))
    guard mine.contains(where: { others.contains(key($0)) }) else {
      return [.init(runText: text, isMarked: true)]
    }
    var runs: [DifferenceView.Run] = []
    for (index, member) in mine.enumerated() {
      let isMarked = !others.contains(key(member))
      let bare = member.drop { $0 == " " }
      let lead = (index > 0 ? "," : "") + member.prefix(member.count - bare.count)
      if !lead.isEmpty { runs.append(.init(runText: lead, isMarked: false)) }
      runs.append(.init(runText: String(bare), isMarked: isMarked))
    }
    return runs
  }
}
