internal import HTTPExchange

/// Joins what several vantage points recorded of one exchange: an edge and an application, a
/// capture and a log, the two sides of a sidecar, two copies of one file.
///
/// Exchanges pass in the order of time and are held for a moment, so that the fullest record of
/// each can be chosen. The rules are those of ``Sighting``; of two equal exchanges from one vantage
/// point both count. Whether two vantage points see the same traffic is judged by what they have
/// seen so far and in the moment that follows: calls that only look alike, as those of two nodes
/// behind a balancer, are counted apart, and that is said.
///
/// What comes out depends on the exchanges and their order alone, not on files or arguments.
struct VantageJoin {
  /// Nanoseconds of event time in which an exchange is held.
  static let hold: Int64 = 1_500_000_000
  /// Exchanges that are held at once; more are given out early.
  static let maximumHeld = 4096
  /// Nanoseconds after its end in which an exchange that was given out is remembered, so that a
  /// copy that is stamped later, as slow ones are by their end, is still known for one.
  static let memory: Int64 = 10_000_000_000
  /// Nanoseconds after its time for which it is remembered at most.
  static let longestMemory: Int64 = 70_000_000_000
  /// Exchanges that are held or remembered at once.
  static let maximumRemembered = 16_384
  /// Bytes of them, roughly; an ordinary one has some 2 KB, a hostile one a hundred times that.
  ///
  /// Beyond them what was given out is forgotten, and what is held given out early.
  static let maximumBytes = 64 << 20

  /// An exchange that is held or remembered.
  private struct Entry {
    let exchange: Exchange
    let vantage: Int
    var group: Int?
    /// The number of its input, as ``TwinTable`` has it.
    var input: Int?
    /// Whether it was found to look like one of another input.
    var hasTwin = false
    let expiry: EventTime
    let size: Int
  }

  /// Records that may be of one exchange.
  private struct Group {
    /// In the order in which they came.
    var members: [Member]
    /// The number of the one that counts, once that is decided.
    var chosen: Int?
  }

  private struct Member {
    let number: Int
    let vantage: Int
    /// By what it is a copy of the first; `nil` for that.
    let rule: Sighting.Rule?
    /// Whether it is one, once that is decided.
    var isCopy: Bool?
  }

  /// Those that are remembered, then those that are held.
  private var entries: [Entry?] = []
  /// The number of the first entry that is kept in ``entries``.
  private var base = 0
  /// The number of the first that is remembered, of the first that is held, and of the next.
  private var first = 0
  private var head = 0
  private var end = 0
  /// Bytes of what is held or remembered.
  private var bytes = 0
  private var now = EventTime(nanoseconds: .min)
  private var isAtEnd = false

  /// By the number of their first member.
  private var groups: [Int: Group] = [:]
  private var vantages = VantageTable()
  private var overlaps = OverlapTable()
  private var twins = TwinTable()
  private var byRequest = RecentTable()
  private var byCall = RecentTable()
  /// By method and target alone, once an input may show a proxy in place of its clients.
  private var byTarget = RecentTable()
  /// Whether there can be copies that share no request id; until then nothing is looked up.
  private var indexesCalls = false

  /// Records that do not count, since another of the same exchange does.
  private(set) var joined: UInt64 = 0
  /// Exchanges that look like another vantage point's and count by themselves.
  private(set) var doubtful: UInt64 = 0

  /// Which inputs look like the same traffic seen twice, and were counted twice.
  var twinSentences: [String] { twins.sentences }

  /// Takes the next exchange.
  mutating func add(_ exchange: Exchange) {
    let time = exchange.time
    if time > now { now = time }
    let vantage = vantages.vantage(of: exchange)
    let number = end
    let size = exchange.approximateBytes
    entries.append(
      Entry(
        exchange: exchange, vantage: vantage, input: twins.see(exchange),
        expiry: min(
          max(time, exchange.endedAt ?? time).advanced(by: Self.memory),
          time.advanced(by: Self.longestMemory)),
        size: size))
    bytes += size
    end += 1
    let looksAlike = vantages.mayHoldCopies
    if looksAlike {
      if !indexesCalls {
        indexesCalls = true
        for earlier in first..<number { index(earlier) }
      }
      overlaps.see(vantage)
    }
    var isLinked = false
    if let id = exchange.requestID, !id.isEmpty {
      let key = RecentTable.key(of: id)
      isLinked = link(number, among: byRequest.numbers(key))
      byRequest.insert(key, number)
    }
    guard looksAlike else { return }
    if !isLinked {
      let (peer, forwarded) = Self.callKeys(exchange)
      let candidates = byCall.numbers(peer) + (forwarded.map(byCall.numbers) ?? [])
      if !link(number, among: candidates) {
        noteTwin(number, among: candidates, ofOtherClients: false)
        if twins.mayHideClients { noteProxied(number) }
      }
    }
    index(number)
  }

