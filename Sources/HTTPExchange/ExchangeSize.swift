/// What an exchange costs, roughly, which is asked wherever exchanges are held.
struct ExchangeSize {
  /// Bytes of memory that it holds.
  private(set) var bytes = 0
  /// The same, once its lists of names have been read.
  private(set) var bytesOnceRead = 0

  /// Of nothing.
  init() {}

  /// Of the parts that an exchange has now.
  init(_ parts: Parts) {
    var sum = 600 &+ parts.client.utf8.count &+ (parts.userAgent?.utf8.count ?? 0)
    sum &+= parts.method.utf8.count &+ parts.url.target.utf8.count
    sum &+= (parts.url.host?.utf8.count ?? 0) &+ (parts.forwardedFor?.utf8.count ?? 0)
    sum &+= parts.requestID?.utf8.count ?? 0
    bytes = sum &+ parts.request.approximateBytes &+ parts.response.approximateBytes
    bytesOnceRead = bytes &+ parts.request.bytesOfNames &+ parts.response.bytesOfNames
  }
}

extension Exchange {
  /// The same, once its lists of names have been read, each of which is a text of its own then.
  public var approximateBytesOnceRead: Int { parts.size.bytesOnceRead }

  /// Bytes of memory that it holds, roughly: what is bounded by them is bounded well enough, since
  /// texts that several exchanges share are counted for each.
  public var approximateBytes: Int { parts.size.bytes }
}

extension MessageEvidence {
  /// Bytes of a value up to which its names count as part of what an exchange costs anyway.
  private static let shortValue = 512
  /// Bytes that one name of a list costs: a text as it was asked for, as a field's name, as it was
  /// listed and as it is looked up.
  private static let nameCost = 100

  /// Bytes of the names in long lists, which a hostile one has ten thousands of.
  fileprivate var bytesOfNames: Int {
    var sum = 0
    for index in fields.indices {
      guard let value = fields[index].value, value.utf8.count > Self.shortValue else { continue }
      var names = 1
      for byte in value.utf8 where byte == UInt8(ascii: ",") { names &+= 1 }
      sum &+= names &* Self.nameCost &+ 3 &* value.utf8.count
    }
    return sum
  }

  fileprivate var approximateBytes: Int {
    var sum = 0
    // Elements are read in place: a copy of each would cost more than the sum.
    for index in fields.indices { sum &+= 48 &+ (fields[index].value?.utf8.count ?? 0) }
    return sum
  }
}
