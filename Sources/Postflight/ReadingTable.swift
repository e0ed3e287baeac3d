internal import FetchCORS
internal import HTTPExchange

/// What an exchange says by itself, read once for all that say the same.
final class ExchangeReading {
  /// The number that they have in common.
  let number: Int
  /// What it asked and was answered, as a preflight; `nil` when it is none.
  private(set) lazy var answer = PreflightAnswer(exchange)
  /// The header names that it asked for, as a preflight.
  private(set) lazy var askedNames = answer?.question.headerNames?.map { HeaderName($0) }

  private let exchange: Exchange
  private var outlooks = FewValues<Engine, OpenCall.PreflightOutlook>()
  private var headers = FewValues<Engine, ScriptHeaders>()
  private var modes = FewValues<Engine?, RequestModeEvidence>()
  private var traits = FewValues<Bool?, ExchangeTraits>()

  init(number: Int, _ exchange: Exchange) {
    self.number = number
    self.exchange = exchange
  }

  /// Whether a request may follow it in an engine, if it is a preflight.
  func outlook(_ engine: Engine) -> OpenCall.PreflightOutlook {
    if let known = outlooks[engine] { return known }
    // What fails without credentials fails with them as well.
    let findings = answer?.check(includesCredentials: false, engine: engine)
    let outlook: OpenCall.PreflightOutlook =
      findings.map { $0.passes ? .passes : $0.faults.isEmpty ? .doubtful : .refused } ?? .doubtful
    outlooks[engine] = outlook
    return outlook
  }

  /// The headers that script can have set.
  func scriptHeaders(_ engine: Engine) -> ScriptHeaders {
    if let known = headers[engine] { return known }
    let read = ScriptHeaders(exchange.request, engine: engine)
    headers[engine] = read
    return read
  }

  /// What it can be in a call.
  func traits(isBrowser: Bool?, _ origins: inout OriginTable) -> ExchangeTraits {
    if let known = traits[isBrowser] { return known }
    let read = ExchangeTraits(exchange, isBrowser: isBrowser, &origins)
    traits[isBrowser] = read
    return read
  }

  /// What it tells of its mode.
  func mode(_ engine: Engine?) -> RequestModeEvidence {
    if let known = modes[engine] { return known }
    let mode = RequestModeEvidence(exchange, engine: engine)
    modes[engine] = mode
    return mode
  }
}

/// Values of so few keys that looking at each of them takes less time than hashing one.
private struct FewValues<Key: Equatable, Value> {
  private var keys: [Key] = []
  private var values: [Value] = []

  /// The value of a key that has none yet is added.
  subscript(key: Key) -> Value? {
    get { keys.firstIndex(of: key).map { values[$0] } }
    set {
      guard let newValue else { return }
      keys.append(key)
      values.append(newValue)
    }
  }
}

/// The readings of the exchanges that come again and again.
struct ReadingTable {
  /// Readings that are remembered: real traffic has some hundreds, a flood any number.
  private static let limit = 2048

  /// Bytes of the exchanges that they are of.
  private static let byteLimit = 16 << 20

  private var readings: [Int: ExchangeReading] = [:]
  private var bytes = 0

  /// The reading of an exchange with that number.
  mutating func reading(_ number: Int, of exchange: Exchange) -> ExchangeReading {
    if let known = readings[number] { return known }
    if readings.count >= Self.limit || bytes > Self.byteLimit {
      readings.removeAll(keepingCapacity: true)
      bytes = 0
    }
    bytes += exchange.approximateBytesOnceRead
    let reading = ExchangeReading(number: number, exchange)
    readings[number] = reading
    return reading
  }
}
