internal import Bytes
public import HTTPExchange

/// Whether a request header needs no preflight.
///
/// - Parameters:
///   - name: the header's name, in any case.
///   - value: its value.
///   - engine: Chromium safelists client hints as well.
/// - Standard: <https://fetch.spec.whatwg.org/#cors-safelisted-request-header>
public func isSafelistedRequestHeader(
  _ name: String, _ value: String, engine: Engine = .standard
) -> Bool {
  // 1. If value's length is greater than 128, then return false.
  let bytes = value.utf8
  guard bytes.count <= 128 else { return false }
  switch name.asciiLowercased {
  case "accept":
    return !bytes.contains(where: { $0.isCORSUnsafe })
  case "accept-language", "content-language":
    return bytes.allSatisfy {
      (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
        || " *,-.;=".utf8.contains($0)
    }
  case "content-type":
    guard !bytes.contains(where: { $0.isCORSUnsafe }), let essence = mimeTypeEssence(value) else {
      return false
    }
    return essence == "application/x-www-form-urlencoded" || essence == "multipart/form-data"
      || essence == "text/plain"
  case "range":
    return isSimpleRange(value)
  case "dpr", "width", "viewport-width", "downlink", "rtt":
    return engine.differences.safelistsClientHints && Double(value).map { $0 >= 0 } ?? false
  case "save-data":
    return engine.differences.safelistsClientHints && value.asciiLowercased == "on"
  case "device-memory":
    return engine.differences.safelistsClientHints && Double(value) != nil
  case "ect":
    return engine.differences.safelistsClientHints
      && ["slow-2g", "2g", "3g", "4g"].contains(value)
  case let lower where lower.hasPrefix("sec-ch-"):
    return engine.differences.safelistsClientHints
  default:
    return false
  }
}

/// The names that a preflight must ask for, of the headers that script set.
///
/// - Standard: <https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names>
public func corsUnsafeRequestHeaderNames(
  _ headers: [(name: String, value: String)], engine: Engine = .standard
) -> [String] {
  // 1. to 3. Unsafe names, and the safelisted ones with the size of their values.
  var unsafeNames: Set<String> = []
  var potentiallyUnsafeNames: Set<String> = []
  var safelistedSize = 0
  for header in headers {
    let name = header.name.asciiLowercased
    if isSafelistedRequestHeader(name, header.value, engine: engine) {
      potentiallyUnsafeNames.insert(name)
      safelistedSize += header.value.utf8.count
    } else {
      unsafeNames.insert(name)
    }
  }
  // 5. If safelistValueSize is greater than 1024, then all of them are unsafe.
  if safelistedSize > 1024, engine != .webkit { unsafeNames.formUnion(potentiallyUnsafeNames) }
  // 6. Lower-cased, sorted, without duplicates.
  return unsafeNames.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}

extension UInt8 {
  /// A CORS-unsafe request-header byte.
  ///
  /// - Standard: <https://fetch.spec.whatwg.org/#cors-unsafe-request-header-byte>
  var isCORSUnsafe: Bool {
    if self < 0x20 { return self != 0x09 }
    switch self {
    case 0x7F, UInt8(ascii: "\""), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ":"),
      UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "?"), UInt8(ascii: "@"),
      UInt8(ascii: "["), UInt8(ascii: "\\"), UInt8(ascii: "]"), UInt8(ascii: "{"),
      UInt8(ascii: "}"):
      return true
    default:
      return false
    }
  }
}

/// `bytes=` digits `-` digits or nothing, the first number not after the second.
///
/// - Standard: <https://fetch.spec.whatwg.org/#simple-range-header-value>
private func isSimpleRange(_ value: String) -> Bool {
  guard value.hasPrefix("bytes=") else { return false }
  let parts = value.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
  guard parts.count == 2, !parts[0].isEmpty,
    parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } })
  else { return false }
  guard !parts[1].isEmpty else { return true }
  let first = parts[0].drop { $0 == "0" }
  let last = parts[1].drop { $0 == "0" }
  return first.utf8.count < last.utf8.count
    || (first.utf8.count == last.utf8.count && !last.utf8.lexicographicallyPrecedes(first.utf8))
}

/// The essence of a MIME type in lower case; `nil` when the text is none.
///
/// - Standard: <https://mimesniff.spec.whatwg.org/#parse-a-mime-type>
func mimeTypeEssence(_ text: String) -> String? {
  text.withByteView { bytes in
    var start = 0
    while start < bytes.count, bytes[start].isHTTPWhitespace { start += 1 }
    var end = start
    while end < bytes.count, bytes[end] != UInt8(ascii: ";") { end += 1 }
    while end > start, bytes[end - 1].isHTTPWhitespace { end -= 1 }
    let essence = bytes.part(start, end)
    guard let slash = essence.firstIndex(of: UInt8(ascii: "/")), slash > 0,
      slash < essence.count - 1,
      essence.part(0, slash).allSatisfy({ $0.isTokenByte }),
      essence.from(slash + 1).allSatisfy({ $0.isTokenByte })
    else { return nil }
    return String(decoding: essence, as: UTF8.self).asciiLowercased
  }
}

