/// What a verdict reads of an exchange whose header blocks others share: where these are the same
/// blocks, ``DecidingBytes`` need not be written to see that they say the same.
public final class DecidingParts: Sendable {
  /// Bytes of header blocks that are worth holding for a comparison.
  private static let longestBlocks = 8192

  private let request: HeaderBlock
  private let response: HeaderBlock
  private let status: Int?
  private let method: String
  private let scheme: String?
  private let host: String?
  private let port: UInt16?
  private let isPattern: Bool
  private let httpVersion: String?

  /// The parts of an exchange; `nil` where none can have the same header blocks.
  public init?(_ exchange: Exchange) {
    let parts = exchange.parts
    request = parts.request.block
    response = parts.response.block
    guard request.isShared, response.isShared, request.bytes &+ response.bytes <= Self.longestBlocks
    else { return nil }
    status = parts.status
    method = parts.setting.method
    let url = parts.url.parts
    scheme = url.scheme
    host = url.host
    port = url.port
    isPattern = url.isPattern
    httpVersion = parts.setting.httpVersion
  }

  /// Whether an exchange has the same.
  ///
  /// An exchange may say the same and differ here, when its header blocks or texts are others.
  public func areEqual(to exchange: Exchange) -> Bool {
    let parts = exchange.parts
    let url = parts.url.parts
    return request === parts.request.block && response === parts.response.block
      && status == parts.status && port == url.port && isPattern == url.isPattern
      && method.isSameReference(as: parts.setting.method) && host.isSameReference(as: url.host)
      && scheme.isSameReference(as: url.scheme)
      && httpVersion.isSameReference(as: parts.setting.httpVersion)
  }

  /// The same for all exchanges of which ``areEqual(to:)`` can be true.
  public static func hash(_ exchange: Exchange) -> Int {
    let parts = exchange.parts
    let request = UInt(bitPattern: ObjectIdentifier(parts.request.block))
    let response = UInt(bitPattern: ObjectIdentifier(parts.response.block))
    return Int(truncatingIfNeeded: ByteHash.next(UInt64(request), UInt64(response)))
  }
}
