internal import Bytes
internal import HTTPExchange

extension Connections {
  /// Notes a request from its first byte on.
  @discardableResult
  func addOpen(_ flow: FlowPointer, _ side: Int) -> OpenRequestPointer {
    let stream = flow.pointee.streams + side
    var began = stream.pointee.began
    let server = flow.pointee.streams + (1 - side)
    if began.acknowledgment == 0, server.pointee.hasNext {
      began.acknowledgment = server.pointee.next
    }
    let request = expectResponse(
      OpenRequest(
        flow: flow, scanner: stream.pointee.scanner, began: began,
        ordinal: stream.pointee.ordinal))
    if let last = flow.pointee.lastOpen {
      last.pointee.next = request
    } else {
      flow.pointee.firstOpen = request
    }
    flow.pointee.lastOpen = request
    flow.pointee.openCount += 1
    return request
  }

  /// Adds a request to those that wait for a response, on whatever connection.
  func expectResponse(_ value: consuming OpenRequest) -> OpenRequestPointer {
    openBytes += CaptureLimits.openRequestCost + value.head.count
    let request = requests.take(value)
    request.pointee.before = lastOpen
    requestCount += 1
    if let lastOpen { lastOpen.pointee.after = request } else { firstOpen = request }
    lastOpen = request
    return request
  }

  /// The request whose header block is still coming in.
  func partialRequest(_ flow: FlowPointer) -> OpenRequestPointer? {
    guard let request = flow.pointee.lastOpen, !request.pointee.isWhole, !request.pointee.isCut
    else { return nil }
    return request
  }

  /// Adds bytes to a header block that is not whole yet.
  ///
  /// - Returns: `false`, and nothing was added, when all such blocks together are too long.
  func appendHead(
    _ stream: RecordRef<Stream>, _ bytes: ByteView
  ) -> Bool {
    guard partialBytes + bytes.count <= CaptureLimits.partialHeadBytes else { return false }
    partialBytes += bytes.count
    stream.pointee.head.append(bytes)
    return true
  }

  /// Takes over the header block of a stream; whoever does so frees it.
  func takeHead(_ stream: RecordRef<Stream>) -> HeadBuffer {
    let head = stream.pointee.head
    partialBytes -= head.count
    stream.pointee.head = HeadBuffer()
    return head
  }

  /// Frees the header block of a stream.
  func dropHead(_ stream: RecordRef<Stream>) {
    partialBytes -= stream.pointee.head.count
    stream.pointee.head.deallocate()
  }

  /// Moves the header block that the client's direction has collected to its request.
  func keepHead(_ flow: FlowPointer, _ side: Int, _ request: OpenRequestPointer) {
    let stream = flow.pointee.streams + side
    request.pointee.scanner = stream.pointee.scanner
    guard !request.pointee.isGivenOut else { return }
    request.pointee.head = takeHead(stream)
    openBytes += request.pointee.head.count
  }

  /// Pairs a response with the request that is next in order, and gives out the exchange.
  ///
  /// - Returns: what was found in the request; `nil` when none was seen.
  func respond(
    _ flow: FlowPointer, _ side: Int, _ head: ByteView, isWhole: Bool, _ mark: Mark,
    _ ending: ExchangeEnding
  ) -> HeadScanner? {
    let stream = flow.pointee.streams + side
    var response: ExchangeBuilder.Message {
      ExchangeBuilder.Message(
        head: head, scanner: stream.pointee.scanner, isWhole: isWhole, began: stream.pointee.began,
        ordinal: stream.pointee.ordinal)
    }
    guard let request = flow.pointee.firstOpen else {
      counts.withoutRequest &+= 1
      builder.add(flow, request: nil, response: response, endedAt: mark, ending)
      return nil
    }
    if request == partialRequest(flow) {
      // It was answered before its end was seen.
      let client = flow.pointee.streams + (1 - side)
      keepHead(flow, 1 - side, request)
      dropHead(client)
      client.pointee.phase = .lost
      request.pointee.isCut = true
    }
    if request.pointee.isGivenOut {
      counts.lateAnswers &+= 1
    } else if builder.count(
      request.pointee.scanner, isWhole: request.pointee.isWhole,
      status: stream.pointee.scanner.status)
    {
      let request = message(request)
      builder.build(flow, request, request, response, mark, ending)
    }
    let scanner = request.pointee.scanner
    dropFirst(flow, request)
    return scanner
  }

  func message(_ request: OpenRequestPointer) -> ExchangeBuilder.Message {
    ExchangeBuilder.Message(
      head: request.pointee.head.bytes, scanner: request.pointee.scanner,
      isWhole: request.pointee.isWhole, began: request.pointee.began,
      ordinal: request.pointee.ordinal, isFieldList: request.pointee.isFieldList)
  }

  /// Gives a request out without a response.
  ///
  /// It keeps its place among the requests of its connection, so that later responses still find
  /// theirs.
  func giveOut(_ request: OpenRequestPointer, _ ending: ExchangeEnding) {
    guard !request.pointee.isGivenOut else { return }
    let flow = request.pointee.flow
    if request == partialRequest(flow) {
      let client = Int(flow.pointee.clientSide & 1)
      keepHead(flow, client, request)
      flow.pointee.streams[client].phase = .lost
      request.pointee.isCut = true
    }
    if !request.pointee.isPlaceholder {
      builder.add(flow, request: message(request), response: nil, endedAt: nil, ending)
    }
    request.pointee.isGivenOut = true
    forget(request)
  }

  /// Gives out all requests of a connection, none of which will be answered.
  func giveOutAll(_ flow: FlowPointer, _ ending: ExchangeEnding) {
    while let request = flow.pointee.firstOpen {
      giveOut(request, ending)
      dropFirst(flow, request)
    }
  }

  /// Takes a request out of the list of all open ones, and frees its header block.
  func forget(_ request: OpenRequestPointer) {
    openBytes -= request.pointee.head.count + CaptureLimits.openRequestCost
    if spareHeads.count < 16, let spare = request.pointee.head.takeMemory() {
      spareHeads.append(spare)
    } else {
      request.pointee.head.deallocate()
    }
    let before = request.pointee.before
    let after = request.pointee.after
    if let before { before.pointee.after = after } else { firstOpen = after }
    if let after { after.pointee.before = before } else { lastOpen = before }
  }

  /// Removes the first request of a connection.
  func dropFirst(_ flow: FlowPointer, _ request: OpenRequestPointer) {
    detachFirst(flow, request)
    drop(request)
  }

  /// Takes the first request of a connection out of its order, without ending it.
  func detachFirst(_ flow: FlowPointer, _ request: OpenRequestPointer) {
    flow.pointee.firstOpen = request.pointee.next
    if request.pointee.next == nil { flow.pointee.lastOpen = nil }
    flow.pointee.openCount -= 1
    request.pointee.next = nil
  }

  /// Ends a request that stands in no order.
  func drop(_ request: OpenRequestPointer) {
    if !request.pointee.isGivenOut { forget(request) }
    requestCount -= 1
    requests.give(request)
  }
}
