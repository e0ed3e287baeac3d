public import HTTPExchange

/// Numbers exchanges, so that those which no verdict can tell apart have the same number.
///
/// Traffic repeats itself: each kind of exchange needs to be read once. A number is never given
/// anew; what is forgotten, when there are too many kinds, gets another one.
public struct ExchangeClasses {
  /// Kinds that are remembered: real traffic has some hundreds, a flood any number.
  private static let limit = 2048

  /// Bytes of all of them.
  private static let byteLimit = 16 << 20

  private var numbers: [DecidingBytes.Key: Int] = [:]
  private var bytes = 0
  private var deciding = DecidingBytes()
  private var last = 0

  /// No exchange is known.
  public init() {}

  /// The number of all exchanges that are judged as this one is.
  public mutating func number(of exchange: Exchange) -> Int {
    if deciding.begin() || numbers.count >= Self.limit || bytes > Self.byteLimit {
      numbers.removeAll(keepingCapacity: true)
      bytes = 0
    }
    deciding.append(exchange)
    let key = deciding.key
    if let number = numbers[key] { return number }
    last += 1
    bytes += key.count
    numbers[key] = last
    return last
  }
}
