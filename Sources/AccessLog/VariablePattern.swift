/// A text with variables in it that a `$` begins, as nginx and API Gateway write formats.
enum VariablePattern {
  /// Literals and fields of such a text, in order.
  ///
  /// - Parameter field: reads the variable whose `$` stands before `index`, which it moves behind the
  ///   name; gives what the variable holds, or `nil` for one that leaves nothing in a line.
  static func elements(
    _ text: [UInt8],
    field: (_ index: inout Int, _ column: Int) throws(FormatError) -> (FieldMeaning, FieldForm)?
  ) throws(FormatError) -> [LineElement] {
    var elements: [LineElement] = []
    var literal: [UInt8] = []
    var count = 0
    var index = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "$") else {
        literal.append(text[index])
        index += 1
        continue
      }
      let column = index + 1
      index += 1
      let field = try field(&index, column)
      count += 1
      guard count <= AccessLogLimits.fields else {
        throw FormatError(
          "a format of more than \(AccessLogLimits.fields) variables", column: column)
      }
      guard let (meaning, form) = field else { continue }
      elements.append(.literal(literal))
      literal = []
      elements.append(.field(meaning, form))
    }
    elements.append(.literal(literal))
    return elements
  }

  /// The name that begins at a place, which moves behind it.
  static func name(
    in text: [UInt8], at index: inout Int, where isNameByte: (UInt8) -> Bool
  ) -> String {
    let first = index
    while index < text.count, isNameByte(text[index]) { index += 1 }
    return String(decoding: text[first..<index], as: UTF8.self)
  }
}
