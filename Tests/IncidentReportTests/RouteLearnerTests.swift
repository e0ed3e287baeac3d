import FetchCORS
import HTTPExchange
import Testing

@testable import IncidentReport

/// Routes of a report's incidents.
private func routes(_ calls: [CallBuilder]) throws -> [String: Int] {
  let outputs = try Outputs.of(calls.enumerated().map { $1.at(Int64($0)).call })
  let json = try SchemaCheck.read(outputs.text(.summary).utf8)
  var routes: [String: Int] = [:]
  for incident in json["incidents"]?.elements ?? [] {
    for member in incident["routes"]?.members ?? [] {
      routes[member.name, default: 0] += Int(member.value.integer ?? 0)
    }
  }
  return routes
}

private let blocked = CallBuilder.responseFailure(502, .missingAllowOriginHeader)

private func names(_ count: Int) -> [String] {
  let first = ["red", "blue", "old", "small", "wild", "soft", "grey", "odd", "warm", "late"]
  let last = [
    "shoe", "lamp", "chair", "ring", "coat", "bowl", "desk", "rope", "vase", "sock", "tent",
  ]
  return (0..<count).map {
    first[$0 % 10] + "-" + last[$0 / 10 % 11] + ($0 < 110 ? "" : "-\($0 / 110)")
  }
}

@Test("names that change with every call are one route")
func namesAreLearned() throws {
  let calls = names(100).map { name in
    blocked.with { $0.url = "https://api.example/products/\(name)/price" }
  }
  #expect(try routes(calls) == ["/products/{name}/price": 100])
}

@Test("words of the interface stay as they are, however many there are")
func wordsStay() throws {
  let words = Array("abcdefghijklmnopqrstuvwxyzABCD").map { "service\($0)" }
  let calls = (0..<20).flatMap { _ in
    words.map { word in blocked.with { $0.url = "https://api.example/v1/\(word)/list" } }
  }
  let found = try routes(calls)
  #expect(found.count == 30)
  #expect(found["/v1/servicea/list"] == 20)
}

@Test("a route with many calls keeps its name beside what a scanner tries")
func scannersHideNothing() throws {
  let orders = (0..<200).map { index in
    blocked.with { $0.url = "https://api.example/orders?page=\(index)" }
  }
  let tried = names(80).map { name in blocked.with { $0.url = "https://api.example/\(name)" } }
  var mixed: [CallBuilder] = []
  for index in 0..<200 {
    mixed.append(orders[index])
    if index < 80 { mixed.append(tried[index]) }
  }
  #expect(try routes(mixed) == ["/orders": 200, "/{name}": 80])
}

@Test("hosts learn by themselves, and identifiers by their form are no names")
func hostsAreApart() throws {
  let one = names(60).map { name in blocked.with { $0.url = "https://api.example/u/\(name)" } }
  let two = (0..<60).map { index in blocked.with { $0.url = "https://b.example/u/\(index)" } }
  let three = ["me", "all"].map { name in blocked.with { $0.url = "https://b.example/u/\(name)" } }
  #expect(
    try routes(one + two + three) == ["/u/{name}": 60, "/u/{id}": 60, "/u/me": 1, "/u/all": 1])
}

@Test("what is learned is bounded, and what is not learned is still counted")
func learningIsBounded() throws {
  let builder = ReportBuilder(options: ReportOptions(maximumRoutes: 64))
  let all = names(5000)
  for index in 0..<5000 {
    let path = "/a\(index % 7)/" + all[index] + "/x"
    try builder.add(blocked.at(Int64(index)).with { $0.url = "https://api.example" + path }.call)
  }
  var files: [ReportFile: [UInt8]] = [:]
  try builder.finish { files[$0, default: []].append(contentsOf: $1) }
  let json = try SchemaCheck.read(files[.summary] ?? [])
  let calls = (json["incidents"]?.elements ?? []).reduce(0) { $0 + ($1["calls"]?.integer ?? 0) }
  #expect(calls == 5000)
}
