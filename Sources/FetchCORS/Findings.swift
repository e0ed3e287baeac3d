/// Something in a response that makes a browser refuse it.
public struct Fault: Hashable, Sendable {
  /// The kind of fault.
  public var reason: BlockedReason
  /// The method, header name or value that failed.
  public var parameter: String?

  /// A fault of that kind.
  public init(_ reason: BlockedReason, _ parameter: String? = nil) {
    self.reason = reason
    self.parameter = parameter
  }
}

/// What the checks of one response found in one world.
///
/// A response passes when there is no fault and nothing is missing.
public struct Findings: Hashable, Sendable {
  /// Certain faults, in the order in which the engine meets them.
  public var faults: [Fault] = []
  /// Facts that the evidence does not hold and that could bring a fault.
  public var missing: [String] = []
  /// What was taken for granted where no fault was found.
  public var assumes: [String] = []

  /// Nothing was found.
  public init() {}

  /// Whether the response passes for certain, assumptions granted.
  public var passes: Bool { faults.isEmpty && missing.isEmpty }

  mutating func fail(_ reason: BlockedReason, _ parameter: String? = nil) {
    faults.append(Fault(reason, parameter))
  }

  mutating func miss(_ fact: String) {
    if !missing.contains(fact) { missing.append(fact) }
  }

  mutating func assume(_ assumption: String) {
    if !assumes.contains(assumption) { assumes.append(assumption) }
  }

  mutating func merge(_ other: Findings) {
    if !other.faults.isEmpty { faults += other.faults }
    for fact in other.missing { miss(fact) }
    for assumption in other.assumes { assume(assumption) }
  }
}

/// Names of what a verdict can take for granted.
public enum Assumption {
  /// No cookie and no other sign of credentials was seen, so the request carried none.
  public static let notCredentialed = "not-credentialed"
  /// The one line that the source shows of a field is the only one.
  public static let singleLine = "single-line"
}

/// Names of what a verdict can lack, besides the names of header fields.
public enum MissingFact {
  /// Whether it was sent with credentials.
  public static let credentials = "credentials"
  /// Whether it was a request in the mode `cors`.
  public static let requestMode = "request-mode"
  /// Whether the page follows redirects.
  public static let redirectMode = "redirect-mode"
  /// What came after a preflight that passed.
  public static let actualRequest = "actual-request"
  /// Whether it crossed origins at all.
  public static let crossOrigin = "cross-origin"
  /// Whose rules hold.
  public static let engine = "engine"
  /// The response.
  public static let response = "response"
  /// The stored response that an answer of 304 refreshed.
  public static let storedResponse = "stored-response"
  /// Which headers script set.
  public static let requestHeaders = "request-headers"
  /// The origin of the page.
  public static let origin = "origin"
  /// The path that was asked for: a pattern of paths stands in its place.
  public static let path = "path"
  /// The version of HTTP on the wire.
  public static let httpVersion = "http-version"
}
