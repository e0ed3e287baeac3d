/// What was read of one input: counts, and every damage with its place.
///
/// Written as `"schema":"postflight.source/1"` into the same streams as the exchanges, so that
/// nothing that was skipped is forgotten between processes. It holds no path: names only.
public struct SourceRecord: Hashable, Sendable {
  /// A place where an input could not be read as it should.
  public struct Damage: Hashable, Sendable {
    /// Bytes from the start of the unpacked input; `nil` where only the number is known.
    public var offset: UInt64?
    /// The packet or line, from 1; `nil` where only the offset is known.
    public var number: UInt64?
    /// What is wrong, in lower case without a full stop: `the file ends inside a packet`.
    public var what: String

    /// A damage at that place.
    public init(offset: UInt64?, number: UInt64? = nil, what: String) {
      self.offset = offset
      self.number = number
      self.what = what
    }
  }

  /// Damages that are kept one by one; more are counted in `damageCount` only.
  public static let maximumDamages = 20

  /// The file's name without its folder, or `-` for standard input.
  public var input: String
  /// The digest that the identifiers of its exchanges carry.
  public var digest: String
  /// What it was recognised as: `pcap`, `pcapng`, `log`, `unknown`.
  public var kind: String
  /// The name of the log format or of the link types, for people.
  public var format: String?
  /// `gzip`, or `nil` when it was not compressed.
  public var compression: String?
  /// Bytes of the unpacked input that were read.
  public var bytes: UInt64 = 0
  /// Packets or lines that were read: `used` and all of `skipped` together.
  public var read: UInt64 = 0
  /// Packets or lines that carried something for an exchange.
  public var used: UInt64 = 0
  /// Packets or lines that did not, by kind.
  public var skipped: [String: UInt64] = [:]
  /// Exchanges found: those kept and all of `passedOver` together.
  public var exchanges: UInt64 = 0
  /// Exchanges that CORS cannot concern, by kind.
  public var passedOver: [String: UInt64] = [:]
  /// Other things counted: connections, TLS connections without keys, gaps, retransmissions.
  public var notes: [String: UInt64] = [:]
  /// When the first and the last packet or line was stamped.
  public var firstAt: EventTime?
  /// When the last one was.
  public var lastAt: EventTime?
  /// The first damages, and how many there were in all.
  public private(set) var damages: [Damage] = []
  /// All damages, those that are not kept one by one included.
  public private(set) var damageCount: UInt64 = 0
  /// What cannot be judged from this input although it was read whole, in words for people.
  public var warnings: [String] = []
  /// Header fields that a log format records, for what a report says of completeness; `nil` for a
  /// capture, which records all.
  public var records: [String]?
  /// How faithfully each of those is told, in the words of ``Fidelity/description``.
  ///
  /// Each exchange carries it for itself, so that it is no part of the record in a stream.
  public var fidelity: [String: String] = [:]

  /// A record of an input of which nothing was read yet.
  public init(input: String, digest: String, kind: String, compression: String? = nil) {
    self.input = input
    self.digest = digest
    self.kind = kind
    self.compression = compression
  }

  /// What its numbers count: lines, entries of one document, packets, records of a stage.
  public var unit: (one: String, several: String) {
    if kind.hasPrefix("pcap") { return ("packet", "packets") }
    guard kind == "log" else { return ("record", "records") }
    let isOfEntries = format.map { $0 == "har" || $0.contains(" in json-") } ?? false
    return isOfEntries ? ("entry", "entries") : ("line", "lines")
  }

  /// Notes a damage.
  public mutating func addDamage(_ damage: Damage) {
    damageCount = Self.sum(damageCount, 1)
    if damages.count < Self.maximumDamages { damages.append(damage) }
  }

  /// Counts a skipped packet or line.
  public mutating func skip(_ kind: String, _ count: UInt64 = 1) {
    skipped[kind] = Self.sum(skipped[kind] ?? 0, count)
  }

  /// Counts anything else.
  public mutating func note(_ kind: String, _ count: UInt64 = 1) {
    notes[kind] = Self.sum(notes[kind] ?? 0, count)
  }

  /// Kinds that are told apart where records are added up, and bytes of the name of one.
  private static let addedUpKinds = 64

  /// Adds the counts of another input; what it says in words is left out.
  public mutating func absorb(_ other: SourceRecord) {
    bytes = Self.sum(bytes, other.bytes)
    read = Self.sum(read, other.read)
    used = Self.sum(used, other.used)
    exchanges = Self.sum(exchanges, other.exchanges)
    damageCount = Self.sum(damageCount, other.damageCount)
    Self.add(other.skipped, to: &skipped)
    Self.add(other.passedOver, to: &passedOver)
    Self.add(other.notes, to: &notes)
    if let time = other.firstAt { see(time) }
    if let time = other.lastAt { see(time) }
  }

