internal import Bytes
internal import HTTPExchange

/// Header blocks that were built before: browsers and servers send the same few again and again, and
/// exchanges that share one cost neither its memory nor its reference counts.
final class HeaderShapes {
  private static let capacity = 2048
  /// Fields of a block that is worth remembering; most have some twenty.
  static let maximumFields = 48
  /// Bytes of the values of such a block.
  static let maximumBytes = 4096

  private struct Shape {
    var hash: UInt64 = 0
    var fields: [UInt64] = []
    var evidence: MessageEvidence?
  }

  // One thread alone calls this, and nothing hands out access to what is changed.
  @safe @exclusivity(unchecked) private var fields: [UInt64] = []
  @safe @exclusivity(unchecked) private var isKnowable = true
  @safe @exclusivity(unchecked) private var hash: UInt64 = 0
  private let shapes = FixedTable(repeating: Shape(), count: capacity)
  private let seed = UInt64.random(in: .min ... .max)

  /// Nothing was built before.
  init() {}

  /// Begins another block.
  func begin() {
    fields.removeAll(keepingCapacity: true)
    hash = seed
    isKnowable = true
  }

  /// Adds a field to the block.
  ///
  /// - Parameters:
  ///   - kind: what tells fields of different names apart, below 2²⁴.
  ///   - number: that of the text in the ``TextCache``, 0 for none and for one that is a message's own;
  ///     `nil` for a text without one.
  /// - Returns: the field as ``add(_:)`` takes it; `nil` for a text without a number.
  @inline(__always)
  @discardableResult
  func add(_ kind: Int, _ number: UInt64?) -> UInt64? {
    guard let number else {
      isKnowable = false
      return nil
    }
    let field = UInt64(kind) << 40 | number
    add(field)
    return field
  }

  /// Adds a field that another block had.
  @inline(__always)
  func add(_ field: UInt64) {
    guard fields.count < Self.maximumFields else {
      isKnowable = false
      return
    }
    fields.append(field)
    hash = ByteHash.next(hash, field)
  }

  /// What was built of the same fields in the same order.
  var known: MessageEvidence? {
    guard isKnowable, shapes[place].hash == hash, shapes[place].fields == fields else { return nil }
    return shapes[place].evidence
  }

  /// Remembers what was built of the fields since ``begin()``.
  func remember(_ evidence: MessageEvidence) {
    guard isKnowable else { return }
    var bytes = 0
    for field in evidence.fields { bytes += field.value?.utf8.count ?? 0 }
    guard bytes <= Self.maximumBytes else { return }
    shapes[place] = Shape(hash: hash, fields: fields, evidence: evidence)
  }

  private var place: Int { Int(truncatingIfNeeded: hash) & (Self.capacity - 1) }
}
