extension Exchange {
  /// Bytes of memory that it holds, roughly: what is bounded by them is bounded well enough, since
  /// texts that several exchanges share are counted for each.
  public var approximateBytes: Int {
    let parts = parts
    var sum = 600 &+ parts.sender.bytes
    sum &+= parts.setting.method.utf8.count &+ parts.url.target.utf8.count
    sum &+= (parts.url.host?.utf8.count ?? 0) &+ (parts.requestID?.utf8.count ?? 0)
    return sum &+ parts.request.bytes &+ parts.response.bytes
  }

  /// The same, once its lists of names have been read, each of which is a text of its own then.
  public var approximateBytesOnceRead: Int {
    approximateBytes &+ parts.request.bytesOfNames &+ parts.response.bytesOfNames
  }
}

extension MessageEvidence {
  fileprivate var bytes: Int {
    var sum = block.bytes
    for number in ownValues.indices { sum &+= ownValues[number]?.utf8.count ?? 0 }
    return sum
  }

  fileprivate var bytesOfNames: Int {
    var sum = block.bytesOfNames
    for number in ownValues.indices {
      sum &+= ownValues[number].map(HeaderBlock.bytesOfNames) ?? 0
    }
    return sum
  }
}
