internal import Bytes

extension LogCoat {
  /// `journal-json`: what `journalctl -o json` prints.
  static let journalJSON = LogCoat(
    name: "journal-json", summary: "journalctl -o json: JSON with the line in MESSAGE",
    rule: .line { line, scratch in journalMembers.read(line, scratch) })

  /// `journal`: what `journalctl -o export` prints, and journal uploads carry.
  static let journalExport = LogCoat(
    name: "journal",
    summary: "journalctl -o export: NAME=VALUE lines, an empty line between entries",
    rule: .journalExport)

  private static let journalMembers = JSONCoat(
    texts: ["MESSAGE"], signs: ["__REALTIME_TIMESTAMP"],
    senders: ["SYSLOG_IDENTIFIER", "_COMM"], containers: ["_STREAM_ID", "CONTAINER_ID", "_PID"],
    stamps: [("__REALTIME_TIMESTAMP", .microseconds)],
    partials: [("_LINE_BREAK", "line-max"), ("CONTAINER_PARTIAL_MESSAGE", "true")])
}

/// Reads the journal's export format: entries of `NAME=VALUE` lines with an empty line between.
///
/// A value that is no plain text stands behind its name's own line, after its length in eight bytes
/// of little-endian order, and may hold line feeds.
struct JournalEntries {
  /// What a line of an export is.
  enum Outcome {
    /// A part of an entry.
    case part
    /// The end of an entry that has a message.
    case entry
    /// No line of this format.
    case none
  }

  private enum Field {
    case message, program, command, stream, container, process, time, other
  }

  /// A value whose length stands in front of it.
  private struct Binary {
    enum Outcome { case more, whole, broken }

    let field: Field
    private(set) var bytes: [UInt8] = []
    private var length: [UInt8] = []
    private var remaining: UInt64 = 0

    init(field: Field) {
      self.field = field
    }

    /// Takes a line, whose line feed belongs to the value unless that is complete.
    mutating func take(_ line: ByteView) -> Outcome {
      var rest = line
      if length.count < 8 {
        let count = min(8 - length.count, line.count)
        length.append(contentsOf: line.part(0..<count))
        rest = line.part(count..<line.count)
        if length.count < 8 {
          length.append(0x0A)
          if length.count == 8 { remaining = readLength() }
          return .more
        }
        remaining = readLength()
      }
      let count = UInt64(rest.count)
      guard count <= remaining else { return .broken }
      // A dump may be large, and no line is made from it.
      if field != .other, UInt64(bytes.count) + remaining <= AccessLogLimits.lineBytes {
        bytes.append(contentsOf: rest)
        if count < remaining { bytes.append(0x0A) }
      }
      if count == remaining { return .whole }
      remaining -= count + 1
      return .more
    }

    private func readLength() -> UInt64 {
      length.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  private var message: [UInt8]?
  private var program: [UInt8] = []
  private var command: [UInt8] = []
  private var stream: [UInt8] = []
  private var container: [UInt8] = []
  private var process: [UInt8] = []
  private var time: [UInt8] = []
  private(set) var isPartial = false
  private(set) var isInEntry = false
  /// A value in bytes that is not complete.
  private var binary: Binary?

  /// Calls `body` with the line of the entry that has just ended.
  mutating func withEntry<Result>(_ body: (CoatedLine) -> Result) -> Result {
    let text = message ?? []
    let sender = program.isEmpty ? command : program
    let place = !stream.isEmpty ? stream : !container.isEmpty ? container : process
    let isPartial = isPartial
    let time = time
    self = JournalEntries()
    return text.withByteView { text in
      sender.withByteView { sender in
        place.withByteView { place in
          time.withByteView { time in
            body(
              CoatedLine(
                text: isPartial ? text : text.withoutReturn, sender: sender, container: place,
                isPartial: isPartial, stamp: CoatStamp(time, .microseconds)))
          }
        }
      }
    }
  }

  /// Forgets the entry that was begun, since a line of it was lost.
  mutating func forget() {
    self = JournalEntries()
  }

  /// Takes a line as it stands, without its line feed.
  mutating func take(_ line: ByteView) -> Outcome {
    if binary != nil {
      takeBytes(line)
      return .part
    }
    if line.isEmpty {
      defer { if message == nil { forget() } }
      return message != nil ? .entry : isInEntry ? .part : .none
    }
    let equals = line.place(of: UInt8(ascii: "="))
    let name = line.part(0..<equals)
    guard Self.isName(name) else {
      // A line of something else: what was begun is lost.
      forget()
      return .none
    }
    isInEntry = true
    let field = Self.field(name)
    if equals == line.count {
      binary = Binary(field: field)
    } else {
      let value = line.part(equals + 1..<line.count)
      if name.equals("_LINE_BREAK"), value.equals("line-max") { isPartial = true }
      if name.equals("CONTAINER_PARTIAL_MESSAGE"), value.equals("true") { isPartial = true }
      set(field, value)
    }
    return .part
  }

  private mutating func takeBytes(_ line: ByteView) {
    guard var value = binary else { return }
    binary = nil
    switch value.take(line) {
    case .more: binary = value
    case .whole: value.bytes.withByteView { set(value.field, $0) }
    case .broken: forget()
    }
  }

  private mutating func set(_ field: Field, _ value: ByteView) {
    switch field {
    case .message: message = Array(value)
    case .program: program = Array(value)
    case .command: command = Array(value)
    case .stream: stream = Array(value)
    case .container: container = Array(value)
    case .process: process = Array(value)
    case .time: time = Array(value)
    case .other: break
    }
  }

  private static func field(_ name: ByteView) -> Field {
    if name.equals("MESSAGE") { return .message }
    if name.equals("SYSLOG_IDENTIFIER") { return .program }
    if name.equals("_COMM") { return .command }
    if name.equals("_STREAM_ID") { return .stream }
    if name.equals("CONTAINER_ID") { return .container }
    if name.equals("_PID") { return .process }
    if name.equals("__REALTIME_TIMESTAMP") { return .time }
    return .other
  }

  /// Capital letters, digits and underscores, at most 64.
  private static func isName(_ name: ByteView) -> Bool {
    !name.isEmpty && name.count <= 64
      && name.allSatisfy { $0 &- 65 < 26 || $0 &- 48 < 10 || $0 == UInt8(ascii: "_") }
  }
}
