internal import Bytes
internal import HTTPExchange

/// Follows the TCP connections of a capture, and gives out the exchanges that they carry.
///
/// Segments come in with ``receive(_:_:)``; what each connection's two directions deliver in order
/// goes to the HTTP parser at once, and nothing is kept of bodies.
final class Connections {
  // One thread alone calls this, and no method hands out access to what it changes: checking that
  // for each packet again costs more than finding its connection.
  @safe @exclusivity(unchecked) var table = FlowTable()
  @safe @exclusivity(unchecked) var held = Slab<HeldSegment>()
  @safe @exclusivity(unchecked) var requests = Slab<OpenRequest>()
  @safe @exclusivity(unchecked) var heldBytes = 0
  @safe @exclusivity(unchecked) var firstHolding: FlowPointer?
  @safe @exclusivity(unchecked) var lastHolding: FlowPointer?
  @safe @exclusivity(unchecked) var firstOpen: OpenRequestPointer?
  @safe @exclusivity(unchecked) var lastOpen: OpenRequestPointer?
  @safe @exclusivity(unchecked) var openBytes = 0
  @safe @exclusivity(unchecked) var requestCount = 0
  /// Memory of header blocks that were given out, for the next ones.
  @safe @exclusivity(unchecked) var spareHeads: [HeadBuffer] = []
  /// Bytes of header blocks that are not whole yet.
  @safe @exclusivity(unchecked) var partialBytes = 0
  /// Bytes of all HPACK tables.
  @safe @exclusivity(unchecked) var tableBytes = 0
  @safe @exclusivity(unchecked) var scratch = HPACKDecoder.Scratch()
  /// The latest time of any packet.
  @safe @exclusivity(unchecked) private(set) var latest = Int64.min
  @safe @exclusivity(unchecked) private var hasLeapt = false
  @safe @exclusivity(unchecked) var counts = ConnectionCounts()
  /// How many exchanges began in the packet that is being delivered.
  @safe @exclusivity(unchecked) var ordinal: UInt32 = 0
  let builder: ExchangeBuilder
  let keys: TLSKeys
  var tls = TLSTotals()

  /// Connections that give their exchanges to `builder`, and are decrypted with `keys`.
  init(builder: ExchangeBuilder, keys: TLSKeys) {
    self.builder = builder
    self.keys = keys
  }

  deinit {
    // Whatever was not finished still owns memory of its own.
    while let flow = table.oldest ?? table.oldestClosed { release(flow) }
  }

  /// Takes in one segment, and says what it was good for.
  func receive(_ segment: borrowing Segment, _ mark: Mark) -> PacketFate {
    see(mark.time)
    let (key, side) = FlowKey.of(segment)
    let flow: FlowPointer
    if let known = table.find(key) {
      flow = known
      table.touch(flow, at: mark.time)
    } else {
      // A lone RST or a FIN without data opens nothing.
      let length = segment.payload.count + segment.missing
      if length == 0, segment.flags & (Segment.rst | Segment.fin) != 0 {
        return .skipped(.noPayload)
      }
      makeRoom()
      flow = table.insert(key, at: mark.time)
    }
    return receive(segment, mark, flow, side)
  }

  /// Moves the clock; a leap of a day is believed once a second packet confirms it, since a single
  /// wrong stamp would otherwise end every wait.
  @inline(__always)
  private func see(_ time: Int64) {
    guard time > latest else {
      hasLeapt = false
      return
    }
    if latest != .min, time.subtractingReportingOverflow(latest).partialValue > 86_400_000_000_000,
      !hasLeapt
    {
      hasLeapt = true
      return
    }
    latest = time
    hasLeapt = false
  }

