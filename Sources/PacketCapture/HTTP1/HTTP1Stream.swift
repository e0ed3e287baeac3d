internal import Bytes
internal import HTTPExchange

extension Connections {
  /// Reads bytes that come next in one direction of a connection, as the wire carried them.
  func feed(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    if let tls = flow.pointee.tls {
      receive(flow, tls, side, bytes, mark)
    } else {
      feedPlain(flow, side, bytes, mark)
    }
  }

  /// Reads plaintext that comes next in one direction of a connection.
  func feedPlain(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    switch flow.pointee.layer {
    case .http1: read(flow, side, bytes, mark, began: mark)
    case .undecided: decide(flow, side, bytes, mark)
    case .http2: feedHTTP2(flow, side, bytes, mark)
    case .tls, .other: break
    }
  }

  // MARK: Recognition

  /// Finds out by content what a connection speaks.
  private func decide(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    let stream = flow.pointee.streams + side
    guard stream.pointee.phase == .head else {
      stream.pointee.began = mark
      if judge(flow, side, bytes, mark, began: mark) == .no { countUndecided(flow, side) }
      return
    }
    // The beginning came in small pieces.
    var buffer = takeHead(stream)
    buffer.append(bytes)
    stream.pointee.phase = .start
    if judge(flow, side, buffer.bytes, mark, began: stream.pointee.began) == .no {
      // What came before may have been the end of something else.
      stream.pointee.began = mark
      if judge(flow, side, bytes, mark, began: mark) == .no { countUndecided(flow, side) }
    }
    buffer.deallocate()
  }

  /// Judges the beginning of a stream, and goes on with what it is.
  ///
  /// - Returns: `.yes` when the bytes are done with, `.unclear` when they were kept until more come.
  private func judge(
    _ flow: FlowPointer, _ side: Int, _ whole: ByteView, _ mark: Mark, began: Mark
  ) -> MessageGuess {
    var bytes = whole
    switch ProxyHeader(bytes) {
    case .none:
      break
    case .incomplete:
      return keep(flow, side, whole)
    case .header(let length, let client):
      if let client {
        if !flow.pointee.hasProxied { counts.proxyHeaders &+= 1 }
        flow.pointee.proxied = client
        flow.pointee.hasProxied = true
      }
      bytes = bytes.from(length)
      if bytes.isEmpty { return .yes }
    }
    bytes = withoutEmptyLines(bytes)
    guard bytes.count > 0 else { return .yes }
    if bytes.has("PRI * HTTP/2.0\r\n") || FrameHeader.beginsFrames(bytes) {
      recognizeHTTP2(flow, side, bytes, mark)
    } else if bytes.count >= 3, (0x14...0x17).contains(bytes[0]), bytes[1] == 3, bytes[2] <= 4 {
      beginTLS(flow, side, bytes, mark)
    } else {
      let response = MessageGuess.response(bytes)
      var request = MessageGuess.request(bytes)
      if request == .yes, flow.pointee.undecidedSegments > 0,
        !MessageGuess.beginsWithKnownMethod(bytes)
      {
        request = .no
      }
      if response == .yes {
        begin(flow, side, clientSide: 1 - side, bytes, mark, began)
      } else if request == .yes {
        begin(flow, side, clientSide: side, bytes, mark, began)
      } else if response == .unclear || request == .unclear
        // The first bytes of TLS may stand alone as well.
        || (bytes.count < 3 && (0x14...0x17).contains(bytes[0]))
      {
        return keep(flow, side, whole)
      } else {
        return .no
      }
    }
    return .yes
  }

  /// Keeps bytes that may become the beginning of a message.
  private func keep(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView
  ) -> MessageGuess {
    let stream = flow.pointee.streams + side
    guard bytes.count <= CaptureLimits.undecidedBytes, appendHead(stream, bytes) else {
      return .no
    }
    stream.pointee.phase = .head
    return .unclear
  }

  private func countUndecided(_ flow: FlowPointer, _ side: Int) {
    flow.pointee.streams[side].saidOther = true
    flow.pointee.undecidedSegments &+= 1
    if flow.pointee.undecidedSegments >= CaptureLimits.undecidedSegments { settle(flow, .other) }
  }

  /// The bytes behind empty lines, which may stand before a message.
  private func withoutEmptyLines(_ bytes: ByteView) -> ByteView {
    var start = 0
    while start < bytes.count, bytes[start] == 0x0D || bytes[start] == 0x0A {
      start += 1
    }
    return bytes.from(start)
  }

