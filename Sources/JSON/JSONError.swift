/// Why bytes are not the JSON that was expected, and where.
package struct JSONError: Error, Hashable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// The text ends inside a value.
    case unexpectedEnd
    /// A byte that RFC 8259 does not allow at this place.
    case unexpectedByte(UInt8)
    /// Bytes after the end of the value.
    case trailingBytes
    case invalidNumber
    case invalidEscape
    /// A control character inside a string, unescaped.
    case controlCharacter
    case invalidUTF8
    /// More nested arrays and objects than allowed.
    case tooDeep(limit: Int)
    /// More values than allowed.
    case tooManyValues(limit: Int)
    /// More bytes than allowed.
    case tooLong(limit: Int)
    /// One object names a member twice, so that readers could disagree about its value.
    case duplicateKey(String)
  }

  package let kind: Kind
  /// The offset in bytes from the start of the text.
  package let offset: Int

  package init(_ kind: Kind, at offset: Int) {
    self.kind = kind
    self.offset = offset
  }

  package var description: String {
    let what =
      switch kind {
      case .unexpectedEnd: "the text ends inside a value"
      case .unexpectedByte(let byte): "unexpected byte 0x" + String(byte, radix: 16)
      case .trailingBytes: "there is more text after the value"
      case .invalidNumber: "a number is malformed"
      case .invalidEscape: "a string has an invalid escape"
      case .controlCharacter: "a string holds an unescaped control character"
      case .invalidUTF8: "a string is not valid UTF-8"
      case .tooDeep(let limit): "values are nested more than \(limit) deep"
      case .tooManyValues(let limit): "there are more than \(limit) values"
      case .tooLong(let limit): "the text is longer than \(limit) bytes"
      case .duplicateKey(let key): "an object has the key \"\(key)\" twice"
      }
    return "\(what) (at byte \(offset))"
  }
}
