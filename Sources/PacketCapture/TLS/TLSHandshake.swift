internal import Bytes

extension TLSConnection {
  /// Reads a piece of the sequence of handshake messages.
  func handshake(_ side: Int, _ piece: ByteView) {
    var rest = piece
    while rest.count > 0, !isStopped, !directions[side].hasLostMessages {
      if directions[side].passing > 0 {
        let passed = min(directions[side].passing, rest.count)
        directions[side].passing -= passed
        rest = rest.from(passed)
        if directions[side].passing == 0 { finishMessage(side, directions[side].passingType) }
        continue
      }
      let held = directions[side].message.count
      var need = 4
      if held >= 4 { need = 4 + Self.messageLength(directions[side].message) }
      let taken = min(need - held, rest.count)
      directions[side].message.append(contentsOf: rest.part(0, taken))
      rest = rest.from(taken)
      guard directions[side].message.count == need else { return }
      if held < 4 {
        let type = directions[side].message[0]
        let length = Self.messageLength(directions[side].message)
        guard Self.isNeeded(type) else {
          directions[side].message.removeAll()
          directions[side].passing = length
          directions[side].passingType = type
          if length == 0 { finishMessage(side, type) }
          continue
        }
        guard length <= CaptureLimits.tlsMessageLength else {
          stop(.brokenHandshake)
          return
        }
        if length > 0 { continue }
      }
      let message = directions[side].message
      directions[side].message = []
      message.withByteView { finishMessage(side, message[0], $0.from(4)) }
    }
  }

  private static func messageLength(_ message: [UInt8]) -> Int {
    Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
  }

  /// ClientHello, ServerHello, EncryptedExtensions, KeyUpdate.
  private static func isNeeded(_ type: UInt8) -> Bool {
    type == 1 || type == 2 || type == 8 || type == 24
  }

  private func finishMessage(
    _ side: Int, _ type: UInt8,
    _ body: ByteView = ByteView()
  ) {
    switch type {
    case 1:
      clientHello(side, body)
    case 2:
      serverHello(side, body)
    case 5 where isTLS13 && side == clientSide && !directions[side].isAtLastStage:
      directions[side].enter(directions[side].stage + 1)
    case 8 where isTLS13 && side != clientSide:
      applicationProtocol = ServerHello.applicationProtocol(inEncryptedExtensions: body)
    case 20 where isTLS13 && directions[side].stage >= 0:
      directions[side].enter(directions[side].chain.count - 1)
    case 24 where isTLS13 && directions[side].isAtLastStage:
      let stage = directions[side].stage
      if let updated = directions[side].chain[stage].updated {
        directions[side].chain[stage] = updated
        counts.keyUpdates &+= 1
      }
    case 0:
      break
    default:
      if clientSide == nil { stop(.withoutStart) }
    }
  }

  private func clientHello(_ side: Int, _ body: ByteView) {
    // TLS 1.3 has no renegotiation: what looks like one is forged.
    guard clientSide == nil || clientSide == side, !(isTLS13 && hasServerHello) else { return }
    guard let hello = ClientHello(body) else {
      stop(.brokenHandshake)
      return
    }
    clientSide = side
    random = hello.random
    serverName = hello.serverName ?? serverName
    offersEarlyData = hello.offersEarlyData
  }

  private func serverHello(_ side: Int, _ body: ByteView) {
    guard !(isTLS13 && hasServerHello) else { return }
    guard let random, side != clientSide else {
      stop(.withoutStart)
      return
    }
    guard let hello = ServerHello(body) else {
      stop(.brokenHandshake)
      return
    }
    if hello.version == 0x0304, hello.isRetryRequest {
      // RFC 8446, section 4.2.10: early data is not sent again.
      counts.retries &+= 1
      hasRetried = true
      offersEarlyData = false
      let early = waiting
      waiting = []
      waitingBytes = 0
      for item in early where item.record.first == 23 { counts.earlyRecords &+= 1 }
      for item in early where item.record.first == 22 {
        item.record.withByteView { process(1 - side, $0, item.mark) }
      }
      return
    }
    guard keys.knows(random) else {
      stop(.withoutKeys)
      return
    }
    guard hello.version == 0x0303 || (hello.version == 0x0304 && !hasServerHello) else {
      stop(.version(hello.version))
      return
    }
    guard let suite = CipherSuite(hello.cipherSuite, isTLS13: hello.version == 0x0304) else {
      stop(.cipher(hello.cipherSuite))
      return
    }
    isTLS13 = hello.version == 0x0304
    guard isTLS13 ? useTrafficSecrets(random, suite) : useMaster(random, hello, suite) else {
      stop(.withoutKeys)
      return
    }
    applicationProtocol = hello.applicationProtocol ?? applicationProtocol
    hasServerHello = true
    let client = 1 - side
    let early = waiting
    waiting = []
    waitingBytes = 0
    for item in early where !isStopped && !directions[client].hasFailed {
      item.record.withByteView { process(client, $0, item.mark) }
    }
  }

  private func useMaster(
    _ random: TLSRandom, _ hello: ServerHello, _ suite: CipherSuite
  ) -> Bool {
    guard let master = keys.secret(.master, random), let clientSide else { return false }
    let pair = KeySchedule.tls12(master, suite, client: random, server: hello.random)
    directions[clientSide].next = pair.client
    directions[1 - clientSide].next = pair.server
    return true
  }

  private func useTrafficSecrets(_ random: TLSRandom, _ suite: CipherSuite) -> Bool {
    guard let clientSide else { return false }
    func chain(_ labels: [TLSKeyLog.Label]) -> [RecordProtection] {
      labels.compactMap { keys.secret($0, random) }
        .filter { $0.count == (suite.hash == .sha256 ? 32 : 48) }
        .map { KeySchedule.tls13($0, suite) }
    }
    let clientLabels: [TLSKeyLog.Label] = [.clientHandshake, .clientTraffic]
    directions[clientSide].chain = chain(
      (offersEarlyData ? [.clientEarly] : []) + clientLabels)
    directions[1 - clientSide].chain = chain([.serverHandshake, .serverTraffic])
    for side in 0...1 where directions[side].chain.isEmpty { directions[side].hasFailed = true }
    return !directions[0].hasFailed || !directions[1].hasFailed
  }
}
