internal import HTTPExchange

/// Which field of a layout plays which part; -1 where none does.
struct FieldRoles {
  var client = -1
  var clientHasPort = false
  var peer = -1
  var forwardedChain = -1
  var requestLine = -1
  var method = -1
  var target = -1
  var path = -1
  var route = -1
  var query = -1
  var arguments = -1
  var httpVersion = -1
  var scheme = -1
  var hostHeader = -1
  var host = -1
  var serverName = -1
  var port = -1
  var status = -1
  var firstStatus = -1
  var duration = -1
  var durationUnit: Int64 = 1
  var wait = -1
  var receive = -1
  var partUnit: Int64 = 1
  var userAgent = -1
  var requestID = -1
  var origin = -1
  var secFetchSite = -1
  var requestBlock = -1
  var requestShape = BlockShape(spelling: .object, isWhole: false)
  var responseBlock = -1
  var responseShape = BlockShape(spelling: .object, isWhole: false)
  var tls = -1
  var frontend = -1
  var identityOrHost = -1
  var internalRequest = -1
  var browserError = -1
  var lineCounts: [(field: Int, name: HeaderName)] = []
  /// Fields that are cut at so many bytes.
  var limits: [(field: Int, name: HeaderName, isRequest: Bool, bytes: Int)] = []
  /// Fields that forwarding hops write.
  var forwarding: [Int] = []
  /// The stamps of each end, the finest first.
  var starts: [(field: Int, form: StampForm)] = []
  var ends: [(field: Int, form: StampForm)] = []
  /// By how many nanoseconds at most the stamps are late.
  var lateness: Int64 = 0
  /// Whether it is known of which end the stamps are.
  var hasFirmStamps = false
  var requestFields: [(field: Int, name: HeaderName, isFlag: Bool, kind: ValueKind)] = []
  var responseFields: [(field: Int, name: HeaderName, kind: ValueKind)] = []
  var requestCoverage: Coverage = .only([:])
  var responseCoverage: Coverage = .only([:])
  /// The fields up to here decide whether the exchange is kept; all when it cannot be decided early.
  var decisive = Int.max
  /// A stamp among those, for the span of the log.
  var early: (field: Int, form: StampForm, isStart: Bool)?

  /// Whether a line has a time.
  private(set) var tellsTime = false

  /// Whether a line tells what was asked for.
  var tellsRequest: Bool {
    requestLine >= 0 || route >= 0 || (method >= 0 && (target >= 0 || path >= 0))
  }

  /// Whether a line can become an exchange by itself: a time, and a request.
  var isSufficient: Bool { tellsTime && tellsRequest }

