internal import Bytes
internal import Foundation
internal import Postflight

// `unsafe` here: the C library reads bytes or a path until it returns, and writes one value of the type
// that it asks for.

/// What is written for a person, and the plain streams of data.
enum Terminal {
  /// One line or more on standard error, each under the tool's name; control and direction
  /// characters of file names are shown, never sent.
  static func say(_ text: String) {
    for line in text.split(separator: "\n") {
      writeError("postflight: \(visible(String(line)))\n")
    }
  }

  /// A text for standard error.
  ///
  /// That nobody listens there is no reason to stop.
  static func writeError(_ text: String) {
    let bytes = Array(text.utf8)
    bytes.withByteView { _ = $0.write(to: STDERR_FILENO) }
  }

  /// Whether a stream is a terminal.
  static func isTerminal(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1
  }

  /// Columns of the terminal behind a stream, 80 when there is none.
  static func columns(_ descriptor: Int32) -> Int {
    var size = winsize()
    guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return min(Int(size.ws_col), 120)
  }

  /// Writes bytes to standard output.
  static func write(_ bytes: ByteView) throws(StageError) {
    let error = bytes.write(to: STDOUT_FILENO)
    guard error == 0 else {
      throw .cannotWrite(path: "standard output", reason: systemReason(error))
    }
  }

  /// Writes a text to standard output, or to standard error when that is for data.
  static func write(_ text: String, toError: Bool) throws(StageError) {
    if toError {
      writeError(text)
    } else {
      let bytes = Array(text.utf8)
      let result = bytes.withByteView { bytes in
        Result { () throws(StageError) in try write(bytes) }
      }
      try result.get()
    }
  }
}

/// What the process does about signals and missing streams.
enum Interruption {
  nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []

  /// Called once, before anything is opened.
  static func install() {
    holdStandardStreams()
    // A reader that closes the pipe, and a limit of the file size, are outputs that cannot be
    // written, with a status of their own.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    for number in [SIGINT, SIGTERM, SIGHUP] {
      // What was ignored by the parent, as nohup does, stays ignored.
      var before = sigaction()
      unsafe sigaction(number, nil, &before)
      if unsafe unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(SIG_IGN, to: Int.self)
      {
        continue
      }
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { end(by: number) }
      source.resume()
      unsafe sources.append(source)
    }
  }

  /// Removes half-written files, and ends as the signal would have: the parent sees which it was.
  private static func end(by number: Int32) {
    let isComplete = UnfinishedOutput.shared.abandon()
    Terminal.say(
      isComplete
        ? "interrupted after the report was written"
        : "interrupted: no file was written, and what went to standard output is not complete")
    signal(number, SIG_DFL)
    var set = sigset_t()
    unsafe sigemptyset(&set)
    unsafe sigaddset(&set, number)
    unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
    kill(getpid(), number)
    _exit(128 + number)
  }

  /// Puts something in the place of a standard stream that was closed.
  ///
  /// Else the next file that is opened would get its number, and receive what is meant for a person. Reading or writing it fails
  /// as before.
  private static func holdStandardStreams() {
    for (descriptor, mode) in [
      (STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY),
    ] where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest free number is the closed one, since those below were filled before it.
      _ = unsafe open("/dev/null", mode)
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
    Terminal.writeError("\r\u{1B}[K\(count) exchanges, up to \(time)")
  }

  /// Takes the line away.
  func clear() {
    if isShown { Terminal.writeError("\r\u{1B}[K") }
  }
}