  /// Ends the reading of a connection whose content is not HTTP/1.
  func settle(_ flow: FlowPointer, _ layer: Layer) {
    flow.pointee.layer = layer
    releaseTLS(flow)
    for side in 0...1 {
      dropHead(flow.pointee.streams + side)
      releaseHeld(flow, side)
    }
  }

  private func begin(
    _ flow: FlowPointer, _ side: Int, clientSide: Int, _ bytes: ByteView,
    _ mark: Mark, _ began: Mark
  ) {
    flow.pointee.layer = .http1
    flow.pointee.clientSide = UInt8(clientSide)
    if flow.pointee.undecidedSegments > 0 { counts.resynchronised &+= 1 }
    let other = flow.pointee.streams + (1 - side)
    if other.pointee.phase == .head {
      var buffer = takeHead(other)
      other.pointee.phase = .start
      let mark = other.pointee.began
      read(flow, 1 - side, buffer.bytes, mark, began: mark)
      buffer.deallocate()
    } else if other.pointee.saidOther {
      other.pointee.phase = .lost
    }
    if flow.pointee.layer == .http1 { read(flow, side, bytes, mark, began: began) }
  }

  // MARK: Messages

  /// Reads messages and skips their bodies.
  ///
  /// - Parameter began: the mark of the first byte, which may have come in an earlier packet.
  private func read(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark, began: Mark
  ) {
    let stream = flow.pointee.streams + side
    let isRequest = side == flow.pointee.clientSide
    var position = 0
    while position < bytes.count {
      switch stream.pointee.phase {
      case .start:
        while position < bytes.count, bytes[position] == 0x0D || bytes[position] == 0x0A {
          position += 1
        }
        guard position < bytes.count else { return }
        stream.pointee.began = position == 0 ? began : mark
        ordinal &+= 1
        stream.pointee.ordinal = ordinal
        let rest = bytes.from(position)
        guard let end = beginHead(flow, side, rest, isRequest: isRequest) else { return }
        position += end
        finishHead(flow, side, rest.part(0, end), mark)
        if flow.pointee.layer != .http1 {
          if position < bytes.count { feedPlain(flow, side, bytes.from(position), mark) }
          return
        }
      case .head:
        let rest = bytes.from(position)
        guard stream.pointee.head.count + rest.count <= 2 * CaptureLimits.headLength,
          appendHead(stream, rest)
        else {
          counts.longHeads &+= 1
          loseHead(flow, side, mark, .gap)
          return
        }
        let head = stream.pointee.head.bytes
        switch stream.pointee.scanner.scan(head, isRequest: isRequest) {
        case .complete(let end):
          position = bytes.count - (head.count - end)
          partialBytes -= head.count - end
          stream.pointee.head.cut(to: end)
          finishHead(flow, side, head.part(0, end), mark)
          if flow.pointee.layer != .http1 {
            if position < bytes.count { feedPlain(flow, side, bytes.from(position), mark) }
            return
          }
        case .incomplete where head.count > CaptureLimits.headLength:
          counts.longHeads &+= 1
          loseHead(flow, side, mark, .gap)
          return
        case .incomplete:
          return
        case .invalid:
          loseHead(flow, side, mark, .gap)
          return
        }
      case .lost:
        guard position == 0, isMessageStart(bytes, isRequest: isRequest) else {
          counts.lostBytes &+= UInt64(bytes.count - position)
          return
        }
        counts.resynchronised &+= 1
        stream.pointee.phase = .start
      case .untilClose:
        // A server that keeps the connection although it told no length.
        guard position == 0, flow.pointee.firstOpen != nil,
          MessageGuess.response(bytes) == .yes
        else { return }
        counts.resynchronised &+= 1
        stream.pointee.phase = .start
      case .body:
        if stream.pointee.mayAnswerHead {
          stream.pointee.mayAnswerHead = false
          if position == 0, MessageGuess.response(bytes) == .yes {
            stream.pointee.phase = .start
            continue
          }
        }
        position += pass(stream, bytes.count - position, then: .start)
      case .chunk:
        position += pass(stream, bytes.count - position, then: .chunkEnd)
      case .chunkSize, .chunkExtension, .chunkEnd, .trailers:
        position += chunkFraming(stream, bytes.from(position))
      }
    }
  }

