import Bytes
import HTTPExchange
import InputBytes

@testable import AccessLog

/// Access logs: their lines, their recognition, and the formats that users write.
let logTargets: [FuzzTarget] = [
  FuzzTarget(
    "access-log", maximumLength: 2048, dictionary: "log", seeds: LogSeeds.linesOfFormats,
    run: { bytes in
      var reader = InputReader(bytes)
      let format = LogFormat.all[reader.byte() % LogFormat.all.count]
      try expectSoundLines(reader.rest(), format)
    }),
  FuzzTarget(
    "recognition", maximumLength: 2048, dictionary: "log", seeds: LogSeeds.lines,
    run: { bytes in
      try withMemoryFile(bytes) { path in
        let input = try ByteInput(path: path, skipsNULs: bytes.count % 5 != 0)
        guard let format = LogReader.recognizes(input.head, choice: .automatic) else {
          _ = LogReader.recognizesTimeless(input.head, choice: .automatic)
          _ = LogReader.missingMembers(in: input.head)
          return
        }
        var options = IngestOptions()
        options.keepsAll = bytes.count % 2 == 0
        options.trustsForwarded = bytes.count % 3 == 0
        _ = LogReader.firstTime(
          in: input.head, format: format, options: options, writtenBy: input.writtenBy)
        let log = LogReader(input: input, format: format, options: options)
        var count: UInt64 = 0
        while let batch = log.nextBatch() {
          count += UInt64(batch.exchanges.count)
          for exchange in batch.exchanges { try expectStable(exchange) }
        }
        let record = log.record
        try expectEqual(
          record.read, record.used + record.skipped.values.reduce(0, +), "lines used and skipped")
        try expectEqual(record.exchanges, record.used, "exchanges and lines used")
        try expectEqual(
          record.exchanges, count + record.passedOver.values.reduce(0, +), "exchanges kept")
      }
    }),
  FuzzTarget(
    "json-text", maximumLength: 2048, dictionary: "log", seeds: LogSeeds.texts,
    run: { bytes in
      guard let first = bytes.first else { return }
      let shape = ObjectScanner.Shape.allCases[Int(first) % 3]
      let text = bytes.from(1)
      let whole = try founds(text, shape, by: text.count)
      try expect(whole == founds(text, shape, by: 1 + Int(first) % 17), "buffers make a difference")
    }),
  FuzzTarget(
    "log-pattern", maximumLength: 2048, dictionary: "pattern", seeds: LogSeeds.patterns,
    run: { bytes in
      let end = bytes.firstIndex(of: 0) ?? bytes.count
      let argument = String(decoding: bytes[..<end], as: UTF8.self)
      // `@` reads a file of the machine.
      guard !argument.hasPrefix("@") else { return }
      let choice: FormatChoice
      do throws(FormatError) {
        choice = try FormatChoice(argument: argument)
      } catch {
        try expectPlace(of: error, in: bytes)
        return
      }
      guard case .format(let format) = choice else { return }
      let lines = bytes.from(min(end + 1, bytes.count))
      try expectSoundLines(lines, format)
    }),
  FuzzTarget(
    "configuration", dictionary: "pattern", seeds: LogSeeds.configurations,
    run: { bytes in
      do {
        let formats = try ServerConfiguration(Array(bytes)).formats
        try expect(
          formats.count <= AccessLogLimits.configurationFormats, "more formats than are taken")
        for format in formats.prefix(4) {
          _ = format.recordedFields
          try LogSeeds.line.withByteView { line in
            try expectSoundLines(line, format)
          }
        }
      } catch let error as FormatError {
        try expectPlace(of: error, in: bytes)
      }
    }),
  FuzzTarget(
    "time-stamp", maximumLength: 128, dictionary: "time", seeds: LogSeeds.stamps,
    run: { bytes in
      let text = Array(bytes) + [0]
      try text.withByteView { buffer in
        let base = buffer.part(0, bytes.count)
        let forms: [StampForm] = [
          .any, .clf, .iso, .epoch(unit: 1_000_000_000), .epoch(unit: 1000), .epoch(unit: 1),
          .items([
            .day, .literal(47), .monthName, .literal(47), .year, .literal(58), .hour, .literal(58),
            .minute, .literal(58), .second, .fraction(digits: 3), .zone,
          ]),
          .items([.shortYear, .month, .day, .hour, .minute, .second]),
        ]
        for form in forms {
          var first = StampReader(secondsFromUTC: 3600)
          let reading = first.read(base, 0, bytes.count, form)
          try expect((0...1_000_000_000).contains(reading.resolution), "a step beyond a second")
          let again = first.read(base, 0, bytes.count, form)
          try expect(
            again.nanoseconds == reading.nanoseconds && again.resolution == reading.resolution,
            "a remembered stamp is another one")
        }
      }
      if let time = EventTime(rfc3339: String(decoding: bytes, as: UTF8.self)) {
        try expectEqual(EventTime(rfc3339: time.rfc3339(.nanosecond)), time, "RFC 3339")
      }
    }),
  FuzzTarget(
    "escapes", maximumLength: 512, dictionary: "log",
    seeds: {
      [Array(#"a\x22b\u00e9\ud83d\ude00\n\\"#.utf8), [0xC3, 0xA9, 0xEF, 0x9E, 0x80, 0xFF]]
    },
    run: { bytes in
      let text = WireText.decode(bytes)
      try expect(WireText.bytes(of: text) == Array(bytes), "bytes do not come back from a text")
      var writer = JSONWriter()
      writer.string(text)
      let value = writer.bytes.withByteView { try? JSONReader.read($0) }
      try expect(value?.text?.hasSameBytes(as: text) == true, "a text does not come back from JSON")
      let padded = Array(bytes) + [0]
      try padded.withByteView { buffer in
        for escaping in [
          Escaping.nginxDefault, .nginxJSON, .none, .apache, .anyText, .anyJSON,
        ] {
          let plain = ValueEscapes.text(buffer.part(0, bytes.count), escaping)
          if !bytes.contains(UInt8(ascii: "\\")) {
            try expect(plain.hasSameBytes(as: text), "a value without escapes was changed")
          }
        }
      }
    }),
]

/// What a scanner finds in a text that comes in pieces, as words; none overlap, all are in order.
private func founds(
  _ text: ByteView, _ shape: ObjectScanner.Shape, by size: Int
) throws -> [String] {
  var scanner = ObjectScanner(shape)
  var words: [String] = []
  var last: UInt64?
  var isOrdered = true
  var start = 0
  while start < text.count {
    let end = min(text.count, start + max(1, size))
    scanner.take(text.part(start, end), at: UInt64(start)) { found in
      let offset: UInt64
      switch found {
      case .object(let object, let place):
        offset = place
        words.append("object \(place) \(object.fingerprint)")
        isOrdered = isOrdered && object.first == UInt8(ascii: "{") && object.count <= text.count
      case .tooLong(let place), .unclosed(let place), .stray(let place):
        offset = place
        words.append("other \(place)")
      }
      isOrdered = isOrdered && offset < UInt64(text.count) && last.map { $0 < offset } ?? true
      last = offset
    }
    start = end
  }
  try expect(isOrdered, "what was found is out of order, or no object")
  return words + ["\(scanner.unfinished ?? 0) \(scanner.isOpen)"]
}

/// An error names a place that is there.
private func expectPlace(
  of error: FormatError, in bytes: ByteView
) throws {
  try expect(!error.reason.isEmpty, "an error without a reason")
  try expect(
    !error.description.utf8.contains(0x0A) || bytes.contains(0x0A), "an error of two lines")
  if let line = error.line { try expect((1...bytes.count + 1).contains(line), "line \(line)") }
  // A byte that is not UTF-8 becomes three.
  if let column = error.column {
    try expect((1...3 * bytes.count + 2).contains(column), "column \(column)")
  }
}

/// Reads lines, of which each comes to exactly one thing.
private func expectSoundLines(
  _ bytes: ByteView, _ format: LogFormat
) throws {
  for keepsAll in [true, false] {
    var options = IngestOptions()
    options.keepsAll = keepsAll
    options.trustsForwarded = bytes.count % 3 == 0
    var interpreter = LineInterpreter(format: format, options: options, isForFewLines: true)
    var exchanges: [Exchange] = []
    var used: UInt64 = 0
    for (index, line) in bytes.lines.enumerated() {
      // A copy of its own, so that reading beyond it is found.
      let copy = Array(line)
      let outcome = copy.withByteView { buffer -> LineInterpreter.Outcome in
        interpreter.read(
          buffer, buffer.count, source: "fuzz@0", number: UInt64(index + 1), keepsAll: keepsAll,
          into: &exchanges)
      }
      switch outcome {
      case .used: used += 1
      case .skipped(let kind), .unreadable(let kind):
        try expect(!kind.isEmpty, "a line without a kind")
      }
    }
    let counts = interpreter.counts
    try expectEqual(counts.used, used, "lines used")
    try expectEqual(counts.used, UInt64(exchanges.count) + counts.passedOver, "exchanges kept")
    try expect(!keepsAll || counts.passedOver == 0, "an exchange passed over although all are kept")
    if used > 0 { try expect(interpreter.earliest != nil, "a used line without a time") }
    for exchange in exchanges { try expectStable(exchange) }
  }
}

/// Lines, patterns and configurations to begin with.
enum LogSeeds {
  /// A byte that chooses a shape, and a JSON text of it.
  static func texts() throws -> [[UInt8]] {
    let object = #"{"time":"2026-11-23T18:54:34Z","method":"PUT","uri":"/a?b={[\"","status":200}"#
    return [
      [0] + Array("[\n  \(object),\n  \(object)\n]".utf8),
      [1] + Array("{\n  \"a\": [{\"b\": 1}]\n}\n{\n  \"a\": \"\n{\"c\": 2}\n".utf8),
      [2] + Array(#"{"x":[1,"]"],"Records":[\#(object),\#(object)],"n":null}"#.utf8),
    ]
  }

  static let line = Array(
    (#"203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] "GET /a HTTP/1.1" 200 5 "-" "x""#).utf8)

  static func lines() throws -> [[UInt8]] {
    let names = ["h2-combined", "h2-cors", "h2-json", "http1-combined", "http1-cors", "http1-json"]
    return try names.flatMap { try Samples.lines("Tests/AccessLogTests/Lines/\($0).log", 3) }
      + Samples.lines("SampleCaptures/release-header.log.gz", 4) + [line]
      + [
        #"api.example:443 203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] "GET /a HTTP/1.1" 200 5"#,
        #"2026-11-23T18:54:34Z method=OPTIONS path=/a status=204 origin="https://a.example""#,
        #"{"ts":1795460074.9,"request":{"method":"GET","host":"a","uri":"/"},"status":200}"#,
        #"2026-11-23T18:54:34.9Z stdout F {"method":"GET","uri":"/a","status":200}"#,
        #"Nov 23 18:54:34 web-1 app[7]: {"method":"GET","uri":"/a","status":200}"#,
        "\0\0\0203.0.113.9 - - [23/Nov/2026:18:54:34 +0000] \"GET /a\0\0203.0.113.9 - - []",
        "[\n{\"time\":\"2026-11-23T18:54:34Z\",\"method\":\"GET\",\"uri\":\"/a\",\"status\":200}\n]",
      ].map { Array($0.utf8) }
  }

  /// Each line under each format, as the target `access-log` reads them.
  static func linesOfFormats() throws -> [[UInt8]] {
    let lines = try lines()
    return LogFormat.all.indices.flatMap { index in
      lines.enumerated().filter { ($0.offset + index) % 3 == 0 }.map { [UInt8(index)] + $0.element }
    }
  }

  /// A pattern, a zero, and a line of it.
  static func patterns() throws -> [[UInt8]] {
    let nginx =
      #"$remote_addr [$time_local] $msec $request_time "$request" $status "$http_origin" $host"#
    let matching =
      #"192.0.2.1 [23/Nov/2026:18:54:34 +0000] 1795460074.930 0.001 "GET /a HTTP/1.1" 200 "-" a"#
    let apache = #"%h %l %u %t \"%r\" %>s %b \"%{Origin}i\" %{%Y-%m-%dT%T}t.%{usec_frac}t %D"#
    return [
      Array("\(nginx)\0\(matching)\n".utf8), Array(apache.utf8) + [0] + line + [0x0A],
      Array("log_format x escape=json '\(nginx)';\0\(matching)".utf8),
      Array(#"{"t":$msec,"r":"$request","s":$status,"o":"$http_origin"}"#.utf8),
      Array("combined\0".utf8) + line, Array("auto".utf8),
    ]
  }

  static func configurations() throws -> [[UInt8]] {
    try [
      Samples.bytes("SampleCaptures/nginx-cors.conf"),
      Array(
        (#"map $http_cookie $c { "" 0; default 1; } log_format a escape=json '$msec "$request" '"#
          + "'$status $c'; # comment\nhttp { log_format b \"${time_local} $request $status\"; }")
          .utf8
      ),
      Array(
        (#"LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Origin}i\"" cors"# + "\n"
          + #"CustomLog logs/a "%t \"%r\" %s" env=x"# + "\n").utf8),
    ]
  }

  static func stamps() throws -> [[UInt8]] {
    [
      "23/Nov/2026:18:54:34 +0100", "[23/Nov/2026:18:54:34.123 -0000]",
      "2026-11-23T18:54:34.930123Z", "2026-11-23 18:54:34,9+01:00", "1795460074.930",
      "1795460074930", "261123185434", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00Z",
      "-9223372036.854775808", "Nov 23 18:54:34",
    ].map { Array($0.utf8) }
  }
}
