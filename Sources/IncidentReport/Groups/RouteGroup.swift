internal import Bytes
internal import FetchCORS
internal import HTTPExchange

/// Calls of one route with the same symptoms.
final class Finding {
  let number: UInt32
  let symptoms: Symptoms
  var tally = Tally()
  /// The first of the calls, as far as it may be held.
  var first: Call
  var firstMoment: Moment
  var lastMoment: Moment
  /// How many calls of the route had passed when the last of the calls came.
  var goodUntilLast: UInt64 = 0
  /// The last good call before ``first``.
  var lastGood: HeldCall?
  /// The first good call after the last of the calls.
  var goodAfter: HeldCall?
  /// Blocked calls over time.
  var series = CallSeries()
  /// Where the present run of blocked calls began, and where the longest one did.
  private(set) var run: Run
  private(set) var peak: Run

  /// A run of blocked calls: its height grows with each and falls with good ones between them.
  struct Run {
    var first: Call
    var moment: Moment
    var lastGood: HeldCall?
    var height: Double
  }

  /// What a good call takes from the height of a run: runs are kept where more than one call in
  /// eleven is blocked.
  static let fall = 0.1
  private var goodBefore: UInt64 = 0

  init(number: UInt32, symptoms: Symptoms, first: Call, moment: Moment) {
    self.number = number
    self.symptoms = symptoms
    self.first = first
    firstMoment = moment
    lastMoment = moment
    run = Run(first: first, moment: moment, lastGood: nil, height: 0)
    peak = run
  }

  /// Whether the last good call before the first one did not have the refused header.
  var passedWithoutParameter: Bool {
    guard let name = symptoms.parameter, let good = lastGood?.call else { return false }
    let asked =
      good.preflight?.request.first(.accessControlRequestHeaders)?.asciiLowercased
      .split { $0 == "," || $0 == " " } ?? []
    return !asked.contains { $0 == name }
      && !(good.request?.request.contains(HeaderName(name)) ?? false)
  }

  /// Takes note of a blocked call in the order of time.
  ///
  /// - Parameters:
  ///   - footprint: that of the call.
  ///   - good: how many calls of the route have passed so far.
  ///   - lastGood: the last of them that can be compared with the call.
  /// - Returns: bytes that are held in addition.
  func rise(
    _ call: Call, footprint: Int, _ moment: Moment, good: UInt64, lastGood: HeldCall?
  ) -> Int {
    let height = run.height - Self.fall * Double(good &- goodBefore)
    goodBefore = good
    var growth = 0
    if height > 0 {
      run.height = height + 1
    } else {
      var held = first
      if moment != firstMoment {
        growth = min(footprint, 128 << 10)
        held = call.bounded(footprint: footprint)
      }
      run = Run(first: held, moment: moment, lastGood: lastGood, height: 1)
    }
    if run.height > peak.height { peak = run }
    return growth
  }
}

/// All calls of one origin to one route of one host, counted.
final class RouteGroup {
  /// Symptoms that are told apart in one route; further ones share one group per reason.
  static let maximumFindings = 48
  /// Methods whose last good calls are held.
  static let maximumMethods = 8
  /// Names of requested headers that are held.
  static let maximumHeaders = 64

  let key: [UInt8]
  let hash: Int
  let origin: String
  let host: String
  let route: String
  /// The route as it was known when all traffic was.
  var template: String
  var calls: UInt64 = 0
  var allowed: UInt64 = 0
  var blocked: UInt64 = 0
  var undetermined: UInt64 = 0
  /// Actual responses of 2xx that named an allowed origin.
  var goodResponses: UInt64 = 0
  /// Preflights that passed and were followed by their request.
  var passedPreflights: UInt64 = 0
  /// Preflights that passed and were followed by nothing.
  var lonelyPreflights: UInt64 = 0
  /// Preflights of undetermined calls that were followed by their request.
  var followedPreflights: UInt64 = 0
  /// Calls that carried credentials.
  var credentialed: UInt64 = 0
  /// Calls whose mode is proved to be `cors`.
  var corsMode: UInt64 = 0
  /// Calls that an error answered and that passed all the same.
  var allowedErrors: UInt64 = 0
  var grantedHeaders: Set<String> = []
  /// Headers that blocked or undetermined calls asked for.
  private(set) var askedHeaders: Set<String> = []
  private(set) var methods: Set<String> = []
  private var lastMethod = ""
  /// Calls that were allowed or blocked, over time.
  private(set) var judged = CallSeries()
  private var lastRequestedHeaders = ""
  private var lastRefusedHeaders = ""
  private(set) var findings: [Symptoms: Finding] = [:]
  /// The last good call of each method, and the last one that had a preflight.
  private var good: [HeldCall] = []
  private var goodPreflights: [HeldCall] = []
  private var awaitingGood = 0
  /// Bytes of samples held, roughly.
  private(set) var bytes: Int

