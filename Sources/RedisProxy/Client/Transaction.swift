/// What a connection remembers of `WATCH` and `MULTI`, as its replies tell.
struct Transaction: Hashable {
  private(set) var isOpen = false
  private(set) var isWatching = false

  /// Nothing is left of it on the connection.
  var isOver: Bool { !isOpen && !isWatching }

  /// Notes the reply to one of its commands.
  ///
  /// Only what proves that the state is gone clears it: a connection that might keep some of it
  /// must not go to another client.
  ///
  /// - Parameters:
  ///   - reply: its end, as it was received last: the whole of it if it is a line.
  ///   - isError: whether it began as an error does.
  mutating func receive(_ reply: Span<UInt8>, isError: Bool, to command: TransactionCommand) {
    switch command {
    case .multi: if !isError { isOpen = true }
    case .watch: if !isError && !isQueued(reply) { isWatching = true }
    case .unwatch: if !isError && !isQueued(reply) { isWatching = false }
    case .discard: if !isError { self = Transaction() }
    case .exec:
      // `EXECABORT`, nil and an array all end it; `ERR EXEC without MULTI` ends nothing.
      if !isError || Self.starts(reply, with: "-EXECABORT") { self = Transaction() }
    }
  }

  private func isQueued(_ reply: Span<UInt8>) -> Bool { Self.starts(reply, with: "+QUEUED") }

  static func starts(_ reply: Span<UInt8>, with text: StaticString) -> Bool {
    guard reply.count >= text.utf8CodeUnitCount else { return false }
    for index in 0..<text.utf8CodeUnitCount where reply[index] != text.utf8Start[index] {
      return false
    }
    return true
  }
}
