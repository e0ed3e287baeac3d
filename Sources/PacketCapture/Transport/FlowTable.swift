internal import Bytes

/// The connections that are known, found by their ends, and in the order of their last packet.
struct FlowTable {
  private struct Entry {
    var hash: UInt64
    var flow: FlowPointer?
  }

  private var entries: FixedTable<Entry>
  private var mask: Int
  private(set) var count = 0
  private var flows = Slab<Flow>()
  private var streams = Slab<Stream>.Pairs()
  private let seed = UInt64.random(in: .min ... .max)
  /// The connection that was found last: most packets are of the same one as the packet before.
  private var recent: FlowPointer?
  /// The connections in use with the oldest and newest packet.
  private(set) var oldest: FlowPointer?
  private var newest: FlowPointer?
  /// The closed connections, in the order in which they closed.
  private(set) var oldestClosed: FlowPointer?
  private var newestClosed: FlowPointer?

  /// An empty table.
  init() {
    mask = 1023
    entries = Self.allocate(1024)
  }

  private static func allocate(_ capacity: Int) -> FixedTable<Entry> {
    FixedTable(repeating: Entry(hash: 0, flow: nil), count: capacity)
  }

  /// The connection with those ends.
  @inline(__always)
  mutating func find(_ key: FlowKey) -> FlowPointer? {
    if let recent, recent.pointee.key == key { return recent }
    let hash = key.hash(seed)
    var index = Int(truncatingIfNeeded: hash) & mask
    while let flow = entries[index].flow {
      if entries[index].hash == hash, flow.pointee.key == key {
        recent = flow
        return flow
      }
      index = (index + 1) & mask
    }
    return nil
  }

  /// Adds a connection, which there must not be yet.
  mutating func insert(_ key: FlowKey, at time: Int64) -> FlowPointer {
    let hash = key.hash(seed)
    if (count + 1) * 2 > mask + 1 { grow() }
    let flow = flows.take(
      Flow(key: key, hash: hash, streams: streams.take(Stream()), lastAt: time))
    place(Entry(hash: hash, flow: flow))
    count += 1
    appendOpen(flow)
    return flow
  }

  private mutating func place(_ entry: Entry) {
    var index = Int(truncatingIfNeeded: entry.hash) & mask
    while entries[index].flow != nil { index = (index + 1) & mask }
    entries[index] = entry
  }

  private mutating func grow() {
    let old = entries
    let capacity = mask + 1
    entries = Self.allocate(capacity * 2)
    mask = capacity * 2 - 1
    for index in 0..<capacity where old[index].flow != nil { place(old[index]) }
  }

  /// Forgets a connection.
  mutating func remove(_ flow: FlowPointer) {
    unlink(flow)
    if recent == flow { recent = nil }
    var hole = Int(truncatingIfNeeded: flow.pointee.hash) & mask
    while entries[hole].flow != flow { hole = (hole + 1) & mask }
    // Entries behind the hole move up, so that searches never cross an empty place wrongly.
    var index = hole
    while true {
      index = (index + 1) & mask
      guard entries[index].flow != nil else { break }
      let home = Int(truncatingIfNeeded: entries[index].hash) & mask
      if (index - home) & mask >= (index - hole) & mask {
        entries[hole] = entries[index]
        hole = index
      }
    }
    entries[hole] = Entry(hash: 0, flow: nil)
    count -= 1
    streams.give(flow.pointee.streams)
    flows.give(flow)
  }

  /// Notes a packet of a connection; second by second is exact enough for its place in the order.
  @inline(__always)
  mutating func touch(_ flow: FlowPointer, at time: Int64) {
    guard time &- flow.pointee.lastAt > 1_000_000_000, !flow.pointee.isClosed else { return }
    flow.pointee.lastAt = time
    guard flow != newest else { return }
    unlink(flow)
    appendOpen(flow)
  }

  /// Moves a connection to the closed ones.
  mutating func close(_ flow: FlowPointer, at time: Int64) {
    guard !flow.pointee.isClosed else { return }
    unlink(flow)
    flow.pointee.isClosed = true
    flow.pointee.lastAt = time
    flow.pointee.older = newestClosed
    newestClosed?.pointee.newer = flow
    newestClosed = flow
    if oldestClosed == nil { oldestClosed = flow }
  }

  /// Moves a closed connection back to those in use, for a new one between the same ends.
  mutating func reopen(_ flow: FlowPointer, at time: Int64) {
    unlink(flow)
    flow.pointee.isClosed = false
    flow.pointee.lastAt = time
    appendOpen(flow)
  }

  private mutating func appendOpen(_ flow: FlowPointer) {
    flow.pointee.older = newest
    flow.pointee.newer = nil
    newest?.pointee.newer = flow
    newest = flow
    if oldest == nil { oldest = flow }
  }

  private mutating func unlink(_ flow: FlowPointer) {
    let older = flow.pointee.older
    let newer = flow.pointee.newer
    older?.pointee.newer = newer
    newer?.pointee.older = older
    if oldest == flow { oldest = newer }
    if newest == flow { newest = older }
    if oldestClosed == flow { oldestClosed = newer }
    if newestClosed == flow { newestClosed = older }
    flow.pointee.older = nil
    flow.pointee.newer = nil
  }
}
