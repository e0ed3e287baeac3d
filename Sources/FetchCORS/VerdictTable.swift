public import HTTPExchange

/// Gives verdicts as ``evaluate(_:as:)`` does, and remembers them.
///
/// Traffic asks the same few questions again and again. Two calls are judged alike when everything
/// that evaluation reads is equal; what only causes read, and what names a call, may differ.
public struct VerdictTable {
  /// Verdicts that are remembered: real traffic has some dozens, a flood any number.
  private static let limit = 2048

  /// Bytes of all that are remembered.
  private static let byteLimit = 32 << 20

  private var bytes = 0
  private var verdicts: [Question: Call] = [:]
  private let classes = ExchangeClasses()
  private let engine: Engine?

  /// - Parameter engine: the engine to judge every call by; `nil` takes the one of its user agent.
  public init(engine: Engine? = nil) {
    self.engine = engine
  }

  /// The number of all exchanges that are judged as this one is; ``evaluate(_:)`` needs not ask for
  /// it again where the evidence holds it.
  public func number(of exchange: Exchange) -> Int { classes.number(of: exchange) }

  /// The verdict on a call.
  public mutating func evaluate(_ evidence: CallEvidence) -> Call {
    let question = question(evidence)
    if let known = verdicts[question] { return known.moved(to: evidence, as: engine) }
    let verdict = FetchCORS.evaluate(evidence, as: engine)
    if verdicts.count >= Self.limit || bytes > Self.byteLimit {
      verdicts.removeAll(keepingCapacity: true)
      bytes = 0
    }
    bytes += evidence.approximateBytes
    verdicts[question] = verdict
    return verdict
  }

  private func question(_ evidence: CallEvidence) -> Question {
    var question = Question(
      origin: evidence.origin, engine: evidence.engine, kind: evidence.kind,
      hasReadableStoredResponse: evidence.hasReadableStoredResponse)
    for (index, hop) in evidence.hops.enumerated() {
      let preflight = hop.preflight.map { hop.preflightNumber ?? classes.number(of: $0) }
      let request = hop.request.map { hop.requestNumber ?? classes.number(of: $0) }
      if index == 0 {
        question.preflight = preflight ?? 0
        question.request = request ?? 0
      } else {
        question.laterHops += [preflight ?? 0, request ?? 0]
      }
    }
    return question
  }
}

/// Everything that a verdict depends on.
private struct Question: Hashable {
  var origin: String
  var engine: Engine?
  var kind: CallKind
  var hasReadableStoredResponse: Bool
  /// The numbers of the first hop's exchanges; 0 where there is none.
  var preflight = 0
  var request = 0
  var laterHops: [Int] = []

  static func == (left: Self, right: Self) -> Bool {
    left.preflight == right.preflight && left.request == right.request
      && left.engine == right.engine && left.kind == right.kind
      && left.hasReadableStoredResponse == right.hasReadableStoredResponse
      && left.laterHops == right.laterHops && left.origin.hasSameBytes(as: right.origin)
  }

  func hash(into hasher: inout Hasher) {
    // The rest differs seldom where these do not.
    hasher.combine(preflight)
    hasher.combine(request)
    hasher.combine(laterHops.count)
  }
}

extension Call {
  /// The same verdict on another call.
  fileprivate func moved(to evidence: CallEvidence, as engine: Engine?) -> Call {
    var call = Call(as: self, exchanges: evidence.exchanges)
    if call.message != nil, let engine = engine ?? evidence.engine {
      call.message = consoleMessage(for: call, engine: engine)
    }
    return call
  }
}
