import HTTPExchange
import Testing

@Suite("Records of many inputs")
struct BoundedSourcesTests {
  private func record(_ number: Int, _ change: (inout SourceRecord) -> Void = { _ in })
    -> SourceRecord
  {
    var record = SourceRecord(input: "\(number).log", digest: "0123456789ab", kind: "log")
    record.read = 3
    record.used = 1
    record.skip("blank-line")
    record.skip("cut-line")
    record.addDamage(.init(offset: 7, what: "the input ends inside a line"))
    change(&record)
    return record
  }

  @Test("as many as the limit are kept as they are, and further ones are added up")
  func number() throws {
    var sources = BoundedSources()
    let count = BoundedSources.maximumRecords + 100
    for number in 0..<count { sources.add(record(number)) }
    let records = sources.records
    #expect(records.count == BoundedSources.maximumRecords + 1)
    #expect(records.first == record(0))
    let last = try #require(records.last)
    #expect(last.input == BoundedSources.addedUpName)
    #expect(last.read == 300 && last.used == 100)
    #expect(last.skipped == ["blank-line": 100, "cut-line": 100])
    #expect(last.damageCount == 100 && last.notes["inputs-added-up"] == 100)
    #expect(last.read == last.used + last.skipped.values.reduce(0, +))
  }

  @Test("records that are large are bounded by their bytes, and their kinds by number and length")
  func size() throws {
    var sources = BoundedSources()
    let long = String(repeating: "x", count: 1 << 20)
    for number in 0..<200 {
      sources.add(
        record(number) { record in
          record.warnings = [long]
          record.skip("kind-\(number)", 5)
          record.skip(long + String(number), 2)
        })
    }
    let records = sources.records
    #expect(records.reduce(0) { $0 + $1.approximateBytes } <= BoundedSources.maximumBytes + 1 << 16)
    let last = try #require(records.last)
    #expect(last.skipped.count <= 65 && last.skipped.keys.allSatisfy { $0.utf8.count <= 64 })
    let sum = records.reduce(0) { $0 + $1.skipped.values.reduce(0, +) }
    #expect(sum == 200 * 9)
  }

  @Test("counts that cannot be added stay at the highest")
  func saturation() {
    var sum = record(1) { $0.bytes = .max - 1 }
    sum.absorb(record(2) { $0.bytes = 5 })
    #expect(sum.bytes == .max)
  }
}

@Suite("How far a source has come")
struct SourceProgressTests {
  private func reached(_ days: [Double]) -> (Double, UInt64) {
    var progress = SourceProgress()
    for day in days {
      progress.see(EventTime(nanoseconds: Int64(day * 86_400_000_000_000)))
    }
    return (Double(progress.reached?.nanoseconds ?? -1) / 86_400_000_000_000, progress.leaps)
  }

  @Test("a stamp far ahead of its neighbours is set aside and counted, wherever it stands")
  func lone() {
    #expect(reached([100, 100.1, 9000, 100.2]) == (100.2, 1))
    #expect(reached([100, 9000, 100.1, 9000, 100.2]) == (100.2, 2))
    #expect(reached([9000, 100, 100.1]) == (100.1, 1))
    #expect(reached([100, 100.1, 9000]) == (100.1, 0))
  }

  @Test("a leap that the next stamp confirms is believed, as are quiet days")
  func confirmed() {
    #expect(reached([100, 103, 103.1, 103.2]) == (103.2, 0))
    #expect(reached([100, 102, 104, 106, 108]) == (108, 0))
    #expect(reached([100, 100.5, 101, 101.9]) == (101.9, 0))
  }

  @Test("stamps at both ends of what can be told do not overflow")
  func extremes() {
    var progress = SourceProgress()
    progress.see(EventTime(nanoseconds: .min))
    progress.see(EventTime(nanoseconds: .max))
    #expect(progress.reached == EventTime(nanoseconds: .min))
    progress.see(EventTime(nanoseconds: .max))
    #expect(progress.reached == EventTime(nanoseconds: .max))
  }
}
