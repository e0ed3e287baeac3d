internal import Bytes

/// Puts fragmented IP datagrams together again, a few at a time.
///
/// The first copy of a byte wins. Datagrams that never become whole are pushed out by later ones.
struct Fragments {
  /// What the fragments of one datagram have in common.
  struct Key: Equatable {
    var source: Address
    var destination: Address
    var identification: UInt32
    var next: UInt8
  }

  fileprivate struct Datagram {
    var key: Key
    var bytes: [UInt8] = []
    /// Ranges that are there, in order and apart from each other.
    var ranges: [Range<Int>] = []
    var length: Int?
    var time: Int64
  }

  private var datagrams: [Datagram] = []
  /// A copy of the last whole datagram, which callers read from.
  private let delivery = Delivery()
  /// Datagrams of which some fragments never came.
  private(set) var incomplete: UInt64 = 0
  /// Datagrams that were put together.
  private(set) var completed: UInt64 = 0

  /// Adds a fragment.
  ///
  /// - Returns: the datagram's payload when this was the last one missing, valid until the next
  ///   call.
  mutating func add(
    _ key: Key, offset: Int, isLast: Bool, _ payload: ByteView, at time: Int64
  ) -> ByteView? {
    guard offset + payload.count <= 65535, !payload.isEmpty else { return nil }
    var index = datagrams.firstIndex { $0.key == key } ?? -1
    // An identification comes again after a while: 30 s is what receivers wait for fragments.
    if index >= 0,
      abs(time.subtractingReportingOverflow(datagrams[index].time).partialValue) > 30_000_000_000
    {
      datagrams.remove(at: index)
      incomplete += 1
      index = -1
    }
    if index < 0 {
      if datagrams.count == CaptureLimits.fragmentedDatagrams {
        datagrams.removeFirst()
        incomplete += 1
      }
      datagrams.append(Datagram(key: key, time: time))
      index = datagrams.count - 1
    }
    let end = offset + payload.count
    if isLast { datagrams[index].length = end }
    guard datagrams[index].ranges.count < CaptureLimits.fragmentsPerDatagram else { return nil }
    datagrams[index].insert(offset..<end, payload)
    guard let length = datagrams[index].length, datagrams[index].ranges == [0..<length] else {
      return nil
    }
    completed += 1
    delivery.hold(datagrams.remove(at: index).bytes, length)
    return delivery.bytes
  }

  /// Counts what is still incomplete when nothing more will come.
  mutating func finish() {
    incomplete += UInt64(datagrams.count)
    datagrams.removeAll()
  }

  /// Owns the bytes that are handed out.
  private final class Delivery {
    private let memory = ByteStore(capacity: 65536)
    private var count = 0

    var bytes: ByteView { memory.view(0..<count) }

    func hold(_ bytes: [UInt8], _ length: Int) {
      count = min(length, bytes.count, memory.capacity)
      bytes.withByteView { memory.write($0.part(0, count), at: 0) }
    }
  }
}

extension Fragments.Datagram {
  /// Copies the bytes of `range` that are not there yet.
  fileprivate mutating func insert(_ range: Range<Int>, _ payload: ByteView) {
    if bytes.count < range.upperBound {
      bytes.append(contentsOf: repeatElement(0, count: range.upperBound - bytes.count))
    }
    var start = range.lowerBound
    for known in ranges where known.upperBound > start && known.lowerBound < range.upperBound {
      copy(start..<max(start, known.lowerBound), range.lowerBound, payload)
      start = max(start, known.upperBound)
    }
    copy(start..<max(start, range.upperBound), range.lowerBound, payload)
    // Joined with the ranges that it touches.
    var joined = range
    ranges.removeAll { known in
      guard known.upperBound >= joined.lowerBound, known.lowerBound <= joined.upperBound else {
        return false
      }
      joined = min(joined.lowerBound, known.lowerBound)..<max(joined.upperBound, known.upperBound)
      return true
    }
    let place = ranges.firstIndex { $0.lowerBound > joined.lowerBound } ?? ranges.count
    ranges.insert(joined, at: place)
  }

  private mutating func copy(
    _ range: Range<Int>, _ origin: Int, _ payload: ByteView
  ) {
    let length = min(range.count, max(0, origin + payload.count - range.lowerBound))
    guard length > 0 else { return }
    bytes.replaceSubrange(
      range.lowerBound..<range.lowerBound + length,
      with: payload.part(range.lowerBound - origin, range.lowerBound - origin + length))
  }
}