/// What the header names on the wire tell of those that script set.
///
/// The wire holds more than script set: what the browser and what intermediaries add. Only names
/// and values that neither of them sends prove that a preflight was needed.
public struct ScriptHeaders: Hashable, Sendable {
  /// Names that only script can have set and that need a preflight.
  public private(set) var unsafeNames: [HeaderName] = []
  private let request: MessageEvidence

  /// Names that browsers or intermediaries send of their own, so that they prove nothing.
  private static let ambientNames = Set(
    [
      "accept", "accept-charset", "accept-encoding", "accept-language",
      "access-control-request-headers", "access-control-request-method",
      "access-control-request-private-network", "authorization", "b3", "baggage", "cache-control",
      "cdn-loop", "connection", "content-language", "content-length", "content-type", "cookie",
      "cookie2", "date", "device-memory", "dnt", "downlink", "dpr", "early-data", "ect", "expect",
      "forwarded", "host", "http2-settings", "if-match", "if-modified-since", "if-none-match",
      "if-range", "if-unmodified-since", "keep-alive", "last-event-id", "origin", "ping-from",
      "ping-to", "pragma", "priority", "purpose", "range", "referer", "rtt", "save-data",
      "service-worker", "set-cookie", "te", "traceparent", "tracestate", "trailer",
      "transfer-encoding", "true-client-ip", "upgrade", "upgrade-insecure-requests", "user-agent",
      "via", "viewport-width", "width", "x-amz-cf-id", "x-amzn-trace-id", "x-client-data",
      "x-correlation-id", "x-purpose", "x-real-ip", "x-request-id", "x-requested-with",
      "alt-used", "available-dictionary", "dictionary-id", "intervention",
    ].map { HeaderName($0) })

  private static let ambientPrefixes = [
    "sec-", "proxy-", "x-forwarded-", "x-b3-", "cf-", "x-envoy-", "x-original-",
    "attribution-reporting-",
  ]

  /// Names that only an intermediary sends: where one is, others may be of its making as well.
  private static let intermediaryNames = Set(
    [
      "cdn-loop", "forwarded", "true-client-ip", "via", "x-amz-cf-id", "x-amzn-trace-id",
      "x-real-ip",
    ].map { HeaderName($0) })

  private static let intermediaryPrefixes = ["x-forwarded-", "cf-", "x-envoy-", "x-original-"]

  /// Looks at a request's recorded fields.
  public init(_ request: MessageEvidence, engine: Engine = .standard) {
    self.request = request
    // Asked for only where there is a name to doubt.
    var isForwarded: Bool?
    func wasForwarded() -> Bool {
      let known = isForwarded ?? request.fields.contains { Self.isOfIntermediary($0.name) }
      isForwarded = known
      return known
    }
    for field in request.fields {
      let isUnsafe: Bool
      switch field.name {
      case .contentType:
        // Of a value that was cut only the bytes that are shown say something.
        isUnsafe =
          request.whole(.contentType).map {
            !isSafelistedRequestHeader("content-type", $0, engine: engine)
          } ?? field.value?.utf8.contains(where: { $0.isCORSUnsafe }) ?? false
      case .contentLanguage, .acceptLanguage, .accept:
        // The browser's own values of these are safelisted.
        isUnsafe = field.value?.utf8.contains(where: { $0.isCORSUnsafe }) ?? false
      default:
        isUnsafe = !Self.isAmbient(field.name) && !wasForwarded()
      }
      if isUnsafe, !unsafeNames.contains(field.name) { unsafeNames.append(field.name) }
    }
  }

  /// Whether the request carries all of these names; `nil` when not all names are recorded.
  public func carries(_ names: [HeaderName]) -> Bool? {
    guard request.coverage == .complete else { return nil }
    return names.allSatisfy { request.contains($0) }
  }

  private static func isOfIntermediary(_ name: HeaderName) -> Bool {
    intermediaryNames.contains(name)
      || intermediaryPrefixes.contains { name.description.hasPrefix($0) }
  }

  private static func isAmbient(_ name: HeaderName) -> Bool {
    ambientNames.contains(name)
      || ambientPrefixes.contains { name.description.hasPrefix($0) }
  }
}
