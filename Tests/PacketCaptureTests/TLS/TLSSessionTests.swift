import Bytes
import HTTPExchange
import TestSupport
import Testing

@testable import PacketCapture

@Suite("TLS sessions")
struct TLSSessionTests {
  /// A capture of a session, which goes on as `build` says.
  private func file(
    _ session: inout SyntheticTLS, pieces: Int = 1400,
    _ build: (inout CaptureBuilder, inout Conversation, inout SyntheticTLS) -> Void
  ) -> CaptureBuilder {
    var builder = CaptureBuilder()
    var talk = Conversation(serverPort: 443)
    builder.add(talk.open())
    builder.addHandshake(&session, &talk, pieces: pieces)
    build(&builder, &talk, &session)
    builder.add(talk.close())
    return builder
  }

  /// One request with its response.
  private func ask(
    _ target: String, _ builder: inout CaptureBuilder, _ talk: inout Conversation,
    _ session: inout SyntheticTLS, pieces: Int = 1400
  ) {
    builder.add(session.seal(.client, request(target)), .client, &talk, pieces: pieces)
    builder.add(session.seal(.server, response(200, body: 5)), .server, &talk, pieces: pieces)
  }

  @Test("exchanges are read from every suite", arguments: SyntheticTLS.Suite.all)
  func suites(suite: SyntheticTLS.Suite) throws {
    for pieces in [1, 7, 100, 1400, 60000] {
      var session = SyntheticTLS(suite)
      let file = file(&session, pieces: pieces) { builder, talk, session in
        ask("/one", &builder, &talk, &session, pieces: pieces)
        ask("/two", &builder, &talk, &session, pieces: pieces)
        builder.add(session.seal(.server, [1, 0], type: 21), .server, &talk)
      }
      let reading = try Reading(file.pcap(), keys: session.keyLog())
      #expect(reading.summaries == ["GET /one 200", "GET /two 200"], "pieces of \(pieces)")
      #expect(reading.exchanges.first?.url.scheme == "https")
      #expect(reading.exchanges.first?.url.port == 443)
      #expect(reading.isBalanced)
      #expect(reading.record.notes["tls-decrypted"] == 1)
      #expect(reading.record.notes["http1-connections"] == 1)
      #expect(reading.record.notes["tls-alerts"] == 1)
      #expect(reading.record.warnings.isEmpty)
    }
  }

  @Test("an exchange has the number and time of the packet that completed its record")
  func numbers() throws {
    var session = SyntheticTLS(.aes128)
    var first = 0
    let file = file(&session) { builder, talk, session in
      first = builder.packets.count
      let sealed = session.seal(.client, request("/"))
      builder.add(sealed, .client, &talk, pieces: sealed.count / 2 + 1)
      builder.add(session.seal(.server, response(204)), .server, &talk)
    }
    let reading = try Reading(file.pcap(), keys: session.keyLog())
    let exchange = try #require(reading.exchanges.first)
    #expect(exchange.id.number == UInt64(first + 2))
    #expect(exchange.startedAt?.nanoseconds == file.packets[first + 1].time)
    #expect(exchange.endedAt?.nanoseconds == file.packets[first + 2].time)
  }

  @Test("many messages in a record and a message in many records are read")
  func boundaries() throws {
    var session = SyntheticTLS(.aes128)
    let file = file(&session) { builder, talk, session in
      builder.add(
        session.seal(.client, request("/a") + request("/b") + request("/c")), .client, &talk)
      let answers = Array((response(200, body: 3) + response(404) + response(201)).utf8)
      for start in stride(from: 0, to: answers.count, by: 11) {
        builder.add(
          session.seal(
            .server, Array(answers[start..<min(start + 11, answers.count)]), padding: start),
          .server, &talk)
      }
    }
    let reading = try Reading(file.pcap(), keys: session.keyLog())
    #expect(reading.summaries == ["GET /a 200", "GET /b 404", "GET /c 201"])
  }

