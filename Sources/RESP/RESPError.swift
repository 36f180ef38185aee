/// Why bytes are not RESP, or more of it than the limits allow.
///
/// After one of these the stream has no known boundary: close the connection.
package struct RESPError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// The first byte of a value is none of the protocol's types.
    case unknownType
    /// A line or a payload does not end in CR LF.
    case missingTerminator
    /// A length, count, number, boolean or format is not what its type demands.
    case malformed
    /// A type that has no place here: a chunk outside of a streamed string, say.
    case misplaced
    /// One of the ``RESPLimits``.
    case limitExceeded
  }

  package let kind: Kind
  /// Where the offending value starts: bytes since the first one given to the parser.
  package let offset: Int64
  /// What was found and what would have been right.
  package let detail: String

  package init(_ kind: Kind, at offset: Int64, _ detail: String) {
    self.kind = kind
    self.offset = offset
    self.detail = detail
  }

  package var description: String { "RESP: \(detail) (at byte \(offset))" }
}
