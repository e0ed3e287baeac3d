import Testing

@testable import IncidentReport

@Suite("Views as the template library gets them")
struct ViewMembersTests {
  private struct Inner: Encodable {
    var label: String
    var isMarked: Bool
  }

  private struct View: Encodable {
    var title: String
    var rank: Int
    var missing: String?
    var given: String?
    var notes: [String]
    var inner: Inner
    var absent: Inner?
    var rows: [Inner]
    var none: [Inner] = []
  }

  @Test("every member has its name, and one that is absent has none")
  func members() throws {
    let view = View(
      title: "<b>", rank: 7, missing: nil, given: "yes", notes: ["a", "b"],
      inner: Inner(label: "in", isMarked: true), absent: nil,
      rows: [Inner(label: "x", isMarked: false), Inner(label: "y", isMarked: true)])
    let members = try #require(ViewMembers.of(view) as? [String: Any])
    #expect(
      members.keys.sorted() == ["given", "inner", "none", "notes", "rank", "rows", "title"])
    #expect(members["title"] as? String == "<b>")
    #expect(members["rank"] as? String == "7")
    #expect(members["notes"] as? [String] == ["a", "b"])
    #expect((members["inner"] as? [String: Any])?["isMarked"] as? Bool == true)
    let rows = try #require(members["rows"] as? [[String: Any]])
    #expect(rows.map { $0["label"] as? String } == ["x", "y"])
    #expect((members["none"] as? [Any])?.isEmpty == true)
  }

  @Test("a view weighs what its texts take in the page, escaped")
  func weight() {
    let short = HTMLText.weight(of: Inner(label: "abc", isMarked: true))
    let long = HTMLText.weight(of: Inner(label: "ab<", isMarked: true))
    #expect(long == short + 3)
    #expect(HTMLText.weight(of: [Inner(label: "abc", isMarked: true)]) == short + 40)
  }
}
