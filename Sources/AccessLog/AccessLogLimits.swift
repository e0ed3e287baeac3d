/// Every bound that keeps a hostile log from costing more than it should, with its reason.
enum AccessLogLimits {
  /// Bytes of one line.
  ///
  /// nginx accepts 32 KiB of request headers and Apache 8 KiB a field; escaped
  /// as `\xHH` they quadruple, so a longer line is no line of an access log.
  static let lineBytes = 1 << 20

  /// Fields of one line.
  ///
  /// The longest format in use has about 60.
  static let fields = 256

  /// Header fields of one block; browsers send about 30, servers refuse more than 100 or so.
  static let blockFields = 1000

  /// Layouts that are learned from the lines of one input.
  ///
  /// Producers that leave out empty members
  /// have a few dozen combinations; further ones are read without being remembered.
  static let layouts = 64

  /// Nesting of a JSON value that is skipped.
  static let jsonDepth = 64

  /// Coats on top of each other; a shipper around a container's runtime around a syslog daemon.
  static let coats = 3

  /// Lines at the start of an input that decide whether it has a coat.
  static let coatTrialLines = 50

  /// Lines of which a part was seen, at once: as many streams write into one log in turn.
  static let partedLines = 64

  /// Streams and programs that are told apart in one log; further ones count as one.
  static let senders = 256

  /// Lines at the start of an input that decide which format it has.
  static let recognitionLines = 200

  /// One line in so many has to fit, for a format that nobody named: server messages may stand
  /// between the lines of a container's output.
  static let recognitionShare = 4

  /// Bytes of the name of a service before a line; Docker's own limit for names.
  static let serviceNameBytes = 255

  /// Formats that one input may change between; a log that has more is hardly one.
  static let formatsOfOneLog = 4

  /// Bytes of a server's configuration file; real ones have a few hundred KiB.
  static let configurationBytes = 16 << 20

  /// Formats that are taken from one configuration file.
  static let configurationFormats = 256

  /// Values that are kept for reuse, and the bytes that they may have together.
  ///
  /// Both are enough
  /// for the values of one minute; when they are full, the table begins anew.
  static let internedValues = 8192
  static let internedBytes = 1 << 20

  /// Bytes of a value that is worth keeping for reuse.
  static let internedValueBytes = 1024

  /// Places of the table that are looked at for one value, so that chosen collisions cost nothing.
  static let probes = 8

  /// Schemes and hosts that are kept for reuse, and the bytes that one may have.
  static let baseURLs = 1024
  static let baseURLBytes = 400
}
