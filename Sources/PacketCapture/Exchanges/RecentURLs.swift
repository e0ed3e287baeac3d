internal import Bytes
internal import HTTPExchange

/// URLs that were made before: a preflight and its request have the same, and one that they share
/// costs neither its memory nor the comparison of its parts.
///
/// One place for each hash: a newer URL pushes out the older, and memory stays bounded.
struct RecentURLs {
  private static let capacity = 4096
  /// Longer targets seldom come again.
  private static let longestTarget = 512

  private struct Entry {
    var hash: UInt64 = 0
    var site: UInt64 = 0
    var url: RequestURL?
  }

  private let entries = FixedTable(repeating: Entry(), count: capacity)

  /// The URL of a target as it stands in a request.
  ///
  /// - Parameters:
  ///   - root: the URL `/` of its site.
  ///   - site: a number that no other root has.
  ///   - make: makes the text of the target that is kept.
  @inline(__always)
  func url(
    _ root: RequestURL, _ site: UInt64, _ target: ByteView, _ make: (ByteView) -> String
  ) -> RequestURL {
    let hash = ByteHash.of(target, seed: site)
    let place = Int(truncatingIfNeeded: hash) & (Self.capacity - 1)
    if entries[place].hash == hash, entries[place].site == site, let known = entries[place].url,
      known.target.withByteView({ $0.equals(target) })
    {
      return known
    }
    var url = root
    url.target = make(target)
    // Where something was redacted or escaped, the text is not what it was made from.
    if target.count <= Self.longestTarget, url.target.withByteView({ $0.equals(target) }) {
      entries[place] = Entry(hash: hash, site: site, url: url)
    }
    return url
  }
}
