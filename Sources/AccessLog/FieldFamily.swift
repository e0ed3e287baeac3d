internal import HTTPExchange

/// What is known of the header fields of a log whose lines leave out what is not there.
///
/// A member that a line does not have may be absent from the message, or may never be logged. It
/// counts as absent only when other lines of the same producer have it, and when that producer is
/// not one that writes absent members as `null` or empty: then a line without it is of another kind.
struct FieldFamily: Sendable {
  /// What tells producers apart: the names of the members that are in every line.
  let key: [UInt8]
  /// Whether some line had a member that says that there is no value.
  private(set) var isExplicit = false
  private(set) var request: [HeaderName: Fidelity] = [:]
  private(set) var response: [HeaderName: Fidelity] = [:]
  private(set) var requestCoverage = Coverage.only([:])
  private(set) var responseCoverage = Coverage.only([:])

  init(key: [UInt8] = []) {
    self.key = key
  }

  /// Whether a line that does not have the field says that it was absent.
  var recordsOrigin: Bool { !isExplicit && request[.origin] != nil }

  /// Notes that a line had a field of the request.
  mutating func see(request name: HeaderName, _ fidelity: Fidelity) {
    guard request[name] == nil else { return }
    request[name] = fidelity.union(.absentOrEmpty)
    requestCoverage = .only(request)
  }

  /// Notes that a line had a field of the response.
  mutating func see(response name: HeaderName, _ fidelity: Fidelity) {
    guard response[name] == nil else { return }
    response[name] = fidelity.union(.absentOrEmpty)
    responseCoverage = .only(response)
  }

  /// Notes that a line had a member without a value.
  mutating func seeExplicitAbsence() {
    isExplicit = true
  }
}
