import FoundationEssentials

/// A JSON value, to look into what was encoded.
indirect enum JSONText: Decodable, Equatable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONText])
  case object([String: JSONText])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSONText].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSONText].self))
    }
  }

  init(parsing bytes: some Sequence<UInt8>) throws {
    self = try JSONDecoder().decode(JSONText.self, from: Data(bytes))
  }

  subscript(key: String) -> JSONText? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  subscript(index: Int) -> JSONText? {
    if case .array(let elements) = self, elements.indices.contains(index) {
      elements[index]
    } else {
      nil
    }
  }

  var text: String? { if case .string(let text) = self { text } else { nil } }
  var elements: [JSONText] { if case .array(let elements) = self { elements } else { [] } }
}
