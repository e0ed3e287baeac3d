internal import Bytes

/// Who sent a request, as far as the record tells: many exchanges share one.
public final class Sender: Sendable {
  /// The address of the peer, without its port.
  public let client: String
  /// The client address that a proxy forwarded, where recorded.
  public let forwardedFor: String?
  /// The user agent; `nil` when absent or not recorded.
  public let userAgent: String?
  /// Bytes of its texts.
  public let bytes: Int

  /// A sender of those parts.
  public init(client: String, forwardedFor: String?, userAgent: String?) {
    self.client = client
    self.forwardedFor = forwardedFor
    self.userAgent = userAgent
    bytes =
      client.utf8.count &+ (forwardedFor?.utf8.count ?? 0) &+ (userAgent?.utf8.count ?? 0)
  }

  /// Whether both have the same texts.
  static func areEqual(_ left: Sender, _ right: Sender) -> Bool {
    left === right
      || left.client.hasSameBytes(as: right.client)
        && left.forwardedFor.hasSameBytes(as: right.forwardedFor)
        && left.userAgent.hasSameBytes(as: right.userAgent)
  }
}

/// Senders that were met before, so that each is made once.
///
/// One place for each hash: a newer sender pushes out the older, and memory stays bounded.
public struct SenderTable {
  private static let capacity = 1024
  /// Bytes of the texts of one that is worth remembering.
  private static let longestTexts = 1024

  private struct Entry {
    /// The references that the texts are.
    var words = SIMD8<UInt64>()
    var sender: Sender?
  }

  private let entries = FixedTable(repeating: Entry(), count: capacity)

  /// No sender was met yet.
  public init() {}

  /// The sender of those parts.
  ///
  /// One that was met before is known again when its texts are the same references, as they are where
  /// texts come out of a table themselves: comparing their bytes would cost more than another sender.
  public func sender(client: String, forwardedFor: String?, userAgent: String?) -> Sender {
    let (first, second, third) = (
      client.representation, forwardedFor?.representation ?? (0, 0),
      userAgent?.representation ?? (0, 0)
    )
    // What is absent is told from an empty text.
    let absent = (forwardedFor == nil ? 1 : 0) | (userAgent == nil ? 2 : 0) as UInt64
    let words = SIMD8(first.0, first.1, second.0, second.1, third.0, third.1, absent, 0)
    var hash = ByteHash.next(first.0, first.1)
    hash = ByteHash.next(hash ^ second.0, second.1)
    hash = ByteHash.next(hash ^ third.0, third.1)
    let place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    // The texts of a sender that is held are where they were.
    if entries[place].words == words, let known = entries[place].sender { return known }
    let sender = Sender(client: client, forwardedFor: forwardedFor, userAgent: userAgent)
    if sender.bytes <= Self.longestTexts { entries[place] = Entry(words: words, sender: sender) }
    return sender
  }
}
