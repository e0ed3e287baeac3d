import Bytes
import HTTPExchange

@testable import PacketCapture

/// HTTP/1, HTTP/2 and HPACK.
let httpTargets: [FuzzTarget] = [
  FuzzTarget(
    "http1", dictionary: "http", seeds: HTTPSeeds.http1,
    run: { bytes in
      let whole = try Talk(bytes, preface: [], isSplit: false)
      let split = try Talk(bytes, preface: [], isSplit: true)
      try expectSame(whole, split)
    }),
  FuzzTarget(
    "http2", dictionary: "http2", seeds: HTTPSeeds.http2,
    run: { bytes in
      let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
      let whole = try Talk(bytes, preface: preface, isSplit: false)
      let split = try Talk(bytes, preface: preface, isSplit: true)
      try expectSame(whole, split)
    }),
  FuzzTarget(
    "hpack", maximumLength: 1024, dictionary: "http2", seeds: HTTPSeeds.blocks,
    run: { bytes in
      var reader = InputReader(bytes)
      let direction = Direction(isFromStart: reader.byte() % 2 == 0)
      while !reader.isAtEnd {
        let block = reader.take(reader.byte())
        let isWhole = direction.decode(block)
        let fields = direction.fields
        try expect(
          direction.decoder.table.size <= CaptureLimits.headerTable, "a table beyond its limit")
        try expect(
          direction.scratch.list.count <= CaptureLimits.headLength,
          "a header block beyond its limit")
        guard isWhole, direction.facts.unknownFields == 0, !direction.facts.isTooLong else {
          continue
        }
        // The same fields, written without compression, are the same fields.
        let again = Direction(isFromStart: true)
        let isDecoded = HTTPSeeds.literals(fields).withByteView { again.decode($0) }
        try expect(isDecoded && again.fields == fields, "literals are not the fields again")
        try expectEqual(again.facts.status, direction.facts.status, "status")
      }
    }),
  FuzzTarget(
    "huffman", maximumLength: 512, seeds: { [Array("www.example.com".utf8), [0xFF, 0xC7, 0x1A]] },
    run: { bytes in
      try expect(
        HuffmanCoder.decode(HuffmanCoder.encode(bytes)) == Array(bytes), "text does not come back")
      if let text = HuffmanCoder.decode(Array(bytes)) {
        try expect(
          text.withByteView { HuffmanCoder.encode($0) } == Array(bytes),
          "code does not come back")
      }
    }),
]

/// Bytes of both sides of one connection: first all of the client, then all of the server.
private struct Talk {
  var exchanges: [Exchange]
  /// Whether anything was searched for, given up or left open.
  var isClean: Bool

  init(_ bytes: ByteView, preface: [UInt8], isSplit: Bool) throws {
    var reader = InputReader(bytes)
    let sizes = (0..<2).map { _ in reader.byte() }
    let client = preface + Array(reader.take(reader.word()))
    let server = Array(reader.rest())
    let harness = ConnectionsHarness()
    harness.open()
    var number = 0
    for (side, content) in [client, server].enumerated() {
      let size = isSplit ? 1 + sizes[side] : max(1, content.count)
      content.withByteView { content in
        for start in stride(from: 0, to: content.count, by: size) {
          number += 1
          harness.send(
            side,
            content.part(start, min(start + size, content.count)),
            offset: start, number: number)
        }
      }
    }
    harness.connections.expire()
    exchanges = try harness.finish()
    let counts = harness.connections.counts
    isClean =
      counts.lostBytes == 0 && counts.resynchronised == 0 && counts.longHeads == 0
      && counts.other == 0 && counts.tls == 0 && counts.malformedFrames == 0
      && counts.http2WithoutStart == 0 && counts.http2NotDecoded == 0 && counts.tunnels == 0
      && counts.upgraded == 0 && counts.withoutRequest == 0 && counts.gaps == 0
      && counts.pipelineLimit == 0 && counts.damagedBlocks == 0 && counts.heldLimit == 0
      && counts.proxyHeaders == 0 && counts.streamLimit == 0 && counts.interim == 0
  }
}

/// Where nothing had to be searched for, the exchanges do not depend on the segments.
private func expectSame(_ whole: Talk, _ split: Talk) throws {
  guard whole.isClean, split.isClean else { return }
  func text(_ exchanges: [Exchange]) -> [String] {
    exchanges.filter { $0.ending == .complete }.map {
      "\($0.method) \($0.url) \($0.status ?? 0) \($0.request.fields) \($0.response.fields)"
    }
  }
  let (left, right) = (text(whole.exchanges), text(split.exchanges))
  try expect(left == right, "in one segment \(left), in several \(right)")
}

/// A decoder as one direction of a connection has it.
private final class Direction {
  var decoder: HPACKDecoder
  var scratch = HPACKDecoder.Scratch()
  var facts = HeaderFacts()

  init(isFromStart: Bool) {
    decoder = HPACKDecoder(isFromStart: isFromStart)
  }

  deinit {
    decoder.deallocate()
    scratch.deallocate()
  }

  func decode(_ block: ByteView) -> Bool {
    decoder.decode(block, &scratch, &facts)
  }

  /// Names and values, white space around the values left out.
  var fields: [[UInt8]] {
    var result: [[UInt8]] = []
    FieldList.forEach(scratch.list.bytes) { result += [Array($0), Array($1)] }
    return result
  }
}

/// Writes the Huffman code, bit by bit, as the decoder's counterpart.
private enum HuffmanCoder {
  private static let codes: [(code: UInt64, length: Int)] = {
    var codes = [(code: UInt64, length: Int)](repeating: (0, 0), count: 257)
    var next: UInt64 = 0
    for length in 1...30 {
      next <<= 1
      for symbol in 0..<257 where Int(HuffmanCode.lengths[symbol]) == length {
        codes[symbol] = (next, length)
        next += 1
      }
    }
    return codes
  }()

