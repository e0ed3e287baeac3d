internal import Bytes

/// What is known of one direction of an HTTP/2 connection.
struct HTTP2Direction {
  /// Which part of a frame comes next.
  enum Phase: UInt8 {
    /// Bytes of an HTTP/1 body that stand before the preface; `left` of them.
    case leading
    /// The client's preface.
    case preface
    /// A frame header.
    case header
    /// The first bytes of a payload, which `wanted` counts.
    case prefix
    /// A piece of a header block.
    case fragment
    /// The rest of a payload, which nobody needs.
    case skip
    /// Unknown, until a frame header is recognised.
    case lost
  }

  var phase: Phase
  /// Bytes of the preface, of the frame header or of the prefix that have come.
  var matched = 0
  /// The first eight of them.
  var word: UInt64 = 0
  /// Bytes of the prefix that are still to come.
  var wanted = 0
  /// Bytes of the fragment that are still to come.
  var fragment = 0
  /// Bytes of the payload that are still to come.
  var left: UInt64 = 0
  var frame = FrameHeader(first: 0, last: 0)
  /// The packet with the first byte of the frame.
  var frameBegan = Mark()
  var frameOrdinal: UInt32 = 0

  /// The fragments of the header block that is not whole yet.
  var block = HeadBuffer()
  /// The stream of that block; 0 for none.
  var blockStream: UInt32 = 0
  var blockEndsStream = false
  var blockIsPush = false
  /// Whether the block is too long, and only its beginning was kept.
  var blockIsCut = false
  var blockBegan = Mark()
  var blockOrdinal: UInt32 = 0

  var decoder: HPACKDecoder
  /// The longest payload that the other side allows.
  var longest = CaptureLimits.framePayload
  /// Whether bytes of it were lost, or came before the capture.
  var hasGap: Bool
  /// How often bytes of it were lost.
  var gaps: UInt32 = 0

  /// A direction that begins with that phase.
  init(_ start: HTTP2Start) {
    switch start {
    case .preface(let leading):
      left = leading
      phase = leading > 0 ? .leading : .preface
    case .frames: phase = .header
    case .midway: phase = .lost
    }
    let isFromStart = start != .midway
    decoder = HPACKDecoder(isFromStart: isFromStart)
    hasGap = !isFromStart
  }

  /// Whether a header block, or what may become one, is not whole yet.
  var isBetween: Bool {
    blockStream != 0 || (phase == .header && matched > 0)
      || ((phase == .prefix || phase == .fragment) && frame.type == FrameType.headers)
  }
}

/// How one direction of an HTTP/2 connection begins.
enum HTTP2Start: Equatable {
  /// With the client's preface, behind so many bytes of an HTTP/1 body.
  case preface(leading: UInt64)
  /// With a frame, the first of the direction.
  case frames
  /// Somewhere: its beginning was not seen.
  case midway
}

/// A stream that a request or response was seen of, and that is not over.
struct HTTP2Stream {
  /// The request as long as it waits for its response.
  var request: OpenRequestPointer?
  /// Whether its response was seen, and only its body goes on.
  var isAnswered = false
  /// How many gaps the server's direction had when the request was sent.
  var gaps: UInt32 = 0
}

/// The state of one HTTP/2 connection.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc9113>
final class HTTP2Connection {
  /// The directions by side, as in the flow.
  let directions: RecordPair<HTTP2Direction>
  private var memory = Slab<HTTP2Direction>.Pairs()
  var streams: [UInt32: HTTP2Stream] = [:]
  /// Streams that were added since those whose end was not seen were last forgotten.
  var sincePurge = 0
  /// The highest stream that a request was seen on.
  var lastStream: UInt32 = 0
  /// The highest stream that the server will still answer.
  var goAwayLast = UInt32.max
  var goAways = 0
  /// Stands for a request whose header block is still coming in, so that nothing later overtakes it.
  var partial: OpenRequestPointer?
  /// Whether a header block was decoded.
  var hasDecoded = false
  /// Whether something of a stream was seen that was not understood.
  var hidesStreams = false
  /// Whether both directions were seen from their start.
  let isFromStart: Bool

  /// A connection whose directions begin as said.
  init(client: HTTP2Start, server: HTTP2Start, clientSide: Int) {
    directions = memory.take(HTTP2Direction(client))
    directions[1 - clientSide] = HTTP2Direction(server)
    isFromStart = client != .midway && server != .midway
  }

  /// Bytes that both HPACK tables hold.
  var tableBytes: Int {
    directions[0].decoder.table.capacity + directions[1].decoder.table.capacity
  }
}
