import Bytes
import TestSupport
import Testing

@testable import HTTPExchange

private func read(_ text: String) throws(JSONReader.Failure) -> JSONValue {
  let bytes = Array(text.utf8)
  var result: Result<JSONValue, JSONReader.Failure> = .success(.null)
  bytes.withByteView { bytes in
    do throws(JSONReader.Failure) {
      result = .success(try JSONReader.read(bytes))
    } catch {
      result = .failure(error)
    }
  }
  return try result.get()
}

struct JSONTextTests {
  @Test(
    "a value is read as it stands",
    arguments: [
      ("null", JSONValue.null), ("true", .bool(true)), (" false ", .bool(false)),
      ("0", .number("0")), ("-1.5e+3", .number("-1.5e+3")),
      ("18446744073709551616", .number("18446744073709551616")), ("\"\"", .string("")),
      ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", .string("a\"\\/\u{8}\u{C}\n\r\t")),
      ("\"\\u00e9\\u20AC\"", .string("é€")), ("\"\\ud83d\\ude00\"", .string("😀")),
      // Half a pair stands for itself, and what follows it is not lost.
      ("\"\\ud83d\"", .string("\u{FFFD}")), ("\"\\ude00x\"", .string("\u{FFFD}x")),
      ("\"\\ud83d\\u0041\"", .string("\u{FFFD}A")),
      ("\"\\ud83d\\ud83d\\ude00\"", .string("\u{FFFD}😀")),
      ("\"\\uF7E9\"", .string("\u{F7E9}")), ("[]", .array([])), ("{}", .object([])),
      ("[ 1 , [ ] , null ]", .array([.number("1"), .array([]), .null])),
      (
        "{ \"a\" : 1 , \"a\" : 2 }",
        .object([.init(name: "a", value: .number("1")), .init(name: "a", value: .number("2"))])
      ),
    ])
  func values(text: String, value: JSONValue) throws {
    #expect(try read(text) == value)
  }

  @Test(
    "what is no JSON is refused at its byte",
    arguments: [
      ("", 0), (" ", 1), ("nul", 0), ("nulll", 4), ("tru", 0), ("x", 0), ("-", 1), ("1-2", 3),
      ("\"", 1), ("\"a", 2), ("\"\\", 2), ("\"\\x\"", 3), ("\"\\u12\"", 3), ("\"\\u12g4\"", 3),
      ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[1 2]", 3), ("{", 1), ("{\"a\"", 4),
      ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{\"a\" 1}", 5),
      ("1 1", 2),
      ("[}", 1), ("{]", 1), ("'a'", 0), ("NaN", 0), ("+", 1), ("]", 0),
    ])
  func refused(text: String, offset: Int) {
    #expect {
      try read(text)
    } throws: { error in
      (error as? JSONReader.Failure)?.offset == offset
    }
  }

  @Test("nesting ends at the limit, before the stack does")
  func depth() throws {
    let most = JSONReader.maximumDepth
    let deep = String(repeating: "[", count: most) + String(repeating: "]", count: most)
    _ = try read(deep)
    #expect(throws: JSONReader.Failure.self) { try read("[" + deep + "]") }
    #expect(throws: JSONReader.Failure.self) { try read(String(repeating: "[", count: 1_000_000)) }
    #expect(throws: JSONReader.Failure.self) {
      try read(String(repeating: "{\"a\":", count: 100_000))
    }
  }

  @Test(
    "a number is whole only if it fits",
    arguments: [
      ("9223372036854775807", Int.max as Int?, UInt64(Int.max) as UInt64?),
      ("9223372036854775808", nil, 9_223_372_036_854_775_808),
      ("18446744073709551615", nil, .max), ("18446744073709551616", nil, nil), ("-1", -1, nil),
      ("1.0", nil, nil), ("1e3", nil, nil), (String(repeating: "9", count: 10_000), nil, nil),
      ("1e999999", nil, nil),
    ])
  func numbers(text: String, integer: Int?, unsigned: UInt64?) throws {
    let value = try read(text)
    #expect(value.integer == integer)
    #expect(value.unsigned == unsigned)
  }

  @Test("bytes that are not UTF-8 are kept reversibly")
  func notUTF8() throws {
    let bytes: [UInt8] = [0x22, 0x61, 0xE9, 0x22]
    let value = try bytes.withByteView { bytes in try JSONReader.read(bytes) }
    #expect(WireText.bytes(of: value.text ?? "") == [0x61, 0xE9])
  }

  @Test("what was written is read, and control characters never stand in it raw")
  func roundTrip() throws {
    for text in hostileTexts {
      var writer = JSONWriter()
      writer.object { writer in
        writer.member(text, text)
        writer.member("n", Int?.none)
        writer.member("list", [text, ""])
        writer.key("b")
        writer.bool(false)
        writer.key("o")
        writer.object { _ in }
        writer.key("a")
        writer.array { writer in
          writer.null()
          writer.number(UInt64.max)
          writer.array { _ in }
          writer.string("x")
        }
      }
      #expect(!writer.bytes.contains { $0 < 0x20 || $0 == 0x7F })
      let isHarmless = String(decoding: writer.bytes, as: UTF8.self).unicodeScalars.allSatisfy {
        $0.properties.generalCategory != .control && !$0.properties.isBidiControl
      }
      #expect(isHarmless)
      let json = try read(String(decoding: writer.bytes, as: UTF8.self))
      #expect(json[text]?.text == text)
      #expect(json["list"]?.texts == [text, ""])
      #expect(json["n"] == .null && json["b"] == .bool(false) && json["o"]?.members == [])
      #expect(json["a"]?.elements?.count == 4 && json["none"] == nil)
      writer.removeAll()
      #expect(writer.bytes.isEmpty)
    }
  }
}