  private static func add(_ counts: [String: UInt64], to sums: inout [String: UInt64]) {
    for (kind, count) in counts {
      let isKnown = sums[kind] != nil
      let isNamed = isKnown || (sums.count < addedUpKinds && kind.utf8.count <= addedUpKinds)
      let name = isNamed ? kind : "other-kinds"
      sums[name] = sum(sums[name] ?? 0, count)
    }
  }

  /// Bytes of memory that it holds, roughly.
  public var approximateBytes: Int {
    var sum = 500 &+ input.utf8.count &+ digest.utf8.count &+ (format?.utf8.count ?? 0)
    for counts in [skipped, passedOver, notes] {
      for kind in counts.keys { sum &+= 64 &+ kind.utf8.count }
    }
    for damage in damages { sum &+= 64 &+ damage.what.utf8.count }
    for text in warnings { sum &+= 32 &+ text.utf8.count }
    for name in records ?? [] { sum &+= 32 &+ name.utf8.count }
    return sum &+ kind.utf8.count &+ (compression?.utf8.count ?? 0)
  }

  /// Saturates: a record that was read may hold any count.
  private static func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? .max : sum
  }

  /// Widens the span between the first and the last stamp.
  public mutating func see(_ time: EventTime) {
    if firstAt.map({ time < $0 }) ?? true { firstAt = time }
    if lastAt.map({ time > $0 }) ?? true { lastAt = time }
  }
}

extension SourceRecord {
  /// TLS connections of a capture that were not decrypted.
  public var closedTLSConnections: UInt64 {
    let all = notes["tls-connections"] ?? 0
    return all - min(all, notes["tls-decrypted"] ?? 0)
  }

  /// QUIC connections of a capture, and those of HTTP/2 of which nothing could be decoded.
  public var otherClosedConnections: UInt64 {
    (notes["quic-connections"] ?? 0) &+ (notes["http2-connections-not-decoded"] ?? 0)
  }
}

extension SourceRecord {
  /// The value of `schema` in such a record.
  public static let schema = "postflight.source/1"

  /// Writes the record as one line.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("schema", Self.schema)
      writer.member("input", input)
      writer.member("digest", digest)
      writer.member("kind", kind)
      writer.member("format", format)
      writer.member("compression", compression)
      writer.member("bytes", bytes)
      writer.member("read", read)
      writer.member("used", used)
      Self.write("skipped", skipped, to: &writer)
      writer.member("exchanges", exchanges)
      Self.write("passedOver", passedOver, to: &writer)
      Self.write("notes", notes, to: &writer)
      writer.member("firstAt", firstAt?.rfc3339(.nanosecond))
      writer.member("lastAt", lastAt?.rfc3339(.nanosecond))
      writer.member("damageCount", damageCount)
      writer.key("damages")
      writer.array { writer in
        for damage in damages {
          writer.object { writer in
            writer.member("offset", damage.offset)
            writer.member("number", damage.number)
            writer.member("what", damage.what)
          }
        }
      }
      writer.member("warnings", warnings)
      writer.key("records")
      if let records {
        writer.array { writer in for name in records { writer.string(name) } }
      } else {
        writer.null()
      }
    }
    writer.endLine()
  }

  private static func write(
    _ name: String, _ counts: [String: UInt64], to writer: inout JSONWriter
  ) {
    writer.key(name)
    writer.object { writer in
      for (kind, count) in counts.sorted(by: { $0.key < $1.key }) { writer.member(kind, count) }
    }
  }

  /// Reads a record back.
  public init(json: JSONValue) throws(RecordError) {
    guard let input = json["input"]?.text else { throw RecordError("no member \"input\"") }
    self.init(
      input: input, digest: json["digest"]?.text ?? "", kind: json["kind"]?.text ?? "unknown",
      compression: json["compression"]?.text)
    func count(_ name: String) -> UInt64 { json[name]?.unsigned ?? 0 }
    func counts(_ name: String) -> [String: UInt64] {
      var result: [String: UInt64] = [:]
      for member in json[name]?.members ?? [] {
        result[member.name] = member.value.unsigned ?? 0
      }
      return result
    }
    func time(_ name: String) -> EventTime? {
      json[name]?.text.flatMap { EventTime(rfc3339: $0) }
    }
    format = json["format"]?.text
    bytes = count("bytes")
    read = count("read")
    used = count("used")
    skipped = counts("skipped")
    exchanges = count("exchanges")
    passedOver = counts("passedOver")
    notes = counts("notes")
    firstAt = time("firstAt")
    lastAt = time("lastAt")
    for damage in json["damages"]?.elements ?? [] {
      addDamage(
        Damage(
          offset: damage["offset"]?.unsigned,
          number: damage["number"]?.unsigned,
          what: damage["what"]?.text ?? ""))
    }
    damageCount = max(damageCount, count("damageCount"))
    warnings = json["warnings"]?.texts ?? []
    records = json["records"]?.texts
  }
}

/// Why a line is not the record that it should be.
public struct RecordError: Error, Equatable {
  /// In lower case, without a full stop.
  public var reason: String

  /// An error of that reason.
  public init(_ reason: String) {
    self.reason = reason
  }
}
