internal import Bytes

extension Connections {
  /// Takes in the payload of a segment: delivers it, or holds it until its turn comes.
  ///
  /// - Returns: whether any of it was new.
  func take(
    _ segment: borrowing Segment, _ sequence: UInt32, _ mark: Mark, _ flow: FlowPointer, _ side: Int
  ) -> Bool {
    let stream = flow.pointee.streams + side
    let length = segment.payload.count + segment.missing
    if !stream.pointee.hasNext {
      stream.pointee.next = sequence
      stream.pointee.hasNext = true
    }
    var delta = Int(Int32(bitPattern: sequence &- stream.pointee.next))
    if abs(delta) > CaptureLimits.sequenceJump {
      // Another connection between the same ends, whose beginning was not seen.
      stream.pointee.hasGap = true
      drain(flow, side, mark.time, isForced: true)
      miss(flow, side, .max, mark)
      stream.pointee.next = sequence
      delta = 0
    }
    if delta == -1, !stream.pointee.hasBegun, sequence == stream.pointee.initial, length > 1 {
      // Writers of made-up captures forget that a SYN takes a number.
      stream.pointee.next = sequence
      delta = 0
    }
    if delta + length <= 0 {
      counts.retransmissions &+= 1
      return false
    }
    if delta <= 0, stream.pointee.heldFirst == nil, !mustWait(flow, side, mark) {
      let old = min(-delta, segment.payload.count)
      deliver(
        flow, side, segment.payload.from(old), segment.missing - (-delta - old), mark)
    } else {
      guard hold(segment, sequence, mark, flow, side) else {
        counts.retransmissions &+= 1
        return false
      }
      if delta > 0 { counts.reordered &+= 1 }
      drain(flow, side, mark.time)
    }
    return true
  }

  /// Hands bytes that are next in order to the parser, and skips those that were not captured.
  private func deliver(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ missing: Int, _ mark: Mark
  ) {
    let stream = flow.pointee.streams + side
    stream.pointee.next &+= UInt32(truncatingIfNeeded: bytes.count)
    stream.pointee.hasBegun = true
    ordinal = 0
    if bytes.count > 0 { feed(flow, side, bytes, mark) }
    if missing > 0 { skip(flow, side, missing, mark, isLoss: false) }
    let other = flow.pointee.streams + (1 - side)
    if other.pointee.heldFirst != nil, !flow.pointee.isDraining {
      drain(flow, 1 - side, mark.time)
    }
  }

  /// Skips bytes that will not come: a hole, or what the snapshot length cut off.
  private func skip(
    _ flow: FlowPointer, _ side: Int, _ count: Int, _ mark: Mark, isLoss: Bool
  ) {
    let stream = flow.pointee.streams + side
    stream.pointee.next &+= UInt32(truncatingIfNeeded: count)
    if isLoss {
      counts.gaps &+= 1
      counts.gapBytes &+= UInt64(count)
      stream.pointee.hasGap = true
    }
    miss(flow, side, UInt64(count), mark)
  }

  /// What one side had received, or sent before its FIN, and the capture does not hold, is lost.
  ///
  /// Only when the connection is over: until then it may still come.
  func skipUnseenEnd(_ flow: FlowPointer, _ time: Int64) {
    for side in 0...1 {
      let stream = flow.pointee.streams + side
      guard stream.pointee.hasNext else { continue }
      var unseen = 0
      if stream.pointee.hasEnd {
        unseen = Int(Int32(bitPattern: stream.pointee.end &- stream.pointee.next))
      } else if stream.pointee.hasAcknowledged {
        // One of the numbers may be that of a FIN.
        unseen = Int(Int32(bitPattern: stream.pointee.acknowledged &- stream.pointee.next)) - 1
      }
      guard unseen > 0, unseen < CaptureLimits.sequenceJump else { continue }
      skip(flow, side, unseen, Mark(time: time), isLoss: true)
    }
  }

  /// Whether a response would be read before the request that it answers.
  ///
  /// Where two capture points are merged, or a host has several queues, a response can stand before
  /// its request in the file: it acknowledges bytes that have not been seen yet.
  private func mustWait(_ flow: FlowPointer, _ side: Int, _ mark: Mark) -> Bool {
    guard flow.pointee.firstOpen == nil else { return false }
    let stream = flow.pointee.streams + side
    let other = flow.pointee.streams + (1 - side)
    guard other.pointee.hasNext, stream.pointee.phase == .start,
      flow.pointee.clientSide != UInt8(side), mark.acknowledgment != 0
    else { return false }
    let ahead = Int(Int32(bitPattern: mark.acknowledgment &- other.pointee.next))
    return ahead > 0 && ahead < CaptureLimits.sequenceJump
      && !(other.pointee.hasEnd && mark.acknowledgment == other.pointee.end &+ 1)
  }

