internal import Bytes

/// A request whose response has not come yet.
struct OpenRequest {
  var flow: FlowPointer
  /// Neighbours among the requests of its connection, in the order in which they were sent.
  var next: RecordRef<OpenRequest>?
  /// Neighbours among all open requests, in the order in which they were found.
  var before: RecordRef<OpenRequest>?
  var after: RecordRef<OpenRequest>?
  /// Its header block; empty while it is still coming in, or once it was given out.
  var head = HeadBuffer()
  var scanner = HeadScanner()
  var began: Mark
  var ordinal: UInt32
  /// Whether the end of its header block was seen.
  var isWhole = false
  /// Whether its end will never be seen: the header block was cut or lost in part.
  var isCut = false
  /// Whether it was given out as unanswered already.
  var isGivenOut = false
  /// Whether the header block is a ``FieldList``, not lines.
  var isFieldList = false
  /// Whether it only keeps the place of what may become a request.
  var isPlaceholder = false
}

typealias OpenRequestPointer = RecordRef<OpenRequest>
