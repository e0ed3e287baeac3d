internal import FetchCORS
internal import HTTPExchange

/// Preflights that were read, by what they asked and were answered.
///
/// Pages ask the same few questions again and again: each is read and checked once.
struct PreflightTable {
  /// What one preflight comes to.
  final class Reading {
    let answer: PreflightAnswer?
    /// The header names that it asked for.
    let askedNames: [HeaderName]?
    private var outlooks: [Engine: OpenCall.PreflightOutlook] = [:]

    init(_ preflight: Exchange) {
      answer = PreflightAnswer(preflight)
      askedNames = answer?.question.headerNames?.map { HeaderName($0) }
    }

    /// Whether a request may follow it in an engine.
    func outlook(_ engine: Engine) -> OpenCall.PreflightOutlook {
      if let known = outlooks[engine] { return known }
      // What fails without credentials fails with them as well.
      let findings = answer?.check(includesCredentials: false, engine: engine)
      let outlook: OpenCall.PreflightOutlook =
        findings.map { $0.passes ? .passes : $0.faults.isEmpty ? .doubtful : .refused } ?? .doubtful
      outlooks[engine] = outlook
      return outlook
    }
  }

  private struct Key: Hashable {
    var status: Int?
    var httpVersion: String?
    var request: MessageEvidence
    var response: MessageEvidence

    static func == (left: Key, right: Key) -> Bool {
      left.status == right.status && left.httpVersion == right.httpVersion
        && left.request == right.request && left.response == right.response
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(status)
      hasher.combine(request.first(.origin))
      hasher.combine(request.first(.accessControlRequestHeaders))
      hasher.combine(response.first(.accessControlAllowOrigin))
    }
  }

  /// Preflights that are remembered: real traffic has some dozens, a flood any number.
  private static let limit = 2048

  /// Bytes of all that are remembered.
  private static let byteLimit = 16 << 20

  private var bytes = 0
  private var readings: [Key: Reading] = [:]

  /// Reads a preflight, or remembers how one like it was read.
  mutating func read(_ preflight: Exchange) -> Reading {
    let key = Key(
      status: preflight.status, httpVersion: preflight.httpVersion,
      request: Self.deciding(preflight.request), response: Self.deciding(preflight.response))
    if let known = readings[key] { return known }
    if readings.count >= Self.limit || bytes > Self.byteLimit {
      readings.removeAll(keepingCapacity: true)
      bytes = 0
    }
    bytes += preflight.approximateBytes
    let reading = Reading(preflight)
    readings[key] = reading
    return reading
  }

  /// The message without what differs from one preflight to the next and decides nothing.
  private static func deciding(_ message: MessageEvidence) -> MessageEvidence {
    guard message.fields.contains(where: { $0.name.isForCausesOnly }) else { return message }
    var message = message
    message.fields.removeAll { $0.name.isForCausesOnly }
    return message
  }
}
