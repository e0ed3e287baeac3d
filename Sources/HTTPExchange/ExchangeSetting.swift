internal import Bytes

/// What hardly differs from one exchange of a source to the next: many share one.
public final class ExchangeSetting: Sendable {
  /// `NAME@DIGEST`, see ``ExchangeID/source``.
  @usableFromInline let source: String
  /// The method, in the case of the wire; empty when not recorded.
  @usableFromInline let method: String
  /// `HTTP/1.1`, `HTTP/2`; `nil` when not recorded.
  @usableFromInline let httpVersion: String?
  /// Which ends the source stamped.
  @usableFromInline let timeBasis: TimeBasis
  /// How finely both instants are told.
  @usableFromInline let resolution: TimeResolution

  /// A setting of those parts.
  public init(
    source: String, method: String, httpVersion: String?, timeBasis: TimeBasis,
    resolution: TimeResolution
  ) {
    self.source = source
    self.method = method
    self.httpVersion = httpVersion
    self.timeBasis = timeBasis
    self.resolution = resolution
  }

  static func areEqual(_ left: ExchangeSetting, _ right: ExchangeSetting) -> Bool {
    left === right
      || left.source == right.source && left.method == right.method
        && left.httpVersion == right.httpVersion && left.timeBasis == right.timeBasis
        && left.resolution == right.resolution
  }
}

/// Settings that were met before, so that each is made once.
///
/// One place for each hash: a newer setting pushes out the older, and memory stays bounded.
public struct SettingTable {
  private static let capacity = 64
  /// Bytes of a method that is worth remembering.
  private static let longestMethod = 64

  private let settings = FixedTable<ExchangeSetting?>(repeating: nil, count: capacity)

  /// No setting was met yet.
  public init() {}

  /// The setting of those parts; known again when its texts are the same references.
  public func setting(
    source: String, method: String, httpVersion: String?, timeBasis: TimeBasis,
    resolution: TimeResolution
  ) -> ExchangeSetting {
    let (first, second) = method.representation
    let version = httpVersion?.representation ?? (0, 0)
    let hash = ByteHash.next(first ^ version.0, second ^ version.1)
    let place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    if let known = settings[place], known.method.isSameReference(as: method),
      known.httpVersion.isSameReference(as: httpVersion), known.timeBasis == timeBasis,
      known.resolution == resolution, known.source.isSameReference(as: source)
    {
      return known
    }
    let setting = ExchangeSetting(
      source: source, method: method, httpVersion: httpVersion, timeBasis: timeBasis,
      resolution: resolution)
    if method.utf8.count <= Self.longestMethod { settings[place] = setting }
    return setting
  }
}
