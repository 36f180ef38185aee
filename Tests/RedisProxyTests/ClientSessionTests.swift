import Testing

@testable import RedisProxy

@Suite struct ClientSessionTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private func pinned(_ pin: ClientSession.Pin) -> ClientSession {
    var session = ClientSession()
    session.pinned(pin)
    session.sent(.plain, blocks: false)
    return session
  }

  @Test func commandsWithoutStateShare() {
    let session = ClientSession()
    #expect(session.decide(.plain, outstanding: 7) == .share)
    #expect(session.decide(.transaction(.exec), outstanding: 7) == .share)
    #expect(session.decide(.blockingOnRequest, outstanding: 0) == .share)
  }

  @Test(arguments: [
    (CommandKind.blocking, ClientSession.Pin.once), (.waitForReplicas, .once),
    (.transaction(.multi), .transaction), (.transaction(.watch), .transaction),
    (.takesOver, .tunnel),
  ])
  func commandsWithStateGetAConnectionOnceAllRepliesHaveCome(
    kind: CommandKind, pin: ClientSession.Pin
  ) {
    let session = ClientSession()
    #expect(session.decide(kind, outstanding: 1) == .drain)
    #expect(session.decide(kind, outstanding: 0) == .pin(pin))
  }

  @Test func aLongCommandAndOneThatAsksToWaitGoAlone() {
    let session = ClientSession()
    #expect(session.decide(.plain, isLong: true, outstanding: 0) == .pin(.once))
    #expect(session.decide(.blockingOnRequest, blocks: true, outstanding: 0) == .pin(.once))
  }

  @Test(arguments: [
    CommandKind.plain, .script, .blockingOnRequest, .transaction(.exec), .transaction(.discard),
    .transaction(.unwatch), .transaction(.multi), .takesOver, .replication, .session(.hello),
    .foreign,
  ])
  func aCommandThatIsNotAllThereNeverShares(kind: CommandKind) {
    for outstanding in 0...1 {
      #expect(ClientSession().decide(kind, isLong: true, outstanding: outstanding) != .share)
    }
  }

  @Test func whatIsQueuedDoesNotWait() {
    var session = pinned(.transaction)
    #expect(session.waits(.blocking, blocks: false))
    session.sent(.transaction(.multi), blocks: false)
    #expect(!session.waits(.blocking, blocks: false))
    session.sent(.blocking, blocks: false)
    #expect(!session.isWaiting)
    session.sent(.transaction(.exec), blocks: false)
    session.sent(.blocking, blocks: false)
    #expect(session.isWaiting)
    session.settled()
    #expect(!session.isWaiting)
  }

  @Test func theCommandThatAskedForAConnectionGoesThere() {
    var session = ClientSession()
    session.pinned(.once)
    #expect(session.decide(.blocking, outstanding: 0) == .own)
    session.sent(.blocking, blocks: false)
    #expect(session.decide(.plain, outstanding: 1) == .drain)
    #expect(session.decide(.plain, outstanding: 0) == .unpin)
  }

  @Test func aTransactionKeepsItsConnectionUntilItsReplyHasCome() {
    var session = pinned(.transaction)
    #expect(session.decide(.plain, outstanding: 1) == .own)
    session.receive(
      bytes("+OK\r\n").span, isError: false, to: .multi)
    #expect(session.decide(.plain, outstanding: 0) == .own)
    #expect(session.decide(.transaction(.exec), outstanding: 0) == .own)
    #expect(session.decide(.plain, outstanding: 1) == .own)
    session.receive(
      bytes("*0\r\n").span, isError: false, to: .exec)
    #expect(session.decide(.plain, outstanding: 0) == .unpin)
  }

  @Test func whatIsAboutTheConnectionWithinATransactionMakesItTheClientsForGood() {
    var session = pinned(.transaction)
    session.receive(
      bytes("+OK\r\n").span, isError: false, to: .multi)
    #expect(session.decide(.session(.select), outstanding: 1) == .drain)
    #expect(session.decide(.session(.select), outstanding: 0) == .repin(.tunnel))
    #expect(session.decide(.takesOver, outstanding: 0) == .repin(.tunnel))
    #expect(session.decide(.session(.reset), outstanding: 0) == .answer(.reset))
    session.repinned(.tunnel)
    #expect(session.decide(.replication, outstanding: 0) == .own)
  }

  @Test(arguments: [
    ("-EXECABORT Transaction discarded\r\n", true), ("*-1\r\n", true), ("_\r\n", true),
    ("-ERR EXEC without MULTI\r\n", false), ("-NOAUTH x\r\n", false), ("-LOADING x\r\n", false),
  ])
  func onlyAReplyThatProvesItEndsATransaction(reply: String, isOver: Bool) {
    var transaction = Transaction()
    transaction.receive(
      bytes("+OK\r\n").span, isError: false, to: .watch)
    transaction.receive(
      bytes("+OK\r\n").span, isError: false, to: .multi)
    transaction.receive(
      bytes(reply).span, isError: reply.hasPrefix("-"), to: .exec)
    #expect(transaction.isOver == isOver)
  }

  @Test func unwatchWithinATransactionClearsNothingYet() {
    var transaction = Transaction()
    transaction.receive(
      bytes("+OK\r\n").span, isError: false, to: .watch)
    transaction.receive(
      bytes("+QUEUED\r\n").span, isError: false, to: .unwatch)
    #expect(!transaction.isOver)
    transaction.receive(
      bytes("+OK\r\n").span, isError: false, to: .unwatch)
    #expect(transaction.isOver)
  }

  @Test func aMultiThatFailedOpensNothing() {
    var transaction = Transaction()
    transaction.receive(
      bytes("-ERR wrong number of arguments\r\n").span, isError: true, to: .multi)
    #expect(transaction.isOver)
  }

  @Test func replicationIsRefusedEverywhereButInATunnel() {
    #expect(ClientSession().decide(.replication, outstanding: 0) == .refuseReplication)
    #expect(pinned(.transaction).decide(.replication, outstanding: 1) == .refuseReplication)
  }
}
