internal import Bytes
internal import Foundation

/// Opens the records of one TLS connection whose secrets a key log may hold.
///
/// Bytes of each direction come in by ``receive(_:_:_:)`` in order, and gaps by ``lose(_:_:_:_:)``;
/// plaintext goes out through two closures in the same order.
final class TLSConnection {
  /// Why the content of a connection was not seen.
  enum Obstacle: Hashable {
    /// Its ClientHello is not in the capture.
    case withoutStart
    /// Bytes of its ClientHello or ServerHello were lost, or it has none.
    case brokenHandshake
    case withoutKeys
    case wrongKeys
    case cipher(UInt16)
    case version(UInt16)
    case limit
  }

  /// Receives plaintext of one side, with the mark of the packet that completed the record.
  typealias Deliver = (_ side: Int, _ bytes: ByteView, _ mark: Mark) -> Void
  /// Told that so many bytes of one side's plaintext are missing, `UInt64.max` when nobody knows how
  /// many; `gapEnd` is the TCP sequence number behind the bytes that were lost.
  typealias Miss = (_ side: Int, _ count: UInt64, _ gapEnd: UInt32?, _ mark: Mark) -> Void

  /// The host that the client asked for.
  var serverName: String?
  /// What the server chose by ALPN: `http/1.1`, `h2`.
  var applicationProtocol: String?
  /// The side that sent the ClientHello.
  var clientSide: Int?
  private(set) var obstacle: Obstacle?
  /// Whether nothing more is to be read.
  private(set) var isStopped = false
  var counts = TLSCounts()
  /// The part of ``heldBytes`` that is counted among those of all connections.
  var countedBytes = 0
  var directions = [TLSDirection(), TLSDirection()]

  let deliver: Deliver
  let miss: Miss
  let keys: TLSKeys
  var random: TLSRandom?
  var isTLS13 = false
  var hasServerHello = false
  var hasRetried = false
  var offersEarlyData = false
  /// Records of the client that came before the ServerHello: early data, or merely the order of
  /// the capture.
  var waiting: [(record: [UInt8], mark: Mark)] = []
  var waitingBytes = 0

  /// A connection of which nothing was seen yet.
  init(keys: TLSKeys, deliver: @escaping Deliver, miss: @escaping Miss) {
    self.keys = keys
    self.deliver = deliver
    self.miss = miss
  }

  /// Whether any record was opened.
  var hasOpened: Bool { directions[0].hasOpened || directions[1].hasOpened }

  /// Bytes of memory that wait for more.
  var heldBytes: Int { directions[0].heldBytes + directions[1].heldBytes + waitingBytes }

  /// Ends the reading.
  func stop(_ reason: Obstacle? = nil) {
    isStopped = true
    obstacle = obstacle ?? reason
    for side in 0...1 {
      directions[side].buffer = []
      directions[side].message = []
    }
    waiting = []
    waitingBytes = 0
  }

  /// Why nothing was seen, once all of the connection was read; `nil` when something was.
  var finalObstacle: Obstacle? {
    if hasOpened { return nil }
    if let obstacle { return obstacle }
    if directions[0].failures + directions[1].failures > 0 { return .wrongKeys }
    return clientSide == nil ? .withoutStart : .brokenHandshake
  }

  // MARK: Records

  /// Reads bytes that come next in one direction.
  func receive(_ side: Int, _ bytes: ByteView, _ mark: Mark) {
    var rest = bytes
    while rest.count > 0, !isStopped, !directions[side].hasFailed {
      switch directions[side].step {
      case .inStep:
        rest = rest.from(cut(side, rest, mark))
      case .skipping(let count):
        let skipped = min(count, rest.count)
        rest = rest.from(skipped)
        directions[side].pass(skipped)
        directions[side].step = .skipping(count - skipped)
        if skipped == count { passLostRecord(side, mark) }
      case .searching:
        let piece = min(rest.count, CaptureLimits.tlsSearchPiece)
        directions[side].buffer.append(contentsOf: rest.part(0, piece))
        rest = rest.from(piece)
        search(side, mark)
      }
    }
  }