  /// Looks for a line of another input that cannot be joined and looks alike, each for one at most.
  private mutating func noteTwin(
    _ number: Int, among candidates: [Int], ofOtherClients: Bool
  ) {
    guard let own = entry(number), let input = own.input, !own.hasTwin else { return }
    var best: (number: Int, input: Int, offset: Int64)?
    for candidate in candidates where candidate != number {
      guard let other = entry(candidate), !other.hasTwin, other.group == nil,
        let otherInput = other.input,
        !ofOtherClients || twins.differInClients(otherInput, input),
        let offset = Sighting.offset(
          from: other.exchange, to: own.exchange, ofOtherClients: ofOtherClients)
      else { continue }
      if best.map({ offset.magnitude < $0.offset.magnitude }) ?? true {
        best = (candidate, otherInput, offset)
      }
    }
    guard let best else { return }
    entries[best.number - base]?.hasTwin = true
    entries[number - base]?.hasTwin = true
    twins.match(best.input, input, offset: best.offset, ofOtherClients: ofOtherClients)
  }

  /// Looks for a line of another input that is the same but for the client: a proxy logged the
  /// browser's address, and what stands behind it the proxy's.
  private mutating func noteProxied(_ number: Int) {
    guard let exchange = entry(number)?.exchange else { return }
    let key = Self.targetKey(exchange)
    noteTwin(number, among: byTarget.numbers(key), ofOtherClients: true)
    byTarget.insert(key, number)
  }

  /// The next exchange that counts; `nil` when more must come first.
  mutating func next() -> Exchange? {
    if bytes > Self.maximumBytes { forget() }
    while head < end {
      guard let entry = entry(head) else { return nil }
      guard
        isAtEnd || end - head > Self.maximumHeld || bytes > Self.maximumBytes
          || entry.exchange.time.advanced(by: Self.hold) < now
      else { return nil }
      head += 1
      let exchange = entry.group == nil ? entry.exchange : decided(head - 1, entry)
      forget()
      if let exchange { return exchange }
    }
    return nil
  }

  /// Nothing more will come.
  mutating func finish() {
    isAtEnd = true
  }

  private func entry(_ number: Int) -> Entry? {
    number >= first && number < end ? entries[number - base] : nil
  }

  /// Forgets what was given out and is too old to be met again.
  private mutating func forget() {
    while first < head, let entry = entries[first - base],
      entry.expiry < now || end - first > Self.maximumRemembered || bytes > Self.maximumBytes
    {
      bytes -= entry.size
      entries[first - base] = nil
      first += 1
      if let key = entry.group, let last = groups[key]?.members.last, last.number < first {
        groups[key] = nil
      }
    }
    if first - base > 1024, (first - base) * 2 > entries.count {
      entries.removeFirst(first - base)
      base = first
    }
  }

  // MARK: Finding copies

  private mutating func index(_ number: Int) {
    guard let exchange = entry(number)?.exchange else { return }
    let (peer, forwarded) = Self.callKeys(exchange)
    byCall.insert(peer, number)
    if let forwarded { byCall.insert(forwarded, number) }
  }

  /// What two records of one exchange have in common: method, target, and the client, which may be
  /// the peer of one hop and forwarded to the next.
  private static func callKeys(_ exchange: Exchange) -> (peer: UInt64, forwarded: UInt64?) {
    let call = targetKey(exchange)
    return (
      call &* 31 ^ RecentTable.key(of: exchange.client),
      exchange.forwardedFor.map { call &* 31 ^ RecentTable.key(of: $0) }
    )
  }

