/// Why bytes are no command or no reply: the connection has lost its boundaries.
package enum RESPScanError: Error, Sendable, Hashable {
  case multibulkLength
  case multibulkTooLong
  case bulkLength
  case bulkTooLong
  case bulkEnd
  case expectedBulk(UInt8)
  case inlineTooLong
  case unbalancedQuotes
  /// A byte that starts no reply.
  case replyType(UInt8)
  /// A length in a reply that is none, or a streamed value, which no server sends.
  case replyLength

  /// Redis's own words for faults of a client, without `ERR Protocol error: `.
  package var detail: String {
    switch self {
    case .multibulkLength: "invalid multibulk length"
    case .multibulkTooLong: "too big mbulk count string"
    case .bulkLength: "invalid bulk length"
    case .bulkTooLong: "too big bulk count string"
    case .bulkEnd: "a bulk string does not end in CR LF"
    case .expectedBulk(let byte):
      // As `%c` prints it, but never a line break.
      "expected '$', got '\((0x20..<0x7F).contains(byte) ? String(UnicodeScalar(byte)) : " ")'"
    case .inlineTooLong: "too big inline request"
    case .unbalancedQuotes: "unbalanced quotes in request"
    case .replyType(let byte): "no reply starts with byte 0x\(String(byte, radix: 16))"
    case .replyLength: "a length in a reply is not a number"
    }
  }
}
