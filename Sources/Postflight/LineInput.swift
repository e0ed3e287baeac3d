internal import Bytes
internal import InputBytes

/// The lines of an input of records, one at a time, with their numbers.
///
/// Only for what a stage wrote itself; access logs have a reader of their own.
struct LineInput {
  /// Bytes of the longest record that is read: an exchange of the largest header block is far less.
  static let maximumLine = 8 * 1024 * 1024

  private let input: ByteInput
  private var buffer = ByteView()
  private var position = 0
  private var isAtEnd = false
  /// The number of the line that was returned last, from 1.
  private(set) var number: UInt64 = 0

  init(_ input: ByteInput) {
    self.input = input
  }

  /// The next line without its end, valid until the next call; `nil` at the end.
  ///
  /// - Throws: the damage of the input; a line that is too long is one.
  mutating func next() throws(InputDamage) -> ByteView? {
    while true {
      let rest = buffer.from(position)
      if let end = rest.position(of: UInt8(ascii: "\n"), from: 0) {
        position += end + 1
        number += 1
        return rest.part(0, end)
      }
      if isAtEnd {
        guard !rest.isEmpty else { return nil }
        position = buffer.count
        number += 1
        return rest
      }
      guard rest.count <= Self.maximumLine else {
        throw InputDamage(offset: input.offset, what: "line \(number + 1) is longer than 8 MiB")
      }
      if let more = try input.next(carrying: rest.count) {
        buffer = more
        position = 0
      } else {
        isAtEnd = true
      }
    }
  }

  /// The next line that is not empty; `nil` at the end.
  ///
  /// - Parameter path: what the input is called in an error.
  mutating func nextRecord(of path: String) throws(StageError) -> ByteView? {
    do throws(InputDamage) {
      while let line = try next() {
        if !line.isEmpty { return line }
      }
      return nil
    } catch {
      throw .notThatStage(path: path, line: number, reason: error.what)
    }
  }
}
