package import NIOCore

extension RESPValue {
  /// The value as text: simple, bulk and verbatim strings (UTF-8, repaired) and big numbers.
  package var string: String? {
    switch self {
    case .simpleString(let text), .bigNumber(let text): text
    case .bulkString(let bytes), .verbatim(_, let bytes): String(buffer: bytes)
    case .attributed(_, let value): value.string
    default: nil
    }
  }

  /// The payload of a bulk or verbatim string, not copied.
  package var bytes: ByteBuffer? {
    switch self {
    case .bulkString(let bytes), .verbatim(_, let bytes): bytes
    case .attributed(_, let value): value.bytes
    default: nil
    }
  }

  /// The value as a number: an integer, or a string that is one in decimal digits.
  package var integer: Int64? {
    switch self {
    case .integer(let number): number
    case .simpleString(let text), .bigNumber(let text): Int64(text)
    case .bulkString(let bytes): Int64(String(buffer: bytes))
    case .attributed(_, let value): value.integer
    default: nil
    }
  }

  /// The elements of an array, a set or a push message.
  package var array: [RESPValue]? {
    switch self {
    case .array(let elements), .set(let elements), .push(let elements): elements
    case .attributed(_, let value): value.array
    default: nil
    }
  }

  /// The entries of a map, or of an array that lists keys and values in turn as version 2 does.
  package var entries: [RESPMapEntry]? {
    switch self {
    case .map(let entries): entries
    case .array(let elements) where elements.count.isMultiple(of: 2):
      stride(from: 0, to: elements.count, by: 2).map {
        RESPMapEntry(key: elements[$0], value: elements[$0 + 1])
      }
    case .attributed(_, let value): value.entries
    default: nil
    }
  }

  /// The first value under a text key of a map (or a version 2 list of keys and values).
  package subscript(key: String) -> RESPValue? {
    entries?.first { $0.key.string == key }?.value
  }

  /// The whole text of an error, simple or bulk, its code in front.
  package var error: String? {
    switch self {
    case .simpleError(let text): text
    case .bulkError(let bytes): String(buffer: bytes)
    case .attributed(_, let value): value.error
    default: nil
    }
  }

  /// The first word of an error, `WRONGTYPE` say; `ERR` where the server gives no reason.
  package var errorCode: String? {
    error.map { text in String(text.prefix { $0 != " " }) }
  }

  package var isNull: Bool {
    switch self {
    case .null: true
    case .attributed(_, let value): value.isNull
    default: false
    }
  }
}

extension RESPValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral
{
  /// A bulk string.
  package init(stringLiteral value: String) {
    self = .bulkString(ByteBuffer(string: value))
  }

  package init(integerLiteral value: Int64) {
    self = .integer(value)
  }

  package init(arrayLiteral elements: RESPValue...) {
    self = .array(elements)
  }
}
