internal import Bytes

/// Finds the objects of a JSON text whose lines are no objects by themselves: what exports and
/// pretty-printers make of a log.
///
/// A text may have any size; nothing is kept but the object that is read at the moment, without the
/// blanks between its parts.
struct ObjectScanner {
  /// How the objects stand in the text.
  enum Shape: Sendable, CaseIterable {
    /// `[{…}, {…}]`, on one line or many.
    case array
    /// One behind the other, each over several lines.
    case spread
    /// In the lists that one object holds: `{"Records": [{…}, {…}]}`.
    case member

    /// What it is called where formats are named: `json in json-array`.
    var name: String {
      switch self {
      case .array: "json-array"
      case .spread: "json-text"
      case .member: "json-object"
      }
    }

    /// One sentence for people, without a full stop.
    var summary: String {
      switch self {
      case .array: "JSON lines as one array, as jq -s and gcloud logging read print them"
      case .spread: "JSON objects that are spread over several lines, as jq prints them"
      case .member:
        "JSON objects in the lists of one object, as aws logs filter-log-events prints them"
      }
    }

    /// Lists and objects around each of the objects.
    fileprivate var depth: Int {
      switch self {
      case .array: 1
      case .spread: 0
      case .member: 2
      }
    }
  }

  /// What was found, and where it begins in the unpacked input.
  enum Found {
    case object(ByteView, offset: UInt64)
    /// An object of more than ``AccessLogLimits/lineBytes``.
    case tooLong(offset: UInt64)
    /// An object that is not closed before the next one begins.
    case unclosed(offset: UInt64)
    /// Text that is no object.
    case stray(offset: UInt64)
  }

  private let shape: Shape
  /// Lists and objects that are open.
  private var depth = 0
  private var isInText = false
  private var isEscaped = false
  private var isInObject = false
  private var isInStray = false
  private var object: [UInt8] = []
  private var isTooLong = false
  private var start: UInt64 = 0
  /// Blanks since the line began; `nil` once something else stood there.
  private var indent: Int? = 0
  /// The indent of objects, where the first one began a line: no part of an object has it.
  private var objectIndent: Int?
  private var count: UInt64 = 0

  init(_ shape: Shape) {
    self.shape = shape
  }

  /// Where the object begins that the text ends within; `nil` when it ends behind one.
  var unfinished: UInt64? { isInObject ? start : nil }

  /// Whether a list or an object around the objects is still open.
  var isOpen: Bool { depth > 0 }

  // MARK: Recognition

  /// The shapes that a text may have, judged from its first bytes; lines that are objects by themselves
  /// have none, which only reading them tells.
  static func shapes(of head: [UInt8]) -> [Shape] {
    let text = head.dropFirst(head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)
    let signs = text.lazy.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }.prefix(2)
    switch Array(signs) {
    case [UInt8(ascii: "["), UInt8(ascii: "{")]: return [.array]
    case [UInt8(ascii: "{"), UInt8(ascii: "\"")]: return [.spread, .member]
    default: return []
    }
  }

  /// The whole objects of a head, one a line.
  static func lines(of head: [UInt8], _ shape: Shape) -> [UInt8] {
    var scanner = ObjectScanner(shape)
    var text: [UInt8] = []
    head.withByteView { bytes in
      scanner.take(bytes, at: 0) { found in
        guard case .object(let object, _) = found else { return }
        text += Array(object) + [0x0A]
      }
    }
    return text
  }

  // MARK: Reading

  /// Takes the next bytes, of which the first stands at that place in the unpacked input, and gives
  /// what ends in them.
  mutating func take(_ bytes: ByteView, at offset: UInt64, _ give: (Found) -> Void) {
    for index in 0..<bytes.count {
      let byte = bytes[index]
      let place = offset &+ UInt64(index)
      if byte == 0x0A {
        indent = 0
        isInStray = false
      } else if let blanks = indent {
        let isBlank = byte == 0x20 || byte == 0x09
        indent = isBlank ? blanks + 1 : nil
        if byte == UInt8(ascii: "{"), blanks == objectIndent, isInObject {
          // Only an object begins so: the one before was never closed.
          give(.unclosed(offset: start))
          begin(at: place)
          continue
        }
        if byte == UInt8(ascii: "{"), !isInObject, depth == shape.depth, count == 0 {
          objectIndent = blanks
        }
      }
      if isInObject {
        takeInside(byte, give)
      } else {
        takeBetween(byte, place, give)
      }
    }
  }

  private mutating func begin(at place: UInt64) {
    isInObject = true
    isInText = false
    isInStray = false
    isTooLong = false
    depth = shape.depth + 1
    start = place
    count &+= 1
    object.removeAll(keepingCapacity: true)
    object.append(UInt8(ascii: "{"))
  }

  private mutating func takeInside(_ byte: UInt8, _ give: (Found) -> Void) {
    if isInText {
      keep(byte)
      takeInText(byte)
      return
    }
    switch byte {
    case 0x20, 0x09, 0x0A, 0x0D: return
    case UInt8(ascii: "\""):
      isInText = true
      isEscaped = false
    case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
    case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
    default: break
    }
    keep(byte)
    guard depth == shape.depth else { return }
    isInObject = false
    if isTooLong {
      give(.tooLong(offset: start))
    } else {
      object.withByteView { give(.object($0, offset: start)) }
    }
  }

  private mutating func takeInText(_ byte: UInt8) {
    if isEscaped {
      isEscaped = false
    } else if byte == UInt8(ascii: "\\") {
      isEscaped = true
    } else if byte == UInt8(ascii: "\"") {
      isInText = false
    }
  }

  private mutating func keep(_ byte: UInt8) {
    guard !isTooLong else { return }
    if object.count >= AccessLogLimits.lineBytes {
      isTooLong = true
      object.removeAll()
    } else {
      object.append(byte)
    }
  }

  /// Takes a byte outside of all objects.
  private mutating func takeBetween(_ byte: UInt8, _ place: UInt64, _ give: (Found) -> Void) {
    if isInText {
      // The name of a member, or a value that is none of the objects.
      takeInText(byte)
      return
    }
    switch byte {
    case UInt8(ascii: "{") where depth == shape.depth:
      begin(at: place)
    case UInt8(ascii: "{") where shape == .member, UInt8(ascii: "[") where shape != .spread:
      depth += 1
    case UInt8(ascii: "}") where shape == .member, UInt8(ascii: "]") where shape != .spread:
      depth = max(0, depth - 1)
    case 0x20, 0x09, 0x0A, 0x0D, UInt8(ascii: ","): break
    case UInt8(ascii: "\"") where shape == .member:
      isInText = true
      isEscaped = false
    default:
      guard shape != .member, !isInStray else { return }
      isInStray = true
      give(.stray(offset: place))
    }
  }
}
