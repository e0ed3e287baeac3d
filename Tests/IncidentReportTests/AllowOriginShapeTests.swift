import HTTPExchange
import Testing

@testable import IncidentReport

/// What the lines of `Access-Control-Allow-Origin` are taken for.
@Suite struct AllowOriginShapeTests {
  private static let app = "https://app.example"

  static let lists: [(String, Fidelity, AllowOriginShape)] = [
    ("\(app), \(app)", .joined, .joinedLines), ("\(app),*", .joined, .joinedLines),
    ("*, *", [.joined, .absentOrEmpty], .joinedLines),
    ("\(app), https://b.example", .joined, .list), ("\(app) \(app)", .joined, .list),
    ("\(app), \(app)", .exact, .list), ("\(app),*", .firstLine, .list),
    (app, .joined, .same), ("*", .joined, .wildcard),
  ]

  @Test(
    "a list of a log that joins lines was made by two layers where nobody would write it",
    arguments: lists)
  func joined(value: String, fidelity: Fidelity, shape: AllowOriginShape) {
    let response = MessageEvidence(
      coverage: .only([.accessControlAllowOrigin: fidelity]),
      fields: [HeaderField(.accessControlAllowOrigin, value)])
    #expect(AllowOriginShape(response, origin: Self.app, host: nil) == shape)
  }
}
