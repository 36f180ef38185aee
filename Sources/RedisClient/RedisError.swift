/// Why a command has no reply, or what the server answered instead of one.
package struct RedisError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// There is no connection and the last attempt failed (see the cause), or the client has
    /// ended. Nothing was sent.
    case notConnected
    /// No reply in time. The server may be slow, paused or out of reach.
    case timedOut
    /// The calling task was cancelled: neither a failure nor an answer.
    case cancelled
    /// The server answered with an error; the code is its first word, `WRONGTYPE` say.
    case server(code: String)
    /// The server sent what is not RESP, or more of it than the limits allow.
    case protocolViolation
    /// As many commands (or bytes) wait for replies as the configuration allows: slow down.
    /// Nothing was sent.
    case tooManyPending
    /// The connection ended before the reply came.
    case connectionClosed
    /// An address, a certificate file or a setting is wrong: trying again will not help.
    case configuration
  }

  package let kind: Kind
  /// The server, without credentials; empty where there is none yet.
  package let address: String
  /// What was tried and what came of it.
  package let message: String
  /// The command was handed to the connection, so the server may have run it, or run it yet.
  /// False means that it certainly has not and will not.
  package let mayHaveRun: Bool
  package let cause: (any Error)?

  package init(
    _ kind: Kind, address: String, _ message: String, mayHaveRun: Bool = false,
    cause: (any Error)? = nil
  ) {
    self.kind = kind
    self.address = address
    self.message = message
    self.mayHaveRun = mayHaveRun
    self.cause = cause
  }

  /// One line: the server, what happened, and the chain of causes.
  package var description: String {
    let place = address.isEmpty ? "Redis" : "Redis \(address)"
    guard let cause else { return "\(place): \(message)" }
    if let cause = cause as? RedisError, cause.address == address {
      return "\(place): \(message): \(cause.message)"
    }
    return "\(place): \(message): \(cause)"
  }
}