  init(key: [UInt8], hash: Int) {
    self.key = key
    self.hash = hash
    let parts = Self.parts(of: key)
    origin = parts.origin
    host = parts.host
    route = parts.route
    template = parts.route
    bytes = key.count * 2 + 600 + CallSeries.maximumBytes
  }

  /// The texts that a key holds.
  static func parts(of key: [UInt8]) -> (origin: String, host: String, route: String) {
    let parts = key.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    return (parts[0], parts.count > 1 ? parts[1] : "", parts.count > 2 ? parts[2] : "")
  }

  /// Counts a call, and returns its finding unless it was allowed.
  ///
  /// - Parameter footprint: that of the call.
  func add(_ call: Call, footprint: Int, nextNumber: inout UInt32) -> Finding? {
    calls &+= 1
    if call.method != lastMethod, methods.count < Self.maximumMethods * 2 {
      lastMethod = call.method
      if call.method.utf8.count <= 60 { methods.insert(call.method) }
    }
    if call.credentials == .include { credentialed &+= 1 }
    if call.mode == .cors { corsMode &+= 1 }
    switch call.verdict {
    case .allowed:
      allowed &+= 1
      judged.add(call.time)
      noteGood(call, footprint: footprint)
      return nil
    case .blocked:
      blocked &+= 1
      judged.add(call.time)
    case .undetermined: undetermined &+= 1
    case .contradicted: return nil
    }
    if call.verdict == .undetermined, let status = call.preflight?.status,
      (200...299).contains(status)
    {
      switch call.kind {
      case .preflightOnly: lonelyPreflights &+= 1
      case .preflighted: followedPreflights &+= 1
      default: break
      }
    }
    return note(call, footprint: footprint, nextNumber: &nextNumber)
  }

  private func noteGood(_ call: Call, footprint: Int) {
    let held = HeldCall(call, footprint: footprint)
    keep(held, in: &good)
    let exchanges = call.exchanges
    for index in exchanges.indices {
      switch exchanges[index].role {
      case .preflight:
        passedPreflights &+= 1
        if let names = exchanges[index].exchange.request.first(.accessControlRequestHeaders),
          names != lastRequestedHeaders, names.utf8.count <= 4096
        {
          lastRequestedHeaders = names
          Self.insert(names, into: &grantedHeaders)
        }
        keep(held, in: &goodPreflights)
      case .request:
        guard let status = exchanges[index].exchange.status else { continue }
        if status >= 400 { allowedErrors &+= 1 }
        if (200...299).contains(status),
          exchanges[index].exchange.response.contains(.accessControlAllowOrigin)
        {
          goodResponses &+= 1
        }
      }
    }
    guard awaitingGood > 0 else { return }
    for finding in findings.values
    where finding.goodAfter == nil && finding.symptoms.verdict == .blocked {
      guard isComparable(held.call, to: finding.first) else { continue }
      finding.goodAfter = held
      bytes &+= held.size
      awaitingGood -= 1
    }
  }

  /// Adds the members of a list of header names.
  private static func insert(_ names: String, into set: inout Set<String>) {
    for name in names.split(separator: ",") where set.count < maximumHeaders {
      let text = String(name.filter { $0 != " " }).asciiLowercased
      if text.utf8.count <= 100 { set.insert(text) }
    }
  }

  /// What the last good preflights were answered with, by method.
  var goodPreflightAnswers: [MessageEvidence] {
    goodPreflights.compactMap { $0.call.preflight?.response }
  }

  /// Whether a good call shows how a blocked one should have gone.
  private func isComparable(_ good: Call, to bad: Call) -> Bool {
    good.method == bad.method
      && (bad.phase != .preflight || good.preflight != nil || good.kind == .cached)
  }

  private func keep(_ held: HeldCall, in list: inout [HeldCall]) {
    for index in list.indices where list[index].call.method == held.call.method {
      bytes &+= held.size - list[index].size
      list[index] = held
      return
    }
    guard list.count < Self.maximumMethods else { return }
    bytes &+= held.size
    list.append(held)
  }

