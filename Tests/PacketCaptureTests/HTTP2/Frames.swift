import TestSupport

@testable import PacketCapture

/// Makes the frames of one direction of an HTTP/2 connection.
struct Frames {
  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  var encoder = HeaderBlock()

  /// Any frame.
  static func frame(
    _ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []
  ) -> [UInt8] {
    Array(CaptureBuilder.big32(UInt32(payload.count)).dropFirst()) + [type, flags]
      + CaptureBuilder.big32(stream) + payload
  }

  static let settings = frame(FrameType.settings, [0, 3, 0, 0, 0, 100])
  static let settingsAck = frame(FrameType.settings, flags: 1)
  static let ping = frame(FrameType.ping, [UInt8](repeating: 7, count: 8))

  static func data(_ stream: UInt32, _ count: Int, ends: Bool = true) -> [UInt8] {
    frame(
      FrameType.data, flags: ends ? FrameFlag.endStream : 0, stream: stream,
      [UInt8](repeating: 0x62, count: count))
  }

  static func reset(_ stream: UInt32, _ code: UInt32) -> [UInt8] {
    frame(FrameType.resetStream, stream: stream, CaptureBuilder.big32(code))
  }

  static func goAway(last: UInt32, _ code: UInt32 = 0) -> [UInt8] {
    frame(FrameType.goAway, CaptureBuilder.big32(last) + CaptureBuilder.big32(code) + [1, 2, 3])
  }

  /// HEADERS, in so many pieces, with padding and a priority if wanted.
  mutating func headers(
    _ stream: UInt32, _ fields: [(String, String)], ends: Bool = true, pieces: Int = 1,
    padding: Int? = nil, hasPriority: Bool = false
  ) -> [UInt8] {
    for (name, value) in fields { encoder.add(name, value) }
    return Self.headers(
      stream, encoder.take(), ends: ends, pieces: pieces, padding: padding,
      hasPriority: hasPriority)
  }

  static func headers(
    _ stream: UInt32, _ block: [UInt8], ends: Bool = true, pieces: Int = 1, padding: Int? = nil,
    hasPriority: Bool = false
  ) -> [UInt8] {
    let size = max(1, (block.count + pieces - 1) / pieces)
    var result: [UInt8] = []
    for piece in 0..<pieces {
      let part = Array(block.dropFirst(piece * size).prefix(size))
      let endHeaders = piece == pieces - 1 ? FrameFlag.endHeaders : 0
      guard piece == 0 else {
        result += frame(FrameType.continuation, flags: endHeaders, stream: stream, part)
        continue
      }
      var flags = endHeaders | (ends ? FrameFlag.endStream : 0)
      var payload: [UInt8] = []
      if let padding {
        flags |= FrameFlag.padded
        payload.append(UInt8(padding))
      }
      if hasPriority {
        flags |= FrameFlag.priority
        payload += [0x80, 0, 0, 0, 255]
      }
      payload += part + [UInt8](repeating: 0, count: padding ?? 0)
      result += frame(FrameType.headers, flags: flags, stream: stream, payload)
    }
    return result
  }

  mutating func request(
    _ stream: UInt32, _ path: String, method: String = "GET", _ fields: [(String, String)] = [],
    ends: Bool = true, pieces: Int = 1, padding: Int? = nil, hasPriority: Bool = false
  ) -> [UInt8] {
    headers(
      stream,
      [
        (":method", method), (":scheme", "http"), (":authority", "api.example:8080"),
        (":path", path),
      ] + fields, ends: ends, pieces: pieces, padding: padding, hasPriority: hasPriority)
  }

  mutating func response(
    _ stream: UInt32, _ status: Int, _ fields: [(String, String)] = [], ends: Bool = true,
    pieces: Int = 1, padding: Int? = nil
  ) -> [UInt8] {
    headers(
      stream, [(":status", "\(status)")] + fields, ends: ends, pieces: pieces, padding: padding)
  }
}

/// Both directions of an HTTP/2 connection, and the capture of them.
struct HTTP2Talk {
  var client = Frames()
  var server = Frames()
  var builder = CaptureBuilder()
  var talk = Conversation()
  /// Bytes of a segment at most.
  var segment = 1400

  /// A connection that was opened and in which both sides have sent their settings.
  init(segment: Int = 1400, opens: Bool = true) {
    self.segment = segment
    guard opens else { return }
    builder.add(talk.open())
    say(.client, Frames.preface + Frames.settings)
    say(.server, Frames.settings + Frames.settingsAck)
    say(.client, Frames.settingsAck)
  }

  mutating func say(_ side: Conversation.Side, _ bytes: [UInt8]) {
    for start in stride(from: 0, to: bytes.count, by: segment) {
      builder.add(talk.send(side, Array(bytes[start..<min(start + segment, bytes.count)])))
    }
  }

  /// Bytes that are sent and not captured; the next segment of the other side acknowledges them.
  mutating func miss(_ side: Conversation.Side, _ bytes: [UInt8]) {
    talk.advance(side, bytes.count)
    builder.add(talk.acknowledge(side == .client ? .server : .client))
  }

  mutating func close(by side: Conversation.Side = .client) {
    builder.add(talk.close(by: side))
  }

  func reading(keepsAll: Bool = true) throws -> Reading {
    try Reading(builder.pcap(), keepsAll: keepsAll)
  }
}