  private func receive(
    _ segment: borrowing Segment, _ mark: Mark, _ flow: FlowPointer, _ side: Int
  ) -> PacketFate {
    let stream = flow.pointee.streams + side
    let other = flow.pointee.streams + (1 - side)
    let length = segment.payload.count + segment.missing
    if segment.missing > 0 { counts.snapped &+= 1 }
    var sequence = segment.sequence
    if segment.flags & Segment.syn != 0 {
      open(segment, mark, flow, side)
      sequence &+= 1
    } else if flow.pointee.isClosed {
      guard length > 0, flow.pointee.resetBy != 2, segment.flags & Segment.rst == 0,
        sequence == stream.pointee.next
      else { return .skipped(length > 0 ? .afterClose : .noPayload) }
      revive(flow, mark)
    }
    if segment.flags & Segment.ack != 0, segment.flags & Segment.rst == 0 {
      let acknowledgment = segment.acknowledgment
      if !other.pointee.hasAcknowledged
        || Int32(bitPattern: acknowledgment &- other.pointee.acknowledged) > 0
      {
        other.pointee.acknowledged = acknowledgment
        other.pointee.hasAcknowledged = true
        if other.pointee.heldFirst != nil {
          drain(flow, 1 - side, mark.time)
          if flow.pointee.isClosed { return .skipped(length > 0 ? .afterClose : .noPayload) }
        }
      }
    }
    if segment.flags & Segment.rst != 0 {
      reset(segment.sequence, mark, flow, side)
      return .skipped(.noPayload)
    }
    var fate = PacketFate.skipped(.noPayload)
    if length > 0 {
      if !flow.pointee.isCounted {
        flow.pointee.isCounted = true
        counts.connections &+= 1
      }
      switch flow.pointee.layer {
      case .undecided, .http1, .http2:
        let isNew = take(segment, sequence, mark, flow, side)
        fate =
          isNew ? Self.fate(flow) : .skipped(.retransmission)
      default:
        fate = Self.fate(flow)
      }
    }
    if segment.flags & Segment.fin != 0, !stream.pointee.hasEnd {
      stream.pointee.end = sequence &+ UInt32(truncatingIfNeeded: length)
      stream.pointee.hasEnd = true
      if !stream.pointee.hasNext {
        stream.pointee.next = stream.pointee.end
        stream.pointee.hasNext = true
      }
    }
    if stream.pointee.hasEnd { closeIfDone(flow, side, mark) }
    return fate
  }

  private static func fate(_ flow: FlowPointer) -> PacketFate {
    switch flow.pointee.layer {
    case .http1, .http2: .used
    case .tls: .skipped(.tls)
    case .undecided, .other: .skipped(flow.pointee.isSecure ? .tls : .otherTCP)
    }
  }

  // MARK: Opening and closing

  /// A SYN: the beginning of a connection, a copy of it, or a new connection between old ends.
  private func open(
    _ segment: borrowing Segment, _ mark: Mark, _ flow: FlowPointer, _ side: Int
  ) {
    let stream = flow.pointee.streams + side
    let first = segment.sequence &+ 1
    if stream.pointee.hasInitial {
      if stream.pointee.initial == segment.sequence { return }
      restart(flow, mark)
    } else if stream.pointee.hasNext, segment.flags & Segment.ack == 0 || flow.pointee.isClosed {
      // Data came first: reordered if they follow this SYN, of an older connection if not.
      let distance = Int32(bitPattern: stream.pointee.next &- first)
      if flow.pointee.isClosed || distance < 0 || distance > 65535 { restart(flow, mark) }
    } else if flow.pointee.isClosed {
      restart(flow, mark)
    }
    stream.pointee.initial = segment.sequence
    stream.pointee.hasInitial = true
    if !stream.pointee.hasNext {
      stream.pointee.next = first
      stream.pointee.hasNext = true
    }
    if flow.pointee.clientSide == 2 {
      flow.pointee.clientSide = UInt8(segment.flags & Segment.ack == 0 ? side : 1 - side)
    }
  }

  /// Ends the connection that is known between two ends, and begins another one.
  private func restart(_ flow: FlowPointer, _ mark: Mark) {
    counts.reusedPorts &+= 1
    finish(flow, mark.time)
    releaseContents(flow)
    table.reopen(flow, at: mark.time)
    let streams = flow.pointee.streams
    streams[0] = Stream()
    streams[1] = Stream()
    flow.pointee.layer = .undecided
    flow.pointee.clientSide = 2
    flow.pointee.undecidedSegments = 0
    flow.pointee.isCounted = false
    flow.pointee.hasProxied = false
    flow.pointee.isSecure = false
    flow.pointee.resetBy = 2
  }

