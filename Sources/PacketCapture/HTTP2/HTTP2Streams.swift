internal import Bytes
internal import HTTPExchange

/// A header block that came to its end, decoded; its fields are in the scratch memory.
struct HTTP2Message {
  var facts: HeaderFacts
  var stream: UInt32
  /// Whether all fields are known.
  var isWhole: Bool
  var endsStream: Bool
  var began: Mark
  var ordinal: UInt32
  /// Why the rest of it was not seen; `.complete` when it was.
  var ending: ExchangeEnding
}

/// Streams: which response answers which request.
extension Connections {
  /// Takes in a header block.
  func receive(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ message: HTTP2Message,
    _ mark: Mark
  ) {
    let isOther =
      side == Int(flow.pointee.clientSide) ? message.facts.status > 0 : message.facts.hasMethod
    if isOther {
      guard !connection.hasDecoded, !connection.isFromStart else {
        counts.malformedFrames &+= 1
        return
      }
      // Which side is the client was a guess.
      flow.pointee.clientSide = 1 - (flow.pointee.clientSide & 1)
    }
    if side == Int(flow.pointee.clientSide) {
      receiveRequest(flow, connection, message, mark)
    } else {
      receiveResponse(flow, connection, side, message, mark)
    }
  }

  private func receiveRequest(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ message: HTTP2Message, _ mark: Mark
  ) {
    var message = message
    let facts = message.facts
    // Streams of clients are odd, and each is higher than all before; others are trailers.
    guard message.stream & 1 == 1, message.stream > connection.lastStream, !facts.isTrailers,
      facts.hasMethod || !message.isWhole
    else { return }
    connection.lastStream = message.stream
    guard message.stream <= connection.goAwayLast else {
      counts.refusedStreams &+= 1
      return
    }
    var head = HeadBuffer()
    head.append(scratch.list.bytes)
    let request: OpenRequestPointer
    if let partial = connection.partial, !partial.pointee.isGivenOut {
      connection.partial = nil
      request = partial
      openBytes += head.count
    } else {
      dropPartial(connection)
      var began = message.began
      if began.time < mark.time {
        // It waited too long and has lost its place, and its time with it.
        began = mark
        ordinal &+= 1
        message.ordinal = ordinal
      }
      request = expectResponse(OpenRequest(flow: flow, began: began, ordinal: 0))
      openBytes += head.count
    }
    request.pointee.head = head
    request.pointee.scanner = HeadScanner(facts)
    request.pointee.ordinal = message.ordinal
    request.pointee.isWhole = message.isWhole
    request.pointee.isCut = !message.isWhole
    request.pointee.isFieldList = true
    request.pointee.isPlaceholder = false
    guard makeRoom(connection) else {
      counts.streamLimit &+= 1
      giveOut(request, .unanswered)
      drop(request)
      return
    }
    let server = connection.directions + (1 - Int(flow.pointee.clientSide))
    connection.streams[message.stream] = HTTP2Stream(
      request: request, gaps: server.pointee.gaps)
    connection.sincePurge += 1
  }

  private func receiveResponse(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ message: HTTP2Message,
    _ mark: Mark
  ) {
    let status = message.facts.status
    // Even streams are pushed ones.
    guard message.stream & 1 == 1 else { return }
    let stream = connection.streams[message.stream]
    if message.facts.isTrailers || stream?.isAnswered ?? false {
      if message.endsStream { streamEnded(flow, connection, side, message.stream) }
      return
    }
    guard status > 0 || !message.isWhole else {
      counts.malformedFrames &+= 1
      return
    }
    if status >= 100, status < 200 {
      counts.interim &+= 1
      return
    }
    let response = ExchangeBuilder.Message(
      head: scratch.list.bytes, scanner: HeadScanner(message.facts), isWhole: message.isWhole,
      began: message.began, ordinal: message.ordinal, isFieldList: true)
    let ending = message.ending == .complete && status == 0 ? .gap : message.ending
    if let request = stream?.request {
      if request.pointee.isGivenOut {
        counts.lateAnswers &+= 1
      } else {
        builder.add(
          flow, request: self.message(request), response: response, endedAt: mark, ending)
        if request.pointee.scanner.isConnect, status < 300 {
          if request.pointee.scanner.upgrade == .none {
            counts.tunnels &+= 1
          } else {
            counts.upgraded &+= 1
          }
        }
      }
      drop(request)
    } else {
      let client = connection.directions + (1 - side)
      if message.stream <= connection.lastStream, !client.pointee.hasGap {
        // Its request was given up by the client before.
        counts.lateAnswers &+= 1
        return
      }
      counts.withoutRequest &+= 1
      builder.add(flow, request: nil, response: response, endedAt: mark, ending)
    }
    if message.endsStream {
      connection.streams[message.stream] = nil
    } else if stream != nil || makeRoom(connection) {
      connection.streams[message.stream] = HTTP2Stream(isAnswered: true)
      if stream == nil { connection.sincePurge += 1 }
    }
  }

  // MARK: Ends

  /// The last frame of a stream in one direction came.
  func streamEnded(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ number: UInt32
  ) {
    guard side != Int(flow.pointee.clientSide), let stream = connection.streams[number] else {
      return
    }
    // Without a response before: it was lost.
    close(connection, number, stream, .serverClosed)
  }

