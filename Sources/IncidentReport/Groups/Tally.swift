internal import FetchCORS
internal import HTTPExchange

/// An instant with the exchange that bore it, so that two are never equal by chance.
struct Moment: Hashable, Comparable {
  var time: EventTime
  var resolution: TimeResolution
  var id: ExchangeID

  var text: String { time.rfc3339(resolution) }

  static func < (left: Self, right: Self) -> Bool {
    left.time != right.time ? left.time < right.time : left.id < right.id
  }
}

extension Moment {
  /// When a call began; `nil` for a call without exchanges.
  init?(_ call: Call) {
    guard let first = call.exchanges.first else { return nil }
    self.init(time: call.time, resolution: call.resolution, id: first.exchange.id)
  }
}

/// How many different things were seen: exact up to a limit, then "at least".
struct DistinctCount: Hashable {
  /// Bytes that one text costs: a hash in a table that is between three eighths and three quarters
  /// full.
  static let bytesPerText = 22

  let limit: Int
  private var seen: Set<UInt64> = []
  private(set) var isSaturated = false

  init(limit: Int) {
    self.limit = limit
  }

  var count: Int { isSaturated ? limit : seen.count }

  var text: String { (isSaturated ? "at least " : "") + DisplayText.grouped(count) }

  mutating func insert(_ text: String) {
    guard !isSaturated else { return }
    insert(hash: Self.hash(text))
  }

  private mutating func insert(hash: UInt64) {
    seen.insert(hash)
    guard seen.count > limit else { return }
    isSaturated = true
    seen = []
  }

  mutating func merge(_ other: DistinctCount) {
    if other.isSaturated {
      isSaturated = true
      seen = []
    }
    for hash in other.seen {
      guard !isSaturated else { return }
      insert(hash: hash)
    }
  }

  /// FNV-1a: the same in every process, so that partial results can be merged.
  static func hash(_ text: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return hash
  }
}

/// A few different texts, each with its count; further ones are added up.
struct CountedTexts: Hashable {
  let limit: Int
  private(set) var counts: [String: UInt64] = [:]
  private(set) var others: UInt64 = 0

  init(limit: Int) {
    self.limit = limit
  }

  mutating func add(_ text: String, _ count: UInt64 = 1) {
    if let known = counts[text] {
      counts[text] = known &+ count
    } else if counts.count < limit {
      counts[text] = count
    } else {
      others &+= count
    }
  }

  /// The most frequent first, then by name.
  var ranked: [(text: String, count: UInt64)] {
    counts.map { (text: $0.key, count: $0.value) }
      .sorted { $0.count != $1.count ? $0.count > $1.count : $0.text < $1.text }
  }
}

/// Which engines callers had.
struct EngineCounts: Hashable {
  static let names = ["chromium", "firefox", "webkit", "unknown"]
  private(set) var counts: [UInt64] = [0, 0, 0, 0]

  mutating func add(_ engine: String) {
    counts[Self.names.firstIndex(of: engine) ?? 3] &+= 1
  }

  mutating func merge(_ other: EngineCounts) {
    for index in counts.indices { counts[index] &+= other.counts[index] }
  }

  var present: [(name: String, count: UInt64)] {
    zip(Self.names, counts).filter { $0.1 > 0 }.map { (name: $0.0, count: $0.1) }
  }
}

/// One call of an incident, as a report shows it.
struct CallSample: Hashable, Comparable {
  var moment: Moment
  var method: String
  var url: String
  var client: String
  var engine: String
  var preflight: Place?
  var response: Place?
  var message: String?

  /// Where an exchange stands in the evidence, and how it was answered.
  struct Place: Hashable {
    var id: ExchangeID
    var status: Int?
  }

  init?(_ call: Call) {
    guard let moment = Moment(call) else { return nil }
    self.moment = moment
    method = DisplayText.visible(call.method, limit: 30)
    url = DisplayText.visible(call.url.description, limit: 200)
    client = DisplayText.visible(call.client, limit: 60)
    engine = DisplayText.visible(call.engine, limit: 20)
    preflight = call.preflight.map { Place(id: $0.id, status: $0.status) }
    response = call.request.map { Place(id: $0.id, status: $0.status) }
    message = call.message.map { DisplayText.visible($0, limit: 500) }
  }

  static func < (left: Self, right: Self) -> Bool { left.moment < right.moment }
}

/// What is counted of a set of calls.
///
/// Merging is associative and commutative.
struct Tally: Hashable {
  static let maximumSamples = 3
  /// Clients that are told apart in one incident.
  static let maximumClients = 500

  private(set) var count: UInt64 = 0
  private(set) var clients = DistinctCount(limit: maximumClients)
  private(set) var engines = EngineCounts()
  private(set) var first: Moment?
  private(set) var last: Moment?
  /// The earliest ones.
  private(set) var samples: [CallSample] = []
  private(set) var methods: Set<String> = []
  private(set) var parameters: Set<String> = []

  init() {}

  mutating func add(_ call: Call) {
    count &+= 1
    clients.insert(call.client)
    engines.add(call.engine)
    guard let moment = Moment(call) else { return }
    if first.map({ moment < $0 }) ?? true { first = moment }
    if last.map({ moment > $0 }) ?? true { last = moment }
    if samples.count < Self.maximumSamples || samples.last.map({ moment < $0.moment }) ?? true,
      let sample = CallSample(call)
    {
      keep([sample])
    }
    Self.keep(DisplayText.visible(call.method, limit: 30), in: &methods)
    if let parameter = call.parameter {
      Self.keep(DisplayText.visible(parameter, limit: 80), in: &parameters)
    }
  }

  mutating func merge(_ other: Tally) {
    count &+= other.count
    clients.merge(other.clients)
    engines.merge(other.engines)
    if let moment = other.first, first.map({ moment < $0 }) ?? true { first = moment }
    if let moment = other.last, last.map({ moment > $0 }) ?? true { last = moment }
    keep(other.samples)
    for method in other.methods { Self.keep(method, in: &methods) }
    for parameter in other.parameters { Self.keep(parameter, in: &parameters) }
  }

  private mutating func keep(_ more: [CallSample]) {
    for sample in more where !samples.contains(where: { $0.moment == sample.moment }) {
      samples.append(sample)
    }
    samples.sort()
    samples.removeLast(max(0, samples.count - Self.maximumSamples))
  }

  /// Keeps the eight smallest texts: which ones does not depend on the order of arrival.
  private static func keep(_ text: String, in set: inout Set<String>) {
    guard !set.contains(text) else { return }
    set.insert(text)
    if set.count > 8, let largest = set.max() { set.remove(largest) }
  }
}