  private func reset(_ sequence: UInt32, _ mark: Mark, _ flow: FlowPointer, _ side: Int) {
    let stream = flow.pointee.streams + side
    // One that lies far off is of another connection, or forged.
    if stream.pointee.hasNext,
      abs(Int(Int32(bitPattern: sequence &- stream.pointee.next))) > CaptureLimits.sequenceJump
    {
      return
    }
    drain(flow, side, mark.time, isForced: true)
    drain(flow, 1 - side, mark.time, isForced: true)
    flow.pointee.resetBy = UInt8(side)
    close(flow, side, mark)
    close(flow, 1 - side, mark)
    counts.resets &+= 1
  }

  /// The ends go on although a RST was seen: they did not believe it, as forged ones are not.
  private func revive(_ flow: FlowPointer, _ mark: Mark) {
    counts.ignoredResets &+= 1
    table.reopen(flow, at: mark.time)
    flow.pointee.resetBy = 2
    if flow.pointee.isSecure { flow.pointee.layer = .tls }
    for side in 0...1 { flow.pointee.streams[side].isClosed = false }
  }

  /// Closes a direction whose last byte was delivered.
  func closeIfDone(_ flow: FlowPointer, _ side: Int, _ mark: Mark) {
    let stream = flow.pointee.streams + side
    guard !stream.pointee.isClosed else { return }
    let isInteresting = flow.pointee.layer != .tls && flow.pointee.layer != .other
    guard
      !isInteresting
        || Int32(bitPattern: stream.pointee.end &- stream.pointee.next) <= 0
    else { return }
    close(flow, side, mark)
  }

  private func close(_ flow: FlowPointer, _ side: Int, _ mark: Mark) {
    let stream = flow.pointee.streams + side
    guard !stream.pointee.isClosed else { return }
    stream.pointee.isClosed = true
    flow.pointee.tls?.end(side, mark)
    if flow.pointee.layer == .http1 { streamEnded(flow, side, mark) }
    endHTTP2(flow, side, mark)
    if flow.pointee.streams[1 - side].isClosed {
      finish(flow, mark.time)
      releaseContents(flow)
      table.close(flow, at: mark.time)
    }
  }

  /// Gives out what a connection still holds.
  private func finish(_ flow: FlowPointer, _ time: Int64) {
    drain(flow, 0, time, isForced: true)
    drain(flow, 1, time, isForced: true)
    if flow.pointee.layer != .tls, flow.pointee.layer != .other { skipUnseenEnd(flow, time) }
    endTLS(flow, Mark(time: time))
    finishMessages(flow)
    finishHTTP2(flow)
    noteEnd(flow)
  }

  private func noteEnd(_ flow: FlowPointer) {
    guard flow.pointee.isCounted else { return }
    flow.pointee.isCounted = false
    let streams = flow.pointee.streams
    if !streams[0].hasInitial, !streams[1].hasInitial { counts.withoutStart &+= 1 }
    if streams[0].hasBegun != streams[1].hasBegun { counts.oneSided &+= 1 }
    if streams[0].hasGap || streams[1].hasGap { counts.withGaps &+= 1 }
    if flow.pointee.isSecure { counts.tls &+= 1 }
    switch flow.pointee.layer {
    case .http1: counts.http1 &+= 1
    case .http2: noteHTTP2(flow)
    case .tls: break
    case .undecided, .other: if !flow.pointee.isSecure { counts.other &+= 1 }
    }
  }

  /// Frees what a connection owns, without giving anything out.
  private func releaseContents(_ flow: FlowPointer) {
    releaseTLS(flow)
    releaseHeld(flow, 0)
    releaseHeld(flow, 1)
    for side in 0...1 { dropHead(flow.pointee.streams + side) }
    while let request = flow.pointee.firstOpen { dropFirst(flow, request) }
    releaseHTTP2(flow)
  }

  private func release(_ flow: FlowPointer) {
    releaseContents(flow)
    table.remove(flow)
  }

  // MARK: Limits

