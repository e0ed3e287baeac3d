internal import Bytes

/// How the bytes of one direction are cut into records, and what opens them.
struct TLSDirection {
  /// Whether it is known where records begin.
  enum Step {
    case inStep
    /// So many bytes of a record that was hit by a gap are still to come.
    case skipping(Int)
    /// A gap ended in the midst of some record.
    case searching
  }

  var step = Step.inStep
  /// The beginning of a record, or the bytes in which one is searched for.
  var buffer: [UInt8] = []
  /// What opens its records, one after the other: early data, handshake, application data.
  var chain: [RecordProtection] = []
  /// The place in `chain`; -1 while records are in the clear.
  var stage = -1
  /// In TLS 1.2, what opens the records behind the next change_cipher_spec.
  var next: RecordProtection?
  /// Whether bytes were lost since the last record was opened.
  var hasGap = false
  /// Bytes that were lost or passed over since the last record that was opened, in whole records.
  var lostBytes: UInt64 = 0
  /// The TCP sequence number behind the bytes that were lost or passed over, where it is known.
  var gapEnd: UInt32?
  /// Records in a row that could not be opened.
  var failures = 0
  var hasOpened = false
  /// Bytes that were given to a cipher in vain.
  var wastedBytes = 0
  /// Whether the direction was given up.
  var hasFailed = false

  /// A handshake message that is not whole yet.
  var message: [UInt8] = []
  /// Bytes of a message that nobody needs, which are still to come.
  var passing = 0
  /// The type of that message.
  var passingType: UInt8 = 0
  /// Whether a gap hit the messages of this stage, so that nobody knows where one begins.
  var hasLostMessages = false

  /// Whether its records are opened with the last key of the chain.
  var isAtLastStage: Bool { stage >= 0 && stage == chain.count - 1 }

  /// Bytes of memory that wait for more.
  var heldBytes: Int { buffer.capacity + message.capacity }

  /// Passes over bytes behind a gap.
  mutating func pass(_ count: Int) {
    if let end = gapEnd { gapEnd = end &+ UInt32(truncatingIfNeeded: count) }
  }

  /// Moves on to another key.
  mutating func enter(_ stage: Int) {
    self.stage = stage
    message = []
    passing = 0
    hasLostMessages = false
  }
}

/// The header of a record.
struct TLSRecordHeader {
  /// Bytes of a header.
  static let length = 5
  /// Bytes of a record's content in TLS 1.3, whose limit is the larger one for AEAD ciphers; TLS 1.2
  /// allows 2^14 + 2048, which no such cipher reaches.
  static let contentLimit = (1 << 14) + 256

  var type: UInt8
  /// Bytes of the record, its header included.
  var total: Int

  /// The header at `offset`, where five bytes must stand; `nil` when they can be none.
  @inline(__always)
  init?(_ bytes: ByteView, at offset: Int = 0) {
    type = bytes[offset]
    let length = Int(bytes.big16(offset + 3))
    guard type &- 20 < 4, bytes[offset + 1] == 3, bytes[offset + 2] <= 4,
      length <= Self.contentLimit
    else { return nil }
    total = Self.length + length
  }
}
