internal import Foundation

/// How many files may be open at once.
enum OpenFiles {
  /// Inputs that no system's usual limit stands in the way of.
  static let fewFiles = 200

  /// Raises the soft limit to the hard one: nodes that log at the same time are read side by side.
  static func raiseLimit() {
    var limit = rlimit()
    // The C library reads and writes one value of the type that it asks for.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < limit.rlim_max
    else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
