/// Why there is no answer, or not all of it.
package struct HTTPUpstreamError: Error, Sendable, CustomStringConvertible {
  package enum Kind: Sendable, Hashable {
    /// The settings cannot work (a certificate file, say): trying again does not help.
    case configuration
    /// No connection: nobody listens, no such host, no TLS.
    case notConnected
    /// More requests than may wait for a connection, or one that waited too long.
    case busy
    /// The server took a connection, or the request, and then too long.
    case timedOut
    /// The connection ended before the answer, or in the middle of it.
    case closed
    /// What the server sent is no HTTP, or more than is read.
    case malformed
    /// In the middle of an answer whose reader had stopped for a while: others needed the connection.
    case gaveWay
    /// What was to be sent broke off: its source threw.
    case sourceFailed
    /// The caller gave up.
    case cancelled
    /// This client is closed.
    case shutDown
  }

  package let kind: Kind
  package let origin: HTTPOrigin
  package let message: String
  /// Whether the server may have acted on the request.
  package let mayHaveRun: Bool
  package let cause: (any Error)?

  init(
    _ kind: Kind, _ origin: HTTPOrigin, _ message: String, mayHaveRun: Bool,
    cause: (any Error)? = nil
  ) {
    self.kind = kind
    self.origin = origin
    self.message = message
    self.mayHaveRun = mayHaveRun
    self.cause = cause
  }

  package var description: String {
    let reason = cause.map { ": \($0)" } ?? ""
    return "\(origin): \(message)\(reason)"
  }
}
