import Foundation

/// Scores of what cannot be right or wrong alone, shown when `POSTFLIGHT_SCORES` is set.
enum Scores {
  static func show(_ name: String, _ score: some CustomStringConvertible) {
    guard ProcessInfo.processInfo.environment["POSTFLIGHT_SCORES"] != nil else { return }
    print("score: \(name): \(score)")
  }
}