  /// Takes bytes up to the end of a record at most, and reads that if it is whole.
  ///
  /// - Returns: how many bytes were taken.
  func cut(_ side: Int, _ rest: ByteView, _ mark: Mark) -> Int {
    let held = directions[side].buffer.count
    if held == 0, rest.count >= TLSRecordHeader.length {
      guard let header = TLSRecordHeader(rest) else { return loseStep(side) }
      if rest.count >= header.total {
        process(side, rest.part(0, header.total), mark)
        return header.total
      }
      directions[side].buffer.reserveCapacity(header.total)
      directions[side].buffer.append(contentsOf: rest)
      return rest.count
    }
    var total = TLSRecordHeader.length
    if held >= total {
      total = directions[side].buffer.withByteView { TLSRecordHeader($0)?.total ?? total }
    }
    let taken = min(total - held, rest.count)
    directions[side].buffer.append(contentsOf: rest.part(0, taken))
    guard held + taken == total else { return taken }
    if held < TLSRecordHeader.length {
      let header = directions[side].buffer.withByteView { TLSRecordHeader($0) }
      guard let header else {
        _ = loseStep(side)
        return taken
      }
      if header.total > total {
        directions[side].buffer.reserveCapacity(header.total)
        return taken
      }
    }
    let record = directions[side].buffer
    directions[side].buffer = []
    record.withByteView { process(side, $0, mark) }
    return taken
  }

  /// The bytes are no record although one should begin there.
  func loseStep(_ side: Int) -> Int {
    guard hasHello(side) else {
      stop(.brokenHandshake)
      return 0
    }
    beginGap(side)
    directions[side].step = .searching
    return 0
  }

  func beginGap(_ side: Int) {
    directions[side].hasGap = true
    directions[side].message = []
    directions[side].passing = 0
    // Behind the handshake each record begins a message of its own.
    directions[side].hasLostMessages = !directions[side].isAtLastStage
  }

  func hasHello(_ side: Int) -> Bool {
    side == clientSide ? random != nil : hasServerHello
  }

  /// Reads a whole record.
  func process(_ side: Int, _ record: ByteView, _ mark: Mark) {
    let type = record[0]
    if side == clientSide, random != nil, !hasServerHello, type != 21 {
      // A second ClientHello answers a request to retry.
      let isHello =
        type == 22 && (!directions[side].message.isEmpty || (record.count > 5 && record[5] == 1))
      guard hasRetried, isHello else {
        hold(side, record, mark)
        return
      }
    }
    if isTLS13, type != 23 {
      // All that comes in the clear behind the two hellos is change_cipher_spec, which says nothing.
      if type == 21 { counts.alerts &+= 1 }
      return
    }
    guard directions[side].stage >= 0 else {
      if directions[side].hasGap, directions[side].next != nil, type != 20, type != 21,
        let found = tryAhead(side, record)
      {
        accept(side, found, type, mark)
        return
      }
      switch type {
      case 20:
        changeCipher(side)
      case 21:
        counts.alerts &+= 1
      case 22:
        handshake(side, record.from(5))
      default:
        guard isTLS13, directions[side].chain.count > 0 else {
          if !hasHello(side) { stop(clientSide == nil ? .withoutStart : .brokenHandshake) }
          return
        }
        directions[side].enter(0)
        open(side, record, mark)
      }
      return
    }
    open(side, record, mark)
  }

  /// Keeps a record of the client until the ServerHello says how to read it.
  func hold(_ side: Int, _ record: ByteView, _ mark: Mark) {
    guard waitingBytes + record.count <= CaptureLimits.tlsWaitingBytes else {
      counts.earlyRecords &+= 1
      directions[side].hasGap = true
      directions[side].lostBytes &+= UInt64(record.count)
      return
    }
    waiting.append((Array(record), mark))
    waitingBytes += record.count + 64
  }

  func changeCipher(_ side: Int) {
    guard let next = directions[side].next else { return }
    directions[side].chain = [next]
    directions[side].next = nil
    directions[side].enter(0)
  }

  // MARK: Content

  /// Reads the content of an opened record.
  func read(_ side: Int, _ plaintext: Data, type outerType: UInt8, _ mark: Mark) {
    counts.records &+= 1
    // The plaintext is kept and unchanged until all of it was read.
    unsafe plaintext.withUnsafeBytes { memory in
      let bytes = unsafe ByteView(memory)
      var content = bytes
      var type = outerType
      if isTLS13 {
        // RFC 8446, section 5.2: the last byte that is not zero is the type.
        var end = bytes.count
        while end > 0, bytes[end - 1] == 0 { end -= 1 }
        guard end > 0 else { return }
        type = bytes[end - 1]
        content = bytes.part(0, end - 1)
      }
      switch type {
      case 20 where !isTLS13: changeCipher(side)
      case 21: counts.alerts &+= 1
      case 22: handshake(side, content)
      case 23:
        if content.count > 0 { deliver(side, content, mark) }
      default: break
      }
    }
  }
}
