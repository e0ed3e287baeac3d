/// A view as dictionaries, lists and texts: the template library would look at a struct by reflection,
/// and at the whole of it for every single name.
enum ViewMembers {
  /// The members of a view by their names; those that are `nil` are left out.
  static func of(_ view: some Encodable) -> Any {
    do {
      return try value(view)
    } catch {
      preconditionFailure("a view holds what cannot be shown: \(error)")
    }
  }

  fileprivate static func value(_ value: some Encodable) throws -> Any {
    switch value {
    case let text as String: return text
    case let flag as Bool: return flag
    case let number as Int: return String(number)
    default:
      let node = Node()
      try value.encode(to: node)
      return node.value
    }
  }

  /// Views consist of structs and arrays, whose members are encoded one by one.
  fileprivate static func unexpected() -> Never {
    preconditionFailure("a view encodes its members by itself")
  }
}

/// What one value of a view becomes.
private final class Node: Encoder {
  /// By the names of members; or ``elements``.
  var members: [String: Any] = [:]
  var elements: [Any]?
  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  var value: Any { elements ?? members }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(Members<Key>(node: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    elements = []
    return Elements(node: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { ViewMembers.unexpected() }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: Node
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) {}

  func encode(_ value: some Encodable, forKey key: Key) throws {
    node.members[key.stringValue] = try ViewMembers.value(value)
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> { ViewMembers.unexpected() }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    ViewMembers.unexpected()
  }

  func superEncoder() -> any Encoder { ViewMembers.unexpected() }

  func superEncoder(forKey key: Key) -> any Encoder { ViewMembers.unexpected() }
}

private struct Elements: UnkeyedEncodingContainer {
  let node: Node
  var codingPath: [any CodingKey] { [] }
  var count: Int { node.elements?.count ?? 0 }

  func encodeNil() {}

  func encode(_ value: some Encodable) throws {
    node.elements?.append(try ViewMembers.value(value))
  }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type
  ) -> KeyedEncodingContainer<Nested> { ViewMembers.unexpected() }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { ViewMembers.unexpected() }

  func superEncoder() -> any Encoder { ViewMembers.unexpected() }
}
