internal import HTTPExchange

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
  private let engine: Engine?

  /// - Parameter engine: the engine to judge every call by; `nil` takes the one of its user agent.
  public init(engine: Engine? = nil) {
    self.engine = engine
  }

  /// The verdict on a call.
  public mutating func evaluate(_ evidence: CallEvidence) -> Call {
    let question = Question(evidence: evidence)
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
}

/// The evidence of a call, equal to that of another one that must be judged alike.
private struct Question: Hashable {
  let evidence: CallEvidence

  static func == (left: Self, right: Self) -> Bool {
    let (first, second) = (left.evidence, right.evidence)
    guard first.hops.count == second.hops.count, first.origin.hasSameBytes(as: second.origin),
      first.engine == second.engine, first.kind == second.kind,
      first.hasReadableStoredResponse == second.hasReadableStoredResponse
    else { return false }
    return first.hops.indices.allSatisfy { index in
      isAlike(first.hops[index].preflight, second.hops[index].preflight)
        && isAlike(first.hops[index].request, second.hops[index].request)
    }
  }

  func hash(into hasher: inout Hasher) {
    // What tells calls apart most often; equality looks at the rest.
    hasher.combine(evidence.origin)
    hasher.combine(evidence.hops.count)
    hasher.combine(evidence.engine)
    hasher.combine(evidence.kind)
    for hop in evidence.hops {
      for exchange in [hop.preflight, hop.request] {
        guard let exchange else { continue }
        hasher.combine(exchange.status)
        hasher.combine(exchange.method.utf8.count)
        hasher.combine(exchange.url.host)
        hasher.combine(exchange.request.first(.accessControlRequestMethod))
        hasher.combine(exchange.request.first(.accessControlRequestHeaders))
        hasher.combine(exchange.request.first(.cookie)?.utf8.count)
        hasher.combine(exchange.response.first(.accessControlAllowOrigin))
        hasher.combine(exchange.response.first(.accessControlAllowHeaders)?.utf8.count)
      }
    }
  }

  private static func isAlike(_ left: Exchange?, _ right: Exchange?) -> Bool {
    guard let left, let right else { return left == nil && right == nil }
    return left.status == right.status && left.method.hasSameBytes(as: right.method)
      && (left.url.host ?? "").hasSameBytes(as: right.url.host ?? "")
      && (left.url.host == nil) == (right.url.host == nil) && left.url.scheme == right.url.scheme
      && left.url.port == right.url.port && left.httpVersion == right.httpVersion
      && isAlike(left.request, right.request) && isAlike(left.response, right.response)
  }

  private static func isAlike(_ left: MessageEvidence, _ right: MessageEvidence) -> Bool {
    guard left.coverage == right.coverage else { return false }
    let (first, second) = (left.fields, right.fields)
    var (one, other) = (0, 0)
    while true {
      while one < first.count, first[one].name.isForCausesOnly { one += 1 }
      while other < second.count, second[other].name.isForCausesOnly { other += 1 }
      guard one < first.count, other < second.count else {
        return one == first.count && other == second.count
      }
      guard first[one] == second[other] else { return false }
      one += 1
      other += 1
    }
  }
}

extension Call {
  /// The same verdict on another call.
  fileprivate func moved(to evidence: CallEvidence, as engine: Engine?) -> Call {
    var call = self
    call.exchanges = evidence.exchanges
    let first = call.exchanges[0].exchange
    call.time = first.time
    call.resolution = first.resolution
    call.url = first.url
    call.client = first.forwardedFor ?? first.client
    call.userAgent = first.userAgent
    if call.message != nil, let engine = engine ?? evidence.engine {
      call.message = consoleMessage(for: call, engine: engine)
    }
    return call
  }
}
