internal import Foundation
internal import Postflight

/// What is written for a person, and the plain streams of data.
enum Terminal {
  /// One line or more on standard error, each under the tool's name; control characters of file
  /// names are shown, never sent.
  static func say(_ text: String) {
    for line in text.split(separator: "\n") {
      let visible = String(
        String.UnicodeScalarView(
          line.unicodeScalars.map { scalar in
            scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar
          }))
      FileHandle.standardError.write(Data("postflight: \(visible)\n".utf8))
    }
  }

  /// Whether a stream is a terminal.
  static func isTerminal(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1
  }

  /// Columns of the terminal behind a stream, 80 when there is none.
  static func columns(_ descriptor: Int32) -> Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return min(Int(size.ws_col), 120)
  }

  /// Writes bytes to standard output.
  static func write(_ bytes: UnsafeRawBufferPointer) throws(StageError) {
    var rest = bytes
    while !rest.isEmpty {
      let count = Foundation.write(STDOUT_FILENO, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw .cannotWrite(
          path: "standard output", reason: String(cString: strerror(errno)).lowercased())
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }

  /// Writes a text to standard output, or to standard error when that is for data.
  static func write(_ text: String, toError: Bool) throws(StageError) {
    if toError {
      FileHandle.standardError.write(Data(text.utf8))
    } else {
      let bytes = Array(text.utf8)
      let result = bytes.withUnsafeBytes { bytes in
        Result { () throws(StageError) in try write(bytes) }
      }
      try result.get()
    }
  }
}

/// Removes half-written files when a run is interrupted.
enum Interruption {
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  static func install() {
    // A reader that closes the pipe is an output that cannot be written, with a status of its own.
    signal(SIGPIPE, SIG_IGN)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        PartialFiles.shared.removeAll()
        Terminal.say("interrupted; nothing was written")
        exit(128 + number)
      }
      source.resume()
      sources.append(source)
    }
  }
}

/// A line on standard error that says how far a run is.
final class ProgressLine {
  private var last = Date.distantPast
  private var isShown = false

  /// Shows the number of exchanges and the time that was reached, twice a second at most.
  func show(_ count: UInt64, _ time: String) {
    let now = Date()
    guard now.timeIntervalSince(last) > 0.5 else { return }
    last = now
    isShown = true
    FileHandle.standardError.write(Data("\r\u{1B}[K\(count) exchanges, up to \(time)".utf8))
  }

  /// Takes the line away.
  func clear() {
    if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  }
}