  /// - Parameters:
  ///   - repeats: which lines the server prints of a repeated field; `nil` where the escaping says it.
  ///   - limits: for each field the bytes at which its value is cut; nothing where none is.
  init(
    _ meanings: [FieldMeaning], escaping: Escaping, repeats: Repeats? = nil, limits: [Int] = []
  ) {
    var request: [HeaderName: Fidelity] = [:]
    var response: [HeaderName: Fidelity] = [:]
    func take(_ place: inout Int, _ index: Int) {
      if place < 0 { place = index }
    }
    // Beside a stamp whose end is known, one whose end is not would only be taken for the wrong one.
    let hasFirm = meanings.contains {
      if case .stamp(let stamp) = $0 { stamp.isFirm } else { false }
    }
    hasFirmStamps = hasFirm
    for (index, meaning) in meanings.enumerated() {
      switch meaning {
      case .ignored: break
      case .stamp(let stamp) where hasFirm && !stamp.isFirm: break
      case .client: take(&client, index)
      case .clientAndPort:
        clientHasPort = client < 0
        take(&client, index)
      case .peer: take(&peer, index)
      case .forwardedChain: take(&forwardedChain, index)
      case .requestLine: take(&requestLine, index)
      case .method: take(&method, index)
      case .target: take(&target, index)
      case .path: take(&path, index)
      case .route: take(&route, index)
      case .query: take(&query, index)
      case .arguments: take(&arguments, index)
      case .httpVersion: take(&httpVersion, index)
      case .scheme: take(&scheme, index)
      case .hostHeader: take(&hostHeader, index)
      case .host: take(&host, index)
      case .serverName: take(&serverName, index)
      case .port: take(&port, index)
      case .status: take(&status, index)
      case .firstStatus: take(&firstStatus, index)
      case .stamp(let stamp):
        lateness = max(lateness, stamp.lateness)
        if stamp.isStart {
          starts.append((index, stamp.form))
        } else {
          ends.append((index, stamp.form))
        }
      case .duration(let unit):
        if duration < 0 || unit < durationUnit {
          duration = index
          durationUnit = unit
        }
      case .wait(let unit):
        partUnit = unit
        take(&wait, index)
      case .receive(let unit):
        partUnit = unit
        take(&receive, index)
      case .userAgent: take(&userAgent, index)
      case .requestID: take(&requestID, index)
      case .requestBlock(let shape):
        take(&requestBlock, index)
        requestShape = shape
      case .responseBlock(let shape):
        take(&responseBlock, index)
        responseShape = shape
      case .lineCount(let name): lineCounts.append((index, name))
      case .tls: take(&tls, index)
      case .frontend: take(&frontend, index)
      case .identityOrHost: take(&identityOrHost, index)
      case .browserError: take(&browserError, index)
      case .internalRequest: take(&internalRequest, index)
      case .requestHeader(let name):
        if name == .xRequestID { take(&requestID, index) }
        guard name.isKeptInRequests, request[name] == nil else { break }
        switch name {
        case .origin: origin = index
        case .secFetchSite: secFetchSite = index
        case .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort:
          forwarding.append(index)
        default: break
        }
        request[name] = escaping.fidelity(ofRequest: name, repeats)
        if limits.indices.contains(index), limits[index] > 0 {
          self.limits.append((index, name, true, limits[index]))
        }
        requestFields.append((index, name, false, ValueKind(request: name)))
      case .presence(let name):
        guard request[name] == nil else { break }
        request[name] = .presence
        requestFields.append((index, name, true, .plain))
      case .responseHeader(let name):
        guard name.isKeptInResponses, response[name] == nil else { break }
        response[name] = escaping.fidelity(ofResponse: name, repeats)
        if limits.indices.contains(index), limits[index] > 0 {
          self.limits.append((index, name, false, limits[index]))
        }
        responseFields.append((index, name, ValueKind(response: name)))
      }
    }
    if status < 0 { status = firstStatus }
    starts = Self.finestFirst(starts)
    ends = Self.finestFirst(ends)
    tellsTime = !(starts.isEmpty && ends.isEmpty)
    requestCoverage = .only(request)
    responseCoverage = .only(response)
    // Where values can forge fields, the whole line is looked at first.
    if origin >= 0, !escaping.isUnescaped {
      decisive = max(origin, status, method >= 0 ? method : requestLine)
      let stamps =
        ends.map { (field: $0.field, form: $0.form, isStart: false) }
        + starts.map { (field: $0.field, form: $0.form, isStart: true) }
      early = stamps.first { $0.field <= decisive } ?? stamps.first
      if let early { decisive = max(decisive, early.field) }
    }
  }

  private static func finestFirst(
    _ stamps: [(field: Int, form: StampForm)]
  ) -> [(field: Int, form: StampForm)] {
    stamps.enumerated().sorted {
      ($0.element.form.coarseness, $0.offset) < ($1.element.form.coarseness, $1.offset)
    }.map(\.element)
  }
}

extension StampForm {
  /// Less for forms that are likely to tell more of the second.
  fileprivate var coarseness: Int {
    switch self {
    case .epoch(let unit): unit < 1_000_000_000 ? 0 : 1
    case .items(let items):
      items.contains { if case .fraction = $0 { true } else { false } } ? 0 : 3
    case .iso, .isoUTC, .isoOf, .any: 2
    case .clf, .dateAndTime, .timeOfDay: 3
    }
  }
}
