internal import HTTPExchange

/// Compiles the text of an Apache `LogFormat`, and what lighttpd and varnishncsa made of it.
enum ApachePattern {
  /// Who writes such lines.
  enum Server {
    case apache, lighttpd, varnish
    /// varnishncsa with `-j`.
    case varnishJSON

    var escaping: Escaping {
      switch self {
      case .apache, .varnish: .apache
      case .lighttpd: .anyText
      // Nothing is absent, and JSON's escapes alone.
      case .varnishJSON: .nginxJSON
      }
    }

    var repeats: Repeats? {
      switch self {
      case .apache: nil
      case .lighttpd: Repeats(request: .joined, response: .all)
      case .varnish, .varnishJSON: Repeats(request: .last, response: .last)
      }
    }
  }

  /// The layout of a `LogFormat` as it stands between its quotation marks, escapes undone.
  static func layout(
    _ text: [UInt8], of server: Server = .apache
  ) throws(FormatError) -> LineLayout {
    var elements: [LineElement] = []
    var index = 0
    var count = 0
    while index < text.count {
      guard text[index] == UInt8(ascii: "%") else {
        elements.append(.literal([text[index]]))
        index += 1
        continue
      }
      count += 1
      guard count <= AccessLogLimits.fields else {
        throw FormatError(
          "a format of more than \(AccessLogLimits.fields) directives", column: index + 1)
      }
      elements += try directive(text, &index)
    }
    elements = joiningStamps(elements)
    if server == .lighttpd { elements = elements.map(Self.stampingTheEnd) }
    let layout = LineLayout(
      elements: elements, escaping: server.escaping, mayBeNginx: false, repeats: server.repeats)
    try layout.requireEnough()
    return layout
  }

  /// lighttpd prints the time at which the request ended.
  private static func stampingTheEnd(_ element: LineElement) -> LineElement {
    guard case .field(.stamp(var stamp), let form) = element else { return element }
    stamp.isStart = false
    return .field(.stamp(stamp), form)
  }

  /// One `%[modifiers][{argument}]letter`.
  private static func directive(
    _ text: [UInt8], _ index: inout Int
  ) throws(FormatError) -> [LineElement] {
    let column = index + 1
    index += 1
    var isConditional = false
    var isFinal = false
    var argument: String?
    while index < text.count {
      switch text[index] {
      case UInt8(ascii: "!"), UInt8(ascii: ","), 48...57:
        isConditional = true
        index += 1
      case UInt8(ascii: "<"):
        isFinal = false
        index += 1
      case UInt8(ascii: ">"):
        isFinal = true
        index += 1
      case UInt8(ascii: "{"):
        guard let end = text[index...].firstIndex(of: UInt8(ascii: "}")) else {
          throw FormatError("a \"{\" without its \"}\"", column: index + 1)
        }
        argument = String(decoding: text[index + 1..<end], as: UTF8.self)
        index = end + 1
      case UInt8(ascii: "^"):
        // %^FB, %^ti and %^to: first byte time and trailers.
        guard index + 2 < text.count else {
          throw FormatError("a directive without its letters", column: column)
        }
        index += 3
        return [.field(.ignored, .text)]
      default:
        let letter = Unicode.Scalar(text[index])
        index += 1
        var elements = try field(letter, argument, isFinal: isFinal, column: column)
        if isConditional {
          // With other statuses `-` is printed whether or not the field was there.
          elements = elements.map {
            if case .field(_, let form) = $0 { .field(.ignored, form) } else { $0 }
          }
        }
        return elements
      }
    }
    throw FormatError("a \"%\" without the letter of a directive", column: column)
  }

