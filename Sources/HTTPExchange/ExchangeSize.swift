extension Exchange {
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
  fileprivate var approximateBytes: Int {
    var sum = 0
    // Elements are read in place: a copy of each would cost more than the sum.
    for index in fields.indices { sum &+= 48 &+ (fields[index].value?.utf8.count ?? 0) }
    return sum
  }
}
