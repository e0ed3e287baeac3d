internal import Bytes
internal import Foundation

extension TLSConnection {
  /// Bytes of one direction will never be seen; `.max` when nobody knows how many.
  ///
  /// - Parameter gapEnd: the TCP sequence number behind them.
  func lose(_ side: Int, _ count: UInt64, gapEnd: UInt32, _ mark: Mark) {
    guard !isStopped, !directions[side].hasFailed else { return }
    guard hasHello(side) else {
      stop(clientSide == nil ? .withoutStart : .brokenHandshake)
      return
    }
    beginGap(side)
    directions[side].gapEnd = gapEnd
    let held = directions[side].buffer.count
    let lost = Int(clamping: count)
    switch directions[side].step {
    case .inStep:
      let header = directions[side].buffer.withByteView {
        $0.count >= TLSRecordHeader.length ? TLSRecordHeader($0) : nil
      }
      directions[side].buffer = []
      if let header, lost <= header.total - held {
        directions[side].lostBytes &+= UInt64(header.total)
        directions[side].step = .skipping(header.total - held - lost)
        if lost == header.total - held { passLostRecord(side, mark) }
      } else {
        directions[side].lostBytes &+= UInt64(held) &+ UInt64(lost)
        directions[side].step = .searching
      }
    case .skipping(let left) where lost <= left:
      directions[side].step = .skipping(left - lost)
      if lost == left { passLostRecord(side, mark) }
    case .skipping(let left):
      directions[side].lostBytes &+= UInt64(lost - left)
      directions[side].step = .searching
    case .searching:
      directions[side].lostBytes &+= UInt64(held) &+ UInt64(lost)
      directions[side].buffer = []
    }
  }

  /// A record whose length was known is over; it took a number.
  func passLostRecord(_ side: Int, _ mark: Mark) {
    directions[side].step = .inStep
    let stage = directions[side].stage
    guard stage >= 0, directions[side].chain[stage].hasOpened else { return }
    directions[side].chain[stage].sequence &+= 1
    counts.lostRecords &+= 1
    if directions[side].isAtLastStage {
      reportGap(side, lostRecords: 1, mark)
      // Should the guess be wrong, other numbers are tried.
      directions[side].hasGap = true
    }
  }

  /// Searches the bytes behind a gap for a record that can be opened.
  func search(_ side: Int, _ mark: Mark) {
    let window = directions[side].buffer
    var position = 0
    var found: Opened?
    var type: UInt8 = 0
    window.withByteView { bytes in
      while position + TLSRecordHeader.length <= bytes.count,
        directions[side].wastedBytes <= CaptureLimits.tlsWastedBytes
      {
        if let header = TLSRecordHeader(bytes, at: position), header.type != 20,
          header.total > TLSRecordHeader.length + 16
        {
          let end = position + header.total
          // Wait for the rest of what may be a record.
          if end > bytes.count { return }
          if end + TLSRecordHeader.length > bytes.count || TLSRecordHeader(bytes, at: end) != nil {
            found = tryAhead(side, bytes.part(position, end))
            type = header.type
            if found != nil { return }
          }
        }
        position += 1
      }
    }
    directions[side].lostBytes &+= UInt64(position)
    directions[side].pass(position)
    guard let found else {
      directions[side].buffer.removeFirst(min(position, window.count))
      if directions[side].wastedBytes > CaptureLimits.tlsWastedBytes { fail(side, mark) }
      return
    }
    counts.resynchronised &+= 1
    directions[side].buffer = []
    directions[side].step = .inStep
    accept(side, found, type, mark)
    window.withByteView { receive(side, $0.from(position + found.recordLength), mark) }
  }

  /// A direction ends: what was lost at its end is passed on.
  func end(_ side: Int, _ mark: Mark) {
    guard !isStopped, !directions[side].hasFailed, directions[side].hasGap,
      directions[side].lostBytes > 0
    else { return }
    directions[side].gapEnd = nil
    reportGap(side, lostRecords: nil, mark)
  }
}
