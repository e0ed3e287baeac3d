/// A number of elements that never changes, in memory of their own, every access to which is checked.
///
/// Unlike an array it is one object however often it is handed on, an element is changed in place
/// without a look at who else holds it, and the memory never moves.
@safe
public final class FixedTable<Element> {
  @usableFromInline let elements: UnsafeMutablePointer<Element>
  /// How many elements there are.
  public let count: Int

  /// So many equal elements.
  @inlinable
  public init(repeating element: Element, count: Int) {
    precondition(count >= 0)
    self.count = count
    // Owned by this object alone, and freed with it.
    unsafe elements = .allocate(capacity: count)
    unsafe elements.initialize(repeating: element, count: count)
  }

  /// The elements of an array.
  @inlinable
  public convenience init(_ content: [Element]) where Element: BitwiseCopyable {
    guard let first = content.first else {
      preconditionFailure("a table without elements has no use")
    }
    self.init(repeating: first, count: content.count)
    for index in content.indices { self[index] = content[index] }
  }

  deinit {
    // All of them were initialised above.
    unsafe elements.deinitialize(count: count)
    unsafe elements.deallocate()
  }

  /// The element at an index from 0 to ``count``; any other ends the program.
  @inlinable
  public subscript(index: Int) -> Element {
    @inline(__always)
    unsafeAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      return unsafe UnsafePointer(elements + index)
    }
    @inline(__always)
    unsafeMutableAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      return unsafe elements + index
    }
  }
}
