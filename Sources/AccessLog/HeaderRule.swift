internal import HTTPExchange

/// Reads the lines of a log that say how its other lines are made.
struct HeaderRule: Sendable {
  enum Kind: Sendable {
    /// `#Fields:` of W3C extended logs.
    case w3c
    /// `#fields` of Zeek.
    case zeek
    /// The first line holds the names of the columns.
    case columns(separator: UInt8)
  }

  enum Reading {
    /// A line of the log itself.
    case line
    /// One that says nothing that is needed.
    case remark
    /// The layouts of the lines from here on.
    case layouts([LineLayout])
  }

  let kind: Kind
  /// What columns mean whose names say nothing; by name in lower case.
  var names: [String: FieldMeaning] = [:]

  var escaping: Escaping {
    switch kind {
    case .w3c: .plus
    case .zeek: .zeek
    case .columns: .doubled
    }
  }

  /// Whether a line may leave out what is not there.
  var infersAbsence: Bool { false }

  func read(_ base: UnsafePointer<UInt8>, _ end: Int, isFirst: Bool) -> Reading {
    switch kind {
    case .w3c, .zeek:
      guard base[0] == UInt8(ascii: "#") else { return .line }
      let text = String(decoding: UnsafeBufferPointer(start: base, count: end), as: UTF8.self)
      let layouts = kind.isZeek ? zeek(text) : w3c(text)
      return layouts.map { .layouts($0) } ?? .remark
    case .columns(let separator):
      guard isFirst else { return .line }
      return .layouts([columns(base, end, separator)].compactMap { $0 })
    }
  }
}

extension HeaderRule.Kind {
  fileprivate var isZeek: Bool {
    if case .zeek = self { true } else { false }
  }
}
