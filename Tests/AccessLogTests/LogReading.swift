import Foundation
import HTTPExchange
import InputBytes
import Testing

@testable import AccessLog

/// What came of reading a log to its end.
struct LogReading {
  var exchanges: [Exchange] = []
  var record: SourceRecord
  var watermarks: [EventTime] = []

  /// Reads bytes as a file of a format.
  init(_ bytes: [UInt8], _ format: LogFormat, keepsAll: Bool = true, zone: Int = 0) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("access-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("access.log")
    try Data(bytes).write(to: file)
    try self.init(path: file.path, format, keepsAll: keepsAll, zone: zone)
  }

  init(
    path: String, _ format: LogFormat, choice: FormatChoice? = nil, keepsAll: Bool = true,
    zone: Int = 0
  ) throws {
    var options = IngestOptions()
    options.keepsAll = keepsAll
    options.secondsFromUTC = zone
    let reader = LogReader(
      input: try ByteInput(path: path, skipsNULs: true), format: format, choice: choice,
      options: options)
    while let batch = reader.nextBatch() {
      exchanges += batch.exchanges
      watermarks.append(batch.watermark)
    }
    record = reader.record
  }

  /// Whether every line and every exchange is counted exactly once.
  var addsUp: Bool {
    record.read == record.used + record.skipped.values.reduce(0, +)
      && record.exchanges == record.used
      && record.exchanges == UInt64(exchanges.count) + record.passedOver.values.reduce(0, +)
  }
}

/// Reads one line of a pattern as given on the command line.
func exchange(_ line: String, _ pattern: String, zone: Int = 0) throws -> Exchange? {
  try exchange(Array(line.utf8), pattern, zone: zone)
}

func exchange(_ line: [UInt8], _ pattern: String, zone: Int = 0) throws -> Exchange? {
  guard case .format(let format) = try FormatChoice(argument: pattern) else { return nil }
  return try LogReading(line + [0x0A], format, zone: zone).exchanges.first
}

/// Real lines that stand beside the tests: of requests of browsers, the same in three formats.
enum BrowserLines {
  static func bytes(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try [UInt8](Data(contentsOf: folder.appendingPathComponent("Lines/\(name).log")))
  }

  static let configuration = #"""
    map $http_cookie $has_cookie { "" 0; default 1; }
    map $http_authorization $has_authorization { "" 0; default 1; }
    log_format cors '$remote_addr [$time_iso8601] $msec $request_time $scheme://$host:$server_port '
      '"$request" $status $body_bytes_sent '
      'origin="$http_origin" acrm="$http_access_control_request_method" '
      'acrh="$http_access_control_request_headers" fetch-mode="$http_sec_fetch_mode" '
      'fetch-site="$http_sec_fetch_site" fetch-dest="$http_sec_fetch_dest" '
      'cookie=$has_cookie authorization=$has_authorization '
      'acao="$sent_http_access_control_allow_origin" '
      'acam="$sent_http_access_control_allow_methods" '
      'acah="$sent_http_access_control_allow_headers" '
      'acac="$sent_http_access_control_allow_credentials" '
      'max-age="$sent_http_access_control_max_age" '
      'expose="$sent_http_access_control_expose_headers" '
      'vary="$sent_http_vary" location="$sent_http_location" ua="$http_user_agent" '
      'rid=$request_id';
    log_format json escape=json
      '{"msec":$msec,"time":"$time_iso8601","remote_addr":"$remote_addr",'
      '"request_time":$request_time,"scheme":"$scheme","host":"$host",'
      '"server_port":"$server_port","protocol":"$server_protocol","method":"$request_method",'
      '"uri":"$request_uri","status":$status,"bytes":$body_bytes_sent,"origin":"$http_origin",'
      '"acrm":"$http_access_control_request_method",'
      '"acrh":"$http_access_control_request_headers","sec_fetch_mode":"$http_sec_fetch_mode",'
      '"sec_fetch_site":"$http_sec_fetch_site","sec_fetch_dest":"$http_sec_fetch_dest",'
      '"has_cookie":$has_cookie,"has_authorization":$has_authorization,'
      '"acao":"$sent_http_access_control_allow_origin",'
      '"acam":"$sent_http_access_control_allow_methods",'
      '"acah":"$sent_http_access_control_allow_headers",'
      '"acac":"$sent_http_access_control_allow_credentials",'
      '"max_age":"$sent_http_access_control_max_age",'
      '"expose":"$sent_http_access_control_expose_headers","vary":"$sent_http_vary",'
      '"location":"$sent_http_location","referer":"$http_referer","ua":"$http_user_agent",'
      '"request_id":"$request_id"}';
    """#
}

/// A generator whose numbers are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
