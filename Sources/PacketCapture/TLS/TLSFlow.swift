internal import Bytes

extension Connections {
  /// Begins to decrypt a connection whose first bytes, at least three, are those of a TLS record.
  func beginTLS(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    // TLS within TLS is a tunnel through a proxy, which nobody logs the keys of.
    guard !flow.pointee.isSecure else {
      settle(flow, .tls)
      return
    }
    flow.pointee.isSecure = true
    let obstacle: TLSConnection.Obstacle? =
      keys.isEmpty ? .withoutKeys : tls.active >= CaptureLimits.tlsConnections ? .limit : nil
    if let obstacle {
      noteClosed(obstacle, nil)
      settle(flow, .tls)
      return
    }
    let connection = TLSConnection(
      keys: keys,
      deliver: { [unowned self] side, bytes, mark in deliverPlain(flow, side, bytes, mark) },
      miss: { [unowned self] side, count, gapEnd, mark in
        missPlain(flow, side, count, gapEnd: gapEnd, mark)
      })
    flow.pointee.tls = connection
    tls.active += 1
    let other = flow.pointee.streams + (1 - side)
    if other.pointee.phase == .head {
      var early = takeHead(other)
      receive(flow, connection, 1 - side, early.bytes, other.pointee.began)
      early.deallocate()
    }
    for side in 0...1 {
      flow.pointee.streams[side].phase = .start
      flow.pointee.streams[side].saidOther = false
    }
    flow.pointee.undecidedSegments = 0
    if flow.pointee.tls != nil { receive(flow, connection, side, bytes, mark) }
  }

  /// Reads bytes of a TLS connection that come next in one direction.
  func receive(
    _ flow: FlowPointer, _ connection: TLSConnection, _ side: Int,
    _ bytes: ByteView, _ mark: Mark
  ) {
    connection.receive(side, bytes, mark)
    look(flow, connection)
  }

  /// Bytes of one direction will never be seen, `.max` when nobody knows how many.
  func miss(_ flow: FlowPointer, _ side: Int, _ count: UInt64, _ mark: Mark) {
    guard let tls = flow.pointee.tls else {
      missPlain(flow, side, count, gapEnd: nil, mark)
      return
    }
    tls.lose(side, count, gapEnd: flow.pointee.streams[side].next, mark)
    look(flow, tls)
  }

  /// Accounts for what a connection holds, and ends what cannot be decrypted.
  private func look(_ flow: FlowPointer, _ connection: TLSConnection) {
    // What the plaintext said may have ended the reading.
    guard flow.pointee.tls != nil else { return }
    tls.heldBytes += connection.heldBytes - connection.countedBytes
    connection.countedBytes = connection.heldBytes
    if tls.heldBytes > CaptureLimits.tlsHeldBytes, connection.heldBytes > 0 {
      connection.stop(.limit)
    }
    if connection.isStopped {
      for side in 0...1 where connection.hasOpened {
        missPlain(flow, side, .max, gapEnd: nil, Mark(time: latest))
      }
      if flow.pointee.layer == .undecided { settle(flow, .tls) } else { releaseTLS(flow) }
    }
  }

  /// Reads plaintext of one side of a TLS connection, which comes in order.
  ///
  /// This and ``missPlain(_:_:_:gapEnd:_:)`` are all that layers above see of TLS.
  private func deliverPlain(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    beginNegotiated(flow, startingMidway: nil)
    feedPlain(flow, side, bytes, mark)
  }

  /// Plaintext of one side will never be seen.
  ///
  /// - Parameter gapEnd: the TCP sequence number behind what was lost, where that is not the place
  ///   which the direction has reached.
  private func missPlain(
    _ flow: FlowPointer, _ side: Int, _ count: UInt64, gapEnd: UInt32?, _ mark: Mark
  ) {
    beginNegotiated(flow, startingMidway: side)
    let stream = flow.pointee.streams + side
    switch flow.pointee.layer {
    case .http1:
      // Which requests the loss may have hit depends on where it was.
      let reached = stream.pointee.next
      if let gapEnd { stream.pointee.next = gapEnd }
      lose(flow, side, count, mark)
      stream.pointee.next = reached
    case .http2:
      loseHTTP2(flow, side, count, mark)
    case .undecided:
      dropHead(stream)
      stream.pointee.phase = .start
    default:
      break
    }
  }

