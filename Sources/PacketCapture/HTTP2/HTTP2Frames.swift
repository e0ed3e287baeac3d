internal import Bytes
internal import HTTPExchange

/// Frames: from the bytes of each direction to whole header blocks.
///
/// Nothing here depends on where the bytes come from: TCP in clear text, or what was decrypted.
extension Connections {
  private static var preface: ByteView { ByteView("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") }

  /// Makes a connection one of HTTP/2, whose bytes come with ``feedHTTP2(_:_:_:_:)`` from now on.
  func beginHTTP2(
    _ flow: FlowPointer, clientSide: Int, client: HTTP2Start, server: HTTP2Start
  ) {
    releaseHTTP2(flow)
    flow.pointee.clientSide = UInt8(clientSide)
    flow.pointee.http2 = HTTP2Connection(
      client: client, server: server, clientSide: clientSide)
  }

  /// Reads bytes that come next in one direction.
  ///
  /// - Parameter mark: the packet that they came in.
  func feedHTTP2(
    _ flow: FlowPointer, _ side: Int, _ bytes: ByteView, _ mark: Mark
  ) {
    guard let connection = flow.pointee.http2 else { return }
    let direction = connection.directions + side
    var position = 0
    while position < bytes.count {
      let available = bytes.count - position
      switch direction.pointee.phase {
      case .leading:
        position += skip(direction, available)
      case .preface:
        guard matchPreface(direction, bytes, &position) else {
          loseSynchrony(flow, connection, side, mark)
          continue
        }
      case .header:
        guard let header = frameHeader(direction, bytes, &position, mark) else { continue }
        beginFrame(flow, connection, side, header, mark)
      case .prefix:
        let count = min(direction.pointee.wanted, available)
        for index in position..<position + count {
          direction.pointee.word = direction.pointee.word << 8 | UInt64(bytes[index])
        }
        position += count
        direction.pointee.matched += count
        direction.pointee.wanted -= count
        direction.pointee.left -= UInt64(count)
        if direction.pointee.wanted == 0 { finishPrefix(flow, connection, side, mark) }
      case .fragment:
        let count = min(direction.pointee.fragment, available)
        let piece = bytes.part(position, position + count)
        position += count
        direction.pointee.fragment -= count
        direction.pointee.left -= UInt64(count)
        if direction.pointee.fragment == 0 {
          finishFragment(flow, connection, side, piece, mark)
        } else {
          keepFragment(direction, piece)
        }
      case .skip:
        position += skip(direction, available)
      case .lost:
        guard let offset = resynchronise(flow, connection, side, bytes.from(position)) else {
          counts.lostBytes &+= UInt64(available)
          connection.hidesStreams = true
          position = bytes.count
          continue
        }
        counts.lostBytes &+= UInt64(offset)
        position += offset
      }
    }
    notePartial(flow, connection, side)
  }

  /// Bytes of one direction will never be seen; `count` is `.max` when their number is unknown.
  ///
  /// Inside the payload of a frame that nobody needs that costs nothing, inside a header block the
  /// block and all table entries. Where the end of the frame is lost as well, so may be blocks.
  func loseHTTP2(_ flow: FlowPointer, _ side: Int, _ count: UInt64, _ mark: Mark) {
    guard let connection = flow.pointee.http2 else { return }
    let direction = connection.directions + side
    let phase = direction.pointee.phase
    if phase == .skip || phase == .leading, count <= direction.pointee.left {
      direction.pointee.left -= count
      if direction.pointee.left == 0 { endSkip(direction) }
      return
    }
    direction.pointee.hasGap = true
    direction.pointee.gaps &+= 1
    cutBlock(flow, connection, side, mark, .gap)
    if phase == .prefix || phase == .fragment, count <= direction.pointee.left {
      // The next frame header is where it would have been.
      if direction.pointee.frame.type == FrameType.headers
        || direction.pointee.frame.type == FrameType.continuation
        || direction.pointee.frame.type == FrameType.pushPromise
      {
        forgetTable(direction)
      }
      direction.pointee.left -= count
      skipRest(direction)
    } else {
      loseSynchrony(flow, connection, side, mark)
    }
    notePartial(flow, connection, side)
  }

  // MARK: Position in the stream

