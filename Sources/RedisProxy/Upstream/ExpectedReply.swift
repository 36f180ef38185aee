import NIOCore

/// Whose replies come next on a connection.
struct ExpectedReply {
  /// Nil for commands of the proxy itself.
  let client: ClientHandler?
  /// Commands in a row.
  var count: Int
  /// What to note of the reply; such a command stands alone.
  let transaction: TransactionCommand?
  /// The client does not want to see it.
  let isSilent: Bool
  /// The proxy itself has asked.
  let isInquiry: Bool
  let sentAt: NIODeadline
}