  /// Begins HTTP/2 with the first plaintext of either side, where the server chose that by ALPN.
  ///
  /// - Parameter side: the direction whose first plaintext was lost.
  private func beginNegotiated(_ flow: FlowPointer, startingMidway side: Int?) {
    guard flow.pointee.layer == .undecided,
      let tls = flow.pointee.tls, tls.applicationProtocol == "h2",
      let client = tls.clientSide
    else { return }
    beginHTTP2(
      flow, clientSide: client, client: side == client ? .midway : .preface(leading: 0),
      server: side == 1 - client ? .midway : .frames)
    flow.pointee.layer = .http2
  }

  // MARK: Endings

  /// A TLS connection ends: passes on what is still to be said of it.
  func endTLS(_ flow: FlowPointer, _ mark: Mark) {
    guard let connection = flow.pointee.tls else { return }
    for side in 0...1 { connection.end(side, mark) }
    if !connection.hasOpened { flow.pointee.layer = .tls }
    releaseTLS(flow)
  }

  /// Ends the decryption of a connection, and notes what came of it.
  func releaseTLS(_ flow: FlowPointer) {
    guard let reference = flow.pointee.tls else { return }
    flow.pointee.tls = nil
    let connection = reference
    tls.active -= 1
    tls.heldBytes -= connection.countedBytes
    add(connection.counts)
    connection.stop()
    if let obstacle = connection.finalObstacle {
      noteClosed(obstacle, connection.serverName)
    } else {
      tls.decrypted &+= 1
    }
  }

  private func noteClosed(_ obstacle: TLSConnection.Obstacle, _ serverName: String?) {
    tls.closed[obstacle.note, default: 0] &+= 1
    let reason = TLSReason(serverName: serverName, obstacle: obstacle)
    let isNamed = tls.reasons[reason] != nil || tls.reasons.count < CaptureLimits.tlsNamedHosts
    if isNamed { tls.reasons[reason, default: 0] &+= 1 }
  }

  private func add(_ counts: TLSCounts) {
    tls.counts.records &+= counts.records
    tls.counts.lostRecords &+= counts.lostRecords
    tls.counts.unopenedRecords &+= counts.unopenedRecords
    tls.counts.resynchronised &+= counts.resynchronised
    tls.counts.earlyRecords &+= counts.earlyRecords
    tls.counts.keyUpdates &+= counts.keyUpdates
    tls.counts.retries &+= counts.retries
    tls.counts.alerts &+= counts.alerts
    tls.counts.lostDirections &+= counts.lostDirections
  }

  // MARK: Notes

  /// What the source record says of TLS beside the number of connections.
  var tlsNotes: [(String, UInt64)] {
    let counts = tls.counts
    return tls.closed.sorted { $0.key < $1.key } + [
      ("tls-decrypted", tls.decrypted),
      ("tls-records-decrypted", counts.records),
      ("tls-records-lost", counts.lostRecords),
      ("tls-records-not-opened", counts.unopenedRecords),
      ("tls-resynchronised", counts.resynchronised),
      ("tls-directions-given-up", counts.lostDirections),
      ("tls-early-data-skipped", counts.earlyRecords),
      ("tls-key-updates", counts.keyUpdates),
      ("tls-hello-retries", counts.retries),
      ("tls-alerts", counts.alerts),
      ("tls-secrets-of-capture", UInt64(keys.own.count)),
      ("tls-secrets-malformed", keys.own.malformedLines),
      ("tls-secrets-refused", keys.own.refusedLines),
    ]
  }

  /// Why connections were not decrypted although there are keys: the most frequent reasons.
  var tlsWarnings: [String] {
    guard !keys.isEmpty else { return [] }
    let sorted = tls.reasons.map { (text: $0.key.text, count: $0.value) }
      .sorted { ($1.count, $0.text) < ($0.count, $1.text) }
    return sorted.prefix(10).map {
      $0.count == 1 ? $0.text : "\($0.text) (\($0.count) connections)"
    }
  }
}
