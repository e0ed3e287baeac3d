/// Every bound on what pairing keeps, with its reason.
///
/// All are counted when they are reached.
enum PairingLimits {
  /// Nanoseconds after a preflight, or after a redirect, in which the next request must begin.
  ///
  /// A browser sends it at once; a suspended page or a slow link may need seconds.
  static let window: Int64 = 30_000_000_000
  /// The same where the source stamps only the end of a request, which may be a slow one.
  static let windowByEnd: Int64 = 120_000_000_000
  /// Nanoseconds by which the clocks of two sources may differ; those of synchronised machines differ
  /// by milliseconds, those of neglected ones by seconds.
  static let clockSkew: Int64 = 5_000_000_000
  /// Requests whose preflight was not seen that wait for one at once; others are not looked at across
  /// clocks.
  static let awaitingPreflight = 20_000
  /// Browsers that are remembered at once, of about 1 KB each.
  static let browsers = 200_000
  /// Nanoseconds without traffic after which a browser with nothing open and nothing cached may be
  /// forgotten: only which of its responses were readable is lost, which an answer of 304 needs.
  static let browserLifetime: Int64 = 1_800_000_000_000
  /// Nanoseconds of event time between two looks for browsers to forget.
  static let sweepInterval: Int64 = 600_000_000_000
  /// Calls of one browser that wait at once: a page has a few hundred at most.
  static let openCalls = 4096
  /// Calls of one browser that wait for the same URL at once; bounds the search for the right one.
  static let openCallsPerURL = 512
  /// Calls of all browsers that wait at once: 30 s of thousands of preflights a second, none of
  /// which is followed by anything.
  static let allOpenCalls = 1 << 16
  /// Bytes of what the calls that wait hold.
  static let openBytes = 96 << 20
  /// Bytes of what is remembered of browsers beside their open calls.
  static let browserBytes = 96 << 20
  /// Origin and URL pairs whose preflight cache is remembered for a browser, as in Chromium.
  static let cachedURLs = 1024
  /// URLs of a browser of which a readable response is remembered.
  static let readableURLs = 512
}