  // MARK: Held segments

  /// Keeps a copy of what is new in a segment, in the order of the stream.
  ///
  /// - Returns: `false` when all of it is held already. Of bytes that come twice the first copy
  ///   stays; a second one that differs is counted.
  private func hold(
    _ segment: borrowing Segment, _ sequence: UInt32, _ mark: Mark, _ flow: FlowPointer, _ side: Int
  ) -> Bool {
    let stream = flow.pointee.streams + side
    let origin = stream.pointee.next
    func offset(_ number: UInt32) -> Int { Int(Int32(bitPattern: number &- origin)) }
    let payload = segment.payload
    let base = offset(sequence)
    var start = max(base, 0)
    let end = base + payload.count + segment.missing
    var isNew = false
    // From the back: most segments belong behind all others.
    var place = stream.pointee.heldLast
    while let node = place, offset(node.pointee.sequence) >= end { place = node.pointee.previous }
    var before = place
    while let node = before, offset(node.pointee.sequence) > start {
      before = node.pointee.previous
    }
    // The held segment in front may cover the beginning, and those behind parts of the rest.
    var cursor = before ?? stream.pointee.heldFirst
    while start < end {
      while let node = cursor, offset(node.pointee.sequence) + extent(node) <= start {
        before = node
        cursor = node.pointee.next
      }
      let known = cursor.map { offset($0.pointee.sequence) } ?? end
      if known > start {
        let pieceEnd = min(known, end)
        insert(flow, side, after: before, payload, base, start, pieceEnd, mark)
        before = before.map { $0.pointee.next ?? $0 } ?? stream.pointee.heldFirst
        isNew = true
        start = pieceEnd
      } else if let node = cursor {
        let overlapEnd = min(end, known + extent(node))
        compare(node, known, payload, base, start, overlapEnd)
        start = overlapEnd
      }
    }
    if stream.pointee.heldCount > CaptureLimits.heldSegmentsPerStream
      || stream.pointee.heldBytes > CaptureLimits.heldBytesPerStream
    {
      counts.heldLimit &+= 1
      drain(flow, side, mark.time, isForced: true)
    }
    return isNew
  }

  private func extent(_ node: RecordRef<HeldSegment>) -> Int {
    node.pointee.count + node.pointee.missing
  }

  /// Holds the bytes from `start` to `end`, offsets like `base`, at which `payload` begins.
  private func insert(
    _ flow: FlowPointer, _ side: Int, after: RecordRef<HeldSegment>?,
    _ payload: ByteView, _ base: Int, _ start: Int, _ end: Int, _ mark: Mark
  ) {
    let stream = flow.pointee.streams + side
    let captured = max(0, min(end, base + payload.count) - start)
    // Inside a body of known length the bytes themselves are not needed.
    let isBody =
      (stream.pointee.phase == .body || stream.pointee.phase == .chunk)
      && flow.pointee.layer == .http1 && flow.pointee.tls == nil
      && UInt64(end) <= stream.pointee.remaining
    var copy: ByteStore?
    if captured > 0, !isBody {
      let store = ByteStore(capacity: captured)
      store.write(payload.part(start - base, start - base + captured), at: 0)
      copy = store
      stream.pointee.heldBytes += captured
      heldBytes += captured
    }
    let node = held.take(
      HeldSegment(
        sequence: stream.pointee.next &+ UInt32(truncatingIfNeeded: start), count: captured,
        bytes: copy, missing: end - start - captured, mark: mark))
    let following = after.map { $0.pointee.next } ?? stream.pointee.heldFirst
    node.pointee.previous = after
    node.pointee.next = following
    if let after { after.pointee.next = node } else { stream.pointee.heldFirst = node }
    if let following {
      following.pointee.previous = node
    } else {
      stream.pointee.heldLast = node
    }
    if stream.pointee.heldCount == 0 { stream.pointee.heldSince = mark.time }
    stream.pointee.heldCount += 1
    heldBytes += CaptureLimits.heldSegmentCost
    if !flow.pointee.isHolding { startHolding(flow) }
  }

  private func compare(
    _ node: RecordRef<HeldSegment>, _ known: Int, _ payload: ByteView,
    _ base: Int, _ start: Int, _ end: Int
  ) {
    let last = min(end, known + node.pointee.count, base + payload.count)
    guard last > start, let bytes = node.pointee.bytes else { return }
    let first = bytes.view(start - known..<last - known)
    if !first.equals(payload.part(start - base, last - base)) { counts.differing &+= 1 }
  }

