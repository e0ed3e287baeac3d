import Bytes
import Foundation
import TestSupport
import Testing

/// What the fuzz targets promise, on their seeds, on mutations of them, and on all that was found.
@Suite("Fuzz targets")
struct FuzzTargetTests {
  static let names = FuzzTarget.all.map(\.name)
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

  private func run(_ target: FuzzTarget, _ bytes: [UInt8], _ what: String) {
    do {
      try bytes.withByteView { try target.run($0) }
    } catch {
      Issue.record("\(target.name), \(what): \(error)")
    }
  }

  @Test("every target has seeds, a name of its own, and the dictionary that it names")
  func complete() throws {
    #expect(Set(Self.names).count == Self.names.count)
    for target in FuzzTarget.all {
      #expect(try !target.seeds().isEmpty, "\(target.name)")
      if let dictionary = target.dictionary {
        let file = Self.folder.appendingPathComponent("Dictionaries/\(dictionary).dict")
        #expect(FileManager.default.fileExists(atPath: file.path), "\(file.path)")
      }
    }
  }

  @Test("what holds of every input holds of the seeds and of their prefixes", arguments: names)
  func seeds(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    for (index, seed) in try target.seeds().enumerated() {
      run(target, seed, "seed \(index)")
      for length in stride(from: 0, to: seed.count, by: max(1, seed.count / 24)) {
        run(target, Array(seed.prefix(length)), "seed \(index), first \(length) bytes")
      }
    }
  }

  @Test("it holds of mutated seeds", arguments: names)
  func mutations(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    var generator = SeededGenerator(seed: 11)
    let seeds = try target.seeds().filter { !$0.isEmpty }
    for round in 0..<120 {
      var bytes = generator.pick(seeds)
      for _ in 0...generator.number(below: 4) { bytes = bytes.mutated(&generator) }
      run(target, bytes, "mutation \(round)")
    }
  }

  @Test("it holds of everything that ever broke it", arguments: names)
  func fixtures(name: String) throws {
    let target = try #require(FuzzTarget.named(name))
    let folder = Self.folder.appendingPathComponent("Fixtures/\(name)")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for file in files.sorted() {
      let bytes = try [UInt8](Data(contentsOf: folder.appendingPathComponent(file)))
      run(target, bytes, file)
    }
  }

  @Test("every fixture belongs to a target")
  func noStrayFixtures() throws {
    let folder = Self.folder.appendingPathComponent("Fixtures")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(names.filter { !$0.hasPrefix(".") && $0 != "README.md" }).isSubset(of: Self.names))
  }
}
