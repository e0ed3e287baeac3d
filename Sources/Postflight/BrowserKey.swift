internal import HTTPExchange

/// What tells one browser from another: the address that it has, and what it names itself.
///
/// Behind a balancer the address is the forwarded one, whichever of the balancer's machines it came
/// through. An internal address that a proxy of its own network forwarded means something together
/// with that proxy's alone.
struct BrowserKey: Hashable {
  private let address: String
  private let proxy: String?
  private let userAgent: String?

  init(_ exchange: Exchange) {
    userAgent = exchange.userAgent
    if let forwarded = exchange.forwardedFor {
      address = forwarded
      let isInside =
        ClientAddress.isInternal(forwarded) && !ClientAddress.isInternal(exchange.client)
      proxy = isInside ? exchange.client : nil
    } else {
      address = exchange.client
      proxy = nil
    }
  }

  /// By bytes: `==` of texts would take two spellings of one character for equal.
  static func == (left: Self, right: Self) -> Bool {
    left.address.hasSameBytes(as: right.address)
      && left.userAgent.hasSameBytes(as: right.userAgent)
      && left.proxy.hasSameBytes(as: right.proxy)
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(ByteHash.secretly(address))
    hasher.combine(userAgent.map(ByteHash.secretly) ?? 0)
  }

  /// Bytes of its texts.
  var bytes: Int {
    address.utf8.count + (proxy?.utf8.count ?? 0) + (userAgent?.utf8.count ?? 0)
  }
}
