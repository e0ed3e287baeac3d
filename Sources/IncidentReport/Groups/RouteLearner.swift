/// Learns from the traffic which segments of a path are names of things: `/users/{name}`.
///
/// ``RouteTemplate`` knows identifiers by their form. A name (`/users/alice`, `/products/red-shoes`)
/// has none; but where a place in a path takes ever new values, most of which were seen once, it is not
/// a word of the interface. Such a place is `{name}` from then on. Values that many calls have in
/// common stay as they are, so that a scanner that tries paths hides no route.
struct RouteLearner {
  /// Values of one place of a path from which on it is looked at, from which on calls need not have
  /// come twice as often, and from which on it is a name in any case.
  ///
  /// A page that calls each of its forty services once looks like forty names; only what follows tells.
  static let fewest = 24
  static let many = 60
  static let most = 160
  /// Pages of one route that are counted: more calls than these are not needed to tell a route.
  static let maximumGroups = 8
  /// The most places and values that are held.
  let limit: Int

  static let name = "{name}"

  private final class Node {
    var children: [Substring: Node] = [:]
    /// The groups that end here, one for each page.
    var groups: [RouteGroup] = []
    /// What stands for every value that is not among ``children``.
    var variable: Node?

    /// Calls here and below.
    var calls: UInt64 {
      var sum = variable?.calls ?? 0
      for group in groups { sum &+= group.calls }
      for child in children.values { sum &+= child.calls }
      return sum
    }
  }

  private var hosts: [String: Node] = [:]
  private var count = 0
  private(set) var hasLearned = false

  init(limit: Int) {
    self.limit = limit
  }

  /// The route as it is known by now; the same one where nothing was learned of it.
  func canonical(host: String, route: String) -> String {
    guard hasLearned, var node = hosts[host] else { return route }
    var result = ""
    var isChanged = false
    for (index, part) in Self.parts(route).enumerated() {
      if index > 0 { result += "/" }
      if let next = node.children[part] {
        result += part
        node = next
      } else if let next = node.variable {
        result += part == RouteTemplate.identifier ? String(part) : Self.name
        isChanged = isChanged || part != RouteTemplate.identifier
        node = next
      } else {
        // What lies below was never seen there: it stays as it is.
        let rest = route.split(separator: "/", omittingEmptySubsequences: false).dropFirst(index)
        return isChanged ? result + rest.joined(separator: "/") : route
      }
    }
    return isChanged ? result : route
  }

  /// Takes note of a group that was made.
  mutating func add(_ group: RouteGroup) {
    guard count < limit else { return }
    var node = hosts[group.host] ?? Node()
    if hosts[group.host] == nil { hosts[group.host] = node }
    for part in Self.parts(group.route) {
      if let next = node.children[part] {
        node = next
        continue
      }
      if let next = node.variable {
        node = next
        continue
      }
      let next = Node()
      node.children[part] = next
      count += 1
      if part != RouteTemplate.identifier { learn(node) }
      node = node.children[part] ?? node.variable ?? next
    }
    if node.groups.count < Self.maximumGroups { node.groups.append(group) }
  }

  /// Makes a place a variable when its values are names of things.
  private mutating func learn(_ node: Node) {
    guard node.children.count >= Self.fewest, node.variable == nil else { return }
    let calls = node.children.mapValues(\.calls)
    let total = calls.values.reduce(0, &+)
    let once = calls.values.count { $0 <= 1 }
    // How likely the next call is to bring a new value: the share of values that were seen once.
    let isOpen =
      once * 10 >= calls.count * 4
      && (calls.count >= Self.many || total >= 2 * UInt64(calls.count))
    guard isOpen || calls.count >= Self.most else { return }
    let variable = Node()
    for (part, child) in node.children
    where part != RouteTemplate.identifier && (calls[part] ?? 0) < max(8, total / 20) {
      Self.merge(child, into: variable)
      node.children[part] = nil
    }
    node.variable = variable
    hasLearned = true
  }

  private static func merge(_ node: Node, into other: Node) {
    other.groups += node.groups
    for (part, child) in node.children {
      if let known = other.children[part] {
        merge(child, into: known)
      } else {
        other.children[part] = child
      }
    }
    guard let variable = node.variable else { return }
    if let known = other.variable {
      merge(variable, into: known)
    } else {
      other.variable = variable
    }
  }

  private static func parts(_ route: String) -> [Substring] {
    route.split(separator: "/", maxSplits: 12, omittingEmptySubsequences: false)
  }
}
