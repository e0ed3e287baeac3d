internal import HTTPExchange

/// Notices inputs that look like the same traffic seen twice and could not be joined.
///
/// Of two nodes behind a balancer hardly any two lines are of one client, method, target and status at
/// one time. Of an edge and an application, or of two logs that one server writes, nearly all are. An
/// application that logs its proxy's address in place of the client's is known by having few clients,
/// while the edge has many.
struct TwinTable {
  /// Pairs of inputs that are looked at; further ones are not.
  static let maximumPairs = 1024
  /// Inputs that are told apart.
  private static let maximumSources = 8192
  /// Lines that must look alike before anything is said.
  static let fewest: UInt64 = 20
  /// Nanoseconds by which the times of two lines may differ beyond their resolutions.
  static let skew: Int64 = 5_000_000_000

  /// Addresses of the machines of a proxy; more are clients.
  private static let fewClients = 4

  private struct Pair {
    var matched: UInt64 = 0
    /// What each had shown before the first two looked alike.
    var before: (UInt64, UInt64)
    /// The least and the greatest difference of their times: the second's less the first's.
    var offsets: (Int64, Int64)
  }

  private struct Key: Hashable {
    var first: Int
    var second: Int
    /// Whether the lines are alike but for the client.
    var ofOtherClients: Bool
  }

  private var numbers: [String: Int] = [:]
  private var names: [String] = []
  private var seen: [UInt64] = []
  private var pairs: [Key: Pair] = [:]
  private var last: (name: String, number: Int)?
  /// The clients of each input, as long as they are few.
  private var clients: [Set<String>] = []
  /// Inputs that may show a proxy in place of its clients.
  private var hiding: Set<Int> = []

  /// Whether any input may show a proxy in place of its clients.
  var mayHideClients: Bool { !hiding.isEmpty }

  /// Whether of two inputs one shows few clients and the other many.
  func differInClients(_ first: Int, _ second: Int) -> Bool {
    hiding.contains(first) != hiding.contains(second)
  }

  /// Counts an exchange, and gives the number of its input; `nil` when there are too many.
  mutating func see(_ exchange: Exchange) -> Int? {
    let name = exchange.id.source
    if let last, last.name == name {
      note(exchange, of: last.number)
      return last.number
    }
    guard let number = numbers[name] ?? added(name) else { return nil }
    last = (name, number)
    note(exchange, of: number)
    return number
  }

  private mutating func note(_ exchange: Exchange, of number: Int) {
    seen[number] += 1
    guard clients[number].count <= Self.fewClients else { return }
    if exchange.forwardedFor != nil {
      // It names the clients.
      clients[number] = Set((0...Self.fewClients).map { "\($0)" })
    } else {
      // No address is longer than this; who writes a log may put anything there.
      clients[number].insert(exchange.client.utf8.count <= 64 ? exchange.client : "…")
    }
    if clients[number].count > Self.fewClients {
      hiding.remove(number)
    } else if seen[number] == Self.fewest {
      hiding.insert(number)
    }
  }

  private mutating func added(_ name: String) -> Int? {
    guard names.count < Self.maximumSources else { return nil }
    numbers[name] = names.count
    names.append(name)
    seen.append(0)
    clients.append([])
    return names.count - 1
  }

  /// Counts two lines that look alike.
  ///
  /// - Parameters:
  ///   - offset: nanoseconds from the first to the second.
  ///   - ofOtherClients: whether they differ in the client.
  mutating func match(_ first: Int, _ second: Int, offset: Int64, ofOtherClients: Bool = false) {
    let key = Key(
      first: min(first, second), second: max(first, second), ofOtherClients: ofOtherClients)
    let offset = first < second ? offset : -offset
    guard var pair = pairs[key] else {
      guard pairs.count < Self.maximumPairs else { return }
      pairs[key] = Pair(
        matched: 1, before: (seen[key.first] - 1, seen[key.second] - 1), offsets: (offset, offset))
      return
    }
    pair.matched += 1
    pair.offsets = (min(pair.offsets.0, offset), max(pair.offsets.1, offset))
    pairs[key] = pair
  }

  /// A sentence for each pair that shows the same traffic, as far as can be told; at most eight, and how
  /// many more there are.
  var sentences: [String] {
    let twins = pairs.filter { key, pair in
      let least = min(seen[key.first] - pair.before.0, seen[key.second] - pair.before.1)
      return pair.matched >= Self.fewest && pair.matched * 10 >= least * 9
        && (!key.ofOtherClients || differInClients(key.first, key.second))
    }
    let all = twins.map { key, pair in
      if key.ofOtherClients { return proxied(key, pair) }
      let both = [names[key.first], names[key.second]].map(Self.shown).sorted()
      return "\(both[0]) and \(both[1]) look like the same traffic seen twice: "
        + "\(pair.matched) lines of each have client, method, target and status in common, at times "
        + "that differ by \(Self.shown(pair.offsets)); both were counted: give only one of them, or log "
        + "a request id in both"
    }.sorted()
    guard all.count > 8 else { return all }
    return all.prefix(8) + [
      "\(all.count - 8) more pairs of inputs look like the same traffic seen twice"
    ]
  }

  /// What is said of an edge and of what stands behind it and shows the edge alone.
  private func proxied(_ key: Key, _ pair: Pair) -> String {
    let (behind, edge) =
      hiding.contains(key.first) ? (key.first, key.second) : (key.second, key.first)
    let addresses = clients[behind].filter { !$0.isEmpty }.sorted().joined(separator: ", ")
    return
      "\(Self.shown(names[behind])) looks like the traffic of \(Self.shown(names[edge])) seen behind "
      + "a proxy: \(pair.matched) lines of each have method, target and status in common, at times that "
      + "differ by \(Self.shown(pair.offsets)), but it names "
      + (addresses.isEmpty ? "no client" : "\(addresses) as the only client")
      + "; both were counted: give only the other one, or log X-Forwarded-For or a request id in both"
  }

  private static func shown(_ name: String) -> String {
    guard let mark = name.utf8.lastIndex(of: UInt8(ascii: "@")) else { return name }
    return "\(name[..<mark]) (\(name[name.utf8.index(after: mark)...]))"
  }

  private static func shown(_ offsets: (Int64, Int64)) -> String {
    let least = min(abs(offsets.0), abs(offsets.1)) / 1_000_000
    let most = max(abs(offsets.0), abs(offsets.1)) / 1_000_000
    return least == most || offsets.0 < 0 && offsets.1 > 0
      ? "up to \(most) ms" : "\(least) to \(most) ms"
  }
}
