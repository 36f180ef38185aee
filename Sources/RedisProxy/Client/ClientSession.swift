/// Decides on which connection a client's command goes, and when.
///
/// A client shares connections with others until a command leaves something behind: then it gets
/// one of its own, for as long as that lasts. Commands change connections only when all replies
/// have come, so that they run in the order in which they were sent. It decides again and again
/// about the same command until that can go: a decision keeps nothing but what it says.
struct ClientSession {
  enum Pin: Hashable {
    case none
    /// For one command: one that blocks, or one that is too long to wait for.
    case once
    /// Until `EXEC`, `DISCARD` or `UNWATCH` has cleared the connection.
    case transaction
    /// For the rest of the client's life; bytes pass both ways unread.
    case tunnel
  }

  enum Decision: Hashable {
    /// To a connection that others use too. Never a command that is not complete.
    case share
    /// To the client's own connection.
    case own
    /// Not before all replies to earlier commands have come.
    case drain
    /// A connection of its own first.
    case pin(Pin)
    /// The client's connection changes what it is for.
    case repin(Pin)
    /// Back to shared connections: its own is as clean as it came.
    case unpin
    /// The proxy answers.
    case answer(SessionCommand)
    case refuseReplication
    /// What no client of Redis sends: the connection ends.
    case hangUp
  }

  private(set) var pin = Pin.none
  private(set) var transaction = Transaction()
  /// The command that asked for the connection has not gone yet.
  private(set) var isFresh = false
  /// A command is under way that may wait for what other clients do.
  private(set) var isWaiting = false
  /// What goes to its own connection is queued there: `MULTI` was sent, and its end was not.
  private(set) var isQueueing = false
  /// `WATCH` was sent, and its reply has not come.
  private var isWatchSent = false

  /// Whether nothing of a transaction is left: neither what the server has said, nor what it may have
  /// begun without having said so.
  var isTransactionOver: Bool { transaction.isOver && !isQueueing && !isWatchSent }

  /// - Parameters:
  ///   - blocks: whether it has the argument that makes it wait.
  ///   - isLong: whether it is too long to be kept until it is complete.
  ///   - outstanding: replies to earlier commands that have not come.
  func decide(
    _ kind: CommandKind, blocks: Bool = false, isLong: Bool = false, outstanding: Int
  ) -> Decision {
    if isFresh { return .own }
    switch pin {
    case .tunnel: return .own
    case .none: return decideShared(kind, blocks: blocks, isLong: isLong, outstanding: outstanding)
    case .once: return outstanding > 0 ? .drain : .unpin
    case .transaction:
      if outstanding == 0, transaction.isOver { return .unpin }
      return decideInTransaction(kind, outstanding: outstanding)
    }
  }

  private func decideShared(
    _ kind: CommandKind, blocks: Bool, isLong: Bool, outstanding: Int
  ) -> Decision {
    let next: Decision
    switch kind {
    case .plain where !isLong, .script where !isLong: return .share
    case .blockingOnRequest where !isLong && !blocks: return .share
    // Without a transaction they have nothing to end, and leave nothing behind.
    case .transaction(.exec) where !isLong, .transaction(.discard) where !isLong,
      .transaction(.unwatch) where !isLong:
      return .share
    case .plain, .script, .blocking, .blockingOnRequest, .waitForReplicas,
      .transaction(.exec), .transaction(.discard), .transaction(.unwatch):
      next = .pin(.once)
    case .transaction: next = .pin(.transaction)
    case .takesOver: next = .pin(.tunnel)
    case .session(let command): next = .answer(command)
    case .replication: next = .refuseReplication
    case .foreign: next = .hangUp
    }
    return outstanding > 0 ? .drain : next
  }

  private func decideInTransaction(_ kind: CommandKind, outstanding: Int) -> Decision {
    switch kind {
    case .plain, .script, .blocking, .blockingOnRequest, .waitForReplicas, .transaction:
      return .own
    case .replication: return .refuseReplication
    case .session(.quit), .session(.reset):
      guard outstanding == 0 else { return .drain }
      return kind == .session(.quit) ? .answer(.quit) : .answer(.reset)
    // What it does to a transaction is the server's affair: from here on the connection is the
    // client's alone.
    case .session, .takesOver: return outstanding > 0 ? .drain : .repin(.tunnel)
    case .foreign: return outstanding > 0 ? .drain : .hangUp
    }
  }

  /// The client has got a connection of its own, or loses it.
  mutating func pinned(_ pin: Pin) {
    self = ClientSession()
    self.pin = pin
    isFresh = pin != .none
  }

  /// Whether a command would wait for what other clients do.
  func waits(_ kind: CommandKind, blocks: Bool) -> Bool {
    guard !isQueueing else { return false }
    return switch kind {
    case .blocking, .waitForReplicas: true
    case .blockingOnRequest: blocks
    default: false
    }
  }

  /// A command goes to its own connection.
  mutating func sent(_ kind: CommandKind, blocks: Bool) {
    isFresh = false
    if waits(kind, blocks: blocks) { isWaiting = true }
    switch kind {
    case .transaction(.multi): isQueueing = true
    case .transaction(.watch): isWatchSent = true
    case .transaction(.exec), .transaction(.discard): isQueueing = false
    default: break
    }
  }

  /// All replies have come.
  mutating func settled() {
    isWaiting = false
    isWatchSent = false
    isQueueing = transaction.isOpen
  }

  /// Its own connection goes on for another purpose.
  mutating func repinned(_ pin: Pin) { self.pin = pin }

  mutating func receive(_ reply: Span<UInt8>, isError: Bool, to command: TransactionCommand) {
    transaction.receive(reply, isError: isError, to: command)
  }
}
