internal import Bytes
internal import HTTPExchange

/// How a connection in clear text becomes one of HTTP/2.
extension Connections {
  /// Begins HTTP/2 with the client's preface, or with frames whose connection began unseen.
  func recognizeHTTP2(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    let other = flow.pointee.streams + (1 - side)
    if bytes.has("PRI * HTTP/2.0\r\n") {
      // A server may say something before the client, but not before the connection is there.
      let server: HTTP2Start =
        other.pointee.hasBegun ? .midway : .frames
      beginHTTP2(flow, clientSide: side, client: .preface(leading: 0), server: server)
    } else {
      let clientSide =
        flow.pointee.clientSide < 2 ? Int(flow.pointee.clientSide) : likelyClient(flow)
      let isFirst = begins(flow, side, bytes.count)
      let server: HTTP2Start = side != clientSide && isFirst ? .frames : .midway
      let client: HTTP2Start =
        side != clientSide && isFirst && !other.pointee.hasBegun
        ? .preface(leading: 0) : .midway
      beginHTTP2(flow, clientSide: clientSide, client: client, server: server)
    }
    flow.pointee.layer = .http2
    let early = takeHead(other)
    dropHead(flow.pointee.streams + side)
    var buffer = early
    if buffer.count > 0 { feedHTTP2(flow, 1 - side, buffer.bytes, other.pointee.began) }
    buffer.deallocate()
    for side in 0...1 { flow.pointee.streams[side].phase = .start }
    feedHTTP2(flow, side, bytes, mark)
  }

  /// Goes on in HTTP/2 after `101 Switching Protocols`: the request is that of stream 1.
  ///
  /// - Standard: <https://www.rfc-editor.org/rfc/rfc7540#section-3.2>
  func upgradeToHTTP2(_ flow: FlowPointer, _ side: Int) {
    counts.upgraded &+= 1
    let client = flow.pointee.streams + (1 - side)
    let isBody = client.pointee.phase == .body
    let request = flow.pointee.firstOpen
    let isKnown = request != nil && request != partialRequest(flow)
    if let request, isKnown { detachFirst(flow, request) }
    giveOutAll(flow, .unanswered)
    let start: HTTP2Start =
      client.pointee.phase == .start || isBody
      ? .preface(leading: isBody ? client.pointee.remaining : 0) : .midway
    beginHTTP2(flow, clientSide: 1 - side, client: start, server: .frames)
    flow.pointee.layer = .http2
    for side in 0...1 {
      dropHead(flow.pointee.streams + side)
      flow.pointee.streams[side].phase = .start
    }
    if let request, isKnown, let connection = flow.pointee.http2 {
      connection.streams[1] = HTTP2Stream(request: request)
      connection.lastStream = 1
    }
  }

  /// Whether bytes that were just delivered are the first ones of a direction.
  private func begins(_ flow: FlowPointer, _ side: Int, _ count: Int) -> Bool {
    let stream = flow.pointee.streams[side]
    // What is decrypted was seen from the handshake on.
    if flow.pointee.isSecure { return !stream.hasGap && !stream.saidOther }
    return stream.hasInitial && !stream.hasGap
      && stream.next &- stream.initial &- 1 == UInt32(truncatingIfNeeded: count)
  }

  /// The side with the higher port: servers have low ones.
  private func likelyClient(_ flow: FlowPointer) -> Int {
    flow.pointee.key.ports >> 16 > flow.pointee.key.ports & 0xFFFF ? 0 : 1
  }
}