  /// Scans a header block from its first byte.
  ///
  /// - Returns: where it ends; `nil` when it goes on behind the bytes, or is none.
  private func beginHead(
    _ flow: FlowPointer, _ side: Int, _ rest: ByteView, isRequest: Bool
  ) -> Int? {
    let stream = flow.pointee.streams + side
    var scanner = HeadScanner()
    let outcome = scanner.scan(rest, isRequest: isRequest)
    stream.pointee.scanner = scanner
    switch outcome {
    case .complete(let end):
      return end
    case .incomplete:
      if !scanner.hasStartLine,
        !(isRequest ? RequestLine.mayBegin(with: rest) : MessageGuess.response(rest) != .no)
          || rest.count > CaptureLimits.headLength
      {
        break
      }
      let isKept = appendHead(stream, rest.part(0, min(rest.count, CaptureLimits.headLength + 1)))
      stream.pointee.phase = .head
      if isRequest { addOpen(flow, side) }
      if rest.count > CaptureLimits.headLength || !isKept {
        counts.longHeads &+= 1
        loseHead(flow, side, stream.pointee.began, .gap)
      }
      return nil
    case .invalid:
      break
    }
    counts.lostBytes &+= UInt64(rest.count)
    stream.pointee.phase = .lost
    return nil
  }

  private func isMessageStart(_ bytes: ByteView, isRequest: Bool) -> Bool {
    guard isRequest else { return MessageGuess.response(bytes) == .yes }
    guard MessageGuess.beginsWithKnownMethod(bytes),
      let space = bytes.position(of: 0x20, from: 0), space + 1 < bytes.count
    else { return false }
    switch MessageGuess.request(bytes) {
    case .yes: return true
    case .no: return false
    case .unclear:
      // A request line that is longer than its segment.
      return bytes[space + 1] == UInt8(ascii: "/") || bytes.hasCaseless("http", at: space + 1)
    }
  }

  private func finishHead(
    _ flow: FlowPointer, _ side: Int, _ head: ByteView, _ mark: Mark
  ) {
    if side == Int(flow.pointee.clientSide) {
      finishRequest(flow, side, head)
    } else {
      finishResponse(flow, side, head, mark)
    }
  }

  private func finishRequest(
    _ flow: FlowPointer, _ side: Int, _ head: ByteView
  ) {
    let stream = flow.pointee.streams + side
    if stream.pointee.phase == .head {
      if let request = partialRequest(flow) { keepHead(flow, side, request) }
      dropHead(stream)
    } else {
      let request = addOpen(flow, side)
      if let spare = spareHeads.popLast() { request.pointee.head = spare }
      request.pointee.head.append(head)
      request.pointee.scanner = stream.pointee.scanner
      openBytes += head.count
    }
    if let request = flow.pointee.lastOpen { request.pointee.isWhole = !request.pointee.isCut }
    let scanner = stream.pointee.scanner
    if scanner.transferCoding == .chunked {
      stream.pointee.phase = .chunkSize
      stream.pointee.remaining = 0
    } else if scanner.hasBadLength || scanner.transferCoding == .other {
      stream.pointee.phase = .lost
    } else {
      setBody(stream, scanner.contentLength ?? 0)
    }
    if flow.pointee.openCount > CaptureLimits.openRequestsPerConnection {
      counts.pipelineLimit &+= 1
      while let request = flow.pointee.firstOpen {
        giveOut(request, .unanswered)
        dropFirst(flow, request)
      }
      settle(flow, .other)
    }
  }

  private func setBody(_ stream: RecordRef<Stream>, _ length: UInt64) {
    stream.pointee.remaining = length
    stream.pointee.phase = length > 0 ? .body : .start
  }

