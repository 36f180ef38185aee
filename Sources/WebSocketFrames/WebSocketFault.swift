/// What is wrong with what the other side has sent; the connection cannot go on.
package struct WebSocketFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// That the connection is closed with (RFC 6455, section 7.4.1).
  package let closeCode: UInt16
  package let description: String

  /// The frames break the protocol's rules.
  package static func protocolError(_ description: String) -> WebSocketFault {
    WebSocketFault(closeCode: 1002, description: description)
  }

  package static func tooLarge(_ limit: Int) -> WebSocketFault {
    WebSocketFault(closeCode: 1009, description: "a message has more than \(limit) bytes")
  }
}
