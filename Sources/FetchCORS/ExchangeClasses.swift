internal import Bytes
public import HTTPExchange

/// Numbers exchanges, so that those which no verdict can tell apart have the same number.
///
/// Traffic repeats itself: each kind of exchange needs to be read once. A number is never given
/// anew; what is forgotten, when there are too many kinds, gets another one.
public final class ExchangeClasses {
  /// Kinds that are remembered: real traffic has some hundreds, a flood any number.
  private static let limit = 2048

  /// Bytes of all of them.
  private static let byteLimit = 16 << 20

  private struct Class {
    var key: DecidingBytes.Key
    var number: Int
  }

  private struct Recent {
    var parts: DecidingParts?
    var number = 0
  }

  /// Exchanges that were numbered before, in places by ``DecidingParts/hash(_:)``: a newer one pushes out
  /// the older.
  private let recent = FixedTable(repeating: Recent(), count: 4096)
  /// By the digest of their keys; of two that have the same, which does not happen, one is remembered.
  @safe @exclusivity(unchecked) private var classes: [UInt64: Class] = [:]
  @safe @exclusivity(unchecked) private var bytes = 0
  private let deciding = DecidingBytes()
  @safe @exclusivity(unchecked) private var last = 0

  /// No exchange is known.
  public init() {}

  /// The number of all exchanges that are judged as this one is.
  public func number(of exchange: Exchange) -> Int {
    let place = DecidingParts.hash(exchange) & (recent.count - 1)
    if recent[place].parts?.areEqual(to: exchange) ?? false { return recent[place].number }
    let number = numberByBytes(exchange)
    if let parts = DecidingParts(exchange) { recent[place] = Recent(parts: parts, number: number) }
    return number
  }

  private func numberByBytes(_ exchange: Exchange) -> Int {
    if deciding.begin() || classes.count >= Self.limit || bytes > Self.byteLimit {
      classes.removeAll(keepingCapacity: true)
      bytes = 0
    }
    deciding.append(exchange)
    let digest = deciding.digest
    if let known = classes[digest], deciding.equals(known.key) { return known.number }
    last += 1
    let key = deciding.key
    bytes += key.count
    classes[digest] = Class(key: key, number: last)
    return last
  }
}