  private func matchPreface(
    _ direction: RecordRef<HTTP2Direction>, _ bytes: ByteView,
    _ position: inout Int
  ) -> Bool {
    while position < bytes.count, direction.pointee.matched < Self.preface.count {
      guard bytes[position] == Self.preface[direction.pointee.matched] else {
        return false
      }
      direction.pointee.matched += 1
      position += 1
    }
    if direction.pointee.matched == Self.preface.count {
      direction.pointee.matched = 0
      direction.pointee.phase = .header
    }
    return true
  }

  /// The next frame header; `nil` when it goes on behind the bytes.
  private func frameHeader(
    _ direction: RecordRef<HTTP2Direction>, _ bytes: ByteView,
    _ position: inout Int, _ mark: Mark
  ) -> FrameHeader? {
    if direction.pointee.matched == 0 {
      direction.pointee.frameBegan = mark
      if bytes.count - position >= FrameHeader.length {
        let header = FrameHeader(bytes, at: position)
        position += FrameHeader.length
        if header.type == FrameType.headers { takeOrdinal(direction) }
        return header
      }
      takeOrdinal(direction)
      direction.pointee.word = 0
    }
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if direction.pointee.matched == FrameHeader.length - 1 {
        direction.pointee.matched = 0
        return FrameHeader(first: direction.pointee.word, last: byte)
      }
      direction.pointee.word = direction.pointee.word << 8 | UInt64(byte)
      direction.pointee.matched += 1
    }
    return nil
  }

  private func takeOrdinal(_ direction: RecordRef<HTTP2Direction>) {
    ordinal &+= 1
    direction.pointee.frameOrdinal = ordinal
  }

  private func skip(_ direction: RecordRef<HTTP2Direction>, _ available: Int) -> Int {
    let count = min(direction.pointee.left, UInt64(available))
    direction.pointee.left -= count
    if direction.pointee.left == 0 { endSkip(direction) }
    return Int(count)
  }

  private func endSkip(_ direction: RecordRef<HTTP2Direction>) {
    direction.pointee.matched = 0
    direction.pointee.phase = direction.pointee.phase == .leading ? .preface : .header
  }

  /// Goes on behind the payload of the current frame.
  private func skipRest(_ direction: RecordRef<HTTP2Direction>) {
    direction.pointee.matched = 0
    direction.pointee.wanted = 0
    direction.pointee.fragment = 0
    direction.pointee.phase = direction.pointee.left > 0 ? .skip : .header
  }

  private func loseSynchrony(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ mark: Mark
  ) {
    let direction = connection.directions + side
    cutBlock(flow, connection, side, mark, .gap)
    direction.pointee.phase = .lost
    direction.pointee.matched = 0
    direction.pointee.hasGap = true
    forgetTable(direction)
  }

  private func resynchronise(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int,
    _ bytes: ByteView
  ) -> Int? {
    let direction = connection.directions + side
    if side == Int(flow.pointee.clientSide), bytes.has("PRI * HTTP/2.0\r\n") {
      direction.pointee.matched = 0
      direction.pointee.phase = .preface
      tableBytes -= direction.pointee.decoder.table.capacity
      direction.pointee.decoder.deallocate()
      direction.pointee.decoder = HPACKDecoder(isFromStart: true)
      return 0
    }
    let last = connection.lastStream
    let believed =
      last == 0 ? CaptureLimits.plausibleStream : min(last, UInt32.max >> 1) + 4096
    guard
      let offset = FrameHeader.find(
        bytes, lastStream: believed, longest: direction.pointee.longest)
    else { return nil }
    counts.resynchronised &+= 1
    direction.pointee.matched = 0
    direction.pointee.phase = .header
    return offset
  }

  // MARK: Frames

  private func beginFrame(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ header: FrameHeader,
    _ mark: Mark
  ) {
    let direction = connection.directions + side
    if direction.pointee.blockStream != 0,
      header.type != FrameType.continuation || header.stream != direction.pointee.blockStream
    {
      // Nothing may come between the frames of a header block.
      counts.malformedFrames &+= 1
      cutBlock(flow, connection, side, mark, .gap)
    }
    direction.pointee.frame = header
    direction.pointee.left = UInt64(header.payload)
    direction.pointee.word = 0
    direction.pointee.matched = 0
    direction.pointee.phase = header.payload > 0 ? .skip : .header
    var wanted = 0
    switch header.type {
    case FrameType.data:
      if connection.streams[header.stream] == nil { connection.hidesStreams = true }
      if header.has(FrameFlag.endStream) { streamEnded(flow, connection, side, header.stream) }
      return
    case FrameType.headers, FrameType.pushPromise:
      guard header.stream != 0 else { return refuse(flow, connection, side, mark) }
      direction.pointee.blockStream = header.stream
      direction.pointee.blockIsPush = header.type == FrameType.pushPromise
      direction.pointee.blockEndsStream =
        header.type == FrameType.headers && header.has(FrameFlag.endStream)
      direction.pointee.blockIsCut = false
      direction.pointee.blockBegan = direction.pointee.frameBegan
      direction.pointee.blockOrdinal = direction.pointee.frameOrdinal
      if header.has(FrameFlag.padded) { wanted += 1 }
      if header.type == FrameType.pushPromise {
        wanted += 4
      } else if header.has(FrameFlag.priority) {
        wanted += 5
      }
    case FrameType.continuation:
      guard direction.pointee.blockStream != 0 else { return }
    case FrameType.resetStream:
      guard header.payload == 4 else { return refuse(flow, connection, side, mark) }
      wanted = 4
    case FrameType.settings:
      guard header.stream == 0, header.payload % 6 == 0 else {
        return refuse(flow, connection, side, mark)
      }
      guard header.payload > 0 else { return }
      wanted = 6
    case FrameType.goAway:
      guard header.payload >= 8 else { return refuse(flow, connection, side, mark) }
      wanted = 8
    case FrameType.ping:
      if header.payload != 8 { refuse(flow, connection, side, mark) }
      return
    case FrameType.windowUpdate:
      if header.payload != 4 { refuse(flow, connection, side, mark) }
      return
    default:
      return
    }
    guard wanted <= header.payload else { return refuse(flow, connection, side, mark) }
    direction.pointee.wanted = wanted
    direction.pointee.phase = .prefix
    if wanted == 0 { finishPrefix(flow, connection, side, mark) }
  }

  /// A frame that both ends would end the connection for: it is none, or we have lost our place.
  private func refuse(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ mark: Mark
  ) {
    counts.malformedFrames &+= 1
    dropBlock(connection.directions + side)
    loseSynchrony(flow, connection, side, mark)
  }

  private func finishPrefix(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ mark: Mark
  ) {
    let direction = connection.directions + side
    let word = direction.pointee.word
    let header = direction.pointee.frame
    switch header.type {
    case FrameType.headers, FrameType.pushPromise:
      let padding =
        header.has(FrameFlag.padded) ? word >> UInt64((direction.pointee.matched - 1) * 8) & 255 : 0
      guard padding <= direction.pointee.left else {
        return refuse(flow, connection, side, mark)
      }
      beginFragment(flow, connection, side, Int(direction.pointee.left - padding), mark)
    case FrameType.continuation:
      beginFragment(flow, connection, side, Int(direction.pointee.left), mark)
    case FrameType.resetStream:
      skipRest(direction)
      streamReset(
        flow, connection, side, header.stream, code: UInt32(truncatingIfNeeded: word))
    case FrameType.goAway:
      skipRest(direction)
      if side != Int(flow.pointee.clientSide) {
        goAway(connection, last: UInt32(truncatingIfNeeded: word >> 32) & 0x7FFF_FFFF)
      }
    case FrameType.settings:
      setting(
        connection, side, UInt16(truncatingIfNeeded: word >> 32), UInt32(truncatingIfNeeded: word))
      guard direction.pointee.left >= 6 else { return skipRest(direction) }
      direction.pointee.word = 0
      direction.pointee.matched = 0
      direction.pointee.wanted = 6
    default:
      skipRest(direction)
    }
  }

  /// What a side says that it accepts.
  ///
  /// The size of an HPACK table counts once the other side uses it, which it announces.
  private func setting(
    _ connection: HTTP2Connection, _ side: Int, _ name: UInt16, _ value: UInt32
  ) {
    if name == 5, value >= 16384, value < 1 << 24 {
      connection.directions[1 - side].longest = Int(value)
    }
  }

  // MARK: Header blocks

  private func beginFragment(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ length: Int, _ mark: Mark
  ) {
    let direction = connection.directions + side
    direction.pointee.matched = 0
    direction.pointee.fragment = length
    direction.pointee.phase = .fragment
    if length == 0 {
      finishFragment(
        flow, connection, side, ByteView(), mark)
    }
  }

  private func finishFragment(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int,
    _ piece: ByteView, _ mark: Mark
  ) {
    let direction = connection.directions + side
    skipRest(direction)
    guard direction.pointee.frame.has(FrameFlag.endHeaders) else {
      keepFragment(direction, piece)
      return
    }
    if direction.pointee.block.count == 0, piece.count <= CaptureLimits.headLength {
      finishBlock(flow, connection, side, piece, mark, .complete)
    } else {
      keepFragment(direction, piece)
      finishKeptBlock(flow, connection, side, mark, .complete)
    }
  }

  /// Keeps a piece of a header block, as far as there is room.
  private func keepFragment(
    _ direction: RecordRef<HTTP2Direction>, _ piece: ByteView
  ) {
    guard !direction.pointee.blockIsCut else { return }
    let room = min(
      CaptureLimits.headLength - direction.pointee.block.count,
      CaptureLimits.partialHeadBytes - partialBytes)
    let count = min(piece.count, max(room, 0))
    direction.pointee.block.append(piece.part(0, count))
    partialBytes += count
    if count < piece.count {
      counts.longHeads &+= 1
      direction.pointee.blockIsCut = true
    }
  }

  private func finishKeptBlock(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ mark: Mark,
    _ ending: ExchangeEnding
  ) {
    let direction = connection.directions + side
    var block = direction.pointee.block
    direction.pointee.block = HeadBuffer()
    partialBytes -= block.count
    finishBlock(flow, connection, side, block.bytes, mark, ending)
    block.deallocate()
  }

  /// The rest of a header block will never be seen: what there is of it counts.
  func cutBlock(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int, _ mark: Mark,
    _ ending: ExchangeEnding
  ) {
    let direction = connection.directions + side
    guard direction.pointee.blockStream != 0 else { return }
    direction.pointee.blockIsCut = true
    finishKeptBlock(flow, connection, side, mark, ending)
  }

  private func dropBlock(_ direction: RecordRef<HTTP2Direction>) {
    partialBytes -= direction.pointee.block.count
    direction.pointee.block.deallocate()
    direction.pointee.blockStream = 0
  }

  private func finishBlock(
    _ flow: FlowPointer, _ connection: HTTP2Connection, _ side: Int,
    _ block: ByteView, _ mark: Mark, _ ending: ExchangeEnding
  ) {
    let direction = connection.directions + side
    let before = direction.pointee.decoder.table.capacity
    let largeBefore = direction.pointee.decoder.largeTables
    let isCut = direction.pointee.blockIsCut
    var facts = HeaderFacts()
    let isDecoded = direction.pointee.decoder.decode(block, &scratch, &facts)
    if !isDecoded, !isCut { counts.damagedBlocks &+= 1 }
    if isCut { direction.pointee.decoder.loseTrack() }
    counts.largeTables &+= direction.pointee.decoder.largeTables - largeBefore
    tableBytes += direction.pointee.decoder.table.capacity - before
    if tableBytes > CaptureLimits.headerTableBytes {
      counts.forgottenTables &+= 1
      forgetTable(direction)
    }
    if facts.isTooLong, !isCut { counts.longHeads &+= 1 }
    if facts.unknownFields > 0 {
      counts.blocksWithUnknownFields &+= 1
      counts.unknownFields &+= UInt64(facts.unknownFields)
    }
    let message = HTTP2Message(
      facts: facts, stream: direction.pointee.blockStream,
      isWhole: isDecoded && !isCut && !facts.isTooLong && facts.unknownFields == 0,
      endsStream: direction.pointee.blockEndsStream, began: direction.pointee.blockBegan,
      ordinal: direction.pointee.blockOrdinal, ending: ending)
    let isPush = direction.pointee.blockIsPush
    direction.pointee.blockStream = 0
    direction.pointee.blockIsCut = false
    if isPush {
      counts.pushed &+= 1
    } else {
      receive(flow, connection, side, message, mark)
    }
    connection.hasDecoded = true
  }

  private func forgetTable(_ direction: RecordRef<HTTP2Direction>) {
    tableBytes -= direction.pointee.decoder.table.capacity
    direction.pointee.decoder.loseTrack()
    tableBytes += direction.pointee.decoder.table.capacity
  }
}