  private func note(
    _ call: Call, footprint: Int, nextNumber: inout UInt32
  ) -> Finding? {
    guard let moment = Moment(call) else { return nil }
    if let names = call.preflight?.request.first(.accessControlRequestHeaders),
      names != lastRefusedHeaders, names.utf8.count <= 4096
    {
      lastRefusedHeaders = names
      Self.insert(names, into: &askedHeaders)
    }
    var symptoms = Symptoms(call)
    if findings[symptoms] == nil, findings.count >= Self.maximumFindings {
      symptoms = Symptoms(overflowOf: symptoms)
    }
    if let finding = findings[symptoms] {
      let clients = finding.tally.clients.count
      finding.tally.add(call)
      bytes &+= (finding.tally.clients.count - clients) * DistinctCount.bytesPerText
      rise(finding, call, footprint, moment)
      if moment > finding.lastMoment {
        finding.lastMoment = moment
        finding.goodUntilLast = allowed
        if finding.goodAfter != nil {
          finding.goodAfter = nil
          awaitingGood += 1
        }
      }
      return finding
    }
    let finding = Finding(
      number: nextNumber, symptoms: symptoms, first: call.bounded(footprint: footprint),
      moment: moment)
    nextNumber &+= 1
    finding.goodUntilLast = allowed
    finding.tally.add(call)
    if call.verdict == .blocked {
      finding.lastGood = lastGood(before: call)
      awaitingGood += 1
      rise(finding, call, footprint, moment)
    }
    bytes &+= min(footprint, 128 << 10) &+ 1500 &+ CallSeries.maximumBytes
    findings[symptoms] = finding
    return finding
  }

  /// Lets go of all samples; counts stay.
  func release() {
    findings = [:]
    good = []
    goodPreflights = []
    grantedHeaders = []
    askedHeaders = []
    awaitingGood = 0
  }

  private func rise(
    _ finding: Finding, _ call: Call, _ footprint: Int, _ moment: Moment
  ) {
    guard call.verdict == .blocked else { return }
    finding.series.add(call.time)
    bytes &+= finding.rise(
      call, footprint: footprint, moment, good: allowed, lastGood: lastGood(before: call))
  }

  /// The last good call that shows how a blocked one should have gone: one with a preflight for a
  /// preflight if there was one, of the same method if there was one.
  private func lastGood(before call: Call) -> HeldCall? {
    let isPreflight = call.phase == .preflight
    return (isPreflight ? goodPreflights.first { $0.call.method == call.method } : nil)
      ?? good.first { $0.call.method == call.method }
      ?? good.max { $0.call.time < $1.call.time }
  }

  /// What the last good call of a route looked like, whatever its method.
  var anyGood: Call? { good.last?.call }
}

/// Routes by key, bounded in number and bytes.
struct RouteTable {
  private var slots: [Int32]
  private(set) var groups: [RouteGroup] = []
  private let limit: Int
  private let byteLimit: Int
  private var bytes = 0

  init(limit: Int, byteLimit: Int) {
    self.limit = limit
    self.byteLimit = byteLimit
    slots = [Int32](repeating: -1, count: 64)
  }

  /// The group of a key; `nil` when there is none yet.
  func group(for key: [UInt8]) -> RouteGroup? {
    let hash = Self.hash(key)
    var slot = hash & (slots.count - 1)
    while slots[slot] >= 0 {
      let group = groups[Int(slots[slot])]
      if group.hash == hash, group.key == key { return group }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  private static func hash(_ key: [UInt8]) -> Int {
    Int(truncatingIfNeeded: key.withByteView { ByteHash.secretly($0) })
  }

  /// Makes the group of a key that has none.
  ///
  /// - Parameter fold: what becomes of each group that has to go to make room.
  mutating func insert(_ key: [UInt8], fold: (RouteGroup) -> Void) -> RouteGroup {
    let hash = Self.hash(key)
    if groups.count >= limit { sweep(fold) }
    let group = RouteGroup(key: key, hash: hash)
    groups.append(group)
    bytes &+= group.bytes
    if groups.count * 2 > slots.count {
      rebuild(slotCount: slots.count * 2)
    } else {
      insert(groups.count - 1)
    }
    return group
  }

  /// Takes note of what a group's samples have grown by.
  mutating func account(_ growth: Int, fold: (RouteGroup) -> Void) {
    bytes &+= growth
    if bytes > byteLimit, groups.count > 1 { sweep(fold) }
  }

  private mutating func insert(_ index: Int) {
    var slot = groups[index].hash & (slots.count - 1)
    while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = Int32(index)
  }

  private mutating func rebuild(slotCount: Int) {
    slots = [Int32](repeating: -1, count: slotCount)
    for index in groups.indices { insert(index) }
  }

  /// Lets go of the half with the fewest calls; of equals, those that came last go first.
  ///
  /// So an incident that grows is kept whatever noise comes with it.
  private mutating func sweep(_ fold: (RouteGroup) -> Void) {
    let order = groups.indices.sorted {
      groups[$0].calls != groups[$1].calls ? groups[$0].calls > groups[$1].calls : $0 < $1
    }
    let keptCount = max(1, groups.count / 2)
    for index in order[keptCount...] { fold(groups[index]) }
    groups = order[..<keptCount].sorted().map { groups[$0] }
    bytes = groups.reduce(0) { $0 &+ $1.bytes }
    rebuild(slotCount: slots.count)
  }
}
