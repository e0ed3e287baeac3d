#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

extension ByteView {
  /// Writes all of the bytes, however many calls that takes.
  ///
  /// - Returns: the error number of the system, or 0.
  public func write(to descriptor: Int32) -> Int32 {
    var rest = self
    while !rest.isEmpty {
      let count = unsafe rest.withUnsafeBytes {
        #if canImport(Glibc)
          unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
        #elseif canImport(Musl)
          unsafe Musl.write(descriptor, $0.baseAddress, $0.count)
        #else
          unsafe Darwin.write(descriptor, $0.baseAddress, $0.count)
        #endif
      }
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = rest.from(count)
    }
    return 0
  }
}

/// What the system says of an error number, as the end of a sentence.
public func systemReason(_ error: Int32) -> String {
  // The C library returns a text that ends and that it keeps.
  unsafe String(cString: strerror(error)).lowercased()
}
