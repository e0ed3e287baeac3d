extension Array where Element == UInt8 {
  /// Calls `body` with a view of the elements, which is good until it returns.
  @inlinable
  @inline(__always)
  public func withByteView<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result {
    // The array is kept and unchanged while `body` runs.
    try unsafe withUnsafeBytes { try unsafe body(ByteView($0)) }
  }

  /// Adds the bytes of a view.
  @inlinable
  @inline(__always)
  public mutating func append(_ bytes: ByteView) {
    // The memory is read before the view can end.
    unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}

extension ArraySlice where Element == UInt8 {
  /// Calls `body` with a view of the elements, which is good until it returns.
  @inlinable
  @inline(__always)
  public func withByteView<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result {
    // The slice is kept and unchanged while `body` runs.
    try unsafe withUnsafeBytes { try unsafe body(ByteView($0)) }
  }
}

extension String {
  /// Calls `body` with a view of the text's UTF-8, which is good until it returns.
  @inlinable
  @inline(__always)
  public func withByteView<Result>(_ body: (ByteView) throws -> Result) rethrows -> Result {
    // Native strings give their bytes as they are; `withUTF8` would first copy the text if it is none.
    let result = try unsafe utf8.withContiguousStorageIfAvailable {
      try unsafe body(ByteView(UnsafeRawBufferPointer($0)))
    }
    if let result { return result }
    var copy = self
    // The copy is kept and unchanged while `body` runs.
    return try copy.withUTF8 { try unsafe body(ByteView(UnsafeRawBufferPointer($0))) }
  }
}
