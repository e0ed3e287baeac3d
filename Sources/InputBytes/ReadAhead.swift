internal import Bytes
internal import Foundation

// `unsafe` here: a chunk owns its memory until it goes, and its parts lie where
// the headroom and the count say, of which neither comes from input.

/// A buffer with room in front of its bytes, so that a half line can be put before the next ones.
@safe
final class Chunk {
  /// Bytes in front that are free for what is carried over from the chunk before.
  static let usualHeadroom = 64 * 1024

  private let memory: UnsafeMutableRawBufferPointer
  private(set) var headroom: Int
  private(set) var count = 0

  init(headroom: Int = usualHeadroom) {
    self.headroom = headroom
    unsafe memory = .allocate(byteCount: headroom + ByteInput.chunkSize, alignment: 16)
  }

  deinit {
    unsafe memory.deallocate()
  }

  /// The place for new bytes.
  var space: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory[headroom...])
  }

  /// Says how many new bytes stand in ``space``.
  func setCount(_ count: Int) {
    self.count = count
  }

  /// The new bytes with `carried` in front of them.
  func bytes(behind carried: ByteView) -> ByteView {
    let start = headroom - carried.count
    if carried.count > 0 {
      unsafe carried.withUnsafeBytes {
        unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<headroom]).copyMemory(
          from: $0)
      }
    }
    return unsafe ByteView(UnsafeRawBufferPointer(rebasing: memory[start..<headroom + count]))
  }

  /// A chunk of the same bytes with more room in front, for a line longer than usual.
  func moved(headroom: Int) -> Chunk {
    let chunk = Chunk(headroom: headroom)
    unsafe chunk.space.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: memory[self.headroom..<self.headroom + count]))
    chunk.count = count
    return chunk
  }
}

/// Fills chunks on a thread of its own, at most four ahead of the reader.
///
/// Everything behind `condition` is touched only while it is locked; the source is touched by the
/// thread alone once that has started.
final class ReadAhead: @unchecked Sendable {
  private static let depth = 4

  private let condition = NSCondition()
  private var full: [Result<Chunk, InputDamage>] = []
  private var free: [Chunk] = []
  private var isStopped = false
  private var isAtEnd = false
  private let source: ByteSource

  init(_ source: ByteSource) {
    self.source = source
    let thread = Thread { [self] in run() }
    thread.stackSize = 512 * 1024
    thread.start()
  }

  /// The next chunk; `nil` at the end.
  func next() throws(InputDamage) -> Chunk? {
    condition.lock()
    while full.isEmpty, !isAtEnd { condition.wait() }
    let result = full.isEmpty ? nil : full.removeFirst()
    condition.signal()
    condition.unlock()
    return try result?.get()
  }

  /// Gives a chunk back for reuse.
  func recycle(_ chunk: Chunk) {
    condition.lock()
    if free.count < Self.depth { free.append(chunk) }
    condition.unlock()
  }

  /// Lets the thread end; chunks that are still there are dropped.
  func stop() {
    condition.lock()
    isStopped = true
    condition.signal()
    condition.unlock()
  }

  private func run() {
    while true {
      condition.lock()
      while full.count >= Self.depth, !isStopped { condition.wait() }
      let isDone = isStopped
      let chunk = free.popLast()
      condition.unlock()
      if isDone { return }
      let target = chunk ?? Chunk()
      let result: Result<Chunk, InputDamage>
      var ends = false
      do throws(InputDamage) {
        unsafe target.setCount(try source.fill(target.space))
        ends = target.count == 0
        result = .success(target)
      } catch {
        ends = true
        result = .failure(error)
      }
      condition.lock()
      if case .success(let chunk) = result, chunk.count == 0 {} else { full.append(result) }
      isAtEnd = isAtEnd || ends
      condition.signal()
      condition.unlock()
      if ends { return }
    }
  }
}