  @Test("records of the largest length are read")
  func large() throws {
    var session = SyntheticTLS(.aes128)
    let file = file(&session) { builder, talk, session in
      builder.add(session.seal(.client, request("/large")), .client, &talk)
      builder.add(session.seal(.server, response(200, body: 40000).prefix(60) + ""), .server, &talk)
      let rest = Array(response(200, body: 40000).utf8.dropFirst(60))
      for start in stride(from: 0, to: rest.count, by: 16384) {
        let piece = Array(rest[start..<min(start + 16384, rest.count)])
        builder.add(
          session.seal(.server, piece, padding: piece.count == 16384 ? 239 : 0), .server, &talk)
      }
      ask("/next", &builder, &talk, &session)
    }
    let reading = try Reading(file.pcap(), keys: session.keyLog())
    #expect(reading.summaries == ["GET /large 200", "GET /next 200"])
  }

  @Test("keys are updated by either side")
  func keyUpdates() throws {
    for suite in SyntheticTLS.Suite.all where suite.isTLS13 {
      var session = SyntheticTLS(suite)
      let file = file(&session) { builder, talk, session in
        ask("/1", &builder, &talk, &session)
        builder.add(session.updateKey(.client), .client, &talk)
        ask("/2", &builder, &talk, &session)
        builder.add(session.updateKey(.server), .server, &talk)
        builder.add(session.updateKey(.server), .server, &talk)
        ask("/3", &builder, &talk, &session)
      }
      let reading = try Reading(file.pcap(), keys: session.keyLog())
      #expect(reading.summaries == ["GET /1 200", "GET /2 200", "GET /3 200"])
      #expect(reading.record.notes["tls-key-updates"] == 3)
    }
  }

  // MARK: Keys

