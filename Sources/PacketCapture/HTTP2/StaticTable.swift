internal import Bytes

/// The static table of HPACK.
///
/// - Standard: <https://www.rfc-editor.org/rfc/rfc7541#appendix-A>
struct StaticTable: @unchecked Sendable {
  /// The one table, whose memory is never freed.
  static let shared = StaticTable()
  /// How many entries it has.
  static let count = 61

  private static let fields: [(name: StaticString, value: StaticString)] = [
    (":authority", ""), (":method", "GET"), (":method", "POST"), (":path", "/"),
    (":path", "/index.html"), (":scheme", "http"), (":scheme", "https"), (":status", "200"),
    (":status", "204"), (":status", "206"), (":status", "304"), (":status", "400"),
    (":status", "404"), (":status", "500"), ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"), ("accept-language", ""), ("accept-ranges", ""),
    ("accept", ""), ("access-control-allow-origin", ""), ("age", ""), ("allow", ""),
    ("authorization", ""), ("cache-control", ""), ("content-disposition", ""),
    ("content-encoding", ""), ("content-language", ""), ("content-length", ""),
    ("content-location", ""), ("content-range", ""), ("content-type", ""), ("cookie", ""),
    ("date", ""), ("etag", ""), ("expect", ""), ("expires", ""), ("from", ""), ("host", ""),
    ("if-match", ""), ("if-modified-since", ""), ("if-none-match", ""), ("if-range", ""),
    ("if-unmodified-since", ""), ("last-modified", ""), ("link", ""), ("location", ""),
    ("max-forwards", ""), ("proxy-authenticate", ""), ("proxy-authorization", ""), ("range", ""),
    ("referer", ""), ("refresh", ""), ("retry-after", ""), ("server", ""), ("set-cookie", ""),
    ("strict-transport-security", ""), ("transfer-encoding", ""), ("user-agent", ""),
    ("vary", ""), ("via", ""), ("www-authenticate", ""),
  ]

  private let names: [ByteView]
  private let values: [ByteView]

  private init() {
    names = Self.fields.map { ByteView($0.name) }
    values = Self.fields.map { ByteView($0.value) }
  }

  /// The name of an entry; `index` is 1 to ``count``.
  func name(_ index: Int) -> ByteView { names[index - 1] }

  /// The value of an entry; `index` is 1 to ``count``.
  func value(_ index: Int) -> ByteView { values[index - 1] }
}