  /// One side gave a stream up.
  func streamReset(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ number: UInt32, code: UInt32
  ) {
    guard let stream = connection.streams[number] else { return }
    let isServer = side != Int(flow.pointee.clientSide)
    // REFUSED_STREAM and HTTP_1_1_REQUIRED: the browser sends the request again, unseen by scripts.
    if isServer, code == 7 || code == 13, stream.request != nil {
      refuse(connection, number, stream)
      return
    }
    close(connection, number, stream, isServer ? .serverClosed : .clientClosed)
  }

  /// The server answers no stream above `last`; browsers send those requests again.
  ///
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc9113#name-goaway>
  func goAway(_ connection: HTTP2Connection, last: UInt32) {
    guard last < connection.goAwayLast, connection.goAways < CaptureLimits.goAways else { return }
    connection.goAways += 1
    connection.goAwayLast = last
    guard last < connection.lastStream else { return }
    for (number, stream) in connection.streams where number > last && stream.request != nil {
      refuse(connection, number, stream)
    }
  }

  private func refuse(_ connection: HTTP2Connection, _ number: UInt32, _ stream: HTTP2Stream) {
    connection.streams[number] = nil
    guard let request = stream.request else { return }
    if !request.pointee.isGivenOut { counts.refusedStreams &+= 1 }
    drop(request)
  }

  private func close(
    _ connection: HTTP2Connection, _ number: UInt32, _ stream: HTTP2Stream,
    _ ending: ExchangeEnding
  ) {
    connection.streams[number] = nil
    guard let request = stream.request else { return }
    let flow = request.pointee.flow
    let server = connection.directions + (1 - Int(flow.pointee.clientSide & 1))
    giveOut(request, server.pointee.gaps != stream.gaps ? .gap : ending)
    drop(request)
  }

  /// A direction was closed after its last byte.
  func endHTTP2(_ flow: FlowPointer, _ side: Int, _ mark: Mark) {
    guard let connection = flow.pointee.http2 else { return }
    let clientSide = flow.pointee.clientSide & 1
    let isByClient =
      side == Int(clientSide) || flow.pointee.resetBy == clientSide
      || (flow.pointee.resetBy == 2 && flow.pointee.streams[Int(clientSide)].isClosed)
    let ending = isByClient ? ExchangeEnding.clientClosed : .serverClosed
    cutBlock(flow, connection, side, mark, ending)
    if side == Int(clientSide) { dropPartial(connection) } else { closeAll(connection, ending) }
  }

  /// Gives out what is open on a connection of which nothing more will be seen.
  func finishHTTP2(_ flow: FlowPointer) {
    guard let connection = flow.pointee.http2 else { return }
    for side in 0...1 {
      // Now, not when it began: exchanges that are later than that were given out already.
      var mark = connection.directions[side].blockBegan
      mark.time = max(mark.time, latest)
      cutBlock(flow, connection, side, mark, .unanswered)
    }
    dropPartial(connection)
    let client = Int(flow.pointee.clientSide & 1)
    closeAll(connection, flow.pointee.streams[client].isClosed ? .clientClosed : .unanswered)
  }

  private func closeAll(_ connection: HTTP2Connection, _ ending: ExchangeEnding) {
    for (number, stream) in connection.streams.sorted(by: { $0.key < $1.key }) {
      close(connection, number, stream, ending)
    }
  }

  /// Counts a connection that has ended.
  func noteHTTP2(_ flow: FlowPointer) {
    guard let connection = flow.pointee.http2 else { return }
    // One that is idle hides nothing, although nothing of it was decoded.
    if connection.hidesStreams, !connection.hasDecoded {
      counts.http2NotDecoded &+= 1
    } else {
      counts.http2 &+= 1
    }
    if !connection.isFromStart { counts.http2WithoutStart &+= 1 }
  }

  /// Frees what a connection owns, without giving anything out.
  func releaseHTTP2(_ flow: FlowPointer) {
    guard let reference = flow.pointee.http2 else { return }
    flow.pointee.http2 = nil
    let connection = reference
    dropPartial(connection)
    for stream in connection.streams.values {
      if let request = stream.request { drop(request) }
    }
    for side in 0...1 { partialBytes -= connection.directions[side].block.count }
    tableBytes -= connection.tableBytes
  }

  // MARK: Order and limits

  /// Keeps the place of a request whose header block is still coming in.
  func notePartial(_ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int) {
    guard side == Int(flow.pointee.clientSide) else { return }
    let direction = connection.directions + side
    guard direction.pointee.isBetween else {
      if connection.partial != nil { dropPartial(connection) }
      return
    }
    guard connection.partial == nil else { return }
    let began =
      direction.pointee.blockStream != 0
      ? direction.pointee.blockBegan : direction.pointee.frameBegan
    connection.partial = expectResponse(
      OpenRequest(flow: flow, began: began, ordinal: 0, isPlaceholder: true))
  }

  private func dropPartial(_ connection: HTTP2Connection) {
    guard let partial = connection.partial else { return }
    connection.partial = nil
    drop(partial)
  }

  /// Forgets streams whose end was not seen, if there are too many.
  ///
  /// - Returns: whether there is room for one more.
  private func makeRoom(_ connection: HTTP2Connection) -> Bool {
    guard connection.streams.count >= CaptureLimits.streamsPerConnection else { return true }
    // Not at each stream, since it looks at all of them.
    guard connection.sincePurge >= CaptureLimits.streamsPerConnection / 8 else { return false }
    connection.sincePurge = 0
    for (number, stream) in connection.streams {
      if let request = stream.request {
        guard request.pointee.isGivenOut else { continue }
        drop(request)
      }
      connection.streams[number] = nil
    }
    return connection.streams.count < CaptureLimits.streamsPerConnection
  }
}