  private static func field(
    _ letter: Unicode.Scalar, _ argument: String?, isFinal: Bool, column: Int
  ) throws(FormatError) -> [LineElement] {
    func one(_ meaning: FieldMeaning) -> [LineElement] {
      // %h may be a name, but none with a blank.
      let isWord = "haAsDTvVpHmbBOISkKPXlL".unicodeScalars.contains(letter)
      return [.field(meaning, isWord ? .word : .text)]
    }
    switch letter {
    case "%": return [.literal([UInt8(ascii: "%")])]
    case "h": return one(.client)
    case "a": return one(argument == nil ? .client : .peer)
    case "t": return try time(argument, column: column)
    case "r": return one(.requestLine)
    case "m": return one(.method)
    case "U": return one(.path)
    case "q": return one(.query)
    case "H": return one(.httpVersion)
    case "s": return one(isFinal ? .status : .firstStatus)
    case "D": return one(.duration(unit: 1000))
    case "T":
      switch argument {
      case "ms": return one(.duration(unit: 1_000_000))
      case "us": return one(.duration(unit: 1000))
      default: return one(.duration(unit: 1_000_000_000))
      }
    case "v", "V": return one(.serverName)
    case "p": return one(argument == "remote" ? .ignored : .port)
    case "i":
      guard let argument else {
        throw FormatError("%i names no header: %{NAME}i", column: column)
      }
      let name = HeaderName(argument)
      switch name {
      case .userAgent: return one(.userAgent)
      case .host: return one(.hostHeader)
      default: return one(.requestHeader(name))
      }
    case "o":
      guard let argument else {
        throw FormatError("%o names no header: %{NAME}o", column: column)
      }
      return one(.responseHeader(HeaderName(argument)))
    case "e":
      switch argument {
      case "UNIQUE_ID": return one(.requestID)
      case "has_cookie": return one(.presence(.cookie))
      case "has_authorization": return one(.presence(.authorization))
      default: return one(.ignored)
      }
    case "L": return one(.requestID)
    case "x":
      // varnishncsa: the start of the request as seconds since the epoch.
      guard argument == "VSL:Timestamp:Start[1]" else { return one(.ignored) }
      return one(.stamp(Stamp(form: .epoch(unit: 1_000_000_000), isStart: true)))
    default:
      // Modules define further letters; what they print is not needed here.
      guard letter.properties.isAlphabetic, letter.isASCII else {
        throw FormatError("\"%\(letter)\" is no directive", column: column)
      }
      return one(.ignored)
    }
  }

  /// `%t`, with its brackets, or `%{FORMAT}t`.
  private static func time(
    _ argument: String?, column: Int
  ) throws(FormatError) -> [LineElement] {
    func one(_ form: StampForm, _ isStart: Bool) -> [LineElement] {
      [.field(.stamp(Stamp(form: form, isStart: isStart)), .text)]
    }
    guard var format = argument else {
      return [.literal([UInt8(ascii: "[")])] + one(.clf, true) + [.literal([UInt8(ascii: "]")])]
    }
    var isStart = true
    if format.hasPrefix("begin:") {
      format = String(format.dropFirst(6))
    } else if format.hasPrefix("end:") {
      format = String(format.dropFirst(4))
      isStart = false
    }
    switch format {
    case "":
      return [.literal([UInt8(ascii: "[")])] + one(.clf, isStart) + [.literal([UInt8(ascii: "]")])]
    case "sec": return one(.epoch(unit: 1_000_000_000), isStart)
    case "msec": return one(.epoch(unit: 1_000_000), isStart)
    case "usec": return one(.epoch(unit: 1000), isStart)
    case "msec_frac": return one(.items([.fraction(digits: 3)]), isStart)
    case "usec_frac": return one(.items([.fraction(digits: 6)]), isStart)
    default: break
    }
    guard let form = StrftimeFormat.form(format) else { return [.field(.ignored, .text)] }
    return one(form, isStart)
  }

  /// Joins stamps that together tell one instant, as `%{%T}t.%{msec_frac}t%{%z}t` does.
  private static func joiningStamps(_ source: [LineElement]) -> [LineElement] {
    var result: [LineElement] = []
    for element in source {
      guard case .field(.stamp(let stamp), _) = element, case .items(let items) = stamp.form else {
        result.append(element)
        continue
      }
      var between: [UInt8] = []
      var place = result.count
      while place > 0, case .literal(let text) = result[place - 1], between.count < 3 {
        between = text + between
        place -= 1
      }
      if place > 0, case .field(.stamp(var left), let form) = result[place - 1],
        left.isStart == stamp.isStart, case .items(let leftItems) = left.form,
        Set(leftItems.map(\.part)).isDisjoint(with: items.map(\.part).filter { $0 != 0 })
      {
        left.form = .items(leftItems + between.map(StampItem.literal) + items)
        result.removeLast(result.count - place)
        result[place - 1] = .field(.stamp(left), form)
      } else {
        result.append(element)
      }
    }
    // A stamp that lacks the date, or the time of day, tells no instant.
    return result.map {
      if case .field(.stamp(let stamp), let form) = $0, case .items(let items) = stamp.form,
        !Set([1, 2, 3, 4, 5]).isSubset(of: items.map(\.part))
      {
        .field(.ignored, form)
      } else {
        $0
      }
    }
  }
}

extension StampItem {
  /// Which part of an instant it tells; 0 for none.
  fileprivate var part: Int {
    switch self {
    case .year, .shortYear: 1
    case .month, .monthName: 2
    case .day: 3
    case .hour: 4
    case .minute: 5
    case .second: 6
    case .fraction: 7
    case .zone: 8
    case .literal: 0
    }
  }
}
