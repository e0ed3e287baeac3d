extension Exchange {
  /// The same, once its lists of names have been read, each of which is a text of its own then.
  public var approximateBytesOnceRead: Int {
    approximateBytes &+ request.bytesOfNames &+ response.bytesOfNames
  }

  /// Bytes of memory that it holds, roughly: what is bounded by them is bounded well enough, since
  /// texts that several exchanges share are counted for each.
  public var approximateBytes: Int {
    var sum = 600 &+ client.utf8.count &+ (userAgent?.utf8.count ?? 0) &+ method.utf8.count
    sum &+= url.target.utf8.count &+ (url.host?.utf8.count ?? 0)
    sum &+= (forwardedFor?.utf8.count ?? 0) &+ (requestID?.utf8.count ?? 0)
    return sum &+ request.approximateBytes &+ response.approximateBytes
  }
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