  static func encode(_ text: ByteView) -> [UInt8] {
    var result: [UInt8] = []
    var bits: UInt64 = 0
    var count = 0
    for byte in text {
      let (code, length) = codes[Int(byte)]
      bits = bits << UInt64(length) | code
      count += length
      while count >= 8 {
        count -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> UInt64(count)))
      }
    }
    if count > 0 {
      result.append(UInt8(truncatingIfNeeded: bits << UInt64(8 - count) | (0xFF >> UInt64(count))))
    }
    return result
  }

  static func decode(_ coded: [UInt8]) -> [UInt8]? {
    var text = HeadBuffer()
    defer { text.deallocate() }
    guard coded.withByteView({ HuffmanCode.shared.decode($0, into: &text) }) else { return nil }
    return Array(text.bytes)
  }
}

/// Messages to begin with.
enum HTTPSeeds {
  private static func input(_ client: [UInt8], _ server: [UInt8], _ sizes: [UInt8] = [6, 9])
    -> [UInt8]
  {
    sizes + word(client.count) + client + server
  }

  static func http1() throws -> [[UInt8]] {
    func talk(_ client: String, _ server: String) -> [UInt8] {
      input(Array(client.utf8), Array(server.utf8))
    }
    let request = CaptureSeeds.request
    let response = CaptureSeeds.response
    let post =
      "POST /a HTTP/1.1\r\nHost: a\r\nOrigin: null\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "4;x=y\r\nabcd\r\n0\r\nTrailer: 1\r\n\r\n"
    let chunked =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    return [
      talk(request, response), talk(request + request + post, response + chunked + response),
      talk(
        "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + request,
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + response),
      talk("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n\u{16}\u{3}\u{1}", "HTTP/1.1 200 OK\r\n\r\n"),
      talk(
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"
          + "HTTP2-Settings: AAMAAABk\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
      talk(
        "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + request,
        "HTTP/1.1 100 Continue\r\n\r\n" + response),
      talk("GET / HTTP/1.0\r\n folded: a\r\n\r\n", "HTTP/1.0 304 Not Modified\r\n\r\n" + response),
    ]
  }

  static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0] + word(payload.count) + [type, flags, 0, 0, 0, stream] + payload
  }

  /// `:method: OPTIONS`, `:path: /`, `:scheme`, `:authority`, `origin`, inserted into the table.
  static let requestBlock: [UInt8] =
    [0x42, 7] + Array("OPTIONS".utf8) + [0x84, 0x87, 0x41, 0x8C] + [
      0xF1, 0xE3, 0xC2, 0xE5, 0xF2, 0x3A, 0x6B, 0xA0, 0xAB, 0x90, 0xF4, 0xFF,
    ] + [0x40, 6] + Array("origin".utf8) + [11] + Array("https://a.b".utf8)
  static let responseBlock: [UInt8] = [0x88, 0x54, 1, 0x2A]

  static func blocks() throws -> [[UInt8]] {
    func blocks(_ parts: [UInt8]...) -> [UInt8] {
      [0] + parts.flatMap { [UInt8($0.count)] + $0 }
    }
    return [
      blocks(requestBlock, [0x84, 0x87, 0xBE, 0xBF, 0xC0]), blocks(responseBlock, [0xBE]),
      blocks([0x3F, 0xE1, 0x1F], requestBlock, [0x20], [0xBE]),
      [1] + blocks([0xBE, 0xC5], requestBlock).dropFirst(),
      blocks([0x0F, 0x2F, 3] + Array("abc".utf8), [0x10, 1, 0x61, 1, 0x62]),
    ]
  }

  static func http2() throws -> [[UInt8]] {
    let settings = frame(4, 0, 0, [0, 3, 0, 0, 0, 100])
    let ack = frame(4, 1, 0, [])
    let request = frame(1, 5, 1, requestBlock)
    let next = frame(1, 5, 3, [0x84, 0x87, 0xBE, 0xBF, 0xC0])
    let cut = frame(1, 1, 1, Array(requestBlock.prefix(12)))
    let rest = frame(9, 4, 1, Array(requestBlock.dropFirst(12)))
    let response = frame(1, 4, 1, responseBlock) + frame(0, 1, 1, [1, 2, 3])
    let padded =
      frame(1, 0x2C, 3, [2, 0, 0, 0, 0, 16] + [0x88, 0xBE] + [0, 0]) + frame(0, 1, 3, [])
    let other =
      frame(7, 0, 0, [0, 0, 0, 1, 0, 0, 0, 0]) + frame(3, 0, 3, [0, 0, 0, 7])
      + frame(8, 0, 0, [0, 0, 1, 0]) + frame(6, 0, 0, [UInt8](repeating: 1, count: 8))
    return [
      input(settings + request + next, settings + ack + response + padded),
      input(settings + cut + rest + ack, settings + response),
      input(settings + request + next, settings + ack + response + other),
      input(settings + request, settings + frame(5, 4, 1, [0, 0, 0, 2] + requestBlock) + response),
    ]
  }

  /// A block that writes names and values as they are.
  static func literals(_ fields: [[UInt8]]) -> [UInt8] {
    var block: [UInt8] = []
    for (index, text) in fields.enumerated() {
      if index % 2 == 0 { block.append(0) }
      var rest = text.count - 127
      block.append(UInt8(min(127, text.count)))
      if rest >= 0 {
        while rest >= 128 {
          block.append(UInt8(rest & 127) | 128)
          rest >>= 7
        }
        block.append(UInt8(rest))
      }
      block += text
    }
    return block
  }
}
