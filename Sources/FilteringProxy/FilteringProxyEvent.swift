/// What became of a client's wish, for logs and metrics.
package enum FilteringProxyEvent: Sendable, Hashable {
  /// - Parameter destination: host and port, as the client named them.
  case connected(_ destination: String)
  /// The rules do not allow it.
  case refused(_ destination: String, reason: String)
  case failed(_ destination: String, reason: String)
}
