/// A JSON value as a tree that can be changed. For texts that are only read, ``JSONDocument`` is
/// cheaper.
package enum JSONValue: Sendable, Hashable {
  case null
  case bool(Bool)
  /// The number's text: nothing is lost to rounding.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  package init(_ node: JSONNode) throws(JSONError) {
    if let string = node.string {
      self = .string(string)
    } else if let number = node.number {
      self = .number(number)
    } else if let bool = node.bool {
      self = .bool(bool)
    } else if node.isArray {
      var elements: [JSONValue] = []
      for element in node.elements { elements.append(try JSONValue(element)) }
      self = .array(elements)
    } else if node.isObject {
      var object = JSONObject()
      for (key, value) in node.members {
        guard object[key] == nil else {
          throw JSONError(.duplicateKey(key), at: value.offset)
        }
        object[key] = try JSONValue(value)
      }
      self = .object(object)
    } else {
      self = .null
    }
  }

  package init(
    parsing bytes: [UInt8], limits: JSONDocument.Limits = .init()
  ) throws(JSONError) {
    self = try JSONValue(JSONDocument(parsing: bytes, limits: limits).root)
  }

  package init(parsing text: String) throws(JSONError) {
    self = try JSONValue(parsing: Array(text.utf8))
  }

  package var encoded: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }

  package func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .number(let text): writer.raw(text.utf8)
    case .string(let text): writer.string(text)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .object(let object):
      writer.beginObject()
      for (key, value) in object.members {
        writer.key(key)
        value.write(to: &writer)
      }
      writer.endObject()
    }
  }

  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var integer: Int? {
    if case .number(let text) = self { Int(text) } else { nil }
  }

  package var array: [JSONValue]? {
    if case .array(let value) = self { value } else { nil }
  }

  package var object: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// The member `key` of an object. Setting it on anything else makes an object of it.
  package subscript(key: String) -> JSONValue? {
    get { object?[key] }
    set {
      var changed = object ?? JSONObject()
      changed[key] = newValue
      self = .object(changed)
    }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .number(String(value)) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    var object = JSONObject()
    for (key, value) in elements { object[key] = value }
    self = .object(object)
  }
}