  /// Forgets connections until one more fits.
  private func makeRoom() {
    while let flow = table.oldestClosed,
      latest &- flow.pointee.lastAt > CaptureLimits.closedConnection
    {
      release(flow)
    }
    while let flow = table.oldest, latest &- flow.pointee.lastAt > CaptureLimits.idleConnection {
      counts.idle &+= 1
      finish(flow, latest)
      release(flow)
    }
    while table.count >= CaptureLimits.connections {
      if let flow = table.oldestClosed {
        release(flow)
      } else if let flow = table.oldest {
        counts.evicted &+= 1
        finish(flow, latest)
        release(flow)
      } else {
        return
      }
    }
  }

  /// Gives up waiting for what is overdue, between two buffers of input.
  func expire() {
    while let flow = firstHolding, isOverdue(flow) || heldBytes > CaptureLimits.heldBytes {
      if heldBytes > CaptureLimits.heldBytes { counts.heldLimit &+= 1 }
      drain(flow, 0, latest, isForced: true)
      drain(flow, 1, latest, isForced: true)
      if flow.pointee.isHolding { stopHolding(flow) }
    }
    while let request = firstOpen,
      latest &- request.pointee.began.time > CaptureLimits.responseWait
        || openBytes > CaptureLimits.openRequestBytes
    {
      counts.overdue &+= 1
      giveOut(request, .unanswered)
    }
    forgetRequests()
  }

  /// Forgets connections whose requests, though given out, are too many to be remembered.
  private func forgetRequests() {
    while requestCount > CaptureLimits.rememberedRequests,
      let flow = table.oldest ?? table.oldestClosed
    {
      counts.evicted &+= 1
      finish(flow, latest)
      release(flow)
    }
  }

  private func isOverdue(_ flow: FlowPointer) -> Bool {
    let streams = flow.pointee.streams
    var since = Int64.max
    for side in 0...1 where streams[side].heldFirst != nil {
      since = min(since, streams[side].heldSince)
    }
    return latest &- since > CaptureLimits.holeWait
  }

  /// Ends all connections.
  func finishAll() {
    while let request = firstOpen { finish(request.pointee.flow, latest) }
    while let flow = table.oldest {
      finish(flow, latest)
      release(flow)
    }
    while let flow = table.oldestClosed { release(flow) }
  }

  /// No exchange that is still to come began before this.
  var watermark: Int64 {
    var time = latest
    if let request = firstOpen { time = min(time, request.pointee.began.time) }
    if let flow = firstHolding {
      for side in 0...1 where flow.pointee.streams[side].heldFirst != nil {
        time = min(time, flow.pointee.streams[side].heldSince)
      }
    }
    return time
  }
}

/// What happened on the connections, for the notes of the source record.
struct ConnectionCounts {
  var connections: UInt64 = 0
  var http1: UInt64 = 0
  var http2: UInt64 = 0
  var http2NotDecoded: UInt64 = 0
  var http2WithoutStart: UInt64 = 0
  var tls: UInt64 = 0
  var other: UInt64 = 0
  var withoutStart: UInt64 = 0
  var oneSided: UInt64 = 0
  var withGaps: UInt64 = 0
  var reusedPorts: UInt64 = 0
  var resets: UInt64 = 0
  var ignoredResets: UInt64 = 0
  var idle: UInt64 = 0
  var evicted: UInt64 = 0
  var snapped: UInt64 = 0
  var retransmissions: UInt64 = 0
  var differing: UInt64 = 0
  var reordered: UInt64 = 0
  var gaps: UInt64 = 0
  var gapBytes: UInt64 = 0
  var heldLimit: UInt64 = 0
  var overdue: UInt64 = 0
  var lateAnswers: UInt64 = 0
  var withoutRequest: UInt64 = 0
  var interim: UInt64 = 0
  var upgraded: UInt64 = 0
  var tunnels: UInt64 = 0
  var proxyHeaders: UInt64 = 0
  var longHeads: UInt64 = 0
  var resynchronised: UInt64 = 0
  var lostBytes: UInt64 = 0
  var pipelineLimit: UInt64 = 0
  var refusedStreams: UInt64 = 0
  var streamLimit: UInt64 = 0
  var pushed: UInt64 = 0
  var malformedFrames: UInt64 = 0
  var damagedBlocks: UInt64 = 0
  var blocksWithUnknownFields: UInt64 = 0
  var unknownFields: UInt64 = 0
  var largeTables: UInt64 = 0
  var forgottenTables: UInt64 = 0
}
