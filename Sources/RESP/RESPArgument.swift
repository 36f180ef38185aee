package import NIOCore

/// One argument of a command. Servers see all of them as bytes.
package enum RESPArgument: Sendable, Hashable {
  case string(String)
  case bytes(ByteBuffer)
  /// Sent in decimal digits.
  case integer(Int64)
}

extension RESPArgument: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral {
  package init(stringLiteral value: String) {
    self = .string(value)
  }

  package init(integerLiteral value: Int64) {
    self = .integer(value)
  }
}
