internal import Bytes
internal import FetchCORS

/// Rows as RFC 4180 has them, safe to be opened by a spreadsheet.
enum CSVRow {
  /// The header row.
  static var header: [UInt8] {
    var bytes: [UInt8] = []
    for (index, name) in Call.columns.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.append(contentsOf: name.utf8)
    }
    bytes.append(contentsOf: "\r\n".utf8)
    return bytes
  }

  /// Columns that are filled in when all traffic is known.
  static let lateColumns = ["likely", "cause", "incident"]

  /// The row of a call in pieces between which the values of ``lateColumns`` belong.
  static func pieces(of call: Call) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var piece: [UInt8] = []
    piece.reserveCapacity(512)
    let isLate = isLate
    for (index, value) in call.columnValues.enumerated() {
      if index > 0 { piece.append(UInt8(ascii: ",")) }
      if isLate[index] {
        pieces.append(piece)
        piece.removeAll(keepingCapacity: true)
        continue
      }
      switch value {
      case .text(let text):
        if let text { append(text, to: &piece) }
      case .number(let number):
        if let number { piece.append(contentsOf: String(number).utf8) }
      case .list(let texts):
        if let only = texts.first, texts.count == 1 {
          append(only, to: &piece)
        } else if !texts.isEmpty {
          append(texts.joined(separator: "; "), to: &piece)
        }
      }
    }
    piece.append(contentsOf: "\r\n".utf8)
    pieces.append(piece)
    return pieces
  }

  /// Which of the columns are ``lateColumns``.
  private static let isLate = Call.columns.map { lateColumns.contains($0) }

  /// Appends one field: guarded against formulas, quoted where it must be.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    text.withByteView { field in
      let isQuoted =
        has(field, UInt8(ascii: ",")) || has(field, UInt8(ascii: "\""))
        || has(field, UInt8(ascii: "\r")) || has(field, UInt8(ascii: "\n"))
        || field.first == UInt8(ascii: " ") || field.last == UInt8(ascii: " ")
      if isQuoted { bytes.append(UInt8(ascii: "\"")) }
      switch field.first {
      case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D:
        bytes.append(UInt8(ascii: "'"))
      default: break
      }
      guard isQuoted else {
        bytes.append(field)
        return
      }
      for byte in field {
        if byte == UInt8(ascii: "\"") { bytes.append(byte) }
        bytes.append(byte)
      }
      bytes.append(UInt8(ascii: "\""))
    }
  }

  private static func has(_ field: ByteView, _ byte: UInt8) -> Bool {
    field.first(byte, from: 0, to: field.count) < field.count
  }
}
