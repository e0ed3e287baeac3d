import Foundation
import Testing

/// `LIMITS.md` lists every limit of the sources, each with tests that are there.
@Suite("The list of limits")
struct LimitListTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The Swift files of a folder, by their names without the ending.
  private static func files(_ folder: String) throws -> [String: String] {
    let start = root.appendingPathComponent(folder)
    var texts: [String: String] = [:]
    let paths = FileManager.default.enumerator(atPath: start.path)
    while let path = paths?.nextObject() as? String {
      guard path.hasSuffix(".swift") else { continue }
      let file = start.appendingPathComponent(path)
      let name = file.deletingPathExtension().lastPathComponent
      texts[name, default: ""] += try String(contentsOf: file, encoding: .utf8)
    }
    return texts
  }

  /// The cells of each row of the tables.
  private static func rows() throws -> [[String]] {
    let text = try String(contentsOf: root.appendingPathComponent("LIMITS.md"), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { line in
      line.split(separator: " |", omittingEmptySubsequences: false).dropLast().map {
        $0.trimmingCharacters(in: CharacterSet(charactersIn: "| "))
      }
    }
  }

  /// Names of constants that bound something, as `File.name`.
  private static func limits() throws -> Set<String> {
    var found: Set<String> = []
    let constant = #/static let (\w+)(?:: \w+)? = /#
    let bound = #/maximum\w+|limit|\w+Limit|batchBytes|entryBytes|textBytes|longest\w+/#
    for (file, text) in try files("Sources") {
      for match in text.matches(of: constant) {
        let name = String(match.1)
        guard file.hasSuffix("Limits") || name.wholeMatch(of: bound) != nil else { continue }
        found.insert("\(file).\(name)")
      }
    }
    // A header field.
    found.remove("HeaderName.rateLimit")
    return found
  }

  @Test("every limit stands in the list, with its reason and with what shows that it was reached")
  func complete() throws {
    let rows = try Self.rows()
    let listed = rows.map { $0[0].replacingOccurrences(of: "`", with: "") }
    #expect(Set(listed).count == listed.count)
    #expect(try Self.limits().subtracting(listed) == [])
    #expect(try Set(listed).subtracting(Self.limits()) == [])
    for row in rows {
      #expect(row.count == 5, "\(row)")
      #expect(!row[2].isEmpty && !row[3].isEmpty, "\(row[0])")
    }
  }

  @Test("every limit has tests that reach it, and they are there")
  func tests() throws {
    let files = try Self.files("Tests")
    let generator = try String(
      contentsOf: Self.root.appendingPathComponent("Benchmarks/generate-flood.c"), encoding: .utf8)
    for row in try Self.rows() where row.count == 5 {
      #expect(!row[4].isEmpty, "\(row[0])")
      for name in row[4].split(separator: ",") {
        let parts = name.trimmingCharacters(in: CharacterSet(charactersIn: "` ")).split {
          $0 == "." || $0 == " "
        }
        guard parts.count == 2 else {
          Issue.record("\(row[0]): \(name)")
          continue
        }
        let isThere =
          parts[0] == "withstand"
          ? generator.contains("{\"\(parts[1])\", ")
          : files[String(parts[0])]?.contains("func \(parts[1])(") ?? false
        #expect(isThere, "\(row[0]): \(name)")
      }
    }
  }
}
