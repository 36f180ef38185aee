package import NIOCore

/// One value of the Redis serialization protocol, in either of its versions.
///
/// Payloads of bulk strings are slices of the buffer they arrived in: keeping one keeps that
/// whole buffer, so copy what outlives the reply. Text in lines (simple strings and errors) is
/// UTF-8; bytes that are not are replaced by U+FFFD.
///
/// Equality is that of the parts, so a `double` that is not a number differs from itself, and
/// maps and sets compare in the order in which they were sent.
///
/// Protocol: https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md
package enum RESPValue: Sendable, Hashable {
  /// `+OK`: a short text without line breaks.
  case simpleString(String)
  /// `-WRONGTYPE …`: an error whose first word is its code.
  case simpleError(String)
  /// `:42`
  case integer(Int64)
  /// `$3`: any bytes. A streamed string (`$?`) arrives as one of these, joined.
  case bulkString(ByteBuffer)
  /// `*2`, also when streamed (`*?`).
  case array([RESPValue])
  /// `_`, and the two nulls of version 2: `$-1` and `*-1`.
  case null
  /// `,1.5`, `,inf`, `,-inf`, `,nan`
  case double(Double)
  /// `#t` or `#f`
  case boolean(Bool)
  /// `(123…`: decimal digits, perhaps behind a sign.
  case bigNumber(String)
  /// `!21`: an error that may hold any bytes; its first word is its code.
  case bulkError(ByteBuffer)
  /// `=15`: a text that says in three bytes how to show it.
  case verbatim(RESPTextFormat, ByteBuffer)
  /// `%2`: entries in the order sent, repeated keys included.
  case map([RESPMapEntry])
  /// `~2`: elements in the order sent, repeated ones included.
  case set([RESPValue])
  /// `>3`: sent by the server on its own account, never the answer to a command.
  case push([RESPValue])
  /// `|1`: a value with attributes in front. Only from parsers told to attach them.
  indirect case attributed([RESPMapEntry], RESPValue)
}

/// One key and its value in a map or among attributes.
package struct RESPMapEntry: Sendable, Hashable {
  package var key: RESPValue
  package var value: RESPValue

  package init(key: RESPValue, value: RESPValue) {
    self.key = key
    self.value = value
  }
}

/// The three bytes in front of a verbatim string that say how to show it.
package struct RESPTextFormat: Sendable, Hashable {
  let first: UInt8
  let second: UInt8
  let third: UInt8

  /// Plain text.
  package static let text = RESPTextFormat(first: 0x74, second: 0x78, third: 0x74)
  /// Markdown.
  package static let markdown = RESPTextFormat(first: 0x6D, second: 0x6B, third: 0x64)
}

extension RESPValue {
  /// A verbatim string from its payload, `txt:` in front; nil if there is no such prefix.
  init?(verbatim payload: ByteBuffer) {
    var text = payload
    guard
      let (first, second, third, colon) = text.readMultipleIntegers(
        as: (UInt8, UInt8, UInt8, UInt8).self), colon == UInt8(ascii: ":")
    else { return nil }
    self = .verbatim(RESPTextFormat(first: first, second: second, third: third), text)
  }
}

/// The protocol version that a peer speaks.
package enum RESPVersion: Int, Sendable, Hashable {
  case two = 2
  case three = 3
}
