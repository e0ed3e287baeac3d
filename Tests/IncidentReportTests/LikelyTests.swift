import Bytes
import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

private let undetermined = CallBuilder().with {
  $0.verdict = .undetermined
  $0.phase = nil
  $0.reason = nil
}

private let loneOptions = undetermined.with {
  $0.kind = .preflightOnly
  $0.method = "PUT"
  $0.response = nil
  $0.missing = ["actual-request"]
  $0.preflight = (204, [("access-control-allow-origin", "https://app.example")])
}

private let wildcard = undetermined.with {
  $0.missing = ["credentials"]
  $0.response = (200, [("access-control-allow-origin", "*")])
  $0.worlds = [
    WorldOutcome(
      assuming: ["credentials=include"], verdict: .blocked, phase: .response,
      reason: .wildcardOriginNotAllowed),
    WorldOutcome(assuming: ["credentials=not-include"], verdict: .allowed),
  ]
}

private let formPost = undetermined.with {
  $0.method = "POST"
  $0.mode = .unknown
  $0.missing = ["request-mode"]
  $0.worlds = [
    WorldOutcome(
      assuming: ["mode=cors"], verdict: .blocked, phase: .response,
      reason: .missingAllowOriginHeader),
    WorldOutcome(assuming: ["mode=no-cors"], verdict: .allowed),
  ]
}

struct LikelyCase {
  var name: String
  var calls: [CallBuilder]
  /// How the text for the first call begins; `nil` when there is none.
  var likely: String?

  static let all = [
    LikelyCase(
      name: "an OPTIONS that an error answered",
      calls: [loneOptions.with { $0.preflight = (403, []) }],
      likely: "blocked: the preflight was answered with 403"),
    LikelyCase(name: "one preflight that nothing followed", calls: [loneOptions], likely: nil),
    LikelyCase(
      name: "preflights that nothing ever follows",
      calls: [loneOptions, loneOptions, loneOptions], likely: "blocked: 3 preflights"),
    LikelyCase(
      name: "a preflight that nothing followed, where others passed",
      calls: [loneOptions, .allowedPreflighted], likely: "allowed: 1 other call"),
    LikelyCase(name: "a wildcard alone", calls: [wildcard], likely: nil),
    LikelyCase(
      name: "a wildcard where the page sends cookies to the host",
      calls: [
        wildcard,
        CallBuilder.allowed.with {
          $0.credentials = .include
          $0.url = "https://api.example/other"
        },
      ], likely: "blocked: 1 other call of this page to this host carried credentials"),
    LikelyCase(
      name: "a wildcard where no call carries credentials",
      calls: [wildcard, .allowed, .allowed], likely: "allowed: none of 3 calls"),
    LikelyCase(
      name: "a preflight with a wildcard that nothing followed",
      calls: [
        loneOptions.with {
          $0.worlds = wildcard.worlds
          $0.missing = ["actual-request", "credentials"]
        }
      ],
      likely: "blocked: nothing followed the preflight"),
    LikelyCase(name: "a form post alone", calls: [formPost], likely: nil),
    LikelyCase(
      name: "a post where the route is called in cors mode",
      calls: [formPost, .allowed], likely: "blocked: 1 other call"),
  ]
}

@Test("what is likely is said with its reason", arguments: LikelyCase.all.map(\.name))
func likelyIsSaid(_ name: String) throws {
  let example = try #require(LikelyCase.all.first { $0.name == name })
  let calls = example.calls.enumerated().map { $1.at(Int64($0)).call }
  let outputs = try Outputs.of(calls, options: ReportOptions(writesCalls: true))
  let line = try #require(outputs.text(.calls).split(separator: "\n").first)
  let record = try #require(try? CallStreamRecord(line: line))
  guard case .call(let call) = record else {
    Issue.record("no call")
    return
  }
  let rows = outputs.rows(.likelyBlocked)
  if let likely = example.likely {
    #expect(call.likely?.hasPrefix(likely) == true, "\(call.likely ?? "nothing")")
    #expect((rows.first?["likely"] == call.likely) == likely.hasPrefix("blocked"))
  } else {
    #expect(call.likely == nil)
    #expect(rows.isEmpty)
  }
  #expect(outputs.rows(.blocked).isEmpty)
  #expect(outputs.totals.blocked == 0)
}

extension CallStreamRecord {
  init(line: some StringProtocol) throws {
    self = try Array(line.utf8).withByteView { try CallStreamRecord(line: $0) }
  }
}

@Test(
  "of a log without header fields, a request that followed its preflight may have failed itself")
func plainLogPair() throws {
  let proved =
    "allowed: the request followed its preflight, which therefore passed, and 1 other call"
  for (status, others, likely) in [
    (200, [], nil), (200, [CallBuilder.allowedPreflighted.call], proved),
    (500, [CallBuilder.allowedPreflighted.call], nil),
    (200, [CallBuilder.allowedPreflighted.call, CallBuilder().call], nil),
  ] as [(Int, [Call], String?)] {
    var call = undetermined.with {
      $0.kind = .preflighted
      $0.method = "PUT"
      $0.preflight = (204, [])
      $0.response = (status, [])
      $0.missing = ["access-control-allow-origin"]
    }.call
    for index in call.exchanges.indices {
      call.exchanges[index].exchange.response = MessageEvidence(coverage: .only([:]))
    }
    let outputs = try Outputs.of([call] + others, options: ReportOptions(writesCalls: true))
    let line = try #require(outputs.text(.calls).split(separator: "\n").first)
    guard case .call(let written) = try CallStreamRecord(line: line) else { continue }
    #expect(likely.map { written.likely?.hasPrefix($0) == true } ?? (written.likely == nil))
  }
}

/// A call of a log that tells no origin, of the page that its `Referer` names.
private func plain(_ builder: CallBuilder) -> Call {
  var call = builder.call
  for index in call.exchanges.indices {
    call.exchanges[index].exchange.request = MessageEvidence(
      coverage: .only([.referer: .firstLine]))
    call.exchanges[index].exchange.response = MessageEvidence(coverage: .only([:]))
  }
  return call
}

@Test(
  "preflights that nothing followed are probably blocked unless most are followed, or a log is missing",
  arguments: [(12, 0, true), (13, 0, false), (0, 0, true), (0, 2, false)])
func lonelyShare(followed: Int, strays: UInt64, isBlocked: Bool) throws {
  let lonely = loneOptions.with { $0.missing = ["origin"] }
  let pair = undetermined.with {
    $0.kind = .preflighted
    $0.method = "PUT"
    $0.preflight = (204, [])
    $0.response = (200, [])
    $0.missing = ["origin"]
  }
  let calls = (0..<3).map { _ in plain(lonely) } + (0..<followed).map { _ in plain(pair) }
  let builder = ReportBuilder(options: ReportOptions(writesCalls: true))
  for call in calls { try builder.add(call) }
  var record = SourceRecord(input: "pairing", digest: "", kind: "pairing")
  record.notes = strays > 0 ? ["requests-without-preflight": strays] : [:]
  builder.add(record)
  var bytes: [UInt8] = []
  try builder.finish { file, piece in if file == .calls { bytes += piece } }
  let line = try #require(String(decoding: bytes, as: UTF8.self).split(separator: "\n").first)
  guard case .call(let call) = try CallStreamRecord(line: line) else { return }
  #expect(call.verdict == .undetermined)
  #expect((call.likely?.hasPrefix("blocked: 3 preflights") ?? false) == isBlocked)
  if isBlocked { #expect(call.likely?.hasSuffix("the one that Referer names") == true) }
}
