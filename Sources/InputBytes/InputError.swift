/// Why an input could not be opened or read at all.
public struct InputError: Error, Equatable, CustomStringConvertible {
  /// The path as the user gave it.
  public var path: String
  /// What is wrong, in lower case without a full stop.
  public var reason: String

  /// An error of that path and reason.
  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// `PATH: REASON`.
  public var description: String { "\(path): \(reason)" }
}

/// Where an input stopped being readable: everything before it was delivered.
public struct InputDamage: Error, Equatable, Sendable {
  /// Bytes of the unpacked input that were delivered before.
  public var offset: UInt64
  /// What is wrong, in lower case without a full stop.
  public var what: String

  /// A damage behind so many bytes.
  public init(offset: UInt64, what: String) {
    self.offset = offset
    self.what = what
  }
}
