internal import FetchCORS
internal import HTTPExchange

/// One rule per reason that always applies, so that every blocked call has a cause.
enum FallbackCauses {
  static let rules: [CauseRule] = BlockedReason.allCases.map { rule(for: $0) }

  static func rule(for reason: BlockedReason) -> CauseRule {
    CauseRule(
      id: kebab(reason.rawValue), title: words(reason.rawValue).capitalizedFirst,
      needs: "nothing but the reason",
      applies: { symptoms, _ in symptoms.reason == reason ? .possible : nil },
      sentence: { context in
        "\(context.what.capitalizedFirst) failed at the step \"\(reason.standardStep.algorithm)\" of "
          + "the Fetch standard (\(words(reason.rawValue)), \(context.statusName))"
          + (context.parameter.isEmpty ? "" : ": \(context.parameter)") + "."
      },
      fix: { _ in
        "Compare the headers of the first bad call with what the standard's step asks for."
      })
  }

  /// `MissingAllowOriginHeader` as `missing-allow-origin-header`.
  static func kebab(_ name: String) -> String {
    words(name).replacing(" ", with: "-")
  }

  private static func words(_ name: String) -> String {
    var result = ""
    for character in name {
      if character.isUppercase, !result.isEmpty { result.append(" ") }
      result += character.lowercased()
    }
    return result
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
