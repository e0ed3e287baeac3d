import Bytes
import Foundation

/// libFuzzer's entry for programs that have a `main` of their own.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// The target of this run; a C function cannot capture it.
nonisolated(unsafe) private var chosen: FuzzTarget?

private func fail(_ message: String) -> Never {
  FileHandle.standardError.write(Data("error: \(message)\n".utf8))
  exit(64)
}

/// `Fuzzing --list`, `Fuzzing --seeds TARGET FOLDER`, `Fuzzing TARGET [libFuzzer's arguments]`.
private func main() throws {
  let arguments = CommandLine.arguments
  guard arguments.count > 1 else { fail("which target? See --list") }
  if arguments[1] == "--list" {
    for target in FuzzTarget.all {
      print(target.name, target.maximumLength, target.dictionary ?? "-")
    }
    return
  }
  let isWritingSeeds = arguments[1] == "--seeds" && arguments.count == 4
  let name = arguments[isWritingSeeds ? 2 : 1]
  guard let target = FuzzTarget.named(name) else { fail("no target is called \(name)") }
  if isWritingSeeds {
    for (index, seed) in try target.seeds().enumerated() {
      try Data(seed).write(to: URL(fileURLWithPath: "\(arguments[3])/seed-\(index)"))
    }
    return
  }
  chosen = target
  ConnectionsHarness.sharedBuilder = ConnectionsHarness.makeBuilder()
  MemoryFiles.areKept = true
  // libFuzzer ends the process itself.
  atexit { MemoryFiles.removeAll() }
  Thoroughness.interval = 8
  // Its own name, so that jobs that libFuzzer starts itself know their target as well.
  var texts = ([arguments[0]] + arguments.dropFirst(2)).map { strdup($0) }
  var count = CInt(texts.count)
  texts.append(nil)
  let status = texts.withUnsafeMutableBufferPointer { buffer in
    guard var base = buffer.baseAddress else { return CInt(1) }
    return runFuzzer(&count, &base) { bytes, count in
      // A copy of exactly this size, so that reading beyond it is found.
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
      defer { copy.deallocate() }
      copy.copyMemory(from: UnsafeRawBufferPointer(start: bytes, count: count))
      do {
        try chosen?.run(ByteView(UnsafeRawBufferPointer(copy)))
      } catch {
        fatalError("\(error)")
      }
      return 0
    }
  }
  exit(status)
}

try main()