  /// Delivers held segments whose turn has come, and skips holes that will not be filled.
  ///
  /// A hole is a loss once the other side has acknowledged all of it, since it then had the bytes;
  /// once it is open for too long; or when `isForced`.
  func drain(_ flow: FlowPointer, _ side: Int, _ time: Int64, isForced: Bool = false) {
    guard flow.pointee.streams[side].heldFirst != nil, !flow.pointee.isDraining else { return }
    // What one side delivers can be what the other waits for: in turns, never nested.
    flow.pointee.isDraining = true
    while true {
      let first = drainSide(flow, side, time, isForced)
      let second = drainSide(flow, 1 - side, time, false)
      guard first || second else { break }
    }
    flow.pointee.isDraining = false
    if flow.pointee.streams[0].heldFirst == nil, flow.pointee.streams[1].heldFirst == nil {
      stopHolding(flow)
    }
    for side in 0...1 where flow.pointee.streams[side].hasEnd {
      closeIfDone(flow, side, Mark(time: time))
    }
  }

  /// - Returns: whether anything was delivered or skipped.
  private func drainSide(
    _ flow: FlowPointer, _ side: Int, _ time: Int64, _ isForced: Bool
  ) -> Bool {
    let stream = flow.pointee.streams + side
    guard stream.pointee.heldFirst != nil else { return false }
    let isForced =
      isForced
      || time.subtractingReportingOverflow(stream.pointee.heldSince).partialValue
        > CaptureLimits.holeWait
    var hasDelivered = false
    while let node = stream.pointee.heldFirst {
      let delta = Int(Int32(bitPattern: node.pointee.sequence &- stream.pointee.next))
      if delta <= 0 {
        if !isForced, mustWait(flow, side, node.pointee.mark) { break }
      } else if isForced
        || (stream.pointee.hasAcknowledged
          && Int32(bitPattern: stream.pointee.acknowledged &- node.pointee.sequence) >= 0)
      {
        skip(flow, side, delta, node.pointee.mark, isLoss: true)
        // What answers the lost bytes comes before what was sent after them.
        if flow.pointee.streams[1 - side].heldFirst != nil { return true }
        continue
      } else {
        break
      }
      let segment = node.pointee
      unlinkFirst(flow, side, node)
      hasDelivered = true
      let old = min(max(0, -delta), segment.count)
      if let bytes = segment.bytes {
        withExtendedLifetime(bytes) {
          deliver(
            flow, side, bytes.view(old..<segment.count),
            max(0, segment.missing - (max(0, -delta) - old)), segment.mark)
        }
      } else {
        skipBody(flow, side, segment.count - old + segment.missing, segment.mark)
      }
      if let next = stream.pointee.heldFirst {
        stream.pointee.heldSince = next.pointee.mark.time
      }
    }
    return hasDelivered
  }

  /// Bytes of a body that were seen but not kept.
  private func skipBody(_ flow: FlowPointer, _ side: Int, _ count: Int, _ mark: Mark) {
    let stream = flow.pointee.streams + side
    stream.pointee.next &+= UInt32(truncatingIfNeeded: count)
    miss(flow, side, UInt64(count), mark)
  }

  private func unlinkFirst(
    _ flow: FlowPointer, _ side: Int, _ node: RecordRef<HeldSegment>
  ) {
    let stream = flow.pointee.streams + side
    stream.pointee.heldFirst = node.pointee.next
    if let next = node.pointee.next {
      next.pointee.previous = nil
    } else {
      stream.pointee.heldLast = nil
    }
    stream.pointee.heldCount -= 1
    heldBytes -= CaptureLimits.heldSegmentCost
    if node.pointee.bytes != nil {
      stream.pointee.heldBytes -= node.pointee.count
      heldBytes -= node.pointee.count
    }
    node.pointee.bytes = nil
    held.give(node)
  }

  /// Drops what a direction holds.
  func releaseHeld(_ flow: FlowPointer, _ side: Int) {
    while let node = flow.pointee.streams[side].heldFirst {
      unlinkFirst(flow, side, node)
    }
    if flow.pointee.isHolding, flow.pointee.streams[1 - side].heldFirst == nil {
      stopHolding(flow)
    }
  }

  private func startHolding(_ flow: FlowPointer) {
    flow.pointee.isHolding = true
    flow.pointee.holdingBefore = lastHolding
    flow.pointee.holdingAfter = nil
    if let lastHolding { lastHolding.pointee.holdingAfter = flow } else { firstHolding = flow }
    lastHolding = flow
  }

  /// Takes a connection out of the list of those that hold segments.
  func stopHolding(_ flow: FlowPointer) {
    guard flow.pointee.isHolding else { return }
    flow.pointee.isHolding = false
    let before = flow.pointee.holdingBefore
    let after = flow.pointee.holdingAfter
    if let before { before.pointee.holdingAfter = after } else { firstHolding = after }
    if let after { after.pointee.holdingBefore = before } else { lastHolding = before }
  }
}
