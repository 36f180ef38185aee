/// How a command has to be treated between a client and connections that others use too.
enum CommandKind: Hashable, Sendable {
  /// One reply, and nothing stays behind on the connection.
  case plain
  /// May keep its connection waiting.
  case blocking
  /// Waits only if it has the argument `BLOCK`.
  case blockingOnRequest
  /// Waits for the replication of what the connection has done so far.
  case waitForReplicas
  case transaction(TransactionCommand)
  /// Changes what the connection sends from then on: subscriptions and `MONITOR`.
  case takesOver
  /// Plain, unless its argument `DEBUG` changes the connection.
  case script
  /// Belongs to the client's own connection; the proxy answers it.
  case session(SessionCommand)
  /// Would turn the connection into a replica's.
  case replication
  /// The first word of another protocol: a server takes that for an attack, and hangs up.
  case foreign
}

/// The commands around transactions; what they did shows in their replies.
enum TransactionCommand: Hashable, Sendable {
  case multi, exec, discard, watch, unwatch
}

/// The commands about the connection itself.
enum SessionCommand: Hashable, Sendable {
  case auth, hello, client, select, reset, quit
}