  private func finishResponse(
    _ flow: FlowPointer, _ side: Int, _ head: ByteView, _ mark: Mark
  ) {
    let stream = flow.pointee.streams + side
    let scanner = stream.pointee.scanner
    if scanner.status < 200, scanner.status != 101 {
      counts.interim &+= 1
      stream.pointee.phase = .start
      dropHead(stream)
      return
    }
    if scanner.status == 101, scanner.upgrade == .http2 {
      dropHead(stream)
      upgradeToHTTP2(flow, side)
      return
    }
    let request = respond(flow, side, head, isWhole: true, mark, .complete)
    dropHead(stream)
    if scanner.status == 101 {
      counts.upgraded &+= 1
      giveOutAll(flow, .unanswered)
      settle(flow, .other)
      return
    }
    if let request, request.isConnect, scanner.status < 300 {
      counts.tunnels &+= 1
      giveOutAll(flow, .unanswered)
      flow.pointee.layer = .undecided
      flow.pointee.undecidedSegments = 0
      for side in 0...1 {
        flow.pointee.streams[side].phase = .start
        flow.pointee.streams[side].saidOther = false
        dropHead(flow.pointee.streams + side)
      }
      return
    }
    stream.pointee.mayAnswerHead = request == nil
    // RFC 9112, section 6.3, from the top.
    if request?.isHead == true || scanner.status == 204 || scanner.status == 304 {
      stream.pointee.phase = .start
    } else if scanner.transferCoding == .chunked {
      stream.pointee.phase = .chunkSize
      stream.pointee.remaining = 0
    } else if scanner.transferCoding == .other {
      stream.pointee.phase = .untilClose
    } else if scanner.hasBadLength {
      stream.pointee.phase = .lost
    } else if let length = scanner.contentLength {
      setBody(stream, length)
    } else {
      stream.pointee.phase = .untilClose
    }
  }

  // MARK: Losses

  /// Bytes of one direction will never be seen.
  ///
  /// Inside a body of known length that costs nothing. Anywhere else it costs the message that it
  /// hits, and every request whose response may have been among the bytes.
  func lose(_ flow: FlowPointer, _ side: Int, _ count: UInt64, _ mark: Mark) {
    let stream = flow.pointee.streams + side
    switch stream.pointee.phase {
    case .body where count <= stream.pointee.remaining:
      stream.pointee.mayAnswerHead = false
      stream.pointee.remaining -= count
      if stream.pointee.remaining == 0 { stream.pointee.phase = .start }
      return
    case .chunk where count <= stream.pointee.remaining:
      stream.pointee.remaining -= count
      if stream.pointee.remaining == 0 { stream.pointee.phase = .chunkEnd }
      return
    case .untilClose:
      return
    case .head:
      loseHead(flow, side, mark, .gap)
    default:
      stream.pointee.phase = .lost
    }
    guard side != Int(flow.pointee.clientSide) else { return }
    while let request = flow.pointee.firstOpen {
      // A request that was sent after all the lost bytes had arrived is not hit.
      let known = request.pointee.began.acknowledgment
      guard known == 0 || Int32(bitPattern: stream.pointee.next &- known) > 0 else { return }
      giveOut(request, .gap)
      dropFirst(flow, request)
    }
  }

  /// The rest of a header block will never be seen: what there is of it counts.
  private func loseHead(
    _ flow: FlowPointer, _ side: Int, _ mark: Mark, _ ending: ExchangeEnding
  ) {
    let stream = flow.pointee.streams + side
    stream.pointee.phase = .lost
    if side == Int(flow.pointee.clientSide) {
      if let request = partialRequest(flow) {
        keepHead(flow, side, request)
        request.pointee.isCut = true
      }
    } else if stream.pointee.scanner.status >= 200 || stream.pointee.scanner.status == 101 {
      var head = takeHead(stream)
      _ = respond(flow, side, head.bytes, isWhole: false, mark, ending)
      head.deallocate()
    }
    dropHead(stream)
  }

  /// A direction was closed after its last byte.
  func streamEnded(_ flow: FlowPointer, _ side: Int, _ mark: Mark) {
    let stream = flow.pointee.streams + side
    let isClient = side == Int(flow.pointee.clientSide)
    let byClient = isClient || flow.pointee.resetBy == flow.pointee.clientSide
    let ending = byClient ? ExchangeEnding.clientClosed : .serverClosed
    if stream.pointee.phase == .head {
      loseHead(flow, side, mark, ending)
      if isClient, let request = flow.pointee.lastOpen, request.pointee.isCut,
        flow.pointee.openCount == 1
      {
        giveOut(request, ending)
        dropFirst(flow, request)
      }
    }
    if !isClient { giveOutAll(flow, ending) }
  }

  /// Gives out what is open on a connection of which nothing more will be seen.
  func finishMessages(_ flow: FlowPointer) {
    if flow.pointee.layer == .http1 {
      for side in 0...1 where flow.pointee.streams[side].phase == .head {
        loseHead(flow, side, flow.pointee.streams[side].began, .unanswered)
      }
    }
    guard flow.pointee.firstOpen != nil else { return }
    let client = Int(flow.pointee.clientSide & 1)
    giveOutAll(flow, flow.pointee.streams[client].isClosed ? .clientClosed : .unanswered)
  }
}