  private static func targetKey(_ exchange: Exchange) -> UInt64 {
    RecentTable.key(of: exchange.method) &* 31 ^ RecentTable.key(of: exchange.url.target)
  }

  /// Joins an exchange to the nearest earlier one of which it may be a copy.
  @discardableResult
  private mutating func link(_ number: Int, among candidates: [Int]) -> Bool {
    guard !candidates.isEmpty, let own = entry(number) else { return false }
    var best: (number: Int, other: Entry, match: Sighting.Match)?
    for candidate in candidates where candidate != number {
      guard let other = entry(candidate),
        let match = Sighting.match(
          other.exchange, own.exchange, isOneVantage: other.vantage == own.vantage),
        isFree(other, for: own, by: match.rule)
      else { continue }
      // Of two at the same distance the earlier one, whatever the table's order is.
      if best.map({ (match.distance, candidate) < ($0.match.distance, $0.number) }) ?? true {
        best = (candidate, other, match)
      }
    }
    guard let best else { return false }
    let key = best.other.group ?? best.number
    if best.other.group == nil {
      // One that was given out counts already.
      groups[key] = Group(
        members: [
          Member(number: key, vantage: best.other.vantage, rule: nil, isCopy: true)
        ], chosen: key < head ? key : nil)
      entries[key - base]?.group = key
    }
    groups[key]?.members.append(
      Member(number: number, vantage: own.vantage, rule: best.match.rule, isCopy: nil))
    entries[number - base]?.group = key
    overlaps.match(best.other.vantage, own.vantage)
    return true
  }

  /// Whether nothing else is taken for the copy that this one would be.
  private func isFree(_ other: Entry, for own: Entry, by rule: Sighting.Rule) -> Bool {
    guard let group = other.group.flatMap({ groups[$0] }) else { return true }
    return group.members.count < Sighting.maximumHops
      && group.members.allSatisfy { member in
        guard let known = entry(member.number)?.exchange else { return false }
        return switch rule {
        case .copy: known.id.source != own.exchange.id.source
        case .request: known.client != own.exchange.client || member.vantage != own.vantage
        case .likeness: member.vantage != own.vantage
        }
      }
  }

  // MARK: Deciding

  /// What is given out of an exchange that may have been recorded twice; `nil` when another record
  /// counts.
  private mutating func decided(_ number: Int, _ entry: Entry) -> Exchange? {
    guard let key = entry.group, var group = groups[key],
      let place = group.members.firstIndex(where: { $0.number == number })
    else { return entry.exchange }
    defer { groups[key] = group }
    for index in group.members.indices where group.members[index].isCopy == nil {
      let member = group.members[index]
      group.members[index].isCopy =
        member.rule != .likeness
        || overlaps.isShared(group.members[0].vantage, member.vantage)
    }
    guard group.members[place].isCopy ?? true else {
      doubtful += 1
      return entry.exchange
    }
    // The first member comes here first, while all others are still held: exactly one counts.
    let chosen = group.chosen ?? fullest(of: group) ?? number
    group.chosen = chosen
    guard chosen == number else {
      joined += 1
      return nil
    }
    return completed(entry.exchange, from: group)
  }

  private func fullest(of group: Group) -> Int? {
    group.members.filter { $0.isCopy ?? false }
      .compactMap { member in
        entry(member.number).map { (member.number, Sighting.fullness($0.exchange)) }
      }
      .max { ($0.1, $1.0) < ($1.1, $0.0) }?.0
  }

  /// The exchange, with what it does not know of URL and user agent taken from its copies.
  private func completed(_ exchange: Exchange, from group: Group) -> Exchange {
    var exchange = exchange
    for member in group.members where member.isCopy ?? false {
      guard let other = entry(member.number)?.exchange else { continue }
      if exchange.userAgent == nil, let agent = other.userAgent { exchange.userAgent = agent }
      guard exchange.url.origin == nil, let origin = other.url.origin,
        exchange.url.host == nil || exchange.url.host == origin.host
      else { continue }
      exchange.url.scheme = origin.scheme
      exchange.url.host = origin.host
      exchange.url.port = origin.port
    }
    return exchange
  }
}
