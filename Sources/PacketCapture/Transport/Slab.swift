/// Room for many small records of one kind, taken and given back without the allocator.
///
/// Records never move, and their memory goes back to the system with the slab only.
struct Slab<Record: BitwiseCopyable> {
  private static var pageSize: Int { 256 }

  private var pages: [UnsafeMutablePointer<Record>] = []
  private var free: [UnsafeMutablePointer<Record>] = []
  private var unused = 0

  /// Takes a record and sets it to `value`.
  mutating func take(_ value: Record) -> UnsafeMutablePointer<Record> {
    if let record = free.popLast() {
      record.initialize(to: value)
      return record
    }
    if unused == 0 {
      pages.append(.allocate(capacity: Self.pageSize))
      unused = Self.pageSize
    }
    let record = pages[pages.count - 1] + (Self.pageSize - unused)
    unused -= 1
    record.initialize(to: value)
    return record
  }

  /// Gives a record back.
  mutating func give(_ record: UnsafeMutablePointer<Record>) {
    free.append(record)
  }

  /// Frees the memory of all records.
  mutating func deallocate() {
    for page in pages { page.deallocate() }
    pages.removeAll()
    free.removeAll()
    unused = 0
  }
}
