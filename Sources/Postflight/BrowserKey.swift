internal import Bytes
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

/// Browsers by the senders of their exchanges, as long as nothing is forgotten: a sender is found
/// sooner than its texts are compared.
final class RecentBrowsers {
  private struct Entry {
    var sender: Sender?
    var browser: Browser?
  }

  /// Bytes of the texts of a sender that is worth holding.
  private static let longestTexts = 1024

  private let entries = FixedTable(repeating: Entry(), count: 1024)
  /// Places that hold a browser.
  @safe @exclusivity(unchecked) private var taken: [Int] = []

  /// The browser of a sender, if it is remembered.
  subscript(sender: Sender) -> Browser? {
    get {
      let place = place(sender)
      return entries[place].sender === sender ? entries[place].browser : nil
    }
    set {
      guard sender.bytes <= Self.longestTexts else { return }
      let place = place(sender)
      if entries[place].sender == nil { taken.append(place) }
      entries[place] = Entry(sender: sender, browser: newValue)
    }
  }

  /// Forgets all.
  func forget() {
    for place in taken { entries[place] = Entry() }
    taken.removeAll(keepingCapacity: true)
  }

  private func place(_ sender: Sender) -> Int {
    // Objects stand at multiples of 16.
    let address = UInt(bitPattern: ObjectIdentifier(sender)) >> 4
    return Int(truncatingIfNeeded: address ^ address >> 10) & (entries.count - 1)
  }
}