  @Test("without a secret the connection is closed, and its host is named")
  func withoutKeys() throws {
    for suite in SyntheticTLS.Suite.all {
      var session = SyntheticTLS(suite)
      let file = file(&session) { ask("/", &$0, &$1, &$2) }
      let reading = try Reading(file.pcap(), keys: SyntheticTLS(suite, seed: 8).keyLog())
      #expect(reading.exchanges.isEmpty)
      #expect(reading.isBalanced)
      #expect(reading.record.notes["tls-without-keys"] == 1)
      #expect(reading.record.notes["tls-decrypted"] == nil)
      #expect(
        reading.record.warnings == [
          "1 TLS connection was not decrypted",
          "TLS to api.example: the key log has no secret of the connection",
        ])
      // Without any key nothing is parsed, and the host not known.
      let blind = try Reading(file.pcap())
      #expect(blind.record.notes["tls-without-keys"] == 1)
      #expect(blind.record.warnings == ["1 TLS connection was not decrypted"])
      #expect(blind.isBalanced)
    }
  }

  @Test("secrets of another connection under the same random do not fit")
  func wrongKeys() throws {
    for suite in SyntheticTLS.Suite.all {
      var session = SyntheticTLS(suite)
      let file = file(&session) { builder, talk, session in
        for index in 0..<80 { ask("/\(index)", &builder, &talk, &session) }
      }
      let text = session.keyLogText().split(separator: "\n").map { line in
        String(line.dropLast(2)) + (line.hasSuffix("00") ? "11" : "00") + "\n"
      }.joined()
      var keys = TLSKeyLog()
      Array(text.utf8).withByteView { keys.add(text: $0) }
      let reading = try Reading(file.pcap(), keys: keys)
      #expect(reading.exchanges.isEmpty)
      #expect(reading.isBalanced)
      #expect(reading.record.notes["tls-wrong-keys"] == 1)
      #expect(
        reading.record.warnings.last == "TLS to api.example: the secrets in the key log do not fit")
      for warning in reading.record.warnings {
        #expect(session.secrets.values.allSatisfy { !warning.contains(hexadecimal($0).prefix(8)) })
      }
    }
  }

  @Test("a suite without AEAD is named by its number")
  func unsupported() throws {
    var session = SyntheticTLS(SyntheticTLS.Suite(number: 0xC013, isTLS13: false))
    let file = file(&session) { ask("/", &$0, &$1, &$2) }
    let reading = try Reading(file.pcap(), keys: session.keyLog())
    #expect(reading.record.notes["tls-unsupported-cipher"] == 1)
    #expect(
      reading.record.warnings.last == "TLS to api.example: cipher suite 0xc013 is not supported")
  }

  @Test("application secrets are enough, and one side's secrets open that side")
  func partialSecrets() throws {
    var session = SyntheticTLS(.aes128)
    let file = file(&session) { ask("/", &$0, &$1, &$2) }
    let later = session.keyLog(without: [
      "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    ])
    #expect(try Reading(file.pcap(), keys: later).summaries == ["GET / 200"])
    let oneSide = session.keyLog(without: [
      "SERVER_TRAFFIC_SECRET_0", "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    ])
    let reading = try Reading(file.pcap(), keys: oneSide)
    #expect(reading.exchanges.map(\.url.target) == ["/"])
    #expect(reading.exchanges.first?.status == nil)
    #expect(reading.isBalanced)
  }

  @Test("the secrets block of a capture is used", arguments: [false, true])
  func secretsBlock(isBig: Bool) throws {
    for suite in SyntheticTLS.Suite.all {
      var session = SyntheticTLS(suite)
      let file = file(&session) { ask("/", &$0, &$1, &$2) }
      var block = CaptureBuilder.Words(isBig: isBig)
      let text = Array(session.keyLogText().utf8)
      block.block(10) { body in
        body.put32(0x544C_534B)
        body.put32(UInt32(text.count))
        body.bytes += text + [UInt8](repeating: 0, count: (4 - text.count % 4) % 4)
      }
      let whole = file.pcapng(isBig: isBig)
      // Behind the section header, which has 28 bytes.
      let reading = try Reading(Array(whole[..<28]) + block.bytes + Array(whole[28...]))
      #expect(reading.summaries == ["GET / 200"])
      #expect(reading.record.notes["tls-secrets-blocks"] == 1)
      #expect(reading.record.damageCount == 0)
    }
  }

  // MARK: Handshakes

  @Test("early data are read with their secret, and passed over without it or when refused")
  func earlyData() throws {
    for isKnown in [true, false] {
      for isRefused in [true, false] {
        var session = SyntheticTLS(.aes128)
        session.offersEarlyData = true
        session.use(.client, "CLIENT_EARLY_TRAFFIC_SECRET")
        var early = session.seal(.client, request("/early"))
        early += session.seal(.client, request("/early2"))
        let end = session.seal(.client, session.message(5, []), type: 22)
        let turns = session.handshake()
        var builder = CaptureBuilder()
        var talk = Conversation(serverPort: 443)
        builder.add(talk.open())
        builder.add(turns[0], .client, &talk)
        if isRefused {
          // Sealed for a session that the server does not know any more.
          for index in stride(from: 20, to: early.count, by: 300) where early[index] != 23 {
            early[index] ^= 0x55
          }
        }
        builder.add(early, .client, &talk)
        builder.add(turns[1], .server, &talk)
        builder.add((isRefused ? [] : end) + turns[2], .client, &talk)
        builder.add(turns[3], .server, &talk)
        if !isRefused {
          builder.add(session.seal(.server, response(200)), .server, &talk)
          builder.add(session.seal(.server, response(201)), .server, &talk)
        }
        ask("/late", &builder, &talk, &session)
        builder.add(talk.close())
        let keys = session.keyLog(without: isKnown ? [] : ["CLIENT_EARLY_TRAFFIC_SECRET"])
        let reading = try Reading(builder.pcap(), keys: keys)
        let targets = reading.exchanges.map(\.url.target)
        if isKnown, !isRefused {
          #expect(reading.summaries == ["GET /early 200", "GET /early2 201", "GET /late 200"])
        } else {
          #expect(targets.contains("/late"))
          #expect((reading.record.notes["tls-early-data-skipped"] ?? 0) >= 1)
        }
        #expect(reading.isBalanced)
      }
    }
  }

  @Test("a request to retry the hello does not change the random")
  func helloRetry() throws {
    var session = SyntheticTLS(.aes128)
    let turns = session.handshake()
    var builder = CaptureBuilder()
    var talk = Conversation(serverPort: 443)
    builder.add(talk.open())
    builder.add(turns[0], .client, &talk)
    builder.add(
      session.record(22, session.serverHello(random: SyntheticTLS.retryRandom))
        + session.record(20, [1]), .server, &talk)
    builder.add(session.record(20, [1]), .client, &talk)
    builder.add(turns[0], .client, &talk, pieces: 50)
    builder.add(turns[1], .server, &talk)
    builder.add(turns[2], .client, &talk)
    builder.add(turns[3], .server, &talk)
    ask("/", &builder, &talk, &session)
    let reading = try Reading(builder.pcap(), keys: session.keyLog())
    #expect(reading.summaries == ["GET / 200"])
    #expect(reading.record.notes["tls-hello-retries"] == 1)
  }

  @Test("a client's packets that stand before the ServerHello wait for it")
  func order() throws {
    for suite in SyntheticTLS.Suite.all {
      var session = SyntheticTLS(suite)
      let turns = session.handshake()
      var talk = Conversation(serverPort: 443)
      var packets = talk.open()
      packets.append(talk.send(.client, turns[0]))
      let answer = talk.send(.server, turns[1])
      packets.append(talk.send(.client, turns[2]))
      packets.append(answer)
      packets.append(talk.send(.server, turns[3]))
      packets.append(talk.send(.client, session.seal(.client, request("/"))))
      packets.append(talk.send(.server, session.seal(.server, response(200))))
      var builder = CaptureBuilder()
      builder.add(packets)
      let reading = try Reading(builder.pcap(), keys: session.keyLog())
      #expect(reading.summaries == ["GET / 200"], "\(suite)")
    }
  }

  @Test("a capture without the ClientHello says so")
  func withoutStart() throws {
    for dropped in 1...2 {
      var session = SyntheticTLS(.aes128)
      let turns = session.handshake()
      var builder = CaptureBuilder()
      var talk = Conversation(serverPort: 443)
      for (index, turn) in turns.enumerated().dropFirst(dropped) {
        builder.add(turn, index % 2 == 0 ? .client : .server, &talk)
      }
      ask("/", &builder, &talk, &session)
      let reading = try Reading(builder.pcap(), keys: session.keyLog())
      #expect(reading.exchanges.isEmpty)
      #expect(reading.record.notes["tls-without-start"] == 1)
      #expect(reading.isBalanced)
    }
  }

  @Test("hellos behind the handshake of TLS 1.3 change nothing")
  func forgedHellos() throws {
    var session = SyntheticTLS(.aes128)
    session.offersEarlyData = true
    let file = file(&session) { builder, talk, session in
      ask("/1", &builder, &talk, &session)
      session.offersEarlyData = false
      builder.add(session.seal(.client, session.clientHello, type: 22), .client, &talk)
      builder.add(session.seal(.server, session.serverHello(), type: 22), .server, &talk)
      ask("/2", &builder, &talk, &session)
    }
    let reading = try Reading(file.pcap(), keys: session.keyLog())
    #expect(reading.summaries == ["GET /1 200", "GET /2 200"])
    #expect(reading.isBalanced)
  }

  @Test("TLS 1.2 is followed through a renegotiation")
  func renegotiation() throws {
    for suite in SyntheticTLS.Suite.all where !suite.isTLS13 {
      var session = SyntheticTLS(suite)
      var second = SyntheticTLS(suite, seed: 99)
      let file = file(&session) { builder, talk, session in
        ask("/1", &builder, &talk, &session)
        builder.add(session.seal(.client, second.clientHello, type: 22), .client, &talk)
        builder.add(session.seal(.server, second.serverHello(), type: 22), .server, &talk)
        builder.add(session.seal(.client, [1], type: 20), .client, &talk)
        builder.add(session.seal(.server, [1], type: 20), .server, &talk)
        second.useMaster()
        let finished = second.message(20, [UInt8](repeating: 6, count: 12))
        builder.add(second.seal(.client, finished, type: 22), .client, &talk)
        builder.add(second.seal(.server, finished, type: 22), .server, &talk)
        ask("/2", &builder, &talk, &second)
      }
      var keys = session.keyLog()
      Array(second.keyLogText().utf8).withByteView { keys.add(text: $0) }
      let reading = try Reading(file.pcap(), keys: keys)
      #expect(reading.summaries == ["GET /1 200", "GET /2 200"], "\(suite)")
    }
  }

  @Test("what is no HTTP behind TLS is decrypted and passed over")
  func other() throws {
    var session = SyntheticTLS(.aes128)
    let file = file(&session) { builder, talk, session in
      for _ in 0..<40 {
        builder.add(session.seal(.client, [0, 1, 2, 3, 4, 5, 6, 7]), .client, &talk)
      }
    }
    let reading = try Reading(file.pcap(), keys: session.keyLog())
    #expect(reading.exchanges.isEmpty)
    #expect(reading.record.notes["tls-decrypted"] == 1)
    #expect(reading.record.notes["tls-connections"] == 1)
    #expect(reading.isBalanced)
  }
}
