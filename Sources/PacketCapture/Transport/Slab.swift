/// A record of a ``Slab``: whoever holds it reads and changes the one record in place.
///
/// A slab's memory stays what it is: it holds records of one type, all of them initialised, until the
/// slab goes. One that was given back is therefore the wrong record at worst, never wild memory.
@safe
struct RecordRef<Record>: Equatable {
  fileprivate let address: UnsafeMutablePointer<Record>

  @inline(__always)
  fileprivate init(_ address: UnsafeMutablePointer<Record>) {
    unsafe self.address = address
  }

  /// The record.
  var pointee: Record {
    // The address is that of an initialised record: see above.
    @inline(__always)
    unsafeAddress { unsafe UnsafePointer(address) }
    @inline(__always)
    nonmutating unsafeMutableAddress { unsafe address }
  }

  @inline(__always)
  static func == (left: Self, right: Self) -> Bool {
    unsafe left.address == right.address
  }
}

/// Two records of a ``Slab`` that belong together, such as the directions of a connection.
@safe
struct RecordPair<Record> {
  fileprivate let address: UnsafeMutablePointer<Record>

  @inline(__always)
  fileprivate init(_ address: UnsafeMutablePointer<Record>) {
    unsafe self.address = address
  }

  /// One of the records, 0 or 1; any other number ends the program.
  subscript(side: Int) -> Record {
    @inline(__always)
    unsafeAddress { unsafe UnsafePointer((self + side).address) }
    @inline(__always)
    nonmutating unsafeMutableAddress { unsafe (self + side).address }
  }

  /// One of the records, 0 or 1; any other number ends the program.
  @inline(__always)
  static func + (pair: Self, side: Int) -> RecordRef<Record> {
    precondition(side & ~1 == 0)
    // Both are there.
    return unsafe RecordRef(pair.address + side)
  }
}

/// Room for many small records of one kind, taken and given back without the allocator.
///
/// Records never move, and their memory goes back to the system with the slab only.
struct Slab<Record> {
  private let memory = Memory()
  private var free: [RecordRef<Record>] = []
  private var unused = 0

  /// Takes a record and sets it to `value`.
  mutating func take(_ value: consuming Record) -> RecordRef<Record> {
    if let record = free.popLast() {
      record.pointee = value
      return record
    }
    if unused == 0 {
      memory.addPage()
      unused = Memory.pageSize
    }
    unused -= 1
    return memory.initialise(value)
  }

  /// Gives a record back.
  ///
  /// What it owns should be gone by then; the rest goes with its next use.
  mutating func give(_ record: RecordRef<Record>) {
    free.append(record)
  }

  /// Owns the pages, which are filled from the front.
  @safe
  private final class Memory {
    static var pageSize: Int { 256 }
    private var pages: [UnsafeMutablePointer<Record>] = unsafe []
    private var used = 0

    func addPage() {
      unsafe pages.append(.allocate(capacity: Self.pageSize))
      used = 0
    }

    func initialise(_ value: consuming Record) -> RecordRef<Record> {
      unsafe precondition(used < Self.pageSize && !pages.isEmpty)
      // Within the last page, and not initialised before.
      let address = unsafe pages[pages.count - 1] + used
      unsafe address.initialize(to: value)
      used += 1
      return unsafe RecordRef(address)
    }

    deinit {
      // All pages but the last are full.
      for index in unsafe pages.indices {
        unsafe pages[index].deinitialize(count: index == pages.count - 1 ? used : Self.pageSize)
        unsafe pages[index].deallocate()
      }
    }
  }
}

extension Slab {
  /// The same room for pairs.
  struct Pairs {
    private var slab = Slab<(Record, Record)>()

    /// Takes two records and sets both to `value`.
    mutating func take(_ value: Record) -> RecordPair<Record> {
      let pair = slab.take((value, value))
      // The elements of a homogeneous tuple stand side by side.
      return unsafe RecordPair(
        UnsafeMutableRawPointer(pair.address).assumingMemoryBound(to: Record.self))
    }

    /// Gives two records back.
    mutating func give(_ pair: RecordPair<Record>) {
      // It is one that was taken.
      let address = unsafe UnsafeMutableRawPointer(pair.address)
        .assumingMemoryBound(to: (Record, Record).self)
      unsafe slab.give(Slab<(Record, Record)>.reference(address))
    }
  }

  fileprivate static func reference(_ address: UnsafeMutablePointer<Record>) -> RecordRef<Record> {
    unsafe RecordRef(address)
  }
}
