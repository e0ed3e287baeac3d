internal import FetchCORS
public import HTTPExchange

/// Narrows a report to what an incident is about.
public struct CallFilter: Hashable, Sendable {
  /// Calls that began at this time or later.
  public var since: EventTime?
  /// Calls that began before this time.
  public var until: EventTime?
  /// Calls of pages of this origin.
  public var origin: String?
  /// Calls to URLs that begin with this, or that hold it when it is no whole URL.
  public var url: String?
  /// Calls of this client address.
  public var client: String?

  /// Lets every call through.
  public init() {}

  /// Whether anything is left out at all.
  public var isEmpty: Bool { self == CallFilter() }

  /// Whether a call belongs to the report.
  func admits(_ call: Call) -> Bool {
    if let since, call.time < since { return false }
    if let until, call.time >= until { return false }
    if let origin, call.origin != origin { return false }
    if let client, call.client != client { return false }
    if let url {
      let text = call.url.description
      return url.contains("://") ? text.hasPrefix(url) : text.contains(url)
    }
    return true
  }
}
