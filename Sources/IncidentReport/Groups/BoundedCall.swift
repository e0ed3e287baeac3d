internal import FetchCORS
internal import HTTPExchange

/// A call that is held as a sample.
struct HeldCall {
  let call: Call
  /// Bytes that it is counted with.
  let size: Int

  /// - Parameter footprint: that of the call.
  init(_ call: Call, footprint: Int) {
    self.call = call.bounded(footprint: footprint)
    size = min(footprint, 128 << 10)
  }
}

extension Call {
  /// Bytes of text that the call holds, roughly.
  var footprint: Int {
    // What else it has stands in its exchanges, and may be counted twice there.
    var sum = 2 &* (message?.utf8.count ?? 0)
    let exchanges = exchanges
    // Elements are read in place: a copy of each would cost more than the sum.
    for index in exchanges.indices { sum &+= exchanges[index].exchange.approximateBytes }
    return sum
  }

  /// The call as it may be held: calls of ordinary size as they are, larger ones with long values cut.
  func bounded(footprint: Int) -> Call {
    guard footprint > Self.maximumHeldBytes || worlds.count > 8 || missing.count > 8 else {
      return self
    }
    var call = self
    call.origin = Self.cut(origin)
    call.method = Self.cut(method)
    call.url.target = Self.cut(url.target)
    call.url.host = url.host.map(Self.cut)
    call.url.scheme = url.scheme.map(Self.cut)
    call.client = Self.cut(client)
    call.engine = Self.cut(engine)
    call.userAgent = userAgent.map(Self.cut)
    call.message = message.map(Self.cut)
    call.parameter = parameter.map(Self.cut)
    call.missing = Self.cut(missing)
    call.assumes = Self.cut(assumes)
    call.otherFaults = Self.cut(otherFaults)
    call.likely = nil
    call.cause = nil
    call.incident = nil
    call.worlds = worlds.prefix(8).map { world in
      var world = world
      world.assuming = Self.cut(world.assuming)
      world.parameter = world.parameter.map(Self.cut)
      return world
    }
    // The failing hop and the one before it are what causes look at.
    let kept = exchanges.filter { $0.hop <= hop }.suffix(4)
    call.exchanges = (kept.isEmpty ? exchanges.suffix(4) : kept).map { part in
      var part = part
      part.exchange.id.source = Self.cut(part.exchange.id.source)
      part.exchange.client = Self.cut(part.exchange.client)
      part.exchange.forwardedFor = part.exchange.forwardedFor.map(Self.cut)
      part.exchange.userAgent = part.exchange.userAgent.map(Self.cut)
      part.exchange.method = Self.cut(part.exchange.method)
      part.exchange.url.target = Self.cut(part.exchange.url.target)
      part.exchange.url.host = part.exchange.url.host.map(Self.cut)
      part.exchange.requestID = part.exchange.requestID.map(Self.cut)
      part.exchange.httpVersion = part.exchange.httpVersion.map(Self.cut)
      part.exchange.request = part.exchange.request.bounded
      part.exchange.response = part.exchange.response.bounded
      return part
    }
    return call
  }

  /// Ordinary calls hold less than this.
  static let maximumHeldBytes = 16 << 10

  fileprivate static func cut(_ text: String) -> String {
    guard text.utf8.count > 512 else { return text }
    return String(text.unicodeScalars.prefix(200)) + "…"
  }

  private static func cut(_ texts: [String]) -> [String] { texts.prefix(8).map(cut) }
}

extension MessageEvidence {
  fileprivate var bounded: MessageEvidence {
    var message = self
    message.fields = fields.prefix(40).map {
      HeaderField(HeaderName(Call.cut($0.name.description)), $0.value.map(Call.cut))
    }
    if case .only(let names) = coverage, names.count > 200 { message.coverage = .truncated }
    return message
  }
}
